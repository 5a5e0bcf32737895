"""Speed of the bundled lifter on one core, beside the arithmetic limit measured in the same run.

python benchmarks/speed.py
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
from report import machine, write_section

from hyperlift.runtime import load_lifter

REPETITIONS = 7
CLIPS = 3
"""Windows a call: about ten seconds of video."""


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def best_sgemm(rng: np.random.Generator) -> Callable[[], object]:
    """A square float32 product of 1.07 GFLOP as ONNX Runtime multiplies it, one thread."""
    from onnx import TensorProto, helper

    size = 812
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size, size]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "gemm", value[:2], value[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {name: rng.normal(size=(size, size)).astype(np.float32) for name in "ab"}
    return lambda: [session.run(None, feed) for _ in range(10)]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rng = np.random.default_rng(0)
    lifter = load_lifter(threads=1)
    frames = lifter.spec.n_frames
    pose2d = rng.uniform(-1, 1, (CLIPS, frames, 17, 3)).astype(np.float32)
    gemm = best_sgemm(rng)
    for warm_up in (lambda: lifter(pose2d), gemm):
        warm_up()
    lift_s, gemm_s = [], []
    for _ in range(REPETITIONS):
        lift_s.append(seconds(lambda: lifter(pose2d)))
        gemm_s.append(seconds(gemm))
    opened = np.median([seconds(lambda: load_lifter(threads=1)(pose2d[:1])) for _ in range(REPETITIONS)])
    a_second = CLIPS * frames / np.median(lift_s)
    gflops = 10 * 2 * 812**3 / np.median(gemm_s) / 1e9
    table = "\n".join(
        [
            "| what | median of 7 |",
            "|---|---|",
            f"| frames lifted a second, one core, {CLIPS} windows of {frames} | {a_second:,.0f} |",
            f"| milliseconds for 243 frames | {243e3 / a_second:.1f} |",
            f"| square sgemm in the same run | {gflops:.0f} GFLOP/s |",
            f"| open the model and lift the first window | {1e3 * opened:.0f} ms |",
            "",
            f"ONNX Runtime {onnxruntime.__version__}, one thread, on {machine()}.",
        ]
    )
    print(table)
    write_section("speed", table)


if __name__ == "__main__":
    main()
