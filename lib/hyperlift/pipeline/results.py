"""Results in a folder: the files that an earlier run wrote, and their replacement by new ones."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyperlift.errors import InputError, printable
from hyperlift.files.atomic import atomic_file
from hyperlift.files.swap import conflicting_files, identity, is_interrupted, publish, staging
from hyperlift.readers import reader

REPORT_NAME = "report.json"
FORMAT = "hyperlift-report"
VERSION = 2
"""Version of the report; version 1 lists names without content hashes."""
_SEAL = "report_sha256"
_LONGEST_NAME = 255
"""Longest file name in bytes on most systems (NAME_MAX); ``stat`` fails for longer ones."""

_OLD_FACTS_NAME = ".keypoints.json.made_from"
_OLD_KEYPOINTS = ("keypoints.json", "keypoints.recording.json")
"""Version 1 stored ``detected_from`` in a separate file."""
_AFTER_S = 2.0
"""Version 1 wrote the report last, so a file is its own if it is not newer. This tolerance is the resolution of time
stamps on FAT, 2 s."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Files that an earlier run wrote into a folder; empty without a report."""

    folder: Path
    report: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Content hash of each written file by name, including the report."""

    @classmethod
    @reader("report of results", remedy="give another output folder")
    def of(cls, folder: Path) -> "Results":
        """Read the report of a folder; a damaged or foreign one counts as none."""
        path = folder / REPORT_NAME
        try:
            content = path.read_bytes()
            report = json.loads(content)
            if report["format"] != FORMAT or report["version"] not in (1, VERSION):
                return cls(folder=folder)
            if report["version"] == 1:
                return cls(folder=folder, report=report, files=_files_of_version_1(folder, report))
            files = {_plain(name): str(facts["sha256"]) for name, facts in report["files"].items()}
            if not all(isinstance(facts["bytes"], int) for facts in report["files"].values()):
                return cls(folder=folder)
            if report.get(_SEAL) == _seal(report):
                files[REPORT_NAME] = hashlib.sha256(content).hexdigest()
            return cls(folder=folder, report=report, files=files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(folder=folder)

    @property
    def complete(self) -> bool:
        """Whether all files of the report exist with their size."""
        if is_interrupted(self.folder) or not self.report or self.report["version"] == 1:
            return False
        return all(_size(self.folder / name) == facts["bytes"] for name, facts in self.report["files"].items())

    def holds(self, name: str) -> bool:
        """Whether a file exists and has the content that the run wrote."""
        path = self.folder / name
        return name in self.files and path.is_file() and identity(path) == self.files[name]

    def replaceable(self, names: Iterable[str], inputs: Iterable[str], overwrite: bool) -> Mapping[str, str]:
        """The files that a run may replace or remove: ``swap.identity`` by name.

        Args:
            names: that the run writes.
            inputs: names of files in the folder that the run reads, which are never replaced.
            overwrite: also replace files of other origin.

        Raises:
            InputError: files would be replaced that no earlier run wrote, or that were changed since, without
                ``overwrite``.
        """
        staying = set(inputs)
        if taken := sorted(staying & set(names)):
            raise InputError(f"{self.folder / taken[0]}: would overwrite what it is made from; choose another output")
        foreign = conflicting_files(self.folder, {*names, *self.files} - staying, self.files)
        folders = [name for name in foreign if (self.folder / name).is_dir()]
        if folders:
            raise InputError(f"{self.folder / folders[0]}: is a folder; move it away or choose another output")
        if foreign and not overwrite:
            one = len(foreign) == 1
            raise InputError(
                f"{self.folder}: {', '.join(map(printable, foreign))} {'is' if one else 'are'} not as an earlier run "
                f"wrote {'it' if one else 'them'}; move {'it' if one else 'them'} away, choose another output folder "
                "(`out`), or let the new results take the place (`overwrite=True`)"
            )
        ours = {name: listed for name, listed in self.files.items() if name not in staying}
        return {**ours, **{name: identity(self.folder / name) for name in foreign}}


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder below ``folder`` for new results; errors state the final paths of files.

    Raises:
        InputError: ``folder`` cannot be written.
    """
    with staging(folder) as new:
        try:
            yield new
        except InputError as error:
            if str(new) in str(error):
                raise InputError(str(error).replace(str(new), str(folder))) from error
            raise


def bodies_in(folder: Path, stem: str, kinds: Iterable[str]) -> list[str]:
    """Names of files of one person, such as ``pose3d_p0.bvh``, in a folder."""
    pattern = re.compile(rf"{re.escape(stem)}_p\d+\.({'|'.join(map(re.escape, kinds))})", re.ASCII)
    return sorted(name for name in os.listdir(folder) if pattern.fullmatch(name)) if folder.is_dir() else []


def publish_results(
    new: Path, old: Results, content: Mapping[str, Any], over: Mapping[str, str], kept: Sequence[str]
) -> None:
    """Complete the report, and replace old results by new ones together.

    Args:
        new: folder of ``staged``.
        old: results in the folder.
        content: of the report, except the files.
        over: files that may be replaced or removed (``Results.replaceable``).
        kept: names of unchanged files that also belong to the new results.

    Raises:
        InputError: a file in the folder was created or changed during the run.
        OSError: the disk is full or broken.
    """
    folder = old.folder
    names = sorted(os.listdir(new))
    files = {name: _facts(new / name) for name in names} | {name: _facts(folder / name) for name in kept}
    report = {"format": FORMAT, "version": VERSION, **content, "files": files}
    report[_SEAL] = _seal(report)
    with atomic_file(new / REPORT_NAME) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    gone = {name: over[name] for name in obsolete(old, over, [*names, *kept, REPORT_NAME])}
    publish(new, folder, over=over, gone=gone, seal=REPORT_NAME)


def obsolete(old: Results, over: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Names of files of an earlier run that are not among the new results."""
    staying = set(names)
    return [name for name in old.files if name in over and name not in staying and (old.folder / name).exists()]


def _facts(path: Path) -> dict[str, Any]:
    return {"sha256": identity(path), "bytes": path.stat().st_size}


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _seal(report: Mapping[str, Any]) -> str:
    """Hash of the rest of a report, which shows later edits."""
    content = {key: value for key, value in report.items() if key != _SEAL}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files_of_version_1(folder: Path, report: Mapping[str, Any]) -> dict[str, str]:
    names = [_plain(name) for name in report["outputs"]]
    last = dict.fromkeys(names, folder / REPORT_NAME)
    if (folder / _OLD_FACTS_NAME).is_file():
        last |= dict.fromkeys((*_OLD_KEYPOINTS, _OLD_FACTS_NAME), folder / _OLD_FACTS_NAME)
    return {
        name: identity(folder / name)
        for name, report_path in last.items()
        if (folder / name).is_file() and (folder / name).stat().st_mtime <= report_path.stat().st_mtime + _AFTER_S
    }


def _plain(name: object) -> str:
    """Validate a name in a report: a manipulated report could cause files in other folders to be removed."""
    if not isinstance(name, str) or Path(name).name != name or len(os.fsencode(name)) > _LONGEST_NAME:
        raise ValueError(name)
    return name
