"""Targets of the readers of data sets: archives of arrays, benchmarks, calibration, MATLAB files."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keypoint_writers import alphapose, distinct
from plain_content import content
from rigid_motions import lifted, poses_file
from synthetic_3dhp import SIZES, view, write

from fuzz.archive_mutators import damaged_npy, damaged_npz
from fuzz.mutators import damaged_json, damaged_text
from fuzz.targets import Target
from hyperlift.contract import LifterSpec
from hyperlift.datasets.mpi_inf_3dhp import read_test, read_train
from hyperlift.evaluation.benchmark_file import load_poses, read_views
from hyperlift.export.calibration import read_calibration
from hyperlift.motion.motion import load_motion
from hyperlift.rendering.page.write_page import write_page
from hyperlift.safe_io.npz import load_npy, load_npz, load_npz_array
from hyperlift.skeletons.joint_sets import COCO_17

_SPEC = LifterSpec(name="tiny", label_space="camera", n_frames=9)
_RNG = np.random.default_rng(0)
_CLIPS = {"pose2d_norm": _RNG.uniform(-1, 1, (2, 9, 17, 3)).astype(np.float32)}
_POSES = {"m0@0": _RNG.normal(size=(5, 17, 3)).astype(np.float32), "m1@0": np.ones((4, 17, 3))}
_MIXED = {"numbers": np.arange(12).reshape(3, 4), "text": np.array(["a", "bc"]), "one": np.array(2.5)}


def _views() -> dict[str, np.ndarray]:
    joints_m = _RNG.normal(size=(6, 17, 3)).astype(np.float32) + np.array([0, 0, 4], np.float32)
    K = np.array([[800.0, 0, 480], [0, 800, 270], [0, 0, 1]])
    keypoints = joints_m @ K.T
    keypoints = (keypoints / keypoints[..., 2:]).astype(np.float32)
    return {"m@0/kp": keypoints, "m@0/cam": joints_m, "m@0/K": K, "m@0/wh": np.array([960, 540], np.int32)}


def _archive(arrays: dict[str, np.ndarray], read: Callable[[Path], object]) -> Target:
    return Target(
        lambda folder: np.savez(folder / "a.npz", **arrays),
        lambda folder: read(folder / "a.npz"),
        {"a.npz": damaged_npz},
    )


def _array(array: np.ndarray, memory_map: bool) -> Target:
    return Target(
        lambda folder: np.save(folder / "a.npy", array),
        lambda folder: load_npy(folder / "a.npy", memory_map),
        {"a.npy": damaged_npy},
    )


def _calibration(path: Path) -> object:
    return read_calibration(path, _SPEC, (1920, 1080), 25.0)


def _keypoints(folder: Path) -> None:
    alphapose(folder, {frame: [(distinct(COCO_17, 3.0 * frame), 1)] for frame in range(6)})


def _3dhp(split: str, read: Callable[[Path], object]) -> Target:
    test = {"TS1": view(5, SIZES["TS1"], _RNG) | {"valid": np.array([1.0, 0, 1, 1, 0])}}
    train = {"S1 Seq1": [{"0": view(4, (2048, 2048), _RNG)}, 25]}
    name = f"data_{split}_3dhp.npz"
    return Target(
        lambda folder: write(folder, train, test), lambda folder: list(read(folder / name)), {name: damaged_npz}
    )


def damaged_poses(content: bytes, rng: random.Random) -> bytes:
    """The JSON text among the arrays damaged, or any of them."""
    if rng.random() < 0.6:
        return damaged_npz(content, rng)
    arrays = dict(np.load(io.BytesIO(content)))
    meta = damaged_json(str(arrays["meta"]).encode(), rng).decode("utf-8", "replace")
    out = io.BytesIO()
    np.savez(out, **{**arrays, "meta": np.array(meta)})
    return out.getvalue()


def _poses(folder: Path) -> None:
    poses_file(folder / "pose3d.npz", [lifted(0, 8), lifted(3, 6)])


def _converted(folder: Path) -> None:
    """What is read can be written: tables, and a page."""
    motion = load_motion(folder / "pose3d.npz")
    (folder / "out").mkdir(exist_ok=True)
    for kind in ("npz", "json", "csv"):
        motion.save(folder / "out" / f"p.{kind}")
    motion.save_angles(folder / "out" / "angles.csv")
    write_page(folder / "out" / "p.html", motion.people, motion.meta)


TARGETS: dict[str, list[Target]] = {
    "npz": [_archive(_MIXED, load_npz)],
    "npz with objects": [
        _archive({"data": np.array(content(), dtype=object)}, lambda path: load_npz_array(path, "data")),
        _archive(_MIXED, lambda path: load_npz_array(path, "text")),
    ],
    "npy": [_array(array, mapped) for array in _MIXED.values() for mapped in (False, True)],
    "3D poses": [Target(_poses, _converted, {"pose3d.npz": damaged_poses})],
    "benchmark": [_archive(_views(), read_views)],
    "predictions of a benchmark": [_archive(_POSES, load_poses)],
    "calibration": [
        _archive(_CLIPS, _calibration),
        _archive(_views(), _calibration),
        Target(
            _keypoints,
            lambda folder: _calibration(folder / "alphapose-results.json"),
            {"alphapose-results.json": lambda content, rng: rng.choice((damaged_json, damaged_text))(content, rng)},
        ),
    ],
    "3DHP training file": [_3dhp("train", read_train)],
    "3DHP test file": [_3dhp("test", read_test)],
}
