import dataclasses
import hashlib
import json

import numpy as np
import pytest

from hyperlift.cli.main import run as hyperlift
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.geometry.normalisation import denormalise_pose
from hyperlift.mocap.augmentation.body_shapes import draw_proportions, with_proportions
from hyperlift.mocap.augmentation.motion_variation import MotionVariation
from hyperlift.mocap.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.mocap.detector_points import DetectorFamily
from hyperlift.mocap.mocap_clips import MocapStoreConfig, view_arrays, views_each, write_mocap_split
from hyperlift.mocap.recording import Recording
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_camera
from hyperlift.skeletons.joint_sets import H36M_17


def standing() -> np.ndarray:
    """A person of round numbers, facing -y: the left side at +x."""
    place = {
        **{
            "Pelvis": (0, 0, 0.9),
            "Spine": (0, 0, 1.1),
            "Thorax": (0, 0, 1.4),
            "Nose": (0, -0.05, 1.5),
            "Head": (0, 0, 1.65),
        },
        **{"LHip": (0.1, 0, 0.9), "LKnee": (0.1, -0.05, 0.5), "LAnkle": (0.1, 0, 0.1)},
        **{"LShoulder": (0.2, 0, 1.4), "LElbow": (0.25, 0, 1.1), "LWrist": (0.25, -0.1, 0.9)},
    }
    place |= {"R" + joint[1:]: (-x, y, z) for joint, (x, y, z) in place.items() if joint[0] == "L"}
    return np.array([place[joint] for joint in H36M_17.joints])


def recording(name="walk_1", frames=60, group="walk") -> Recording:
    time = np.arange(frames)[:, None, None] / 50
    joints = standing()[None] + np.array([0.0, -0.8, 0.0]) * time + 0.02 * np.sin(6 * time + np.arange(17)[:, None])
    return Recording(name=name, subject="1", group=group, fps=50.0, joints_m=joints.astype(np.float32))


CONFIG = MocapStoreConfig(n_frames=9, stride=9, views=3, proportions=0.06, ground_truth=True, seed=3)


def digest(folder) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    recordings = [recording("a"), recording("b")]
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        write_mocap_split(tmp_path / name, recordings, dataclasses.replace(CONFIG, seed=seed), "test", "")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert digest(tmp_path / "one")["pose2d_norm.npy"] != digest(tmp_path / "other")["pose2d_norm.npy"]


def test_both_spaces_agree_with_the_intrinsics(tmp_path):
    write_mocap_split(tmp_path / "a", [recording()], CONFIG, "test", "credit line")
    store = ClipStore(tmp_path / "a")
    assert store.meta.credit == "credit line"
    assert store.meta.fps == 25.0
    for video in store.videos:
        at = slice(video.first, video.first + video.frames)
        joints_m = np.asarray(store.array("joints_m")[at], np.float64)
        label_px = denormalise_pose(np.asarray(store.array("label_norm")[at], np.float64), video.width, video.height)
        assert np.allclose(label_px[..., :2], project(joints_m, np.array(video.K)), atol=1e-2)
        mm_per_px = np.asarray(store.array("mm_per_px")[at])
        depth_mm = label_px[..., 2] * mm_per_px[:, None]
        assert np.allclose(depth_mm, 1000 * (joints_m[..., 2] - joints_m[:, :1, 2]), atol=0.5)
        assert np.allclose(store.array("truth_mm")[at], label_px * mm_per_px[:, None, None], rtol=1e-4, atol=0.5)
        assert (joints_m[..., 2] > 0.8).all()


def test_views_differ_and_rare_groups_get_more_of_them(tmp_path):
    recordings = [recording(f"w{i}", 60) for i in range(8)] + [recording("j", 60, group="jump")]
    config = dataclasses.replace(CONFIG, balance=1.0, views=4)
    write_mocap_split(tmp_path / "a", recordings, config, "test", "")
    views = [video.action for video in ClipStore(tmp_path / "a").videos]
    assert views.count("jump") == pytest.approx(views.count("walk"), rel=0.2)


