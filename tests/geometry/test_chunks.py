"""What is done for a stretch of frames after the other comes out as if it were done at once, to the last bit."""

import numpy as np
import pytest
from wild_people import standing

from hyperlift.body.person import Person
from hyperlift.contract import LifterSpec
from hyperlift.geometry import chunks as stretches_module
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import lift_people, track_people
from hyperlift.placement.lens import fov_intrinsics
from hyperlift.placement.place import place_people
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.tracking import identity_repair

FRAMES = 150
SPEC = LifterSpec(
    name="flat", n_frames=27, fps=50.0, skeleton="h36m17", label_space="camera", rootrel=True, licence="x", credit="x"
)


def crossing() -> Detections:
    """Two people pass each other, with noise, gaps and missing joints."""
    rng = np.random.default_rng(3)
    frames = {}
    for frame in range(FRAMES):
        people = [standing(COCO_17, x) for x in (200.0 + 2 * frame, 500.0 - 2 * frame)]
        for keypoints in people:
            keypoints[:, :2] += rng.normal(0, 1.5, (17, 2))
            keypoints[rng.random(17) < 0.05] = [np.nan, np.nan, 0]
        frames[frame] = [Detection(keypoints) for keypoints in people if rng.random() < 0.95]
    return Detections(source="c", tool="t", skeleton=COCO_17, frames=frames)


def lifted(fps: float) -> list[Person]:
    def flat(pose2d_norm: np.ndarray) -> np.ndarray:
        depth = 0.1 * np.sin(np.arange(17.0))
        return np.concatenate([pose2d_norm[..., :2], np.broadcast_to(depth, pose2d_norm.shape[:-1])[..., None]], -1)

    detections = crossing()
    time_s = even_times(FRAMES, fps)
    people = lift_people(
        lambda clips: flat(clips).astype(np.float32), SPEC, track_people(detections, 700, 480, time_s), 700, 480, time_s
    )
    return place_people(people, SPEC, fov_intrinsics(60.0, 700, 480))[0]


@pytest.mark.parametrize("fps", [30.0, 32.0, 50.0])  # steps that differ in the last bit, equal steps, the model's rate
def test_a_recording_longer_than_a_stretch(monkeypatch, fps: float):
    whole = lifted(fps)
    monkeypatch.setattr(stretches_module, "CHUNK_FRAMES", 16)
    monkeypatch.setattr(identity_repair, "CHUNK_FRAMES", 16)
    assert [len(range(*s.indices(40))) for s in frame_chunks(40)] == [16, 16, 8]
    parts = lifted(fps)
    assert len(whole) == len(parts) == 2
    for one, other in zip(whole, parts, strict=True):
        for name in (
            "frame",
            "pose_norm",
            "valid",
            "keypoints_px",
            "joints_m",
            "world_m",
            "root_std_m",
            "reprojection_px",
        ):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_no_frame_has_no_stretch():
    assert list(frame_chunks(0)) == []
