"""Speed of the bundled lifters on one core, beside the arithmetic limit measured in the same run.

python benchmarks/speed.py
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import onnxruntime
from report import machine, write_section

from hyperlift.runtime import BUNDLED, load_lifter

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
    lifters = {name: load_lifter(name, threads=1) for name in BUNDLED}
    windows = {
        name: rng.uniform(-1, 1, (CLIPS, lifter.spec.n_frames, 17, 3)).astype(np.float32)
        for name, lifter in lifters.items()
    }
    gemm = best_sgemm(rng)
    calls: dict[str, Callable[[], object]] = {name: partial(lifters[name], windows[name]) for name in BUNDLED}
    calls["sgemm"] = gemm
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(REPETITIONS):  # interleaved, so that all meet the same load
        for name, call in calls.items():
            spent[name].append(seconds(call))
    opened = {
        name: np.median([seconds(lambda: load_lifter(name, threads=1)(window[:1])) for _ in range(REPETITIONS)])  # noqa: B023
        for name, window in windows.items()
    }
    gflops = 10 * 2 * 812**3 / np.median(spent["sgemm"]) / 1e9
    lines = [
        "| lifter | frames a second, one core | ms for 243 frames | open it and lift a window, ms |",
        "|---|---|---|---|",
    ]
    for name, window in windows.items():
        a_second = window.shape[0] * window.shape[1] / np.median(spent[name])
        lines.append(f"| `{name}` | {a_second:,.0f} | {243e3 / a_second:.1f} | {1e3 * opened[name]:.0f} |")
    note = (
        f"Medians of {REPETITIONS}, interleaved; {CLIPS} windows a call, one pass. A square sgemm in the same run: "
        f"{gflops:.0f} GFLOP/s. ONNX Runtime {onnxruntime.__version__}, one thread, on {machine()}."
    )
    table = "\n".join([*lines, "", note])
    print(table)
    write_section("speed", table)


if __name__ == "__main__":
    main()
