import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperlift.datasets.slicing import clip_rows, downsample, resample_index, runs
from hyperlift.errors import InputError


def test_runs_are_stretches_of_equal_sources():
    assert runs(["a", "a", "b", "a", "a", "a"]).tolist() == [[0, 2], [2, 1], [3, 3]]
    assert runs([]).shape == (0, 2)
    assert runs(["a"]).tolist() == [[0, 1]]


def test_published_drops_a_tail_and_keeps_a_short_video():
    videos = [(0, 25), (25, 7), (32, 10)]
    assert clip_rows(videos, 10, 4, "published").tolist() == [
        [0, 10, 0],
        [4, 10, 0],
        [8, 10, 0],
        [12, 10, 0],
        [25, 7, 1],
        [32, 10, 2],
    ]


def test_complete_ends_with_the_last_frames():
    assert clip_rows([(5, 25)], 10, 10, "complete").tolist() == [[5, 10, 0], [15, 10, 0], [20, 10, 0]]
    assert clip_rows([(5, 30)], 10, 10, "complete").tolist() == [[5, 10, 0], [15, 10, 0], [25, 10, 0]]
    assert clip_rows([(5, 3)], 10, 10, "complete").tolist() == [[5, 3, 0]]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 20), st.integers(1, 20))
def test_complete_scores_every_frame_and_no_clip_crosses_videos(lengths, n_frames, stride):
    stride = min(stride, n_frames)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    videos = [(int(f), n) for f, n in zip(first, lengths, strict=True)]
    rows = clip_rows(videos, n_frames, stride, "complete")
    seen = np.concatenate([f + resample_index(int(c), n_frames) for f, c, _ in rows])
    assert set(seen) == set(range(sum(lengths)))
    for f, c, number in rows:
        begin, length = videos[number]
        assert begin <= f
        assert f + c <= begin + length
    assert {tuple(r) for r in clip_rows(videos, n_frames, stride, "published")} <= {tuple(r) for r in rows}


def test_resampling_is_floor():
    assert resample_index(3, 7).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert resample_index(7, 7).tolist() == list(range(7))


def test_downsampling_strides_everything():
    arrays = downsample({"x": np.arange(7), "source": np.array(list("abcdefg"))}, 2)
    assert arrays["x"].tolist() == [0, 2, 4, 6]
    assert arrays["source"].tolist() == ["a", "c", "e", "g"]


@pytest.mark.parametrize(
    ("n_frames", "stride", "slicing"), [(0, 1, "published"), (5, 0, "published"), (5, 6, "complete")]
)
def test_impossible_cuts_are_refused(n_frames, stride, slicing):
    with pytest.raises(InputError):
        clip_rows([(0, 9)], n_frames, stride, slicing)


def test_down_sampling_by_zero_is_refused():
    with pytest.raises(InputError):
        downsample({"x": np.arange(3)}, 0)
