import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from placed_people import Seen, camera_at, person_walking, see

from hyperlift.errors import InputError
from hyperlift.placement.foot_contacts import standing_feet
from hyperlift.placement.world_frame import PlacedBody, WorldFrame, pitch_roll, up_from_pitch_roll, world_frame
from hyperlift.skeletons.joint_sets import H36M_17


def body(seen: Seen) -> PlacedBody:
    return PlacedBody(seen.joints_m, seen.track.valid, seen.track.time_s, 1.70)


def standing_people(camera) -> list[PlacedBody]:
    places = [((0, 0), 0.0), ((1.5, 1.0), 2.0), ((-1.2, 2.0), 4.0), ((0.3, 3.0), 5.5)]
    return [body(see(person_walking(100, start, heading=heading), camera)) for start, heading in places]


def degrees_off(world: WorldFrame, up: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(world.up @ up, -1, 1))))


@given(st.floats(-89, 89), st.floats(-179, 179))
def test_pitch_and_roll_come_back(pitch: float, roll: float):
    up = up_from_pitch_roll(pitch, roll)
    assert np.linalg.norm(up) == pytest.approx(1)
    np.testing.assert_allclose(pitch_roll(up), (pitch, roll), atol=1e-6)


def test_pitch_and_roll_mean_what_they_say():
    np.testing.assert_allclose(up_from_pitch_roll(0, 0), [0, -1, 0], atol=1e-12)
    # A camera that looks up has the sky in front of it.
    assert up_from_pitch_roll(30, 0)[2] == pytest.approx(0.5)
    # Independent: the cameras of the benchmark; their roll is clockwise as seen from behind. Looks down by 45 degrees.
    camera = camera_at((0, -2.0, 3.0), (0, 0, 1.0), roll_deg=12)
    np.testing.assert_allclose(pitch_roll(camera.R @ [0, 0, 1.0]), (-45, 12), atol=1e-9)
    with pytest.raises(InputError, match="positive looks up"):
        up_from_pitch_roll(91, 0)


@pytest.mark.parametrize(("height", "roll"), [(1.6, 0), (3.5, 8), (0.4, -15)])
def test_people_who_stand_show_where_up_is(height: float, roll: float):
    camera = camera_at((0.2, -4.5, height), (0.0, 1.0, 0.8), roll_deg=roll)
    world = world_frame(standing_people(camera), H36M_17)
    up = camera.R @ [0, 0, 1.0]
    assert degrees_off(world, up) < 1.5
    assert world.camera_height_m == pytest.approx(height, abs=0.12)
    assert world.tilt_std_deg < 4
    assert "upright" in world.tilt_source


def test_feet_on_a_plane_correct_a_body_that_leans():
    """Somebody who stoops by 12 degrees wherever they stand; their feet know better."""
    camera = camera_at((0.0, -5.0, 1.6), (0.0, 0.5, 0.8))
    lean = np.radians(12)
    bend = np.array([[1, 0, 0], [0, np.cos(lean), np.sin(lean)], [0, -np.sin(lean), np.cos(lean)]])
    places = [(-1.5, -1.5), (1.5, -1.0), (1.5, 2.0), (-1.5, 2.5), (0.0, 0.5)]
    stops = []
    for place in places:
        figure = person_walking(50, (0, 0))
        feet = figure[:, [3, 6]].mean(1, keepdims=True)
        stops.append((figure - feet) @ bend + feet + [*place, 0])
    stooping = np.concatenate(stops)
    alone = world_frame([body(see(stops[0], camera))], H36M_17)
    moving = world_frame([body(see(stooping, camera))], H36M_17)
    up = camera.R @ [0, 0, 1.0]
    assert degrees_off(alone, up) > 8
    assert degrees_off(moving, up) < 2


def test_somebody_lying_down_does_not_tip_the_world():
    camera = camera_at((0.0, -5.0, 1.6), (0.0, 0.5, 0.8))
    upright = standing_people(camera)
    figure = person_walking(100, (0.5, 0.5))
    lying = figure[..., [2, 1, 0]] + [0, 0, 0.2]
    world = world_frame([*upright, body(see(lying, camera))], H36M_17)
    assert degrees_off(world, camera.R @ [0, 0, 1.0]) < 1.5


