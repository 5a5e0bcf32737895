import dataclasses

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.mocap.augmentation.body_frames import MovingBody, constant_lengths
from hyperlift.mocap.augmentation.body_mixing import carry_arms_and_head, carry_legs
from hyperlift.mocap.augmentation.limb_rotation import rotate_limbs
from hyperlift.mocap.augmentation.motion_variation import MotionVariation, vary_motion
from hyperlift.mocap.augmentation.playback import played_back
from hyperlift.mocap.augmentation.sitting import sit_down
from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.joint_sets import H36M_17

FPS, FRAMES = 25.0, 100
RECORDINGS = procedural_recordings(6, seconds=6.0, seed=3)
EVERYTHING = MotionVariation(
    speed=(0.7, 1.4), arms_and_head=0.5, one_arm=0.5, legs=0.5, one_leg=0.5, limbs=0.8, lean_deg=8.0, tumble=0.2
)
OFF = MotionVariation()


def vary(variation: MotionVariation, seed: int = 0, recording: Recording = RECORDINGS[0]) -> np.ndarray:
    return vary_motion(recording, RECORDINGS, FRAMES, FPS, variation, np.random.default_rng(seed))


def body(recording: Recording) -> MovingBody:
    return MovingBody.of(recording.joints_m.astype(np.float64), constant_lengths(recording.joints_m))


def flexion_sin(joints_m: np.ndarray, side: str) -> np.ndarray:
    """Bend of a knee about the axis to the body's right: negative backwards, as knees go."""
    hip, knee, ankle = (joints_m[:, H36M_17.index(side + joint)] for joint in ("Hip", "Knee", "Ankle"))
    right = joints_m[:, H36M_17.index("RHip")] - joints_m[:, H36M_17.index("LHip")]
    thigh, shin = knee - hip, ankle - knee
    for vector in (right, thigh, shin):
        vector /= np.linalg.norm(vector, axis=-1, keepdims=True)
    return (np.cross(thigh, shin) * right).sum(-1)


@pytest.mark.parametrize("seed", range(12))
def test_every_bone_keeps_the_recorded_length(seed):
    joints_m = vary(EVERYTHING, seed)
    assert joints_m.shape == (FRAMES, 17, 3)
    assert np.isfinite(joints_m).all()
    recorded = np.median(bone_lengths(RECORDINGS[0].joints_m, H36M_17), axis=0)
    assert np.allclose(bone_lengths(joints_m, H36M_17), recorded, atol=1e-9)


def test_the_same_seed_gives_the_same_motion():
    assert np.array_equal(vary(EVERYTHING, 5), vary(EVERYTHING, 5))
    assert not np.allclose(vary(EVERYTHING, 5), vary(EVERYTHING, 6))


def test_without_any_variation_a_motion_is_a_part_of_the_recording():
    recording = RECORDINGS[1]
    joints_m = vary(OFF, 2, recording)
    dense = recording.resampled(500.0).joints_m
    start = np.linalg.norm(dense - joints_m[0], axis=-1).mean(-1).argmin()
    step = int(500 / FPS)
    assert np.abs(dense[start : start + step * FRAMES : step] - joints_m).max() < 0.01


def test_a_short_recording_is_played_back_and_forth_without_a_jump():
    short = dataclasses.replace(RECORDINGS[0], joints_m=RECORDINGS[0].joints_m[:40])
    joints_m = played_back(short, 200, FPS, (1.0, 1.0), np.random.default_rng(1))
    fastest = np.linalg.norm(np.diff(short.joints_m, axis=0), axis=-1).max() * short.fps / FPS
    assert np.linalg.norm(np.diff(joints_m, axis=0), axis=-1).max() < 1.1 * fastest


def test_playback_keeps_to_its_speeds():
    frames = np.arange(2000)
    joints_m = np.zeros((2000, 17, 3), np.float32)
    joints_m[..., 0] = frames[:, None] / 50.0
    clock = Recording(name="clock", subject="", group="", fps=50.0, joints_m=joints_m)
    for seed in range(10):
        seen = played_back(clock, 200, FPS, (0.7, 1.4), np.random.default_rng(seed))[:, 0, 0]
        speed = np.diff(seen) * FPS
        assert ((speed > 0.69) & (speed < 1.41)).all()
        assert np.abs(np.diff(speed)).max() < 0.1


