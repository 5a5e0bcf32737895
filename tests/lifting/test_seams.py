"""No jolt where windows begin and end, measured on what the bundled lifter makes of real detector-like keypoints."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import network_input, track_people
from hyperlift.lifting.windows import lift_windows, window_starts
from hyperlift.runtime.loading import load_lifter

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sports2d_demo.alphapose.json"


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    """Over twenty seconds of real detections: one track of the example, forwards and backwards in turns."""
    time_s = even_times(300, 30.0)
    track = track_people(read_keypoints(EXAMPLE), 1768, 994, time_s, 0.05)[0]
    clip = network_input(track, 1768, 994, time_s)[1].astype(np.float32)
    return np.concatenate([clip, clip[::-1], clip, clip[::-1]])


def border_excess(lifted: np.ndarray, borders: list[int], spacing: int) -> float:
    """How far the mean acceleration at the borders lies above that at all other places of the same spacing, in standard
    deviations of the latter."""
    acceleration = np.linalg.norm(np.diff(lifted, 2, axis=0), axis=-1).mean(1)  # entry k is that of frame k + 1

    def mean_at(shift: int) -> float:
        frames = np.array([border + shift + step for border in borders for step in (-1, 0, 1)]) - 1
        return float(acceleration[np.clip(frames, 0, len(acceleration) - 1)].mean())

    elsewhere = [mean_at(shift) for shift in range(3, spacing - 2)]
    return (mean_at(0) - float(np.mean(elsewhere))) / float(np.std(elsewhere))


def cut_hard(predict: Callable[[np.ndarray], np.ndarray], clip: np.ndarray, window: int) -> np.ndarray:
    return np.concatenate([predict(clip[None, start : start + window])[0] for start in range(0, len(clip), window)])


# The lifter sees 27 frames to either side: windows of less than 45 are mostly ends.
@pytest.mark.parametrize("window", [81, 63, 45])
def test_windows_leave_no_seams(recording: np.ndarray, window: int):
    lifter = load_lifter(threads=1)
    # Borders inside the clip: the first frame of every window but the first, and the one after its last.
    starts = window_starts(len(recording), window)[1:-2]
    blended = border_excess(lift_windows(lifter, recording, window), starts, window // 2)
    assert blended < 3
    # The measure does see seams where there are some.
    hard = border_excess(
        cut_hard(lifter, recording, window), list(range(window, len(recording) - window, window)), window
    )
    assert hard > 6
    assert hard > 3 * blended
