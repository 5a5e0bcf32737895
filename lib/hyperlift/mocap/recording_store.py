"""Stores many recordings in one memory-mapped file, which processes share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.joint_sets import H36M_17

_NUMBERS_PER_FRAME = len(H36M_17) * 3
"""x, y, z of all joints."""


@dataclass(frozen=True, kw_only=True)
class StoredRecording:
    """Metadata of a stored recording."""

    name: str
    subject: str
    group: str
    fps: float
    first: int
    frames: int
    dataset: str = ""
    unmeasured: tuple[str, ...] = ()


class RecordingStore(Sequence[Recording]):
    """Recordings of ``H36M_17`` in one file of float32 frames.

    Joints of a recording are a memory map. Pickling a store for another process transfers its list of recordings only;
    the file must exist while the store is in use.
    """

    def __init__(self, path: Path, entries: Iterable[StoredRecording] | None = None) -> None:
        """Create an empty store, or open one with recordings that are in the file already."""
        self.path = path
        self.entries = list(entries or ())
        if entries is None:
            path.write_bytes(b"")

    def add(self, recording: Recording) -> None:
        """Append a recording."""
        joints_m = np.ascontiguousarray(recording.joints_m, "<f4")
        with self.path.open("ab") as file:
            first = file.tell() // (4 * _NUMBERS_PER_FRAME)
            file.write(joints_m.tobytes())
        self.entries.append(
            StoredRecording(
                name=recording.name,
                subject=recording.subject,
                group=recording.group,
                fps=recording.fps,
                first=first,
                frames=len(joints_m),
                dataset=recording.dataset,
                unmeasured=recording.unmeasured,
            )
        )

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> "RecordingStore": ...
    def __getitem__(self, index: "int | slice") -> "Recording | RecordingStore":
        if isinstance(index, slice):
            return RecordingStore(self.path, self.entries[index])
        entry = self.entries[index]
        shape = (entry.frames, len(H36M_17), 3)
        joints_m = np.memmap(self.path, "<f4", "r", offset=entry.first * 4 * _NUMBERS_PER_FRAME, shape=shape)
        return Recording(
            name=entry.name,
            subject=entry.subject,
            group=entry.group,
            fps=entry.fps,
            joints_m=joints_m,
            dataset=entry.dataset,
            unmeasured=entry.unmeasured,
        )
