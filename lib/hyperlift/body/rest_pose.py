"""The rest pose of ``H36M_17``: a T-pose with x to the person's left, y backward, z up; and the lengths of bones.

Arms point along x, legs down, the spine up. Only the lengths differ between people.
"""

import numpy as np

from hyperlift.geometry.forward_kinematics import top_down
from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17

LEFT, BACKWARD, UP = np.eye(3)

_DIRECTIONS = {
    "Spine": UP,
    "Thorax": UP,
    # The neck leans forward to the joint "Nose"; the head is vertical above it.
    "Nose": np.array([0.0, -29.0, 73.5]),
    "Head": UP,
    "LHip": LEFT,
    "LKnee": -UP,
    "LAnkle": -UP,
    # Shoulders are slightly below the joint "Thorax".
    "LShoulder": np.array([117.0, 0.0, -6.5]),
    "LElbow": LEFT,
    "LWrist": LEFT,
}
"""Direction of the bone that ends in the joint, of any length; the right side is the mirror image."""


def _directions() -> Float[np.ndarray, "joints 3"]:
    directions = np.zeros((len(H36M_17), 3))
    for joint, direction in _DIRECTIONS.items():
        directions[H36M_17.index(joint)] = direction
        if joint.startswith("L"):
            directions[H36M_17.index("R" + joint[1:])] = direction * [-1, 1, 1]
    return unit(directions)


REST_DIRECTIONS = _directions()
"""Unit vectors in the order of ``H36M_17``; 0 for the root."""


def rest_offsets(lengths_m: Float[np.ndarray, " joints"]) -> Float[np.ndarray, "joints 3"]:
    """Offsets of the joints from their parents in the T-pose, from the length of the bone that ends in each joint."""
    return REST_DIRECTIONS * lengths_m[:, None]


def person_lengths(
    joints_m: Float[np.ndarray, "frames joints 3"], seen: Bool[np.ndarray, "frames joints"]
) -> Float[np.ndarray, " joints"]:
    """Length of the bone that ends in each joint; 0 for the root.

    It is the median over the frames in which both ends were detected, of left and right together, because bodies are
    symmetric and a limb that is often occluded is measured badly. A bone that was never detected gets its length in an
    average body of the same size.
    """
    lengths_m = np.full(len(H36M_17), np.nan)
    for _, child in H36M_17.bones:
        both = [child, int(H36M_17.mirror[child])]
        found = []
        for end in both:
            start = H36M_17.parents[end]
            ok = seen[:, start] & seen[:, end]
            found.append(np.linalg.norm(joints_m[ok, end] - joints_m[ok, start], axis=-1))
        if any(len(some) for some in found):
            lengths_m[child] = np.median(np.concatenate(found))
    lengths_m[H36M_17.root] = 0.0
    known = np.isfinite(lengths_m) & (_AVERAGE_LENGTHS > 0)
    size = lengths_m[known].sum() / _AVERAGE_LENGTHS[known].sum() if known.any() else 0.0
    # Without any measured length, the size is that of an average adult.
    return np.where(np.isfinite(lengths_m), lengths_m, _AVERAGE_LENGTHS * (size if size > 0 else 1.0))


def _average_lengths() -> Float[np.ndarray, " joints"]:
    # Metres for an adult of 1.70 m, after the proportions of Drillis and Contini (1966) where they have the segment.
    adult = {"Hip": 0.10, "Knee": 0.42, "Ankle": 0.42, "Shoulder": 0.19, "Elbow": 0.29, "Wrist": 0.26}
    middle = {"Spine": 0.23, "Thorax": 0.25, "Nose": 0.14, "Head": 0.14}
    both = middle | {side + joint: length for joint, length in adult.items() for side in "RL"}
    return np.array([both.get(joint, 0.0) for joint in H36M_17.joints])


_AVERAGE_LENGTHS = _average_lengths()

ORDER = tuple(top_down(H36M_17.parents))
"""Joint indices, parents first."""
