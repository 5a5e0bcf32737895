"""A lifter on motions that it was trained on and on those of other people, motion by motion: what it lacks is what
separates the two columns, and what it cannot know stands in both.

python benchmarks/seen_and_unseen.py STORE [--onnx FILE] [--clips 600]

STORE is a clip store whose splits ``train`` and ``test`` are those of the lifter's own training. "Exact 2D": the
projections of the truth with confidence 1 in place of detections.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.data.clips import exact_input
from hyperlift.data.store import ClipStore
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import load_lifter
from hyperlift.skeletons import H36M_17


def errors_by_motion(store: ClipStore, lift: FlipAveraged, clips: int) -> dict[str, np.ndarray]:
    """Rows of N-MPJPE, PA-MPJPE and the same two for exact 2D, mm, of randomly chosen clips by motion group."""
    rows = defaultdict(list)
    for clip in np.random.default_rng(0).permutation(len(store))[:clips].tolist():
        joints_m = store.clip(clip, "joints_m").astype(np.float64)
        truth = joints_m - joints_m[:, : H36M_17.root + 1]
        row = []
        for pose2d_norm in (store.clip(clip, "pose2d_norm"), exact_input(store.clip(clip, "label_norm"))):
            pose = lift(np.array(pose2d_norm)[None])[0].astype(np.float64)
            row += [
                1e3 * float(np.linalg.norm(aligned - truth, axis=-1).mean())
                for aligned in (align_scale(pose, truth), align_similarity(pose, truth))
            ]
        rows[store.video_of(clip).action or "other"].append(row)
    return {motion: np.array(found) for motion, found in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--onnx", help="default: the bundled one")
    parser.add_argument("--clips", type=int, default=600, help="of each split at most")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    lift = FlipAveraged(load_lifter(args.onnx), H36M_17)
    seen, unseen = (errors_by_motion(ClipStore(args.store / split), lift, args.clips) for split in ("train", "test"))
    lines = [
        "| motion | clips seen / unseen | PA-MPJPE mm, seen people | other people | exact 2D: seen | others |",
        "|---|---|---|---|---|---|",
    ]
    everything = tuple(np.concatenate(list(part.values())) for part in (seen, unseen))
    for motion in sorted(seen.keys() | unseen.keys()) + ["all"]:
        parts = everything if motion == "all" else (seen.get(motion), unseen.get(motion))
        cells = [[f"{part[:, column].mean():.1f}" if part is not None else "" for part in parts] for column in (1, 3)]
        counts = " / ".join(str(0 if part is None else len(part)) for part in parts)
        lines.append(f"| {motion} | {counts} | {cells[0][0]} | {cells[0][1]} | {cells[1][0]} | {cells[1][1]} |")
    n_mpjpe = [part[:, 0].mean() for part in everything]
    note = f"N-MPJPE over all: {n_mpjpe[0]:.1f} seen, {n_mpjpe[1]:.1f} unseen. {machine()}."
    text = "\n".join([*lines, "", note])
    print(text)
    if not args.no_page:
        write_section("seen", text)


if __name__ == "__main__":
    main()
