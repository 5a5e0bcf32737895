"""Converts MPI-INF-3DHP to a clip store for training and evaluation in either label space.

Labels in image space are root-relative joints at 1 mm per pixel, ``mm * 2 / width``, as lifters of this data set use
them, because its files contain no cameras. Therefore ``mm_per_px`` is 1, and the evaluation knows neither depth nor
size of a person. Labels in camera space come from ``joints_m``, as for motion capture.
"""

import logging
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from hyperlift.datasets.clip_plan import ClipPlan3DHP
from hyperlift.datasets.clip_store import LABEL_IS_PROJECTED, StoreMeta, StoreWriter, Video
from hyperlift.datasets.h36m_clips import new_splits
from hyperlift.datasets.mpi_inf_3dhp import CREDIT, SKELETON, Sequence3DHP, read_test, read_train
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError, missing_package
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.shapes import Float

_MM_PER_M = 1000.0
"""Unit conversion."""

logger = logging.getLogger(__name__)


def convert_mpi_inf_3dhp(train: Path | str, test: Path | str, out: Path | str, plan: ClipPlan3DHP) -> dict[str, int]:
    """Write ``out/train`` and ``out/test`` together atomically.

    Args:
        train: ``data_train_3dhp.npz``, or the folder of ``S1/Seq1/annot.mat`` etc.
        test: ``data_test_3dhp.npz``, or the folder of ``TS1/annot_data.mat`` etc.
        out: a new folder, or one without these splits.
        plan: options for cutting clips.

    Returns:
        Number of clips by split.

    Raises:
        InputError: a file is invalid, its frame rate is no multiple of that of the store, or a split exists already.
    """
    train, test = Path(train), Path(test)
    written = {}
    with new_splits(Path(out)) as folder:
        # The small file first, so that errors appear early.
        for split, path, sequences, stride in (
            ("test", test, _test_sequences(test), min(plan.test_stride, plan.n_frames)),
            ("train", train, _train_sequences(train), plan.stride),
        ):
            with StoreWriter(folder / split, _meta(plan, split, path, stride)) as writer:
                for video, arrays in _videos(sequences, plan, path):
                    writer.add_video(video, arrays)
                rows = clip_rows([(v.first, v.frames) for v in writer.videos], plan.n_frames, stride, plan.slicing)
                writer.finish(rows)
            written[split] = len(rows)
            logger.info("%s: %d clips of %d frames", split, len(rows), plan.n_frames)
    return written


def _train_sequences(path: Path) -> Iterator[Sequence3DHP]:
    return _matlab_files(path).read_train_folder(path) if path.is_dir() else read_train(path)


def _test_sequences(path: Path) -> Iterator[Sequence3DHP]:
    return _matlab_files(path).read_test_folder(path) if path.is_dir() else read_test(path)


def _matlab_files(folder: Path) -> ModuleType:
    """The module that reads MATLAB files; only it needs h5py."""
    try:
        return import_module("hyperlift.datasets.mpi_inf_3dhp_mat")
    except ModuleNotFoundError as error:
        if error.name != "h5py":
            raise
        raise missing_package("h5py", f"{folder}: reading MATLAB files needs") from error


def _videos(
    sequences: Iterable[Sequence3DHP], plan: ClipPlan3DHP, path: Path
) -> Iterator[tuple[Video, dict[str, Float[np.ndarray, "frames ..."]]]]:
    for original in sequences:
        fps = plan.test_fps if original.fps is None else original.fps
        every = round(fps / plan.fps)
        if every < 1 or every * plan.fps != fps:
            raise InputError(
                f"{path}: {original.source} has {fps:g} frames a second, no multiple of {plan.fps:g}; change `fps`"
            )
        sequence = original.every(every)
        width, height = (float(length) for length in sequence.size)
        root_mm = sequence.joints_mm[:, SKELETON.root, None]
        points = normalise_points(sequence.joints_px, width, height)
        arrays = {
            # The 2D joints are annotated, not detected: their confidence is 1.
            "pose2d_norm": np.concatenate([points, np.ones_like(points[..., :1])], -1),
            "label_norm": (sequence.joints_mm - root_mm) * (2.0 / width),
            "joints_m": sequence.joints_mm / _MM_PER_M,
            "truth_mm": sequence.joints_mm,
            "mm_per_px": np.ones(len(sequence)),
            "valid": sequence.valid,
        }
        video = Video(
            source=sequence.source,
            subject=sequence.subject,
            action=sequence.sequence,
            frames=len(sequence),
            width=width,
            height=height,
        )
        yield video, {name: array.astype(np.float32) for name, array in arrays.items()}


def _meta(plan: ClipPlan3DHP, split: str, source: Path, stride: int) -> StoreMeta:
    return StoreMeta(
        skeleton=SKELETON.name,
        fps=plan.fps,
        n_frames=plan.n_frames,
        stride=stride,
        slicing=plan.slicing,
        source=source.name,
        credit=CREDIT,
        details={"split": split, "label": "root-relative, one millimetre a pixel", LABEL_IS_PROJECTED: False},
    )
