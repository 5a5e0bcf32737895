import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.timestamps import check_fps, check_times, even_times, grid_times, resample, resample_pose2d


def spread(clip: np.ndarray, frames: int) -> np.ndarray:
    """A clip of one second at another number of even moments."""
    return resample(clip, np.linspace(0, 1, len(clip)), np.linspace(0, 1, frames))


def test_equal_rates_change_nothing():
    clip = np.random.default_rng(0).normal(size=(31, 17, 3))
    time_s = 3.7 + even_times(31, 30.0)
    np.testing.assert_array_equal(resample_pose2d(clip, time_s, grid_times(time_s, 30.0)), clip)


def test_grids():
    # 100 frames at 60 fps last 99/60 s = 1.65 s; at 25 fps that is 41.25 steps.
    grid_s = grid_times(even_times(100, 60.0), 25.0)
    assert len(grid_s) == 42
    assert (grid_s[0], grid_s[-1]) == (0, 99 / 60)
    assert len(grid_times(even_times(1, 60.0), 25.0)) == 1
    assert len(grid_times(even_times(2, 60.0), 25.0)) == 2


def test_straight_motion_is_reproduced_there_and_back():
    clip = np.linspace(-3, 8, 100)[:, None, None] * np.ones((1, 2, 3))
    there = spread(clip, 42)
    np.testing.assert_allclose(there[:, 0, 0], np.linspace(-3, 8, 42), atol=1e-12)
    np.testing.assert_allclose(spread(there, 100), clip, atol=1e-12)


def test_smooth_motion_survives_there_and_back():
    time_s = even_times(120, 60.0)
    clip = np.sin(2 * np.pi * 1.5 * time_s)[:, None]
    grid_s = grid_times(time_s, 25.0)
    back = resample(resample(clip, time_s, grid_s), grid_s, time_s)
    # A 1.5 Hz stride at 25 fps: cubic interpolation is good for about a hundredth of the swing.
    assert np.abs(back - clip).max() < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_uneven_time_stamps(seed: int):
    """A stride filmed at a rate that wanders between 20 and 90 frames a second, and back to its own stamps."""
    generator = np.random.default_rng(seed)
    time_s = np.cumsum(1 / generator.uniform(20, 90, 150))
    clip = np.stack([np.sin(2 * np.pi * time_s), 3 * time_s - 1], axis=1)
    grid_s = grid_times(time_s, 25.0)
    assert np.ptp(np.diff(grid_s)) < 1e-9
    assert (grid_s[0], grid_s[-1]) == (time_s[0], time_s[-1])
    even = resample(clip, time_s, grid_s)
    np.testing.assert_allclose(even[:, 0], np.sin(2 * np.pi * grid_s), atol=0.01)
    np.testing.assert_allclose(even[:, 1], 3 * grid_s - 1, atol=1e-9)
    np.testing.assert_allclose(resample(even, grid_s, time_s)[:, 0], clip[:, 0], atol=0.02)


def test_passes_through_the_given_values():
    clip = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_allclose(spread(clip, 9)[::2], clip, atol=1e-12)


def test_confidence_stays_between_its_neighbours():
    clip = np.zeros((4, 1, 3))
    clip[:, 0, 2] = [0, 0, 1, 1]
    confidence = resample_pose2d(clip, np.linspace(0, 1, 4), np.linspace(0, 1, 13))[:, 0, 2]
    assert confidence.min() == 0
    assert confidence.max() == 1
    assert confidence[6] == pytest.approx(0.5)


def test_nan_stays_near():
    clip = np.arange(9.0)[:, None]
    clip[0] = np.nan
    result = spread(clip, 17)
    assert np.isfinite(result[5:]).all()
    assert np.isnan(result[0]).all()


@pytest.mark.parametrize("fps", [0.0, -5.0, float("nan"), float("inf"), 1e5])
def test_impossible_rates(fps: float):
    with pytest.raises(InputError, match="frame rate"):
        check_fps(fps)


@pytest.mark.parametrize(
    ("time_s", "message"),
    [
        ([0.0, 0.1, 0.1], "do not ascend"),
        ([0.0, 0.2, 0.1], "do not ascend"),
        ([0.0, float("nan"), 0.2], "do not ascend"),
        ([0.0, 5.0, 10.0], "frame rate is 0.2"),
    ],
)
def test_impossible_stamps(time_s: list[float], message: str):
    with pytest.raises(InputError, match=message):
        check_times(np.array(time_s))
