import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from placed_people import camera_at, person_walking, see
from rigid_motions import without

from hyperlift.body.person import Person
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.motion.formats.poses_csv import meta_path, write_poses_csv
from hyperlift.motion.formats.poses_json import write_poses_json
from hyperlift.motion.formats.poses_npz import poses_meta, read_poses, write_poses
from hyperlift.placement.lens import assumed_intrinsics
from hyperlift.placement.place import place_people
from hyperlift.skeletons.joint_sets import H36M_17

LIFTER = LifterSpec(name="perfect", label_space="camera")
WITHOUT_PLACES = ("frame", "time_s", "pose_norm", "valid", "bridged")
SPACES = ("joints_m", "world_m", "pose_norm")


@pytest.fixture
def placed() -> tuple[list[Person], dict]:
    camera = camera_at((0.4, -5.0, 1.8), (0.0, 0.5, 0.9), roll_deg=5)
    tracks = [see(person_walking(9 + n, (n, 0.5 * n)), camera, number=n).track for n in range(2)]
    tracks[1].valid[4] = False
    people, placement = place_people(tracks, LIFTER, assumed_intrinsics(1280, 720))
    return people, poses_meta(
        source="ü.json", width=1280, height=720, fps=25.0, lifter=LIFTER, placement=placement.as_dict()
    )


def test_npz_has_all_of_it(tmp_path: Path, placed):
    people, meta = placed
    write_poses(tmp_path / "pose3d.npz", people, meta)
    back, facts = read_poses(tmp_path / "pose3d.npz")
    for read, person in zip(back, people, strict=True):
        for name in ("frame", "time_s", "valid", "root_m", "root_std_m", "reprojection_px", *SPACES):
            np.testing.assert_array_equal(getattr(read, name), getattr(person, name))
    assert facts["intrinsics"]["fov_long_side_deg"] == 60
    assert "assumed" in facts["intrinsics"]["source"]
    assert "6 %" in facts["height"]["sentence"]
    assert facts["arrays"]["root_m"].startswith("metres")
    R, origin = np.array(facts["world"]["R"]), np.array(facts["world"]["origin_m"])
    shift = [0, 0, facts["floor_shift_m"]["p1"]]
    np.testing.assert_allclose((people[1].joints_m - origin) @ R.T + shift, people[1].world_m, atol=1e-4)


def test_json_says_the_same_by_name(tmp_path: Path, placed):
    people, meta = placed
    write_poses_json(tmp_path / "new" / "pose3d.json", people, meta)
    content = json.loads((tmp_path / "new" / "pose3d.json").read_text(encoding="utf-8"))
    assert content["meta"] == json.loads(json.dumps(meta))
    assert [entry["id"] for entry in content["people"]] == [0, 1]
    for entry, person in zip(content["people"], people, strict=True):
        assert [frame["frame"] for frame in entry["frames"]] == person.frame.tolist()
        np.testing.assert_allclose([frame["time_s"] for frame in entry["frames"]], person.time_s, atol=1e-6)
        for name in SPACES:
            values = [[frame[name][joint] for joint in H36M_17.joints] for frame in entry["frames"]]
            np.testing.assert_allclose(values, getattr(person, name), atol=1e-5)
        for name in ("root_m", "root_std_m"):
            np.testing.assert_allclose([frame[name] for frame in entry["frames"]], getattr(person, name), atol=1e-5)
        valid = [[frame["valid"][joint] for joint in H36M_17.joints] for frame in entry["frames"]]
        np.testing.assert_array_equal(valid, person.valid)
    assert content["people"][1]["frames"][4]["reprojection_px"] is None
    assert content["people"][0]["frames"][4]["reprojection_px"] == pytest.approx(people[0].reprojection_px[4], abs=1e-5)


def test_csv_says_the_same_by_column(tmp_path: Path, placed):
    people, meta = placed
    write_poses_csv(tmp_path / "pose3d.csv", people, meta)
    with (tmp_path / "pose3d.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(person.frame) for person in people)
    wrist = H36M_17.index("LWrist")
    for person in people:
        own = [row for row in rows if row["person"] == str(person.id)]
        assert [int(row["frame"]) for row in own] == person.frame.tolist()
        for columns, values in (
            ("LWrist_{}_m", person.joints_m[:, wrist]),
            ("LWrist_world_{}_m", person.world_m[:, wrist]),
            ("LWrist_norm_{}", person.pose_norm[:, wrist]),
            ("root_{}_m", person.root_m),
            ("root_std_{}_m", person.root_std_m),
        ):
            read = [[float(row[columns.format(axis)]) for axis in "xyz"] for row in own]
            np.testing.assert_allclose(read, values, atol=1e-5)
        assert [row["LWrist_valid"] for row in own] == [str(int(seen)) for seen in person.valid[:, wrist]]
    assert rows[len(people[0].frame) + 4]["reprojection_px"] == ""
    assert json.loads(meta_path(tmp_path / "pose3d.csv").read_text()) == json.loads(json.dumps(meta))


def test_people_who_are_not_placed(tmp_path: Path, placed):
    people, meta = placed
    bare = [without(p, "joints_m", "root_m", "root_std_m", "world_m", "reprojection_px") for p in people]
    meta = poses_meta(source="ü.json", width=1280, height=720, fps=25.0, lifter=LIFTER)
    write_poses_json(tmp_path / "p.json", bare, meta)
    write_poses_csv(tmp_path / "p.csv", bare, meta)
    write_poses(tmp_path / "p.npz", bare, meta)
    content = json.loads((tmp_path / "p.json").read_text())
    assert set(content["people"][0]["frames"][0]) == {"frame", "time_s", "pose_norm", "valid", "bridged"}
    assert "intrinsics" not in content["meta"]
    with (tmp_path / "p.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["root_x_m"] == row["Head_world_z_m"] == ""
    assert row["Head_norm_z"] != ""
    back, _ = read_poses(tmp_path / "p.npz")
    assert np.isnan(back[0].world_m).all()
    with np.load(tmp_path / "p.npz") as stored:
        assert set(stored.files) == {"meta", *(f"p{n}/{x}" for n in (0, 1) for x in WITHOUT_PLACES)}


@pytest.mark.parametrize("write", [write_poses_json, write_poses_csv])
def test_nothing_half_written(tmp_path: Path, placed, write):
    people, meta = placed
    broken = replace(people[1])
    object.__setattr__(broken, "world_m", broken.world_m[:2])  # fails after the first person and two frames
    with pytest.raises(IndexError):
        write(tmp_path / "out" / "pose3d.txt", [people[0], broken], meta)
    assert not (tmp_path / "out" / "pose3d.txt").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="folder"):
        write(tmp_path / "file" / "pose3d.txt", people, meta)
