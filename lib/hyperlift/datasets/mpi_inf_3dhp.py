"""Reads MPI-INF-3DHP in the format of video lifters: ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``.

Each holds one array ``data`` with a pickled dictionary: 3D joints in millimetres in camera axes and annotated 2D joints
in pixels, in the joint order of ``MPI_INF_3DHP_17``:

train   ``{"S1 Seq1": [{"0": {"data_2d": [F,17,2], "data_3d": [F,17,3]}, …}, fps], …}``, per camera
test    ``{"TS1": {"data_2d": [F,17,2], "data_3d": [F,17,3], "valid": [F]}, …}``

The 3D joints are the "universal" ones of the data set, scaled to one body height. Users provide the files; the licence
allows research only.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.npz import load_npz_array
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

SKELETON = MPI_INF_3DHP_17
CREDIT = "MPI-INF-3DHP (Mehta et al. 2017); its licence allows research only"

STUDIO_SIZE = (2048, 2048)
"""Width and height of the pictures in pixels, for the training set and TS1 to TS4."""
OUTDOOR_SIZE = (1920, 1080)
"""Width and height of the pictures in pixels, for ``OUTDOOR_SEQUENCES``."""
OUTDOOR_SEQUENCES = ("TS5", "TS6")

_TRAIN_NAME = re.compile(r"(?P<subject>S\d+) (?P<sequence>Seq\d+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequence3DHP:
    """A sequence, seen by one camera."""

    source: str
    """``TS1``, or ``S1_Seq1_cam0``."""
    subject: str
    sequence: str
    fps: float | None
    """None if the file does not state it (test)."""
    joints_px: Float[np.ndarray, "frames joints 2"]
    joints_mm: Float[np.ndarray, "frames joints 3"]
    """Absolute, in camera axes."""
    valid: Bool[np.ndarray, " frames"]
    """Whether the ground truth is valid; always true in the training set."""

    def __len__(self) -> int:
        return len(self.joints_px)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return OUTDOOR_SIZE if self.sequence in OUTDOOR_SEQUENCES else STUDIO_SIZE

    def every(self, n: int) -> "Sequence3DHP":
        """Every n-th frame of all arrays."""
        strided = {name: getattr(self, name)[::n] for name in ("joints_px", "joints_mm", "valid")}
        return Sequence3DHP(**{**vars(self), **strided, "fps": None if self.fps is None else self.fps / n})


@reader("3DHP training file")
def read_train(path: Path | str) -> Iterator[Sequence3DHP]:
    """Iterate over the sequences and cameras of the training file.

    Raises:
        InputError: the file is missing or holds no plain data, or a sequence is invalid.
    """
    path = Path(path)
    for name, entry in _sequences(path).items():
        named = _TRAIN_NAME.fullmatch(str(name))
        if named is None:
            raise InputError(
                f"{path}: names the sequence {quoted(name)}; expected names such as 'S1 Seq1' (a training file)"
            )
        is_pair = isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], Mapping)
        if not is_pair or not isinstance(entry[1], int | float | np.number) or not 0 < entry[1] < np.inf:
            raise InputError(f"{path}: {name} is not a pair of cameras and frames a second; make the file again")
        for camera, view in entry[0].items():
            where = f"{path}: {name}, camera {one_line(str(camera))}"
            joints_px, joints_mm = _joints(view, where)
            yield Sequence3DHP(
                source=f"{named['subject']}_{named['sequence']}_cam{camera}",
                subject=named["subject"],
                sequence=named["sequence"],
                fps=float(entry[1]),
                joints_px=joints_px,
                joints_mm=joints_mm,
                valid=np.ones(len(joints_px), bool),
            )


@reader("3DHP test file")
def read_test(path: Path | str) -> Iterator[Sequence3DHP]:
    """Iterate over the sequences of the test file.

    Raises:
        InputError: as for ``read_train``.
    """
    path = Path(path)
    for name, view in _sequences(path).items():
        where = f"{path}: {name}"
        if not re.fullmatch(r"TS\d+", str(name)):
            raise InputError(f"{path}: names the sequence {quoted(name)}; expected TS1 to TS6 (a test file)")
        joints_px, joints_mm = _joints(view, where)
        yield Sequence3DHP(
            source=str(name),
            subject=str(name),
            sequence=str(name),
            fps=None,
            joints_px=joints_px,
            joints_mm=joints_mm,
            valid=_numbers(view, "valid", (len(joints_px),), where) > 0,
        )


def _sequences(path: Path) -> Mapping[Any, Any]:
    array = load_npz_array(path, "data")
    content = array.item() if array.shape == () else None
    if not isinstance(content, Mapping) or not content:
        raise InputError(
            f"{path}: its array 'data' holds no dictionary of sequences; is it a *_3dhp.npz of MPI-INF-3DHP?"
        )
    return content


def _joints(view: Any, where: str) -> tuple[Float[np.ndarray, "frames joints 2"], Float[np.ndarray, "frames joints 3"]]:
    if not isinstance(view, Mapping) or not isinstance(view.get("data_2d"), np.ndarray) or not len(view["data_2d"]):
        raise InputError(f"{where}: has no array data_2d with frames in it; make the file again")
    frames, joints = len(view["data_2d"]), len(SKELETON)
    return (
        _numbers(view, "data_2d", (frames, joints, 2), where),
        _numbers(view, "data_3d", (frames, joints, 3), where),
    )


def _numbers(view: Mapping[str, Any], key: str, shape: tuple[int, ...], where: str) -> Float[np.ndarray, "..."]:
    remedy = "frames are counted by data_2d; mend or drop this sequence"
    return coordinates(view.get(key), shape, f"{where}: {key}", remedy)
