"""Frame numbers from the names of pictures or of files, one a frame.

A name may hold several numbers: of the camera, the take, the size, a date, a hash. The frame number is the one that
changes within the recording, so all names are looked at together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.formats.numbers import whole

_DIGITS = re.compile(r"[0-9]+")
_GAP = "#"
"""Stands for the frame number in the name of a recording."""
_MOST_SHOWN = 6


@dataclass(frozen=True)
class _Reading:
    """The names, read with one of their numbers as the frame number."""

    recordings: tuple[str, ...]
    """Of each name what is left without the number."""
    numbers: tuple[int, ...]
    padded: bool
    """Whether leading zeros make all numbers equally long."""

    @property
    def found(self) -> dict[str, None]:
        """Names of recordings, each once, in the order in which they come."""
        return dict.fromkeys(self.recordings)

    @property
    def span(self) -> int:
        return max(self.numbers) - min(self.numbers)


def chosen_recording(found: Sequence[str], recording: str | None, where: str) -> str:
    """The one recording of a file, or of several the one that is wanted.

    Args:
        found: names of recordings.
        recording: a part of the name of the wanted one; None where only one is expected.
        where: the file or folder, for messages.

    Raises:
        InputError: there are several and none is chosen, or not exactly one has this name.
    """
    fitting = found if recording is None else [name for name in found if name == recording]
    fitting = fitting or [name for name in found if str(recording) in name]
    if len(fitting) == 1:
        return fitting[0]
    held = f"it holds {', '.join(quoted(name, 60) for name in found[:_MOST_SHOWN])}" + (
        f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
    )
    if recording is None:
        raise InputError(
            f"{where}: {len(found)} recordings in one; {held}; choose one by a part of its name (`recording`)"
        )
    raise InputError(
        f"{where}: {'several recordings have' if fitting else 'no recording has'} {quoted(recording)} in "
        f"{'their' if fitting else 'its'} name; {held}"
    )


class PictureNames:
    """The names of pictures, each kept once, while a file is read that tells their order only in its end."""

    def __init__(self) -> None:
        """Begin with none."""
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """How many other names came before this one."""
        return self._places.setdefault(name, len(self._places))

    def frames(self, where: str, example: str, recording: str | None) -> list[int | None]:
        """``frame_numbers`` of all, by place."""
        return frame_numbers(list(self._places), where, example, recording)


def frame_numbers(names: Sequence[str], where: str, example: str, recording: str | None = None) -> list[int | None]:
    """The frame number of each name: of the digit runs in the names, the one that changes from picture to picture.

    Args:
        names: of the pictures of a file or folder, each once, with folders and suffix.
        where: the file or folder, for messages.
        example: of a name that has a number, for messages.
        recording: part of the name of the one recording that is wanted, where there are several.

    Returns:
        None for the pictures of other recordings than the wanted one.

    Raises:
        InputError: a name without a number, names of several recordings and none is chosen, or two pictures of one
            recording with the same number.
    """
    if not names:
        return []
    reading = _best_reading([_stem(name) for name in names], names, where, example)
    chosen = chosen_recording(list(reading.found), recording, where)
    numbers: dict[int, str] = {}
    for name, own, number in zip(names, reading.recordings, reading.numbers, strict=True):
        if own == chosen and numbers.setdefault(number, name) != name:
            raise InputError(
                f"{where}: {numbers[number]} and {name} are both frame {number}; keep one recording in a file or folder"
            )
    return [number if own == chosen else None for own, number in zip(reading.recordings, reading.numbers, strict=True)]


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return str(path.with_suffix("")) if path.suffix and not path.suffix[1:].isdigit() else str(path)


def _best_reading(stems: Sequence[str], names: Sequence[str], where: str, example: str) -> _Reading:
    """One number that changes while all else stays; failing this, the one that leaves the fewest recordings, or that
    alone tells all pictures apart among hashes and times."""
    runs = [list(_DIGITS.finditer(stem)) for stem in stems]
    fewest = min(map(len, runs))
    if fewest == 0:
        name = names[[len(own) for own in runs].index(0)]
        raise InputError(f"{where}: {quoted(name, 60)} holds no frame number; expected digits as in {example}")
    # Runs are counted from both ends: a hash in the middle may hold any number of them. The last run goes first, so
    # that it wins among equals.
    readings = []
    for place in _places(fewest):
        reading = _reading(stems, [own[place] for own in runs], where, example)
        if len(reading.found) == 1:
            return reading
        readings.append(reading)
    several = min(readings, key=lambda reading: len(reading.found))
    if len(several.found) <= len(stems) / 2:
        return several
    apart = [reading for reading in readings if len(set(reading.numbers)) == len(stems)]
    if apart:
        densest = min(apart, key=lambda reading: (reading.span, not reading.padded))
        return replace(densest, recordings=(_GAP,) * len(stems))
    return several


def _places(runs: int) -> list[int]:
    return [place for n in range(runs) for place in (-1 - n, n)]


def _reading(stems: Sequence[str], runs: Sequence[re.Match[str]], where: str, example: str) -> _Reading:
    recordings, numbers = [], []
    for stem, run in zip(stems, runs, strict=True):
        number = whole(run[0])
        if number is None:
            raise InputError(f"{where}: {quoted(stem, 60)} holds no frame number; expected digits as in {example}")
        recordings.append(f"{stem[: run.start()]}{_GAP}{stem[run.end() :]}")
        numbers.append(number)
    padded = len({len(run[0]) for run in runs}) == 1 and any(run[0].startswith("0") for run in runs)
    return _Reading(tuple(recordings), tuple(numbers), padded)
