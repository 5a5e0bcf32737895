import numpy as np
from placed_people import camera_at, person_walking, see

from hyperlift.evaluation.depth_flips import depth_flips, swapped_sides
from hyperlift.skeletons.joint_sets import H36M_17

SEEN = see(person_walking(50, velocity=(0.4, 0.0), heading=0.5), camera_at((0, -4, 1.2), (0, 0, 1)))
TIME_S, K = SEEN.track.time_s, SEEN.camera.K
KEYPOINTS_PX = SEEN.track.keypoints_px
ALL = SEEN.track.valid


def flips(joints_m: np.ndarray, keypoints_px: np.ndarray = KEYPOINTS_PX, seen: np.ndarray = ALL, **options):
    return depth_flips(joints_m, keypoints_px, seen, TIME_S, K, H36M_17, **options)


def with_forearm(depth_m: np.ndarray) -> np.ndarray:
    """The left forearm at an angle of its own in every frame, its wrist always on the same line of sight."""
    joints_m = SEEN.joints_m.copy()
    elbow, wrist = H36M_17.indices(["LElbow", "LWrist"])
    sight = SEEN.joints_m[:, elbow] + [0.02, 0.05, 0.0]
    joints_m[:, wrist] = sight * (1 + depth_m / sight[:, 2])[:, None]
    return joints_m


def drawn(joints_m: np.ndarray) -> np.ndarray:
    points_px = joints_m[..., :2] / joints_m[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]
    return np.concatenate([points_px, np.ones_like(points_px[..., :1])], axis=-1)


def test_a_true_motion_shows_nothing():
    assert flips(SEEN.joints_m) == []
    assert flips(SEEN.joints_m, within_s=0.2) == []
    assert swapped_sides(SEEN.joints_m, KEYPOINTS_PX, ALL, TIME_S, K, H36M_17) == []


def test_a_forearm_that_flips_in_depth_is_found_where_it_flips():
    depth_m = np.full(50, -0.2)
    depth_m[20:] = 0.2
    joints_m = with_forearm(depth_m)
    (event,) = flips(joints_m, drawn(joints_m))
    assert (event.what, event.first, event.last) == ("LElbow-LWrist", 19, 20)
    assert 120 < event.amount < 180


def test_a_slow_change_is_none_from_frame_to_frame_but_one_in_a_longer_time():
    joints_m = with_forearm(np.interp(np.arange(50), [20, 26], [-0.2, 0.2]))
    within = {time_s: flips(joints_m, drawn(joints_m), within_s=time_s) for time_s in (0.0, 0.2)}
    assert within[0.0] == [] or within[0.0][0].amount < 120
    assert [event.what for event in within[0.2]] == ["LElbow-LWrist"]


def test_a_joint_that_was_not_seen_is_no_evidence():
    depth_m = np.full(50, -0.2)
    depth_m[20:] = 0.2
    joints_m, seen = with_forearm(depth_m), ALL.copy()
    seen[19, H36M_17.index("LWrist")] = False
    assert flips(joints_m, drawn(joints_m), seen) == []


def test_an_arm_that_swings_in_the_picture_is_no_flip():
    joints_m = SEEN.joints_m.copy()
    elbow, wrist = H36M_17.indices(["LElbow", "LWrist"])
    side = np.where(np.arange(50) < 25, -1.0, 1.0)
    joints_m[:, wrist] = joints_m[:, elbow] + 0.28 * np.stack([side, 0 * side, 0 * side], axis=-1)
    assert flips(joints_m, drawn(joints_m)) == []


def test_exchanged_legs_are_found_by_the_keypoints():
    joints_m = SEEN.joints_m.copy()
    pairs = [(H36M_17.index(f"R{joint}"), H36M_17.index(f"L{joint}")) for joint in ("Hip", "Knee", "Ankle")]
    for right, left in pairs:
        joints_m[30:35, [right, left]] = joints_m[30:35, [left, right]]
    events = swapped_sides(joints_m, KEYPOINTS_PX, ALL, TIME_S, K, H36M_17)
    assert {event.what for event in events} == {"RHip-LHip", "RKnee-LKnee", "RAnkle-LAnkle"}
    assert {(event.first, event.last) for event in events} == {(30, 34)}
