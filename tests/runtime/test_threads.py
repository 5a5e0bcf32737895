"""Clips shared out among threads come back in order and as one thread lifts them, to rounding."""

import numpy as np
import pytest

from hyperlift.runtime import BUNDLED, load_lifter


@pytest.mark.parametrize("name", BUNDLED)
def test_threads_change_no_pose(name):
    one, three = load_lifter(name, threads=1), load_lifter(name, threads=3)
    rng = np.random.default_rng(0)
    for clips, frames in [(2, 30), (4, 20), (7, 9), (6, 1)]:
        pose2d = rng.uniform(-1, 1, (clips, frames, 17, 3)).astype(np.float32)
        pose2d[..., 2] = np.abs(pose2d[..., 2])
        assert np.abs(three(pose2d) - one(pose2d)).max() < 1e-5
