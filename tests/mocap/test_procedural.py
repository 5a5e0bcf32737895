import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.procedural_body import LIMITS_DEG, Body
from hyperlift.skeletons.joint_sets import H36M_17

GROUPS = ["walk", "reach", "squat", "gesture", "turn"]


@pytest.fixture(scope="module")
def recordings():
    return procedural_recordings(20, 5.0, 11)


def joint(recording, name):
    return recording.joints_m[:, H36M_17.index(name)].astype(np.float64)


def bend_deg(recording, upper, middle, lower):
    """0 when the limb is straight."""
    first = joint(recording, middle) - joint(recording, upper)
    second = joint(recording, lower) - joint(recording, middle)
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def right_ahead_up(recording):
    right = joint(recording, "RHip") - joint(recording, "LHip")
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    return right, np.cross([0.0, 0.0, 1.0], right)


def test_same_seed_same_bytes(recordings):
    again = procedural_recordings(3, 5.0, 11)
    for first, second in zip(recordings, again, strict=False):
        assert first.joints_m.tobytes() == second.joints_m.tobytes()
        assert (first.name, first.group) == (second.name, second.group)
    other = procedural_recordings(1, 5.0, 12)[0]
    assert not np.array_equal(other.joints_m, recordings[0].joints_m)


def test_bones_are_constant_and_sides_alike(recordings):
    for recording in recordings:
        lengths_m = bone_lengths(recording.joints_m.astype(np.float64), H36M_17)
        assert np.ptp(lengths_m, axis=0).max() < 1e-5
        by_joint = {H36M_17.joints[child]: lengths_m[0, bone] for bone, (_, child) in enumerate(H36M_17.bones)}
        for right, left in H36M_17.pairs:
            assert by_joint[H36M_17.joints[right]] == pytest.approx(by_joint[H36M_17.joints[left]], abs=1e-5)
        assert 3.3 < lengths_m[0].sum() < 5.0
    assert np.std([bone_lengths(r.joints_m, H36M_17)[0].sum() for r in recordings]) > 0.1


def test_limbs_keep_their_limits(recordings):
    for recording in recordings:
        for side in "RL":
            knee = bend_deg(recording, side + "Hip", side + "Knee", side + "Ankle")
            elbow = bend_deg(recording, side + "Shoulder", side + "Elbow", side + "Wrist")
            assert knee.max() < LIMITS_DEG["knee_flexion"][1] + 0.1
            assert elbow.max() < LIMITS_DEG["elbow_flexion"][1] + 0.1
            # Knees bend backward: the knee lies ahead of the line from hip to ankle.
            _, ahead = right_ahead_up(recording)
            middle = (joint(recording, side + "Hip") + joint(recording, side + "Ankle")) / 2
            assert (((joint(recording, side + "Knee") - middle) * ahead).sum(-1) > -0.02).all()


def test_feet_stand_on_the_floor(recordings):
    for recording in recordings:
        heights_m = np.stack([joint(recording, side + "Ankle")[:, 2] for side in "RL"])
        assert heights_m.min() > 0.05
        assert heights_m.min(axis=0).max() < 0.16  # one foot is always down


def test_standing_feet_do_not_slide(recordings):
    for recording in recordings:
        for side in "RL":
            ankle = joint(recording, side + "Ankle")
            speed = np.linalg.norm(np.diff(ankle[:, :2], axis=0), axis=-1) * recording.fps
            low = ankle[1:, 2] < ankle[:, 2].min() + 0.002
            assert np.quantile(speed[low], 0.9) < 0.3


def test_motion_is_smooth(recordings):
    for recording in recordings:
        acceleration = np.diff(recording.joints_m.astype(np.float64), 2, axis=0) * recording.fps**2
        assert np.linalg.norm(acceleration, axis=-1).max() < 90  # m/s²; a foot that lands reaches some tens
        assert np.ptp(recording.joints_m, axis=0).max() > 0.05


def test_people_face_where_they_walk_with_the_left_on_the_left(recordings):
    for recording in (r for r in recordings if r.group == "walk"):
        velocity = np.diff(joint(recording, "Pelvis"), axis=0) * recording.fps
        _, ahead = right_ahead_up(recording)
        speed = (velocity * ahead[1:]).sum(-1)
        assert speed.mean() > 0.5
        assert (speed > 0).all()
        nose = joint(recording, "Nose") - (joint(recording, "Thorax") + joint(recording, "Head")) / 2
        assert ((nose * ahead).sum(-1)).mean() > 0.02


def test_arms_swing_against_the_legs(recordings):
    for recording in (r for r in recordings if r.group == "walk"):
        _, ahead = right_ahead_up(recording)
        legs = ((joint(recording, "RAnkle") - joint(recording, "LAnkle")) * ahead).sum(-1)
        arms = ((joint(recording, "RWrist") - joint(recording, "LWrist")) * ahead).sum(-1)
        assert np.corrcoef(legs, arms)[0, 1] < -0.5


def test_squats_go_down_and_up(recordings):
    for recording in (r for r in recordings if r.group == "squat"):
        height_m = joint(recording, "Pelvis")[:, 2]
        assert np.ptp(height_m) > 0.2


def test_kinds_take_turns(recordings):
    assert [recording.group for recording in recordings[:6]] == [*GROUPS, "walk"]
    assert len({recording.name for recording in recordings}) == len(recordings)


def test_a_mirrored_pose_is_the_pose_mirrored():
    """Exchanging the sides of all inputs and mirroring x gives the mirrored joints."""
    generator = np.random.default_rng(5)
    body = Body.drawn(generator)
    flip = np.array([-1.0, 1.0, 1.0])
    angles = {
        f"{prefix}{name}": generator.uniform(*limits, 8)
        for name, limits in LIMITS_DEG.items()
        if name != "knee_flexion"
        for prefix in (("R_", "L_") if name.startswith(("shoulder", "elbow")) else ("",))
    }
    exchanged = {}
    for name, angle in angles.items():
        if name[1] == "_":
            exchanged[("L" if name[0] == "R" else "R") + name[1:]] = angle
        else:
            exchanged[name] = -angle if name.endswith(("side", "twist")) else angle
    pelvis_m = np.tile([0.1, 0.2, 0.7 * body.leg_m], (8, 1))
    upright = np.broadcast_to(np.eye(3), (8, 3, 3))
    ankles = {side: generator.normal(0, 0.1, (8, 3)) * [1, 1, 0] for side in "RL"}
    facing = np.tile([0.0, 1.0, 0.0], (8, 1))
    pose = body.joints(pelvis_m, upright, ankles, facing, angles)
    mirrored = body.joints(
        pelvis_m * flip, upright, {"R": ankles["L"] * flip, "L": ankles["R"] * flip}, facing, exchanged
    )
    np.testing.assert_allclose(mirrored, pose[:, H36M_17.mirror] * flip, atol=1e-9)


def test_no_motion_is_refused():
    with pytest.raises(InputError, match="two frames"):
        procedural_recordings(1, 0.02, 1)
    with pytest.raises(InputError, match="two frames"):
        procedural_recordings(-1, 2.0, 1)
