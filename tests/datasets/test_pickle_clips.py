import pickle

import numpy as np
import pytest

from hyperlift.datasets.pickle_clips import PickleClipFolder, write_pickle_clips
from hyperlift.errors import InputError


def clip(frames=5, joints=17, value=0.0):
    return {"data_input": np.full((frames, joints, 3), value), "data_label": np.zeros((frames, joints, 3))}


def put(folder, number, content):
    (folder / f"{number:08d}.pkl").write_bytes(pickle.dumps(content))


def test_short_videos_are_resampled_and_numbered_by_row(tmp_path):
    videos = [
        {
            "pose2d_norm": np.full((n, 17, 3), v) + np.arange(n)[:, None, None],
            "label_norm": np.zeros((n, 17, 3)),
        }
        for n, v in ((6, 0.0), (2, 100.0))
    ]
    rows = np.array([[0, 4, 0], [2, 4, 0], [6, 2, 1]])
    write_pickle_clips(tmp_path, videos, rows, 4)
    folder = PickleClipFolder(tmp_path)
    assert [folder.clip(i)[0][:, 0, 0].tolist() for i in range(3)] == [
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [100, 100, 101, 101],
    ]


def test_clips_are_float32_and_come_in_the_order_of_their_numbers(tmp_path):
    for number in (2, 0, 1):
        put(tmp_path, number, clip(value=number))
    folder = PickleClipFolder(tmp_path)
    assert [folder.clip(i)[0][0, 0, 0] for i in range(len(folder))] == [0, 1, 2]
    assert [array.dtype for array in folder.clip(0)] == [np.float32, np.float32]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (clip(joints=16), "data_input has shape"),
        (clip(frames=6), r"data_input has shape \(6, 17, 3\), expected \(5, 17, 3\)"),
        (clip(frames=0), "data_input h"),
        (clip(value=np.nan), "data_input holds NaN"),
        ({"data_input": clip()["data_input"]}, "is no clip"),
        ({"data_input": 3, "data_label": 4}, "data_input is int, expected an array of numbers"),
        ([1], "is no clip"),
    ],
)
def test_a_clip_that_does_not_fit_is_named(tmp_path, content, message):
    put(tmp_path, 0, clip())
    put(tmp_path, 1, content)
    folder = PickleClipFolder(tmp_path)
    folder.clip(0)
    with pytest.raises(InputError, match=rf"00000001\.pkl: .*{message}"):
        folder.clip(1)


def test_folders_without_clips(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        PickleClipFolder(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no clip"):
        PickleClipFolder(tmp_path)
    with pytest.raises(InputError, match="not a single clip"):
        write_pickle_clips(tmp_path / "new", [], np.zeros((0, 3), np.int64), 4)
