from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from shared_data import shared_path

from hyperlift.errors import InputError
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.asf_skeleton import read_asf
from hyperlift.mocap.asfamc import read_amc, read_asfamc

FIXTURES = Path(__file__).parent / "fixtures"

# Two bones of 1 m (100 / 2.54 inches): up, then to the left; the second has its angles in a turned frame.
ASF = """\
:version 1.10
:units
  mass 1.0
  length 1.0
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name back
    direction 0 2 0
    length 39.37007874
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-20.0 45.0)
           (-30.0 30.0)
           (-30.0 30.0)
  end
  begin
    id 2
    name arm
    direction 1 0 0
    length 39.37007874
    axis 0 0 90 XYZ
    dof rx
  end
:hierarchy
  begin
    root back
    back arm
  end
"""
AMC = """\
#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 0 39.37007874 0 0 0 0
back 0 0 0
arm 0
2
root 0 0 0 0 0 0
back 90 90 0
arm 90
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "07.asf").write_text(ASF)
    (tmp_path / "07_01.amc").write_text(AMC)
    return tmp_path


def tips(folder):
    skeleton = read_asf(folder / "07.asf")
    starts, orientations = skeleton.tree.forward(*read_amc(folder / "07_01.amc", skeleton))
    return starts + np.einsum("fjab,jb->fja", orientations, skeleton.tips_m)


def test_two_bones_by_hand(files):
    root, back, arm = np.moveaxis(tips(files), 1, 0)
    np.testing.assert_allclose(root[0], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(back[0], [0, 2, 0], atol=1e-6)
    np.testing.assert_allclose(arm[0], [1, 2, 0], atol=1e-6)
    # First about the fixed x: up (y) becomes z; then about the fixed y: z becomes x.
    np.testing.assert_allclose(back[1], [1, 0, 0], atol=1e-6)
    # The arm's x is y of the body (turned 90 about z): 90 about it takes +x to -z; the back takes -z to y.
    np.testing.assert_allclose(arm[1], [1, 1, 0], atol=1e-6)


def test_axes_without_an_order_are_turned_about_in_the_order_x_y_z(files):
    stated = tips(files)
    (files / "07.asf").write_text(ASF.replace("  axis XYZ\n", "").replace("axis 0 0 90 XYZ", "axis 0 0 90"))
    np.testing.assert_array_equal(tips(files), stated)


def test_a_real_walk_agrees_with_its_published_conversion():
    """Two frames of trial 35_01, number 135 and 147 of 120 a second, against an independent conversion."""
    recording = read_asfamc(FIXTURES / "35_01.amc")
    folder = shared_path("data/mocap/index.json").parent
    published = next(r for r in read_mocap_arrays(folder, "train") if r.name == "CMU_35_01")
    spline = CubicSpline(np.arange(len(published.joints_m)) / published.fps, published.joints_m, bc_type="natural")
    expected_m = spline(np.array([134, 146]) / 120)
    shift = recording.joints_m[0, 0] - expected_m[0, 0]
    error_mm = 1000 * np.linalg.norm(recording.joints_m - expected_m - shift, axis=-1)
    # What is left is its constant bone lengths (median over the subject's trials) and steps of 0.2 mm.
    assert error_mm.mean() < 0.7
    assert error_mm.max() < 2.5
    assert recording.subject == "35"


def test_left_is_left_of_where_the_person_faces():
    joints_m = read_asfamc(FIXTURES / "35_01.amc").joints_m[0]
    left = joints_m[4] - joints_m[1]
    # Subject 35 walks along the laboratory's z, which becomes +y.
    assert left[0] < -0.15
    assert abs(left[1]) < 0.05
    assert joints_m[9, 1] > (joints_m[8, 1] + joints_m[10, 1]) / 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("back arm", "back hand", r"07.asf, line 34: the hierarchy hangs 'hand' on 'back'"),
        ("    back arm\n", "", "leaves out arm"),
        ("axis 0 0 90 XYZ", "axis 0 0 XYZ", "line 28: "),
        ("axis 0 0 90 XYZ", "axis 0 0 90 XYY", "line 28: axis order 'XYY'"),
        ("direction 1 0 0", "direction 1 0 zero", "line 26: could not convert"),
        ("dof rx\n", "dof tx\n", "line 29: degrees of freedom 'tx'"),
        ("name arm", "name back", "line 30: bone 'back' occurs twice"),
        ("  length 1.0", "  length 1e-320", "expected a positive number"),
        ("length 39.37007874", "length 1e308", "line 16: a number is not finite, or larger than 1e[+]09"),
        (":hierarchy", "", "line 35: bone .* needs a name"),
        ("  length 1.0", "  length 0", "expected a positive number"),
        (ASF, "", "has no bones"),
    ],
)
def test_a_broken_skeleton_is_named(files, old, new, message):
    assert old in ASF
    (files / "07.asf").write_text(ASF.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_asf(files / "07.asf")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("arm 90", "arm 90 1", "07_01.amc, line 11: 2 numbers; expected 1"),
        ("arm 90", "arm nan", "line 11: a number is not finite"),
        ("arm 90\n", "", "line 10: frame 2 of the file ends without bone 'arm'"),
        ("arm 0\n", "", "line 7: frame 1 of the file ends without bone 'arm'"),
        ("arm 0\n", "tail 0\n", "line 7: bone 'tail' is not in 07.asf"),
        ("1\nroot", "root", "line 4: 'root' before the first frame number"),
        (AMC, "", "holds no frames"),
    ],
)
def test_a_broken_motion_is_named(files, old, new, message):
    assert old in AMC
    (files / "07_01.amc").write_text(AMC.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_amc(files / "07_01.amc", read_asf(files / "07.asf"))


def test_a_skeleton_without_limbs_is_named(files):
    with pytest.raises(InputError, match=r"lacks the bones upperback.*lfemur.*it has root, back, arm"):
        read_asfamc(files / "07_01.amc")


def test_a_motion_without_skeleton_is_named(files):
    (files / "07.asf").rename(files / "08.asf")
    (files / "09.asf").write_text(ASF)
    with pytest.raises(InputError, match=r"needs its skeleton 07\.asf beside it; 2 \.asf files"):
        read_asfamc(files / "07_01.amc")
