"""A keypoint file or folder before its format is known (``Source``), and the interface of a format (``Format``)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.json_stream import JsonList, read_json
from hyperlift.keypoints.formats.picture_names import frame_numbers
from hyperlift.keypoints.formats.tables import Rows, encoding_of
from hyperlift.safe_io.npz import open_npz
from hyperlift.skeletons.skeleton import Skeleton

HEAD_ROWS = 20
"""Rows of a table that formats inspect. Chosen: headers have up to four rows."""
Kind = Literal["folder", "json", "table", "npy", "npz", "hdf5", "pickle", "unknown"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = ((b"PK\x03\x04", "npz"), (b"\x93NUMPY", "npy"), (b"\x89HDF\r\n\x1a\n", "hdf5"))


class Source:
    """A file or folder; its content is parsed once, on first access."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def kind(self) -> Kind:
        """Kind of file, from its first bytes.

        Raises:
            InputError: the file cannot be read.
        """
        if self.path.is_dir():
            return "folder"
        try:
            with self.path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror}); check the path") from error
        for magic, kind in _MAGIC:
            if start.startswith(magic):
                return kind
        if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            return "pickle"
        text = start.decode(encoding_of(start), errors="replace").lstrip()
        if text[:1] in ("{", "[") or self.path.suffix.lower() == ".json":
            return "json"
        return "table" if "\x00" not in text and any(mark in text for mark in ",;\t") else "unknown"

    @cached_property
    def json(self) -> object:
        """The parsed JSON, with lists as ``JsonList``; None for other kinds.

        Raises:
            InputError: the JSON is invalid.
        """
        return read_json(self.path) if self.kind == "json" else None

    @property
    def json_list(self) -> Iterable[Any]:
        """The parsed JSON, which must be a list."""
        content = self.json
        assert isinstance(content, JsonList), "the caller has checked this"
        return content

    @property
    def rows(self) -> Rows:
        """The rows of a table, read from the file in every iteration; empty for other kinds."""
        return Rows(self.path if self.kind == "table" else None)

    @cached_property
    def head(self) -> list[list[str]]:
        """The first ``HEAD_ROWS`` rows.

        Raises:
            InputError: the file is not text.
        """
        return list(islice(self.rows, HEAD_ROWS))

    @cached_property
    def arrays(self) -> frozenset[str]:
        """Names of the arrays of an ``.npz``; empty for other kinds.

        Raises:
            InputError: the file is damaged.
        """
        if self.kind != "npz":
            return frozenset()
        with open_npz(self.path) as archive:
            return frozenset(archive)

    def files(self, pattern: str) -> list[Path]:
        """The matching files of a folder, sorted by name; empty for other kinds."""
        return sorted(self.path.glob(pattern)) if self.kind == "folder" else []


@dataclass(frozen=True)
class Hints:
    """Information from the user that the file may not contain."""

    skeleton: Skeleton | None = None
    picture_size: tuple[int, int] | None = None
    """Width and height of the video in pixels."""
    recording: str | None = None
    """A part of the name of the recording, for a file with several."""

    def size_for(self, where: str) -> tuple[int, int]:
        """The picture size, for normalised coordinates.

        Raises:
            InputError: the user did not give it.
        """
        if self.picture_size is None:
            raise InputError(
                f"{where}: its coordinates are fractions of the picture; give the picture's size in pixels "
                "(`picture_size`) or the video"
            )
        return self.picture_size


@dataclass(frozen=True)
class Format:
    """A keypoint format."""

    name: str
    """Value of ``LiftOptions.keypoint_format``."""
    what: str
    """Description for messages, such as "a DeepLabCut CSV"."""
    fits: Callable[[Source], bool]
    """Recognises the format by keys and headers, never by the number of joints alone."""
    read: Callable[[Source, Hints], Detections]


def files_by_frame(files: list[Path], where: str, example: str, hints: Hints, suffix: str = "") -> dict[int, Path]:
    """Map ascending frame numbers to files that contain one frame each.

    Args:
        files: the files of a folder.
        where: the folder, for messages.
        example: name of such a file, for messages.
        hints: for the selection of a recording.
        suffix: end of the names, to be removed before parsing.

    Raises:
        InputError: as for ``frame_numbers``.
    """
    names = [file.name.removesuffix(suffix) for file in files]
    numbered = zip(frame_numbers(names, where, example, hints.recording), files, strict=True)
    return dict(sorted((frame, file) for frame, file in numbered if frame is not None))


def skeleton_by_count(joints: int, own: tuple[Skeleton, ...], hints: Hints, where: str, tool: str) -> Skeleton:
    """Select the joint set of a known tool by the number of joints; the choice of the user takes precedence.

    Args:
        joints: number of joints per person in the file.
        own: the joint sets of the tool.
        hints: see ``Hints``.
        where: file and frame, for messages.
        tool: name of the tool, for messages.

    Raises:
        InputError: the tool has no joint set of this size and the user gave none, or the given one has another size.
    """
    if hints.skeleton is not None:
        if len(hints.skeleton) != joints:
            raise InputError(
                f"{where}: {joints} joints a person; the skeleton {hints.skeleton.name} has {len(hints.skeleton)}"
            )
        return hints.skeleton
    for skeleton in own:
        if len(skeleton) == joints:
            return skeleton
    expected = ", ".join(f"{len(skeleton)} ({skeleton.name})" for skeleton in own)
    raise InputError(
        f"{where}: {joints} joints a person; expected {expected} of {tool}. "
        "If you know which joints these are, name them (`skeleton`)"
    )