def test_arms_and_head_stand_to_the_thorax_as_the_donors_do():
    to, of = body(RECORDINGS[0]), body(RECORDINGS[2])
    before = to.joints_m()
    carry_arms_and_head(to, of)
    after = to.joints_m()
    lower = H36M_17.indices(("Pelvis", "Spine", "Thorax", "LHip", "LKnee", "LAnkle", "RHip", "RKnee", "RAnkle"))
    assert np.array_equal(after[:, lower], before[:, lower])
    # Angles between bones do not depend on axes; they must be the donor's, not the body's own.
    for first, second in (("LElbow", "LWrist"), ("RElbow", "RWrist"), ("Nose", "Head"), ("LElbow", "RElbow")):
        a, b = H36M_17.indices((first, second))
        mixed, donor = (
            (m.bones_m[:, a] * m.bones_m[:, b]).sum(-1) / (m.lengths_m[a] * m.lengths_m[b]) for m in (to, of)
        )
        assert np.allclose(mixed, donor, atol=1e-6)


def test_a_body_that_lends_to_itself_stays_as_it_is():
    to, of = body(RECORDINGS[0]), body(RECORDINGS[0])
    carry_arms_and_head(to, of)
    carry_legs(to, of, "LR")
    assert np.allclose(to.joints_m(), of.joints_m(), atol=1e-9)


def test_borrowed_legs_keep_the_lowest_foot_near_its_height():
    feet = H36M_17.indices(("LAnkle", "RAnkle"))
    still, varied = (vary(v, 4)[:, feet, 2].min(-1) for v in (OFF, dataclasses.replace(OFF, legs=1.0)))
    assert np.abs(still - varied).mean() < 0.03


def test_axes_are_proper_rotations():
    moving = body(RECORDINGS[0])
    for axes in (moving.pelvis_axes(), moving.thorax_axes()):
        assert np.allclose(axes @ axes.transpose(0, 2, 1), np.eye(3), atol=1e-9)
        assert np.allclose(np.linalg.det(axes), 1.0)


def test_turned_limbs_differ_smoothly_and_no_knee_bends_forward():
    wrist = H36M_17.index("LWrist")
    for seed in range(8):
        moving = body(RECORDINGS[0])
        before = moving.joints_m()
        rotate_limbs(moving, 15.0, 50.0, np.random.default_rng(seed))
        after = moving.joints_m()
        difference = after[:, wrist] - before[:, wrist]
        assert np.linalg.norm(difference, axis=-1).max() > 0.05
        assert np.linalg.norm(np.diff(difference, 2, axis=0), axis=-1).max() < 0.01
        for side in "LR":
            assert flexion_sin(after, side).max() < max(flexion_sin(before, side).max(), 0.0) + 0.35


def test_a_rotation_of_nothing_changes_nothing():
    moving = body(RECORDINGS[0])
    before = moving.joints_m()
    rotate_limbs(moving, 0.0, 50.0, np.random.default_rng(0))
    assert np.allclose(moving.joints_m(), before, atol=1e-6)


def test_leaning_bodies_lean_and_tumbling_ones_do_anything():
    up = H36M_17.index("Thorax")

    def upright(variation: MotionVariation) -> np.ndarray:
        found = []
        for seed in range(60):
            joints_m = vary(variation, seed)
            trunk = (joints_m[:, up] - joints_m[:, 0]).mean(0)
            found.append(np.degrees(np.arccos(trunk[2] / np.linalg.norm(trunk))))
        return np.array(found)

    lean, tumble = (upright(dataclasses.replace(OFF, **change)) for change in ({"lean_deg": 8.0}, {"tumble": 1.0}))
    assert lean.max() < 60
    assert np.median(lean) > np.median(upright(OFF)) + 2
    assert tumble.max() > 120


def test_smooth_noise_has_unit_variance_and_no_corners():
    curves = smooth_noise(100, 25.0, 20000, np.random.default_rng(0))
    assert np.allclose(curves.std(1), 1.0, atol=0.03)
    assert np.abs(np.diff(curves, 2, axis=0)).max() < 0.03


