"""Reads collections of motion files; damaged files are skipped and listed."""

import csv
import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from hyperlift.choices import UpAxis
from hyperlift.errors import InputError, one_line, quoted
from hyperlift.mocap.asfamc import read_asfamc
from hyperlift.mocap.bvh import read_bvh
from hyperlift.mocap.motion_checks import plausible_parts
from hyperlift.mocap.recording import Recording, with_constant_bones
from hyperlift.mocap.recording_store import RecordingStore
from hyperlift.readers import reader

FileKind = Literal["bvh", "asfamc"]
_SUFFIXES = {"bvh": ".bvh", "asfamc": ".amc"}

MAX_BROKEN = 0.1
"""Maximum share of damaged files in a collection. Chosen: more suggest a systematic error."""

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
"""Motion groups and their keywords in descriptions; the first match counts, so specific groups come first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A file that was skipped."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Trial:
    """Entry of a list of trials."""

    description: str
    fps: float


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Recordings in order of paths, and skipped files."""

    recordings: RecordingStore
    skipped: tuple[Skipped, ...]
    files: int
    """Number of files, including skipped ones."""


@dataclass(frozen=True, kw_only=True)
class CollectionFormat:
    """Format of the files of a collection."""

    kind: FileKind
    """"bvh", or "asfamc" for ``.amc`` files with their ``.asf`` in the same folder."""
    bvh_unit: str = "auto"
    """Unit of BVH lengths; see ``bvh.read_bvh``."""
    bvh_up: UpAxis = "auto"
    """Up axis of BVH files."""
    joint_map: Mapping[str, str] = field(default_factory=dict)
    """Joint names of BVH files that follow no known convention; see ``bvh.read_bvh``."""
    amc_fps: float = 120.0
    """Frame rate of ``.amc`` files that are not in ``trials_csv``."""
    trials_csv: Path | None = None
    """CSV file with the columns trial (such as 35_01), description and fps. The description determines the group."""
    highest_fps: float | None = None
    """Recordings of higher frame rate are resampled to this one, to save space. None: no resampling."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FileKind):
            raise InputError(
                f"kind of motion files {quoted(self.kind)}; expected one of {', '.join(get_args(FileKind))}"
            )


_Task = tuple[Path, Trial | None, CollectionFormat]


def read_collection(path: Path, form: CollectionFormat, store_file: Path, workers: int = 1) -> Collection:
    """Read one motion file, or all files of a kind in a folder and its subfolders.

    Recordings are written to a file as they are read, so that only a few are in memory.

    Args:
        path: a file or a folder.
        form: format of the files.
        store_file: file for the recordings; it is overwritten.
        workers: number of reading processes.

    Returns:
        Recordings with constant bone lengths, and skipped files, which are also logged as warnings at the end.

    Raises:
        InputError: there are no files of this kind, or more than a tenth of them is damaged.
    """
    files = _files(path, _SUFFIXES[form.kind])
    trials = read_trials(form.trials_csv) if form.trials_csv else {}
    names = _unique_names(files, path)
    recordings, skipped = RecordingStore(store_file), []
    tasks = [(file, trials.get(file.stem), form) for file in files]
    for file, read in zip(files, _read_all(tasks, workers), strict=True):
        if isinstance(read, Skipped):
            skipped.append(read)
            continue
        for part in read:
            # Parts are named after their file: NAME.1, NAME.2.
            recordings.add(replace(part, name=names[file] + part.name.removeprefix(file.stem)))
    for entry in skipped:
        _log.warning("left out %s", entry.reason)
    if len(skipped) > MAX_BROKEN * len(files):
        raise InputError(f"{path}: {len(skipped)} of {len(files)} files cannot be read; the first: {skipped[0].reason}")
    return Collection(recordings=recordings, skipped=tuple(skipped), files=len(files))


def _read_all(tasks: list[_Task], workers: int) -> Iterator[list[Recording] | Skipped]:
    if workers == 1:
        yield from map(_read, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_read, tasks, chunksize=4)


def _read(task: _Task) -> list[Recording] | Skipped:
    file, trial, form = task
    group = motion_group(trial.description if trial else file.stem.replace("_", " "))
    try:
        if form.kind == "bvh":
            recording = read_bvh(file, unit=form.bvh_unit, up=form.bvh_up, group=group, joint_map=form.joint_map)
        else:
            recording = read_asfamc(file, fps=trial.fps if trial else form.amc_fps, group=group)
        parts = plausible_parts(replace(recording, name=file.stem))
        if form.highest_fps and recording.fps > form.highest_fps:
            parts = [part.resampled(form.highest_fps) for part in parts]
    except InputError as error:
        return Skipped(file, str(error) if str(file) in str(error) else f"{file}: {error}")
    # Landmarks interpolated along a bending segment vary in distance; labels should have constant bone lengths.
    return [replace(part, joints_m=with_constant_bones(part.joints_m)) for part in parts]


def _unique_names(files: list[Path], path: Path) -> dict[Path, str]:
    """Name of each file; with its folders if the name is not unique."""
    seen = Counter(file.stem for file in files)
    return {
        file: file.stem if seen[file.stem] == 1 else file.relative_to(path).with_suffix("").as_posix() for file in files
    }


@reader("list of trials")
def read_trials(path: Path) -> dict[str, Trial]:
    """Read a list of trials: a CSV file with the columns trial, description and fps.

    Raises:
        InputError: the file is missing, lacks a column, or has an invalid frame rate.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return dict(_trials(path, csv.DictReader(stream)))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a table of trial, description and fps") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV file ({one_line(str(error))})") from error


def _trials(path: Path, rows: "csv.DictReader[str]") -> Iterator[tuple[str, Trial]]:
    if not {"trial", "description", "fps"} <= set(rows.fieldnames or ()):
        raise InputError(f"{path}: has the columns {quoted(rows.fieldnames)}; expected trial, description and fps")
    for row in rows:
        try:
            fps = float(row["fps"])
        except (TypeError, ValueError):
            fps = 0.0
        if not 0.01 < fps < 10_000:
            raise InputError(f"{path}, line {rows.line_num}: fps is {quoted(row['fps'])}; expected a positive number")
        yield row["trial"], Trial(row["description"] or "", fps)


def motion_group(description: str) -> str:
    """Motion group of a description, such as walk; "other" without a keyword."""
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
