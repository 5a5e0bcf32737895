from itertools import pairwise

import numpy as np
import pytest

from hyperlift.lifting import windows
from hyperlift.lifting.windows import lift_windows, window_starts


class Recorder:
    """A predictor that leaves the clip as it is, doubled, and remembers what it was asked."""

    def __init__(self):
        self.shapes = []

    def __call__(self, pose2d_norm: np.ndarray) -> np.ndarray:
        self.shapes.append(pose2d_norm.shape)
        return 2 * pose2d_norm


def clip(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).normal(size=(frames, 17, 3)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 2, 8, 9, 11, 12, 13, 40, 101])
@pytest.mark.parametrize("n_frames", [1, 2, 9, 12])
def test_blending_a_framewise_lifter_is_exact(frames: int, n_frames: int):
    pose2d = clip(frames)
    np.testing.assert_allclose(lift_windows(Recorder(), pose2d, n_frames), 2 * pose2d, rtol=1e-6)


def test_short_clips_are_one_window_of_their_length():
    recorder = Recorder()
    lift_windows(recorder, clip(7), 27)
    assert recorder.shapes == [(1, 7, 17, 3)]


def test_lifters_of_any_length_get_the_whole_clip():
    recorder, pose2d = Recorder(), clip(1000)
    np.testing.assert_allclose(lift_windows(recorder, pose2d, None), 2 * pose2d, rtol=1e-6)
    assert recorder.shapes == [(1, 1000, 17, 3)]


def test_windows_share_calls_up_to_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(windows, "MAX_FRAMES_PER_CALL", 30)
    recorder = Recorder()
    lift_windows(recorder, clip(60), 10)
    assert all(shape[1] == 10 and shape[0] <= 3 for shape in recorder.shapes)
    assert sum(shape[0] for shape in recorder.shapes) == len(window_starts(60, 10))


@pytest.mark.parametrize(("frames", "window"), [(10, 10), (11, 10), (100, 10), (103, 10), (5, 1), (7, 3)])
def test_windows_cover_the_clip_and_overlap(frames: int, window: int):
    starts = window_starts(frames, window)
    covered = np.zeros(frames, int)
    for start in starts:
        covered[start : start + window] += 1
    assert (covered >= 1).all()
    assert starts[-1] + window == frames
    assert all(0 < after - before <= max(1, window // 2) for before, after in pairwise(starts))


def test_seams_do_not_shake():
    """Windows that disagree by a constant are crossed without a jolt."""
    wave = np.sin(np.arange(300) / 15.0)

    def disagreeing(pose2d_norm: np.ndarray) -> np.ndarray:
        return pose2d_norm + np.arange(len(pose2d_norm), dtype=np.float32)[:, None, None, None] % 2

    pose2d = np.repeat(wave.astype(np.float32), 51).reshape(300, 17, 3)
    lifted = lift_windows(disagreeing, pose2d, 60)
    jolt = np.abs(np.diff(lifted[:, 0, 0], 2)).max() - np.abs(np.diff(wave, 2)).max()
    # A unit step spread over 30 frames of raised cosine accelerates by (pi/30)^2/2 at most; a hard cut by 1.
    assert jolt < 1.1 * (np.pi / 30) ** 2 / 2


def test_depth_origins_of_windows_are_brought_together():
    generator = np.random.default_rng(3)
    truth = np.cumsum(generator.normal(size=(90, 17, 3)), axis=0).astype(np.float32)
    truth[..., 2] -= truth[0, 0, 2]

    def from_first_root(pose2d_norm: np.ndarray) -> np.ndarray:
        lifted = pose2d_norm.copy()
        lifted[..., 2] -= lifted[:, :1, :1, 2]
        return lifted

    np.testing.assert_allclose(lift_windows(from_first_root, truth, 20, align_depth=True), truth, atol=1e-4)
    assert np.abs(lift_windows(from_first_root, truth, 20) - truth).max() > 0.5
