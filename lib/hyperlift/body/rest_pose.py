"""The rest pose of ``H36M_17``: a T-pose, z up, x to the person's left, y backward; which bone turns with which.

Arms lie along x, legs point down, the spine up. Only the lengths are a person's own.
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
    # The neck leans forward to the joint "Nose", the head stands on it.
    "Nose": np.array([0.0, -29.0, 73.5]),
    "Head": UP,
    "LHip": LEFT,
    "LKnee": -UP,
    "LAnkle": -UP,
    # Shoulders hang a little below the joint "Thorax".
    "LShoulder": np.array([117.0, 0.0, -6.5]),
    "LElbow": LEFT,
    "LWrist": LEFT,
}
"""Of the bone that ends in the joint; the right side is the mirror image."""


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
    """From its parent to each joint in the T-pose, for the length of the bone that ends in each joint."""
    return REST_DIRECTIONS * lengths_m[:, None]


def person_lengths(
    joints_m: Float[np.ndarray, "frames joints 3"], seen: Bool[np.ndarray, "frames joints"]
) -> Float[np.ndarray, " joints"]:
    """One length a bone, at the joint in which it ends; 0 for the root.

    The median over the frames in which both ends were seen, of left and right together: a body is symmetric, and a
    limb that is often hidden is measured badly. A bone that was never seen gets the length that it has in an average
    body of this size.
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
    # Nobody was seen at all, or in one point: an average adult is as good as any.
    return np.where(np.isfinite(lengths_m), lengths_m, _AVERAGE_LENGTHS * (size if size > 0 else 1.0))


def _average_lengths() -> Float[np.ndarray, " joints"]:
    # Metres of an adult of 1.70 m; Drillis and Contini's proportions, as far as they go.
    adult = {"Hip": 0.10, "Knee": 0.42, "Ankle": 0.42, "Shoulder": 0.19, "Elbow": 0.29, "Wrist": 0.26}
    middle = {"Spine": 0.23, "Thorax": 0.25, "Nose": 0.14, "Head": 0.14}
    both = middle | {side + joint: length for joint, length in adult.items() for side in "RL"}
    return np.array([both.get(joint, 0.0) for joint in H36M_17.joints])


_AVERAGE_LENGTHS = _average_lengths()

ORDER = tuple(top_down(H36M_17.parents))
"""Joint indices, parents first."""
