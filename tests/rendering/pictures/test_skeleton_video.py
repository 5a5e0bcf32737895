from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from matplotlib import colors, image
from video_files import corner_picture, write_video
from wild_people import standing

from hyperlift.body.person import Person
from hyperlift.rendering.pictures import skeleton_picture
from hyperlift.rendering.pictures.skeleton_picture import SkeletonCanvas, bone_sides
from hyperlift.rendering.pictures.skeleton_video import SourceVideo, frames_shown, pose_picture, write_skeleton_video
from hyperlift.rendering.staging import Staged, stage_people
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

RECORDING = SourceVideo(width=640, height=480, fps=30.0)


def standing_person(frames: int = 6, number: int = 0, first: int = 2) -> Person:
    """Faces the camera at the picture's centre; own right is at the picture's left."""
    keypoints = np.repeat(to_h36m(standing(COCO_17, 320.0, 240.0), COCO_17)[None], frames, axis=0)
    pose = np.zeros((frames, len(H36M_17), 3), np.float32)
    pose[..., :2] = (keypoints[..., :2] - [320, 240]) / 320
    frame = np.arange(first, first + frames)
    valid = np.ones((frames, len(H36M_17)), bool)
    return Person.of(id=number, frame=frame, time_s=frame / 30, pose_norm=pose, valid=valid, keypoints_px=keypoints)


def on_stage(*people: Person) -> Staged:
    return stage_people(people, H36M_17)


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
    canvas = SkeletonCanvas(on_stage(standing_person()), 640, 480, 30.0)
    picture = canvas.draw(2)
    assert picture.shape == (canvas.height, canvas.width, 3)
    for panel in (picture[:, : canvas.panel_width], picture[:, canvas.panel_width :]):
        right, left = painted(panel, skeleton_picture.RIGHT), painted(panel, skeleton_picture.LEFT)
        assert len(right) > 5
        assert len(left) > 5
        assert right.mean() < left.mean()


def test_nobody_in_the_frame_draws_no_limbs():
    canvas = SkeletonCanvas(on_stage(standing_person()), 640, 480, 30.0)
    assert len(painted(canvas.draw(100), skeleton_picture.RIGHT)) == 0


def test_drawing_one_frame_leaves_no_trace_in_the_next():
    canvas = SkeletonCanvas(on_stage(standing_person()), 640, 480, 30.0)
    fresh = canvas.draw(3)
    canvas.draw(100)
    np.testing.assert_array_equal(canvas.draw(3), fresh)


