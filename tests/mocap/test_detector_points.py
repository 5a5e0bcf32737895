import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.mocap.detector_points import DetectorFamily, coco_points, map_coco
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m

JOINTS = procedural_recordings(1, seconds=4.0, seed=1)[0].joints_m.astype(np.float64)


def place(joints, joint):
    return joints[..., H36M_17.index(joint), :]


def test_the_mapping_is_that_of_real_detections():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (5, 17, 3)) / [1, 1, 100]
    coco = np.zeros((5, 17, 3))
    for joint in COCO_17.joints:
        if joint in H36M_17.joints:
            coco[:, COCO_17.index(joint)] = place(points, joint)
    coco[:, COCO_17.indices(("LEar", "REar"))] = place(points, "Head")[:, None]
    assert np.allclose(map_coco(points), to_h36m(coco, COCO_17), atol=1e-9)


def test_offsets_are_centimetres_fixed_to_the_body():
    found = coco_points(JOINTS, 1.0, np.random.default_rng(3))
    for joint in ("LHip", "RHip", "LShoulder", "RWrist", "LAnkle", "Nose"):
        away = np.linalg.norm(place(found, joint) - place(JOINTS, joint), axis=-1)
        assert 0.001 < away.mean() < 0.15
        assert np.ptp(away) < 1e-6
    # A turned body carries its offsets along.
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = coco_points(JOINTS @ turn.T, 1.0, np.random.default_rng(3))
    assert np.allclose(turned, found @ turn.T, atol=1e-9)


def test_hips_are_wider_and_higher_and_the_nose_is_in_front_on_average():
    many = np.array([coco_points(JOINTS[:1], 1.0, np.random.default_rng(seed))[0] for seed in range(200)]).mean(0)
    still = JOINTS[0]
    assert place(many, "LHip")[2] > place(still, "LHip")[2] + 0.015
    width, wide = (np.linalg.norm(place(j, "LHip") - place(j, "RHip")) for j in (still, many))
    assert wide > width + 0.02
    left = place(still, "LShoulder") - place(still, "RShoulder")
    up = place(still, "Head") - place(still, "Thorax")
    forward = np.cross(left, up)
    assert (place(many, "Nose") - place(still, "Nose")) @ forward / np.linalg.norm(forward) > 0.03


def test_the_top_of_the_head_ends_near_the_recorded_one():
    points = coco_points(JOINTS, 1.0, np.random.default_rng(1))
    keypoints = np.concatenate([points[..., [0, 2]], np.ones((*points.shape[:2], 1))], axis=-1)
    away = np.linalg.norm(place(map_coco(keypoints), "Head")[:, :2] - place(JOINTS, "Head")[:, [0, 2]], axis=-1)
    assert away.mean() < 0.08


def test_a_negative_share_is_refused():
    with pytest.raises(InputError, match="share"):
        DetectorFamily(share=-1.0)
