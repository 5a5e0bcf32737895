"""Results as text for people and as JSON for programs. Both say by which protocol a number came about."""

import json
from dataclasses import asdict
from typing import Any

from hyperlift.evaluation.results import BenchResult, Errors, EvaluationResult

_SPELLED_MEAN = {"action": "mean over actions of the mean over their frames", "frame": "mean over all frames"}


def protocol_statements(result: EvaluationResult) -> list[str]:
    """What has to be known to compare the numbers with others, a line each."""
    protocol = result.protocol
    scored, total = result.overall.frames, result.frames_total
    excluded = "none excluded"
    if protocol.excluded:
        excluded = f"{', '.join(protocol.excluded)} excluded ({result.videos_excluded} videos here)"
    size = (
        "the person's size is given" if result.size_given else "not given; pixels become mm by the factor of each frame"
    )
    return [
        f"protocol:  {protocol.name}; {_SPELLED_MEAN[protocol.mean]}",
        f"flip:      {'on, mean of both' if protocol.flip else 'off'}",
        f"sequences: {excluded}",
        f"slicing:   {result.slicing}, windows of {result.n_frames} frames, stride {result.stride}; "
        f"{scored} of {total} frames scored ({100 * scored / total:.1f} %)",
        f"size:      {size}",
        "errors:    mm, root-relative. P1 = MPJPE; P2 = after a similarity a frame (PA-MPJPE); "
        "N-MPJPE = after one scale a video",
    ]


def report_text(result: EvaluationResult) -> str:
    """The per-action table with the protocol above it."""
    width = max(len(name) for name in (*result.actions, "mean over actions *"))
    lines = [f"lifter:    {result.lifter}", f"data:      {result.data}", *protocol_statements(result), ""]
    lines.append(f"{'action':<{width}}  {'frames':>7}  {'P1':>6}  {'P2':>6}  {'N-MPJPE':>7}")
    lines += [_row(action, errors, width) for action, errors in result.actions.items()]
    lines.append("-" * len(lines[-1]))
    for over in ("action", "frame"):
        name = f"mean over {over}s" + (" *" if over == result.protocol.mean else "")
        lines.append(_row(name, result.mean(over), width))
    return "\n".join(lines)


def report_json(result: EvaluationResult) -> str:
    """The same as JSON."""
    content: dict[str, Any] = {
        **asdict(result),
        "overall": asdict(result.overall),
        "mean_over_actions": asdict(result.mean("action")),
        "mean_over_frames": asdict(result.mean("frame")),
    }
    return json.dumps(content, indent=1) + "\n"


def bench_text(result: BenchResult) -> str:
    """The scores of a benchmark file in one line."""
    return (
        f"n_mpjpe {result.n_mpjpe_mm:.1f} pa_mpjpe {result.pa_mpjpe_mm:.1f} "
        f"jitter {result.jitter_mm:.1f} bone {result.bone:.4f}"
    )


def bench_json(result: BenchResult, lifter: str, flip: bool) -> str:
    """The scores of a benchmark file as JSON."""
    return json.dumps({"lifter": lifter, "flip": flip, **asdict(result)}, indent=1) + "\n"


def _row(name: str, errors: Errors, width: int) -> str:
    p1, p2, n = errors.values_mm
    return f"{name:<{width}}  {errors.frames:>7}  {p1:>6.1f}  {p2:>6.1f}  {n:>7.1f}"
