"""What no person does or is does not enter a clip store."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bvh_person import random_angles, write_person

from hyperlift.errors import InputError
from hyperlift.mocap.bvh import read_bvh
from hyperlift.mocap.collection import CollectionFormat, read_collection
from hyperlift.mocap.motion_checks import plausible_parts
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.joint_sets import H36M_17


@pytest.fixture
def walk() -> Recording:
    return next(iter(procedural_recordings(1, seconds=1.0, seed=0)))


def test_a_plausible_motion_stays_as_it_is(walk: Recording):
    assert plausible_parts(walk) == [walk]


def test_a_root_that_leaps_for_one_frame_is_cut_out(walk: Recording):
    joints_m = walk.joints_m.copy()
    joints_m[10] += np.float32(3000.0)
    parts = plausible_parts(replace(walk, joints_m=joints_m))
    assert [part.name for part in parts] == [f"{walk.name}.1", f"{walk.name}.2"]
    np.testing.assert_array_equal(parts[0].joints_m, walk.joints_m[:10])
    np.testing.assert_array_equal(parts[1].joints_m, walk.joints_m[11:])


@pytest.mark.parametrize(("fps", "fits"), [(4.9, False), (5.0, True), (1000.0, True), (1001.0, False), (0.03, False)])
def test_frame_rates(walk: Recording, fps: float, fits: bool):
    slow = replace(walk, fps=fps, joints_m=np.repeat(walk.joints_m[:1], 4, axis=0))
    if fits:
        assert plausible_parts(slow) == [slow]
    else:
        with pytest.raises(InputError, match="is its frame time in seconds"):
            plausible_parts(slow)


def test_sides_of_unequal_length(walk: Recording):
    joints_m = walk.joints_m.copy()
    wrist, elbow = H36M_17.index("LWrist"), H36M_17.index("LElbow")
    joints_m[:, wrist] += 0.3 * (joints_m[:, wrist] - joints_m[:, elbow])
    with pytest.raises(InputError, match=r"the left arm is .* long and the right one"):
        plausible_parts(replace(walk, joints_m=joints_m))


@pytest.mark.parametrize("factor", [0.3, 2.0])
def test_legs_of_nobody(walk: Recording, factor: float):
    with pytest.raises(InputError, match="is its unit of length right"):
        plausible_parts(replace(walk, joints_m=walk.joints_m * np.float32(factor)))


@pytest.mark.parametrize("size", [0.57, 1.0, 1.2])
@pytest.mark.parametrize("units_a_metre", [1.0, 100.0, 1000.0])
def test_the_unit_of_short_and_tall_people_is_guessed(tmp_path: Path, size: float, units_a_metre: float):
    """Legs of 0.48 to 1.0 m; at 0.48 m in centimetres the nearest adult leg would be one in inches."""
    write_person(tmp_path / "a.bvh", random_angles(), scale=size * units_a_metre)
    write_person(tmp_path / "b.bvh", random_angles(), scale=size)
    guessed, stated = read_bvh(tmp_path / "a.bvh"), read_bvh(tmp_path / "b.bvh", unit="m")
    np.testing.assert_allclose(guessed.joints_m, stated.joints_m, atol=1e-5)


def test_a_unit_as_a_number(tmp_path: Path):
    write_person(tmp_path / "a.bvh", random_angles(), scale=4.0)
    write_person(tmp_path / "b.bvh", random_angles())
    quarter, metres = read_bvh(tmp_path / "a.bvh", unit="0.25"), read_bvh(tmp_path / "b.bvh", unit="m")
    np.testing.assert_allclose(quarter.joints_m, metres.joints_m, atol=1e-5)
    for unit in ("feet", "0", "-1", "nan"):
        with pytest.raises(InputError, match="expected auto, m, cm, mm, inch, cmu, or a number of metres"):
            read_bvh(tmp_path / "a.bvh", unit=unit)


def test_a_collection_holds_the_parts(tmp_path: Path):
    folder = tmp_path / "motions"
    folder.mkdir()
    angles = random_angles(frames=8)
    write_person(folder / "leap.bvh", angles)
    lines = (folder / "leap.bvh").read_text().splitlines()
    numbers = lines[-4].split()
    lines[-4] = " ".join(["5000.0", *numbers[1:]])
    (folder / "leap.bvh").write_text("\n".join(lines) + "\n")
    write_person(folder / "whole.bvh", angles)
    found = read_collection(folder, CollectionFormat(kind="bvh"), tmp_path / "shelf")
    recordings = [found.recordings[n] for n in range(len(found.recordings))]
    assert [(r.name, len(r.joints_m)) for r in recordings] == [("leap.1", 4), ("leap.2", 3), ("whole", 8)]
