"""The clip store: each frame once in memory-mapped arrays, and an index in which a clip is a slice.

``<store>/<split>/`` holds ``meta.json``, ``videos.json``, ``clips.npy`` and one ``.npy`` a kind of data, all frames of
all videos one after the other:

=================  ==========  ==========================================================================
``pose2d_norm``    [F,V,3]     x, y in normalised picture space, confidence 0..1
``label_norm``     [F,V,3]     x, y of the projection, depth relative to the root; normalised picture space
``joints_m``       [F,V,3]     optional: metres in camera axes (x right, y down, z forward), absolute
``truth_mm``       [F,V,3]     optional (test): the 2.5D ground truth in millimetres
``mm_per_px``      [F]         optional (test): millimetres a pixel at the root's depth
``valid``          [F]         optional: 1 where a frame is scored, 0 where its ground truth is not to be trusted
=================  ==========  ==========================================================================

``videos.json`` names the joints of a video that its source does not have (``unmeasured``).
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
ARRAYS = ("pose2d_norm", "label_norm", "joints_m", "truth_mm", "mm_per_px", "valid")
LABEL_IS_PROJECTED = "label_is_projected"
"""Key of ``StoreMeta.details``: false where x, y of ``label_norm`` are no projection, but root-relative lengths."""
_ONE_A_FRAME = ("mm_per_px", "valid")
_MOST_FRAMES, _MOST_PIXELS = 10**9, 10**6
_REMEDY = "convert the data again"
_MAKE = "make a clip store with tools/convert_mocap.py or tools/convert_h36m_mixste_style.py"


@dataclass(frozen=True, kw_only=True)
class StoreMeta:
    """What ``meta.json`` says of a split."""

    skeleton: str
    fps: float
    n_frames: int
    """Length of a clip as the network sees it; a shorter video's clip is resampled up to it."""
    stride: int
    slicing: str
    source: str
    """Where the motion comes from."""
    credit: str = ""
    """Credit line of the data, to be kept wherever something made from it is published."""
    details: dict[str, Any] = field(default_factory=dict)
    """How it was made: seed, cameras, noise."""


@dataclass(frozen=True, kw_only=True)
class Video:
    """A run of frames of one camera."""

    source: str
    subject: str
    action: str
    frames: int
    width: float
    height: float
    K: list[list[float]] | None = None
    """Intrinsics [3,3] in pixels where known."""
    first: int = 0
    """Position of the first frame in the arrays; the writer fills it in."""
    unmeasured: list[str] = field(default_factory=list)
    """Joints that the source does not have: their positions follow a rule, and no error is taken of them."""


class StoreWriter:
    """Writes one split, video by video, without holding more than one in memory.

    The caller owns atomicity: hand in a folder that ``files.atomic_folder`` yielded, or one below it.
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
        """What has been added so far, with positions."""
        return tuple(self._videos)

    def add_video(self, video: Video, arrays: Mapping[str, Float[np.ndarray, "frames ..."]]) -> None:
        """Append the frames of a video; every video brings the same kinds of arrays.

        Raises:
            InputError: a wrong shape, or a value that is not finite.
        """
        if self._videos and set(arrays) != set(self._files):
            raise InputError(f"{video.source}: brings {sorted(arrays)}, earlier videos brought {sorted(self._files)}")
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
        return () if name in _ONE_A_FRAME else (self._joints, 3)

    def _write_header(self, name: str, frames: int) -> None:
        # NumPy pads the header so that the first axis can grow: a header rewritten later has the same length.
        header = {"descr": "<f4", "fortran_order": False, "shape": (frames, *self._frame_shape(name))}
        np.lib.format.write_array_header_1_0(self._files[name], header)


class ClipStore:
    """Reads one split through memory maps; opening it reads no frame.

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
        """The joint order of every array."""
        return skeleton_named(self.meta.skeleton)

    @property
    def n_frames(self) -> int:
        """Length of a clip."""
        return self.meta.n_frames

    @cached_property
    def measured(self) -> Bool[np.ndarray, "videos joints"]:
        """False where a video's source does not have a joint.

        Raises:
            InputError: a video names another joint, or the root, to which all others are relative.
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

    def want_projected_label(self, what: str) -> None:
        """Refuse a use that takes x, y of ``label_norm`` for the projection of the joints.

        Args:
            what: the setting that asks for it.

        Raises:
            InputError: they are root-relative lengths here.
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
        """All frames of one kind: a memory map, or in memory once preloaded.

        Raises:
            InputError: the store does not hold it.
        """
        if name not in self._arrays:
            raise InputError(f"{self.folder}: holds no {name}; it holds {', '.join(self._arrays)}")
        return self._arrays[name]

    def preload(self, names: Sequence[str]) -> None:
        """Read whole arrays into memory, for storage that is slow at random reads.

        Raises:
            InputError: the store does not hold one of them.
        """
        for name in names:
            if isinstance(self.array(name), np.memmap):
                self._arrays[name] = np.array(self.array(name))

    def video_of(self, clip: int) -> Video:
        """The video that a clip is a part of."""
        return self.videos[int(self.clips[clip, 2])]

    def frames_of(self, clip: int) -> Int[np.ndarray, " n_frames"]:
        """Array positions of a clip's frames; positions repeat where a short video is resampled up."""
        return self.frames_of_many(np.array([clip]))[0]

    def frames_of_many(self, clips: Int[np.ndarray, " batch"]) -> Int[np.ndarray, "batch n_frames"]:
        """``frames_of`` several clips."""
        first, count, _ = np.asarray(self.clips[clips]).T
        return first[:, None] + resample_index(count, self.n_frames)

    def clip(self, clip: int, name: str = "pose2d_norm") -> Float[np.ndarray, "n_frames ..."]:
        """One clip of one kind: a view of the memory map, or a resampled copy where the video is too short."""
        first, count, _ = (int(v) for v in self.clips[clip])
        array = self.array(name)
        return array[first : first + count] if count == self.n_frames else array[self.frames_of(clip)]


