"""Reads the original files of MPI-INF-3DHP: MATLAB files, one folder per sequence.

train   ``S1/Seq1/annot.mat`` … ``S8/Seq2/annot.mat`` (MATLAB 5): ``annot2`` and ``univ_annot3`` are cells, one per
        camera, of [F,56] pixels and [F,84] millimetres: 28 joints with x y (z) each.
test    ``TS1/annot_data.mat`` … ``TS6/annot_data.mat`` (MATLAB 7.3, which is HDF5): ``annot2`` [F,1,17,2],
        ``univ_annot3`` [F,1,17,3] and ``valid_frame`` [F,1], axes in the order of HDF5.

Both give the sequences that ``mpi_inf_3dhp`` reads from the files of video lifters, which derive from these files.
Source: README of the data set and ``mpii_get_joint_set.m``, ``mpii_get_sequence_info.m`` (Mehta et al. 2017).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.datasets.mpi_inf_3dhp import Sequence3DHP
from hyperlift.errors import InputError
from hyperlift.safe_io.matlab import load_mat5, load_mat73
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

TRAIN_JOINTS = 28
"""Joints in the training files (README of the data set)."""
_OF_TRAIN = dict(
    **{"HeadTop": 7, "Neck": 5, "RShoulder": 14, "RElbow": 15, "RWrist": 16, "LShoulder": 9, "LElbow": 10},
    **{"LWrist": 11, "RHip": 23, "RKnee": 24, "RAnkle": 25, "LHip": 18, "LKnee": 19, "LAnkle": 20},
    **{"Pelvis": 4, "Spine": 3, "Head": 6},
)
"""Indices of the 17 joints among the 28 of the training files."""

TRAIN_CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
"""Cameras at chest and knee height, on which video lifters are trained; the others are at the ceiling."""

_FPS = 25.0
"""Frame rate of training sequences (``mpii_get_sequence_info.m``)."""
_FAST, _FAST_FPS = (("S1", "Seq2"), ("S3", "Seq1"), ("S3", "Seq2"), ("S5", "Seq1"), ("S5", "Seq2")), 50.0
"""Training sequences of another frame rate, and that rate (``mpii_get_sequence_info.m``)."""


def read_train_folder(folder: Path | str, cameras: tuple[int, ...] = TRAIN_CAMERAS) -> Iterator[Sequence3DHP]:
    """Iterate over the sequences and cameras of ``S*/Seq*/annot.mat``.

    Raises:
        InputError: there is no such file, or a file is invalid.
    """
    for path, subject, sequence in _found(Path(folder), "S*/Seq*/annot.mat", r"(S\d+)/(Seq\d+)"):
        content = load_mat5(path, ["annot2", "univ_annot3"])
        for camera in cameras:
            where = f"{path}: camera {camera}"
            joints_px, joints_mm = (_train_joints(content, key, camera, where) for key in ("annot2", "univ_annot3"))
            if len(joints_px) != len(joints_mm):
                raise InputError(f"{where}: {len(joints_px)} frames of 2D, {len(joints_mm)} of 3D; copy it again")
            yield Sequence3DHP(
                source=f"{subject}_{sequence}_cam{camera}",
                subject=subject,
                sequence=sequence,
                fps=_FAST_FPS if (subject, sequence) in _FAST else _FPS,
                joints_px=joints_px,
                joints_mm=joints_mm,
                valid=np.ones(len(joints_px), bool),
            )


def read_test_folder(folder: Path | str) -> Iterator[Sequence3DHP]:
    """Iterate over the sequences of ``TS*/annot_data.mat``.

    Raises:
        InputError: as for ``read_train_folder``.
    """
    for path, name in _found(Path(folder), "TS*/annot_data.mat", r"(TS\d+)"):
        arrays = load_mat73(path, ["annot2", "univ_annot3", "valid_frame"])
        valid, remedy = arrays["valid_frame"].reshape(-1) > 0, "frames are counted by valid_frame; copy the file again"
        joints_px, joints_mm = (
            coordinates(arrays[key], (len(valid), 1, len(MPI_INF_3DHP_17), numbers), f"{path}: {key}", remedy)
            for key, numbers in (("annot2", 2), ("univ_annot3", 3))
        )
        yield Sequence3DHP(
            source=name,
            subject=name,
            sequence=name,
            fps=None,
            joints_px=joints_px[:, 0],
            joints_mm=joints_mm[:, 0],
            valid=valid,
        )


def _found(folder: Path, files: str, names: str) -> Iterator[tuple[Any, ...]]:
    """Files in sorted order, with the names of their folders."""
    matches = [(path, re.fullmatch(names, path.parent.relative_to(folder).as_posix())) for path in folder.glob(files)]
    found = sorted((match.groups(), path) for path, match in matches if match)
    if not found:
        raise InputError(f"{folder}: holds no {files}; give the folder that MPI-INF-3DHP was unpacked into")
    for parts, path in found:
        yield path, *parts


def _train_joints(content: dict[str, Any], key: str, camera: int, where: str) -> Float[np.ndarray, "frames joints _"]:
    cells, numbers = content.get(key), 2 if key == "annot2" else 3
    if not isinstance(cells, np.ndarray) or cells.dtype != object or cells.size <= camera:
        raise InputError(f"{where}: {key} is absent or no cell a camera; copy the file again")
    array = cells.reshape(-1)[camera]
    array = coordinates(array, (None, TRAIN_JOINTS * numbers), f"{where}: {key}", "copy the file again")
    every = array.astype(np.float64).reshape(len(array), TRAIN_JOINTS, numbers)
    return every[:, [_OF_TRAIN[joint] for joint in MPI_INF_3DHP_17.joints]]
