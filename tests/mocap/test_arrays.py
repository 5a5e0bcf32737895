import json

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.mocap.arrays import mocap_splits, read_mocap_arrays
from hyperlift.skeletons.joint_sets import H36M_17


@pytest.fixture
def folder(tmp_path):
    """Two recordings of 3 and 4 frames in steps of 1 mm."""
    walk = np.arange(3 * 17 * 3, dtype=np.int16).reshape(3, 17, 3)
    arrays = {"A_1": walk, "A_2": np.zeros((4, 17, 3), np.int16)}
    entries = [{"id": name, "subject": "07", "group": "walk", "frames": len(array)} for name, array in arrays.items()]
    index = {
        "fps": 50,
        "metres_per_step": 0.001,
        "up": "z",
        "joints": list(H36M_17.joints),
        "parents": list(H36M_17.parents),
        "test": entries,
    }
    (tmp_path / "index.json").write_text(json.dumps(index))
    np.savez(tmp_path / "test.npz", **arrays)
    return tmp_path


def edit_index(folder, **changes):
    path = folder / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_values_are_steps_in_metres(folder):
    first, second = read_mocap_arrays(folder, "test")
    assert (first.name, first.subject, first.group, first.fps) == ("A_1", "07", "walk", 50.0)
    # Frame 1, joint 2, z is the integer (1 * 17 + 2) * 3 + 2 = 59, so 59 mm.
    assert first.joints_m[1, 2, 2] == pytest.approx(0.059)
    assert first.joints_m.dtype == np.float32
    assert second.joints_m.shape == (4, 17, 3)


def test_recordings_are_read_one_at_a_time(folder):
    archive = dict(np.load(folder / "test.npz"))
    archive["A_2"] = archive["A_2"][:2]
    np.savez(folder / "test.npz", **archive)
    recordings = read_mocap_arrays(folder, "test")
    assert next(recordings).name == "A_1"
    with pytest.raises(InputError, match=r"A_2.*expected integers of shape \(4, 17, 3\)"):
        next(recordings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"up": "y"}, "up is 'y'"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": True}, "fps is True"),
        ({"fps": 10**400}, "fps is an integer of 1329 bits"),
        ({"metres_per_step": "1"}, "metres_per_step is '1'"),
        ({"test": [{"id": ["A_1"], "subject": "1", "group": "run", "frames": 3}]}, "expected a text and a whole"),
        ({"joints": ["Hip"]}, "expected those of h36m17"),
        ({"test": [{"id": "A_1"}]}, "entry 0 of 'test' lacks"),
        ({"test": [{"id": "B", "subject": "1", "group": "run", "frames": 3}]}, "B: the index lists it"),
    ],
)
def test_a_wrong_index_is_named(folder, changes, message):
    edit_index(folder, **changes)
    with pytest.raises(InputError, match=message):
        list(read_mocap_arrays(folder, "test"))


def test_missing_parts_are_named(folder):
    with pytest.raises(InputError, match="no split 'train'; it has test"):
        list(read_mocap_arrays(folder, "train"))
    with pytest.raises(InputError, match=r"index\.json: no such file"):
        list(read_mocap_arrays(folder / "nowhere", "test"))
    (folder / "test.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"damaged or no \.npz"):
        list(read_mocap_arrays(folder, "test"))
    (folder / "test.npz").unlink()
    with pytest.raises(InputError, match=r"test\.npz: no such file"):
        list(read_mocap_arrays(folder, "test"))


def test_pickled_arrays_are_refused(folder):
    np.savez(folder / "test.npz", A_1=np.array([{"code": 1}], dtype=object))
    with pytest.raises(InputError, match=r"A_1.*array of objects"):
        list(read_mocap_arrays(folder, "test"))


def test_real_recordings_keep_their_bones():
    folder = shared_path("data/mocap/index.json").parent
    recordings = read_mocap_arrays(folder, "test")
    for recording, _ in zip(recordings, range(5), strict=False):
        lengths_m = bone_lengths(recording.joints_m, H36M_17)
        assert recording.fps == 50.0
        assert np.ptp(lengths_m, axis=0).max() < 1e-3  # steps of 0.2 mm
        assert 3.0 < lengths_m[0].sum() < 5.0


def test_an_entry_names_its_data_set_archive_and_unmeasured_joints(folder):
    entries = json.loads((folder / "index.json").read_text())["test"]
    entries[1] |= {"dataset": "MHAD", "file": "test_mhad.npz", "unmeasured": ["Nose", "Head"]}
    edit_index(folder, test=entries)
    archive = dict(np.load(folder / "test.npz"))
    np.savez(folder / "test_mhad.npz", A_2=archive.pop("A_2"))
    np.savez(folder / "test.npz", **archive)
    first, second = read_mocap_arrays(folder, "test")
    assert (first.dataset, first.unmeasured) == ("CMU", ())
    assert (second.dataset, second.unmeasured) == ("MHAD", ("Nose", "Head"))
    assert [one.name for one in read_mocap_arrays(folder, "test", leave_out=["CMU"])] == ["A_2"]


def test_an_archive_that_is_not_there_is_left_out_with_its_entries(folder, caplog):
    entries = json.loads((folder / "index.json").read_text())["test"]
    entries[1]["file"] = "other_terms.npz"
    edit_index(folder, test=entries)
    assert [one.name for one in read_mocap_arrays(folder, "test")] == ["A_1"]
    assert "other_terms.npz: no such file; its recordings are left out" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unmeasured": "Head"}, "expected a list of joint names"),
        ({"unmeasured": [3]}, "expected a list of joint names"),
        ({"unmeasured": ["Tail"]}, r"A_1: unmeasured joints are \['Tail'\]"),
        ({"unmeasured": ["Pelvis"]}, "other than its root Pelvis"),
        ({"dataset": None}, "the name of an archive beside the index"),
        ({"file": "../test.npz"}, "the name of an archive beside the index"),
    ],
)
def test_wrong_entries_are_named(folder, changes, message):
    entries = json.loads((folder / "index.json").read_text())["test"]
    entries[0] |= changes
    edit_index(folder, test=entries)
    with pytest.raises(InputError, match=message):
        list(read_mocap_arrays(folder, "test"))


def test_the_splits_of_a_folder_are_listed(folder):
    assert mocap_splits(folder) == ["test"]
    edit_index(folder, train=[], test={})
    assert mocap_splits(folder) == ["train"]
    edit_index(folder, train=None)
    with pytest.raises(InputError, match="none of the splits train, val, test"):
        mocap_splits(folder)
