"""Writes a recording of 2D keypoints as each tool does."""

import csv
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hyperlift.skeletons.joint_sets import COCO_17, COCO_18, MEDIAPIPE_33
from hyperlift.skeletons.skeleton import Skeleton

Person = tuple[np.ndarray, int | None]
"""Keypoints [joints, 3], missing ones NaN, NaN, 0; the track number."""
Frames = Mapping[int, Sequence[Person]]

# COCO's names as users and tools spell them.
LABELS = [
    joint if joint == "Nose" else f"{'left' if joint[0] == 'L' else 'right'}_{joint[1:].lower()}"
    for joint in COCO_17.joints
]


def zeroed(keypoints: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(keypoints[:, :1]), keypoints, 0.0)


def flat(keypoints: np.ndarray) -> list[float]:
    return zeroed(keypoints).reshape(-1).tolist()


def dump(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def alphapose(path: Path, frames: Frames) -> Path:
    entries = [
        {"image_id": f"{f}.jpg", "category_id": 1, "keypoints": flat(k), "score": 2.7, "box": [1, 2, 3, 4], "idx": i}
        for f, people in frames.items()
        for k, i in people
    ]
    return dump(
        path / "alphapose-results.json", [{**e} if e["idx"] is not None else _without(e, "idx") for e in entries]
    )


def coco_results(path: Path, frames: Frames) -> Path:
    people = [(f, k) for f, seen in frames.items() for k, _ in seen]
    return dump(
        path / "results.json",
        [{"image_id": f, "category_id": 1, "keypoints": flat(k), "score": 0.8} for f, k in people],
    )


def openpose(path: Path, frames: Frames) -> Path:
    folder = path / "openpose"
    folder.mkdir()
    for frame, seen in frames.items():
        people = [{"person_id": [-1], "pose_keypoints_2d": flat(k), "face_keypoints_2d": []} for k, _ in seen]
        dump(folder / f"clip_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})
    return folder


def openpose_coco18(path: Path, frames: Frames) -> Path:
    return openpose(path, {frame: [(coco18(k), i) for k, i in people] for frame, people in frames.items()})


def coco18(keypoints: np.ndarray) -> np.ndarray:
    """With the neck between the shoulders."""
    other = np.tile([np.nan, np.nan, 0.0], (len(COCO_18), 1))
    for number, joint in enumerate(COCO_17.joints):
        other[COCO_18.index(joint)] = keypoints[number]
    shoulders = keypoints[COCO_17.indices(["LShoulder", "RShoulder"])]
    other[COCO_18.index("Neck")] = [*shoulders[:, :2].mean(0), shoulders[:, 2].min()]
    return other


def mmpose_instances(people: Sequence[Person]) -> list[dict]:
    return [
        {
            "keypoints": zeroed(k)[:, :2].tolist(),
            "keypoint_scores": k[:, 2].tolist(),
            "bbox": [[1.0, 2.0, 3.0, 4.0]],
            "bbox_score": 0.9,
        }
        for k, _ in people
    ]


def mmpose_demo(path: Path, frames: Frames, names: Sequence[str] = LABELS) -> Path:
    """What the demo scripts write: every frame, counted from 1, with the joints' names."""
    every = range(max(frames) + 1)
    info = [{"frame_id": f + 1, "instances": mmpose_instances(frames.get(f, []))} for f in every]
    meta = {"dataset_name": "coco", "keypoint_id2name": {str(i): name for i, name in enumerate(names)}}
    return dump(path / "results_clip.json", {"meta_info": meta, "instance_info": info})


def mmpose_inferencer(path: Path, frames: Frames) -> Path:
    every = range(max(frames) + 1)
    return dump(path / "clip.json", [{"frame_id": f, "instances": mmpose_instances(frames.get(f, []))} for f in every])


def ultralytics_frame(people: Sequence[Person], scale: tuple[float, float] = (1, 1)) -> list[dict]:
    return [
        {
            "name": "person",
            "class": 0,
            "confidence": 0.9,
            "box": {"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0},
            **({} if i is None else {"track_id": i}),
            "keypoints": {
                "x": (zeroed(k)[:, 0] / scale[0]).tolist(),
                "y": (zeroed(k)[:, 1] / scale[1]).tolist(),
                "visible": k[:, 2].tolist(),
            },
        }
        for k, i in people
    ]


def ultralytics(path: Path, frames: Frames) -> Path:
    return dump(path / "frames.json", [ultralytics_frame(frames.get(f, [])) for f in range(max(frames) + 1)])


def ultralytics_labels(path: Path, frames: Frames, size: tuple[int, int], confidence: bool = True) -> Path:
    folder = path / "labels"
    folder.mkdir()
    for frame, people in frames.items():
        lines = []
        for keypoints, track_id in people:
            points = zeroed(keypoints) / [*size, 1]
            extras = [0.87] * confidence + [track_id] * (track_id is not None)
            lines.append(" ".join(map(str, [0, 0.5, 0.5, 0.2, 0.6, *points.reshape(-1).tolist(), *extras])))
        if lines:
            (folder / f"clip_{frame + 1}.txt").write_text("\n".join(lines) + "\n")
    return folder


def detectron(path: Path, frames: Frames, size: tuple[int, int]) -> Path:
    count = max(frames) + 1
    keypoints, boxes = np.empty((count, 2), object), np.empty((count, 2), object)
    for frame in range(count):
        people = [zeroed(k) for k, _ in frames.get(frame, [])]
        rows = [np.stack([k[:, 0], k[:, 1], 0 * k[:, 0], k[:, 2]]) for k in people]
        keypoints[frame, 0], keypoints[frame, 1] = [], np.stack(rows) if rows else []
        boxes[frame, 0], boxes[frame, 1] = [], np.ones((len(rows), 5)) if rows else []
    file = path / "clip.mp4.npz"
    np.savez_compressed(
        file,
        boxes=boxes,
        keypoints=keypoints,
        segments=np.array([None] * count, object),
        metadata=np.array({"w": size[0], "h": size[1]}, object),
    )
    return file


def videopose3d(path: Path, points: np.ndarray, size: tuple[int, int], **metadata) -> Path:
    file = path / "data_2d_custom_clip.npz"
    positions = np.array({"clip.mp4": {"custom": [points.astype("float32")]}}, object)
    video = {"clip.mp4": {"w": size[0], "h": size[1]}}
    meta = {"layout_name": "coco", "num_joints": points.shape[1], "video_metadata": video} | metadata
    np.savez_compressed(file, positions_2d=positions, metadata=np.array(meta, object))
    return file


def rtmlib_npz(path: Path, frames: Frames) -> Path:
    count, most = max(frames) + 1, max(map(len, frames.values()))
    keypoints = np.full((count, most, *next(p for p in frames.values() if p)[0][0].shape), np.nan)
    for frame, people in frames.items():
        for number, (k, _) in enumerate(people):
            keypoints[frame, number] = k
    np.savez(path / "rtm.npz", keypoints=keypoints[..., :2], scores=np.nan_to_num(keypoints[..., 2]))
    return path / "rtm.npz"


def mediapipe_of(keypoints: np.ndarray) -> np.ndarray:
    """COCO's joints among MediaPipe's, the others unseen."""
    other = np.tile([np.nan, np.nan, 0.0], (len(MEDIAPIPE_33), 1))
    other[MEDIAPIPE_33.indices(COCO_17.joints)] = keypoints
    return other


def landmarks(keypoints: np.ndarray, size: tuple[int, int]) -> list[dict]:
    points = zeroed(keypoints) / [*size, 1]
    return [{"x": x, "y": y, "z": -0.1, "visibility": v, "presence": 0.99} for x, y, v in points.tolist()]


def mediapipe_json(path: Path, frames: Frames, size: tuple[int, int]) -> Path:
    """Several people a frame, as the tasks API gives them."""
    content = [
        {"frame": f, "pose_landmarks": [landmarks(mediapipe_of(k), size) for k, _ in frames.get(f, [])]}
        for f in range(max(frames) + 1)
    ]
    return dump(path / "landmarks.json", content)


def table(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def cells(keypoints: np.ndarray) -> list[object]:
    return ["" if np.isnan(value) else repr(float(value)) for value in keypoints.reshape(-1)]


def deeplabcut(path: Path, frames: Frames, labels: Sequence[str] = LABELS) -> Path:
    """Four header rows; every individual has its columns."""
    animals = sorted({i for people in frames.values() for _, i in people if i is not None})
    columns = [(f"person{a}", label, axis) for a in animals for label in labels for axis in ("x", "y", "likelihood")]
    rows: list[list[object]] = [
        ["scorer", *["DLC_resnet50"] * len(columns)],
        ["individuals", *[c[0] for c in columns]],
        ["bodyparts", *[c[1] for c in columns]],
        ["coords", *[c[2] for c in columns]],
    ]
    unseen = np.full((len(labels), 3), np.nan)
    for frame in range(max(frames) + 1):
        seen = {i: k for k, i in frames.get(frame, [])}
        rows.append([frame, *(cell for a in animals for cell in cells(seen.get(a, unseen)))])
    return table(path / "clipDLC_resnet50.csv", rows)


def sleap(path: Path, frames: Frames, labels: Sequence[str] = LABELS) -> Path:
    rows: list[list[object]] = [
        ["track", "frame_idx", "instance.score", *(f"{n}.{a}" for n in labels for a in ("x", "y", "score"))]
    ]
    for frame, people in frames.items():
        rows += [["" if i is None else f"track_{i}", frame, 0.9, *cells(k)] for k, i in people]
    return table(path / "clip.analysis.csv", rows)


def distinct(skeleton: Skeleton, shift: float = 0.0) -> np.ndarray:
    """A person of whom every joint has a place and a confidence of its own, in 200..900 × 100..700 pixels."""
    number = np.arange(len(skeleton)) / len(skeleton)
    return np.stack([200 + shift + 600 * number, 100 + 500 * ((7 * number) % 1), 0.3 + 0.6 * number], axis=-1)


SizedWriter = Callable[[Path, Frames, tuple[int, int]], Path]


def _without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def dwpose(path: Path, frames: Frames, size: tuple[int, int]) -> Path:
    """A list of frames of OpenPose, as DWPose and ComfyUI write it."""
    content = [
        {
            "people": [{"pose_keypoints_2d": flat(k), "face_keypoints_2d": None} for k, _ in people],
            "canvas_width": size[0],
            "canvas_height": size[1],
        }
        for people in frames.values()
    ]
    return dump(path / "poses.json", content)


def opencap(path: Path, frames: Frames) -> Path:
    content = [[{"person_id": [-1], "pose_keypoints_2d": flat(k)} for k, _ in people] for people in frames.values()]
    (path / "cam_keypoints.pkl").write_bytes(pickle.dumps(content))
    return path / "cam_keypoints.pkl"


def mmpose_0(path: Path, frames: Frames) -> Path:
    content = [
        [{"bbox": [1, 2, 3, 4, 0.9], "keypoints": zeroed(k).tolist()} for k, _ in people] for people in frames.values()
    ]
    return dump(path / "results_0.json", content)


def long_table(path: Path, frames: Frames) -> Path:
    rows = [
        [str(frame), str(track_id), name, *(str(value) for value in point)]
        for frame, people in frames.items()
        for k, track_id in people
        for name, point in zip(LABELS, zeroed(k), strict=True)
    ]
    return table(path / "long.csv", [["frame", "person", "keypoint", "x", "y", "score"], *rows])


def ultralytics_csv(path: Path, frames: Frames) -> Path:
    rows = [
        [
            str(frame),
            "person",
            "0",
            "0.9",
            "{'x1': 1.0}",
            str(dict(zip(("x", "y", "visible"), zeroed(k).T.tolist(), strict=True))),
        ]
        for frame, people in frames.items()
        for k, _ in people
        for x, y, sure in [zeroed(k).T.tolist()]
    ]
    return table(path / "results.csv", [["frame", "name", "class", "confidence", "box", "keypoints"], *rows])
