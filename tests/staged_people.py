"""People who stand still, and what the stage makes of them."""

from collections.abc import Sequence

import numpy as np

from hyperlift.body.person import Person
from hyperlift.rendering.staging import stage_people
from hyperlift.skeletons.joint_sets import H36M_17


def person(number: int, first: int, last: int, x_px: float | int, scale: float = 1.0) -> Person:
    """Stands still: every joint on a line of its own, the ankles lowest (camera axes: y down)."""
    frame = np.arange(first, last + 1)
    pose = np.zeros((len(frame), len(H36M_17), 3))
    pose[..., 1] = np.linspace(0, -0.8, len(H36M_17))
    pose[:, H36M_17.indices(["RAnkle", "LAnkle"]), 1] = 0.9
    pose[:, H36M_17.index("RWrist"), 0] = -0.5
    keypoints = np.full((len(frame), len(H36M_17), 3), float(x_px))
    return Person.of(
        id=number,
        frame=frame,
        time_s=frame / 30,
        pose_norm=pose * scale,
        valid=np.ones(pose.shape[:2], bool),
        keypoints_px=keypoints,
    )


def staged(*people: Person) -> Sequence[Person]:
    return stage_people(people, H36M_17).people