def test_video_lies_upright_under_the_keypoints():
    canvas = SkeletonCanvas(on_stage(standing_person()), 640, 480, 30.0)
    width, height = canvas.video_shown
    below = np.zeros((height, width, 3), np.uint8)
    below[: height // 4] = [0, 255, 0]
    picture = canvas.draw(100, below)
    assert (picture[1, : canvas.panel_width] == [0, 255, 0]).all()
    assert (picture[height // 2, : canvas.panel_width] == 0).all()


def test_video_file(tmp_path: Path):
    people = [standing_person(), standing_person(frames=4, number=1, first=6)]
    drawn = []
    write_skeleton_video(tmp_path / "out" / "a.mp4", people, RECORDING, on_progress=lambda *step: drawn.append(step))
    assert drawn == [(number, 8) for number in range(1, 9)]
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
    with_video = SourceVideo(width=64, height=48, fps=30.0, file=tmp_path / "v.mp4")
    pose_picture(tmp_path / "sheet.png", [standing_person()], with_video, [2, 3, 7], columns=2)
    sheet = image.imread(tmp_path / "sheet.png")
    canvas = SkeletonCanvas(on_stage(standing_person()), 64, 48, 30.0, picture_height=480)
    assert sheet.shape[:2] == (2 * canvas.height, 2 * canvas.width)
    assert sheet[10, 10, 0] > 0.6  # the video's red
    assert sheet[canvas.height + 10, 10, 0] < 0.3  # no picture for frame 7


def test_no_half_written_video(tmp_path: Path):
    def stop(done: int, total: int):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_skeleton_video(tmp_path / "v.mp4", [standing_person()], RECORDING, on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def placed(people: list[Person], steps_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> list[Person]:
    """Everybody 1.7 m tall, side by side 2 m apart, and a step on from frame to frame."""
    there = []
    for number, person in enumerate(people):
        pose = person.pose_norm.astype(np.float64) * 3.4
        joints_m = np.stack([pose[..., 0], 0 * pose[..., 2], -pose[..., 1]], axis=-1) + [2.0 * number, 0.0, 0.9]
        joints_m += np.arange(len(joints_m))[:, None, None] * np.array(steps_m)
        there.append(replace(person, world_m=joints_m))
    return there


def placed_canvas(people: list[Person]) -> SkeletonCanvas:
    return SkeletonCanvas(on_stage(*people), 640, 480, 30.0)


def test_joints_are_painted_where_they_project():
    people = placed([standing_person()])
    canvas = placed_canvas(people)
    picture = canvas.draw(2)
    for side, colour in (("R", skeleton_picture.RIGHT), ("L", skeleton_picture.LEFT)):
        elbow = H36M_17.index(f"{side}Elbow")
        wanted = np.array(colors.to_rgb(colour)) * 255
        x, y = canvas.view.project(people[0].world_m[0, elbow])[:2]
        np.testing.assert_allclose(picture[round(y), round(x)], wanted, atol=2)
        # In the video the joint itself is a white dot, and the bone beside it has the colour of the side.
        ends = canvas.keypoints_to_picture(people[0].keypoints_px[0, [elbow, H36M_17.index(f"{side}Shoulder")], :2])
        x, y = ends[0]
        np.testing.assert_allclose(picture[round(y), round(x)], 255, atol=2)
        x, y = ends.mean(0)
        np.testing.assert_allclose(picture[round(y), round(x)], wanted, atol=25)


def test_the_view_stands_still_and_sees_the_whole_way():
    canvas = placed_canvas(placed([standing_person(40)], (0.1, 0.05, 0.0)))
    first, last = canvas.draw(2), canvas.draw(41)
    empty = canvas.draw(1000)
    floor = np.abs(empty[:, canvas.panel_width :].astype(int) - first[:, canvas.panel_width :]).max(-1) > 0
    # Where nobody stands, every pixel is the same in every frame.
    changed = np.abs(first.astype(int) - last).max(-1) > 0
    assert 0.005 < floor.mean() < 0.1
    assert changed[:, canvas.panel_width :].mean() < 0.2
    for picture in (first, last):
        panel = picture[:, canvas.panel_width :]
        for colour in (skeleton_picture.RIGHT, skeleton_picture.LEFT):
            columns = painted(panel, colour)
            assert len(columns) > 3
            assert columns.min() > 5
            assert columns.max() < panel.shape[1] - 5
    assert painted(last[:, canvas.panel_width :], skeleton_picture.LEFT).mean() > (
        painted(first[:, canvas.panel_width :], skeleton_picture.LEFT).mean()
    )


def test_people_keep_their_places():
    people = [standing_person(number=0), standing_person(number=3)]
    first, second = on_stage(*placed(people)).people
    np.testing.assert_array_equal(second.world_m - first.world_m, np.broadcast_to([2.0, 0, 0], (6, 17, 3)))
    places_m = [[0, 0, 5], [1, 0, 8]]
    before = [replace(p, joints_m=p.pose_norm + at) for p, at in zip(people, places_m, strict=True)]
    staged = on_stage(*before)
    assert staged.space == "joints_m"
    first, second = staged.people
    np.testing.assert_allclose(second.world_m - first.world_m, np.broadcast_to([1.0, 3.0, 0.0], (6, 17, 3)))
    assert first.world_m[..., 2].min() == pytest.approx(0.08)  # ankles are that high above the ground


def test_who_is_nearer_is_drawn_over_who_is_farther():
    """The one behind is hidden where the bones cross, whichever of the two comes first."""
    people = placed([standing_person(number=0), standing_person(number=1)])
    canvas = placed_canvas(people)
    toward = np.linalg.inv(canvas.view._axes)[:, 2]
    for near, far in ((0, 1), (1, 0)):
        joints_m = {near: people[0].world_m.copy(), far: people[0].world_m + 0.3 * toward}
        # Swapped sides tell who is seen.
        joints_m[far] = joints_m[far][:, H36M_17.mirror]
        picture = placed_canvas([replace(one, world_m=joints_m[one.id]) for one in people])
        at = picture.view.project(joints_m[near][0, H36M_17.index("RElbow")])[:2].round().astype(int)
        wanted = np.array(colors.to_rgb(skeleton_picture.RIGHT)) * 255
        np.testing.assert_allclose(picture.draw(2)[at[1], at[0]], wanted, atol=2)


def test_joints_that_were_not_seen_are_faint():
    sure, unsure = placed([standing_person()]) + placed([standing_person()])
    unsure.valid[:, H36M_17.index("RAnkle")] = False
    shown = [placed_canvas([person]).draw(2).astype(float) for person in (sure, unsure)]
    canvas = placed_canvas([sure])
    shin = sure.world_m[0, H36M_17.indices(["RKnee", "RAnkle"])].mean(0)
    x, y = canvas.view.project(shin)[:2].round().astype(int)
    ground = canvas.draw(1000)[y, x].astype(float)
    np.testing.assert_allclose(
        shown[1][y, x], ground + skeleton_picture.FAINT_OPACITY * (shown[0][y, x] - ground), atol=3
    )


def test_unknown_places_are_left_out():
    people = placed([standing_person()])
    people[0].world_m[1:3] = np.nan
    canvas = placed_canvas(people)
    assert len(painted(canvas.draw(3)[:, canvas.panel_width :], skeleton_picture.RIGHT)) == len(
        painted(canvas.draw(1000)[:, canvas.panel_width :], skeleton_picture.RIGHT)
    )
    assert len(painted(canvas.draw(5)[:, canvas.panel_width :], skeleton_picture.RIGHT)) > 3


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (3840, 2160), (640, 480), (100, 4000)])
def test_pictures_have_even_sides_and_the_pixels_of_720p(width: int, height: int):
    canvas = SkeletonCanvas(on_stage(standing_person()), width, height, 30.0)
    assert canvas.width % 2 == canvas.height % 2 == 0
    assert canvas.width * canvas.height == pytest.approx(1280 * 720, rel=0.01)
    shown = np.array(canvas.video_shown)
    assert shown[0] <= canvas.panel_width
    assert shown[1] <= canvas.height


def test_variable_rate_is_kept(tmp_path: Path):
    times_s = [0.0, 0.04, 0.08, 0.2, 0.24, 0.3, 0.5, 0.54]
    levels = [20 + 25 * number for number in range(8)]
    write_video(tmp_path / "v.mp4", [np.full((48, 64, 3), v, np.uint8) for v in levels], 25, times_s)
    recording = SourceVideo(width=64, height=48, fps=25.0, file=tmp_path / "v.mp4")
    person = standing_person()
    person.keypoints_px[:] = np.nan
    write_skeleton_video(tmp_path / "out.mp4", [person], recording, picture_height=120)
    frames = list(read_frames(tmp_path / "out.mp4"))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.array(times_s[2:]) - times_s[2], atol=1e-4)
    shown = [frame.rgb[60:, 10:150].mean() for frame in frames]
    np.testing.assert_allclose(shown, levels[2:], atol=5)


def test_turned_video_is_drawn_upright(tmp_path: Path):
    one = 1 << 16
    clockwise = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    write_video(tmp_path / "v.mp4", [corner_picture()] * 4, 30, matrix=clockwise)
    facts = video_facts(tmp_path / "v.mp4")
    recording = SourceVideo(width=facts.width, height=facts.height, fps=30.0, file=tmp_path / "v.mp4", facts=facts)
    person = standing_person()
    person.keypoints_px[:] = np.nan
    pose_picture(tmp_path / "sheet.png", [person], recording, [2], columns=1)
    sheet = image.imread(tmp_path / "sheet.png")[..., :3]
    canvas = SkeletonCanvas(on_stage(person), facts.width, facts.height, 30.0, picture_height=480)
    assert canvas.video_shown[1] > canvas.video_shown[0]
    np.testing.assert_allclose(sheet[40, canvas.panel_width - 40], [1, 0, 0], atol=0.1)
    np.testing.assert_allclose(sheet[40, 40], 0, atol=0.1)
