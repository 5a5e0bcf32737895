"""What a live frame costs with a streaming lifter, beside the arithmetic limit and beside lifting windows anew.

python benchmarks/streaming.py [--checkpoint FILE.safetensors] [--onnx STEP.onnx]

Without a checkpoint it is the bundled one. Exporting another takes a minute; --onnx takes the file of one step that was
exported from that checkpoint before.
"""

import copy
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from products import SQUARE_FLOP, square_product
from runner import ROOT, Report, run, table
from timing import interleaved
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.errors import InputError
from hyperlift.export.stream import export_stream
from hyperlift.lifting.open_streams import open_streams
from hyperlift.lifting.streams import Streams
from hyperlift.lifting.window_stream import WindowStreams
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.runtime.loading import load_lifter
from hyperlift.runtime.stream import OnnxStream

PEOPLE = (1, 10)
WINDOWS = 30
"""Frames lifted by windows: each costs as much as many steps."""
_BUNDLED = "small_stream"
_SIZE = 2
"""Normalised picture space is a picture of two units' width around the origin."""


def walk(frame: int, people: int) -> np.ndarray:
    """Somebody in motion, [people, joints, 3]."""
    rng = np.random.default_rng(0)
    points, path = rng.uniform(-0.3, 0.3, (people, 17, 2)), rng.uniform(-0.1, 0.1, (people, 1, 2))
    sure = np.full((people, 17, 1), 0.9)
    return np.concatenate([points + path * np.sin(frame / 10), sure], axis=-1).astype(np.float32)


def macs_of(model: HyperLifter, people: int) -> int:
    """Multiply-accumulates of one step."""
    model = copy.deepcopy(model).to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.step(torch.empty(people, 1, 17, 3, device="meta"), model.new_cache(people))
    return counter.get_total_flops() // 2


def opened(checkpoint: Path | None, step: Path | None) -> OnnxStream:
    """The step of a checkpoint; of the bundled lifter the file that comes with the package."""
    if checkpoint is None and step is None:
        bundled = load_lifter(_BUNDLED, threads=1)
        assert isinstance(bundled, OnnxStream)
        return bundled
    with tempfile.TemporaryDirectory() as folder:
        path = step or Path(folder) / "step.onnx"
        if step is None and checkpoint is not None:
            loaded = load_checkpoint(checkpoint)
            if not export_stream(loaded.model, loaded.spec, path).passed:
                raise InputError(f"{checkpoint}: the exported step differs from torch")
        return OnnxStream(path, str(path), threads=1)


def pushes(streams: Streams, people: int) -> Callable[[], object]:
    """Each call is the next frame, with its detour over pixels."""
    poses = (walk(frame, people).astype(np.float64) + np.array([1.0, 1.0, 0.0]) for frame in count())
    return lambda: streams.push(dict(enumerate(next(poses))))


def steps(lifter: OnnxStream, people: int) -> Callable[[], object]:
    keypoints, stream = dict(enumerate(walk(0, people))), lifter.fork()
    return lambda: stream.push(keypoints)


def streaming(
    *,
    checkpoint: Annotated[Path | None, "a streaming lifter; else the bundled one"] = None,
    onnx: Annotated[Path | None, "its exported step; else it is exported now"] = None,
    frames: int = 200,
) -> Report:
    model = load_checkpoint(checkpoint or ROOT / "checkpoint" / "wild" / f"{_BUNDLED}.safetensors").model
    lifter, small = opened(checkpoint, onnx), load_lifter("small", threads=1)
    ahead, fps, window = lifter.stream.look_ahead, lifter.spec.fps, small.spec.n_frames
    anew = f"`small`, the last {window} frames anew"
    calls: dict[tuple[str, int], Callable[[], object]] = {("sgemm", 0): square_product()}
    for people in PEOPLE:
        calls["one step of the network", people] = steps(lifter, people)
        streams = open_streams(lifter, lifter.spec, _SIZE, _SIZE, fps, ahead)
        calls["the same from keypoints in pixels", people] = pushes(streams, people)
        calls[anew, people] = pushes(WindowStreams(small, small.spec, _SIZE, _SIZE, fps, ahead), people)
    for _ in range(window + 4):  # until all windows are full
        for (what, _people), call in calls.items():
            if what != "sgemm":
                call()
    spent = interleaved(calls, min(frames, WINDOWS))
    more = interleaved({key: call for key, call in calls.items() if key[0] != anew}, max(0, frames - WINDOWS))
    for key, seconds in more.items():
        spent[key].processors += seconds.processors
    rate = 10 * SQUARE_FLOP / 2 / spent.pop(("sgemm", 0)).processor
    rows = []
    for (what, people), seconds in spent.items():
        median, most = 1e3 * seconds.processor, 1e3 * np.percentile(seconds.processors, 95)
        limit = 1e3 * macs_of(model, people) / rate
        rows.append((what, people, median, most, *((None, None) if what == anew else (limit, limit / median))))
    columns = ("ms, median {:.2f}", "ms, 95 % {:.2f}", "arithmetic limit, ms {:.2f}", "share of it {:.0%}")
    yield table(["a live frame", "people", *columns], rows)
    past = model.new_cache(1).past
    kept_mb = 4e-6 * sum(tensor.numel() for tensor in (*past.keys, *past.values))
    yield (
        f"Processor time of one thread; {frames} frames ({WINDOWS} where windows are lifted), interleaved, "
        f"`{lifter.spec.name}`. A step is {macs_of(model, 1) / 1e6:.1f} million multiplications a person and keeps "
        f"{kept_mb:.1f} MB of keys and values; the limit is that over the rate of a square sgemm in the same run, "
        f"{rate / 1e9:.1f} thousand million a second. Its pose is of {ahead} frames ({1e3 * ahead / fps:.0f} ms) ago."
    )


if __name__ == "__main__":
    run(streaming, frames=5)
