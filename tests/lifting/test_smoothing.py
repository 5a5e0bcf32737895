import numpy as np
import pytest
from scipy.signal import savgol_filter

from hyperlift.errors import InputError
from hyperlift.lifting.smoothing import one_euro, savitzky_golay, smooth

FILTERS = [one_euro, savitzky_golay]


def uneven(frames: int, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).uniform(0.01, 0.05, frames))


def noisy(time_s: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Joints on circles of half a metre, one turn in four seconds, and the same with a centimetre of noise."""
    phase = 2 * np.pi * (time_s[:, None] / 4 + np.arange(5) / 5)
    truth = 0.5 * np.stack([np.cos(phase), np.sin(phase), 0 * phase], axis=-1)
    return truth, truth + np.random.default_rng(seed).normal(0, 0.01, truth.shape)


def jerkiness(path: np.ndarray, time_s: np.ndarray) -> float:
    velocity = np.diff(path, axis=0) / np.diff(time_s)[:, None, None]
    return float(np.abs(np.diff(velocity, axis=0)).mean())


@pytest.mark.parametrize("method", ["one-euro", "savgol"])
@pytest.mark.parametrize("steps", ["even", "uneven"])
def test_noise_is_calmed_and_motion_kept(method, steps: str):
    time_s = np.arange(300) / 30 if steps == "even" else uneven(300)
    truth, seen = noisy(time_s)
    calm = smooth(seen, time_s, method)
    assert jerkiness(calm, time_s) < 0.6 * jerkiness(seen, time_s)
    assert np.abs(calm - truth).mean() < 3 * np.abs(seen - truth).mean()  # One-Euro lags behind
    if method == "savgol":
        assert np.abs(calm - truth).mean() < 0.8 * np.abs(seen - truth).mean()


@pytest.mark.parametrize("smoother", FILTERS)
def test_rest_is_rest(smoother):
    still = np.full((40, 3, 3), 0.7, np.float32)
    calm = smoother(still, uneven(40))
    assert calm.dtype == np.float32
    np.testing.assert_allclose(calm, still, rtol=1e-6)


def test_one_euro_against_its_formulas():
    """One joint, two steps, by hand: alpha = 1 / (1 + 1 / (2 pi fc dt))."""
    time_s = np.array([0.0, 0.1, 0.3])
    joints = np.zeros((3, 1, 3))
    joints[:, 0, 0] = [0.0, 1.0, 0.0]
    alpha = lambda hz, s: 1 / (1 + 1 / (2 * np.pi * hz * s))  # noqa: E731
    speed = alpha(1.0, 0.1) * 10.0
    first = alpha(2.0 + 0.5 * speed, 0.1) * 1.0
    speed += alpha(1.0, 0.2) * (-5.0 - speed)
    second = first + alpha(2.0 + 0.5 * abs(speed), 0.2) * (0.0 - first)
    calm = one_euro(joints, time_s, min_cutoff_hz=2.0, beta=0.5, speed_cutoff_hz=1.0)
    np.testing.assert_allclose(calm[:, 0, 0], [0.0, first, second])


def test_one_euro_never_looks_ahead():
    _, seen = noisy(np.arange(60) / 30)
    time_s = np.arange(60) / 30
    np.testing.assert_array_equal(one_euro(seen, time_s)[:30], one_euro(seen[:30], time_s[:30]))


def test_savitzky_golay_at_even_stamps_is_scipys_and_keeps_parabolas():
    time_s = np.arange(50) / 30
    _, seen = noisy(time_s)
    calm = savitzky_golay(seen, time_s, window_s=0.3, order=2)
    np.testing.assert_allclose(calm, savgol_filter(seen, 9, 2, axis=0), atol=1e-12)
    parabola = (time_s**2)[:, None, None] * np.ones((1, 2, 3))
    np.testing.assert_allclose(savitzky_golay(parabola, time_s), parabola, atol=1e-12)


@pytest.mark.parametrize("smoother", FILTERS)
def test_gaps_are_not_crossed(smoother):
    """Joint 0 is lost in frames 20 to 29 and comes back a metre off; joint 1 is not."""
    time_s = uneven(60)
    _, seen = noisy(time_s)
    valid = np.ones(seen.shape[:2], bool)
    valid[20:30, 0] = False
    seen[30:, 0] += 1.0
    calm = smoother(seen, time_s, valid=valid)
    np.testing.assert_array_equal(calm[20:30, 0], seen[20:30, 0])
    np.testing.assert_allclose(calm[:20, 0], smoother(seen[:20], time_s[:20])[:, 0])
    np.testing.assert_allclose(calm[30:, 0], smoother(seen[30:], time_s[30:])[:, 0])
    np.testing.assert_allclose(calm[:, 1:], smoother(seen, time_s)[:, 1:])


@pytest.mark.parametrize("method", ["one-euro", "savgol"])
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
def test_short_clips(method, frames: int):
    time_s = uneven(frames)
    _, seen = noisy(time_s)
    assert np.isfinite(smooth(seen, time_s, method)).all()


def test_no_such_filter():
    with pytest.raises(InputError, match=r"`smooth` is kalman: .* one-euro, savgol"):
        smooth(np.zeros((3, 2, 3)), np.arange(3.0), "kalman")
