"""A file or folder of keypoints before anybody knows who wrote it, and what a format has to say about itself."""

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
Kind = Literal["folder", "json", "table", "npy", "npz", "hdf5", "pickle", "unknown"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = ((b"PK\x03\x04", "npz"), (b"\x93NUMPY", "npy"), (b"\x89HDF\r\n\x1a\n", "hdf5"))


class Source:
    """What lies at a path; its content is parsed once, when a format first asks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def kind(self) -> Kind:
        """What it is, by its first bytes.

        Raises:
            InputError: it cannot be read.
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
        """The parsed JSON, its lists as ``JsonList``; None for anything else.

        Raises:
            InputError: it should be JSON and is not.
        """
        return read_json(self.path) if self.kind == "json" else None

    @property
    def json_list(self) -> Iterable[Any]:
        """The entries of JSON that is a list."""
        content = self.json
        assert isinstance(content, JsonList), "asked of a list alone"
        return content

    @property
    def rows(self) -> Rows:
        """The cells of a comma-separated table, read anew in every pass; empty for anything else."""
        return Rows(self.path if self.kind == "table" else None)

    @cached_property
    def head(self) -> list[list[str]]:
        """The first rows, in which headers are.

        Raises:
            InputError: it is no text.
        """
        return list(islice(self.rows, HEAD_ROWS))

    @cached_property
    def arrays(self) -> frozenset[str]:
        """Names of the arrays of an ``.npz``; empty for anything else.

        Raises:
            InputError: it is damaged.
        """
        if self.kind != "npz":
            return frozenset()
        with open_npz(self.path) as archive:
            return frozenset(archive)

    def files(self, pattern: str) -> list[Path]:
        """The matching files of a folder, sorted by name; none if it is no folder."""
        return sorted(self.path.glob(pattern)) if self.kind == "folder" else []


@dataclass(frozen=True)
class Hints:
    """What the user says about a file beyond the file."""

    skeleton: Skeleton | None = None
    picture_size: tuple[int, int] | None = None
    """Width and height of the video in pixels."""
    recording: str | None = None
    """A part of the name of the one recording that is wanted of a file with several."""

    def size_for(self, where: str) -> tuple[int, int]:
        """The picture size, for coordinates that are fractions of it.

        Raises:
            InputError: nobody gave it.
        """
        if self.picture_size is None:
            raise InputError(
                f"{where}: its coordinates are fractions of the picture; give the picture's size in pixels "
                "(`picture_size`) or the video"
            )
        return self.picture_size


@dataclass(frozen=True)
class Format:
    """One tool's way of writing keypoints."""

    name: str
    """As in ``LiftOptions.keypoint_format``."""
    what: str
    """What a user would have to bring, for messages."""
    fits: Callable[[Source], bool]
    """Whether the content has this layout; looks at keys and headers, never at the number of joints alone."""
    read: Callable[[Source, Hints], Detections]


def files_by_frame(files: list[Path], where: str, example: str, hints: Hints, suffix: str = "") -> dict[int, Path]:
    """Files, one a frame, by the frame numbers in their names, ascending.

    Args:
        files: of a folder.
        where: the folder, for messages.
        example: of a file's name, for messages.
        hints: which recording is wanted.
        suffix: end of the names that is no part of the picture's name.

    Raises:
        InputError: as ``frame_numbers``.
    """
    names = [file.name.removesuffix(suffix) for file in files]
    numbered = zip(frame_numbers(names, where, example, hints.recording), files, strict=True)
    return dict(sorted((frame, file) for frame, file in numbered if frame is not None))


def skeleton_by_count(joints: int, own: tuple[Skeleton, ...], hints: Hints, where: str, tool: str) -> Skeleton:
    """Which of a tool's own joint sets a person of so many joints is in; what the user says goes first.

    The tool is known by then: a number of joints on its own says nothing.

    Args:
        joints: how many the file has a person.
        own: the joint sets that the tool writes.
        hints: what the user says.
        where: file and frame, for messages.
        tool: its name, for messages.

    Raises:
        InputError: the tool has no such joint set and the user names none, or the named one has another size.
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
