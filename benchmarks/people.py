"""People for benchmarks that need somebody to draw or to follow: motions made by rule, and how a camera sees them."""

import numpy as np

from hyperlift.body.person import Person
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.skeletons.joint_sets import H36M_17


def walkers(count: int, frames: int, fps: float, camera: Camera) -> list[Person]:
    """Different people who walk about the middle of the floor, as placed people who are seen without error."""
    recordings = (recording for recording in procedural_recordings(5 * count, frames / fps, 0, fps))
    walking = [recording.joints_m.astype(np.float64) for recording in recordings if recording.group == "walk"]
    return [_seen(number, world_m, fps, camera) for number, world_m in enumerate(walking[:count])]


def camera_before(distance_m: float, width: int, height: int) -> Camera:
    """A level camera 1.2 m above the floor that looks at its middle."""
    centre_m = np.array([0.0, -distance_m, 1.2])
    return Camera(look_at(centre_m, np.array([0.0, 0.0, 1.2]), 0.0), centre_m, 0.86 * width, width, height)


def _seen(number: int, world_m: np.ndarray, fps: float, camera: Camera) -> Person:
    joints_m = camera.to_camera(world_m)
    sure = np.ones((*joints_m.shape[:2], 1))
    frame = np.arange(len(world_m))
    return Person.of(
        id=number,
        frame=frame,
        time_s=frame / fps,
        pose_norm=joints_m - joints_m[:, H36M_17.root, None],
        valid=np.ones(joints_m.shape[:2], bool),
        keypoints_px=np.concatenate([project(joints_m, camera.K), sure], axis=-1),
        joints_m=joints_m,
        world_m=world_m,
    )