@pytest.mark.parametrize(("change", "word"), [({"legs": 1.5}, "legs"), ({"speed": (1.4, 0.7)}, "speed")])
def test_impossible_variations_are_refused(change, word):
    with pytest.raises(InputError, match=word):
        MotionVariation(**change)


def seated(seed):
    return vary(dataclasses.replace(OFF, sitting=1.0), seed)


@pytest.mark.parametrize("seed", range(6))
def test_seated_legs_are_those_of_people_on_chairs(seed):
    joints_m, standing_m = seated(seed), vary(OFF, seed)
    at = {joint: joints_m[:, H36M_17.index(joint)] for joint in H36M_17.joints}
    faces = np.cross(at["LHip"] - at["RHip"], [0.0, 0.0, 1.0])
    faces /= np.linalg.norm(faces, axis=-1, keepdims=True)
    for side in "LR":
        thigh, shank = at[side + "Knee"] - at[side + "Hip"], at[side + "Ankle"] - at[side + "Knee"]
        thigh, shank = (bone / np.linalg.norm(bone, axis=-1, keepdims=True) for bone in (thigh, shank))
        assert ((thigh * faces).sum(-1) > 0.6).mean() > 0.95  # forward, ...
        assert np.abs(thigh[:, 2]).max() < 0.75  # ... not down
        assert shank[:, 2].max() < -0.4  # the shanks down
        assert flexion_sin(joints_m, side).max() < 0  # and knees bend as knees do
    feet_m = joints_m[:, H36M_17.indices(("RAnkle", "LAnkle")), 2].min(-1)
    assert np.ptp(feet_m) < 0.05
    lowered_m = at["Pelvis"][:, 2].mean() - standing_m[:, 0, 2].mean()
    assert -0.62 < lowered_m < -0.1
    np.testing.assert_allclose(bone_lengths(joints_m, H36M_17).std(0), 0.0, atol=1e-6)
    # Above the hips it is the recorded motion, carried along.
    trunk = H36M_17.indices(("Spine", "Thorax", "Head", "LWrist"))
    np.testing.assert_allclose(
        joints_m[:, trunk] - joints_m[:, :1], standing_m[:, trunk] - standing_m[:, :1], atol=1e-6
    )


def test_recipes_without_seats_draw_as_before():
    before = vary(EVERYTHING, 5)
    assert np.array_equal(before, vary(dataclasses.replace(EVERYTHING, sitting=0.0), 5))
    assert not np.array_equal(before, vary(dataclasses.replace(EVERYTHING, sitting=1.0), 5))


def test_somebody_on_the_side_does_not_sit():
    lying = body(RECORDINGS[0])
    turn = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    lying.bones_m = lying.bones_m @ turn.T
    before = lying.joints_m().copy()
    assert not sit_down(lying, FPS, np.random.default_rng(0))
    np.testing.assert_array_equal(before, lying.joints_m())


@pytest.mark.parametrize("variation", [{"arms_and_head": 1.0}, {"one_arm": 1.0}])
def test_a_donor_lends_only_what_was_measured(variation):
    """Of two donors the one without a measured head lends arms alone; where nobody lends, nothing is carried over."""
    own, headless = RECORDINGS[0], dataclasses.replace(RECORDINGS[1], unmeasured=("Nose", "Head"))
    chance, plain = MotionVariation(**variation), MotionVariation()

    def made(how, donors):
        return vary_motion(own, donors, FRAMES, FPS, how, np.random.default_rng(1))

    lent = not np.allclose(made(chance, [headless]), made(plain, [headless]))
    assert lent == ("one_arm" in variation)
    assert not np.allclose(made(chance, [headless, RECORDINGS[2]]), made(plain, [headless]))


def test_lending_weights_decide_who_lends():
    own = RECORDINGS[0]
    how = MotionVariation(legs=1.0)

    def made(donors, lending):
        return vary_motion(own, donors, FRAMES, FPS, how, np.random.default_rng(1), np.array(lending))

    alone = made([RECORDINGS[2]], [1.0])
    assert np.allclose(made([RECORDINGS[1], RECORDINGS[2]], [0.0, 3.0]), alone)
