import numpy as np
import pytest
import synthetic_3dhp

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import LabelConvention, StoreClips
from hyperlift.datasets.mpi_inf_3dhp import read_test, read_train
from hyperlift.datasets.mpi_inf_3dhp_clips import ClipPlan3DHP, convert_mpi_inf_3dhp
from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import denormalise_points
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

PLAN = ClipPlan3DHP(n_frames=27, stride=9, test_stride=27)


def convert(folder, plan=PLAN):
    train, test = folder / "data_train_3dhp.npz", folder / "data_test_3dhp.npz"
    return convert_mpi_inf_3dhp(train, test, folder / "store", plan)


def test_joint_order():
    # The numbers that evaluations of this data set use.
    assert MPI_INF_3DHP_17.root == 14
    assert sorted(MPI_INF_3DHP_17.pairs) == [(2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13)]
    assert MPI_INF_3DHP_17.parents == (1, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1)


def test_reads_what_was_written(tmp_path):
    folder = synthetic_3dhp.write(tmp_path)
    content = synthetic_3dhp.make_test_content()
    sequences = list(read_test(folder / "data_test_3dhp.npz"))
    assert [(s.source, s.size, len(s)) for s in sequences] == [
        (name, synthetic_3dhp.SIZES[name], frames) for name, frames in synthetic_3dhp.TEST_FRAMES.items()
    ]
    for sequence in sequences:
        np.testing.assert_array_equal(sequence.joints_mm, content[sequence.source]["data_3d"])
        np.testing.assert_array_equal(sequence.joints_px, content[sequence.source]["data_2d"])
        np.testing.assert_array_equal(sequence.valid, content[sequence.source]["valid"] == 1)
    views = list(read_train(folder / "data_train_3dhp.npz"))
    assert [(v.source, v.subject, v.fps) for v in views] == [
        ("S1_Seq1_cam0", "S1", 25.0),
        ("S1_Seq1_cam8", "S1", 25.0),
        ("S3_Seq2_cam4", "S3", 50.0),
    ]
    assert all(view.valid.all() for view in views)


def test_store_in_both_label_spaces(tmp_path):
    content = synthetic_3dhp.make_test_content()
    written = convert(synthetic_3dhp.write(tmp_path))
    store = ClipStore(tmp_path / "store" / "test")
    assert written == {"train": len(ClipStore(tmp_path / "store" / "train")), "test": len(store)}
    assert (store.skeleton.name, store.meta.fps, store.meta.slicing) == ("mpi_inf_3dhp17", 25.0, "complete")
    for video in store.videos:
        original, part = content[video.source], slice(video.first, video.first + video.frames)
        assert (video.width, video.height) == synthetic_3dhp.SIZES[video.source]
        np.testing.assert_allclose(store.array("truth_mm")[part], original["data_3d"], rtol=1e-6)
        np.testing.assert_allclose(store.array("joints_m")[part], original["data_3d"] / 1000, rtol=1e-6)
        np.testing.assert_array_equal(store.array("valid")[part], original["valid"])
        points = denormalise_points(store.array("pose2d_norm")[part][..., :2], video.width, video.height)
        np.testing.assert_allclose(points, original["data_2d"], atol=1e-3)
        relative = original["data_3d"] - original["data_3d"][:, 14:15]
        np.testing.assert_allclose(store.array("label_norm")[part] * video.width / 2, relative, atol=1e-3)
    for convention in (LabelConvention("image", True), LabelConvention("camera", True)):
        clips = StoreClips(ClipStore(tmp_path / "store" / "train"), convention)
        pose2d_norm, label = clips.pair(0)
        assert pose2d_norm.shape == label.shape == (27, 17, 3)
        assert np.abs(label[:, 14]).max() == 0


def test_every_valid_frame_lies_in_a_clip_and_fast_sequences_are_strided(tmp_path):
    convert(synthetic_3dhp.write(tmp_path))
    test, train = ClipStore(tmp_path / "store" / "test"), ClipStore(tmp_path / "store" / "train")
    assert set(np.concatenate([test.frames_of(i) for i in range(len(test))])) == set(range(len(test.array("valid"))))
    fast = next(video for video in train.videos if video.source == "S3_Seq2_cam4")
    assert fast.frames == 31
    expected = synthetic_3dhp.make_train_content()["S3 Seq2"][0]["4"]["data_3d"][::2]
    np.testing.assert_allclose(train.array("truth_mm")[fast.first : fast.first + 31], expected, rtol=1e-6)
    with pytest.raises(InputError, match="S1_Seq1_cam0 has 25 frames a second, no multiple of 50"):
        convert(synthetic_3dhp.write(tmp_path / "other"), ClipPlan3DHP(fps=50.0, test_fps=50.0, n_frames=27))


def spoil(split, change):
    content = synthetic_3dhp.make_train_content() if split == "train" else synthetic_3dhp.make_test_content()
    change(content)
    return {split: content}


@pytest.mark.parametrize(
    ("split", "change", "message"),
    [
        ("test", lambda c: c["TS2"].pop("valid"), "TS2: valid is absent"),
        ("test", lambda c: c["TS2"].update(valid=np.ones(3)), r"TS2: valid has shape \(3,\), expected \(40,\)"),
        ("test", lambda c: c["TS2"].update(data_3d=np.zeros((40, 28, 3))), r"TS2: data_3d has shape \(40, 28, 3\)"),
        ("test", lambda c: c["TS2"]["data_3d"].fill(np.nan), "TS2: data_3d holds NaN"),
        ("test", lambda c: c["TS2"].update(data_2d=np.zeros((0, 17, 2))), "TS2: has no array data_2d"),
        ("test", lambda c: c.update(synthetic_3dhp.make_train_content()), "expected TS1 to TS6"),
        ("test", lambda c: c.clear(), "holds no dictionary of sequences"),
        ("train", lambda c: c.update(TS1={}), "expected names such as 'S1 Seq1'"),
        ("train", lambda c: c.update({"S1 Seq1": {"0": {}}}), "S1 Seq1 is not a pair"),
        ("train", lambda c: c.update({"S1 Seq1": [{"0": {}}, 0]}), "S1 Seq1 is not a pair"),
        ("train", lambda c: c["S1 Seq1"][0]["8"].pop("data_3d"), "S1 Seq1, camera 8: data_3d is absent"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(tmp_path, split, change, message):
    folder = synthetic_3dhp.write(tmp_path / "files", **spoil(split, change))
    with pytest.raises(InputError, match=rf"data_{split}_3dhp\.npz: .*{message}"):
        convert(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["data_test_3dhp.npz", "data_train_3dhp.npz"]


def test_plan_is_checked():
    with pytest.raises(InputError, match="`fps` is 0"):
        ClipPlan3DHP(fps=0.0)
