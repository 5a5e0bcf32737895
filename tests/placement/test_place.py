from dataclasses import replace

import numpy as np
import pytest
from placed_people import bone_sum, camera_at, person_walking, see

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M
from hyperlift.placement.body_height import BodyHeight
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.place import place_people
from hyperlift.placement.world_frame import pitch_roll

LIFTER = LifterSpec(name="perfect", label_space="camera")
CAMERA = camera_at((0.4, -5.0, 1.8), (0.0, 0.5, 0.9), roll_deg=5)
LENS = Intrinsics(fx_px=1100, fy_px=1100, cx_px=640, cy_px=360, width=1280, height=720, source="test")
WALK = person_walking(75, (-1.0, 0.0), (0.6, 0.3), heading=1.0)
TRUE_HEIGHT = BodyHeight.given(REFERENCE_HEIGHT_M * bone_sum(WALK) / REFERENCE_BONE_SUM_M)


def test_a_perfect_lifter_with_a_known_camera_gives_the_true_world():
    seen = see(WALK, CAMERA)
    (person,), _ = place_people([seen.track], LIFTER, LENS, TRUE_HEIGHT, *pitch_roll(seen.up))
    np.testing.assert_allclose(person.joints_m, seen.joints_m, atol=1e-5)
    np.testing.assert_allclose(person.root_m, seen.joints_m[:, 0], atol=1e-5)
    assert person.reprojection_px.max() < 0.01
    # Lengths and heights are those of the true world; x and y are turned to the camera's view.
    np.testing.assert_allclose(person.world_m[..., 2], WALK[..., 2], atol=0.02)
    moved, true = (np.linalg.norm(path[-1, 0] - path[0, 0]) for path in (person.world_m, WALK))
    assert moved == pytest.approx(true, abs=1e-3)
    _, found = place_people([seen.track], LIFTER, LENS, TRUE_HEIGHT)
    assert np.degrees(np.arccos(found.world.up @ seen.up)) < 2


def test_a_taller_person_is_farther_away_in_the_same_picture():
    seen = see(WALK, CAMERA)
    short, tall = (
        place_people([seen.track], LIFTER, LENS, BodyHeight.given(height_m))[0][0] for height_m in (1.5, 1.8)
    )
    np.testing.assert_allclose(tall.joints_m, short.joints_m * 1.2, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(tall.reprojection_px, short.reprojection_px, atol=0.01)


def test_twice_the_focal_length_is_about_twice_the_distance():
    seen = see(WALK, CAMERA)
    (near,), _ = place_people([seen.track], LIFTER, LENS)
    (far,), _ = place_people([seen.track], LIFTER, replace(LENS, fx_px=2200, fy_px=2200))
    ratio = far.root_m[:, 2] / near.root_m[:, 2]
    np.testing.assert_allclose(ratio, 2, rtol=0.05)


def test_people_of_other_sizes_stand_on_one_floor_but_nobody_is_pulled_off_a_roof():
    smaller = person_walking(75, (1.5, 1.0), heading=3.0) * 0.95
    on_roof = person_walking(75, (-1.5, 2.0), heading=2.0) + [0, 0, 1.5]
    first_m = person_walking(75, (-1.0, 0.0), heading=1.0)
    tracks = [see(world_m, CAMERA, number).track for number, world_m in enumerate((first_m, smaller, on_roof))]
    people, placement = place_people(tracks, LIFTER, LENS, BodyHeight(), *pitch_roll(CAMERA.R @ [0, 0, 1.0]))
    first, second, third = people
    for person in (first, second):
        ankles_m = person.world_m[:, [3, 6], 2]
        np.testing.assert_allclose(np.median(ankles_m), 0.077, atol=0.03)
    assert placement.floor_shift_m[1] != 0
    assert placement.floor_shift_m[2] == 0
    assert np.median(third.world_m[:, [3, 6], 2]) == pytest.approx(1.577, abs=0.15)
    facts = placement.as_dict()
    assert facts["intrinsics"]["source"] == "test"
    assert facts["height"]["assumed"]
    assert list(facts["floor_shift_m"]) == ["p0", "p1", "p2"]


def test_image_label_space_gives_about_the_same_place():
    """Human3.6M's label space: perspective x, y and depth in the same unit."""
    seen = see(WALK, CAMERA)
    depth = seen.joints_m[:, :1, 2]
    per_metre = 1100 / depth * 2 / 1280
    points = (seen.track.keypoints_px[..., :2] - [640, 360]) * 2 / 1280
    pose = np.concatenate([points, ((seen.joints_m[..., 2] - depth) * per_metre)[..., None]], -1)
    track = replace(seen.track, pose_norm=pose)
    spec = LifterSpec(name="image", label_space="image", rootrel=False)
    (placed,), _ = place_people([track], spec, LENS, TRUE_HEIGHT)
    error = np.linalg.norm(placed.root_m - seen.joints_m[:, 0], axis=-1)
    assert error.max() < 0.15
    assert np.abs(placed.joints_m - seen.joints_m).mean() < 0.08


def test_what_cannot_be_placed():
    seen = see(WALK, CAMERA).track
    with pytest.raises(InputError, match="do not increase"):
        place_people([replace(seen, time_s=np.zeros(75))], LIFTER, LENS)
    with pytest.raises(InputError, match="at least one"):
        place_people([], LIFTER, LENS)