@reader("clip store", remedy=_REMEDY)
def read_store(
    folder: Path,
) -> tuple[StoreMeta, list[Video], Shaped[np.ndarray, "clips 3"], dict[str, Shaped[np.ndarray, "frames ..."]]]:
    """What ``meta.json`` and ``videos.json`` say, the index, and the arrays as memory maps; all fit each other.

    Raises:
        InputError: as for ``ClipStore``.
    """
    meta_path = folder / "meta.json"
    content = read_json(meta_path, _MAKE)
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise InputError(f"{folder}: not a version {VERSION} clip store; {_REMEDY}")
    said = {key: value for key, value in content.items() if key not in ("format", "version")}
    meta = from_mapping(said, StoreMeta, str(meta_path))
    if not (is_number(meta.fps, 1e-3, 1e4) and all(is_whole(n, 1, _MOST_FRAMES) for n in (meta.n_frames, meta.stride))):
        raise InputError(f"{meta_path}: fps {meta.fps:g}, n_frames or stride is out of range; {_REMEDY}")
    try:
        joints = len(skeleton_named(meta.skeleton))
    except InputError as error:
        raise InputError(f"{meta_path}: {error}") from error
    videos = _read_videos(folder / "videos.json")
    frames = sum(video.frames for video in videos)
    arrays = {name: load_npy(path, True) for name in ARRAYS if (path := folder / f"{name}.npy").exists()}
    for name, array in arrays.items():
        expected = (frames,) if name in _ONE_A_FRAME else (frames, joints, 3)
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
    for number, said in enumerate(content):
        if not _is_video(said) or said.get("first", 0) != first:
            raise InputError(f"{path}: video {number} is damaged: {quoted(said)}; {_REMEDY}")
        videos.append(Video(**said))
        first += videos[-1].frames
    return videos


def _is_video(said: Any) -> bool:
    """Whether the values of a JSON object are those of a ``Video``."""
    if not isinstance(said, dict) or not _VIDEO_NEEDS <= said.keys() <= _VIDEO_KEYS:
        return False
    K, unmeasured = said.get("K"), said.get("unmeasured", [])
    rows = [[0.0] * 3] * 3 if K is None else K
    return (
        all(isinstance(said[key], str) for key in ("source", "subject", "action"))
        and is_whole(said["frames"], 1, _MOST_FRAMES)
        and is_whole(said.get("first", 0), 0, _MOST_FRAMES)
        and all(is_number(said[key], 0, _MOST_PIXELS) for key in ("width", "height"))
        and isinstance(rows, list)
        and len(rows) == 3
        and all(isinstance(row, list) and len(row) == 3 for row in rows)
        and all(is_number(number, -LARGEST, LARGEST) for row in rows for number in row)
        and isinstance(unmeasured, list)
        and all(isinstance(joint, str) for joint in unmeasured)
    )


_VIDEO_KEYS = {field.name for field in fields(Video)}
_VIDEO_NEEDS = {"source", "subject", "action", "frames", "width", "height"}
