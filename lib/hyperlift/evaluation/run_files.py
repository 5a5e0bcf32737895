"""Reads training logs and evaluation scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hyperlift.errors import InputError, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import parse_json, read_json
from hyperlift.safe_io.text import is_number, is_whole, read_text

_MAX_LOG_BYTES = 64_000_000
"""Chosen: a record has less than 1 kB, so this is far above any run. It bounds memory."""
_MAX_SCORES_BYTES = 8_000_000
"""Chosen: far above scores of all actions and joints. It bounds memory."""
_MAX_EPOCHS = 10**9
"""Chosen: an epoch above it is damage."""
_MAX_NUMBER = 1e15
"""Chosen: larger numbers are damage and would overflow in sums and plots."""

_STORE_ERRORS = ("frames", "p1_mm", "p2_mm", "n_mpjpe_mm")
_BENCH_NUMBERS = ("views", "frames", "n_mpjpe_mm", "pa_mpjpe_mm", "jitter_mm", "bone")


@reader("training log", remedy="give the log.jsonl of a run folder")
def read_training_log(path: Path, needs: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Read the log of a run: one record per epoch, in the order of the file.

    Args:
        path: ``log.jsonl``.
        needs: numbers that every record must have besides ``epoch``.

    Returns:
        Records with an integer ``epoch``, numbers, and mappings of numbers; empty before the end of the first epoch.

    Raises:
        InputError: the file is missing, or a line is no record.
    """
    remedy = "give the log.jsonl of a run folder"
    lines = read_text(path, _MAX_LOG_BYTES, remedy).splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        record = parse_json(line, where, remedy)
        if not isinstance(record, dict) or not is_whole(record.get("epoch"), 0, _MAX_EPOCHS):
            raise InputError(f"{where}: not the log of a run: {quoted(record)} has no epoch; {remedy}")
        _check_numbers(record, where, remedy)
        if missing := [name for name in needs if isinstance(record.get(name), dict | None)]:
            raise InputError(f"{where}: lacks {', '.join(missing)}; {remedy}")
        records.append(record)
    return records


@reader("scores", remedy="write it with hyperlift evaluate --json")
def read_scores(path: Path) -> dict[str, Any]:
    """Read scores of one protocol, written by ``hyperlift evaluate --json`` for a clip store or a benchmark file.

    Raises:
        InputError: the file is missing or holds no scores.
    """
    remedy = "write it with hyperlift evaluate --json (one protocol, not all)"
    scores = read_json(path, remedy, _MAX_SCORES_BYTES)
    if not isinstance(scores, dict) or not ({"views", "n_mpjpe_mm"} <= set(scores) or "mean_over_frames" in scores):
        raise InputError(f"{path}: holds no scores; {remedy}")
    if "views" in scores:
        _need(scores, _BENCH_NUMBERS, "", path, remedy)
        _need_bool(scores.get("flip"), "flip", path, remedy)
        return scores
    for key, joints in (("actions", ()), ("overall", ("joints",))):
        tables = _section(scores.get(key), key, path, remedy)
        tables = _section(tables.get("joints"), "overall: joints", path, remedy) if joints else tables
        for name, errors in tables.items():
            _need(errors, _STORE_ERRORS if not joints else ("p1_mm",), f"{key}: {quoted(name)}: ", path, remedy)
    _need(scores["mean_over_frames"], _STORE_ERRORS, "mean_over_frames: ", path, remedy)
    _need_bool(scores.get("size_given"), "size_given", path, remedy)
    _need_bool(_section(scores.get("protocol"), "protocol", path, remedy).get("flip"), "protocol: flip", path, remedy)
    return scores


def _check_numbers(record: Mapping[str, Any], where: str, remedy: str) -> None:
    for key, value in record.items():
        for name, number in value.items() if isinstance(value, dict) else [(key, value)]:
            if not is_number(number, -_MAX_NUMBER, _MAX_NUMBER) and not _is_nan(number):
                raise InputError(f"{where}: {quoted(name)} is {quoted(number)}; expected a number; {remedy}")


def _is_nan(value: object) -> bool:
    """Whether a value is NaN, which a run logs for a validation without labels."""
    return isinstance(value, float) and value != value


def _section(value: object, name: str, path: Path, remedy: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{path}: {name} is {quoted(value)}; expected a section; {remedy}")
    return value


def _need(values: object, names: Sequence[str], where: str, path: Path, remedy: str) -> None:
    section = _section(values, where.rstrip(": ") or "it", path, remedy)
    for name in names:
        number = section.get(name)
        if not is_number(number, -_MAX_NUMBER, _MAX_NUMBER):
            raise InputError(f"{path}: {where}{name} is {quoted(number)}; expected a number; {remedy}")


def _need_bool(value: object, name: str, path: Path, remedy: str) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{path}: {name} is {quoted(value)}; expected true or false; {remedy}")
