import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser_page import opened, settle
from pipeline_recordings import write_spots
from viewed_people import walker

from hyperlift import load_motion
from hyperlift.cli import main as console
from hyperlift.contract import LifterSpec
from hyperlift.motion.formats.poses_npz import poses_meta, write_poses

ROOT = Path(__file__).resolve().parents[2]
META = poses_meta(source="walk.json", width=1280, height=720, fps=30.0, lifter=LifterSpec(name="none", n_frames=9))


@pytest.fixture
def poses(tmp_path):
    write_poses(tmp_path / "pose3d.npz", [walker(0, 12)], META)
    return tmp_path / "pose3d.npz"


def refused(capsys, *arguments) -> str:
    """The one line with which the command refuses."""
    assert console.main(["view", *map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("hyperlift view: error: ")
    return said


def test_the_page_stands_beside_the_poses(poses, capsys):
    assert console.main(["view", str(poses)]) == 0
    assert re.fullmatch(rf"{poses.with_suffix('.html')} \(0\.\d MB\)\n", capsys.readouterr().out)
    assert sorted(path.name for path in poses.parent.iterdir()) == ["pose3d.html", "pose3d.npz"]


def test_a_real_recording_with_its_video(tmp_path, capsys):
    keypoints = ROOT / "examples/sports2d_demo.alphapose.json"
    lift = ["lift", str(keypoints), "--video-size", "1768x994", "--fps", "30", "--no-render", "--out", str(tmp_path)]
    assert console.main(lift) == 0
    # The video of these keypoints is not part of the checkout; one of its shape and length shows whether one is shown.
    video = write_spots(tmp_path / "copy.mp4", [100.0] * 226, fps=30.0, size=(884, 496))
    assert console.main(["view", str(tmp_path / "pose3d.npz"), "--video", str(video)]) == 0
    capsys.readouterr()
    with opened(tmp_path / "pose3d.html") as page:
        page.evaluate("hyperlift.setTime(3.0)")
        settle(page)
        assert page.locator("#summary").text_content() == "3 people · 226 frames · 7.5 s · 30 frames/s"
        assert page.evaluate("hyperlift.data.people.map((person) => person.at)") == [90, 50, -1]
        assert "standing height assumed 1.70 m" in page.locator("#facts").text_content()


def test_files_that_hold_no_poses(tmp_path, capsys):
    assert "no such file" in refused(capsys, tmp_path / "absent.npz")
    assert "is a folder; expected the pose3d.npz that lifting writes, and none" in refused(capsys, tmp_path)
    (tmp_path / "text.npz").write_text("no poses")
    assert "damaged or no .npz" in refused(capsys, tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert "holds no 3D poses" in refused(capsys, tmp_path / "other.npz")
    write_poses(tmp_path / "nobody.npz", [], META)
    assert "nobody is in it" in refused(capsys, tmp_path / "nobody.npz")
    write_poses(tmp_path / "still.npz", [replace(walker(0, 3), time_s=np.zeros(3))], META)
    assert "p0/time_s does not ascend" in refused(capsys, tmp_path / "still.npz")
    assert not list(tmp_path.glob("*.html"))


def test_outputs_and_videos_that_cannot_be(poses, tmp_path, capsys):
    assert "is a folder" in refused(capsys, poses, "--out", tmp_path)
    assert "no such video;" in refused(capsys, poses, "--video", tmp_path / "absent.mp4")
    assert "pose3d.npz" in refused(capsys, poses, "--video", poses)
    assert "would overwrite" in refused(capsys, poses, "--out", poses)
    assert not list(tmp_path.glob("*.html"))


def test_a_folder_of_results_is_not_its_poses(poses, capsys):
    assert f"{poses.parent}: is a folder; give {poses}" in refused(capsys, poses.parent)
    folders = poses.parent / "a" / "b.mp4"
    folders.mkdir(parents=True)
    poses.rename(folders / "pose3d.npz")
    assert f"give {folders / 'pose3d.npz'}" in refused(capsys, poses.parent)


def test_a_video_of_another_recording_is_refused(poses, tmp_path, capsys):
    """The people are there for 12 frames of 1280x720."""
    upright = write_spots(tmp_path / "upright.mp4", [50.0] * 20, size=(360, 640))
    assert "is 360x640, but the people were lifted from 1280x720; give the video" in refused(
        capsys, poses, "--video", upright
    )
    last_s = load_motion(poses).people[0].time_s[-1]
    short = write_spots(tmp_path / "short.mp4", [50.0] * 4, fps=25.0, size=(640, 360))
    longer = tmp_path / "longer.npz"
    write_poses(longer, [walker(0, 60)], META)
    assert "lasts 0.2 s, but there are people up to" in refused(capsys, longer, "--video", short)
    assert not list(tmp_path.glob("*.html"))
    other = write_spots(tmp_path / "run.mp4", [50.0] * round(25 * last_s + 10), fps=25.0, size=(640, 360))
    write_poses(poses, [walker(0, 12)], {**META, "source": "walk.mp4"})
    assert console.main(["view", str(poses), "--video", str(other)]) == 0
    assert "note: the people were lifted from walk.mp4, and run.mp4 is shown" in capsys.readouterr().out


def test_a_page_has_the_name_of_one_and_a_text_is_called_no_pickle(poses, tmp_path, capsys):
    assert "choose a name that ends in .html" in refused(capsys, poses, "--out", tmp_path / "walk.pdf")
    assert not (tmp_path / "walk.pdf").exists()
    (tmp_path / "README.md").write_text("# no poses\n")
    assert "pickle" not in refused(capsys, tmp_path / "README.md")
