"""Places of people who are seen frame by frame, against where they are."""

import numpy as np
import pytest
from placed_people import FPS, camera_at, person_walking, see

from hyperlift.contract import LifterSpec
from hyperlift.lifting.streams import StreamedPose
from hyperlift.live.placement import LivePlacement
from hyperlift.placement.body_height import BodyHeight
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.world_frame import pitch_roll

SPEC = LifterSpec(name="test", fps=25.0, n_frames=27)
CENTRE, TARGET = (1.0, -4.0, 1.8), (0.0, 0.0, 1.0)
FRAMES = 60


def lens(camera) -> Intrinsics:
    K = camera.K
    return Intrinsics(
        fx_px=K[0, 0], fy_px=K[1, 1], cx_px=K[0, 2], cy_px=K[1, 2], width=1280, height=720, source="given"
    )


def poses_of(seen, frame: int) -> StreamedPose:
    person = seen.track
    return StreamedPose(
        frame, frame / FPS, person.pose_norm[frame], person.valid[frame], keypoints_px=person.keypoints_px[frame]
    )


def below_camera(world_m: np.ndarray) -> np.ndarray:
    """The same world from the place below the camera, y along its line of sight."""
    centre, target = np.array(CENTRE), np.array(TARGET)
    y = (target - centre) * [1, 1, 0]
    y /= np.linalg.norm(y)
    axes = np.stack([np.cross(y, [0, 0, 1.0]), y, [0, 0, 1.0]])
    return (world_m - centre * [1, 1, 0]) @ axes.T


@pytest.fixture(scope="module")
def walkers():
    camera = camera_at(CENTRE, TARGET)
    still = see(person_walking(FRAMES, start=(-0.6, 0.4)), camera)
    walking = see(person_walking(FRAMES, start=(0.5, 1.0), velocity=(0.4, 0.2)), camera)
    return camera, [still, walking]


def test_with_a_known_camera_people_are_where_they_are(walkers):
    camera, seen = walkers
    pitch_deg, roll_deg = pitch_roll(seen[0].up)
    placing = LivePlacement(SPEC, lens(camera), BodyHeight(), pitch_deg, roll_deg)
    for frame in range(FRAMES):
        placed = placing.place(frame / FPS, {3 + k: poses_of(one, frame) for k, one in enumerate(seen)})
        assert set(placed) == {3, 4}
    truth = [
        below_camera(person_walking(FRAMES, start=(-0.6, 0.4))[-1]),
        below_camera(person_walking(FRAMES, start=(0.5, 1.0), velocity=(0.4, 0.2))[-1]),
    ]
    for number, joints in zip((3, 4), truth, strict=True):
        assert np.abs(placed[number] - joints).max() < 0.06
    assert placing.world is not None
    assert placing.world.camera_height_m == pytest.approx(CENTRE[2], abs=0.05)


def test_without_a_known_camera_up_and_floor_are_found_while_people_move(walkers):
    camera, seen = walkers
    placing = LivePlacement(SPEC, lens(camera))
    heads, settled = [], []
    for frame in range(FRAMES):
        placed = placing.place(frame / FPS, {0: poses_of(seen[0], frame)})
        heads.append(placed[0][:, 2].max())
        settled.append(placing.settled)
    assert placing.world is not None
    off_deg = np.degrees(np.arccos(placing.world.up @ seen[0].up))
    assert off_deg < 6
    assert heads[-1] == pytest.approx(1.65, abs=0.12)
    assert abs(placed[0][:, 2].min() - 0.077) < 0.05
    # A second of standing at the least, then it stays.
    assert not any(settled[: round(FPS)])
    assert settled[-1]
    assert settled == sorted(settled)
    # What is drawn glides.
    assert np.abs(np.diff(heads)).max() < 0.03


def test_nobody_and_somebody_who_is_not_known(walkers):
    camera, seen = walkers
    placing = LivePlacement(SPEC, lens(camera))
    assert placing.place(0.0, {}) == {}
    assert placing.world is None
    lost = StreamedPose(1, 0.04, np.full((17, 3), np.nan, np.float32), np.zeros(17, bool))
    assert placing.place(0.04, {0: lost}) == {}
    assert not placing.settled
    assert set(placing.place(0.08, {0: poses_of(seen[0], 2)})) == {0}


def test_memory_is_bounded_and_whoever_comes_back_goes_on(walkers):
    camera, seen = walkers
    placing = LivePlacement(SPEC, lens(camera))
    for turn in range(400):
        frame = turn % FRAMES
        pose = StreamedPose(
            turn,
            turn / FPS,
            seen[0].track.pose_norm[frame],
            seen[0].track.valid[frame],
            keypoints_px=seen[0].track.keypoints_px[frame],
        )
        placing.place(turn / FPS, {0: pose})
    (body,) = placing._bodies.values()
    assert len(body.path) <= 0.5 * FPS + 2
    assert len(body.seen) <= 8 * FPS + 2
    placing.place(500.0, {})
    placing.place(600.0, {})
    assert not placing._bodies
