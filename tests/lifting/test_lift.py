from pathlib import Path

import numpy as np
import pytest
from wild_people import standing

from hyperlift.body.person import LiftedTrack, Person
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import lift_people, track_people
from hyperlift.motion.formats.poses_npz import poses_meta, read_poses, write_poses
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m

WIDTH, HEIGHT = 640, 480


def walk(frames: range, step_px: float = 2.0) -> Detections:
    people = {frame: [Detection(standing(COCO_17, 100 + step_px * frame))] for frame in frames}
    return Detections(source="walk", tool="test", skeleton=COCO_17, frames=people)


def as_it_is(pose2d_norm: np.ndarray) -> np.ndarray:
    """An absolute lifter: the picture itself, with depth 0."""
    return pose2d_norm * np.array([1, 1, 0], np.float32)


def lift(detections: Detections, video_fps: float, predict=as_it_is, **spec) -> list[LiftedTrack]:
    return lift_at(detections, even_times(max(detections.frames) + 1, video_fps), predict, **spec)


def lift_at(detections: Detections, time_s: np.ndarray, predict=as_it_is, **spec) -> list[LiftedTrack]:
    tracks = track_people(detections, WIDTH, HEIGHT, time_s)
    return lift_people(predict, LifterSpec(name="test", **spec), tracks, WIDTH, HEIGHT, time_s)


@pytest.mark.parametrize("fps", [12.0, 25.0, 29.97, 60.0])
def test_steady_walk_comes_back_at_its_own_frames(fps: float):
    (person,) = lift(walk(range(5, 75)), fps, n_frames=16)
    np.testing.assert_array_equal(person.frame, np.arange(5, 75))
    np.testing.assert_allclose(person.time_s, np.arange(5, 75) / fps)
    truth_px = np.stack([to_h36m(standing(COCO_17, 100 + 2.0 * frame), COCO_17) for frame in range(5, 75)])
    expected = normalise_points(truth_px[..., :2], float(WIDTH), float(HEIGHT))
    np.testing.assert_allclose(person.pose_norm[..., :2], expected, atol=1e-5)
    assert person.valid.all()


def test_the_model_sees_its_own_frame_rate_and_window():
    seen = []

    def remember(pose2d_norm: np.ndarray) -> np.ndarray:
        seen.append(pose2d_norm)
        return as_it_is(pose2d_norm)

    lift(walk(range(61), step_px=1.0), 60.0, remember, fps=25.0, n_frames=243)
    # One second is 25 steps; the walk of 60 px is 60 / 320 in normalised units.
    assert [clips.shape for clips in seen] == [(1, 26, 17, 3)]
    steps = np.diff(seen[0][0, :, H36M_17.root, 0])
    np.testing.assert_allclose(steps, 60 / 320 / 25, atol=1e-6)
    assert (seen[0][..., 2] == np.float32(0.9)).all()


def test_bridged_frames_reach_the_model_with_confidence_0():
    detections = walk(range(40))
    frames = {frame: people for frame, people in detections.frames.items() if not 10 <= frame < 16}
    confidences = []

    def remember(pose2d_norm: np.ndarray) -> np.ndarray:
        confidences.append(pose2d_norm[0, :, 0, 2])
        return as_it_is(pose2d_norm)

    (person,) = lift(Detections(source="w", tool="t", skeleton=COCO_17, frames=frames), 25.0, remember, fps=25.0)
    assert np.flatnonzero(confidences[0] == 0).tolist() == list(range(10, 16))
    assert person.frame.tolist() == list(range(40))
    assert person.valid.all()
    assert person.bridged is not None
    assert np.flatnonzero(person.bridged.all(1)).tolist() == list(range(10, 16))
    assert not np.delete(person.bridged, range(10, 16), axis=0).any()


def test_nobody_in_some_frames():
    """Two seconds with nobody in them, told of by the detector: two people, none of them in between."""
    frames = {frame: [] if 30 <= frame < 80 else people for frame, people in walk(range(110)).frames.items()}
    people = lift(Detections(source="w", tool="t", skeleton=COCO_17, frames=frames), 25.0)
    assert [(int(p.frame[0]), int(p.frame[-1])) for p in people] == [(0, 29), (80, 109)]


def test_a_single_frame():
    (person,) = lift(walk(range(3, 4)), 30.0)
    assert person.pose_norm.shape == (1, len(H36M_17), 3)
    assert person.frame.tolist() == [3]


def test_half_a_body():
    """Someone cut off at the hips is lifted; what was never seen is not valid."""
    keypoints = standing(BODY_25, 200.0)
    legs = BODY_25.indices(["LKnee", "RKnee", "LAnkle", "RAnkle"])
    keypoints[legs] = [np.nan, np.nan, 0]
    frames = {frame: [Detection(keypoints)] for frame in range(20)}
    (person,) = lift(Detections(source="h", tool="t", skeleton=BODY_25, frames=frames), 30.0)
    assert np.isfinite(person.pose_norm).all()
    hidden = H36M_17.indices(["LKnee", "RKnee", "LAnkle", "RAnkle"])
    assert not person.valid[:, hidden].any()
    assert np.delete(person.valid, hidden, axis=1).all()


