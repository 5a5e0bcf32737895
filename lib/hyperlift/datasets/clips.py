"""Training clips: pairs of input and label in one label space, in shuffled batches."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from hyperlift.contract import LabelSpace
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.pickle_clips import PickleClipFolder
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import body_scales
from hyperlift.geometry.flip import flip_pose
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.skeleton import Skeleton

WHOLE = slice(None)
"""All frames of a clip."""


@runtime_checkable
class Clips(Protocol):
    """A source of training clips."""

    n_frames: int
    skeleton: Skeleton

    def __len__(self) -> int: ...

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        """Input and label [T,V,3] of a clip or of a part of its frames; labels of unmeasured joints are NaN."""
        ...


@runtime_checkable
class ManyAtOnce(Clips, Protocol):
    """A source that gathers whole batches at once, which is faster than clip by clip."""

    def pairs(
        self, clips: Int[np.ndarray, " batch"], first: Int[np.ndarray, " batch"], frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels [batch,frames,V,3]: ``frames`` frames of each clip, starting at ``first``."""
        ...


@dataclass(frozen=True)
class LabelConvention:
    """Space of the labels, and kind of input."""

    space: LabelSpace
    rootrel: bool
    gt_2d: bool = False
    """Use exact projections with confidence 1 as input, instead of detections ("GT 2D" in publications)."""


class StoreClips:
    """Training pairs of a clip store.

    Args:
        store: one split.
        convention: label space of the network.
        preload: read the needed arrays into memory first.

    Raises:
        InputError: the store lacks an array that the label space needs.
    """

    def __init__(self, store: ClipStore, convention: LabelConvention, *, preload: bool = False) -> None:
        self.store = store
        self.convention = convention
        self.n_frames = store.n_frames
        _check_projection(store, convention)
        self.skeleton = store.skeleton
        needed = {"joints_m" if convention.space == "camera" else "label_norm"}
        needed.add("label_norm" if convention.gt_2d else "pose2d_norm")
        for name in needed:
            store.array(name)
        self._unmeasured = ~store.measured
        self._scales = np.full(len(store), np.nan, np.float32)
        if preload:
            store.preload(sorted(needed))

    def __len__(self) -> int:
        return len(self.store)

    def pair(
        self, clip: int, part: slice = WHOLE
    ) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, "frames joints 3"]]:
        """Input and label of a clip or of a part of it, as copies."""
        first, end, _ = part.indices(self.n_frames)
        inputs, labels = self.pairs(np.array([clip]), np.array([first]), end - first)
        return inputs[0], labels[0]

    def pairs(
        self, clips: Int[np.ndarray, " batch"], first: Int[np.ndarray, " batch"], frames: int
    ) -> tuple[Float[np.ndarray, "batch frames joints 3"], Float[np.ndarray, "batch frames joints 3"]]:
        """Inputs and labels of parts of clips; absolute depth is relative to the first frame of the full clip."""
        root = self.skeleton.root
        whole = self.store.frames_of_many(clips)
        rows = np.take_along_axis(whole, first[:, None] + np.arange(frames), axis=1)
        seen = self.store.array("label_norm" if self.convention.gt_2d else "pose2d_norm")[rows]
        inputs = exact_input(seen) if self.convention.gt_2d else seen
        if self.convention.space == "camera":
            labels = self.store.array("joints_m")[rows]
            labels -= labels[:, :, root : root + 1].copy()
            labels *= self._scales_of(clips, whole)[:, None, None, None]
        else:
            labels = self.store.array("label_norm")[rows]
            if self.convention.rootrel:
                labels -= labels[:, :, root : root + 1].copy()
            else:
                labels[..., 2] -= self.store.array("label_norm")[whole[:, 0], root, 2][:, None, None]
        labels.swapaxes(1, 2)[self._unmeasured[self.store.clips[clips, 2]]] = np.nan
        return inputs, labels

    def _scales_of(
        self, clips: Int[np.ndarray, " batch"], whole: Int[np.ndarray, "batch n_frames"]
    ) -> Float[np.ndarray, " batch"]:
        """Body scales, measured over full clips and cached, so that all parts of a clip have the same scale."""
        new = np.isnan(self._scales[clips])
        if new.any():
            self._scales[clips[new]] = body_scales(self.store.array("joints_m")[whole[new]], self.skeleton)
        return self._scales[clips]


class PickleClips:
    """Training pairs of an older folder with one pickle per clip; image space only."""

    def __init__(self, folder: PickleClipFolder, convention: LabelConvention) -> None:
        if convention.space != "image":
            raise InputError("one-pickle-a-clip folders hold labels of image space only; set label_space: image")
        self.folder = folder
        self.convention = convention
        self.n_frames = folder.n_frames
        self.skeleton = folder.skeleton

    def __len__(self) -> int:
        return len(self.folder)

    def pair(
        self, clip: int, part: slice = WHOLE
    ) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, "frames joints 3"]]:
        """Input and label of a clip or of a part of it."""
        pose2d_norm, label_norm = self.folder.clip(clip)
        if self.convention.gt_2d:
            pose2d_norm = exact_input(label_norm)
        return pose2d_norm[part], image_label(label_norm, self.skeleton.root, self.convention.rootrel)[part]


