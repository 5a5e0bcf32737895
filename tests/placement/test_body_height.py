import numpy as np
import pytest
from placed_people import STANDING_M, bone_sum

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M
from hyperlift.placement.body_height import BodyHeight, metric_pose
from hyperlift.skeletons.joint_sets import H36M_17

TIME_S = np.arange(60) / 25.0
SEEN = np.ones((60, 17), bool)


def test_the_reference_body_stands_about_as_tall_as_it_is_said_to():
    """A body of standing anatomy whose bones sum to the reference reaches 1.70 m with its crown above joint Head."""
    body = STANDING_M * REFERENCE_BONE_SUM_M / bone_sum(STANDING_M[None])
    head_m = body[H36M_17.index("Head"), 2]
    assert 1.55 < head_m < 1.70


def test_camera_space_gets_one_factor_whatever_the_size_and_bad_frames():
    pose = np.repeat(STANDING_M[None], 60, 0) * 3.7
    pose[10:20] *= 5  # a fifth of the frames is nonsense
    metric = metric_pose(pose, SEEN, TIME_S, H36M_17, "camera", 1.70)
    assert bone_sum(metric[30:]) == pytest.approx(REFERENCE_BONE_SUM_M)
    np.testing.assert_allclose(metric[:, 0], 0)
    np.testing.assert_allclose(metric[10], metric[0] * 5)
    taller = metric_pose(pose, SEEN, TIME_S, H36M_17, "camera", 1.87)
    np.testing.assert_allclose(taller, metric * 1.1)


def test_frames_of_guesses_do_not_count():
    pose = np.repeat(STANDING_M[None], 60, 0)
    pose[:40] *= 2
    valid = SEEN.copy()
    valid[:40, 5:] = False
    metric = metric_pose(pose, valid, TIME_S, H36M_17, "camera", 1.70)
    assert bone_sum(metric[40:]) == pytest.approx(REFERENCE_BONE_SUM_M)
    nobody = metric_pose(pose, np.zeros_like(valid), TIME_S, H36M_17, "camera", 1.70)
    assert np.isfinite(nobody).all()


def test_image_space_shrinks_what_comes_closer():
    growth = np.linspace(1, 3, 60)[:, None, None]
    pose = np.repeat(STANDING_M[None], 60, 0) * growth + [0.3, -0.2, 5.0]
    metric = metric_pose(pose, SEEN, TIME_S, H36M_17, "image", 1.70)
    np.testing.assert_allclose(
        np.linalg.norm(metric, axis=-1)[20:40], np.linalg.norm(metric[30], axis=-1)[None] * np.ones((20, 1)), rtol=0.02
    )
    assert bone_sum(metric) == pytest.approx(REFERENCE_BONE_SUM_M, rel=0.01)


def test_heights_are_stated_with_their_uncertainty():
    assumed, given = BodyHeight(), BodyHeight.given(1.75)
    assert (assumed.height_m, assumed.std_m) == (1.70, 0.10)
    assert "assumed 1.70 m ± 0.10 m" in assumed.sentence
    assert "6 %" in assumed.sentence
    assert "given as 1.75 m" in given.sentence
    for impossible in (175.0, 0.0, -1.7, float("nan")):
        with pytest.raises(InputError, match="in metres"):
            BodyHeight.given(impossible)
