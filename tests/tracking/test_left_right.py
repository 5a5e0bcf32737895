import numpy as np
import pytest
from shared_data import shared_path
from wild_people import standing

from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import track_people
from hyperlift.skeletons.joint_sets import BODY_25, H36M_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.tracking.left_right import repair_side_swaps

LEGS = H36M_17.indices(["RKnee", "RAnkle", "LKnee", "LAnkle"])
ARMS = H36M_17.indices(["RElbow", "RWrist", "LElbow", "LWrist"])


def walk(time_s: np.ndarray, seed: int) -> np.ndarray:
    """Somebody 170 px tall walks past, seen from the side: arms and legs swing through one another once a second."""
    generator = np.random.default_rng(seed)
    person = to_h36m(standing(BODY_25, 0.0), BODY_25)
    keypoints = np.repeat(person[None], len(time_s), axis=0)
    keypoints[..., 0] *= 0.3
    for side, sign in (("L", 1), ("R", -1)):
        swing = sign * np.sin(2 * np.pi * time_s + seed)
        for joint, reach in (("Knee", 20), ("Ankle", 40), ("Elbow", -12), ("Wrist", -28)):
            keypoints[:, H36M_17.index(side + joint), 0] += swing * reach
    keypoints[..., 0] += 130 * time_s[:, None]
    keypoints[..., :2] += generator.normal(0, 1.0, keypoints[..., :2].shape)
    return keypoints


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_a_walk_is_left_alone(seed: int, fps: float):
    time_s = even_times(int(4 * fps), fps)
    keypoints = walk(time_s, seed)
    repaired, exchanged = repair_side_swaps(keypoints, time_s, H36M_17)
    assert not exchanged.any()
    np.testing.assert_array_equal(repaired, keypoints)


@pytest.mark.parametrize("limb", [LEGS, ARMS])
@pytest.mark.parametrize("frames", [1, 2, 3, 7])
@pytest.mark.parametrize("phase", [0, 2])
def test_a_momentary_swap_is_undone(limb: list[int], frames: int, phase: int):
    time_s = even_times(120, 30.0)
    truth = walk(time_s, phase)
    # Where the limbs are spread at the middle of the swap; where they cross, a swap cannot be seen.
    spread = np.abs(truth[:, limb[1], 0] - truth[:, limb[3], 0])
    first = 40 + int(spread[40:80].argmax()) - frames // 2
    mirrored = truth.copy()
    mirrored[first : first + frames] = truth[first : first + frames][:, H36M_17.mirror]
    keypoints = truth.copy()
    keypoints[:, limb] = mirrored[:, limb]
    repaired, exchanged = repair_side_swaps(keypoints, time_s, H36M_17)
    assert np.flatnonzero(exchanged[:, limb].all(1)).tolist() == list(range(first, first + frames))
    np.testing.assert_array_equal(repaired[:, limb], truth[:, limb])


def test_a_lasting_swap_and_sparse_sightings_are_left_alone():
    time_s = even_times(120, 30.0)
    keypoints = walk(time_s, 0)
    keypoints[40:60] = keypoints[40:60][:, H36M_17.mirror]
    assert not repair_side_swaps(keypoints, time_s, H36M_17)[1].any()
    keypoints = walk(time_s, 0)
    keypoints[53] = keypoints[53][H36M_17.mirror]
    assert repair_side_swaps(keypoints, time_s, H36M_17)[1].any()
    assert not repair_side_swaps(keypoints, 5 * time_s, H36M_17)[1].any()


def test_the_real_swap():
    """At frame 109 the detector takes the man's legs for one another; nowhere else, and never with the others."""
    time_s = even_times(300, 30.0)
    detections = read_keypoints(shared_path("data/wild/sports2d_demo.alphapose.json"))
    repaired, plain = (track_people(detections, 1768, 994, time_s, 0.05, repair_sides=on) for on in (True, False))
    changed = {}
    for after, before in zip(repaired, plain, strict=True):
        frames = (np.nan_to_num(after.keypoints_px) != np.nan_to_num(before.keypoints_px)).any((1, 2))
        changed[after.id] = after.frame[frames].tolist()
    assert changed == {0: [109], 1: [], 2: []}
    detections = read_keypoints(shared_path("data/wild/multiperson_cam01.alphapose.json"))
    for track in track_people(detections, 1088, 1920, even_times(100, 60.0), 0.05, repair_sides=False):
        assert not repair_side_swaps(track.keypoints_px, track.frame / 60, H36M_17)[1].any()
