"""The clip store: each frame is stored once in memory-mapped arrays; an index defines clips as slices.

``<store>/<split>/`` holds ``meta.json``, ``videos.json``, ``clips.npy`` and one ``.npy`` per kind of data with the
concatenated frames of all videos:

=================  ==========  ==========================================================================
``pose2d_norm``    [F,V,3]     x, y in normalised picture space, confidence 0..1
``label_norm``     [F,V,3]     x, y of the projection, depth relative to the root; normalised picture space
``joints_m``       [F,V,3]     optional: metres in camera axes (x right, y down, z forward), absolute
``truth_mm``       [F,V,3]     optional (test): the 2.5D ground truth in millimetres
``mm_per_px``      [F]         optional (test): millimetres per pixel at the depth of the root
``valid``          [F]         optional: 1 if a frame is scored, 0 if its ground truth is invalid
=================  ==========  ==========================================================================

``videos.json`` lists the joints that the source of a video lacks (``unmeasured``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from hyperlift.config.loader import from_mapping
from hyperlift.datasets.slicing import resample_index
from hyperlift.errors import InputError, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import read_json
from hyperlift.safe_io.npz import load_npy
from hyperlift.safe_io.plain_values import LARGEST
from hyperlift.safe_io.text import is_number, is_whole
from hyperlift.shapes import Bool, Float, Int, Shaped
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

FORMAT = "hyperlift-clips"
VERSION = 1
"""Version of the format; readers accept this one only."""
ARRAYS = ("pose2d_norm", "label_norm", "joints_m", "truth_mm", "mm_per_px", "valid")
LABEL_IS_PROJECTED = "label_is_projected"
"""Key of ``StoreMeta.details``: false if x, y of ``label_norm`` are root-relative lengths instead of a projection."""
_PER_FRAME = ("mm_per_px", "valid")
_MAX_FRAMES, _MAX_SIDE_PX = 10**9, 10**6
"""Chosen: far above any data set and picture; larger numbers are damage."""
_REMEDY = "convert the data again"
_MAKE = "make a clip store with tools/convert_mocap.py or tools/convert_h36m_mixste_style.py"


@dataclass(frozen=True, kw_only=True)
class StoreMeta:
    """Contents of ``meta.json`` of a split."""

    skeleton: str
    fps: float
    n_frames: int
    """Frames of a clip; the clip of a shorter video is resampled to this length."""
    stride: int
    slicing: str
    source: str
    """Origin of the motion."""
    credit: str = ""
    """Credit line of the data, to be kept in everything published from it."""
    details: dict[str, Any] = field(default_factory=dict)
    """Settings of the conversion: seed, cameras, noise."""


@dataclass(frozen=True, kw_only=True)
class Video:
    """Consecutive frames of one camera."""

    source: str
    subject: str
    action: str
    frames: int
    width: float
    height: float
    K: list[list[float]] | None = None
    """Intrinsics [3,3] in pixels, if known."""
    first: int = 0
    """Index of the first frame in the arrays; set by the writer."""
    unmeasured: list[str] = field(default_factory=list)
    """Joints that the source lacks; their positions are computed from others and excluded from errors."""


class StoreWriter:
    """Writes one split, one video at a time in memory.

    For atomic writing, pass a folder that ``files.atomic_folder`` yielded, or one below it.
    """

    def __init__(self, folder: Path, meta: StoreMeta) -> None:
        self._folder = folder
        self._meta = meta
        self._joints = len(skeleton_named(meta.skeleton))
        self._files: dict[str, IO[bytes]] = {}
        self._videos: list[Video] = []
        self._frames = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    @property
    def videos(self) -> Sequence[Video]:
        """Added videos, with their positions."""
        return tuple(self._videos)

    def add_video(self, video: Video, arrays: Mapping[str, Float[np.ndarray, "frames ..."]]) -> None:
        """Append the frames of a video; all videos must have the same arrays.

        Raises:
            InputError: an array has another shape or non-finite values.
        """
        if self._videos and set(arrays) != set(self._files):
            raise InputError(f"{video.source}: has the arrays {sorted(arrays)}, earlier videos {sorted(self._files)}")
        for name, array in arrays.items():
            expected = (video.frames, *self._frame_shape(name))
            if array.shape != expected:
                raise InputError(f"{video.source}: {name} has shape {array.shape}, expected {expected}")
            if not np.isfinite(array).all():
                raise InputError(f"{video.source}: {name} holds NaN or infinite values; remove or mend this video")
            if name not in self._files:
                self._files[name] = (self._folder / f"{name}.npy").open("wb")
                self._write_header(name, 0)
            self._files[name].write(np.ascontiguousarray(array, "<f4").tobytes())
        self._videos.append(Video(**{**asdict(video), "first": self._frames}))
        self._frames += video.frames

    def finish(self, clips: Int[np.ndarray, "clips 3"]) -> None:
        """Write the index (first frame, frame count, video) and close the arrays."""
        if not self._videos or not len(clips):
            raise InputError(f"{self._meta.source}: there is not a single clip to store")
        for name, file in self._files.items():
            file.seek(0)
            self._write_header(name, self._frames)
            file.close()
        np.save(self._folder / "clips.npy", clips.astype("<i8"))
        (self._folder / "videos.json").write_text(json.dumps([asdict(video) for video in self._videos]))
        meta = {"format": FORMAT, "version": VERSION, **asdict(self._meta)}
        (self._folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")

    def _frame_shape(self, name: str) -> tuple[int, ...]:
        if name not in ARRAYS:
            raise InputError(f"a clip store has no array {name!r}; it has {', '.join(ARRAYS)}")
        return () if name in _PER_FRAME else (self._joints, 3)

    def _write_header(self, name: str, frames: int) -> None:
        # NumPy pads headers so that the first axis can grow; a rewritten header has the same length.
        header = {"descr": "<f4", "fortran_order": False, "shape": (frames, *self._frame_shape(name))}
        np.lib.format.write_array_header_1_0(self._files[name], header)


class ClipStore:
    """Reads one split through memory maps; opening it reads no frames.

    Raises:
        InputError: the folder is no clip store, or is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.meta, self.videos, self.clips, self._arrays = read_store(self.folder)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def skeleton(self) -> Skeleton:
        """Joint order of all arrays."""
        return skeleton_named(self.meta.skeleton)

    @property
    def n_frames(self) -> int:
        """Frames of a clip."""
        return self.meta.n_frames

    @cached_property
    def measured(self) -> Bool[np.ndarray, "videos joints"]:
        """Whether the source of a video has a joint.

        Raises:
            InputError: ``unmeasured`` of a video lists an unknown joint or the root.
        """
        measured = np.ones((len(self.videos), len(self.skeleton)), bool)
        for row, video in zip(measured, self.videos, strict=True):
            unknown = [joint for joint in video.unmeasured if joint not in self.skeleton.joints]
            if unknown or self.skeleton.joints[self.skeleton.root] in video.unmeasured:
                raise InputError(
                    f"{self.folder}: {video.source} has no measured {', '.join(video.unmeasured)}; expected joints of "
                    f"{self.skeleton.name} other than its root; convert the data again"
                )
            row[self.skeleton.indices(video.unmeasured)] = False
        return measured

    def require_projected_label(self, what: str) -> None:
        """Check that x, y of ``label_norm`` are projections.

        Args:
            what: setting that needs projections, for the message.

        Raises:
            InputError: they are root-relative lengths.
        """
        if not self.meta.details.get(LABEL_IS_PROJECTED, True):
            raise InputError(
                f"{self.folder}: its labels are root-relative lengths, no projections, which {what} needs; leave that "
                "setting out"
            )

    def has(self, name: str) -> bool:
        """Whether the store holds this kind of array."""
        return name in self._arrays

    def array(self, name: str) -> Shaped[np.ndarray, "frames ..."]:
        """Array of one kind with all frames: a memory map, or in memory after ``preload``.

        Raises:
            InputError: the store does not hold it.
        """
        if name not in self._arrays:
            raise InputError(f"{self.folder}: holds no {name}; it holds {', '.join(self._arrays)}")
        return self._arrays[name]

    def preload(self, names: Sequence[str]) -> None:
        """Read arrays into memory, for storage with slow random access.

        Raises:
            InputError: the store lacks one of them.
        """
        for name in names:
            if isinstance(self.array(name), np.memmap):
                self._arrays[name] = np.array(self.array(name))

    def video_of(self, clip: int) -> Video:
        """The video of a clip."""
        return self.videos[int(self.clips[clip, 2])]

    def frames_of(self, clip: int) -> Int[np.ndarray, " n_frames"]:
        """Frame indices of a clip; indices repeat if a short video is resampled."""
        return self.frames_of_many(np.array([clip]))[0]

    def frames_of_many(self, clips: Int[np.ndarray, " batch"]) -> Int[np.ndarray, "batch n_frames"]:
        """Frame indices of several clips."""
        first, count, _ = np.asarray(self.clips[clips]).T
        return first[:, None] + resample_index(count, self.n_frames)

    def clip(self, clip: int, name: str = "pose2d_norm") -> Float[np.ndarray, "n_frames ..."]:
        """One clip of one array: a view of the memory map, or a resampled copy for a short video."""
        first, count, _ = (int(v) for v in self.clips[clip])
        array = self.array(name)
        return array[first : first + count] if count == self.n_frames else array[self.frames_of(clip)]


