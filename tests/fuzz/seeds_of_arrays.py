"""Targets of the readers whose files are binary: videos, journals, networks, arrays, archives."""

import random
from collections.abc import Callable
from pathlib import Path

import av.logging
import numpy as np
from fuzz.archive_mutators import damaged_boxes
from fuzz.mutators import Mutator, damaged_bytes, damaged_json
from fuzz.targets import Target
from PIL import Image
from video_files import corner_picture, write_video

from hyperlift.detection.journal import MAGIC, _packed, _record, read_journal
from hyperlift.skeletons import COCO_17
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.wild.keypoints import Detection

av.logging.set_level(None)


def _film(name: str, codec: str, damage: Mutator, read: Callable[[Path], object]) -> Target:
    pictures = [corner_picture(level=10 * i) for i in range(6)]
    return Target(
        lambda folder: write_video(folder / name, pictures, codec=codec, options={}),
        lambda folder: read(folder / name),
        {name: damage},
    )


def _still(name: str, read: Callable[[Path], object]) -> Target:
    pictures = [Image.fromarray(corner_picture(level=level)) for level in (0, 90)]
    more = {"save_all": True, "append_images": pictures[1:]} if name.endswith(".gif") else {}
    return Target(
        lambda folder: pictures[0].save(folder / name, **more), lambda folder: read(folder / name), {name: damaged_bytes}
    )


def _videos(read: Callable[[Path], object]) -> list[Target]:
    return [
        _film("film.mp4", "libx264", damaged_boxes, read),
        _film("film.mov", "mpeg4", damaged_boxes, read),
        _film("film.mkv", "libx264", damaged_bytes, read),
        _film("film.avi", "mpeg4", damaged_bytes, read),
        *(_still(f"picture.{kind}", read) for kind in ("png", "jpg", "gif", "bmp")),
    ]


def _all_frames(path: Path) -> None:
    for frame in read_frames(path):
        assert frame.rgb.ndim == 3


_FACTS = '{"made_from": "a.mp4"}'


def _payload() -> bytes:
    rng = np.random.default_rng(0)
    frames = [(index, [Detection(rng.normal(size=(17, 3)), track) for track in (1, None)]) for index in range(3)]
    return _packed(frames, {"tracks": [[1, 2.5], None]})


def _journal(folder: Path) -> None:
    (folder / "journal").write_bytes(MAGIC + _record(_FACTS.encode()) + _record(_payload()))


def damaged_journal(content: bytes, rng: random.Random) -> bytes:
    """A record whose digest is right and whose content is not, or any bytes."""
    if rng.random() < 0.3:
        return damaged_bytes(content, rng)
    line, _, numbers = _payload().partition(b"\n")
    payload = rng.choice((damaged_json, damaged_bytes))(line, rng) + b"\n" + rng.choice((numbers, damaged_bytes(numbers, rng)))
    return MAGIC + _record(_FACTS.encode()) + _record(payload)


TARGETS: dict[str, list[Target]] = {
    "video": _videos(video_facts),
    "video frames": _videos(_all_frames),
    "journal of detections": [
        Target(_journal, lambda folder: read_journal(folder / "journal", _FACTS, COCO_17), {"journal": damaged_journal})
    ],
}