def test_proportions_keep_directions_and_symmetry():
    joints = recording().joints_m.astype(np.float64)
    factors = draw_proportions(H36M_17, 0.1, np.random.default_rng(0))
    shaped = with_proportions(joints, factors, H36M_17)
    before, after = (bone_lengths(j, H36M_17) for j in (joints, shaped))
    children = [child for _, child in H36M_17.bones]
    assert np.allclose(after, before * factors[children])
    assert all(factors[left] == factors[right] for right, left in H36M_17.pairs)
    for parent, child in H36M_17.bones:
        old, new = joints[:, child] - joints[:, parent], shaped[:, child] - shaped[:, parent]
        assert np.allclose(np.cross(old, new), 0, atol=1e-9)
    assert np.allclose(with_proportions(joints, np.ones(17), H36M_17), joints)


def test_cameras_keep_to_their_ranges_and_see_the_motion():
    joints, ranges, rng = recording().joints_m, CameraRanges(), np.random.default_rng(0)
    drawn = [draw_camera(joints, ranges, rng) for _ in range(50)]
    for camera in drawn:
        assert camera is not None
        fov = np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.focal_px))
        assert ranges.fov_deg[0] <= fov <= ranges.fov_deg[1]
        seen = camera.to_camera(joints)
        points = project(seen, camera.K)
        inside = ((points >= 0) & (points < [camera.width, camera.height])).all(-1)
        assert inside.mean() >= ranges.visible
        # The person's head is above the feet in the picture: no camera hangs upside down.
        assert points[0, H36M_17.index("Head"), 1] < points[0, H36M_17.index("LAnkle"), 1]
    assert len({camera.width for camera in drawn}) > 3


def test_a_motion_too_wide_for_any_camera_is_left_out():
    joints = recording().joints_m.copy()
    joints[30:] += 500.0
    assert draw_camera(joints, CameraRanges(), np.random.default_rng(0)) is None


def errors(noise: DetectorNoise, seconds=400, seed=0):
    frames = int(25 * seconds)
    points = np.zeros((frames, 17, 2)) + np.arange(17)[:, None] * 10 + 300.0
    hidden = np.zeros((frames, 17), bool)
    found = corrupt_keypoints(points, np.full(frames, 100.0), hidden, 25.0, H36M_17, noise, np.random.default_rng(seed))
    return (found[..., :2] - points) / 100.0, found[..., 2]


CALM = DetectorNoise(bursts_per_minute=0, swaps_per_minute=0, severity_spread=0)


def test_errors_scale_with_the_person():
    points, hidden = np.full((50, 17, 2), 300.0), np.zeros((50, 17), bool)
    small, large = (
        corrupt_keypoints(points, np.full(50, size), hidden, 25.0, H36M_17, CALM, np.random.default_rng(0))
        for size in (100.0, 200.0)
    )
    assert np.allclose(2 * (small[..., :2] - 300), large[..., :2] - 300, atol=1e-3)


def test_errors_have_the_stated_size_and_memory():
    error, _ = errors(dataclasses.replace(CALM, offset=0.0, jitter=0.0), seconds=4000)
    wrist, thorax = (error[:, H36M_17.index(joint)] for joint in ("LWrist", "Thorax"))
    assert wrist.std() / thorax.std() == pytest.approx(1.3 / 0.7, rel=0.05)
    assert wrist.std() == pytest.approx(1.3 * CALM.drift, rel=0.05)
    lag = round(CALM.drift_time_s * 25)
    correlation = (wrist[lag:] * wrist[:-lag]).mean() / wrist.var()
    assert correlation == pytest.approx(np.exp(-lag / (CALM.drift_time_s * 25)), abs=0.06)


def test_confidence_is_honest():
    error, confidence = errors(DetectorNoise(swaps_per_minute=0.0))
    size = np.linalg.norm(error, axis=-1)
    assert ((confidence >= 0) & (confidence <= 1)).all()
    sure, unsure = size[confidence > 0.9].mean(), size[confidence < 0.5].mean()
    assert unsure > 1.5 * sure
    assert (confidence[size > 0.1] < 0.9).mean() > 0.8


