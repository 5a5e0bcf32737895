"""Evaluation results as text and as JSON; both state the protocol."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hyperlift.choices import Mean
from hyperlift.evaluation.measures import BONE_SD, MEASURES, MPJVE, OF_JOINTS, Measure
from hyperlift.evaluation.protocol import Protocol
from hyperlift.evaluation.results import BenchResult, Errors, EvaluationResult

_SPELLED_MEAN = {"action": "mean over {group}s of the mean over their frames", "frame": "mean over all frames"}
_WIDEST_LABEL = max(len(measure.label) for measure in MEASURES)
_MIN_CELL = 6
"""Minimum width of a table cell: numbers up to "9999.9"."""


def protocol_statements(result: EvaluationResult) -> list[str]:
    """Settings of the evaluation that a comparison with other results needs, one per line."""
    protocol = result.protocol
    scored, total = result.overall.frames, result.frames_total
    excluded = "none excluded"
    if protocol.excluded:
        excluded = f"{', '.join(protocol.excluded)} excluded ({result.videos_excluded} videos here)"
    return [
        f"protocol:  {protocol.name}; {_SPELLED_MEAN[protocol.mean].format(group=protocol.group)}",
        input_statement(protocol),
        f"flip:      {'on, mean of both' if protocol.flip else 'off'}",
        f"sequences: {excluded}",
        f"slicing:   {result.slicing}, windows of {result.n_frames} frames, stride {result.stride}; "
        f"{scored} of {total} frames scored ({100 * scored / total:.1f} %)",
        size_statement(result),
        *measure_statements(protocol, result.fps),
    ]


def input_statement(protocol: Protocol) -> str:
    """Statement about the input of the lifter."""
    return f"input:     {'exact projections (GT 2D)' if protocol.gt_2d else protocol.given_2d}"


def size_statement(result: EvaluationResult) -> str:
    """Statement about the size of the person."""
    given = "the person's size is given"
    return f"size:      {given if result.size_given else 'not given; pixels become mm by the factor of each frame'}"


def measure_statements(protocol: Protocol, fps: float) -> list[str]:
    """Definitions of the measures, one per line."""
    lines = []
    for measure in MEASURES:
        more = f"; {fps:g} frames a second" if measure is MPJVE else ""
        if measure.unit == "fraction" and protocol.correct_joints:
            more = f"; over {', '.join(protocol.correct_joints)}"
        lines.append(f"{measure.label + ':':<{_WIDEST_LABEL + 1}}  {measure.unit}; {measure.definition}{more}")
    return lines


def report_text(result: EvaluationResult) -> str:
    """Tables by action and by joint, below the protocol."""
    group, own_mean = result.protocol.group, result.protocol.mean
    actions, overall = result.actions, result.overall
    names = {over: mean_name(over, result.protocol) for over in ("action", "frame")}
    names[own_mean] += " *"
    width = max(len(name) for name in (*actions, *names.values(), *overall.joints))
    lines = [f"lifter:    {result.lifter}", f"data:      {result.data}", *protocol_statements(result), ""]
    lines.append(f"{group:<{width}}  {'frames':>7}" + "".join(heading(measure) for measure in MEASURES))
    lines += [_row(action, errors, width) for action, errors in actions.items()]
    lines.append("-" * len(lines[-1]))
    lines += [_row(names[over], result.mean(over), width) for over in ("action", "frame")]
    bones = {bone.split("-")[1]: sd for bone, sd in overall.bones_sd_mm.items()}
    lines += ["", f"by joint, {names[own_mean]}; {BONE_SD.label} of the bone that ends there"]
    lines.append(f"{'joint':<{width}}  {'':>7}" + "".join(heading(measure) for measure in MEASURES))
    for joint, errors in overall.joints.items():
        cells = "".join(cell(measure, errors[measure.key]) for measure in OF_JOINTS)
        lines.append(f"{joint:<{width}}  {'':>7}{cells}{cell(BONE_SD, bones.get(joint, math.nan))}")
    return "\n".join(lines)


def heading(measure: Measure) -> str:
    """Column heading of a measure."""
    return f"  {measure.label:>{max(len(measure.label), _MIN_CELL)}}"


def cell(measure: Measure, value: float, width: int | None = None) -> str:
    """Table cell: millimetres with 1 decimal (per frame with 2), fractions with 3, a dash for NaN."""
    digits = {"fraction": 3, "mm a frame": 2}.get(measure.unit, 1)
    text = "-" if math.isnan(value) else f"{value:.{digits}f}"
    return f"  {text:>{width or max(len(measure.label), _MIN_CELL)}}"


def report_json(result: EvaluationResult) -> str:
    """The result as JSON."""
    return to_json(
        {
            **json_header(result),
            "protocol": asdict(result.protocol),
            **json_tables(result),
            "overall": asdict(result.overall),
        }
    )


def json_header(result: EvaluationResult) -> dict[str, Any]:
    """Fields that all results of an evaluation share."""
    return {
        "lifter": result.lifter,
        "data": result.data,
        "skeleton": result.skeleton.name,
        "fps": result.fps,
        "n_frames": result.n_frames,
        "stride": result.stride,
        "size_given": result.size_given,
        "measures": {measure.key: f"{measure.unit}; {measure.definition}" for measure in MEASURES},
    }


def json_tables(result: EvaluationResult) -> dict[str, Any]:
    """Scores and frame counts."""
    return {
        "slicing": result.slicing,
        "frames_total": result.frames_total,
        "videos_excluded": result.videos_excluded,
        "actions": {action: asdict(errors) for action, errors in result.actions.items()},
        "mean_over_actions": asdict(result.mean("action")),
        "mean_over_frames": asdict(result.mean("frame")),
    }


def to_json(content: Mapping[str, Any]) -> str:
    """JSON with null in place of NaN."""
    return json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n"


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    return None if isinstance(content, float) and math.isnan(content) else content


def bench_text(result: BenchResult) -> str:
    """The scores of a benchmark file in one line."""
    return (
        f"n_mpjpe {result.n_mpjpe_mm:.1f} pa_mpjpe {result.pa_mpjpe_mm:.1f} "
        f"jitter {result.jitter_mm:.1f} bone {result.bone:.4f}"
    )


def bench_json(result: BenchResult, lifter: str, flip: bool) -> str:
    """The scores of a benchmark file as JSON."""
    return json.dumps({"lifter": lifter, "flip": flip, **asdict(result)}, indent=1) + "\n"


def mean_name(over: Mean, protocol: Protocol) -> str:
    """Name of a mean, such as ``mean over actions``."""
    return f"mean over {protocol.group if over == 'action' else over}s"


def _row(name: str, errors: Errors, width: int) -> str:
    cells = "".join(cell(measure, getattr(errors, measure.key)) for measure in MEASURES)
    return f"{name:<{width}}  {errors.frames:>7}{cells}"
