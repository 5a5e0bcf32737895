"""Where the processor time of a training step goes, at three sizes, by kind of operation.

taskset -c 1 python benchmarks/training_profile.py

Every operation that torch runs in a step of ``train.py``, forward, backward and update, is timed by the processor time
of the process, on one thread, which other programs on the machine disturb little. What a step takes beyond the sum of
its operations, measured without timing them, is Python, autograd's own work and views.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from report import machine, write_section
from torch.utils._python_dispatch import TorchDispatchMode
from training import SIZES, Case
from training import parsed as parsed_training

KINDS = {
    "matrix products": ("mm", "addmm", "bmm", "baddbmm"),
    "attention kernels": ("scaled_dot_product", "_softmax"),
    "LayerNorm": ("native_layer_norm",),
    "GELU": ("gelu",),
    "update": ("_fused_adamw", "_foreach"),
    "copies": (
        "clone",
        "copy_",
        "_to_copy",
        "cat",
        "stack",
        "constant_pad",
        "index",
        "slice_backward",
        "select_backward",
    ),
    "sums": ("sum", "mean", "linalg_vector_norm"),
}
"""By a part of an operation's name."""
OTHER = "elementwise"
_PYTHON = "Python, autograd, views"
_EXACT = {"mm", "addmm", "bmm", "baddbmm", "sum", "mean", "cat", "stack"}
"""Whole names, which are parts of others as well."""
_VIEWS = {
    *(
        "view",
        "_unsafe_view",
        "t",
        "transpose",
        "permute",
        "detach",
        "alias",
        "expand",
        "unsqueeze",
        "squeeze",
        "slice",
    ),
    *("select", "split", "split_with_sizes", "unbind", "as_strided", "empty", "empty_like", "new_empty", "unfold"),
}
"""Operations that touch no number; they are part of the rest."""
STEPS = {"tiny": 5, "small": 1, "full": 1}


def kind_of(operation: str) -> str | None:
    """The column of an operation such as ``aten.addmm.default``; None for one that computes nothing."""
    name = operation.split(".")[1]
    if name in _VIEWS:
        return None
    for kind, names in KINDS.items():
        if any(name == known if known in _EXACT else known in name for known in names):
            return kind
    return OTHER


class Timed(TorchDispatchMode):
    """Adds up the processor seconds and the calls of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()

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
    steps, timing_s = STEPS[case.size], timer_s()
    whole, parts, calls = [], [], 0
    case.step()
    for _ in range(repetitions):
        whole.append(case.seconds(lambda: [case.step() for _ in range(steps)]) / steps)
        with Timed() as timed:
            for _ in range(steps):
                case.step()
        kinds = dict.fromkeys([*KINDS, OTHER], 0.0)
        for operation, seconds in timed.seconds.items():
            own = seconds - timed.calls[operation] * timing_s
            kind = kind_of(operation)
            if kind is not None:
                kinds[kind] += max(own, 0.0) / steps
        parts.append(kinds)
        calls = timed.calls.total() // steps
    medians = {kind: float(np.median([part[kind] for part in parts])) for kind in parts[0]}
    return float(np.median(whole)), medians, calls


def table(rows: dict[tuple[str, str], tuple[float, dict[str, float], int]], repetitions: int) -> str:
    """Shares of a step as Markdown."""
    kinds = [*KINDS, OTHER]
    lines = [
        f"| network | precision | ms a step | operations | {' | '.join([*kinds, _PYTHON])} |",
        "|---|---|---|---|" + "---|" * (len(kinds) + 1),
    ]
    for what, (step_s, parts, calls) in rows.items():
        rest = max(step_s - sum(parts.values()), 0.0)
        cells = [f"{100 * seconds / step_s:.0f} %" for seconds in (*parts.values(), rest)]
        lines.append(f"| {' | '.join(what)} | {1e3 * step_s:,.1f} | {calls:,} | {' | '.join(cells)} |")
    return "\n".join(
        [
            *lines,
            "",
            f"Processor time, one thread, batches as above; medians of {repetitions} repetitions. torch "
            f"{torch.__version__} on {machine()}.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--batch", type=int, help="clips a step, for every size")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--no-page", action="store_true", help="print the table alone")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = parsed_training(["--batch", str(args.batch)] if args.batch else [])
    rows = {}
    with TemporaryDirectory() as folder:
        for size in args.sizes:
            for precision in settings.precisions:
                case = Case(size, precision, settings, Path(folder))
                rows[size, precision] = profile(case, args.repetitions)
    text = table(rows, args.repetitions)
    print(text)
    if not args.no_page:
        write_section("training_profile", text)


if __name__ == "__main__":
    main()
