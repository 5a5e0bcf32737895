"""State of the input files of a job by content, recorded at its start and compared at its end."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import hyperlift
from hyperlift.errors import InputError, valid_unicode
from hyperlift.files.swap import file_hash
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.recording_source import is_video
from hyperlift.runtime.loading import bundled_file

_ATTEMPTS = 3
"""Attempts to hash a file that changes meanwhile. Chosen: a file that changes three times is being written."""


@dataclass(frozen=True)
class Inputs:
    """State of the input files of a job."""

    files: Mapping[Path, Mapping[str, str]]
    """Name, stamp and content hash of each file or folder."""
    aside: Path
    """The folder of the results, whose files do not count if it is inside of a source folder."""

    @classmethod
    def now(cls, paths: Iterable[Path], aside: Path) -> "Inputs":
        """Record the current state.

        Raises:
            InputError: a file cannot be read, or is being written.
        """
        return cls({path: file_state(path, aside) for path in paths}, aside)

    def check_unchanged(self) -> None:
        """Check that no file has changed; files with a new stamp are compared by content.

        Raises:
            InputError: a file was replaced or changed.
        """
        for path, state in self.files.items():
            if not is_still(state, path, self.aside):
                raise InputError(
                    f"{path}: changed while it was being lifted, so its results were not kept; lift it again when it "
                    "is complete"
                )


def file_state(path: Path, aside: Path) -> dict[str, str]:
    """Name, stamp and content hash of a file, or of a folder with everything in it.

    Args:
        path: of the file or folder.
        aside: folder whose files are ignored.

    Raises:
        InputError: the file cannot be read, or is being written.
    """
    try:
        for _ in range(_ATTEMPTS):
            stamp = _stamp(path, aside)
            content = _content(str(path), stamp, str(aside))
            if _stamp(path, aside) == stamp:
                return {"name": valid_unicode(path.name), "stamp": stamp, "sha256": content}
    except OSError as error:
        raise _unreadable(path, error) from error
    raise InputError(f"{path}: is being written; lift it when it is complete")


def is_still(state: Mapping[str, Any], path: Path, aside: Path) -> bool:
    """Whether a file or folder has the name and content of a recorded state.

    A stamp has size, mtime, ctime and inode. The last two are set by the file system only, so equal stamps mean equal
    content, and the file is not read. Otherwise (the file was copied, touched or moved) the content is compared.

    Raises:
        InputError: the file cannot be read.
    """
    if state["name"] != valid_unicode(path.name):
        return False
    try:
        if state["stamp"] == _stamp(path, aside):
            return True
    except OSError as error:
        raise _unreadable(path, error) from error
    return state["sha256"] == file_state(path, aside)["sha256"]


def options_by_content(options: LiftOptions) -> dict[str, Any]:
    """Options as JSON values, with files replaced by the hash of their content.

    Raises:
        InputError: a file cannot be read.
    """
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    plain = {name: content_of(value) if isinstance(value, Path) else value for name, value in values.items()}
    return json.loads(json.dumps(plain))


def option_files(options: LiftOptions) -> list[Path]:
    """The files that options name."""
    values = [getattr(options, field.name) for field in fields(options)]
    return [value for value in values if isinstance(value, Path) and value.is_file()]


def content_of(path: Path) -> str:
    """Content hash of a file; other values, such as intrinsics of four numbers, as text.

    Raises:
        InputError: the file cannot be read.
    """
    return file_state(path, Path())["sha256"] if path.is_file() else valid_unicode(path)


def weights_hash(model: str) -> str:
    """Content hash of the weights of a lifter; also of a bundled one, which can change with the package."""
    if (file := bundled_file(model)) is not None:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    return content_of(Path(model))


def detected_from(source: Mapping[str, str], options: LiftOptions) -> dict[str, Any]:
    """Everything that the detections in a video depend on.

    Args:
        source: state of the video.
        options: name the detector; networks of rtmlib are hashed by content.
    """
    networks = [None if path is None else content_of(path) for path in (options.det_onnx, options.pose_onnx)]
    return {
        "source": source["sha256"],
        "detector": options.detector,
        "networks": [*networks, options.skeleton, options.rtmlib_download] if options.detector == "rtmlib" else [],
        "allow_truncated": options.allow_truncated,
        "hyperlift": hyperlift.__version__,
    }


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such {'video' if is_video(path) else 'file or folder'}; check the path")
    return InputError(f"{path}: cannot be read ({error.strerror}); check the path")


def _stamp(path: Path, aside: Path) -> str:
    if not path.is_dir():
        return _file_stamp(path)
    return _joined([f"{inside.relative_to(path)} {_file_stamp(inside)}" for inside in _inside(path, aside)])


def _file_stamp(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"


@lru_cache(maxsize=64)
def _content(path: str, stamp: str, aside: str) -> str:
    """Content hash, cached by path and stamp, because many jobs share networks."""
    if not os.path.isdir(path):
        return file_hash(Path(path))
    inside = _inside(Path(path), Path(aside))
    return _joined([f"{found.relative_to(path)} {file_hash(found)}" for found in inside])


def _inside(folder: Path, aside: Path) -> list[Path]:
    """Files below a folder, sorted, without hidden files and those of ``aside``."""
    found, aside = [], aside.resolve()
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and (Path(where) / name).resolve() != aside]
        found += [Path(where) / name for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())


def _joined(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
