import json
import logging
import shutil
from pathlib import Path

import pytest
from shared_data import shared_path

from hyperlift.data.motion.collection import motion_group, read_collection, read_trials
from hyperlift.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"


def copies(folder, count):
    for number in range(count):
        shutil.copy(FIXTURES / "35_17.bvh", folder / f"35_{number:02d}.bvh")


def test_broken_files_are_left_out_and_listed(tmp_path, caplog):
    copies(tmp_path, 10)
    (tmp_path / "35_03.bvh").write_text("HIERARCHY\nROOT\n")
    with caplog.at_level(logging.WARNING):
        collection = read_collection("bvh", tmp_path)
    assert [recording.name for recording in collection.recordings][2:4] == ["35_02", "35_04"]
    assert [entry.path.name for entry in collection.skipped] == ["35_03.bvh"]
    assert "35_03.bvh, line 2" in collection.skipped[0].reason
    assert "35_03.bvh, line 2" in caplog.text


def test_more_than_a_tenth_broken_is_refused(tmp_path):
    copies(tmp_path, 9)
    (tmp_path / "35_03.bvh").write_text("HIERARCHY\nROOT\n")
    with pytest.raises(InputError, match=r"1 of 9 files cannot be read; the first: .*35_03.bvh, line 2"):
        read_collection("bvh", tmp_path)


def test_the_list_of_trials_gives_rate_and_group(tmp_path):
    for name in ("35.asf", "35_01.amc"):
        shutil.copy(FIXTURES / name, tmp_path / name)
    trials = tmp_path / "trials.csv"
    trials.write_text('trial,description,fps\n35_01,"walk, slow",60\n')
    (recording,) = read_collection("asfamc", tmp_path, trials_csv=trials).recordings
    assert (recording.name, recording.group, recording.fps) == ("35_01", "walk", 60.0)
    (recording,) = read_collection("asfamc", tmp_path / "35_01.amc").recordings
    assert (recording.group, recording.fps) == ("other", 120.0)


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
        read_collection("bvh", tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_trials(tmp_path / "t.csv")


def test_groups_agree_with_those_given_by_hand():
    index = json.loads(shared_path("data/mocap/index.json").read_text())
    entries = index["train"] + index["test"]
    agree = sum(motion_group(entry["action"]) == entry["group"] for entry in entries)
    assert agree / len(entries) > 0.9
