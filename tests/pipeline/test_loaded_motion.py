from dataclasses import replace

import numpy as np
import pytest
from pipeline_recordings import HEIGHT, WIDTH, write_spots
from rigid_motions import CENTRE_M, TO_CAMERA, lifted, poses_file, without
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

import hyperlift
from hyperlift.body.joint_limits import JointLimits
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.reading import video_facts

WRIST = H36M_17.index("LWrist")


def test_rigid_people_have_constant_bones_in_both_axes(tmp_path):
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 20), lifted(3, 20)]))
    rigid = motion.rigid()
    for before, person in zip(motion.people, rigid.people, strict=True):
        for joints_m in (person.joints_m, person.world_m):
            assert np.ptp(bone_lengths(joints_m, H36M_17), axis=0).max() < 1e-9
        np.testing.assert_allclose((person.world_m - CENTRE_M) @ TO_CAMERA.T, person.joints_m, atol=1e-9)
        np.testing.assert_array_equal(person.root_m, person.joints_m[:, 0])
        np.testing.assert_array_equal(person.pose_norm, before.pose_norm)
        moved_mm = 1000 * np.linalg.norm(person.joints_m - before.joints_m, axis=-1)
        said = rigid.meta["rigid"]["people"][f"p{person.id}"]
        assert said["mean_moved_mm"] == pytest.approx(moved_mm.mean(), abs=1e-3)
        assert said["bones_m"]["LKnee"] == pytest.approx(0.43, abs=0.01)


def test_what_is_shown_of_it_is_short(tmp_path):
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 20), lifted(3, 20)]))
    assert [repr(person) for person in motion.people] == [
        "Person(p0: frames 0–19)",
        "Person(p3: frames 0–19)",
    ]
    assert repr(motion) == "Motion(walk.json: 20 frames; p0 frames 0–19, p3 frames 0–19)"
    assert repr(without(motion.people[0], "joints_m")) == "Person(p0: frames 0–19, no metres)"


def test_a_rigid_motion_is_not_smoothed_again(tmp_path):
    once = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 20)])).rigid()
    once.save(tmp_path / "rigid.npz")
    twice = hyperlift.load_motion(tmp_path / "rigid.npz").rigid()
    np.testing.assert_allclose(twice.people[0].joints_m, once.people[0].joints_m, atol=1e-6)
    assert twice.meta["rigid"] == once.meta["rigid"], "what is said is what the first fit moved"


def test_missing_joints_are_filled_and_marked(tmp_path):
    person = lifted(0, 30)
    for array in (person.joints_m, person.world_m):
        array[10:14, WRIST] = np.nan
        array[20] = np.nan
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [person]))
    assert motion.people[0].valid.all(), "a file may call valid what is not there"
    rigid = motion.rigid().people[0]
    assert np.isfinite(rigid.joints_m).all()
    assert np.isfinite(rigid.world_m).all()
    np.testing.assert_array_equal(rigid.valid, np.isfinite(person.joints_m).all(-1))
    assert np.linalg.norm(rigid.world_m - lifted(0, 30).world_m, axis=-1).max() < 0.2


def test_somebody_who_was_never_seen_stays_and_the_others_are_fitted(tmp_path):
    unseen = replace(lifted(1, 10), valid=np.zeros((10, 17), bool))
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 10), unseen]))
    rigid = motion.rigid()
    assert set(rigid.fits) == {0}
    np.testing.assert_array_equal(rigid.people[1].joints_m, unseen.joints_m)
    assert [path.name for path in rigid.save(tmp_path / "walk.trc")] == ["walk.trc"]
    with pytest.raises(InputError, match="nobody was seen"):
        motion.of([1]).rigid()


def test_people_without_metres_are_refused(tmp_path):
    unplaced = without(lifted(2, 5), "joints_m", "root_m", "world_m")
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [unplaced]))
    with pytest.raises(InputError, match="p2: person 2 has no joints in metres"):
        motion.rigid()
    with pytest.raises(InputError, match="person 2 has no joints in metres"):
        motion.save_angles(tmp_path / "angles.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["poses.npz"]


def test_one_frame(tmp_path):
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 1)]))
    rigid = motion.rigid()
    np.testing.assert_allclose(rigid.people[0].joints_m, motion.people[0].joints_m, atol=0.1)
    for name in ("one.bvh", "one.glb", "one.trc", "one.c3d", "one.gif", "one.mp4", "one.csv"):
        (path,) = rigid.save(tmp_path / name)
        assert path.stat().st_size > 100
    rigid.save_angles(tmp_path / "angles.csv")
    assert len((tmp_path / "angles.csv").read_text().splitlines()) == 2


def test_limits_hold_in_what_is_saved(tmp_path):
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", [lifted(0, 10)]))
    limits = JointLimits({"Knee": {"X": (0.0, 0.5)}})
    fitted = motion.rigid(limits).fits[0]
    np.testing.assert_allclose(limits.clamp(fitted.rotations), fitted.rotations, atol=1e-6)
    free = motion.rigid().fits[0].rotations
    assert np.abs(limits.clamp(free) - free).max() > 0.05
    assert motion.rigid(limits).meta["rigid"]["limits_deg"] == {"Knee": {"X": [0.0, 28.648]}}
    motion.save(tmp_path / "free.bvh")
    motion.save(tmp_path / "held.bvh", limits=limits)
    assert (tmp_path / "free.bvh").read_text() != (tmp_path / "held.bvh").read_text()


