"""``hyperlift animate`` and the options of ``lift`` that write bodies: files of every kind, and what is refused."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pymotion.io.bvh import BVH
from rigid_motions import lifted, poses_file
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

from hyperlift.cli import main as console
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.reading import video_facts


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    return poses_file(tmp_path / "pose3d.npz", [lifted(0, 8), lifted(2, 8)])


def done(capsys: pytest.CaptureFixture[str], *arguments) -> str:
    assert console.main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments) -> str:
    """The one line with which a command refuses."""
    assert console.main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert "error: " in said
    return said


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["bvh", "glb", "trc", "c3d"])
def test_a_body_a_person(poses, capsys, kind):
    said = done(capsys, "animate", poses, poses.parent / f"walk.{kind}")
    assert names(poses.parent) == ["pose3d.npz", f"walk_p0.{kind}", f"walk_p2.{kind}"]
    assert "p2: rigid bones moved the joints by" in said
    assert said.splitlines()[-1] == str(poses.parent / f"walk_p2.{kind}")
    done(capsys, "animate", poses, poses.parent / f"one.{kind}", "--person", "p2")
    assert f"one.{kind}" in names(poses.parent)
    content = [(poses.parent / name).read_bytes() for name in (f"one.{kind}", f"walk_p2.{kind}")]
    assert kind == "trc" or content[0] == content[1]  # a trc states its own name


def test_names_for_retargeting(poses, capsys):
    done(capsys, "animate", poses, poses.parent / "walk.bvh", "--naming", "mixamo", "--person", 0)
    file = BVH()
    file.load(str(poses.parent / "walk.bvh"))
    assert file.data["names"][0] == "mixamorig:Hips"


def test_clips_of_the_3d_alone(poses, capsys):
    people, _ = read_poses(poses)
    people[0].world_m[3, 4] = np.nan  # somebody who lacks a joint is drawn without it
    poses_file(poses, people)
    done(capsys, "animate", poses, poses.parent / "walk.mp4")
    facts = video_facts(poses.parent / "walk.mp4")
    assert (facts.size, facts.frames, facts.fps) == ((1280, 720), 8, 25.0)
    done(capsys, "animate", poses, poses.parent / "walk.gif", "--rigid")
    with Image.open(poses.parent / "walk.gif") as gif:
        assert (gif.size, gif.n_frames, gif.info["duration"]) == ((640, 360), 8, 40)
        pictures = []
        for number in range(8):
            gif.seek(number)
            pictures.append(np.asarray(gif.convert("RGB")).astype(int))
    assert (np.abs(pictures[3] - pictures[2]).sum(-1) > 60).sum() > 100, "somebody moves"
    blue = (np.abs(pictures[3] - (46, 134, 222)).sum(-1) < 40).sum()
    assert blue > 200, "left limbs are blue"


def test_tables(poses, capsys):
    done(capsys, "animate", poses, poses.parent / "joints.csv")
    assert (poses.parent / "joints.csv").read_text().startswith("person,frame,time_s,root_x_m")
    done(capsys, "animate", poses, poses.parent / "angles.csv", "--angles")
    assert "knee_flexion_left_deg" in (poses.parent / "angles.csv").read_text().splitlines()[0]
    done(capsys, "animate", poses, poses.parent / "rigid.npz", "--rigid")
    people, meta = read_poses(poses.parent / "rigid.npz")
    assert set(meta["rigid"]["people"]) == {"p0", "p2"}
    assert people[0].joints_m.shape == (8, 17, 3)


LIMITS = {
    "tail.yaml": ("unit: degrees\njoints: {Tail: {X: [0, 10]}}", "the joint 'Tail'"),
    "rest.yaml": ("unit: degrees\njoints: {Knee: {X: [10, 90]}}", "exclude the rest pose"),
}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["walk.fbx"], "unknown kind of file '.fbx'; choose from .npz, .json, .csv, .bvh"),
        (["walk"], "unknown kind of file ''"),
        (["pose3d.npz"], "would overwrite what it is made from"),
        (["walk.bvh", "--person", "7"], "person 7 (--person): there is no such person; choose from p0, p2"),
        (["walk.trc", "--naming", "mixamo"], "has no nodes to name"),
        (["walk.bvh", "--limits", "tail.yaml"], LIMITS["tail.yaml"][1]),
        (["walk.glb", "--limits", "rest.yaml"], LIMITS["rest.yaml"][1]),
        (["walk.bvh", "--limits", "absent.yaml"], "absent.yaml: no such file; give limits of joint angles"),
        (["walk.mp4", "--limits", "rest.yaml"], "add --rigid"),
        (["walk.bvh", "--angles"], "angles are written as .csv"),
        (["file/walk.bvh"], "is no folder"),
        (["file/walk.gif"], "is no folder"),
        (["folder.mp4"], "is a folder"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(poses, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(poses.parent)
    for name, (text, _) in LIMITS.items():
        Path(name).write_text(text)
    Path("file").touch()
    Path("folder.mp4").mkdir()
    before = names(poses.parent)
    assert words in refused(capsys, "animate", "pose3d.npz", *arguments)
    assert names(poses.parent) == before


def test_c3d_without_its_package(poses, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    for command in (["animate", poses, poses.parent / "walk.c3d"], ["lift", poses, "--out", poses.parent, "--c3d"]):
        assert "C3D files need ezc3d, which is not installed; pip install 'hyperlift[c3d]'" in refused(capsys, *command)
    assert names(poses.parent) == ["pose3d.npz"]


def test_not_a_pose_file(tmp_path, capsys):
    (tmp_path / "text.npz").write_text("no poses")
    assert "damaged or no .npz" in refused(capsys, "animate", tmp_path / "text.npz", tmp_path / "out.bvh")
    assert "no such file" in refused(capsys, "animate", tmp_path / "absent.npz", tmp_path / "out.gif")
    assert names(tmp_path) == ["text.npz"]


@pytest.fixture
def lift(tmp_path: Path) -> list:
    entries = [alphapose_entry(f, x + f, idx=i) for f in range(12) for i, x in enumerate((200.0, 400.0))]
    keypoints = write_alphapose(tmp_path / "walk.json", entries)
    lifter = write_flat_lifter(tmp_path / "flat.onnx")
    sizes = ["--video-size", "640x480", "--fps", "25", "--no-render", "--model", str(lifter)]
    return ["lift", keypoints, *sizes, "--out", tmp_path / "out"]


def test_lift_writes_bodies_and_later_runs_take_them_away(tmp_path, lift, capsys):
    out = tmp_path / "out"
    said = done(capsys, *lift, "--rigid", "--bvh", "--trc", "--c3d", "--glb", "--angles")
    bodies = [f"pose3d_p{number}.{kind}" for kind in ("bvh", "glb", "trc", "c3d") for number in (0, 1)]
    assert names(out) == sorted(["angles.csv", "pose3d.npz", "report.json", *bodies])
    report = json.loads((out / "report.json").read_text())
    assert sorted(report["outputs"]) == names(out)
    assert report["rigid"]["joints_replaced"]
    people, meta = read_poses(out / "pose3d.npz")
    assert set(meta["rigid"]["people"]) == {"p0", "p1"}
    for person in people:
        assert np.ptp(bone_lengths(person.world_m, H36M_17), axis=0).max() < 1e-6
        assert np.isfinite(person.reprojection_px).all()
    assert report["rigid"]["people"]["p1"]["bone_spread_mm"] < 1e-3
    assert "p1: rigid bones moved the joints by" in said
    assert all(str(out / name) in said for name in report["outputs"])
    # A file of the user's own stays; those of the run before go.
    (out / "pose3d_p1_mine.bvh").touch()
    done(capsys, *lift, "--bvh", "--person", "1")
    assert names(out) == sorted(["pose3d.npz", "pose3d_p1.bvh", "pose3d_p1_mine.bvh", "report.json"])
    report = json.loads((out / "report.json").read_text())
    assert not report["rigid"]["joints_replaced"]
    assert "rigid" not in read_poses(out / "pose3d.npz")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limits", "rest.yaml", "--rigid"], LIMITS["rest.yaml"][1]),
        (["--limits", "tail.yaml", "--bvh"], LIMITS["tail.yaml"][1]),
        (["--limits", "fine.yaml"], "--rigid, or --bvh, --glb, --trc, --c3d"),
        (["--naming", "mixamo", "--trc"], "ask for one of them (--bvh, --glb, --trc, --c3d)"),
    ],
)
def test_lift_refuses_before_the_work(tmp_path, lift, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    for name, (text, _) in LIMITS.items():
        Path(name).write_text(text)
    Path("fine.yaml").write_text("unit: degrees\njoints: {Knee: {X: [0, 160]}}")
    assert words in refused(capsys, *lift, *arguments)
    assert not (tmp_path / "out").exists()
