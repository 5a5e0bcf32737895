import numpy as np
import pytest
from tiny_stream import LOOK_AHEAD, lifted_whole, stream_clips, tiny_stream

from hyperlift.errors import InputError
from hyperlift.runtime.loading import load_lifter
from hyperlift.runtime.session import OnnxLifter
from hyperlift.runtime.stream import OnnxStream

FRAMES = 40


@pytest.fixture(scope="module")
def lifter() -> OnnxStream:
    _, path = tiny_stream()
    return OnnxStream(path, str(path), threads=1)


def test_people_come_and_go_and_keep_apart(lifter):
    """Nine people, more than there is room for at first, each there for a while; one comes back and begins anew."""
    model, _ = tiny_stream()
    clips = stream_clips(9, FRAMES).numpy()
    there = {n: [(3 * n, FRAMES - n)] for n in range(9)}
    there[0] = [(0, 13), (16, FRAMES)]
    stream = lifter.fork()
    lifted: dict[tuple[int, int], list[np.ndarray]] = {}
    for frame in range(FRAMES):
        visits = {n: visit for n in range(9) for visit in there[n] if visit[0] <= frame < visit[1]}
        poses = stream.push({n: clips[n, frame] for n in visits})
        assert set(poses) == {n for n, (first, _) in visits.items() if frame - first >= LOOK_AHEAD}
        for n, pose in poses.items():
            lifted.setdefault((n, visits[n][0]), []).append(pose)
    assert len(lifted) == 10
    for (n, first), poses in lifted.items():
        last = next(end for start, end in there[n] if start == first)
        assert len(poses) == last - first - LOOK_AHEAD
        whole = lifted_whole(model, clips[n, first:last])
        np.testing.assert_allclose(np.stack(poses), whole[: len(poses)], atol=1e-4)


def test_what_is_waited_for_comes_when_somebody_leaves(lifter):
    model, _ = tiny_stream()
    clips = stream_clips(3, FRAMES).numpy()
    stream, poses = lifter.fork(), []
    for frame in range(20):
        poses += [pose[1] for pose in [stream.push({n: clips[n, frame] for n in range(3)})] if 1 in pose]
    poses += list(stream.finish(1))
    np.testing.assert_allclose(np.stack(poses), lifted_whole(model, clips[1, :20]), atol=1e-4)
    others = []
    for frame in range(20, FRAMES):  # the others go on as if nothing had happened
        others.append(stream.push({n: clips[n, frame] for n in (0, 2)})[2])
    np.testing.assert_allclose(others, lifted_whole(model, clips[2])[20 - LOOK_AHEAD : -LOOK_AHEAD], atol=1e-4)
    stream.push({7: clips[0, 0]})
    np.testing.assert_allclose(stream.finish(7), lifted_whole(model, clips[0, :1]), atol=1e-4)
    with pytest.raises(InputError, match="nobody of number 7"):
        stream.finish(7)
    assert stream.push({}) == {}


def test_it_lifts_whole_clips_as_every_lifter(lifter):
    model, path = tiny_stream()
    opened = load_lifter(path, threads=1)
    assert isinstance(opened, OnnxStream)
    assert opened.stream.look_ahead == LOOK_AHEAD
    clips = stream_clips(2, 25).numpy()
    lifter.reset()
    lifter.push({3: clips[0, 0]})
    lifted = opened(clips)
    for clip, poses in zip(clips, lifted, strict=True):
        np.testing.assert_allclose(poses, lifted_whole(model, clip), atol=1e-4)
    with pytest.raises(InputError, match="pose2d has the shape"):
        opened(clips[0])


def test_impossible_keypoints(lifter):
    stream = lifter.fork()
    with pytest.raises(InputError, match=r"keypoints of number 4 have the shape \[16, 3\]; expected \[17, 3\]"):
        stream.push({4: np.zeros((16, 3), np.float32)})
    with pytest.raises(InputError, match=r"keypoints of number 4 hold NaN .* confidence 0"):
        stream.push({4: np.full((17, 3), np.nan, np.float32)})


def test_files_of_another_kind():
    _, path = tiny_stream()
    with pytest.raises(InputError, match="expected one input"):
        OnnxLifter(path, "step")
    bundled = load_lifter(threads=1)
    with pytest.raises(InputError, match="does not lift frame by frame; export it with `stream`"):
        OnnxStream(bundled._model, "small")
