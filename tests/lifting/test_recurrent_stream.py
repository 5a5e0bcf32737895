from collections import deque

import numpy as np
import pytest
from tiny_stream import LOOK_AHEAD, lifted_whole, tiny_stream
from wild_people import HEIGHT, WIDTH, standing, walker, walker_norm

from hyperlift.contract import LifterSpec, StreamSpec
from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.lifting.open_streams import open_stream, open_streams
from hyperlift.lifting.recurrent_stream import RecurrentStreams, least_lookahead
from hyperlift.lifting.streams import LiftStream
from hyperlift.runtime.stream import OnnxStream
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m


class Delayed:
    """A streaming lifter that gives the picture itself, with the confidence for depth, ``look_ahead`` frames late."""

    spec = LifterSpec(name="test", fps=25.0, n_frames=81)
    stream = StreamSpec(look_ahead=4, look_back=10)

    def __init__(self):
        self.people: dict[int, deque] = {}

    def fork(self) -> "Delayed":
        return Delayed()

    def push(self, people):
        self.people = {n: self.people.get(n, deque(maxlen=5)) for n in people}
        for n, pose in people.items():
            self.people[n].append(pose)
        return {n: past[0] for n, past in self.people.items() if len(past) == 5}


def stream(fps: float = 25.0, lookahead: int | None = None) -> LiftStream:
    lookahead = least_lookahead(Delayed.stream, Delayed.spec, fps) if lookahead is None else lookahead
    return open_stream(Delayed(), Delayed.spec, WIDTH, HEIGHT, fps, lookahead, skeleton=COCO_17)


@pytest.mark.parametrize(("fps", "least"), [(25.0, 4), (12.5, 3), (30.0, 6), (50.0, 10), (29.97, 6)])
def test_the_shortest_wait(fps, least):
    """Equal rates: the lifter's own; else time for one frame of the lifter more."""
    assert least_lookahead(Delayed.stream, Delayed.spec, fps) == least
    with pytest.raises(
        InputError, match=f"lookahead is {least - 1}; .* 4 frames at 25 a second, .* {least} at {fps:g}"
    ):
        stream(fps, least - 1)


