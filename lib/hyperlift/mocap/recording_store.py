"""Many recordings in one file: read from it when they are asked for, shared by all processes through its pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.joint_sets import H36M_17

_NUMBERS_A_FRAME = len(H36M_17) * 3


@dataclass(frozen=True, kw_only=True)
class ShelfEntry:
    """What is known of a recording without reading it."""

    name: str
    subject: str
    group: str
    fps: float
    first: int
    frames: int
    dataset: str = ""
    unmeasured: tuple[str, ...] = ()


class RecordingShelf(Sequence[Recording]):
    """Recordings of ``H36M_17`` whose joints lie in one file of float32, frame after frame.

    Recordings are added in turn. The joints of a recording that is taken out are a memory map. A shelf that is handed
    to another process takes the list of its recordings along, not the joints; the file must stay while it is in use.
    """

    def __init__(self, path: Path, entries: Iterable[ShelfEntry] | None = None) -> None:
        """Begin an empty shelf, or one with recordings that lie in the file already."""
        self.path = path
        self.entries = list(entries or ())
        if entries is None:
            path.write_bytes(b"")

    def add(self, recording: Recording) -> None:
        """Append a recording."""
        joints_m = np.ascontiguousarray(recording.joints_m, "<f4")
        with self.path.open("ab") as file:
            first = file.tell() // (4 * _NUMBERS_A_FRAME)
            file.write(joints_m.tobytes())
        self.entries.append(
            ShelfEntry(
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
    def __getitem__(self, index: slice) -> "RecordingShelf": ...
    def __getitem__(self, index: "int | slice") -> "Recording | RecordingShelf":
        if isinstance(index, slice):
            return RecordingShelf(self.path, self.entries[index])
        entry = self.entries[index]
        shape = (entry.frames, len(H36M_17), 3)
        joints_m = np.memmap(self.path, "<f4", "r", offset=entry.first * 4 * _NUMBERS_A_FRAME, shape=shape)
        return Recording(
            name=entry.name,
            subject=entry.subject,
            group=entry.group,
            fps=entry.fps,
            joints_m=joints_m,
            dataset=entry.dataset,
            unmeasured=entry.unmeasured,
        )
