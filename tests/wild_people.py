"""Synthetic detections and a tiny ONNX lifter for the tests of lifting video."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from hyperlift.contract import METADATA_KEY, LifterSpec
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.skeletons.skeleton import Skeleton

# Offsets from the middle of the hips of somebody 170 px tall who faces the camera.
_STANDING = {
    "Nose": (0, -78),
    "LEye": (3, -81),
    "REye": (-3, -81),
    "LEar": (7, -79),
    "REar": (-7, -79),
    "Neck": (0, -55),
    "LShoulder": (18, -55),
    "RShoulder": (-18, -55),
    "LElbow": (22, -28),
    "RElbow": (-22, -28),
    "LWrist": (23, -4),
    "RWrist": (-23, -4),
    "MidHip": (0, 0),
    "LHip": (10, 0),
    "RHip": (-10, 0),
    "LKnee": (11, 42),
    "RKnee": (-11, 42),
    "LAnkle": (12, 82),
    "RAnkle": (-12, 82),
}


def standing(skeleton: Skeleton, x: float, y: float = 300.0) -> np.ndarray:
    """Keypoints [joints, 3] in pixels of a person whose hips are at x, y; joints without a place are
    missing."""
    keypoints = np.tile([np.nan, np.nan, 0.0], (len(skeleton), 1))
    for joint, (dx, dy) in _STANDING.items():
        if joint in skeleton.joints:
            keypoints[skeleton.index(joint)] = x + dx, y + dy, 0.9
    return keypoints


WIDTH, HEIGHT = 640, 480
"""Of the picture that ``walker`` walks through."""


def walker(time_s: float, x: float = 100.0) -> np.ndarray:
    """COCO-17 keypoints in pixels of somebody who goes to the right at 60 px a second."""
    return standing(COCO_17, x + 60 * time_s)


def walker_norm(time_s: float, x: float = 100.0) -> np.ndarray:
    """Where the joints of ``H36M_17`` of ``walker`` are in normalised picture space."""
    points_px = to_h36m(walker(time_s, x), COCO_17)[:, :2]
    return normalise_points(points_px, float(WIDTH), float(HEIGHT))


def alphapose_entry(frame: int, x: float, idx: int | None = None) -> dict:
    entry = {
        "image_id": f"{frame}.jpg",
        "category_id": 1,
        "keypoints": standing(COCO_17, x).reshape(-1).tolist(),
        "score": 2.9,
    }
    return entry if idx is None else {**entry, "idx": idx}


def write_alphapose(path: Path, entries: list[dict]) -> Path:
    path.write_text(json.dumps(entries))
    return path


def write_openpose(folder: Path, people_x: dict[int, list[float]]) -> Path:
    folder.mkdir()
    for frame, xs in people_x.items():
        people = [
            {"person_id": [-1], "pose_keypoints_2d": np.nan_to_num(standing(BODY_25, x)).reshape(-1).tolist()}
            for x in xs
        ]
        (folder / f"clip_{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def write_flat_lifter(path: Path, metadata: bool = True, **spec) -> Path:
    """An ONNX lifter that returns the picture itself, root-relative, without depth."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "T", 17, 3]) for name in ("pose2d", "pose3d")]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["pose2d", "root"], ["root_point"], axis=2),
            helper.make_node("Sub", ["pose2d", "root_point"], ["centred"]),
            helper.make_node("Mul", ["centred", "flat"], ["pose3d"]),
        ],
        "flat",
        ports[:1],
        ports[1:],
        [
            helper.make_tensor("root", TensorProto.INT64, [1], [0]),
            helper.make_tensor("flat", TensorProto.FLOAT, [3], [1.0, 1.0, 0.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if metadata:
        helper.set_model_props(model, {METADATA_KEY: LifterSpec(name="flat", **spec).to_json()})
    onnx.save(model, path)
    return path
