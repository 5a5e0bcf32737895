"""Converts the Human3.6M pickle to a clip store, or to older folders with one pickle per clip."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hyperlift.choices import ClipFormat
from hyperlift.datasets import h36m
from hyperlift.datasets.clip_plan import ClipPlan
from hyperlift.datasets.clip_store import StoreMeta, StoreWriter
from hyperlift.datasets.h36m import SplitName
from hyperlift.datasets.pickle_clips import write_pickle_clips
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_folder
from hyperlift.files.locks import folder_lock
from hyperlift.files.swap import complete_swap, is_interrupted, publish, staging

logger = logging.getLogger(__name__)


def convert_h36m(
    source: Path | str, out: Path | str, plan: ClipPlan, clip_format: ClipFormat = "store"
) -> dict[str, int]:
    """Write ``out/train`` and ``out/test`` together atomically.

    Args:
        source: the pickle.
        out: a new folder, or one without these splits (it may contain the source).
        plan: options for cutting clips.
        clip_format: ``store``, or ``pkl`` for one pickle per clip.

    Returns:
        Number of clips by split.

    Raises:
        InputError: the source is invalid, or a split exists already.
    """
    source, out = Path(source), Path(out)
    _refuse_taken(out)  # before minutes of reading
    splits = h36m.read_h36m(source)
    with new_splits(out) as folder:
        written = {}
        for split, frames in splits.items():
            frames = frames.every(plan.tds)
            rows = clip_rows(
                h36m.video_runs(frames),
                plan.n_frames,
                plan.stride if split == "train" else plan.test_stride,
                plan.slicing,
            )
            if clip_format == "pkl":
                write_pickle_clips(
                    folder / split, (arrays for _, arrays in h36m.videos(frames, source)), rows, plan.n_frames
                )
            else:
                with StoreWriter(folder / split, _meta(plan, split, source)) as writer:
                    for video, arrays in h36m.videos(frames, source):
                        writer.add_video(video, arrays)
                    writer.finish(rows)
            written[split] = len(rows)
            logger.info("%s: %d frames in %d clips of %d", split, len(frames), len(rows), plan.n_frames)
    return written


@contextmanager
def new_splits(out: Path) -> Iterator[Path]:
    """Yield a temporary folder whose splits move to ``out`` together if the block succeeds.

    Raises:
        InputError: ``out`` is a file, or a split exists already.
    """
    _refuse_taken(out)
    if not out.exists():
        with atomic_folder(out) as folder:
            yield folder
        return
    with folder_lock(out), staging(out) as folder:
        yield folder
        publish(folder, out)


def _refuse_taken(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a folder for the clips")
    if is_interrupted(out):  # a conversion was interrupted while it moved its splits
        with folder_lock(out):
            complete_swap(out)
    for split in h36m.SPLITS:
        if (out / split).exists():
            raise InputError(f"{out / split}: already exists; remove it or choose another `out`")


def _meta(plan: ClipPlan, split: SplitName, source: Path) -> StoreMeta:
    return StoreMeta(
        skeleton=h36m.SKELETON.name,
        fps=h36m.FPS / plan.tds,
        n_frames=plan.n_frames,
        stride=plan.stride if split == "train" else plan.test_stride,
        slicing=plan.slicing,
        source=source.name,
        credit=h36m.CREDIT,
        details={"temporal_downsampling": plan.tds, "split": split},
    )