def test_angles_as_a_table(tmp_path):
    people = [lifted(0, 6), without(lifted(1, 6), "world_m")]
    people[0].valid[2, WRIST] = False
    motion = hyperlift.load_motion(poses_file(tmp_path / "poses.npz", people))
    motion.save_angles(tmp_path / "angles.csv")
    header, *rows = [line.split(",") for line in (tmp_path / "angles.csv").read_text().splitlines()]
    assert header[:3] == ["person", "frame", "time_s"]
    assert all(name.endswith("_deg") for name in header[3:])
    assert [row[:2] for row in rows] == [[str(p), str(f)] for p in (0, 1) for f in range(6)]
    elbow, knee, lean = (
        header.index(f"{name}_deg") for name in ("elbow_flexion_left", "knee_flexion_left", "lean_forward")
    )
    assert [row[elbow] == "" for row in rows] == [number == 2 for number in range(12)]
    assert [row[lean] == "" for row in rows] == [number >= 6 for number in range(12)], "no world, no vertical"
    # By the law of cosines, from the joints of one frame.
    hip, bent, ankle = people[0].world_m[4, H36M_17.indices(["LHip", "LKnee", "LAnkle"])]
    a, b, c = (np.linalg.norm(one - two) for one, two in ((hip, bent), (bent, ankle), (hip, ankle)))
    inner_deg = np.degrees(np.arccos((a**2 + b**2 - c**2) / (2 * a * b)))
    assert float(rows[4][knee]) == pytest.approx(180.0 - inner_deg, abs=0.006)


@pytest.fixture
def both(tmp_path) -> tuple[hyperlift.Motion, hyperlift.Motion]:
    """A motion as it was lifted, and out of its file."""
    lifter = hyperlift.Lifter(write_flat_lifter(tmp_path / "flat.onnx"))
    entries = [alphapose_entry(frame, 200.0 + frame, idx=4) for frame in range(3, 40)]
    options = hyperlift.LiftOptions(picture_size=(WIDTH, HEIGHT), fps=25.0)
    motion = lifter.lift(write_alphapose(tmp_path / "walk.json", entries), options=options)
    motion.save(tmp_path / "pose3d.npz")
    return motion, hyperlift.load_motion(tmp_path / "pose3d.npz")


def test_a_file_says_what_the_lifted_motion_says(both, tmp_path):
    motion, loaded = both
    assert type(motion) is type(loaded)
    assert (loaded.intrinsics, loaded.summary, loaded.gravity) == (motion.intrinsics, motion.summary, motion.gravity)
    np.testing.assert_array_equal(loaded.world.R, motion.world.R)
    np.testing.assert_array_equal(loaded.world.origin_m, motion.world.origin_m)
    assert loaded.frames == motion.frames == 40
    np.testing.assert_array_equal(loaded.times_s[3:], motion.times_s[3:])
    assert np.isnan(loaded.times_s[:3]).all(), "nobody was there, and the file does not say when it was"
    for one in both:
        one.save(tmp_path / "again.json")
        one.save_angles(tmp_path / "angles.csv")
    assert (tmp_path / "again.json").read_text().count("reprojection_px") == 38  # a line a frame, and in meta


def test_both_are_drawn(both, tmp_path):
    motion, loaded = both
    for name, one in (("lifted", motion), ("loaded", loaded)):
        one.render(tmp_path / f"{name}.mp4")
        one.view(tmp_path / f"{name}.html")
        assert (tmp_path / f"{name}.html").stat().st_size > 10_000
    lifted, alone = (video_facts(tmp_path / f"{name}.mp4") for name in ("lifted", "loaded"))
    assert lifted.frames == alone.frames == 37
    assert lifted.width / lifted.height > 1.1 * alone.width / alone.height, "the keypoints are shown beside"


def test_a_file_with_its_video(both, tmp_path):
    video = write_spots(tmp_path / "walk.mp4", np.linspace(100, 300, 40))
    loaded = hyperlift.load_motion(tmp_path / "pose3d.npz", video)
    assert loaded.frames == 40
    assert loaded.warnings == ()
    loaded.render(tmp_path / "out.mp4")
    assert 'type="application/json"' in (loaded.view(tmp_path / "out.html").path).read_text()
    with pytest.raises(InputError, match=r"lasts 0\.2 s, but there are people up to 1\.6 s"):
        hyperlift.load_motion(tmp_path / "pose3d.npz", write_spots(tmp_path / "short.mp4", np.full(4, 100.0)))


def test_what_only_the_recording_knows(both, tmp_path):
    motion, loaded = both
    motion.save_keypoints(tmp_path / "found.json")
    with pytest.raises(InputError, match=r"^walk\.json: a file of poses holds no keypoints"):
        loaded.save_keypoints(tmp_path / "none.json")
    assert not (tmp_path / "none.json").exists()


def test_meta_data_of_a_foreign_hand(both):
    _, loaded = both
    broken = replace(loaded, meta={**loaded.meta, "world": {"R": "up"}})
    with pytest.raises(InputError, match=r"^world in the meta data is"):
        _ = broken.summary
    assert replace(loaded, meta={"skeleton": "h36m17"}).summary == loaded.summary[:1]


def test_what_is_not_known_is_not_written(both, tmp_path):
    """The fit of a file's joints knows no keypoints, so nothing is measured against them."""
    for one, measured in zip(both, (True, False), strict=True):
        one.rigid().save(tmp_path / "rigid.npz")
        with np.load(tmp_path / "rigid.npz") as stored:
            assert ("p4/reprojection_px" in stored.files) == measured
            assert "p4/keypoints_px" not in stored.files
