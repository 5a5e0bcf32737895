"""People for the tests of the viewer: walkers whose joints, gaps and times are known."""

import numpy as np
from placed_people import STANDING_M

from hyperlift.body.person import Person
from hyperlift.skeletons.joint_sets import H36M_17

META = {"skeleton": "h36m17", "fps": 30.0, "source": "walkers </script> {{data}}.json"}


def walker(number: int, frames: int, seed: int = 0, first: int = 0, fps: float = 30.0) -> Person:
    """Somebody who walks in a circle, knees and arms swinging, with a millimetre of noise.

    Uneven times, a joint that is never there, and a stretch that is not valid.
    """
    generator = np.random.default_rng(seed + number)
    frame = np.arange(first, first + frames)
    time_s = frame / fps + generator.uniform(0, 0.3 / fps, frames)
    angle = 0.25 * time_s + number
    cos, sin = np.cos(angle), np.sin(angle)
    local = np.repeat(STANDING_M[None], frames, axis=0)
    swing = 0.25 * np.sin(6.0 * time_s)
    for joint, share in (("RAnkle", 1.0), ("RKnee", 0.5), ("LAnkle", -1.0), ("LKnee", -0.5), ("RWrist", -0.8)):
        local[:, H36M_17.index(joint), 1] += share * swing
    x = local[..., 0] * cos[:, None] - local[..., 1] * sin[:, None]
    y = local[..., 0] * sin[:, None] + local[..., 1] * cos[:, None]
    world_m = np.stack([x, y, local[..., 2]], -1)
    world_m[..., :2] += (2 + number) * np.stack([cos, sin], -1)[:, None]
    world_m += generator.normal(0, 1e-3, world_m.shape)
    world_m[: frames // 4, H36M_17.index("LWrist")] = np.nan
    valid = np.isfinite(world_m).all(-1)
    valid[frames // 2 : frames // 2 + frames // 10] = False
    return Person.of(
        id=number,
        frame=frame,
        time_s=time_s,
        pose_norm=np.zeros((frames, 17, 3), np.float32),
        valid=valid,
        world_m=world_m,
    )