def test_the_world_stands_as_documented():
    camera = camera_at((1.0, -4.0, 2.0), (1.0, 1.0, 0.5))
    first = see(person_walking(50, (0.5, 0.0), (0.4, 0.0)), camera)
    pitch, roll = pitch_roll(first.up)
    world = world_frame([body(first)], H36M_17, pitch, roll)
    np.testing.assert_allclose(world.R @ world.R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(world.R) == pytest.approx(1)
    np.testing.assert_allclose(world.up, first.up, atol=1e-9)
    assert "given" in world.tilt_source
    placed = world.to_world(first.joints_m)
    np.testing.assert_allclose(placed @ world.R + world.origin_m, first.joints_m, atol=1e-12)
    # This camera looks along +y of the true world too, so both differ by the origin alone.
    np.testing.assert_allclose(placed, person_walking(50, (0.0, 0.0), (0.4, 0.0)), atol=2e-3)
    np.testing.assert_allclose(placed[0, 0, :2], 0, atol=1e-9)
    assert world.camera_height_m == pytest.approx(2.0, abs=2e-3)


def test_a_pitch_alone_leaves_the_roll_to_the_people():
    camera = camera_at((0.2, -4.5, 1.6), (0.0, 1.0, 0.8), roll_deg=10)
    world = world_frame(standing_people(camera), H36M_17, pitch_deg=-5.0)
    assert world.pitch_deg == pytest.approx(-5)
    assert world.roll_deg == pytest.approx(10, abs=1.5)
    assert "pitch given as -5" in world.tilt_source
    assert "roll" not in world.tilt_source


@pytest.mark.parametrize("pitch", [90.0, -90.0])
def test_a_camera_that_looks_straight_down_or_up(pitch: float):
    people = standing_people(camera_at((0.2, -4.5, 1.6), (0.0, 1.0, 0.8)))
    world = world_frame(people, H36M_17, pitch, 0.0)
    np.testing.assert_allclose(world.R @ world.R.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(world.R) == pytest.approx(1)


def test_the_floor_is_where_most_feet_rest_and_the_lower_of_two():
    camera = camera_at((0.0, -6.0, 1.6), (0.0, 0.5, 0.8))
    ground = body(see(person_walking(60, (1.5, 0)), camera))
    roof = body(see(person_walking(200, (0, 1.0)) + [0, 0, 2.0], camera))
    tilt = pitch_roll(camera.R @ [0, 0, 1.0])
    for people in ([roof, ground], [ground, roof]):
        assert world_frame(people, H36M_17, *tilt).camera_height_m == pytest.approx(1.6, abs=0.01)
    assert world_frame([roof], H36M_17, *tilt).camera_height_m == pytest.approx(-0.4, abs=0.01)


def test_without_evidence_the_camera_is_taken_to_be_level():
    camera = camera_at((0.0, -6.0, 1.6), (0.0, 0.5, 1.6))
    scene = see(person_walking(30), camera)
    blind = PlacedBody(scene.joints_m, np.zeros_like(scene.track.valid), scene.track.time_s, 1.70)
    world = world_frame([blind], H36M_17)
    np.testing.assert_allclose(world.up, [0, -1, 0], atol=1e-9)
    assert world.tilt_std_deg > 10
    assert "no foot" in world.floor_source
    single = PlacedBody(scene.joints_m[:1], scene.track.valid[:1], scene.track.time_s[:1], 1.70)
    assert np.isfinite(world_frame([single], H36M_17).R).all()
    with pytest.raises(InputError, match="at least one person"):
        world_frame([], H36M_17)


def test_feet_rest_between_steps():
    """A step of 0.4 s, 0.8 m: at rest, swings, at rest; the other foot stays, and rises at last."""
    time_s = np.arange(60) / 25
    feet = np.zeros((60, 2, 3))
    feet[..., 2] = 5.0
    feet[:, 1, 0] = 0.3
    feet[20:30, 0, 0] = np.linspace(0, 0.8, 10)
    feet[30:, 0, 0] = 0.8
    feet[50:, 1, 1] = -0.3  # up in camera axes
    seen = np.ones((60, 2), bool)
    seen[5:8, 0] = False
    resting = standing_feet(feet, seen, time_s, np.array([0, -1.0, 0]))
    assert resting[10:16, 0].all()
    assert not resting[21:29, 0].any()
    assert resting[34:46].all()
    assert not resting[5:8, 0].any()
    assert not resting[54:, 1].any()
    assert resting[54:, 0].all()
