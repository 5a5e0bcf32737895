"""A lifter in fp32 and in int8, interleaved in one run on one thread, beside the best products of the same shapes.

python benchmarks/int8.py [LIFTER.onnx] [--int8 LIFTER-int8.onnx] [--calibration STORE] [--bench BENCH.npz]
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from report import machine, write_section
from timing import medians_s

import hyperlift.runtime
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.export.calibration import read_calibration
from hyperlift.export.int8 import ALLOWED_MM, FITTED_CLIPS, Multiplication, choose_fp32, multiplications, quantise
from hyperlift.export.int8_report import Distances, millimetres_a_unit
from hyperlift.export.rounding import WEIGHT_BITS
from hyperlift.geometry.joint_errors import joint_distance
from hyperlift.runtime import OnnxLifter, load_lifter
from hyperlift.runtime.session import open_session
from hyperlift.wild.windows import lift_windows

CLIPS = 3
"""Windows a call: about ten seconds of video."""
BUNDLED = Path(hyperlift.runtime.__file__).parents[1] / "weights" / "lifter-small.onnx"


def write_products(products: Sequence[Multiplication], path: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A graph with nothing but these products, independent of one another; returns what it is fed."""
    nodes, inputs, outputs, weights, feed = [], [], [], [], {}
    rows = Counter((product.rows, product.inner) for product in products)
    for number, (height, inner) in enumerate(rows):
        feed[f"a{number}"] = rng.normal(size=(height, inner)).astype(np.float32)
        inputs.append(helper.make_tensor_value_info(f"a{number}", TensorProto.FLOAT, [height, inner]))
    order = {shape: number for number, shape in enumerate(rows)}
    for i, product in enumerate(products):
        values = rng.normal(size=(product.inner, product.columns)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{i}"))
        left = f"a{order[product.rows, product.inner]}"
        nodes.append(helper.make_node("MatMul", [left, f"w{i}"], [f"c{i}"], f"product{i}"))
        outputs.append(helper.make_tensor_value_info(f"c{i}", TensorProto.FLOAT, [product.rows, product.columns]))
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return feed


def accuracy_table(bench_path: Path, plain: OnnxLifter, small: OnnxLifter) -> list[str]:
    """What int8 costs on a benchmark file, without the mirrored clip."""
    bench, frames = BenchFile(bench_path), plain.spec.n_frames
    poses = {
        name: lift_bench(bench, lambda pose, lifter=lifter: lift_windows(lifter, pose, frames))
        for name, lifter in {"fp32": plain, "int8": small}.items()
    }
    lines = ["| lifter | N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² |", "|---|---|---|---|"]
    for name, lifted in poses.items():
        score = score_bench(bench, lifted)
        lines.append(f"| {name} | {score.n_mpjpe_mm:.2f} | {score.pa_mpjpe_mm:.2f} | {score.jitter_mm:.2f} |")
    to_mm = millimetres_a_unit(list(poses["fp32"].values()), plain.spec)
    apart_mm = to_mm * np.concatenate(
        [joint_distance(poses["int8"][view], poses["fp32"][view]) for view in bench.names]
    )
    apart, most = Distances.of(apart_mm), apart_mm.max(-1)
    return [
        *lines,
        "",
        f"int8 from fp32, a joint: mean {apart.mean_mm:.2f} mm, median {apart.median_mm:.2f}, 99 % {apart.p99_mm:.2f}, "
        f"greatest {apart.max_mm:.1f}. Frames with a joint more than 10 mm apart: {100 * (most > 10).mean():.2f} %, "
        f"20 mm: {100 * (most > 20).mean():.2f} %, 50 mm: {100 * (most > 50).mean():.3f} %.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lifter", type=Path, nargs="*", default=[BUNDLED], help="one or several ONNX files")
    parser.add_argument("--calibration", type=Path, help="a clip store to fit int8 to; default: procedural motions")
    parser.add_argument("--int8", type=Path, help="int8 file of the one lifter; default: made here")
    parser.add_argument("--bench", type=Path, metavar="BENCH.npz", help="score both on it")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--no-page", action="store_true", help="print the table only")
    args = parser.parse_args()
    if args.int8 is not None and len(args.lifter) > 1:
        parser.error("--int8 is of one lifter; give one")
    tables = []
    for lifter in args.lifter:
        tables.append(measured(lifter, args.int8, args.calibration, args.bench, args.repetitions))
        print(tables[-1], flush=True)
    if not args.no_page:
        write_section("int8", "\n\n".join(tables))


def measured(lifter: Path, int8: Path | None, clips: Path | None, bench: Path | None, repetitions: int) -> str:
    """Both files of a lifter, timed and scored; ``int8`` None makes it from the clips."""
    plain = load_lifter(lifter, threads=1)
    frames = plain.spec.n_frames
    calibration = read_calibration(clips, plain.spec)
    pose2d = calibration.windows(CLIPS, frames)
    products = multiplications(lifter, pose2d)
    with TemporaryDirectory() as folder:
        kept = None
        if int8 is None:
            windows = calibration.windows(FITTED_CLIPS, min(frames, calibration.longest))
            allowed = ALLOWED_MM / millimetres_a_unit([plain(windows)], plain.spec)
            int8, kept = Path(folder) / "int8.onnx", choose_fp32(lifter, windows, allowed)
            quantise(lifter, int8, windows, kept)
        small = load_lifter(int8, threads=1)
        bare, bare8 = Path(folder) / "products.onnx", Path(folder) / "products8.onnx"
        feed = write_products(products, bare, np.random.default_rng(0))
        quantize_dynamic(bare, bare8, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        alone, alone8 = (open_session(path, path.name, 1) for path in (bare, bare8))
        seconds = medians_s(
            {
                "fp32": lambda: plain(pose2d),
                "int8": lambda: small(pose2d),
                "sgemm": lambda: alone.run(None, feed),
                "int8 products": lambda: alone8.run(None, feed),
            },
            repetitions,
        )
        scores = [] if bench is None else ["", *accuracy_table(bench, plain, small)]
        sizes_mb = lifter.stat().st_size / 1e6, int8.stat().st_size / 1e6
    macs = sum(product.macs for product in products)
    to_243 = 1e3 * 243 / (CLIPS * frames)
    rows = {
        "lifter, fp32": seconds["fp32"],
        "lifter, int8": seconds["int8"],
        "its products with weights alone, fp32 (best sgemm of the same shapes)": seconds["sgemm"],
        "the same products alone, int8": seconds["int8 products"],
    }
    lines = ["| what | ms for 243 frames | frames a second | GFLOP/s of those products |", "|---|---|---|---|"]
    for name, value in rows.items():
        lines.append(
            f"| {name} | {to_243 * value:.1f} | {CLIPS * frames / value:,.0f} | {2 * macs / value / 1e9:.0f} |"
        )
    note = "" if kept is None else f" {len(kept)} of {len(products)} products stay in fp32."
    return "\n".join(
        [
            *lines,
            "",
            f"`{lifter.name}`: int8 is {seconds['fp32'] / seconds['int8']:.2f} times as fast, "
            f"{sizes_mb[0]:.1f} MB become {sizes_mb[1]:.1f}; the products alone would allow "
            f"{seconds['sgemm'] / seconds['int8 products']:.2f}. Weights have {WEIGHT_BITS} bits.{note}",
            *scores,
            "",
            f"Medians of {repetitions} interleaved repetitions, {CLIPS} windows of {frames}, ONNX Runtime "
            f"{onnxruntime.__version__}, one thread, on {machine()}.",
        ]
    )


if __name__ == "__main__":
    main()
