"""Live lifting against look-ahead: accuracy on a benchmark file, and milliseconds a frame on one core.

python benchmarks/live.py BENCH.npz [--every 4]
"""

import numpy as np
from runner import Report, run, table
from scoring import SCORES, Bench, Every, lifted, open_bench, scores, size_note
from timing import Seconds

from hyperlift.evaluation.benchmark_file import FPS, View, score_bench
from hyperlift.lifting.open_streams import open_stream
from hyperlift.lifting.smoothing import one_euro
from hyperlift.runtime.loading import load_lifter
from hyperlift.runtime.session import OnnxLifter
from hyperlift.runtime.stream import OnnxStream

LOOKAHEADS = (0, 4, 13, 40)
_WIDTH = 2
"""Normalised picture space is a picture of two units' width around the origin."""


def frame_by_frame(view: View, lifter: OnnxLifter, lookahead: int, spent: Seconds) -> np.ndarray:
    """The poses of a view as its frames come; what each takes goes into ``spent``."""
    stream = open_stream(lifter, lifter.spec, _WIDTH, _WIDTH, FPS, lookahead)
    poses = []
    for keypoints in view.pose2d_norm.astype(np.float64) + np.array([1.0, 1.0, 0.0]):
        with spent.counted():
            pose = stream.push(keypoints)
        poses += [pose] if pose is not None else []
    return np.stack([pose.pose_norm for pose in [*poses, *stream.flush()]])


def live(bench: Bench, *, every: Every = 4) -> Report:
    views = open_bench(bench, every)
    lifter, stream = (load_lifter(name, threads=1) for name in ("small", "small_stream"))
    assert isinstance(stream, OnnxStream)
    ways = [("`small`", lifter, lookahead) for lookahead in LOOKAHEADS]
    rows = []
    for name, network, lookahead in [*ways, ("`small_stream`", stream, stream.stream.look_ahead)]:
        spent = Seconds()
        poses = {view.name: frame_by_frame(view, network, lookahead, spent) for view in views.views()}
        ms = [1e3 * value for value in (spent.processor, np.percentile(spent.processors, 95))]
        cost = (f"{1e3 * lookahead / FPS:.0f} ms", *ms)
        rows.append((f"{name}, {lookahead} frames", *cost, *scores(score_bench(views, poses))))
        if lookahead == 0:
            calmed = {view: one_euro(pose, np.arange(len(pose)) / FPS) for view, pose in poses.items()}
            rows.append((f"{name}, 0 frames, then One-Euro", *cost, *scores(score_bench(views, calmed))))
    whole = score_bench(views, lifted(views, lifter))
    rows.append(("`small`, the whole recording at once", None, None, None, *scores(whole)))
    yield table(["lifter, look-ahead", "delay", "ms a frame, median {:.1f}", "95 % {:.1f}", *SCORES], rows)
    yield f"{size_note(views)}, no flip; processor time of one thread."


if __name__ == "__main__":
    run(live, every=100)
