"""The data set's own MATLAB files, in miniature: what video lifters' files were made of gives the same clips."""

import sys

import h5py
import numpy as np
import pytest
import scipy.io
import synthetic_3dhp

from hyperlift.cli.main import run as hyperlift
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import LabelConvention, StoreClips
from hyperlift.datasets.mpi_inf_3dhp import read_test, read_train
from hyperlift.datasets.mpi_inf_3dhp_clips import ClipPlan3DHP, convert_mpi_inf_3dhp
from hyperlift.datasets.mpi_inf_3dhp_mat import TRAIN_CAMERAS, read_test_folder, read_train_folder
from hyperlift.errors import InputError
from hyperlift.evaluation.protocol import MPI_INF_3DHP
from hyperlift.evaluation.store_evaluation import evaluate_store
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

# The training set's 28 joints, in the order of its mpii_get_joint_set.m.
TRAIN_ORDER = (
    *("spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top", "left_clavicle", "left_shoulder"),
    *("left_elbow", "left_wrist", "left_hand", "right_clavicle", "right_shoulder", "right_elbow", "right_wrist"),
    *("right_hand", "left_hip", "left_knee", "left_ankle", "left_foot", "left_toe", "right_hip", "right_knee"),
    *("right_ankle", "right_foot", "right_toe"),
)
PLAN = ClipPlan3DHP(n_frames=27, stride=9, test_stride=27)


def their_name(joint: str) -> str:
    side = {"L": "left_", "R": "right_"}.get(joint[0], "")
    return {"HeadTop": "head_top"}.get(joint, side + joint.removeprefix(joint[0]).lower() if side else joint.lower())


def write_test(folder, content):
    for name, sequence in content.items():
        (folder / name).mkdir(parents=True)
        # MATLAB 7.3 is HDF5 behind a header of 512 bytes; a singleton axis stands for the only person.
        with h5py.File(folder / name / "annot_data.mat", "w", userblock_size=512) as file:
            file["annot2"] = sequence["data_2d"][:, None]
            file["univ_annot3"] = sequence["data_3d"][:, None]
            file["annot3"] = 1.1 * sequence["data_3d"][:, None]
            file["valid_frame"] = sequence["valid"][:, None]
    return folder


def write_train(folder, content, cameras=14):
    rng = np.random.default_rng(3)
    places = [TRAIN_ORDER.index(their_name(joint)) for joint in MPI_INF_3DHP_17.joints]
    for name, (views, _) in content.items():
        subject, sequence = name.split()
        frames = len(next(iter(views.values()))["data_2d"])
        cells = {key: np.empty((cameras, 1), object) for key in ("annot2", "annot3", "univ_annot3")}
        for camera in range(cameras):
            view = views.get(str(camera), synthetic_3dhp.view(frames, (2048, 2048), rng))
            for key, joints in (("annot2", "data_2d"), ("univ_annot3", "data_3d"), ("annot3", "data_3d")):
                every = rng.normal(size=(frames, 28, view[joints].shape[-1]))
                every[:, places] = view[joints]
                cells[key][camera, 0] = (1.1 if key == "annot3" else 1.0) * every.reshape(frames, -1)
        (folder / subject / sequence).mkdir(parents=True)
        scipy.io.savemat(folder / subject / sequence / "annot.mat", {"frames": np.arange(frames)[:, None], **cells})
    return folder


