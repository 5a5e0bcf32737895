"""Reads the Human3.6M pickle with stacked-hourglass detections, ``h36m_sh_conf_cam_source_final.pkl``.

The file holds ``train`` and ``test``, each a dictionary of arrays over all frames of all videos at 50 frames
per second. Users provide it; its licence forbids distribution. All checks of its contents are here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from hyperlift.datasets.clip_store import Video
from hyperlift.datasets.slicing import downsample, runs
from hyperlift.errors import InputError, quoted
from hyperlift.geometry.normalisation import normalise_points, normalise_pose
from hyperlift.readers import reader
from hyperlift.safe_io.pickles import load_pickle
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Float, Shaped
from hyperlift.skeletons.joint_sets import H36M_17

SKELETON = H36M_17
FPS = 50.0
"""Frame rate of the videos (Ionescu et al. 2014)."""
CREDIT = "Human3.6M (Ionescu et al. 2014); its licence forbids passing the data on"

CAMERA_SIZES = {
    "54138969": (1000, 1002),
    "55011271": (1000, 1000),
    "58860488": (1000, 1000),
    "60457274": (1000, 1002),
}
"""Width and height of the pictures in pixels, by camera."""

ACTIONS = (
    *(
        "Directions",
        "Discussion",
        "Eating",
        "Greeting",
        "Phoning",
        "Posing",
        "Purchases",
        "Sitting",
        "SittingDown",
    ),
    *("Smoking", "Photo", "Waiting", "Walking", "WalkDog", "WalkTogether"),
)
"""Names of the actions 2 to 16 in ``act_NN`` of a source; files name only the actions of the test split."""

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

_TRUTH_SPELLINGS = ("joints_2.5d_image", "joint_2.5d_image")
_MAX_TEXT = 200
"""Characters. Chosen: real names have fewer than 50; NumPy allocates the length of the longest for every element."""
_SOURCE = re.compile(r"s_(?P<subject>\d+)_act_(?P<action>\d+)_")


@dataclass(frozen=True, kw_only=True, eq=False)
class H36MFrames:
    """All frames of a split, in the order of the file."""

    source: Shaped[np.ndarray, " frames"]
    """Name of the video, per frame."""
    camera_name: Shaped[np.ndarray, " frames"]
    action: Shaped[np.ndarray, " frames"]
    """Empty if neither file nor source names it."""
    joints_px: Float[np.ndarray, "frames joints 2"]
    """Detected 2D joints."""
    confidence: Float[np.ndarray, "frames joints"]
    label_px: Float[np.ndarray, "frames joints 3"]
    """Perspective projection in pixels, and depth scaled to pixels."""
    truth_mm: Float[np.ndarray, "frames joints 3"] | None = None
    mm_per_px: Float[np.ndarray, " frames"] | None = None

    def __len__(self) -> int:
        return len(self.source)

    def every(self, n: int) -> "H36MFrames":
        """Every n-th frame of all arrays."""
        present = {name: array for name, array in vars(self).items() if array is not None}
        return H36MFrames(**downsample(present, n))


@reader("Human3.6M pickle")
def read_h36m(path: Path | str) -> dict[SplitName, H36MFrames]:
    """Read and check both splits.

    Raises:
        InputError: the file is missing or holds no plain data, or a key is missing, of another shape or non-finite.
    """
    path = Path(path)
    content = load_pickle(path)
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: holds a {type(content).__name__}; expected a dictionary with 'train' and 'test'")
    return {split: _read_split(content.get(split), path, split) for split in SPLITS}


def videos(frames: H36MFrames, path: Path | str) -> Iterator[tuple[Video, dict[str, Float[np.ndarray, "frames ..."]]]]:
    """Iterate over the videos of a split, with arrays for the clip store in float32.

    Args:
        frames: the split, already down-sampled.
        path: file, for messages.

    Yields:
        The video and its arrays ``pose2d_norm``, ``label_norm`` and, if known, ``truth_mm`` and ``mm_per_px``.
    """
    for first, count in video_runs(frames):
        part = slice(first, first + count)
        source = str(frames.source[first])
        for name, values in (("camera_name", frames.camera_name[part]), ("action", frames.action[part])):
            if (values != values[0]).any():
                raise InputError(f"{path}: {name} changes inside the video {source}; expected one a video")
        width, height = CAMERA_SIZES[str(frames.camera_name[first])]
        points = normalise_points(frames.joints_px[part], float(width), float(height))
        label = normalise_pose(frames.label_px[part], float(width), float(height))
        label[..., 2] -= label[:, SKELETON.root, None, 2]
        arrays = {
            "pose2d_norm": np.concatenate([points, frames.confidence[part, :, None]], -1),
            "label_norm": label,
        }
        if frames.truth_mm is not None and frames.mm_per_px is not None:
            arrays |= {"truth_mm": frames.truth_mm[part], "mm_per_px": frames.mm_per_px[part]}
        named = _SOURCE.match(source)
        video = Video(
            source=source,
            subject=named["subject"] if named else "",
            action=str(frames.action[first]),
            frames=count,
            width=float(width),
            height=float(height),
        )
        yield video, {name: array.astype(np.float32) for name, array in arrays.items()}


def video_runs(frames: H36MFrames) -> list[tuple[int, int]]:
    """First frame and frame count of each video."""
    return [(int(first), int(count)) for first, count in runs(frames.source)]


def _read_split(content: Any, path: Path, split: SplitName) -> H36MFrames:
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path}: has no dictionary {quoted(split)}; is it the pickle h36m_sh_conf_cam_source_final.pkl?"
        )
    keys = _Keys(content, path, split)
    joints = len(SKELETON)
    source = keys.strings("source", None)
    if not len(source):
        raise InputError(f"{path}: {split} holds zero frames; make the file again")
    frames = len(source)
    cameras = keys.strings("camera_name", frames)
    unknown = sorted(set(np.unique(cameras).tolist()) - set(CAMERA_SIZES))
    if unknown:
        raise InputError(
            f"{path}: {split}/camera_name names the unknown camera {quoted(unknown[0])}; "
            f"known are {', '.join(CAMERA_SIZES)}"
        )
    common = {
        "source": source,
        "camera_name": cameras,
        "joints_px": keys.numbers("joint_2d", (frames, joints, 2)),
        "confidence": keys.numbers("confidence", (frames, joints))
        if "confidence" in content
        else np.ones((frames, joints), np.float32),
        "label_px": keys.numbers("joint3d_image", (frames, joints, 3)),
    }
    if split == "train":
        return H36MFrames(**common, action=_actions_of(source))
    truth_key = next((key for key in _TRUTH_SPELLINGS if key in content), _TRUTH_SPELLINGS[0])
    mm_per_px = keys.numbers("2.5d_factor", (frames,))
    if not (mm_per_px > 0).all():
        raise InputError(f"{path}: {split}/2.5d_factor must be positive; frame {int(np.argmin(mm_per_px))} is not")
    return H36MFrames(
        **common,
        action=keys.strings("action", frames),
        truth_mm=keys.numbers(truth_key, (frames, joints, 3)),
        mm_per_px=mm_per_px,
    )


def _actions_of(source: Shaped[np.ndarray, " frames"]) -> Shaped[np.ndarray, " frames"]:
    names, position = np.unique(source, return_inverse=True)
    actions = []
    for name in names:
        named = _SOURCE.match(str(name))
        number = int(named["action"]) - 2 if named else -1
        actions.append(ACTIONS[number] if 0 <= number < len(ACTIONS) else "")
    return np.array(actions)[position]


@dataclass(frozen=True)
class _Keys:
    """Reads arrays from the dictionary of a split; messages name file and key."""

    content: Mapping[str, Any]
    path: Path
    split: str

    def numbers(self, key: str, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        """A finite array of this shape; an additional last axis of length 1 is removed."""
        array = self._array(key)
        if array.ndim == len(shape) + 1 and array.shape[-1] == 1:
            array = array[..., 0]
        return coordinates(array, shape, self._where(key), "frames are counted by 'source'; mend or drop them")

    def strings(self, key: str, frames: int | None) -> Shaped[np.ndarray, " frames"]:
        """An array of strings; bytes and integers are converted."""
        array = self._array(key)
        if array.ndim != 1 or (frames is not None and len(array) != frames):
            expected = "one string a frame" if frames is None else f"({frames},) as 'source'"
            raise InputError(f"{self._where(key)} has shape {array.shape}, expected {expected}")
        if array.dtype.kind == "O" and not all(isinstance(item, str) for item in array):
            raise InputError(f"{self._where(key)} holds objects that are no strings")
        if array.dtype.kind not in "OUSiu" and len(array):
            raise InputError(f"{self._where(key)} holds {array.dtype}, expected strings")
        return np.char.decode(array, "latin1") if array.dtype.kind == "S" else array.astype(np.str_)

    def _array(self, key: str) -> np.ndarray:
        if key not in self.content:
            raise InputError(f"{self.path}: {self.split} has no key {quoted(key)}; it has {quoted([*self.content])}")
        value = self.content[key]
        longest = max(map(len, _texts_in(value)), default=0)
        if longest > _MAX_TEXT:  # NumPy allocates the longest length for every element
            raise InputError(f"{self._where(key)} holds a text of {longest:,} characters; the limit is {_MAX_TEXT}")
        try:
            return np.asarray(value)
        except ValueError as error:
            raise InputError(f"{self._where(key)} is ragged: its rows differ in length") from error

    def _where(self, key: str) -> str:
        return f"{self.path}: {self.split}/{key}"


def _texts_in(value: Any) -> Iterator[str | bytes]:
    if isinstance(value, str | bytes):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "O":
        yield from _texts_in(value.reshape(-1).tolist())
