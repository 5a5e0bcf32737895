"""Frame numbers from the names of images or of files with one frame each.

A name may contain several numbers: camera, take, size, date, hash. The frame number is the number that changes within a
recording, so all names are analysed together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.formats.numbers import parse_digits

_DIGITS = re.compile(r"[0-9]+")
_GAP = "#"
"""Placeholder for the frame number in the name of a recording."""
_MOST_SHOWN = 6
"""Names of recordings that a message lists. Chosen: one line of text."""


@dataclass(frozen=True)
class _Reading:
    """An interpretation of the names, with one of their numbers as the frame number."""

    recordings: tuple[str, ...]
    """Each name with the number replaced by ``_GAP``."""
    numbers: tuple[int, ...]
    padded: bool
    """True if leading zeros give all numbers the same length."""

    @property
    def found(self) -> dict[str, None]:
        """Unique names of recordings, in the order of their first occurrence."""
        return dict.fromkeys(self.recordings)

    @property
    def span(self) -> int:
        return max(self.numbers) - min(self.numbers)


def chosen_recording(found: Sequence[str], recording: str | None, where: str) -> str:
    """Select a recording.

    Args:
        found: names of all recordings.
        recording: the name, or a part of it; None if there is only one.
        where: the file or folder, for messages.

    Raises:
        InputError: ``recording`` is None and there are several, or it does not match exactly one.
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
    """Assigns provisional indices to names of images while a file is read; frame numbers follow from all names."""

    def __init__(self) -> None:
        """Create an empty set of names."""
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Provisional index of a name: the number of different names before it."""
        return self._places.setdefault(name, len(self._places))

    def frames(self, where: str, example: str, recording: str | None) -> list[int | None]:
        """``frame_numbers`` of all names, by provisional index."""
        return frame_numbers(list(self._places), where, example, recording)


def frame_numbers(names: Sequence[str], where: str, example: str, recording: str | None = None) -> list[int | None]:
    """The frame number of each name: the run of digits that changes from image to image.

    Args:
        names: unique names of images, with folders and suffix.
        where: the file or folder, for messages.
        example: a name with a number, for messages.
        recording: see ``chosen_recording``.

    Returns:
        None for the images of other recordings.

    Raises:
        InputError: a name has no number, two images of the recording have the same number, or as for
            ``chosen_recording``.
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
    """The interpretation in which only one number changes; otherwise the one with the fewest recordings, or, among
    hashes and time stamps, the one whose number is unique for each image."""
    runs = [list(_DIGITS.finditer(stem)) for stem in stems]
    fewest = min(map(len, runs))
    if fewest == 0:
        name = names[[len(own) for own in runs].index(0)]
        raise InputError(f"{where}: {quoted(name, 60)} holds no frame number; expected digits as in {example}")
    # Runs of digits are counted from both ends, because a hash in the middle may contain any number of them. The last
    # run is tried first, so it is preferred among equals.
    readings = []
    for place in _places(fewest):
        reading = _reading(stems, [own[place] for own in runs], where, example)
        if len(reading.found) == 1:
            return reading
        readings.append(reading)
    fewest_recordings = min(readings, key=lambda reading: len(reading.found))
    if len(fewest_recordings.found) <= len(stems) / 2:
        return fewest_recordings
    unique = [reading for reading in readings if len(set(reading.numbers)) == len(stems)]
    if unique:
        densest = min(unique, key=lambda reading: (reading.span, not reading.padded))
        return replace(densest, recordings=(_GAP,) * len(stems))
    return fewest_recordings


def _places(runs: int) -> list[int]:
    return [place for n in range(runs) for place in (-1 - n, n)]


def _reading(stems: Sequence[str], runs: Sequence[re.Match[str]], where: str, example: str) -> _Reading:
    recordings, numbers = [], []
    for stem, run in zip(stems, runs, strict=True):
        number = parse_digits(run[0])
        if number is None:
            raise InputError(f"{where}: {quoted(stem, 60)} holds no frame number; expected digits as in {example}")
        recordings.append(f"{stem[: run.start()]}{_GAP}{stem[run.end() :]}")
        numbers.append(number)
    padded = len({len(run[0]) for run in runs}) == 1 and any(run[0].startswith("0") for run in runs)
    return _Reading(tuple(recordings), tuple(numbers), padded)
