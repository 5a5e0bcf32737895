"""Journal of detections on disk, with which an interrupted run is resumed.

The file starts with ``MAGIC``. Records follow, each with a length, a digest and a payload. The first record states what
the detections were made from; each further one holds some frames and the state of the detector after the last of them.
A record that was truncated by an interruption does not match its digest and is ignored.
"""

import json
import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hyperlift.detection.detector import Detector, ResumableDetector
from hyperlift.errors import InputError, one_line
from hyperlift.keypoints.detections import Detection
from hyperlift.readers import reader
from hyperlift.skeletons.skeleton import Skeleton

MAGIC = b"HLDETJ1\n"
WRITE_EVERY_S = 2.0
"""Interval of writes: a killed run loses this time and one frame. Chosen: short against a run."""
_HEAD = struct.Struct("<Q16s")
"""Header of a record: length of the payload and its digest."""
_NUMBER = np.dtype("<f8")

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class JournalFile:
    """Path of the journal of a run, and what its detections depend on.

    Example:
        >>> from pathlib import Path
        >>> from itertools import islice
        >>> from hyperlift.detection.detector import detect_video
        >>> from hyperlift.detection.journal import JournalFile
        >>> from hyperlift.detection.registry import make_detector
        >>> from hyperlift.video.reading import read_frames
        >>> detector = make_detector("movenet-fast")
        >>> frames = islice(read_frames("examples/multiperson.mp4"), 2)
        >>> with JournalFile(Path("video.journal"), made_from="multiperson.mp4").opened(detector) as journal:
        ...     detections = detect_video(frames, detector, log=journal)
        >>> with JournalFile(Path("video.journal"), made_from="multiperson.mp4").opened(detector) as journal:
        ...     journal.next_frame  # the next run continues here
        2
    """

    path: Path
    made_from: str
    """The video, options and networks of the detector, and the version of the package. A journal with other facts, or
    of a detector with another name or other joints, is not resumed."""
    write_every_s: float = WRITE_EVERY_S

    @contextmanager
    def opened(self, detector: Detector) -> "Iterator[Journal | None]":
        """Read the detections of an earlier run, restore the detector, and open the journal for writing.

        All detections are on disk when the block ends, also after an exception. The file is kept until ``remove``.

        Args:
            detector: is reset, or restored to its state after the last frame of the journal.

        Yields:
            The journal; None for a detector that cannot be restored.

        Raises:
            InputError: the file is no journal, or cannot be written.
        """
        detector.reset()
        if not isinstance(detector, ResumableDetector):
            _LOG.info("%s has no state() and restore(): an interrupted run starts again from frame 0", detector.name)
            yield None
            return
        facts = {"made_from": self.made_from, "detector": detector.name, "skeleton": detector.skeleton.name}
        with _writable(self.path) as descriptor:
            kept = _restored(self.path, json.dumps(facts, sort_keys=True), detector)
            journal = Journal(self, descriptor, detector, kept)
            try:
                yield journal
            except BaseException:
                with suppress(InputError):  # the first error is raised
                    journal.write()
                if journal.next_frame:
                    _LOG.info("detections are kept; the next run continues at frame %d", journal.next_frame)
                raise
            journal.write()

    def remove(self) -> None:
        """Delete the file, after the detections were stored elsewhere."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Kept:
    """The complete records of a journal."""

    facts: str = ""
    """The first record: what the detections were made from."""
    frames: dict[int, list[Detection]] = field(default_factory=dict)
    state: Any = None
    """State of the detector after the last frame."""
    length: int = 0
    """Bytes up to the end of the last complete record."""


@reader("journal of detections")
def read_journal(path: Path, facts: str, skeleton: Skeleton) -> Kept:
    """Read the complete records of a journal.

    Args:
        path: of the journal, which may be empty.
        facts: expected first record; if it differs, only the facts are read.
        skeleton: of the detector.

    Raises:
        InputError: the file is no journal, or its frames are out of order.
    """
    with path.open("rb") as file:
        if not MAGIC.startswith(file.read(len(MAGIC))):
            raise InputError(f"{path}: is no journal of detections; move it away, or choose another output")
        records = _records(file)
        first, length = next(records, (b"", 0))
        if first != facts.encode():
            return Kept(first.decode(), length=length)
        frames, state, last = dict[int, list[Detection]](), None, -1
        for payload, end in records:
            more, state = _unpacked(payload, len(skeleton))
            for index in more:
                if type(index) is not int or index <= last:
                    raise InputError(f"{path}: the frames of this journal are out of order; delete it")
                last = index
            frames |= more
            length = end
    return Kept(facts, frames, state, length)


class Journal:
    """An open journal, from ``JournalFile.opened``."""

    def __init__(self, described: JournalFile, descriptor: int, detector: ResumableDetector, kept: Kept) -> None:
        self._path, self._every_s = described.path, described.write_every_s
        self._descriptor, self._detector = descriptor, detector
        self._waiting: list[tuple[int, list[Detection]]] = []
        self._state: Any = None
        self._end, self._written_s = kept.length, time.monotonic()
        self.found = kept.frames
        """Detections of earlier runs by frame."""
        self.next_frame = max(kept.frames, default=-1) + 1
        """The first frame without detections."""
        if not self._end:
            self._append(MAGIC + _record(kept.facts.encode()))

    def add(self, index: int, people: list[Detection]) -> None:
        """Add the detections of the next frame, directly after the detector returned them; written every 2 s.

        Raises:
            InputError: the file cannot be written, or the state of the detector is not plain JSON.
        """
        self._waiting.append((index, people))
        self._state = self._detector.state()
        if time.monotonic() - self._written_s >= self._every_s:
            self.write()

    def write(self) -> None:
        """Write all frames so far to the disk.

        Raises:
            InputError: as for ``add``.
        """
        if self._waiting:
            try:
                payload = _packed(self._waiting, self._state)
            except (TypeError, ValueError, RecursionError) as error:
                raise InputError(
                    f"the detector {self._detector.name} gives a state() that is not made of plain JSON values "
                    f"({error}); return dictionaries, lists, text and numbers"
                ) from error
            self._append(_record(payload))
            self.next_frame = self._waiting[-1][0] + 1
            self._waiting = []
        self._written_s = time.monotonic()

    def _append(self, record: bytes) -> None:
        """Write after the last complete record; a truncated record is overwritten."""
        try:
            os.ftruncate(self._descriptor, self._end)
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            rest = memoryview(record)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise InputError(
                f"{self._path}: the journal of detections cannot be written ({error.strerror}); free disk space and "
                "start again: the run continues where it ended"
            ) from error
        self._end += len(record)


@contextmanager
def _writable(path: Path) -> Iterator[int]:
    # O_NOFOLLOW: a symbolic link at this path could point to another file.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise InputError(
            f"{path}: the journal of detections cannot be written ({error.strerror}); choose another output"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _restored(path: Path, facts: str, detector: ResumableDetector) -> Kept:
    """Read a journal and restore the detector; an empty journal if it cannot be resumed."""
    empty = Kept(facts)
    try:
        kept = read_journal(path, facts, detector.skeleton)
    except InputError as error:
        with path.open("rb") as file:
            if not MAGIC.startswith(file.read(len(MAGIC))):
                raise
        _LOG.warning("%s; detection starts again from frame 0", error)
        return empty
    if kept.facts != facts:
        if kept.facts:
            _LOG.warning("%s: is of another video, detector or version; detection starts again from frame 0", path)
        return empty
    if kept.frames:
        try:
            detector.restore(kept.state)
        except Exception as error:  # a detector of the user may raise anything
            reason = one_line(str(error))
            _LOG.warning("%s: %s cannot resume (%s); it starts again from frame 0", path, detector.name, reason)
            detector.reset()
            return empty
    return kept


def _record(payload: bytes) -> bytes:
    return _HEAD.pack(len(payload), _digest(payload)) + payload


def _records(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Payloads in order with the file position after each; stops before an incomplete record."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    while left >= _HEAD.size:
        length, digest = _HEAD.unpack(file.read(_HEAD.size))
        left -= _HEAD.size + length
        if left < 0:
            return
        payload = file.read(length)
        if _digest(payload) != digest:
            return
        yield payload, file.tell()


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=16).digest()


def _packed(frames: list[tuple[int, list[Detection]]], state: Any) -> bytes:
    """A line of JSON (frame numbers with the track ids in each, and the state), then all keypoints as float64."""
    ids = [[index, [None if p.track_id is None else int(p.track_id) for p in people]] for index, people in frames]
    points = [person.keypoints_px.astype(_NUMBER).tobytes() for _, people in frames for person in people]
    return json.dumps({"frames": ids, "state": state}).encode() + b"\n" + b"".join(points)


def _unpacked(payload: bytes, joints: int) -> tuple[dict[int, list[Detection]], Any]:
    line, _, numbers = payload.partition(b"\n")
    content = json.loads(line)
    points = iter(np.frombuffer(numbers, _NUMBER).reshape(-1, joints, 3).astype(np.float64))
    frames = {index: [Detection(next(points), track) for track in tracks] for index, tracks in content["frames"]}
    return frames, content["state"]
