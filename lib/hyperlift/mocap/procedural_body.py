"""Articulated body of the procedural motions: proportions, joint limits, and joints from angles.

Body axes: x to the right of the person, y forward, z up. At rest the body stands upright with hanging arms. Angles are
anatomical, in degrees, and equal for both sides: flexion forward, planes outward, rotation inward.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.rotations import axis_rotation
from hyperlift.mocap.kinematic_tree import KinematicTree
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

LIMITS_DEG: Mapping[str, tuple[float, float]] = {
    "spine_flexion": (-20.0, 50.0),
    "spine_side": (-20.0, 20.0),
    "spine_twist": (-25.0, 25.0),
    "thorax_flexion": (-15.0, 35.0),
    "thorax_side": (-15.0, 15.0),
    "thorax_twist": (-25.0, 25.0),
    "neck_flexion": (-40.0, 40.0),
    "neck_side": (-30.0, 30.0),
    "neck_twist": (-65.0, 65.0),
    "shoulder_elevation": (-50.0, 170.0),
    "shoulder_plane": (-30.0, 110.0),
    "shoulder_rotation": (-90.0, 80.0),
    "elbow_flexion": (0.0, 145.0),
    "knee_flexion": (0.0, 150.0),
}
"""Range of each angle, of usual anatomical size. A shoulder turns the arm by ``elevation`` from hanging, in a vertical
``plane`` that is 0 forward and 90 sideward, after ``rotation`` about the upper arm."""

SIDES = {"R": 1.0, "L": -1.0}
"""Sign of x."""

Angles = Mapping[str, Float[np.ndarray, " frames"]]
"""Angles in degrees by name: keys of ``LIMITS_DEG``, for limbs with their side (``R_elbow_flexion``)."""

# A node of length 0 lets the head turn independently of the shoulders.
_NODES = (*H36M_17.joints[: H36M_17.index("Nose")], "Neck", *H36M_17.joints[H36M_17.index("Nose") :])
_PARENT_OF = {**H36M_17.parent_of, "Neck": "Thorax", "Nose": "Neck"}

_REST_M = {
    **{"Hip": (0.10, 0.0, 0.0), "Knee": (0.0, 0.0, -0.42), "Ankle": (0.0, 0.0, -0.43)},
    **{"Shoulder": (0.17, -0.01, -0.01), "Elbow": (0.0, 0.0, -0.29), "Wrist": (0.0, 0.0, -0.26)},
    **{"Spine": (0.0, -0.01, 0.235), "Thorax": (0.0, -0.01, 0.25), "Nose": (0.0, 0.055, 0.11)},
    "Head": (0.0, -0.045, 0.13),
}
"""Offset of each joint from its parent at rest (hip and shoulder: right side). Chosen: an adult of average size."""
_ANKLE_HEIGHT_M = 0.085
"""Height of the ankle joint above the ground. Chosen: an adult of average size."""
_KNEE_STRETCH = 0.999
"""Maximum leg length relative to thigh plus shank: a knee does not straighten fully."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """One person's proportions, left and right alike."""

    tree: KinematicTree
    ankle_height_m: float
    """Of the ankle when the foot stands on the floor."""

    @classmethod
    def drawn(cls, generator: np.random.Generator) -> "Body":
        """Draw a body: stature varies by 7 %, single segments by 4 % beside that."""
        stature = float(np.clip(generator.normal(1.0, 0.07), 0.8, 1.2))
        scale = {joint: stature * float(np.clip(generator.normal(1.0, 0.04), 0.88, 1.12)) for joint in _REST_M}
        offsets = np.zeros((len(_NODES), 3))
        for index, node in enumerate(_NODES):
            joint = node[1:] if node[0] in SIDES and node[1:] in _REST_M else node
            if joint in _REST_M:
                mirror = np.array([SIDES[node[0]] if joint != node else 1.0, 1.0, 1.0])
                offsets[index] = np.array(_REST_M[joint]) * scale[joint] * mirror
        parents = tuple(_NODES.index(_PARENT_OF[node]) if node in _PARENT_OF else -1 for node in _NODES)
        tree = KinematicTree(names=_NODES, parents=parents, offsets=offsets)
        return cls(tree=tree, ankle_height_m=_ANKLE_HEIGHT_M * stature)

    def offset(self, node: str) -> Float[np.ndarray, "3"]:
        """Place of a joint in the frame of its parent, metres."""
        return self.tree.offsets[_NODES.index(node)]

    @property
    def leg_m(self) -> float:
        """Thigh and shank."""
        return float(-self.offset("RKnee")[2] - self.offset("RAnkle")[2])

    def joints(
        self,
        pelvis_m: Float[np.ndarray, "frames 3"],
        pelvis: Float[np.ndarray, "frames 3 3"],
        ankles_m: Mapping[str, Float[np.ndarray, "frames 3"]],
        facing: Float[np.ndarray, "frames 3"],
        angles_deg: Angles,
    ) -> Float[np.ndarray, "frames joints 3"]:
        """The 17 joints of a pose in every frame, metres, world axes with z up.

        Args:
            pelvis_m: place of the pelvis.
            pelvis: its orientation; columns are the body axes.
            ankles_m: where the ankles should be, by side "R" and "L"; one out of reach comes as near as the
            leg
                allows.
            facing: horizontal direction to which the knees bend.
            angles_deg: of trunk, head and arms; absent ones are 0, and all are cut to ``LIMITS_DEG``.
        """
        frames = len(pelvis_m)
        rotations = np.broadcast_to(np.eye(3), (frames, len(_NODES), 3, 3)).copy()
        rotations[:, 0] = pelvis
        for node, part in (("Spine", "spine"), ("Thorax", "thorax"), ("Neck", "neck")):
            flexion, side, twist = (
                _angle(angles_deg, f"{part}_{kind}", frames) for kind in ("flexion", "side", "twist")
            )
            rotations[:, _NODES.index(node)] = (
                axis_rotation("Z", twist) @ axis_rotation("Y", side) @ axis_rotation("X", -flexion)
            )
        for letter, sign in SIDES.items():
            plane, elevation, rotation, elbow = (
                _angle(angles_deg, f"{letter}_{kind}", frames)
                for kind in ("shoulder_plane", "shoulder_elevation", "shoulder_rotation", "elbow_flexion")
            )
            outward = axis_rotation("Z", -sign * plane)
            swing = outward @ axis_rotation("X", elevation) @ np.swapaxes(outward, -1, -2)
            rotations[:, _NODES.index(letter + "Shoulder")] = swing @ axis_rotation("Z", sign * rotation)
            rotations[:, _NODES.index(letter + "Elbow")] = axis_rotation("X", elbow)

            hip_m = pelvis_m + pelvis @ self.offset(letter + "Hip")
            thigh, flexion = self._leg(hip_m, ankles_m[letter], facing)
            rotations[:, _NODES.index(letter + "Hip")] = np.swapaxes(pelvis, -1, -2) @ thigh
            rotations[:, _NODES.index(letter + "Knee")] = axis_rotation("X", -flexion)
        positions, _ = self.tree.forward(rotations, pelvis_m)
        return positions[:, [_NODES.index(joint) for joint in H36M_17.joints]]

    def highest_pelvis_m(
        self,
        pelvis_xy_m: Float[np.ndarray, "frames 2"],
        pelvis: Float[np.ndarray, "frames 3 3"],
        ankles_m: Mapping[str, Float[np.ndarray, "frames 3"]],
        stretch: float,
    ) -> Float[np.ndarray, " frames"]:
        """Height of the pelvis at which the nearer limit of both legs is reached.

        Args:
            pelvis_xy_m: place of the pelvis on the floor.
            pelvis: its orientation.
            ankles_m: places of the ankles by side.
            stretch: longest leg, as a part of thigh and shank.
        """
        heights = []
        for letter in SIDES:
            hip = pelvis @ self.offset(letter + "Hip")
            aside = np.linalg.norm(pelvis_xy_m + hip[:, :2] - ankles_m[letter][:, :2], axis=-1)
            upward = np.sqrt(np.maximum((stretch * self.leg_m) ** 2 - aside**2, 0.0))
            heights.append(ankles_m[letter][:, 2] + upward - hip[:, 2])
        return np.minimum(*heights)

    def _leg(
        self,
        hip_m: Float[np.ndarray, "frames 3"],
        ankle_m: Float[np.ndarray, "frames 3"],
        facing: Float[np.ndarray, "frames 3"],
    ) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, " frames"]]:
        """Orientation of the thigh and flexion of the knee (radians) that bring the ankle to its place."""
        thigh_m, shank_m = -self.offset("RKnee")[2], -self.offset("RAnkle")[2]
        bent = np.radians(180.0 - LIMITS_DEG["knee_flexion"][1])
        shortest = np.sqrt(thigh_m**2 + shank_m**2 - 2 * thigh_m * shank_m * np.cos(bent))
        leg = ankle_m - hip_m
        length = np.linalg.norm(leg, axis=-1)
        down = leg / length[:, None]
        reach = np.clip(length, shortest, _KNEE_STRETCH * (thigh_m + shank_m))
        knee = np.arccos((thigh_m**2 + shank_m**2 - reach**2) / (2 * thigh_m * shank_m))
        at_hip = np.arccos(np.clip((thigh_m**2 + reach**2 - shank_m**2) / (2 * thigh_m * reach), -1.0, 1.0))
        ahead = facing - (facing * down).sum(-1, keepdims=True) * down
        ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
        along = np.cos(at_hip)[:, None] * down + np.sin(at_hip)[:, None] * ahead
        hinge = np.cross(ahead, -down)
        thigh = np.stack([hinge, np.cross(-along, hinge), -along], axis=-1)
        return thigh, np.pi - knee


def _angle(angles_deg: Angles, name: str, frames: int) -> Float[np.ndarray, " frames"]:
    low, high = LIMITS_DEG[name[2:] if name[1] == "_" else name]
    return np.radians(np.clip(angles_deg.get(name, np.zeros(frames)), low, high))
