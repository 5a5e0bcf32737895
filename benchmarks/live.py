"""Live lifting against look-ahead: accuracy on a benchmark file, and milliseconds a frame on one core.

python benchmarks/live.py BENCH.npz [--every 4]
"""

import argparse
import time
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.evaluation.bench import FPS, BenchFile, View, score_bench
from hyperlift.runtime import OnnxLifter, OnnxStream, load_lifter
from hyperlift.wild.open_streams import open_stream
from hyperlift.wild.smoothing import one_euro
from hyperlift.wild.windows import lift_windows

LOOKAHEADS = (0, 4, 13, 40)
_WIDTH = 2


def live(view: View, lifter: OnnxLifter, lookahead: int, spent_ms: list[float]) -> np.ndarray:
    """A view as it comes in frame by frame; the processor time of each frame goes into ``spent_ms``."""
    # Normalised picture space is a picture of two units' width around the origin.
    keypoints = view.pose2d_norm.astype(np.float64) + np.array([1.0, 1.0, 0.0])
    stream = open_stream(lifter, lifter.spec, _WIDTH, _WIDTH, FPS, lookahead)
    poses = []
    for frame in keypoints:
        started = time.process_time()
        pose = stream.push(frame)
        spent_ms.append(1e3 * (time.process_time() - started))
        poses += [pose] if pose is not None else []
    return np.stack([pose.pose_norm for pose in [*poses, *stream.flush()]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--every", type=int, default=4, help="use every so many views (4)")
    args = parser.parse_args()
    bench, lifter, stream = (
        BenchFile(args.bench),
        load_lifter("small", threads=1),
        load_lifter("small_stream", threads=1),
    )
    assert isinstance(stream, OnnxStream)
    bench.names = bench.names[:: args.every]
    views = list(bench.views())
    whole = {view.name: lift_windows(lifter, view.pose2d_norm, lifter.spec.n_frames) for view in views}
    rows = []
    for name, network, lookahead in [
        *(("`small`", lifter, lookahead) for lookahead in LOOKAHEADS),
        ("`small_stream`", stream, stream.stream.look_ahead),
    ]:
        spent_ms: list[float] = []
        poses = {view.name: live(view, network, lookahead, spent_ms) for view in views}
        delay = f"{1e3 * lookahead / FPS:.0f} ms"
        cost = f"{np.median(spent_ms):.1f} | {np.percentile(spent_ms, 95):.1f}"
        rows.append((f"{name}, {lookahead} frames", delay, cost, poses))
        print(rows[-1][:3], flush=True)
        if lookahead == 0:
            calmed = {view: one_euro(pose, np.arange(len(pose)) / FPS) for view, pose in poses.items()}
            rows.append((f"{name}, 0 frames, then One-Euro", delay, cost, calmed))
    rows.append(("`small`, the whole recording at once", "", " | ", whole))
    lines = [
        "| lifter, look-ahead | delay | ms a frame, median | 95 % | N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, delay, cost, poses in rows:
        s = score_bench(bench, poses)
        lines.append(f"| {name} | {delay} | {cost} | {s.n_mpjpe_mm:.1f} | {s.pa_mpjpe_mm:.1f} | {s.jitter_mm:.1f} |")
    frames = sum(len(view.pose2d_norm) for view in views)
    note = f"{len(views)} views, {frames} frames, no flip; processor time of one thread on {machine()}."
    table = "\n".join([*lines, "", note])
    print(table)
    write_section("live", table)


if __name__ == "__main__":
    main()