@pytest.mark.parametrize(
    ("fps", "least", "message"),
    [(0.5, 0.0, "frame rate"), (30.0, 1.5, "min_confidence"), (30.0, 0.95, "lower it")],
)
def test_impossible_wishes(fps: float, least: float, message: str):
    with pytest.raises(InputError, match=message):
        track_people(walk(range(20)), WIDTH, HEIGHT, np.arange(20) / fps, least)


def test_keypoints_of_another_video():
    with pytest.raises(InputError, match=r"keypoints reach frame 19 .* the video has 12 frames"):
        track_people(walk(range(20)), WIDTH, HEIGHT, even_times(12, 30.0))


def test_variable_frame_rate():
    """Somebody walks at 60 px a second while the camera slows from 60 to 15 frames a second and drops a few."""
    generator = np.random.default_rng(2)
    time_s = np.cumsum(
        np.concatenate([[0.0], np.full(60, 1 / 60), np.full(40, 1 / 15), generator.uniform(0.01, 0.2, 30)])
    )
    frames = {f: [Detection(standing(COCO_17, 100 + 60 * float(t)))] for f, t in enumerate(time_s)}
    seen = []

    def remember(pose2d_norm: np.ndarray) -> np.ndarray:
        seen.append(pose2d_norm)
        return as_it_is(pose2d_norm)

    detections = Detections(source="v", tool="t", skeleton=COCO_17, frames=frames)
    (person,) = lift_at(detections, time_s, remember, fps=25.0, n_frames=1000)
    (clips,) = seen
    assert clips.shape[1] == round(time_s[-1] * 25) + 1
    # At the model's rate it is a steady walk: 60 px = 60 / 320 a second, 25 steps a second.
    np.testing.assert_allclose(np.diff(clips[0, :, H36M_17.root, 0]), 60 / 320 / 25, rtol=0.02)
    np.testing.assert_array_equal(person.time_s, time_s)
    truth_px = np.stack([to_h36m(standing(COCO_17, 100 + 60 * float(t)), COCO_17) for t in time_s])
    expected = normalise_points(truth_px[..., :2], float(WIDTH), float(HEIGHT))
    np.testing.assert_allclose(person.pose_norm[..., :2], expected, atol=1e-5)
    assert person.valid.all()


def test_lifters_that_do_not_fit():
    with pytest.raises(InputError, match="expects joints of coco17"):
        lift(walk(range(20)), 30.0, skeleton="coco17")
    with pytest.raises(InputError, match="weights are broken"):
        lift(walk(range(20)), 30.0, lambda pose2d_norm: pose2d_norm * np.float32(np.nan))


META = poses_meta(
    source="walk.json",
    width=WIDTH,
    height=HEIGHT,
    fps=30.0,
    lifter=LifterSpec(name="test", label_space="camera"),
)


def test_poses_file_round_trip(tmp_path: Path):
    people = [Person.of(**vars(track)) for track in lift(walk(range(20)), 30.0)]
    write_poses(tmp_path / "new" / "pose3d.npz", people, META)
    with np.load(tmp_path / "new" / "pose3d.npz", allow_pickle=False) as stored:
        assert set(stored.files) == {"meta", "p0/frame", "p0/time_s", "p0/pose_norm", "p0/valid", "p0/bridged"}
    (back,), meta = read_poses(tmp_path / "new" / "pose3d.npz")
    for name in ("frame", "time_s", "pose_norm", "valid", "bridged"):
        np.testing.assert_array_equal(getattr(back, name), getattr(people[0], name))
    assert meta["joint_names"] == list(H36M_17.joints)
    assert meta["video_size"] == [WIDTH, HEIGHT]
    assert "metres" in meta["units"]
    assert "y down" in meta["axes"]


def test_poses_file_that_is_none(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_poses(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(InputError, match="damaged or no"):
        read_poses(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(InputError, match="holds no 3D poses"):
        read_poses(tmp_path / "other.npz")


def test_no_half_written_poses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_poses(tmp_path / "pose3d.npz", [Person.of(**vars(track)) for track in lift(walk(range(20)), 30.0)], META)
    assert list(tmp_path.iterdir()) == []


def test_a_portrait_size_for_a_landscape_video_is_noticed():
    keypoints = np.full((17, 3), 0.9)
    keypoints[:, 0] = np.linspace(800, 1900, 17)
    keypoints[:, 1] = np.linspace(200, 900, 17)
    people = {frame: [Detection(keypoints)] for frame in range(10)}
    detections = Detections(source="k.json", tool="t", skeleton=COCO_17, frames=people)
    detections.check_fits_picture(1920, 1080)
    with pytest.raises(InputError, match=r"check `picture_size`"):
        detections.check_fits_picture(1080, 1920)
