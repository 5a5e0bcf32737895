from pathlib import Path

import av
import numpy as np
import pytest
from hyperlift.visualization.video_files import read_pictures, video_facts, write_mp4
from matplotlib import colors, image
from wild_people import standing

from hyperlift.errors import InputError
from hyperlift.skeletons import COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.visualization import skeleton_picture
from hyperlift.visualization.skeleton_picture import SkeletonCanvas, bone_sides
from hyperlift.visualization.skeleton_video import Recording, frames_shown, pose_picture, write_skeleton_video
from hyperlift.visualization.stage import stage_people
from hyperlift.wild.keypoints import LiftedPerson

RECORDING = Recording(width=640, height=480, fps=30.0)


def standing_person(frames: int = 6, number: int = 0, first: int = 2) -> LiftedPerson:
    """Faces the camera at the picture's centre; own right is at the picture's left."""
    keypoints = np.repeat(to_h36m(standing(COCO_17, 320.0, 240.0), COCO_17)[None], frames, axis=0)
    pose = np.zeros((frames, len(H36M_17), 3), np.float32)
    pose[..., :2] = (keypoints[..., :2] - [320, 240]) / 320
    frame = np.arange(first, first + frames)
    return LiftedPerson(number, frame, frame / 30, pose, np.ones((frames, len(H36M_17)), bool), keypoints)


def painted(picture: np.ndarray, colour: str) -> np.ndarray:
    """Columns of the pixels of one colour."""
    wanted = np.array(colors.to_rgb(colour)) * 255
    return np.flatnonzero((np.abs(picture[40:] - wanted).max(-1) < 12).any(0))


def test_sides_by_name():
    sides = dict(zip([H36M_17.joints[child] for _, child in H36M_17.bones], bone_sides(), strict=True))
    assert sides["RKnee"] == "right"
    assert sides["LWrist"] == "left"
    assert sides["Head"] == sides["Spine"] == "trunk"


def test_right_limbs_are_painted_on_the_side_where_they_are():
    canvas = SkeletonCanvas(stage_people([standing_person()]), 640, 480, 30.0)
    picture = canvas.draw(2)
    assert picture.shape == (canvas.height, canvas.width, 3)
    for panel in (picture[:, : canvas.panel_width], picture[:, canvas.panel_width :]):
        right, left = painted(panel, skeleton_picture.RIGHT), painted(panel, skeleton_picture.LEFT)
        assert len(right) > 5
        assert len(left) > 5
        assert right.mean() < left.mean()


def test_nobody_in_the_frame_draws_no_limbs():
    canvas = SkeletonCanvas(stage_people([standing_person()]), 640, 480, 30.0)
    assert len(painted(canvas.draw(100), skeleton_picture.RIGHT)) == 0


def test_drawing_one_frame_leaves_no_trace_in_the_next():
    canvas = SkeletonCanvas(stage_people([standing_person()]), 640, 480, 30.0)
    fresh = canvas.draw(3)
    canvas.draw(100)
    np.testing.assert_array_equal(canvas.draw(3), fresh)


def test_video_lies_upright_under_the_keypoints():
    canvas = SkeletonCanvas(stage_people([standing_person()]), 640, 480, 30.0)
    width, height = canvas.video_shown
    below = np.zeros((height, width, 3), np.uint8)
    below[: height // 4] = [0, 255, 0]
    picture = canvas.draw(100, below)
    assert (picture[5, : canvas.panel_width] == [0, 255, 0]).all()
    assert (picture[height // 2, : canvas.panel_width] == 0).all()


def test_video_file(tmp_path: Path):
    people = [standing_person(), standing_person(frames=4, number=1, first=6)]
    drawn = []
    write_skeleton_video(tmp_path / "out" / "a.mp4", people, RECORDING, on_frame=lambda: drawn.append(1))
    assert len(drawn) == len(frames_shown(people, 30.0)) == 8
    facts = video_facts(tmp_path / "out" / "a.mp4")
    assert facts.fps == 30
    with av.open(str(tmp_path / "out" / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].pix_fmt == "yuv420p"
        assert sum(1 for _ in container.decode(video=0)) == 8
    write_skeleton_video(tmp_path / "b.mp4", people, RECORDING)
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "out" / "a.mp4").read_bytes()


def test_long_stretches_with_nobody_are_left_out():
    people = [standing_person(6, 0, first=2), standing_person(3, 1, first=4), standing_person(2, 2, first=20)]
    assert frames_shown(people, 30.0) == list(range(2, 22))
    assert frames_shown([*people, standing_person(2, 3, first=10**9)], 30.0)[-3:] == [21, 10**9, 10**9 + 1]


def test_sheet_over_a_video_that_ends_early(tmp_path: Path):
    with write_mp4(tmp_path / "v.mp4", 64, 48, 30.0) as video:
        for _ in range(4):
            video.add(np.full((48, 64, 3), [200, 40, 40], np.uint8))
    with_video = Recording(width=64, height=48, fps=30.0, file=tmp_path / "v.mp4")
    pose_picture(tmp_path / "sheet.png", [standing_person()], with_video, [2, 3, 7], columns=2)
    sheet = image.imread(tmp_path / "sheet.png")
    canvas = SkeletonCanvas(stage_people([standing_person()]), 64, 48, 30.0)
    assert sheet.shape[:2] == (2 * canvas.height, 2 * canvas.width)
    assert sheet[10, 10, 0] > 0.6  # the video's red
    assert sheet[canvas.height + 10, 10, 0] < 0.3  # no picture for frame 7


def test_written_pictures_come_back(tmp_path: Path):
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 48, axis=0).repeat(3, axis=2)
    with write_mp4(tmp_path / "v.mp4", 64, 48, 12.5) as video:
        video.add(ramp)
    assert video_facts(tmp_path / "v.mp4").fps == 12.5
    (back,) = read_pictures(tmp_path / "v.mp4", 64, 48)
    assert np.abs(back.astype(int) - ramp).mean() < 4


def test_no_half_written_video(tmp_path: Path):
    def stop():
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_skeleton_video(tmp_path / "v.mp4", [standing_person()], RECORDING, on_frame=stop)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_video(tmp_path: Path):
    with pytest.raises(InputError, match="no such video"):
        video_facts(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_text("text")
    with pytest.raises(InputError, match=r"text\.mp4: is not a video"):
        video_facts(tmp_path / "text.mp4")
