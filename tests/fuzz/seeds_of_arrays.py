"""Targets of the readers whose files are binary: videos, journals, networks, arrays, archives."""

import pickle
import pickletools
import random
from collections.abc import Callable
from pathlib import Path

import av.logging
import numpy as np
import onnx
from PIL import Image
from plain_content import content
from synthetic_h36m import build, write
from tiny_onnx import write_tiny_lifter
from video_files import corner_picture, write_video

from fuzz.archive_mutators import damaged_boxes
from fuzz.mutators import Mutator, damaged_bytes, damaged_json
from fuzz.targets import Target
from hyperlift.contract import METADATA_KEY
from hyperlift.datasets.h36m import read_h36m
from hyperlift.datasets.pickle_clips import read_pickle_clip
from hyperlift.detection.journal import MAGIC, _packed, _record, read_journal
from hyperlift.export.int8 import _load
from hyperlift.keypoints.detections import Detection
from hyperlift.runtime.loading import load_lifter
from hyperlift.safe_io.pickles import load_pickle
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.video.reading import read_frames, video_facts

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
        lambda folder: pictures[0].save(folder / name, **more),
        lambda folder: read(folder / name),
        {name: damaged_bytes},
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
    payload = (
        rng.choice((damaged_json, damaged_bytes))(line, rng)
        + b"\n"
        + rng.choice((numbers, damaged_bytes(numbers, rng)))
    )
    return MAGIC + _record(_FACTS.encode()) + _record(payload)


_OPCODES = bytes(ord(opcode.code) for opcode in pickletools.opcodes)

_INSTRUCTIONS = (
    b"cos\nsystem\n",
    b"(lp0\n",
    b"\x8a\xff",
    b"I" + b"9" * 5000 + b"\n",
    b"h\x00b",
    b"\x85R",
    b"cnumpy\ndtype\n",
)


def damaged_pickle(content: bytes, rng: random.Random) -> bytes:
    """Instructions put in, exchanged and repeated, or any bytes."""
    if rng.random() < 0.4:
        return damaged_bytes(content, rng)
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, code = rng.randrange(len(data)), bytes([rng.choice(_OPCODES)])
        match rng.randrange(3):
            case 0:
                data[at : at + 1] = code
            case 1:
                data[at:at] = code * rng.choice((1, 1, 3, 3000))
            case 2:
                data[at:at] = rng.choice(
                    (b"cos\nsystem\n", b"(lp0\n", b"\x8a\xff", b"I9" + b"9" * 5000 + b"\n", b"h\x00b", b"\x85R")
                )
    return bytes(data)


_FEW = (("s_01_act_02_subact_01", "Directions", 4),)
"""One video of four frames."""


def _pickled(name: str, value: object, protocol: int, read: Callable[[Path], object]) -> Target:
    return Target(
        lambda folder: (folder / name).write_bytes(pickle.dumps(value, protocol=protocol)),
        lambda folder: read(folder / name),
        {name: damaged_pickle},
    )


def _clip() -> dict[str, np.ndarray]:
    return {"data_input": np.ones((4, 17, 3), np.float32), "data_label": np.zeros((4, 17, 3), np.float32)}


def damaged_network(content: bytes, rng: random.Random) -> bytes:
    """The metadata of a lifter damaged within an ONNX file that is whole, or any bytes."""
    if rng.random() < 0.7:
        return damaged_bytes(content, rng)
    model = onnx.load_from_string(content)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    text = damaged_json(metadata[METADATA_KEY].encode(), rng).decode("utf-8", "replace")
    onnx.helper.set_model_props(model, metadata | {METADATA_KEY: text})
    return model.SerializeToString()


def _network(read: Callable[[Path], object]) -> Target:
    return Target(
        lambda folder: write_tiny_lifter(folder / "a.onnx"),
        lambda folder: read(folder / "a.onnx"),
        {"a.onnx": damaged_network},
    )


TARGETS: dict[str, list[Target]] = {
    "video": _videos(video_facts),
    "video frames": _videos(_all_frames),
    "pickle": [_pickled("data.pkl", content(), protocol, load_pickle) for protocol in range(6)],
    "clip pickle": [
        _pickled("clip.pkl", _clip(), protocol, lambda path: read_pickle_clip(path, 17)) for protocol in (2, 4)
    ],
    "Human3.6M pickle": [
        Target(
            lambda folder: write(folder / "h36m.pkl", build(train=_FEW, test=_FEW)),
            lambda folder: read_h36m(folder / "h36m.pkl"),
            {"h36m.pkl": damaged_pickle},
        )
    ],
    "ONNX lifter": [_network(lambda path: load_lifter(path, threads=1))],
    "ONNX model": [_network(_load)],
    "journal of detections": [
        Target(_journal, lambda folder: read_journal(folder / "journal", _FACTS, COCO_17), {"journal": damaged_journal})
    ],
}
