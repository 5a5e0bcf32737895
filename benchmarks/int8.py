"""A lifter in fp32 and in int8, interleaved in one run on one thread, beside the best products of the same shapes.

python benchmarks/int8.py [LIFTER.onnx] [--int8 LIFTER-int8.onnx] [--calibration STORE] [--bench BENCH.npz]
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import onnx
from products import product_graph
from runner import ROOT, Repetitions, Report, run, table
from scoring import lifted, open_bench, scores
from timing import interleaved, spread_note

from hyperlift.errors import InputError
from hyperlift.evaluation.benchmark_file import BenchFile, score_bench
from hyperlift.export.calibration import read_calibration
from hyperlift.export.int8 import ALLOWED_MM, FITTED_CLIPS, choose_fp32, multiplications, quantise
from hyperlift.export.int8_report import Distances, mm_per_unit
from hyperlift.export.rounding import WEIGHT_BITS
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.runtime.loading import load_lifter
from hyperlift.runtime.session import OnnxLifter, open_session

CLIPS = 3
"""Windows a call: about ten seconds of video."""
BUNDLED = ROOT / "lib" / "hyperlift" / "weights" / "lifter-small.onnx"


def accuracy(bench: BenchFile, plain: OnnxLifter, small: OnnxLifter) -> Iterator[str]:
    """What int8 costs on a benchmark file, without the mirrored clip."""
    poses = {"fp32": lifted(bench, plain), "int8": lifted(bench, small)}
    columns = [f"{title} {{:.2f}}" for title in ("N-MPJPE mm", "PA-MPJPE mm", "jitter mm/frame²")]
    yield table(["lifter", *columns], [(name, *scores(score_bench(bench, pose))) for name, pose in poses.items()])
    apart = [joint_distance(poses["int8"][view], poses["fp32"][view]) for view in bench.names]
    apart_mm = mm_per_unit(list(poses["fp32"].values()), plain.spec) * np.concatenate(apart)
    one, most = Distances.of(apart_mm), apart_mm.max(-1)
    yield (
        f"int8 from fp32, a joint: mean {one.mean_mm:.2f} mm, median {one.median_mm:.2f}, 99 % {one.p99_mm:.2f}, "
        f"greatest {one.max_mm:.1f}. Frames with a joint more than 10 mm apart: {100 * (most > 10).mean():.2f} %, "
        f"20 mm: {100 * (most > 20).mean():.2f} %, 50 mm: {100 * (most > 50).mean():.3f} %."
    )


def int8(
    lifter: Annotated[tuple[Path, ...], "one or several ONNX files"] = (BUNDLED,),
    *,
    calibration: Annotated[Path | None, "a clip store to fit int8 to; else procedural motions"] = None,
    int8: Annotated[Path | None, "int8 file of the one lifter; else it is made here"] = None,
    bench: Annotated[Path | None, "benchmark file to score both on"] = None,
    repetitions: Repetitions = 9,
) -> Report:
    if int8 is not None and len(lifter) > 1:
        raise InputError("--int8 is of one lifter; give one")
    for path in lifter:
        yield from compared(path, int8, calibration, bench and open_bench(bench), repetitions)


def compared(path: Path, path8: Path | None, clips: Path | None, bench: BenchFile | None, times: int) -> Iterator[str]:
    """Both files of a lifter, timed and scored; ``path8`` None makes it from the clips."""
    plain = load_lifter(path, threads=1)
    frames, calibration = plain.spec.n_frames, read_calibration(clips, plain.spec)
    pose2d = calibration.windows(CLIPS, frames)
    products = multiplications(path, pose2d)
    note = ""
    with TemporaryDirectory() as folder:
        if path8 is None:
            windows = calibration.windows(FITTED_CLIPS, min(frames, calibration.longest))
            allowed = ALLOWED_MM / mm_per_unit([plain(windows)], plain.spec)
            path8, kept = Path(folder) / "int8.onnx", choose_fp32(path, windows, allowed)
            quantise(path, path8, windows, kept)
            note = f" {len(kept)} of {len(products)} products stay in fp32."
        small = load_lifter(path8, threads=1)
        bare, bare8 = Path(folder) / "products.onnx", Path(folder) / "products8.onnx"
        shapes = [(product.rows, product.inner, product.columns) for product in products]
        graph, feed = product_graph(shapes, np.random.default_rng(0))
        onnx.save(graph, bare)
        from onnxruntime.quantization import QuantType, quantize_dynamic  # after hyperlift, which turns its reports off

        quantize_dynamic(bare, bare8, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        alone, alone8 = (open_session(file, file.name, 1) for file in (bare, bare8))
        calls = {
            "lifter, fp32": lambda: plain(pose2d),
            "lifter, int8": lambda: small(pose2d),
            "its products with weights alone, fp32 (best sgemm of the same shapes)": lambda: alone.run(None, feed),
            "the same products alone, int8": lambda: alone8.run(None, feed),
        }
        spent = interleaved(calls, times)
        sizes_mb = path.stat().st_size / 1e6, path8.stat().st_size / 1e6
    flop, lifted_frames = 2 * sum(product.macs for product in products), CLIPS * frames
    rows = [(n, 243e3 * s.wall / lifted_frames, lifted_frames / s.wall, flop / s.wall / 1e9) for n, s in spent.items()]
    columns = ("ms for 243 frames {:.1f}", "frames a second {:,.0f}", "GFLOP/s of those products {:.0f}")
    yield table(["what", *columns], rows)
    fp32_s, int8_s, products_s, products8_s = (seconds.wall for seconds in spent.values())
    yield (
        f"`{path.name}`: int8 is {fp32_s / int8_s:.2f} times as fast, {sizes_mb[0]:.1f} MB become {sizes_mb[1]:.1f}; "
        f"the products alone would allow {products_s / products8_s:.2f}. Weights have {WEIGHT_BITS} bits.{note}"
    )
    yield from accuracy(bench, plain, small) if bench else ()
    yield f"{spread_note(spent, times)} {CLIPS} windows of {frames}, one thread."


if __name__ == "__main__":
    run(int8, repetitions=1, lifter=[BUNDLED.with_name("lifter-nano.onnx")])
