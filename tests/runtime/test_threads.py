"""Clips shared out among threads come back in order and as one thread lifts them, to rounding."""

import numpy as np
import pytest

from hyperlift.runtime.loading import BUNDLED, bundled_file, load_lifter
from hyperlift.runtime.session import open_session


@pytest.mark.parametrize("name", BUNDLED)
def test_threads_change_no_pose(name):
    one, three = load_lifter(name, threads=1), load_lifter(name, threads=3)
    rng = np.random.default_rng(0)
    for clips, frames in [(2, 30), (4, 20), (7, 9), (6, 1)]:
        pose2d = rng.uniform(-1, 1, (clips, frames, 17, 3)).astype(np.float32)
        pose2d[..., 2] = np.abs(pose2d[..., 2])
        assert np.abs(three(pose2d) - one(pose2d)).max() < 1e-5


@pytest.mark.parametrize(("wait", "spins"), [(True, "1"), (False, "0")])
def test_sessions_that_take_turns_leave_each_other_the_cores(wait, spins):
    model = bundled_file("nano").read_bytes()
    options = open_session(model, "nano", 2, idle_threads_wait=wait).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spins
