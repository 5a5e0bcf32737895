"""Real recordings pass without a word; each corruption of them gives its own warning and no other."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from shared_data import shared_path
from wild_people import standing

from hyperlift.keypoints.checks import check_keypoints
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.skeletons.skeleton import Skeleton


class Recording(NamedTuple):
    detections: Detections
    width: int
    height: int

    @property
    def skeleton(self) -> Skeleton:
        return self.detections.skeleton

    def check(self, scale: float = 1.0) -> list[str]:
        return check_keypoints(self.detections, round(scale * self.width), round(scale * self.height))

    def changed(self, change: Callable[[np.ndarray], np.ndarray], skeleton: Skeleton | None = None) -> "Recording":
        frames = {
            frame: [Detection(change(person.keypoints_px.copy()), person.track_id) for person in people]
            for frame, people in self.detections.frames.items()
        }
        detections = Detections(source="c", tool="t", skeleton=skeleton or self.skeleton, frames=frames)
        return Recording(detections, self.width, self.height)

    def swapped(self, *parts: str) -> "Recording":
        order = np.arange(len(self.skeleton))
        for part in parts:
            left, right = self.skeleton.indices([f"L{part}", f"R{part}"])
            order[[left, right]] = right, left
        return self.changed(lambda keypoints: keypoints[order])


@pytest.fixture(
    scope="module",
    params=[
        (f"{name}{suffix}", *size)
        for name, size in (("multiperson_cam01", (1088, 1920)), ("sports2d_demo", (1768, 994)))
        for suffix in (".alphapose.json", "_openpose")
    ],
    ids=lambda param: param[0],
)
def recording(request: pytest.FixtureRequest) -> Recording:
    name, width, height = request.param
    return Recording(read_keypoints(shared_path(f"data/wild/{name}")), width, height)


def only(warnings: list[str], part: str) -> bool:
    return len(warnings) == 1 and part in warnings[0]


def test_sound_keypoints(recording: Recording):
    assert recording.check() == []
    as_h36m = recording.changed(lambda keypoints: to_h36m(keypoints, recording.skeleton), H36M_17)
    assert as_h36m.check() == []


def test_sound_pieces_of_a_second(recording: Recording):
    """No false alarm about sides, joints or up and down on short pieces either, person by person."""
    frames = recording.detections.frames
    for first in range(0, max(frames), 30):
        everybody = [(f, p) for f, people in frames.items() if first <= f < first + 30 for p in people]
        for track in {person.track_id for _, person in everybody}:
            piece = {f: [p] for f, p in everybody if p.track_id == track}
            detections = Detections(source="p", tool="t", skeleton=recording.skeleton, frames=piece)
            warnings = check_keypoints(detections, recording.width, recording.height)
            assert [w for w in warnings if "upper left part" not in w] == []


@pytest.mark.parametrize(
    "parts",
    [
        ("Shoulder", "Elbow", "Wrist"),
        ("Hip", "Knee", "Ankle"),
        ("Eye", "Ear"),
        ("Elbow", "Wrist"),
        ("Knee", "Ankle"),
        ("Wrist",),
        ("Ankle",),
    ],
)
def test_sides_that_contradict_one_another(recording: Recording, parts: tuple[str, ...]):
    assert only(recording.swapped(*parts).check(), "left and right look exchanged between")


def test_all_sides_exchanged(recording: Recording):
    mirrored = recording.changed(lambda keypoints: keypoints[recording.skeleton.mirror])
    assert only(mirrored.check(), "exchanged throughout")
    # The picture mirrored, but not the names: the same fault.
    flipped = recording.changed(lambda keypoints: keypoints * [-1, 1, 1] + [recording.width, 0, 0])
    assert only(flipped.check(), "exchanged throughout")


def test_y_upward(recording: Recording):
    upward = recording.changed(lambda keypoints: keypoints * [1, -1, 1] + [0, recording.height, 0])
    assert only(upward.check(), "y seems to point up")


@pytest.mark.parametrize("unit_px", [1000.0, 300.0, 100.0])
def test_not_pixels(recording: Recording, unit_px: float):
    assert only(recording.changed(lambda keypoints: keypoints / [unit_px, unit_px, 1]).check(), "not look like pixels")


def test_another_picture_size(recording: Recording):
    assert only(recording.check(2.0), "upper left part of the picture")
    assert only(recording.check(0.75), "lie outside of the picture")


def test_another_joint_order(recording: Recording):
    shifted = recording.changed(lambda keypoints: np.roll(keypoints, 1, axis=0))
    assert only(shifted.check(), "the right joint order?")
    if recording.skeleton is COCO_17:
        assert only(recording.changed(lambda keypoints: keypoints, H36M_17).check(), "the right joint order?")
        h36m = recording.changed(lambda keypoints: to_h36m(keypoints, COCO_17), COCO_17)
        assert only(h36m.check(), "the right joint order?")


def test_a_point_that_never_moves(recording: Recording):
    def stick(keypoints: np.ndarray) -> np.ndarray:
        keypoints[recording.skeleton.index("LWrist")] = [400, 500, 0.9]
        return keypoints

    assert only(recording.changed(stick).check(), "LWrist: at exactly the same place")


def test_too_little_to_judge():
    people = {frame: [Detection(standing(COCO_17, 300.0 + frame)[:, :])] for frame in range(3)}
    assert check_keypoints(Detections(source="s", tool="t", skeleton=COCO_17, frames=people), 640, 480) == []
    empty = Detections(source="s", tool="t", skeleton=COCO_17, frames={0: []})
    assert check_keypoints(empty, 640, 480) == []
    unseen = {frame: [Detection(np.tile([np.nan, np.nan, 0.0], (17, 1)))] for frame in range(30)}
    assert check_keypoints(Detections(source="s", tool="t", skeleton=COCO_17, frames=unseen), 640, 480) == []