@reader("clip store", remedy=_REMEDY)
def read_store(
    folder: Path,
) -> tuple[StoreMeta, list[Video], Shaped[np.ndarray, "clips 3"], dict[str, Shaped[np.ndarray, "frames ..."]]]:
    """Read and validate the contents of ``meta.json`` and ``videos.json``, the index, and the arrays as memory maps.

    Raises:
        InputError: as for ``ClipStore``.
    """
    meta_path = folder / "meta.json"
    content = read_json(meta_path, _MAKE)
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise InputError(f"{folder}: not a version {VERSION} clip store; {_REMEDY}")
    fields_of_meta = {key: value for key, value in content.items() if key not in ("format", "version")}
    meta = from_mapping(fields_of_meta, StoreMeta, str(meta_path))
    if not (is_number(meta.fps, 1e-3, 1e4) and all(is_whole(n, 1, _MAX_FRAMES) for n in (meta.n_frames, meta.stride))):
        raise InputError(f"{meta_path}: fps {meta.fps:g}, n_frames or stride is out of range; {_REMEDY}")
    try:
        joints = len(skeleton_named(meta.skeleton))
    except InputError as error:
        raise InputError(f"{meta_path}: {error}") from error
    videos = _read_videos(folder / "videos.json")
    frames = sum(video.frames for video in videos)
    arrays = {name: load_npy(path, True) for name in ARRAYS if (path := folder / f"{name}.npy").exists()}
    for name, array in arrays.items():
        expected = (frames,) if name in _PER_FRAME else (frames, joints, 3)
        if array.shape != expected or array.dtype.kind != "f":
            raise InputError(
                f"{folder}: damaged clip store: {name} is {array.dtype} {array.shape}, the videos ask for "
                f"floating-point numbers {expected}; {_REMEDY}"
            )
    missing = [name for name in ARRAYS[:2] if name not in arrays]
    if missing:
        raise InputError(f"{folder}: damaged clip store: has no {' and no '.join(missing)}; {_REMEDY}")
    clips = load_npy(folder / "clips.npy", True)
    if clips.ndim != 2 or clips.shape[1] != 3 or not len(clips) or clips.dtype.kind not in "iu":
        raise InputError(f"{folder}: damaged clip store: clips.npy is {clips.dtype} {clips.shape}; {_REMEDY}")
    first, count, video = np.asarray(clips).T
    if not ((first >= 0) & (count >= 1) & (count <= frames) & (first <= frames - count)).all():
        raise InputError(f"{folder}: damaged clip store: a clip lies outside the {frames:,} frames; {_REMEDY}")
    if not ((video >= 0) & (video < len(videos))).all():
        raise InputError(f"{folder}: damaged clip store: a clip is of none of the {len(videos):,} videos; {_REMEDY}")
    return meta, videos, clips, arrays


