"""The older clip format: one pickle per clip, ``{"data_input": [T,V,3], "data_label": [T,V,3]}``.

Files are named ``00000000.pkl``, ``00000001.pkl`` … in ``train/`` and ``test/``. ``data_input`` is x, y in normalised
picture space and confidence; ``data_label`` is projection and depth in the same space.
"""

import pickle
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from hyperlift.datasets.slicing import resample_index
from hyperlift.errors import InputError
from hyperlift.readers import reader
from hyperlift.safe_io.pickles import load_pickle
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

_KEYS = {"pose2d_norm": "data_input", "label_norm": "data_label"}


def write_pickle_clips(
    folder: Path,
    videos: Iterable[Mapping[str, np.ndarray]],
    rows: Int[np.ndarray, "clips 3"],
    n_frames: int,
) -> None:
    """Write the clips of one split. For atomic writing, pass a folder below one of ``files.atomic_folder``.

    Args:
        folder: created if missing.
        videos: arrays ``pose2d_norm`` and ``label_norm`` [frames,V,3] of each video, in order.
        rows: first frame (counted over all videos), frame count and video number of each clip.
        n_frames: length of a clip; shorter clips are resampled to it.

    Raises:
        InputError: there is no clip to write.
    """
    if not len(rows):
        raise InputError(f"{folder}: there is not a single clip to store")
    folder.mkdir(parents=True, exist_ok=True)
    begin = 0
    for number, arrays in enumerate(videos):
        for position in np.flatnonzero(rows[:, 2] == number):
            first, count, _ = rows[position]
            frames = first - begin + resample_index(int(count), n_frames)
            clip = {key: np.asarray(arrays[name][frames], np.float32) for name, key in _KEYS.items()}
            with (folder / f"{position:08d}.pkl").open("wb") as file:
                pickle.dump(clip, file, protocol=4)
        begin += len(arrays["pose2d_norm"])


class PickleClipFolder:
    """Reads one split of pickled clips.

    Raises:
        InputError: the folder is missing or holds no clips.
    """

    def __init__(self, folder: Path | str, skeleton: Skeleton = H36M_17) -> None:
        self.folder = Path(folder)
        self.skeleton = skeleton
        if not self.folder.is_dir():
            raise InputError(
                f"{self.folder}: there is no such folder; make one with tools/convert_h36m_mixste_style.py"
            )
        self._files = sorted(self.folder.glob("*.pkl"))
        if not self._files:
            raise InputError(f"{self.folder}: holds no clip (00000000.pkl …); make them with `clip_format` pkl")

    def __len__(self) -> int:
        return len(self._files)

    @cached_property
    def n_frames(self) -> int:
        """Frames of a clip, from the first file."""
        return len(self._read(0, None)[0])

    def clip(self, clip: int) -> tuple[Float[np.ndarray, "n_frames joints 3"], Float[np.ndarray, "n_frames joints 3"]]:
        """Input ``pose2d_norm`` and ``label_norm`` of one clip, float32.

        Raises:
            InputError: the file is damaged, non-finite or of another shape.
        """
        return self._read(clip, self.n_frames)

    def _read(self, clip: int, n_frames: int | None) -> tuple[np.ndarray, np.ndarray]:
        return read_pickle_clip(self._files[clip], len(self.skeleton), n_frames)


@reader("clip pickle")
def read_pickle_clip(path: Path, joints: int, n_frames: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read ``pose2d_norm`` and ``label_norm`` [n_frames,V,3] of one clip, float32.

    Args:
        path: file of the clip.
        joints: V.
        n_frames: required length; None: any.

    Raises:
        InputError: the file is missing, damaged, non-finite or of another shape.
    """
    content = load_pickle(path)
    if not isinstance(content, Mapping) or not set(_KEYS.values()) <= set(content):
        raise InputError(f"{path}: is no clip; expected a dictionary with {' and '.join(_KEYS.values())}")
    arrays = []
    for key in _KEYS.values():
        remedy = "every clip has as many frames; make the clips again"
        array = coordinates(content[key], (n_frames, joints, 3), f"{path}: {key}", remedy).astype(np.float32)
        if not len(array):
            raise InputError(f"{path}: {key} holds no frame; make the clips again")
        arrays.append(array)
        n_frames = len(array)
    pose2d_norm, label_norm = arrays
    return pose2d_norm, label_norm
