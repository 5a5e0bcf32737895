"""Synthetic people of rigid bones with known rotations, for the tests of kinematics and animation."""

import numpy as np
from scipy.spatial.transform import Rotation

from hyperlift.body.rest_pose import rest_offsets
from hyperlift.geometry.forward_kinematics import absolute_rotations, forward_kinematics
from hyperlift.skeletons.joint_sets import H36M_17

LENGTHS = {
    **{"RHip": 0.10, "LHip": 0.10, "RKnee": 0.43, "LKnee": 0.43, "RAnkle": 0.41, "LAnkle": 0.41, "Spine": 0.22},
    **{"Thorax": 0.25, "Nose": 0.14, "Head": 0.12, "RShoulder": 0.17, "LShoulder": 0.17, "RElbow": 0.28},
    **{"LElbow": 0.28, "RWrist": 0.25, "LWrist": 0.25},
}
LENGTHS_M = np.array([LENGTHS.get(joint, 0.0) for joint in H36M_17.joints])


def moving_person(frames: int, seed: int, fps: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    """World joints [T,17,3] in metres and absolute rotations [T,17,3,3].

    Slow swings of every joint; elbows and knees bend about their hinges by 30 to 90 degrees, collar bones, neck and
    head do not twist, and the lower spine carries no twist: all that positions can show.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / fps

    def curves(spread: float) -> np.ndarray:
        speed, phase = rng.uniform(0.3, 0.8, 3), rng.uniform(0, 2 * np.pi, 3)
        return spread * np.sin(2 * np.pi * speed * time + phase)

    at = H36M_17.index
    relative = np.broadcast_to(np.eye(3), (frames, 17, 3, 3)).copy()
    heading = np.concatenate([curves(0.1)[:, :2], 1.2 * time + rng.uniform(0, 6)], axis=1)
    relative[:, at("Pelvis")] = Rotation.from_euler("zxy", heading[:, [2, 0, 1]]).as_matrix()
    for side, sign in (("L", 1.0), ("R", -1.0)):
        thigh = curves(0.4) + [0.0, -0.4, 0.1 * sign]
        relative[:, at(side + "Knee")] = Rotation.from_euler("ZXY", thigh).as_matrix()
        knee = 1.05 + curves(0.5)[:, 0]
        relative[:, at(side + "Ankle")] = Rotation.from_euler("x", knee[:, None]).as_matrix()
        arm = curves(0.4) + [-0.4 * sign, 0.0, 0.6 * sign]
        relative[:, at(side + "Elbow")] = Rotation.from_euler("ZXY", arm).as_matrix()
        elbow = 1.05 + curves(0.5)[:, 0]
        relative[:, at(side + "Wrist")] = Rotation.from_euler("z", -sign * elbow[:, None]).as_matrix()
    rotations = absolute_rotations(relative, H36M_17.parents)
    root_m = np.concatenate([time, 0.5 * time, 0.95 + 0.0 * time], axis=1)
    return forward_kinematics(rotations, rest_offsets(LENGTHS_M), root_m, H36M_17.parents), rotations


def times_s(frames: int, fps: float = 25.0) -> np.ndarray:
    return np.arange(frames) / fps


def turn_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle [...] of the one rotation that leads from the first to the second, matrices [..., 3, 3] that broadcast."""
    between = np.swapaxes(first, -1, -2) @ second
    return np.degrees(Rotation.from_matrix(between.reshape(-1, 3, 3)).magnitude()).reshape(between.shape[:-2])
