"""Many motion files at once: what can be read is read, what is broken is listed."""

import csv
import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.mocap.asfamc import read_asfamc
from hyperlift.mocap.bvh import UpAxis, read_bvh
from hyperlift.mocap.motion_checks import plausible_parts
from hyperlift.mocap.recording import Recording, with_constant_bones
from hyperlift.mocap.recording_store import RecordingShelf
from hyperlift.readers import reader

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

    recordings: RecordingShelf
    skipped: tuple[Skipped, ...]
    files: int
    """Read and left out together."""


@dataclass(frozen=True, kw_only=True)
class CollectionFormat:
    """How the files of a collection are to be understood."""

    kind: FileKind
    """"bvh", or "asfamc" for ``.amc`` files with their ``.asf`` beside them."""
    bvh_unit: str = "auto"
    """Unit of BVH lengths; see ``bvh.read_bvh``."""
    bvh_up: UpAxis = "auto"
    """Up axis of BVH files."""
    joint_map: Mapping[str, str] = field(default_factory=dict)
    """Names in BVH files that no convention has; see ``bvh.read_bvh``."""
    amc_fps: float = 120.0
    """Frame rate of ``.amc`` files that ``trials_csv`` does not list."""
    trials_csv: Path | None = None
    """Columns trial (such as 35_01), description and fps. The description decides the group."""
    highest_fps: float | None = None
    """Faster recordings are resampled to this rate, which is all that a slower clip store can use of them."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FileKind):
            raise InputError(
                f"kind of motion files {quoted(self.kind)}; expected one of {', '.join(get_args(FileKind))}"
            )


_Task = tuple[Path, Trial | None, CollectionFormat]


def read_collection(path: Path, form: CollectionFormat, shelf: Path, workers: int = 1) -> Collection:
    """Read one motion file, or all of a kind in a folder and the folders in it.

    Recordings go to a file as they are read, so that memory holds a few of them at a time, whatever the collection.

    Args:
        path: a file or a folder.
        form: what the files are.
        shelf: the file to keep the recordings in; overwritten.
        workers: processes that read.

    Returns:
        The recordings, every bone with one length throughout, and what was skipped; each skipped file is also logged
        as a warning, at the end.

    Raises:
        InputError: nothing of this kind is there, or more than a tenth of the files is broken.
    """
    files = _files(path, _SUFFIXES[form.kind])
    trials = read_trials(form.trials_csv) if form.trials_csv else {}
    names = _unique_names(files, path)
    recordings, skipped = RecordingShelf(shelf), []
    tasks = [(file, trials.get(file.stem), form) for file in files]
    for file, read in zip(files, _read_all(tasks, workers), strict=True):
        if isinstance(read, Skipped):
            skipped.append(read)
            continue
        for part in read:
            # A part is named after its file: NAME.1, NAME.2.
            recordings.add(replace(part, name=names[file] + part.name.removeprefix(file.stem)))
    for entry in skipped:
        _log.warning("left out %s", entry.reason)
    if len(skipped) > MOST_BROKEN * len(files):
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
    # Landmarks set part of the way along a bending segment do not quite keep their distance; labels should.
    return [replace(part, joints_m=with_constant_bones(part.joints_m)) for part in parts]


def _unique_names(files: list[Path], path: Path) -> dict[Path, str]:
    """The name of each file, with its folders where several files have one name."""
    seen = Counter(file.stem for file in files)
    return {
        file: file.stem if seen[file.stem] == 1 else file.relative_to(path).with_suffix("").as_posix() for file in files
    }


@reader("list of trials")
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
