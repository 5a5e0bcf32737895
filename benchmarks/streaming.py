"""What a live frame costs with a streaming lifter, beside the arithmetic limit and beside lifting windows anew.

python benchmarks/streaming.py [--checkpoint FILE.safetensors] [--onnx STEP.onnx]

Without a checkpoint it is the bundled one. Exporting another takes a minute; --onnx takes the file of one step that was
exported from that checkpoint before.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from report import machine, write_section
from speed import best_sgemm
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.export.stream import export_stream
from hyperlift.models import HyperLifter
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.runtime import OnnxStream, load_lifter
from hyperlift.wild.open_streams import open_streams
from hyperlift.wild.streams import Streams
from hyperlift.wild.window_stream import WindowStreams

PEOPLE = (1, 10)
FRAMES = 200
WINDOWS = 30
"""Frames lifted by windows: each costs as much as many steps."""
_BUNDLED = "small_stream"
_CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoint/wild"
_SIZE = 2
"""Normalised picture space is a picture of two units' width around the origin."""


def spent_ms(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return 1e3 * (time.process_time() - started)


def walk(frame: int, people: int) -> np.ndarray:
    """Somebody in motion, [people, joints, 3]."""
    rng = np.random.default_rng(0)
    points, path = rng.uniform(-0.3, 0.3, (people, 17, 2)), rng.uniform(-0.1, 0.1, (people, 1, 2))
    sure = np.full((people, 17, 1), 0.9)
    return np.concatenate([points + path * np.sin(frame / 10), sure], axis=-1).astype(np.float32)


def macs_of(model: HyperLifter, people: int) -> int:
    """Multiply-accumulates of one step."""
    model = copy.deepcopy(model).to("meta")
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.step(torch.empty(people, 1, 17, 3, device="meta"), model.new_cache(people))
    return counter.get_total_flops() // 2


def opened(checkpoint: Path | None, step: Path | None) -> OnnxStream:
    """The step of a checkpoint; of the bundled lifter the file that comes with the package."""
    if step is not None:
        return OnnxStream(step, str(step), threads=1)
    if checkpoint is None:
        bundled = load_lifter(_BUNDLED, threads=1)
        assert isinstance(bundled, OnnxStream)
        return bundled
    loaded = load_checkpoint(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.onnx"
        if not export_stream(loaded.model, loaded.spec, path).passed:
            raise SystemExit("the exported step differs from torch")
        return OnnxStream(path, str(path), threads=1)


def pushes(streams: Streams, people: int) -> Callable[[], object]:
    """Each call is the next frame, with its detour over pixels."""
    frames = iter(range(10**9))

    def push() -> object:
        keypoints_px = walk(next(frames), people).astype(np.float64) + np.array([1.0, 1.0, 0.0])
        return streams.push(dict(enumerate(keypoints_px)))

    return push


def steps(lifter: OnnxStream, people: int) -> Callable[[], object]:
    keypoints, stream = dict(enumerate(walk(0, people))), lifter.fork()
    return lambda: stream.push(keypoints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="a streaming lifter (the bundled one)")
    parser.add_argument("--onnx", type=Path, metavar="STEP.onnx", help="its exported step (exported now)")
    args = parser.parse_args()
    model = load_checkpoint(args.checkpoint or _CHECKPOINTS / f"{_BUNDLED}.safetensors").model
    lifter = opened(args.checkpoint, args.onnx)
    small, gemm = load_lifter("small", threads=1), best_sgemm(np.random.default_rng(0))
    ahead, fps = lifter.stream.look_ahead, lifter.spec.fps
    calls: dict[tuple[str, int], Callable[[], object]] = {}
    for people in PEOPLE:
        calls["one step of the network", people] = steps(lifter, people)
        streams = open_streams(lifter, lifter.spec, _SIZE, _SIZE, fps, ahead)
        calls["the same from keypoints in pixels", people] = pushes(streams, people)
        windows = WindowStreams(small, small.spec, _SIZE, _SIZE, fps, ahead)
        name = f"`small`, the last {small.spec.n_frames} frames anew"
        calls[name, people] = pushes(windows, people)
        for _frame in range(small.spec.n_frames + 4):  # until all windows are full
            for what in list(calls)[-3:]:
                calls[what]()
    spent: dict[tuple[str, int], list[float]] = {what: [] for what in calls}
    gemm_ms = []
    for frame in range(FRAMES):  # interleaved, so that all meet the same load
        for what, call in calls.items():
            if not what[0].startswith("`small`") or frame < WINDOWS:
                spent[what].append(spent_ms(call))
        if frame % 10 == 0:
            gemm_ms.append(spent_ms(gemm))
    gmacs = 10 * 812**3 / np.median(gemm_ms) / 1e6
    lines = [
        "| a live frame | people | ms, median | ms, 95 % | arithmetic limit, ms | share of it |",
        "|---|---|---|---|---|---|",
    ]
    for (what, people), times in spent.items():
        median, most = np.median(times), np.percentile(times, 95)
        limit = " | "
        if not what.startswith("`small`"):
            limit_ms = macs_of(model, people) / gmacs / 1e6
            limit = f"{limit_ms:.2f} | {limit_ms / median:.0%}"
        lines.append(f"| {what} | {people} | {median:.2f} | {most:.2f} | {limit} |")
    macs, kept = macs_of(model, 1), sum(tensor.numel() * 4 for tensor in _past(model))
    note = (
        f"Processor time of one thread; {FRAMES} frames ({WINDOWS} where windows are lifted), interleaved, "
        f"`{lifter.spec.name}`. A step is {macs / 1e6:.1f} million "
        f"multiplications a person and keeps {kept / 1e6:.1f} MB of keys and values; the limit is that over the "
        f"rate of a square sgemm in the same run, {gmacs:.1f} thousand million a second. Its pose is of {ahead} frames "
        f"({1e3 * ahead / fps:.0f} ms) ago. On {machine()}."
    )
    table = "\n".join([*lines, "", note])
    print(table)
    write_section("streaming", table)


def _past(model: HyperLifter) -> list[torch.Tensor]:
    past = model.new_cache(1).past
    return [*past.keys, *past.values]


if __name__ == "__main__":
    main()
