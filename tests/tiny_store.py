"""Clip stores of a few random clips, for runs whose numbers do not matter."""

from pathlib import Path

import numpy as np

from hyperlift.datasets.clip_store import StoreMeta, StoreWriter, Video
from hyperlift.skeletons.joint_sets import skeleton_named


def write_split(
    folder: Path, *, skeleton: str = "h36m17", fps: float = 25.0, n_frames: int = 9, clips: int = 6, seed: int = 0
) -> None:
    rng = np.random.default_rng(seed)
    frames, joints = n_frames * clips, len(skeleton_named(skeleton))
    meta = StoreMeta(
        skeleton=skeleton, fps=fps, n_frames=n_frames, stride=n_frames, slicing="published", source="drawn"
    )
    joints_m = rng.normal(0, 0.3, (frames, joints, 3)) + [0, 0, 4]
    label = joints_m - [0, 0, 4]
    arrays = {
        "pose2d_norm": np.concatenate([label[..., :2], np.ones((frames, joints, 1))], -1),
        "label_norm": label,
        "joints_m": joints_m,
        "truth_mm": 1000 * label,
        "mm_per_px": np.full(frames, 1000.0),
    }
    with StoreWriter(folder, meta) as writer:
        video = Video(source="a", subject="a", action="walk", frames=frames, width=2.0, height=2.0)
        writer.add_video(video, {name: array.astype(np.float32) for name, array in arrays.items()})
        writer.finish(np.array([[n_frames * clip, n_frames, 0] for clip in range(clips)]))


def write_store(folder: Path, **facts) -> Path:
    for seed, split in enumerate(("train", "test")):
        write_split(folder / split, seed=seed, **facts)
    return folder


def write_run(path: Path, store: Path, *, data: str = "", model: str = "", training: str = "") -> Path:
    path.write_text(
        f"name: {path.stem}\n"
        f"data: {{root: {store}, {data}}}\n"
        f"model: {{channels: 8, depth: 1, heads: 2, drop_path: 0.0, n_frames: 9, {model}}}\n"
        f"training: {{epochs: 2, batch_size: 2, lr: 1.0e-3, {training}}}\n"
    )
    return path
