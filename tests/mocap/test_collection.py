import json
import logging
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.cli.main import run as hyperlift
from hyperlift.errors import InputError
from hyperlift.mocap.bvh import read_bvh
from hyperlift.mocap.collection import CollectionFormat, motion_group, read_collection, read_trials
from hyperlift.mocap.recording import with_constant_bones

FIXTURES = Path(__file__).parent / "fixtures"


def read(path, workers=1, kind="bvh", **form):
    """The shelf lies beside the folder that is read."""
    shelf = (path if path.is_dir() else path.parent) / "shelf.f32"
    return read_collection(path, CollectionFormat(kind=kind, **form), shelf, workers)


def longer_motion():
    """The two poses of the file in turn, for six seconds."""
    *head, rest, one, two = (FIXTURES / "35_17.bvh").read_text().strip().splitlines()
    lines = [*head, rest, *[one, two] * 30]
    return "\n".join(lines).replace("Frames: 3", "Frames: 61") + "\n"


def copies(folder, count):
    for number in range(count):
        shutil.copy(FIXTURES / "35_17.bvh", folder / f"35_{number:02d}.bvh")


def test_broken_files_are_left_out_and_listed(tmp_path, caplog):
    copies(tmp_path, 10)
    (tmp_path / "35_03.bvh").write_text("HIERARCHY\nROOT\n")
    with caplog.at_level(logging.WARNING):
        collection = read(tmp_path)
    assert [recording.name for recording in collection.recordings][2:4] == ["35_02", "35_04"]
    assert [entry.path.name for entry in collection.skipped] == ["35_03.bvh"]
    assert "35_03.bvh, line 2" in collection.skipped[0].reason
    assert "35_03.bvh, line 2" in caplog.text


def test_more_than_a_tenth_broken_is_refused(tmp_path):
    copies(tmp_path, 9)
    (tmp_path / "35_03.bvh").write_text("HIERARCHY\nROOT\n")
    with pytest.raises(InputError, match=r"1 of 9 files cannot be read; the first: .*35_03.bvh, line 2"):
        read(tmp_path)


def test_the_list_of_trials_gives_rate_and_group(tmp_path):
    for name in ("35.asf", "35_01.amc"):
        shutil.copy(FIXTURES / name, tmp_path / name)
    trials = tmp_path / "trials.csv"
    trials.write_text('trial,description,fps\n35_01,"walk, slow",8\n')
    (recording,) = read(tmp_path, kind="asfamc", trials_csv=trials).recordings
    assert (recording.name, recording.group, recording.fps) == ("35_01", "walk", 8.0)
    (recording,) = read(tmp_path / "35_01.amc", kind="asfamc", amc_fps=10.0).recordings
    assert (recording.group, recording.fps) == ("other", 10.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trial,fps\n1_1,120\n", "has the columns"),
        ("trial,description,fps\n1_1,walk,fast\n", "line 2: fps is 'fast'"),
        ("trial,description,fps\n1_1,walk,0\n", "line 2: fps is '0'"),
        ("", "has the columns None"),
    ],
)
def test_a_broken_list_of_trials_is_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_trials(tmp_path / "t.csv")


def test_nothing_to_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no .bvh files there"):
        read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_trials(tmp_path / "t.csv")


def test_groups_agree_with_those_given_by_hand():
    index = json.loads(shared_path("data/mocap/index.json").read_text())
    entries = index["train"] + index["test"]
    agree = sum(motion_group(entry["action"]) == entry["group"] for entry in entries)
    assert agree / len(entries) > 0.9


def test_a_shelf_holds_what_was_read(tmp_path):
    (tmp_path / "again").mkdir()
    for name in ("35_00", "35_01", "35_02", "again/35_01"):
        (tmp_path / f"{name}.bvh").write_text(longer_motion())
    collection = read(tmp_path, highest_fps=5.0)
    assert [recording.name for recording in collection.recordings] == ["35_00", "35_01", "35_02", "again/35_01"]
    straight = read_bvh(tmp_path / "35_00.bvh").resampled(5.0)
    for recording in pickle.loads(pickle.dumps(collection.recordings)):
        assert (recording.fps, recording.subject) == (5.0, "35")
        np.testing.assert_array_equal(recording.joints_m, with_constant_bones(straight.joints_m))
    assert len(pickle.dumps(collection.recordings)) < 2000


def test_several_processes_read_the_same(tmp_path):
    copies(tmp_path, 11)
    (tmp_path / "35_03.bvh").write_text("HIERARCHY\nROOT\n")
    alone, together = read(tmp_path), read(tmp_path, workers=2)
    assert alone.skipped == together.skipped
    assert alone.recordings.entries == together.recordings.entries


def test_the_command_lists_at_the_end_what_it_left_out(tmp_path, capsys):
    """A folder with one broken file of 20, motions shorter than a clip, and two subjects."""
    motions = tmp_path / "motions"
    motions.mkdir()
    for number in range(20):
        (motions / f"{35 + number % 2}_{number:02d}.bvh").write_text(longer_motion())
    (motions / "35_04.bvh").write_text(longer_motion().replace("Frames: 61", "Frames: 62"))
    out = tmp_path / "out" / "store"
    command = ["--bvh", str(motions), "--test_subjects", "36", "--n_frames", "9", "--stride", "9", "--out", str(out)]
    assert hyperlift("convert-mocap", command) == 0
    last = capsys.readouterr().out.strip().splitlines()
    assert last[-2] == "left out 1 of 20 files:"
    assert "35_04.bvh, line" in last[-1]
    assert sorted(path.name for path in out.iterdir()) == ["test", "train"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], "no .bvh files there"),
        (lambda folder: (folder / "35_04.bvh").write_text("HIERARCHY"), "1 of 5 files cannot be read"),
        (
            lambda folder: [
                p.write_text(p.read_text().replace("JOINT LeftLeg\n", "JOINT Shank\n")) for p in folder.iterdir()
            ],
            "no joint for LKnee; its joints are",
        ),
        (lambda folder: [path.rename(path.with_suffix(".txt")) for path in folder.iterdir()], "no .bvh files there"),
    ],
)
def test_a_folder_that_is_no_collection_leaves_nothing(tmp_path, capsys, change, message):
    motions = tmp_path / "motions"
    motions.mkdir()
    for number in range(5):
        (motions / f"35_{number:02d}.bvh").write_text(longer_motion())
    change(motions)
    assert hyperlift("convert-mocap", ["--bvh", str(motions), "--out", str(tmp_path / "store")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert [path.name for path in tmp_path.iterdir()] == ["motions"]