def test_hidden_joints_are_behind_something():
    joints = standing()[None]
    R = look_at(np.array([5.0, 0.0, 1.2]), np.array([0.0, 0.0, 1.0]), 0.0)  # from the person's left
    camera = Camera(R=R, centre_m=np.array([5.0, 0.0, 1.2]), focal_px=1000.0, width=1000, height=1000)
    seen = camera.to_camera(joints)
    points = project(seen, camera.K)
    hidden = hidden_joints(seen, points, np.array([1000 * 1.7 / 5]), H36M_17)[0]
    assert hidden[H36M_17.index("RShoulder")]
    assert hidden[H36M_17.index("RHip")]
    assert not hidden[[H36M_17.index(j) for j in ("LShoulder", "LElbow", "LWrist", "LHip", "LKnee", "Head")]].any()


def test_lost_joints_have_no_confidence_and_lie_on_a_line():
    noise = DetectorNoise(lost=1.0, swaps_per_minute=0, bursts_per_minute=30)
    error, confidence = errors(noise, seconds=60)
    lost = confidence == 0
    assert lost.any()
    inner = lost[:-2] & lost[1:-1] & lost[2:]
    bend = np.abs(np.diff(error, 2, axis=0))[inner]
    assert bend.max() < 1e-6 * 300


def test_view_arrays_are_finite(tmp_path):
    camera = draw_camera(recording().joints_m, CameraRanges(), np.random.default_rng(0))
    assert camera is not None
    made = view_arrays(recording().joints_m, camera, CONFIG, np.random.default_rng(0))
    assert set(made) == {"pose2d_norm", "label_norm", "joints_m", "truth_mm", "mm_per_px"}
    assert all(np.isfinite(array).all() for array in made.values())


def test_the_command_makes_a_store_without_any_file(tmp_path, capsys):
    out = tmp_path / "store"
    arguments = ["--procedural", "4", "--n_frames", "27", "--stride", "27", "--out", str(out)]
    assert hyperlift("convert-mocap", arguments) == 0
    assert "clips of 27 frames" in capsys.readouterr().out
    assert len(ClipStore(out / "train")) > 0
    assert ClipStore(out / "test").has("truth_mm")
    assert hyperlift("convert-mocap", arguments) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arrays", "nowhere"], "nowhere"),
        (["--procedural", "1"], "give at least 2"),
        (["--procedural", "4", "--n_frames", "0"], "must be positive"),
        (["--procedural", "4", "--config", "none.yaml"], "no such file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, arguments, message):
    assert hyperlift("convert-mocap", [*arguments, "--out", str(tmp_path / "store")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_ranges_are_checked():
    with pytest.raises(InputError, match="lowest value comes first"):
        CameraRanges(fov_deg=(60.0, 40.0))
    with pytest.raises(InputError, match="must not be negative"):
        DetectorNoise(drift=-1.0)
    with pytest.raises(InputError, match="between 0 and 1"):
        MocapStoreConfig(balance=2.0)


VARIED = dataclasses.replace(
    CONFIG,
    view_frames=20,
    hip_width=(0.9, 1.4),
    variation=MotionVariation(speed=(0.7, 1.4), arms_and_head=0.5, legs=0.5, limbs=1.0),
    wide_cameras=CameraRanges(pitch_deg=(-60.0, 60.0), moving=1.0, visible=0.7),
    wide_share=0.5,
    detectors={"joints": DetectorFamily(), "coco": DetectorFamily(coco=True)},
)


def test_varied_stores_are_the_same_for_any_order_and_any_number_of_workers(tmp_path):
    recordings = [recording("a"), recording("b"), recording("c")]
    write_mocap_split(tmp_path / "one", recordings, VARIED, "test", "")
    write_mocap_split(tmp_path / "two", recordings, VARIED, "test", "", workers=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    write_mocap_split(tmp_path / "turned", recordings[::-1], VARIED, "test", "")
    one, turned = ClipStore(tmp_path / "one"), ClipStore(tmp_path / "turned")
    for video in one.videos:
        other = next(v for v in turned.videos if v.source == video.source)
        a = one.array("pose2d_norm")[video.first : video.first + video.frames]
        assert np.array_equal(a, turned.array("pose2d_norm")[other.first : other.first + other.frames])


def test_varied_views_have_the_asked_length_and_agree_with_their_intrinsics(tmp_path):
    write_mocap_split(tmp_path / "a", [recording("a"), recording("b")], VARIED, "test", "")
    store = ClipStore(tmp_path / "a")
    for video in store.videos:
        assert video.frames == 20
        at = slice(video.first, video.first + video.frames)
        joints_m = np.asarray(store.array("joints_m")[at], np.float64)
        label_px = denormalise_pose(np.asarray(store.array("label_norm")[at], np.float64), video.width, video.height)
        assert np.allclose(label_px[..., :2], project(joints_m, np.array(video.K)), atol=1e-2)
        assert bone_lengths(joints_m, H36M_17).std(0).max() < 1e-5


def test_every_moment_is_seen_about_as_often_as_asked(tmp_path):
    recordings = [recording("long", frames=600), recording("short", frames=60)]
    config = dataclasses.replace(VARIED, views=6)
    write_mocap_split(tmp_path / "a", recordings, config, "test", "")
    frames = sum(video.frames for video in ClipStore(tmp_path / "a").videos)
    assert frames == pytest.approx(6 * sum(r.seconds for r in recordings) * 25, rel=0.1)


def test_held_out_splits_keep_the_recorded_motion(tmp_path):
    path = tmp_path / "wild.yaml"
    path.write_text("n_frames: 27\nstride: 27\nview_frames: 60\nvariation:\n  limbs: 1.0\nhip_width: [1.2, 1.4]\n")
    out = tmp_path / "store"
    assert hyperlift("convert-mocap", ["--procedural", "10", "--out", str(out), "--config", str(path)]) == 0
    held = ClipStore(out / "test").meta.details["mocap"]
    assert held["view_frames"] == 0
    assert held["variation"]["limbs"] == 0
    assert held["hip_width"] == [1.0, 1.0]
    assert ClipStore(out / "train").meta.details["mocap"]["variation"]["limbs"] == 1.0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"view_frames": 0}, "variation needs view_frames"),
        ({"view_frames": 5}, "at least n_frames"),
        ({"wide_cameras": None}, "wide_share"),
        ({"detectors": {"none": DetectorFamily(share=0.0)}}, "every share is 0"),
    ],
)
def test_contradictory_recipes_are_refused(change, word):
    with pytest.raises(InputError, match=word):
        dataclasses.replace(VARIED, **change)


