"""A lifter on motions that it was trained on and on those of other people, motion by motion: what it lacks is what
separates the two columns, and what it cannot know stands in both.

python benchmarks/seen_and_unseen.py STORE [--onnx FILE] [--clips 600]

STORE is a clip store whose splits ``train`` and ``test`` are those of the lifter's own training. "Exact 2D": the
projections of the truth with confidence 1 in place of detections.
"""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
from runner import Report, run, table

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import exact_input
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.runtime.loading import load_lifter
from hyperlift.skeletons.joint_sets import H36M_17


def errors_mm(lift: FlipAveraged, pose2d_norm: np.ndarray, joints_m: np.ndarray) -> list[float]:
    """N-MPJPE and PA-MPJPE of one clip."""
    pose, truth = lift(np.array(pose2d_norm)[None])[0].astype(np.float64), joints_m - joints_m[:, : H36M_17.root + 1]
    return [1e3 * float(joint_distance(align(pose, truth), truth).mean()) for align in (align_scale, align_similarity)]


def errors_by_motion(store: ClipStore, lift: FlipAveraged, clips: int) -> dict[str, np.ndarray]:
    """Rows of N-MPJPE, PA-MPJPE and the same two for exact 2D, mm, of randomly chosen clips by motion group."""
    rows = defaultdict(list)
    for clip in np.random.default_rng(0).permutation(len(store))[:clips].tolist():
        truth = store.clip(clip, "joints_m").astype(np.float64)
        inputs = store.clip(clip, "pose2d_norm"), exact_input(store.clip(clip, "label_norm"))
        row = [error for pose2d_norm in inputs for error in errors_mm(lift, pose2d_norm, truth)]
        for motion in (store.video_of(clip).action or "other", "all"):
            rows[motion].append(row)
    return {motion: np.array(found) for motion, found in rows.items()}


def seen_and_unseen(
    store: Path,
    *,
    onnx: Annotated[str, "a lifter; its name or file"] = "small",
    clips: Annotated[int, "of each split at most"] = 600,
) -> Report:
    lift = FlipAveraged(load_lifter(onnx), H36M_17)
    sides = [errors_by_motion(ClipStore(store / split), lift, clips) for split in ("train", "test")]
    rows = []
    for motion in [*sorted((sides[0].keys() | sides[1].keys()) - {"all"}), "all"]:
        parts = [side.get(motion) for side in sides]
        cells = [None if part is None else part[:, column].mean() for column in (1, 3) for part in parts]
        rows.append((motion, " / ".join(str(0 if part is None else len(part)) for part in parts), *cells))
    titles = ("PA-MPJPE mm, seen people {:.1f}", "other people {:.1f}", "exact 2D: seen {:.1f}", "others {:.1f}")
    yield table(["motion", "clips seen / unseen", *titles], rows)
    yield "N-MPJPE over all: {:.1f} seen, {:.1f} unseen.".format(*(side["all"][:, 0].mean() for side in sides))


if __name__ == "__main__":
    run(seen_and_unseen, clips=4)
