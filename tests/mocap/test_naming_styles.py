"""The same person as programs and collections write them: names, unit, up axis, frame rate."""

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.mocap.bvh import read_bvh
from hyperlift.skeletons.joint_sets import H36M_17

# Facing +z with y up, left at +x: joint, parent, place in metres. Feet and hands go on beyond ankles and wrists.
BODY = {
    "Hips": ("", (0.0, 0.95, 0.0)),
    "Spine": ("Hips", (0.0, 1.1, 0.0)),
    "Neck": ("Spine", (0.0, 1.45, 0.0)),
    "Head": ("Neck", (0.0, 1.55, 0.0)),
    "Crown": ("Head", (0.0, 1.72, 0.0)),
}
for _side, _x in (("Left", 1.0), ("Right", -1.0)):
    BODY |= {
        f"{_side}Collar": ("Spine", (0.04 * _x, 1.42, 0.0)),
        f"{_side}Shoulder": (f"{_side}Collar", (0.18 * _x, 1.43, 0.0)),
        f"{_side}Elbow": (f"{_side}Shoulder", (0.46 * _x, 1.43, 0.0)),
        f"{_side}Wrist": (f"{_side}Elbow", (0.72 * _x, 1.43, 0.0)),
        f"{_side}Fingers": (f"{_side}Wrist", (0.8 * _x, 1.43, 0.0)),
        f"{_side}Hip": ("Hips", (0.1 * _x, 0.92, 0.0)),
        f"{_side}Knee": (f"{_side}Hip", (0.1 * _x, 0.5, 0.01)),
        f"{_side}Ankle": (f"{_side}Knee", (0.1 * _x, 0.08, 0.0)),
        f"{_side}Toes": (f"{_side}Ankle", (0.1 * _x, 0.02, 0.15)),
    }
LIMBS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")

MAYA = {
    **{"Collar": "Shoulder", "Shoulder": "Arm", "Elbow": "ForeArm", "Wrist": "Hand", "Fingers": "HandIndex1"},
    **{"Hip": "UpLeg", "Knee": "Leg", "Ankle": "Foot", "Toes": "ToeBase"},
}
SMPL = {"Fingers": "Hand", "Toes": "Foot"}


def sided(names, left="Left", right="Right"):
    """A limb's name in a style, from ours."""

    def rename(joint):
        for ours, theirs in (("Left", left), ("Right", right)):
            if joint.startswith(ours):
                return theirs + names.get(joint.removeprefix(ours), joint.removeprefix(ours))
        return names.get(joint, joint)

    return rename


def prefixed(prefix, rename):
    return lambda joint: prefix + rename(joint)


# name, naming, units a metre, up axis, frames a second, joints that the style lacks
STYLES = [
    ("lafan1", sided(MAYA), 100.0, "y", 30.0, ()),
    ("mixamo", prefixed("mixamorig:", sided({**MAYA, "Crown": "HeadTop_End"})), 100.0, "y", 30.0, ()),
    ("mixamo, numbered", prefixed("mixamorig7:", sided(MAYA)), 100.0, "y", 60.0, ()),
    ("mixamo, no colon", prefixed("mixamorig_", sided(MAYA)), 1.0, "y", 24.0, ()),
    ("motion builder", prefixed("Character1_", sided(MAYA)), 100.0, "y", 120.0, ()),
    ("xsens", sided({"Spine": "Chest", "Toes": "Toe"}), 100.0, "y", 240.0, ("Fingers",)),
    ("100style", sided({"Spine": "Chest", "Toes": "Toe"}), 100.0, "y", 60.0, ("Fingers",)),
    ("xsens, z up", sided({"Spine": "Chest", "Toes": "Toe"}), 1.0, "z", 60.0, ("Fingers",)),
    ("smpl", sided({**SMPL, "Hips": "Pelvis", "Spine": "Spine1"}, "L_", "R_"), 1.0, "y", 30.0, ("Crown",)),
    ("smpl-x", sided({**SMPL, "Hips": "pelvis", "Crown": "jaw"}, "left_", "right_"), 1.0, "z", 120.0, ()),
    ("cgspeed", sided(MAYA), 0.45 / 0.0254, "y", 120.0, ()),
    ("inches", sided(MAYA), 1 / 0.0254, "y", 25.0, ()),
    ("millimetres", sided(MAYA), 1000.0, "z", 50.0, ()),
    ("biped", prefixed("Bip01 ", sided({**MAYA, "Hip": "Thigh", "Knee": "Calf"}, "L ", "R ")), 2.54, "z", 30.0, ()),
]


def write_bvh(path, rename, units_a_metre, up, fps, without, frames=3):
    """A person who stands still; frames of one person in three places."""
    body = {name: entry for name, entry in BODY.items() if not name.endswith(without or ("none",))}
    place = {name: np.array(entry[1]) * units_a_metre for name, entry in body.items()}
    if up == "z":
        place = {name: np.array([-x, z, y]) for name, (x, y, z) in place.items()}
    lines, count = ["HIERARCHY"], 0

    def write(name):
        nonlocal count
        parent = body[name][0]
        offset = place[name] - place[parent] if parent else np.zeros(3)
        children = [child for child, entry in body.items() if entry[0] == name]
        lines.extend([f"{'JOINT' if parent else 'ROOT'} {rename(name)}", "{", "OFFSET {} {} {}".format(*offset)])
        positions = "" if parent else "Xposition Yposition Zposition "
        lines.append(f"CHANNELS {3 if parent else 6} {positions}Zrotation Yrotation Xrotation")
        count += 1
        for child in children:
            write(child)
        if not children and name != "Head":
            lines.extend(["End Site", "{", "OFFSET 0 0 0", "}"])
        lines.append("}")

    write("Hips")
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / fps:.7f}"]
    root = " ".join(str(value) for value in place["Hips"])
    lines += [f"{root} {' '.join(['0'] * 3 * count)}"] * frames
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style[0])
def test_every_style_is_the_same_person(tmp_path, style):
    _, rename, units, up, fps, without = style
    if style[0] == "biped":
        units = 100 / 2.54
    write_bvh(tmp_path / "a.bvh", rename, units, up, fps, without)
    recording = read_bvh(tmp_path / "a.bvh")
    assert recording.fps == fps
    for side, ours in (("L", "Left"), ("R", "Right")):
        for limb in LIMBS:
            x, y, z = BODY[ours + limb][1]
            found = recording.joints_m[0, H36M_17.index(side + limb)]
            np.testing.assert_allclose(found, (-x, z, y), atol=2e-3, err_msg=side + limb)
    crown = recording.joints_m[0, H36M_17.index("Head")]
    np.testing.assert_allclose(crown, (0.0, 0.0, 1.72), atol=3e-3)
    nose = recording.joints_m[0, H36M_17.index("Nose")]
    assert nose[1] > 0.01


@pytest.mark.parametrize("joint", ["LeftKnee", "RightWrist"])
def test_a_joint_that_no_style_has_is_named(tmp_path, joint):
    write_bvh(tmp_path / "a.bvh", lambda name: "Thing" if name == joint else name, 100.0, "y", 30.0, ())
    ours = {"LeftKnee": "LKnee", "RightWrist": "RWrist"}[joint]
    with pytest.raises(InputError, match=f"no joint for {ours}; its joints are .*Thing"):
        read_bvh(tmp_path / "a.bvh")