@pytest.mark.parametrize(("view_frames", "how"), [(0, "stretched in time"), (45, "played back and forth")])
def test_recordings_shorter_than_a_clip_are_named(tmp_path, caplog, view_frames, how):
    """1.2 seconds are 30 frames of 25 a second."""
    config = dataclasses.replace(CONFIG, n_frames=45, stride=45, views=1, view_frames=view_frames)
    recordings = [recording("short"), recording("long", frames=120)]
    assert write_mocap_split(tmp_path / "a", recordings, config, "test", "") >= 2
    assert f"1 of 2 recordings are shorter than a clip of 45 frames (1.8 s) and are {how}: short" in caplog.text
    assert ClipStore(tmp_path / "a").clip(0).shape == (45, 17, 3)


def test_data_sets_get_their_weights_after_the_balance_of_groups():
    def of(dataset, group, frames):
        return dataclasses.replace(recording(f"{dataset} {group} {frames}", frames, group), dataset=dataset)

    # 4 s of squats against 1 s each of walking, jumping and waving.
    recordings = [of("slow", "squat", 201), of("rich", "walk", 51), of("rich", "jump", 51), of("far", "wave", 51)]
    level = dataclasses.replace(CONFIG, n_frames=2, stride=2, balance=1.0, views=100)

    def seconds(**weights):
        counts = views_each(recordings, dataclasses.replace(level, dataset_weights=weights))
        return [count * one.seconds for count, one in zip(counts, recordings, strict=True)]

    assert seconds() == pytest.approx([175, 175, 175, 175], abs=2)
    assert seconds(slow=0.5) == pytest.approx([100, 200, 200, 200], abs=2)
    assert seconds(slow=0.5, unknown=3.0, far=0.25) == pytest.approx([127, 255, 255, 64], abs=2)
    # A group of one data set is another than the group of that name of another data set.
    recordings[3] = of("far", "walk", 51)
    assert seconds() == pytest.approx([175, 175, 175, 175], abs=2)
    with pytest.raises(InputError, match="a weight is 0 or a positive number"):
        MocapStoreConfig(dataset_weights={"slow": -1.0})