def same(ours, theirs):
    assert (ours.source, ours.subject, ours.sequence, ours.fps) == (
        *(theirs.source, theirs.subject, theirs.sequence, theirs.fps),
    )
    for name in ("joints_px", "joints_mm", "valid"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_own_files_hold_what_the_npz_files_hold(tmp_path):
    npz = synthetic_3dhp.write(tmp_path / "npz")
    tests = list(read_test_folder(write_test(tmp_path / "test", synthetic_3dhp.make_test_content())))
    for ours, theirs in zip(tests, read_test(npz / "data_test_3dhp.npz"), strict=True):
        same(ours, theirs)
    trains = {v.source: v for v in read_train_folder(write_train(tmp_path / "t", synthetic_3dhp.make_train_content()))}
    assert len(trains) == 2 * len(TRAIN_CAMERAS)
    for theirs in read_train(npz / "data_train_3dhp.npz"):
        same(trains[theirs.source], theirs)


def test_the_command_takes_the_folders_and_the_store_scores_a_perfect_lifter(tmp_path, capsys):
    write_test(tmp_path / "mpi_inf_3dhp_test_set", synthetic_3dhp.make_test_content())
    write_train(tmp_path / "mpi_inf_3dhp", synthetic_3dhp.make_train_content())
    folders = [
        "--train_file",
        "mpi_inf_3dhp",
        "--test_file",
        "mpi_inf_3dhp_test_set",
        "--n_frames",
        "27",
        "--stride",
        "27",
    ]
    assert (
        hyperlift("convert-mpi-inf-3dhp", ["--dt_root", str(tmp_path), *folders, "--out", str(tmp_path / "store")]) == 0
    )
    assert "clips of 27 frames" in capsys.readouterr().out
    store = ClipStore(tmp_path / "store" / "test")
    known = {row.tobytes(): i for i, row in enumerate(store.array("pose2d_norm"))}

    def oracle(clips):
        labels = store.array("label_norm")
        return np.stack([labels[[known[frame.tobytes()] for frame in clip]] for clip in clips]).astype(np.float32)

    spec = LifterSpec(name="oracle", skeleton="mpi_inf_3dhp17", n_frames=27)
    protocol = MPI_INF_3DHP.__class__(**{**vars(MPI_INF_3DHP), "flip": False})
    result = evaluate_store(oracle, spec, store, protocol)
    assert result.overall.p1_mm < 1e-2
    assert result.overall.frames == sum(int(s["valid"].sum()) for s in synthetic_3dhp.make_test_content().values())
    # A training sequence of 50 frames a second stands at 25 in the store.
    train = ClipStore(tmp_path / "store" / "train")
    assert {v.source: v.frames for v in train.videos}["S3_Seq2_cam4"] == 31


def test_settings_that_need_projections_are_refused(tmp_path):
    folder = synthetic_3dhp.write(tmp_path)
    convert_mpi_inf_3dhp(folder / "data_train_3dhp.npz", folder / "data_test_3dhp.npz", tmp_path / "store", PLAN)
    train, test = ClipStore(tmp_path / "store" / "train"), ClipStore(tmp_path / "store" / "test")
    with pytest.raises(InputError, match="root-relative lengths, no projections, which rootrel: false needs"):
        StoreClips(train, LabelConvention("image", False))
    with pytest.raises(InputError, match="which gt_2d: true needs; leave that setting out"):
        StoreClips(train, LabelConvention("camera", True, gt_2d=True))
    exact = MPI_INF_3DHP.__class__(**{**vars(MPI_INF_3DHP), "gt_2d": True})
    spec = LifterSpec(name="oracle", skeleton="mpi_inf_3dhp17", n_frames=27)
    with pytest.raises(InputError, match="which gt_2d: true needs"):
        evaluate_store(lambda clips: clips, spec, test, exact)


def test_without_h5py_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.delitem(sys.modules, "hyperlift.datasets.mpi_inf_3dhp_mat")
    monkeypatch.delitem(sys.modules, "hyperlift.safe_io.matlab", raising=False)
    with pytest.raises(InputError, match=r"needs h5py, which is not installed; pip install 'hyperlift\[train\]'"):
        convert_mpi_inf_3dhp(tmp_path, tmp_path, tmp_path / "store", PLAN)


def spoiled(key, value):
    content = {"TS1": synthetic_3dhp.make_test_content()["TS1"]}
    content["TS1"][key] = value
    return content


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data_2d", np.zeros((3, 17, 2)), r"annot2 has shape \(3, 1, 17, 2\).*expected \(70, 1, 17, 2\)"),
        ("data_3d", np.zeros((70, 28, 3)), r"univ_annot3 has shape \(70, 1, 28, 3\)"),
        ("data_3d", np.full((70, 17, 3), np.nan), "univ_annot3 holds NaN"),
        ("valid", np.zeros(0), "valid_frame is absent or no array"),
    ],
)
def test_a_test_file_that_does_not_fit_is_named(tmp_path, key, value, message):
    write_test(tmp_path, spoiled(key, value))
    with pytest.raises(InputError, match=rf"TS1/annot_data\.mat: {message}"):
        list(read_test_folder(tmp_path))


def test_other_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"holds no TS\*/annot_data\.mat; give the folder"):
        list(read_test_folder(tmp_path))
    with pytest.raises(InputError, match=r"holds no S\*/Seq\*/annot\.mat"):
        convert_mpi_inf_3dhp(tmp_path, write_test(tmp_path / "a", spoiled("valid", np.ones(70))), tmp_path / "s", PLAN)
    assert not (tmp_path / "s").exists() or not list((tmp_path / "s").iterdir())
    (tmp_path / "TS1").mkdir()
    (tmp_path / "TS1" / "annot_data.mat").write_bytes(b"no file of any kind")
    with pytest.raises(InputError, match=r"no MATLAB 7\.3 file"):
        list(read_test_folder(tmp_path))
    (tmp_path / "S1" / "Seq1").mkdir(parents=True)
    (tmp_path / "S1" / "Seq1" / "annot.mat").write_bytes(b"no file of any kind")
    with pytest.raises(InputError, match="no MATLAB 5 file"):
        list(read_train_folder(tmp_path))
    write_train(tmp_path / "few", {"S2 Seq1": synthetic_3dhp.make_train_content()["S1 Seq1"]}, cameras=3)
    with pytest.raises(InputError, match="camera 4: annot2 is absent or no cell a camera"):
        list(read_train_folder(tmp_path / "few"))
