"""Many motion files at once: what can be read is read, what is broken is listed."""

import csv
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from hyperlift.data.motion.asfamc import read_asfamc
from hyperlift.data.motion.bvh import Unit, UpAxis, read_bvh
from hyperlift.data.motion.recording import Recording
from hyperlift.errors import InputError

FileKind = Literal["bvh", "asfamc"]
_SUFFIXES = {"bvh": ".bvh", "asfamc": ".amc"}

MOST_BROKEN = 0.1
"""Share of broken files beyond which a collection is refused: something is wrong with all of it then."""

_GROUPS = (
    ("acrobatics", ("cartwheel", "flip", "handstand", "acrobat", "gymnast", "somersault")),
    ("dance", ("dance", "danc", "ballet", "salsa", "waltz", "charleston", "pirouette", "arabesque")),
    ("climb", ("climb", "playground", "ladder", "stair", "steps")),
    (
        "sport",
        ("basketball", "soccer", "football", "golf", "boxing", "tennis", "kick", "throw", "catch", "swing"),
    ),
    ("pick up", ("pick up", "pick-up", "lift", "bend")),
    ("jump", ("jump", "hop", "leap")),
    ("run", ("run", "jog")),
    ("walk", ("walk", "stride", "march", "navigate")),
    ("gesture", ("gesture", "wave", "point", "talk", "conversation", "direct", "signal")),
)
"""Kinds of motion and the words in a description that tell them, the most particular first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A file that could not be read."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Trial:
    """What a list of trials says of one."""

    description: str
    fps: float


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Recordings in the order of their paths, and the files that were left out."""

    recordings: tuple[Recording, ...]
    skipped: tuple[Skipped, ...]


def read_collection(
    kind: FileKind,
    path: Path,
    *,
    bvh_unit: Unit = "auto",
    bvh_up: UpAxis = "auto",
    amc_fps: float = 120.0,
    trials_csv: Path | None = None,
) -> Collection:
    """Read one motion file, or all of a kind in a folder and the folders in it.

    Args:
        kind: "bvh", or "asfamc" for ``.amc`` files with their ``.asf`` beside them.
        path: a file or a folder.
        bvh_unit: unit of BVH lengths; see ``bvh.read_bvh``.
        bvh_up: up axis of BVH files.
        amc_fps: frame rate of ``.amc`` files that ``trials_csv`` does not list.
        trials_csv: columns trial (such as 35_01), description and fps. The description decides the group.

    Returns:
        The recordings and what was skipped; each skipped file is also logged as a warning, at the end.

    Raises:
        InputError: nothing of this kind is there, or more than a tenth of the files is broken.
    """
    if kind not in get_args(FileKind):
        raise InputError(f"kind of motion files {kind!r}; expected one of {', '.join(get_args(FileKind))}")
    trials = read_trials(trials_csv) if trials_csv else {}

    def read(file: Path) -> Recording:
        trial = trials.get(file.stem)
        group = motion_group(trial.description if trial else file.stem.replace("_", " "))
        if kind == "bvh":
            return read_bvh(file, unit=bvh_unit, up=bvh_up, group=group)
        return read_asfamc(file, fps=trial.fps if trial else amc_fps, group=group)

    return _read_all(_files(path, _SUFFIXES[kind]), read, path)


def _read_all(files: list[Path], read: Callable[[Path], Recording], path: Path) -> Collection:
    recordings, skipped = [], []
    for file in files:
        try:
            recordings.append(read(file))
        except InputError as error:
            skipped.append(Skipped(file, str(error)))
    for entry in skipped:
        _log.warning("left out %s", entry.reason)
    if len(skipped) > MOST_BROKEN * len(files):
        raise InputError(f"{path}: {len(skipped)} of {len(files)} files cannot be read; the first: {skipped[0].reason}")
    return Collection(recordings=tuple(recordings), skipped=tuple(skipped))


def read_trials(path: Path) -> dict[str, Trial]:
    """Read a list of trials: a CSV file with the columns trial, description and fps.

    Raises:
        InputError: the file is missing, lacks a column or has a frame rate that is no positive number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return dict(_trials(path, csv.DictReader(stream)))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a table of trial, description and fps") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from error


def _trials(path: Path, rows: "csv.DictReader[str]") -> Iterator[tuple[str, Trial]]:
    if not {"trial", "description", "fps"} <= set(rows.fieldnames or ()):
        raise InputError(f"{path}: has the columns {rows.fieldnames}; expected trial, description and fps")
    for row in rows:
        try:
            fps = float(row["fps"])
        except (TypeError, ValueError):
            fps = 0.0
        if not 0 < fps < 10_000:
            raise InputError(f"{path}, line {rows.line_num}: fps is {row['fps']!r}; expected a positive number")
        yield row["trial"], Trial(row["description"] or "", fps)


def motion_group(description: str) -> str:
    """The kind of motion that a description names, such as walk; "other" where it names none."""
    lowered = description.lower()
    for group, words in _GROUPS:
        if any(word in lowered for word in words):
            return group
    return "other"


def _files(path: Path, suffix: str) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() == suffix and file.is_file())
    if not files:
        raise InputError(f"{path}: no {suffix} files there; point at a file or at a folder that holds some")
    return files