def test_what_a_source_lacks_is_written_beside_its_videos(tmp_path):
    headless = dataclasses.replace(recording("b"), unmeasured=("Nose", "Head"))
    write_mocap_split(tmp_path / "a", [recording("a"), headless], CONFIG, "test", "")
    store = ClipStore(tmp_path / "a")
    lost = H36M_17.indices(["Nose", "Head"])
    for video, measured in zip(store.videos, store.measured, strict=True):
        assert np.flatnonzero(~measured).tolist() == (lost if video.source[0] == "b" else [])
    # The joints themselves are there, where the source's rule put them: detectors see them.
    assert (np.abs(store.array("joints_m")[:, lost]) > 0).any(-1).all()


def arrays_folder(folder, splits):
    """A folder of motion capture arrays: by split its entries, each of a second of motion."""
    folder.mkdir()
    index = {"fps": 50, "metres_per_step": 0.0002, "up": "z", "joints": list(H36M_17.joints)}
    for split, entries in splits.items():
        joints = {entry["id"]: np.round(recording(entry["id"]).joints_m / 0.0002).astype(np.int16) for entry in entries}
        np.savez(folder / f"{split}.npz", **joints)
        index[split] = [{"frames": 60, "group": "walk", **entry} for entry in entries]
    (folder / "index.json").write_text(json.dumps(index))
    return str(folder)


RECIPE = "views: 2\nn_frames: 9\nstride: 9\ndataset_weights: {HDM05: 0.0, MHAD: 0.5}\n"


@pytest.fixture
def two_folders(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    first = arrays_folder(
        tmp_path / "first",
        {"train": [{"id": "a", "subject": "1"}, {"id": "b", "subject": "2"}], "test": [{"id": "c", "subject": "3"}]},
    )
    second = {
        "train": [
            {"id": "m", "subject": "1", "dataset": "MHAD", "unmeasured": ["Head"]},
            {"id": "h", "subject": "9", "dataset": "HDM05"},
        ],
        "val": [{"id": "v", "subject": "8", "dataset": "HDM05"}],
    }
    return tmp_path, first, second


def convert(tmp_path, *more):
    return hyperlift(
        "convert-mocap", ["--config", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "store"), *more]
    )


def test_several_folders_become_one_store(two_folders):
    tmp_path, first, second = two_folders
    arguments = ["--arrays", first, arrays_folder(tmp_path / "second", second), "--val_subjects", "2"]
    assert convert(tmp_path, *arguments) == 0
    stores = {split: ClipStore(tmp_path / "store" / split) for split in ("train", "val", "test")}
    names = {split: {video.source[0] for video in store.videos} for split, store in stores.items()}
    assert names == {"train": {"a", "m"}, "val": {"v", "b"}, "test": {"c"}}
    # What is left out of training is not credited there; whatever is made from the store carries these lines.
    credit = stores["train"].meta.credit
    assert "mocap.cs.cmu.edu" in credit
    assert "Berkeley MHAD" in credit
    assert "HDM05" not in credit
    assert "HDM05" in stores["val"].meta.credit
    assert stores["train"].meta.details["mocap"]["dataset_weights"] == {"HDM05": 0.0, "MHAD": 0.5}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"val": [{"id": "v", "subject": "2"}]}, "CMU 2 is in train and in val"),
        ({"train": [{"id": "a", "subject": "4"}]}, "several recordings of split train are called a"),
        ({}, "has none of the splits"),
    ],
)
def test_folders_that_do_not_go_together_are_refused(two_folders, capsys, spoil, message):
    tmp_path, first, _ = two_folders
    assert convert(tmp_path, "--arrays", first, arrays_folder(tmp_path / "second", spoil)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_folders_with_nothing_to_train_on_are_refused(two_folders, capsys):
    tmp_path, _, second = two_folders
    held_out = arrays_folder(tmp_path / "second", {"train": second["train"][1:], "val": second["val"]})
    assert convert(tmp_path, "--arrays", held_out) == 2
    assert "there is nothing to train on" in capsys.readouterr().err
