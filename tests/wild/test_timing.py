import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.wild.timing import check_fps, frames_at, resample, resample_pose2d


def test_equal_rates_change_nothing():
    clip = np.random.default_rng(0).normal(size=(31, 17, 3))
    np.testing.assert_array_equal(resample_pose2d(clip, frames_at(31, 30.0, 30.0)), clip)


def test_frame_counts():
    # 100 frames at 60 fps last 99/60 s = 1.65 s; at 25 fps that is 41.25 steps.
    assert frames_at(100, 60.0, 25.0) == 42
    assert frames_at(1, 60.0, 25.0) == 1
    assert frames_at(2, 60.0, 25.0) == 2


def test_straight_motion_is_reproduced_there_and_back():
    clip = np.linspace(-3, 8, 100)[:, None, None] * np.ones((1, 2, 3))
    there = resample(clip, 42)
    np.testing.assert_allclose(there[:, 0, 0], np.linspace(-3, 8, 42), atol=1e-12)
    np.testing.assert_allclose(resample(there, 100), clip, atol=1e-12)


def test_smooth_motion_survives_there_and_back():
    time_s = np.arange(120) / 60
    clip = np.sin(2 * np.pi * 1.5 * time_s)[:, None]
    back = resample(resample(clip, frames_at(120, 60.0, 25.0)), 120)
    # A 1.5 Hz stride at 25 fps: cubic interpolation is good for about a hundredth of the swing.
    assert np.abs(back - clip).max() < 0.02


def test_passes_through_the_given_values():
    clip = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_allclose(resample(clip, 9)[::2], clip, atol=1e-12)


def test_confidence_stays_between_its_neighbours():
    clip = np.zeros((4, 1, 3))
    clip[:, 0, 2] = [0, 0, 1, 1]
    confidence = resample_pose2d(clip, 13)[:, 0, 2]
    assert confidence.min() == 0
    assert confidence.max() == 1
    assert confidence[6] == pytest.approx(0.5)


def test_nan_stays_near():
    clip = np.arange(9.0)[:, None]
    clip[0] = np.nan
    spread = resample(clip, 17)
    assert np.isfinite(spread[5:]).all()
    assert np.isnan(spread[0]).all()


@pytest.mark.parametrize("fps", [0.0, -5.0, float("nan"), float("inf"), 1e5])
def test_impossible_rates(fps: float):
    with pytest.raises(InputError, match="frame rate"):
        check_fps(fps)
