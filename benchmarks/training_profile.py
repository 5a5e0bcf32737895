"""Where the processor time of a training step goes, at three sizes, by kind of operation.

taskset -c 1 python benchmarks/training_profile.py

Every operation that torch runs in a step of ``train.py``, forward, backward and update, is timed by the processor time
of the process, on one thread, which other programs on the machine disturb little. What a step takes beyond the sum of
its operations, measured without timing them, is Python, autograd's own work and views.
"""

import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from runner import Repetitions, Report, run, table
from torch.utils._python_dispatch import TorchDispatchMode
from training import quick_precisions
from training_case import Case, Setup, Size

KINDS = {
    "matrix products": "mm addmm bmm baddbmm",
    "attention kernels": "*scaled_dot_product *_softmax",
    "LayerNorm": "*native_layer_norm",
    "GELU": "*gelu",
    "update": "*_fused_adamw *_foreach",
    "copies": "*clone *copy_ *_to_copy cat stack *constant_pad *index *slice_backward *select_backward",
    "sums": "sum mean *linalg_vector_norm",
}
"""By an operation's name, or with a star by a part of it."""
OTHER = "elementwise"
VIEWS = set(
    re.findall(
        r"\w+",
        "view _unsafe_view t transpose permute detach alias expand unsqueeze squeeze slice select split "
        "split_with_sizes unbind as_strided empty empty_like new_empty unfold",
    )
)
"""Operations that touch no number; they are part of the rest."""
STEPS = {"tiny": 5, "small": 1, "full": 1}


def kind_of(operation: str) -> str | None:
    """The column of an operation such as ``aten.addmm.default``; None for one that computes nothing."""
    name = operation.split(".")[1]
    if name in VIEWS:
        return None
    for kind, names in KINDS.items():
        if any(known[1:] in name if known[0] == "*" else known == name for known in names.split()):
            return kind
    return OTHER


class Timed(TorchDispatchMode):
    """Adds up the processor seconds and the calls of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.calls = defaultdict[str, float](float), Counter[str]()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run and time one operation."""
        started = time.process_time()
        result = func(*args, **(kwargs or {}))
        self.seconds[str(func)] += time.process_time() - started
        self.calls[str(func)] += 1
        return result


def timer_s() -> float:
    """Processor seconds that timing adds to an operation: those of one that does nothing."""
    tensor = torch.zeros(1)
    with Timed() as timed:
        for _ in range(200):
            tensor.view(1)
    return timed.seconds["aten.view.default"] / 200


def profile(case: Case, repetitions: int) -> tuple[float, dict[str, float], int]:
    """Seconds of a step, seconds of each kind of operation in it, and how many operations there are."""
    steps, timing_s, whole, parts, calls = STEPS[case.size], timer_s(), [], [], 0
    case.step()
    for _ in range(repetitions):
        whole.append(case.seconds(case.step, steps) / steps)
        with Timed() as timed:
            case.seconds(case.step, steps)
        kinds = dict.fromkeys([*KINDS, OTHER], 0.0)
        for operation, seconds in timed.seconds.items():
            kind = kind_of(operation)
            if kind is not None:
                kinds[kind] += max(seconds - timed.calls[operation] * timing_s, 0.0) / steps
        parts.append(kinds)
        calls = timed.calls.total() // steps
    medians = {kind: float(np.median([part[kind] for part in parts])) for kind in parts[0]}
    return float(np.median(whole)), medians, calls


def training_profile(
    *, sizes: tuple[Size, ...] = ("tiny", "small", "full"), batch: int | None = None, repetitions: Repetitions = 5
) -> Report:
    torch.set_num_threads(1)
    rows = []
    with TemporaryDirectory() as folder:
        for size in sizes:
            for precision in quick_precisions("cpu"):
                case = Case(size, precision, Setup(batch=batch), Path(folder))
                step_s, parts, calls = profile(case, repetitions)
                rest_s = max(step_s - sum(parts.values()), 0.0)
                shares = [100 * seconds / step_s for seconds in (*parts.values(), rest_s)]
                rows.append((size, precision, 1e3 * step_s, calls, *shares))
    kinds = [f"{kind} {{:.0f}} %" for kind in (*KINDS, OTHER, "Python, autograd, views")]
    yield table(["network", "precision", "ms a step {:,.1f}", "operations {:,}", *kinds], rows)
    yield f"Processor time, one thread, batches as above; medians of {repetitions} repetitions."


if __name__ == "__main__":
    run(training_profile, sizes=["tiny"], batch=2, repetitions=1)
