"""BVH of everybody in two real recordings, as a reader of other people plays it."""

import numpy as np
import pytest
from pymotion.io.bvh import BVH
from pymotion.ops.skeleton import fk
from rigid_people import turn_deg
from shared_data import shared_path

import hyperlift
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.rotations import shortest_rotation
from hyperlift.motion.formats.node_tree import joints_y_up_m
from hyperlift.skeletons.joint_sets import H36M_17

pytestmark = pytest.mark.shared


@pytest.mark.parametrize("name", ["sports2d_demo", "multiperson_cam01"])
def test_every_frame_is_ours_and_no_bone_spins(tmp_path, name):
    keypoints = shared_path(f"data/wild/{name}.alphapose.json")
    video = shared_path(f"data/wild/{name}.mp4")
    lifter = hyperlift.Lifter("small", threads=1)
    motion = lifter.lift(keypoints, video=video, options=hyperlift.LiftOptions(flip=False, rigid=True))
    paths = motion.save(tmp_path / "body.bvh")
    assert len(paths) == len(motion.people) == 3
    for path, person in zip(paths, motion.people, strict=True):
        file = BVH()
        file.load(str(path))
        rotations, positions, parents, offsets, *_ = file.get_data()
        places, turned = fk(rotations, positions[:, 0], offsets, parents)
        names = list(file.data["names"])
        read_m = places[:, [names.index(joint) for joint in H36M_17.joints]] / 100.0
        # Everybody's file begins with the recording; who enters later stands still until then.
        held = round(person.time_s[0] / np.diff(person.time_s).mean())
        assert len(read_m) == held + len(person.time_s)
        assert np.ptp(read_m[: held + 1], axis=0).max() < 1e-6
        read_m, turned = read_m[held:], turned[held:]
        away_mm = 1000 * np.linalg.norm(read_m - joints_y_up_m(motion.fits[person.id]), axis=-1)
        assert away_mm.max() < 1.0
        assert np.ptp(bone_lengths(read_m, H36M_17), axis=0).max() < 1e-3
        for node, parent in enumerate(parents):
            children = [c for c in range(1, len(names)) if parents[c] == node and np.linalg.norm(offsets[c]) > 1.0]
            if node and len(children) == 1:
                local = np.swapaxes(turned[:, parent], -1, -2) @ turned[:, node]
                along = local @ offsets[children[0]]
                turn = local[1:] @ np.swapaxes(local[:-1], -1, -2)
                assert turn_deg(shortest_rotation(along[:-1], along[1:]), turn).max() < 30.0, names[node]
