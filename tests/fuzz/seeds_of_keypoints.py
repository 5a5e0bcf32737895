"""Targets of the readers of 2D keypoints, in the formats of all tools."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keypoint_writers import (
    alphapose,
    coco_results,
    deeplabcut,
    detectron,
    distinct,
    dwpose,
    long_table,
    mediapipe_json,
    mmpose_0,
    mmpose_demo,
    mmpose_inferencer,
    opencap,
    openpose_coco18,
    rtmlib_npz,
    sleap,
    ultralytics,
    ultralytics_csv,
    ultralytics_labels,
    videopose3d,
)

from fuzz.archive_mutators import damaged_npz
from fuzz.mutators import Mutator, damaged_bytes, damaged_json, damaged_text
from fuzz.targets import Target
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17

_SIZE = (1920, 1080)
_FRAMES = {frame: [(distinct(COCO_17, 3.0 * frame + 40.0 * track), track) for track in (1, 2)] for frame in range(3)}


def _read(path: Path) -> None:
    # Bare arrays do not name their joints.
    read_keypoints(path, picture_size=_SIZE, skeleton=COCO_17 if path.name in ("rtm.npz", "a.npy") else None)


def _one_file(make: Callable[[Path], Path], name: str, damage: Mutator) -> Target:
    return Target(make, lambda folder: _read(folder / name), {name: damage})


def damaged_json_text(content: bytes, rng: random.Random) -> bytes:
    """As JSON, or as any text."""
    return rng.choice((damaged_json, damaged_json, damaged_text))(content, rng)


def _points() -> np.ndarray:
    return np.stack([distinct(COCO_17, 3.0 * frame) for frame in range(4)])


_FIRST = "openpose/clip_000000000000_keypoints.json"
_LABELS = "labels/clip_1.txt"
TARGETS: dict[str, list[Target]] = {
    "keypoints": [
        _one_file(lambda folder: alphapose(folder, _FRAMES), "alphapose-results.json", damaged_json_text),
        _one_file(lambda folder: coco_results(folder, _FRAMES), "results.json", damaged_json_text),
        _one_file(lambda folder: mmpose_demo(folder, _FRAMES), "results_clip.json", damaged_json_text),
        _one_file(lambda folder: mmpose_inferencer(folder, _FRAMES), "clip.json", damaged_json_text),
        _one_file(lambda folder: ultralytics(folder, _FRAMES), "frames.json", damaged_json_text),
        _one_file(lambda folder: mediapipe_json(folder, _FRAMES, _SIZE), "landmarks.json", damaged_json_text),
        _one_file(lambda folder: detectron(folder, _FRAMES, _SIZE), "clip.mp4.npz", damaged_npz),
        _one_file(
            lambda folder: videopose3d(folder, _points()[..., :2], _SIZE), "data_2d_custom_clip.npz", damaged_npz
        ),
        _one_file(lambda folder: rtmlib_npz(folder, _FRAMES), "rtm.npz", damaged_npz),
        _one_file(lambda folder: deeplabcut(folder, _FRAMES), "clipDLC_resnet50.csv", damaged_text),
        _one_file(lambda folder: sleap(folder, _FRAMES), "clip.analysis.csv", damaged_text),
        _one_file(lambda folder: dwpose(folder, _FRAMES, _SIZE), "poses.json", damaged_json_text),
        _one_file(lambda folder: opencap(folder, _FRAMES), "cam_keypoints.pkl", damaged_bytes),
        _one_file(lambda folder: mmpose_0(folder, _FRAMES), "results_0.json", damaged_json_text),
        _one_file(lambda folder: long_table(folder, _FRAMES), "long.csv", damaged_text),
        _one_file(lambda folder: ultralytics_csv(folder, _FRAMES), "results.csv", damaged_text),
        Target(
            lambda folder: openpose_coco18(folder, _FRAMES),
            lambda folder: _read(folder / "openpose"),
            {_FIRST: damaged_json_text},
        ),
        Target(
            lambda folder: ultralytics_labels(folder, _FRAMES, _SIZE),
            lambda folder: _read(folder / "labels"),
            {_LABELS: damaged_text},
        ),
        _one_file(lambda folder: np.save(folder / "a.npy", _points()), "a.npy", damaged_bytes),
    ],
}
