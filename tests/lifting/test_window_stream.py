import numpy as np
import pytest
from wild_people import HEIGHT, WIDTH, standing, walker, walker_norm

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.lifting.open_streams import open_stream
from hyperlift.lifting.streams import LiftStream
from hyperlift.lifting.window_stream import WindowStreams
from hyperlift.runtime.loading import load_lifter
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m

SPEC = LifterSpec(name="test", fps=25.0, n_frames=27)


class Remembering:
    """The picture itself with depth 0; keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, pose2d_norm: np.ndarray) -> np.ndarray:
        self.asked.append(pose2d_norm)
        return pose2d_norm * np.array([1, 1, 0], np.float32)


def stream(predict=None, fps: float = 25.0, lookahead: int = 4, **settings) -> LiftStream:
    settings = {"skeleton": COCO_17, **settings}
    return open_stream(predict or Remembering(), SPEC, WIDTH, HEIGHT, fps, lookahead, **settings)


@pytest.mark.parametrize("fps", [12.5, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("lookahead", [0, 1, 4, 13])
def test_every_frame_comes_back_once_in_order_and_in_place(fps: float, lookahead: int):
    live = stream(fps=fps, lookahead=lookahead)
    poses = []
    for frame in range(40):
        pose = live.push(walker(frame / fps))
        assert (pose is None) == (frame < lookahead)
        poses += [pose] if pose is not None else []
    poses += live.flush()
    assert [pose.index for pose in poses] == list(range(40))
    for pose in poses:
        assert pose.time_s == pytest.approx(pose.index / fps)
        np.testing.assert_allclose(pose.pose_norm[:, :2], walker_norm(pose.time_s), atol=1e-5)
        assert pose.valid.all()


def test_the_model_sees_its_own_rate_and_no_more_than_its_window():
    generator = np.random.default_rng(0)
    times_s = np.cumsum(generator.uniform(1 / 90, 1 / 20, 100))
    predict = Remembering()
    live = stream(predict, fps=40.0, lookahead=6)
    for now in times_s:
        live.push(walker(now), float(now))
    assert len(predict.asked) == 100 - 6
    for clips in predict.asked:
        assert clips.shape[1] <= SPEC.n_frames
        if clips.shape[1] > 1:  # 60 px a second are 60 / 320 in normalised units
            np.testing.assert_allclose(np.diff(clips[0, :, 0, 0]), 60 / 320 / 25, atol=1e-4)
    assert predict.asked[-1].shape[1] == SPEC.n_frames


def test_an_endless_stream_needs_bounded_memory():
    live = stream(lookahead=3)
    sizes = []
    for _frame in range(300):
        live.push(walker(0.0))
        inner = live._streams
        sizes.append(len(inner._seen.times_s) + len(inner._seen.people[0]) + len(live._times_s))
    assert max(sizes) <= max(sizes[:150]) + 6  # rounding of the time stamps


def test_short_absence_is_bridged_long_absence_starts_anew():
    predict = Remembering()
    live = stream(predict, lookahead=5)
    poses = []
    for frame in range(150):
        absent = 30 <= frame < 34 or 60 <= frame < 100
        pose = live.push(None if absent else walker(frame / 25))
        poses += [pose] if pose else []
    poses += live.flush()
    assert [pose.index for pose in poses] == list(range(150))
    seen = np.array([pose.valid.all() for pose in poses])
    there = np.array([np.isfinite(pose.pose_norm).all() for pose in poses])
    # Four frames between sightings are valid: the one after them had come. Of forty, those up to a second after the
    # last sighting may be held; as soon as it is known that the gap is long, there is nobody.
    np.testing.assert_array_equal(seen, [not 60 <= frame < 100 for frame in range(150)])
    assert there[:60].all()
    assert not there[85:100].any()
    assert there[100:].all()
    np.testing.assert_allclose(poses[32].pose_norm[:, :2], walker_norm(32 / 25), atol=1e-5)
    # Behind the long gap the window holds what came after it alone.
    x = [clips[0, :, 0, 0] for clips in predict.asked[-50:]]
    assert min(path.min() for path in x) >= walker_norm(100 / 25)[0, 0] - 1e-5


def test_without_lookahead_a_missing_joint_is_held_and_not_valid():
    live = stream(lookahead=0)
    wrist = H36M_17.index("LWrist")
    for frame in range(20):
        keypoints = walker(frame / 25)
        if frame >= 10:
            keypoints[COCO_17.index("LWrist")] = [0, 0, 0]
        pose = live.push(keypoints)
        assert pose is not None
        assert bool(pose.valid[wrist]) == (frame < 10)
        assert np.delete(pose.valid, wrist).all()
    np.testing.assert_allclose(pose.pose_norm[wrist, 0], walker_norm(9 / 25)[wrist, 0], atol=1e-5)


def test_nobody_yet():
    live = stream(lookahead=1)
    assert live.push(None) is None
    pose = live.push(None)
    assert pose is not None
    assert np.isnan(pose.pose_norm).all()
    assert not pose.valid.any()


def test_several_people_share_one_call_and_keep_apart():
    predict = Remembering()
    streams = WindowStreams(predict, SPEC, WIDTH, HEIGHT, 25.0, 2, skeleton=BODY_25)
    everybody = []
    for frame in range(80):
        people = {number: standing(BODY_25, 100.0 * number + frame) for number in (1, 2, 5)}
        if frame >= 40:
            people[5] = None
        everybody.append(streams.push(people))
    everybody += streams.flush()
    assert [sorted(people) for people in everybody[:2]] == [[], []]
    for frame, people in enumerate(everybody[2:]):
        assert {1, 2} <= set(people)
        for number, pose in people.items():
            assert pose.index == frame
            if frame < 40 or number != 5:
                truth_px = to_h36m(standing(BODY_25, 100.0 * number + frame), BODY_25)[:, :2]
                truth = normalise_points(truth_px, float(WIDTH), float(HEIGHT))
                np.testing.assert_allclose(pose.pose_norm[:, :2], truth, atol=1e-5)
    assert 5 in everybody[41]
    assert 5 not in everybody[-1]
    assert all(len(clips) in (2, 3) for clips in predict.asked if clips.shape[1] < 27)
    assert len(predict.asked) == 80


def test_depth_from_the_first_frame_goes_on_across_windows():
    """An absolute lifter, whose depth starts at 0 in each window: somebody walks away from the camera."""
    spec = LifterSpec(name="test", fps=25.0, n_frames=9, rootrel=False)

    def deep(pose2d_norm: np.ndarray) -> np.ndarray:
        pose = pose2d_norm.copy()
        pose[..., 2] = pose[..., :1, 0] - pose[:, :1, :1, 0]
        return pose

    live = open_stream(deep, spec, WIDTH, HEIGHT, 25.0, 2, skeleton=COCO_17)
    poses = [live.push(walker(frame / 25)) for frame in range(60)]
    depth = [pose.pose_norm[0, 2] for pose in poses if pose is not None]
    np.testing.assert_allclose(np.diff(depth), 60 / 320 / 25, atol=1e-5)


def test_with_full_lookahead_it_is_the_lifter_on_the_centred_window():
    lifter = load_lifter(threads=1)
    frames, middle = lifter.spec.n_frames, lifter.spec.n_frames // 2
    generator = np.random.default_rng(0)
    clip = np.stack([to_h36m(walker(f / 25), COCO_17) for f in range(frames)])
    clip[..., :2] += generator.normal(0, 2, clip[..., :2].shape)
    live = open_stream(lifter, lifter.spec, WIDTH, HEIGHT, 25.0, middle, blended=0)
    for keypoints in clip[:-1]:
        live.push(keypoints)
    pose = live.push(clip[-1])
    assert pose is not None
    assert pose.index == middle
    window = np.concatenate([normalise_points(clip[..., :2], float(WIDTH), float(HEIGHT)), clip[..., 2:]], -1)
    np.testing.assert_allclose(pose.pose_norm, lifter(window[None].astype(np.float32))[0, middle], atol=1e-5)


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_windows_are_blended_with_fading_weights(fps: float):
    """Each window says its own number for everything: the mean over those that reach the frame comes out."""
    calls = iter(range(1000))

    def counting(pose2d_norm: np.ndarray) -> np.ndarray:
        return np.full_like(pose2d_norm, next(calls))

    live = stream(counting, fps=fps, lookahead=2)
    poses = [live.push(walker(frame / fps)) for frame in range(30)]
    # The windows of now and of one and two frames ago reach the frame asked for.
    for frame in range(15, 30):
        newest = frame - 2
        pose = poses[frame]
        assert pose is not None
        steps = np.arange(3) * 25.0 / fps
        weights = 0.8**steps
        expected = (weights * (newest - np.arange(3))).sum() / weights.sum()
        np.testing.assert_allclose(pose.pose_norm, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lookahead": 27}, "lookahead is 27; windows of 27 frames at 25 a second allow 0 to 26 at 25"),
        ({"lookahead": -1}, "lookahead is -1"),
        ({"context": 28}, "takes 1 to 27 frames"),
        ({"fps": 0.0}, "frame rate is 0"),
        ({"min_confidence": 1.0}, "min_confidence is 1"),
    ],
)
def test_impossible_settings(settings: dict, message: str):
    with pytest.raises(InputError, match=message):
        stream(**settings)


def test_impossible_frames():
    live = stream()
    with pytest.raises(InputError, match=r"shape \[25, 3\]; expected \[17, 3\]"):
        live.push(standing(BODY_25, 100.0))
    live.push(walker(0.0), 1.0)
    for time_s in (1.0, 0.5, float("nan")):
        with pytest.raises(InputError, match="time must ascend"):
            live.push(walker(0.0), time_s)
    assert live.push(walker(0.0), 1.1) is None