@pytest.mark.parametrize("fps", [12.5, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("more", [0, 5])
def test_every_frame_comes_back_once_in_order_and_in_place(fps: float, more: int):
    lookahead = least_lookahead(Delayed.stream, Delayed.spec, fps) + more
    live = stream(fps, lookahead)
    poses = []
    for frame in range(40):
        pose = live.push(walker(frame / fps))
        assert (pose is None) == (frame < lookahead)
        poses += [pose] if pose is not None else []
    calm = len(poses)
    poses += live.flush()
    assert [pose.index for pose in poses] == list(range(40))
    for pose in poses:
        assert pose.time_s == pytest.approx(pose.index / fps)
        # In the end everybody is taken to have stopped, up to a frame of the lifter earlier than they did.
        tolerance = 1e-5 if pose.index < calm else 60 / 320 / 25
        np.testing.assert_allclose(pose.pose_norm[:, :2], walker_norm(pose.time_s), atol=tolerance)
        assert pose.valid.all()


def test_uneven_times():
    generator = np.random.default_rng(0)
    times_s = np.cumsum(generator.uniform(1 / 45, 1 / 35, 120))
    live = stream(40.0, 10)
    poses = [pose for pose in [live.push(walker(now), float(now)) for now in times_s] if pose is not None]
    for pose in poses:
        assert pose.time_s == times_s[pose.index]
        np.testing.assert_allclose(pose.pose_norm[:, :2], walker_norm(pose.time_s), atol=1e-5)


def test_short_absence_is_held_long_absence_starts_anew():
    live, poses = stream(), []
    for frame in range(150):
        absent = 30 <= frame < 34 or 60 <= frame < 100
        pose = live.push(None if absent else walker(frame / 25))
        poses += [pose] if pose else []
    poses += live.flush()
    assert [pose.index for pose in poses] == list(range(150))
    seen = np.array([pose.valid.all() for pose in poses])
    there = np.array([np.isfinite(pose.pose_norm).all() for pose in poses])
    np.testing.assert_array_equal(seen, [not 60 <= frame < 100 for frame in range(150)])
    assert there[:85].all()
    assert not there[86:100].any()
    assert there[100:].all()
    # The lifter could not know that they would be seen again: they stood, and were not sure.
    np.testing.assert_allclose(poses[32].pose_norm[:, :2], walker_norm(29 / 25), atol=1e-5)
    assert (poses[32].pose_norm[:, 2] == 0).all()
    # What is placed in space is the straight line between the sightings.
    between_px = to_h36m(walker(32 / 25), COCO_17)[:, :2]
    np.testing.assert_allclose(poses[32].keypoints_px[:, :2], between_px, atol=1e-6)
    # Whoever comes back does so without a memory of the place they left.
    np.testing.assert_allclose(poses[100].pose_norm[:, :2], walker_norm(100 / 25), atol=1e-5)


def test_a_missing_joint_is_held_and_not_valid_until_it_is_seen_again():
    live, poses = stream(), []
    wrist = H36M_17.index("LWrist")
    for frame in range(30):
        keypoints = walker(frame / 25)
        if 10 <= frame < 20:
            keypoints[COCO_17.index("LWrist")] = [0, 0, 0]
        pose = live.push(keypoints)
        poses += [pose] if pose else []
    for pose in poses:
        # Four frames ahead it is known whether the joint comes back.
        assert bool(pose.valid[wrist]) == (not 10 <= pose.index < 16)
        assert np.delete(pose.valid, wrist).all()
        held = min(pose.index, 9) if pose.index < 20 else pose.index
        np.testing.assert_allclose(pose.pose_norm[wrist, :2], walker_norm(held / 25)[wrist], atol=1e-5)
        assert (pose.pose_norm[wrist, 2] == 0) == (10 <= pose.index < 20)


def test_several_people_keep_apart():
    streams = open_streams(Delayed(), Delayed.spec, WIDTH, HEIGHT, 25.0, 4, skeleton=BODY_25)
    assert isinstance(streams, RecurrentStreams)
    everybody = []
    for frame in range(80):
        people = {n: standing(BODY_25, 100.0 * n + frame) for n in (1, 2, 5) if n != 5 or 10 <= frame < 40}
        everybody.append(streams.push(people))
    everybody += streams.flush()
    assert [sorted(people) for people in everybody[:4]] == [[]] * 4
    for frame, people in enumerate(everybody[4:]):
        assert set(people) == ({1, 2, 5} if 10 <= frame <= 64 else {1, 2})
        for n, pose in people.items():
            assert pose.index == frame
            if n != 5 or frame < 40:
                truth_px = to_h36m(standing(BODY_25, 100.0 * n + frame), BODY_25)[:, :2]
                truth = normalise_points(truth_px, float(WIDTH), float(HEIGHT))
                np.testing.assert_allclose(pose.pose_norm[:, :2], truth, atol=1e-5)


def test_a_camera_that_stalls_starts_everybody_anew():
    live = stream()
    for frame in range(20):
        live.push(walker(frame / 25))
    poses = [live.push(walker(5 + frame / 25), 5 + frame / 25) for frame in range(20)]
    late = [pose for pose in poses if pose is not None and pose.time_s >= 5]
    assert len(late) == 16
    for pose in late:
        np.testing.assert_allclose(pose.pose_norm[:, :2], walker_norm(pose.time_s), atol=1e-5)


def test_an_endless_stream_needs_bounded_memory():
    live, sizes = stream(30.0), []
    for _frame in range(400):
        live.push(walker(0.0))
        inner = live._streams
        (tracklet,) = inner._tracklets[0]
        seen = inner._seen
        sizes.append(len(seen.times_s) + len(seen.people[0]) + len(tracklet.poses) + len(live._times_s))
    assert max(sizes) <= max(sizes[:200]) + 6  # rounding of the time stamps


def test_with_a_network_it_is_the_whole_clip_at_once():
    model, path = tiny_stream()
    lifter = OnnxStream(path, str(path), threads=1)
    generator = np.random.default_rng(0)
    clip = np.stack([to_h36m(walker(f / 25), COCO_17) for f in range(30)])
    clip[..., :2] += generator.normal(0, 2, clip[..., :2].shape)
    live = open_stream(lifter, lifter.spec, WIDTH, HEIGHT, 25.0, LOOK_AHEAD)
    poses = [pose for pose in [live.push(keypoints) for keypoints in clip] if pose] + live.flush()
    norm = np.concatenate([normalise_points(clip[..., :2], float(WIDTH), float(HEIGHT)), clip[..., 2:]], -1)
    whole = lifted_whole(model, norm.astype(np.float32))
    np.testing.assert_allclose(np.stack([pose.pose_norm for pose in poses]), whole, atol=1e-4)