def _read_videos(path: Path) -> list[Video]:
    content = read_json(path, _MAKE)
    if not isinstance(content, list) or not content:
        raise InputError(f"{path}: holds no list of videos; {_REMEDY}")
    videos: list[Video] = []
    first = 0
    for number, entry in enumerate(content):
        if not _is_video(entry) or entry.get("first", 0) != first:
            raise InputError(f"{path}: video {number} is damaged: {quoted(entry)}; {_REMEDY}")
        videos.append(Video(**entry))
        first += videos[-1].frames
    return videos


def _is_video(entry: Any) -> bool:
    """Whether a JSON object has the fields of a ``Video``."""
    if not isinstance(entry, dict) or not _VIDEO_NEEDS <= entry.keys() <= _VIDEO_KEYS:
        return False
    K, unmeasured = entry.get("K"), entry.get("unmeasured", [])
    rows = [[0.0] * 3] * 3 if K is None else K
    return (
        all(isinstance(entry[key], str) for key in ("source", "subject", "action"))
        and is_whole(entry["frames"], 1, _MAX_FRAMES)
        and is_whole(entry.get("first", 0), 0, _MAX_FRAMES)
        and all(is_number(entry[key], 0, _MAX_SIDE_PX) for key in ("width", "height"))
        and isinstance(rows, list)
        and len(rows) == 3
        and all(isinstance(row, list) and len(row) == 3 for row in rows)
        and all(is_number(number, -LARGEST, LARGEST) for row in rows for number in row)
        and isinstance(unmeasured, list)
        and all(isinstance(joint, str) for joint in unmeasured)
    )


_VIDEO_KEYS = {field.name for field in fields(Video)}
_VIDEO_NEEDS = {"source", "subject", "action", "frames", "width", "height"}