class JoinedClips:
    """Concatenated clips of several sources.

    Args:
        sources: at least one; skeleton and clip length must be equal.

    Raises:
        InputError: skeletons or clip lengths differ.
    """

    def __init__(self, sources: Sequence[Clips]) -> None:
        self.sources = tuple(sources)
        self.n_frames, self.skeleton = sources[0].n_frames, sources[0].skeleton
        kinds = {(clips.skeleton.name, clips.n_frames) for clips in sources}
        if len(kinds) > 1:
            listed = ", ".join(f"{name} in clips of {frames}" for name, frames in sorted(kinds))
            raise InputError(
                f"clips that are trained on together must be alike, these are {listed}; convert them alike"
            )
        self._ends = np.cumsum([len(clips) for clips in sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def pair(
        self, clip: int, part: slice = WHOLE
    ) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, "frames joints 3"]]:
        """Input and label of a clip or of a part of it."""
        first, end, _ = part.indices(self.n_frames)
        inputs, labels = self.pairs(np.array([clip]), np.array([first]), end - first)
        return inputs[0], labels[0]

    def pairs(
        self, clips: Int[np.ndarray, " batch"], first: Int[np.ndarray, " batch"], frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of parts of clips."""
        inputs = np.empty((len(clips), frames, len(self.skeleton), 3), np.float32)
        labels = np.empty_like(inputs)
        sources = np.searchsorted(self._ends, clips, side="right")
        for number in np.unique(sources):
            chosen, source = sources == number, self.sources[number]
            own = clips[chosen] - (self._ends[number] - len(source))
            inputs[chosen], labels[chosen] = pairs_of(source, own, first[chosen], frames)
        return inputs, labels


def pairs_of(
    clips: Clips, numbers: Int[np.ndarray, " batch"], first: Int[np.ndarray, " batch"], frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """A batch of any source: at once for ``ManyAtOnce``, else clip by clip."""
    if isinstance(clips, ManyAtOnce):
        return clips.pairs(numbers, first, frames)
    pairs = [
        clips.pair(int(clip), slice(int(start), int(start) + frames))
        for clip, start in zip(numbers, first, strict=True)
    ]
    return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])


def _check_projection(store: ClipStore, convention: LabelConvention) -> None:
    if convention.space == "image" and not convention.rootrel:
        store.require_projected_label("rootrel: false")
    if convention.gt_2d:
        store.require_projected_label("gt_2d: true")


def exact_input(label_norm: Float[np.ndarray, "*any joints 3"]) -> Float[np.ndarray, "*any joints 3"]:
    """Exact projections as input: x, y of the label, and confidence 1."""
    pose2d_norm = label_norm.copy()
    pose2d_norm[..., 2] = 1.0
    return pose2d_norm


def image_label(
    label_norm: Float[np.ndarray, "frames joints 3"], root: int, rootrel: bool
) -> Float[np.ndarray, "frames joints 3"]:
    """Label in image space: root-relative, or absolute x, y with depth relative to the root in the first frame."""
    if rootrel:
        return label_norm - label_norm[:, root : root + 1]
    label = label_norm.copy()
    label[..., 2] -= label_norm[0, root, 2]
    return label


def open_clips(folder: Path, convention: LabelConvention, *, preload: bool = False) -> Clips:
    """Open a split in either format.

    Args:
        folder: folder of the split.
        convention: label space of the network.
        preload: read a clip store into memory first.

    Raises:
        InputError: the folder has neither format, lacks an array that the label space needs, or cannot be preloaded.
    """
    if not (folder / "meta.json").exists() and any(folder.glob("*.pkl")):
        if preload:
            raise InputError(f"{folder}: one-pickle-a-clip folders are not preloaded; convert them to a clip store")
        return PickleClips(PickleClipFolder(folder), convention)
    return StoreClips(ClipStore(folder), convention, preload=preload)


class BatchSampler:
    """Shuffled batches; their order depends only on seed and epoch, so that a resumed run has the same batches.

    Args:
        clips: source of the clips.
        batch_size: clips per batch; the last batch may be smaller.
        seed: seed of order, mirroring and crops.
        flip: mirror each clip with probability 0.5.
        clips_per_epoch: clips drawn per epoch; None: all.
        crop_frames: random crop of this many consecutive frames; None: full clips.

    Raises:
        InputError: clips are shorter than ``crop_frames``.
    """

    def __init__(
        self,
        clips: Clips,
        batch_size: int,
        seed: int,
        *,
        flip: bool,
        clips_per_epoch: int | None = None,
        crop_frames: int | None = None,
    ) -> None:
        self.clips = clips
        self.batch_size = batch_size
        self.seed = seed
        self.flip = flip
        self.clips_per_epoch = min(clips_per_epoch or len(clips), len(clips))
        self.crop_frames = crop_frames or clips.n_frames
        if self.crop_frames > clips.n_frames:
            raise InputError(f"crop_frames is {crop_frames}; the clips have {clips.n_frames} frames")

    def __len__(self) -> int:
        return math.ceil(self.clips_per_epoch / self.batch_size)

    def epoch(
        self, epoch: int
    ) -> Iterator[tuple[Float[np.ndarray, "clips frames joints 3"], Float[np.ndarray, "clips frames joints 3"]]]:
        """Yield the batches of one epoch."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.clips))[: self.clips_per_epoch]
        flipped = rng.random(len(order)) < (0.5 if self.flip else 0.0)
        first = rng.integers(self.clips.n_frames - self.crop_frames + 1, size=len(order))
        for start in range(0, len(order), self.batch_size):
            batch = slice(start, start + self.batch_size)
            yield self._batch(order[batch], flipped[batch], first[batch])

    def _batch(
        self, order: Int[np.ndarray, " clips"], flipped: np.ndarray, first: Int[np.ndarray, " clips"]
    ) -> tuple[np.ndarray, np.ndarray]:
        inputs, labels = pairs_of(self.clips, order, first, self.crop_frames)
        inputs[flipped] = flip_pose(inputs[flipped], self.clips.skeleton)
        labels[flipped] = flip_pose(labels[flipped], self.clips.skeleton)
        return inputs, labels
