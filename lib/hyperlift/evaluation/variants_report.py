"""Reports the variants of a protocol side by side: one column per variant, one row per measure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import get_args

from hyperlift.choices import Mean
from hyperlift.evaluation.measures import MEASURES, P1, P2, Measure
from hyperlift.evaluation.protocol import Protocol
from hyperlift.evaluation.report import (
    cell,
    input_statement,
    json_header,
    json_tables,
    mean_name,
    measure_statements,
    size_statement,
    to_json,
)
from hyperlift.evaluation.results import EvaluationResult

_CELL = 9
"""Width of a table cell: the longest slicing name and numbers fit."""
_MEANS: tuple[Mean, ...] = get_args(Mean)


def variants_text(results: Sequence[EvaluationResult], standard: Protocol) -> str:
    """Write all variants of an evaluation as tables.

    Args:
        results: one per variant; at least one.
        standard: the protocol; its variant and mean are marked by a star.
    """
    first = results[0]
    by_actions = sorted(results, key=lambda result: len(result.scores), reverse=True)
    action_names = list(dict.fromkeys(action for result in by_actions for action in result.scores))
    mean_names: dict[Mean, str] = {
        over: mean_name(over, standard) + (" *" if over == standard.mean else "") for over in _MEANS
    }
    table = _Table(max(map(len, (*first.skeleton.joints, *action_names, *mean_names.values(), "frames scored"))))
    text = [
        f"lifter:    {first.lifter}",
        f"data:      {first.data}",
        f"protocol:  {standard.name}, all variants; windows of {first.n_frames} frames, stride {first.stride}",
        input_statement(standard),
        size_statement(first),
        *measure_statements(standard, first.fps),
        f"*:         what the protocol {standard.name} asks for, at either slicing",
    ]
    if standard.excluded:
        text.append(f"without:   {', '.join(standard.excluded)}")
    text += ["", table.words("slicing", [result.slicing for result in results])]
    if standard.excluded:
        text.append(table.words("sequences", ["without" if r.protocol.excluded else "all" for r in results]))
    text += [
        table.words("flip", ["on" if result.protocol.flip else "off" for result in results]),
        table.words("", ["*" if _is_standard(result, standard) else "" for result in results]),
        table.words("frames scored", [str(result.overall.frames) for result in results]),
        table.words("of", [str(result.frames_total) for result in results]),
    ]
    for over, name in mean_names.items():
        means = [result.mean(over) for result in results]
        text += ["", name]
        text += [table.numbers(m.label, m, [getattr(mean, m.key) for mean in means]) for m in MEASURES]
    by_action = [result.actions for result in results]
    by_joint = [result.mean(standard.mean).joints for result in results]
    for measure in (P1, P2):
        text += ["", f"{measure.label} by {standard.group}, {measure.unit}"]
        for action in action_names:
            found = [getattr(actions[action], measure.key) if action in actions else None for actions in by_action]
            text.append(table.numbers(action, measure, found))
    for measure in (P1, P2):
        text += ["", f"{measure.label} by joint, {measure.unit}, {mean_name(standard.mean, standard)}"]
        for joint in first.skeleton.joints:
            text.append(table.numbers(joint, measure, [joints[joint][measure.key] for joints in by_joint]))
    return "\n".join(text)


def variants_json(results: Sequence[EvaluationResult], standard: Protocol) -> str:
    """Write all variants as JSON: shared fields, then a list of variants with their tables."""
    variants = [
        {"flip": result.protocol.flip, "excluded": list(result.protocol.excluded), **json_tables(result)}
        for result in results
    ]
    return to_json({**json_header(results[0]), "protocol": asdict(standard), "variants": variants})


def _is_standard(result: EvaluationResult, standard: Protocol) -> bool:
    return (result.protocol.flip, result.protocol.excluded) == (standard.flip, standard.excluded)


@dataclass(frozen=True)
class _Table:
    """Rows with a name and one cell per variant."""

    name_width: int

    def words(self, name: str, words: Sequence[str]) -> str:
        return f"{name:<{self.name_width}}" + "".join(f"  {word:>{_CELL}}" for word in words)

    def numbers(self, name: str, measure: Measure, values: Sequence[float | None]) -> str:
        blank = " " * (_CELL + 2)
        cells = (blank if value is None else cell(measure, value, _CELL) for value in values)
        return f"{name:<{self.name_width}}" + "".join(cells)
