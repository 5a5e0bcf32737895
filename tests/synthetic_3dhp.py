"""MPI-INF-3DHP's two files in miniature, in the layout that video lifters pass on."""

from pathlib import Path

import numpy as np
from synthetic_h36m import camera_motion_m

from hyperlift.skeletons.joint_sets import H36M_17, MPI_INF_3DHP_17

TEST_FRAMES = {"TS1": 70, "TS2": 40, "TS5": 33, "TS6": 20}
SIZES = {"TS1": (2048, 2048), "TS2": (2048, 2048), "TS5": (1920, 1080), "TS6": (1920, 1080)}
_FROM_H36M = {"HeadTop": "Head", "Neck": "Thorax", "Head": "Nose"}


def joints_mm(frames: int, rng: np.random.Generator) -> np.ndarray:
    names = [_FROM_H36M.get(joint, joint) for joint in MPI_INF_3DHP_17.joints]
    return 1000 * camera_motion_m(frames, rng)[:, H36M_17.indices(names)]


def view(frames: int, size: tuple[int, int], rng: np.random.Generator) -> dict[str, np.ndarray]:
    joints = joints_mm(frames, rng)
    centre = np.array(size) / 2
    return {"data_2d": 1500.0 * joints[..., :2] / joints[..., 2:] + centre, "data_3d": joints}


def make_test_content(seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    content = {name: view(frames, SIZES[name], rng) for name, frames in TEST_FRAMES.items()}
    for name, sequence in content.items():
        # Stored as the data set does it: numbers 0 and 1.
        sequence["valid"] = (rng.random(TEST_FRAMES[name]) < 0.6).astype(np.float64)
    return content


def make_train_content(seed: int = 1) -> dict:
    rng = np.random.default_rng(seed)
    return {
        "S1 Seq1": [{str(camera): view(60, (2048, 2048), rng) for camera in (0, 8)}, 25],
        "S3 Seq2": [{"4": view(61, (2048, 2048), rng)}, 50],
    }


def write(folder: Path, train: dict | None = None, test: dict | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "train": make_train_content() if train is None else train,
        "test": make_test_content() if test is None else test,
    }
    for split, content in contents.items():
        np.savez_compressed(folder / f"data_{split}_3dhp.npz", data=np.array(content, dtype=object))
    return folder
