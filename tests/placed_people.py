"""Synthetic people with known places: a body of exactly the reference size that walks through a world seen by a
camera."""

from dataclasses import dataclass

import numpy as np

from hyperlift.body.person import LiftedTrack
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.skeletons.joint_sets import H36M_17

# Facing +y, left at -x, z up, metres above the floor.
_STANDING = {
    "Pelvis": (0, 0, 0.91),
    "RHip": (0.09, 0, 0.91),
    "RKnee": (0.10, 0.01, 0.51),
    "RAnkle": (0.10, -0.04, 0.077),
    "LHip": (-0.09, 0, 0.91),
    "LKnee": (-0.10, 0.01, 0.51),
    "LAnkle": (-0.10, -0.04, 0.077),
    "Spine": (0, -0.01, 1.145),
    "Thorax": (0, 0.0, 1.40),
    "Nose": (0, 0.06, 1.505),
    "Head": (0, 0.03, 1.65),
    "LShoulder": (-0.19, 0, 1.40),
    "LElbow": (-0.22, -0.02, 1.11),
    "LWrist": (-0.22, 0.06, 0.84),
    "RShoulder": (0.19, 0, 1.40),
    "RElbow": (0.22, -0.02, 1.11),
    "RWrist": (0.22, 0.06, 0.84),
}
STANDING_M = np.array([_STANDING[joint] for joint in H36M_17.joints], dtype=float)
FPS = 25.0


def person_walking(frames: int, start=(0.0, 0.0), velocity=(0.0, 0.0), heading: float = 0.0) -> np.ndarray:
    """World joints [T,17,3] of a body that glides along, heading turned counter-clockwise from +y by ``heading``."""
    cos, sin = np.cos(heading), np.sin(heading)
    turned = STANDING_M @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]])
    seconds = np.arange(frames)[:, None] / FPS
    place = np.array([*start, 0.0]) + seconds * np.array([*velocity, 0.0])
    return turned[None] + place[:, None]


def bone_sum(joints_m: np.ndarray) -> float:
    return float(np.median(bone_lengths(joints_m, H36M_17).sum(-1)))


@dataclass
class Seen:
    """What a camera sees of a person, and the truth."""

    track: LiftedTrack
    camera: Camera
    joints_m: np.ndarray

    @property
    def up(self) -> np.ndarray:
        return self.camera.R @ [0.0, 0.0, 1.0]


def camera_at(centre_m, target_m, roll_deg: float = 0.0, focal_px: float = 1100.0) -> Camera:
    centre, target = np.array(centre_m, float), np.array(target_m, float)
    return Camera(look_at(centre, target, np.radians(roll_deg)), centre, focal_px, 1280, 720)


def see(world_m: np.ndarray, camera: Camera, number: int = 0) -> Seen:
    """A perfect detector and a perfect lifter."""
    joints_m = camera.to_camera(world_m)
    keypoints_px = np.concatenate([project(joints_m, camera.K), np.ones((*joints_m.shape[:2], 1))], -1)
    pose = (joints_m - joints_m[:, :1]) * REFERENCE_BONE_SUM_M / bone_sum(joints_m)
    track = LiftedTrack(
        id=number,
        frame=np.arange(len(world_m)),
        time_s=np.arange(len(world_m)) / FPS,
        pose_norm=pose,
        valid=np.ones(joints_m.shape[:2], bool),
        bridged=np.zeros(joints_m.shape[:2], bool),
        keypoints_px=keypoints_px,
    )
    return Seen(track, camera, joints_m)
