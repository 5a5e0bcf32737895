"""A Human3.6M pickle in miniature: walking stick people before four cameras, with consistent 2.5D labels."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.skeletons.joint_sets import H36M_17

CAMERAS = ("54138969", "55011271", "58860488", "60457274")
HEIGHTS = {"54138969": 1002, "60457274": 1002, "55011271": 1000, "58860488": 1000}
FOCAL_PX = 1145.0

# Source stem, action, frames at 50 fps. A video shorter than a clip, tails, and an excluded sequence.
TRAIN_VIDEOS = (("s_01_act_02_subact_01", "Directions", 90), ("s_05_act_09_subact_01", "Sitting", 31))
TEST_VIDEOS = (
    ("s_09_act_02_subact_01", "Directions", 83),
    ("s_09_act_05_subact_02", "Greeting", 64),
    ("s_09_act_09_subact_01", "Sitting", 40),
    ("s_11_act_10_subact_01", "SittingDown", 22),
)

# Metres from the pelvis, x right, y down, z forward, for a person who faces the camera.
_REST = {
    **{
        "Pelvis": (0, 0, 0),
        "RHip": (-0.13, 0, 0),
        "RKnee": (-0.14, 0.45, -0.02),
        "RAnkle": (-0.14, 0.9, 0.03),
    },
    **{"LHip": (0.13, 0, 0), "LKnee": (0.14, 0.45, -0.02), "LAnkle": (0.14, 0.9, 0.03)},
    **{"Spine": (0, -0.24, 0.02), "Thorax": (0, -0.49, 0), "Nose": (0, -0.6, -0.06), "Head": (0, -0.72, 0)},
    **{"LShoulder": (0.17, -0.47, 0), "LElbow": (0.25, -0.2, 0), "LWrist": (0.24, 0.03, -0.1)},
    **{"RShoulder": (-0.17, -0.47, 0), "RElbow": (-0.25, -0.2, 0), "RWrist": (-0.24, 0.03, -0.1)},
}


def camera_motion_m(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Joints in camera metres [frames,17,3]: the person turns, wanders and swings every joint a little."""
    rest = np.array([_REST[joint] for joint in H36M_17.joints])
    time = np.arange(frames) / 50
    swing = 0.06 * np.sin(2 * np.pi * (time[:, None, None] * rng.uniform(0.3, 1, rest.shape) + rng.random(rest.shape)))
    swing[:, H36M_17.root] = 0
    angle = rng.uniform(0, 2 * np.pi) + 0.6 * np.sin(time)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros(frames), np.ones(frames)
    turn = np.stack(
        [np.stack([cos, zero, sin], -1), np.stack([zero, one, zero], -1), np.stack([-sin, zero, cos], -1)], 1
    )
    path = np.stack([0.4 * np.sin(0.5 * time), 0.1 * np.cos(time), 4.5 + 0.5 * np.cos(0.4 * time)], -1)
    return np.einsum("tij,tvj->tvi", turn, rest + swing) + path[:, None]


def image_25d(joints_m: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Perspective x, y and root-relative depth in pixels [T,17,3], and millimetres a pixel [T]."""
    root_depth_m = joints_m[:, H36M_17.root, 2]
    px_per_m = FOCAL_PX / root_depth_m
    xy = FOCAL_PX * joints_m[..., :2] / joints_m[..., 2:] + np.array([500.0, height / 2])
    z = (joints_m[..., 2] - root_depth_m[:, None]) * px_per_m[:, None]
    return np.concatenate([xy, z[..., None]], -1), 1000 / px_per_m


def build(
    seed: int = 0, train=TRAIN_VIDEOS, test=TEST_VIDEOS, cameras=CAMERAS, noise_px: float = 3.0
) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return {
        "train": _split(train, cameras, noise_px, rng, False),
        "test": _split(test, cameras, noise_px, rng, True),
    }


def write(path: Path, content: Any, protocol: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def _split(videos, cameras, noise_px: float, rng: np.random.Generator, test: bool) -> dict[str, Any]:
    parts: dict[str, list] = {}
    for stem, action, frames in videos:
        for number, camera in enumerate(cameras, 1):
            label, mm_per_px = image_25d(camera_motion_m(frames, rng), HEIGHTS[camera])
            columns = {
                "joint_2d": label[..., :2] + noise_px * rng.normal(size=(*label.shape[:2], 2)),
                "confidence": rng.uniform(0.5, 1, (*label.shape[:2], 1)),
                "joint3d_image": label,
                "camera_name": [camera] * frames,
                "source": [f"{stem}_ca_{number:02d}"] * frames,
            }
            if test:
                columns |= {
                    "joints_2.5d_image": label * mm_per_px[:, None, None],
                    "2.5d_factor": mm_per_px,
                    "action": [action] * frames,
                }
            for key, values in columns.items():
                parts.setdefault(key, []).append(values)
    return {
        key: np.concatenate(values) if isinstance(values[0], np.ndarray) else [v for part in values for v in part]
        for key, values in parts.items()
    }
