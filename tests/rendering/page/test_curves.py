import numpy as np
import pytest
from placed_people import STANDING_M
from scipy.spatial.transform import Rotation

from hyperlift.rendering.page.curves import curve_values, curves_of
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

CURVES = curves_of(H36M_17)
NUMBER = {(curve.panel, curve.side): number for number, curve in enumerate(CURVES)}


def straight() -> np.ndarray:
    """A body whose trunk and limbs are plumb."""
    joints_m = STANDING_M.copy()
    for top, *below in (("RHip", "RKnee", "RAnkle"), ("LHip", "LKnee", "LAnkle"), ("Pelvis", "Spine", "Thorax")):
        joints_m[H36M_17.indices(below), :2] = joints_m[H36M_17.index(top), :2]
    for shoulder, *below in (("RShoulder", "RElbow", "RWrist"), ("LShoulder", "LElbow", "LWrist")):
        joints_m[H36M_17.indices(below), :2] = joints_m[H36M_17.index(shoulder), :2]
    return joints_m


def bent(joint: str, moved: list[str], degrees: float) -> np.ndarray:
    """The joints beyond one turned round the axis through it from right to left."""
    joints_m = straight()
    centre, turned = joints_m[H36M_17.index(joint)], H36M_17.indices(moved)
    joints_m[turned] = Rotation.from_euler("x", degrees, degrees=True).apply(joints_m[turned] - centre) + centre
    return joints_m


def test_a_plumb_body_is_straight_everywhere():
    values = curve_values(straight()[None], CURVES)[0]
    angles = [number for number, curve in enumerate(CURVES) if curve.unit == "°"]
    assert len(angles) == 6
    assert values[angles] == pytest.approx(0.0, abs=1e-9)
    assert values[NUMBER["Ankle height", "left"]] == pytest.approx(0.077)


@pytest.mark.parametrize("degrees", [0.001, 30.0, 90.0, 179.0])
@pytest.mark.parametrize(
    ("panel", "joint", "moved"),
    [
        ("Knee flexion", "RKnee", ["RAnkle"]),
        ("Hip flexion", "RHip", ["RKnee", "RAnkle"]),
        ("Elbow flexion", "RElbow", ["RWrist"]),
    ],
)
def test_a_bend_is_measured_on_its_side_alone(panel, joint, moved, degrees):
    values = curve_values(bent(joint, moved, degrees)[None], CURVES)[0]
    assert values[NUMBER[panel, "right"]] == pytest.approx(degrees, rel=1e-6)
    others = [n for (name, side), n in NUMBER.items() if name.endswith("flexion") and (name, side) != (panel, "right")]
    assert values[others] == pytest.approx(0.0, abs=1e-9)


def test_a_leg_behind_or_beside_the_body_is_not_flexed():
    back, aside = bent("RHip", ["RKnee", "RAnkle"], -20.0), straight()
    leg = H36M_17.indices(["RKnee", "RAnkle"])
    hip = aside[H36M_17.index("RHip")]
    aside[leg] = Rotation.from_euler("y", -30, degrees=True).apply(aside[leg] - hip) + hip
    values = curve_values(np.stack([back, aside]), CURVES)[:, NUMBER["Hip flexion", "right"]]
    assert values == pytest.approx([-20.0, 0.0], abs=1e-9)


def test_angles_do_not_know_where_the_body_stands_or_how_large_it_is():
    joints_m = bent("LKnee", ["LAnkle"], 40.0)
    turned = Rotation.from_euler("z", 77, degrees=True).apply(1.3 * joints_m) + [3.0, -2.0, 0.0]
    angles = [number for number, curve in enumerate(CURVES) if curve.unit == "°"]
    np.testing.assert_allclose(
        curve_values(turned[None], CURVES)[0, angles], curve_values(joints_m[None], CURVES)[0, angles]
    )


def test_a_missing_joint_or_a_bone_without_length_gives_no_angle():
    joints_m = np.stack([straight(), straight()])
    joints_m[0, H36M_17.index("RWrist")] = np.nan
    joints_m[1, H36M_17.index("RWrist")] = joints_m[1, H36M_17.index("RElbow")]
    values = curve_values(joints_m, CURVES)
    assert np.isnan(values[:, NUMBER["Elbow flexion", "right"]]).all()
    assert np.isfinite(np.delete(values, NUMBER["Elbow flexion", "right"], axis=1)).all()


def test_a_skeleton_without_a_trunk_has_no_hip_angle():
    assert {curve.panel for curve in curves_of(COCO_17)} == {"Knee flexion", "Elbow flexion", "Ankle height"}
