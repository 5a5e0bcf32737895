"""Detection from pixels: speed, agreement with keypoints made by another program, and what a score is worth.

python benchmarks/detection.py --data FOLDER, which holds NAME.mp4 with NAME.alphapose.json beside it
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
from runner import Repetitions, Report, run, table
from timing import Seconds, interleaved

from hyperlift.detection.detector import detect_video
from hyperlift.detection.movenet import SEEN_SCORE, square_around
from hyperlift.detection.movenet_networks import MultiPose, SinglePose, Square
from hyperlift.detection.registry import DETECTORS, make_detector
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.video.facts import Frame
from hyperlift.video.reading import read_frames, video_facts

MIRROR_EVERY = 10
"""Frames from one mirrored picture to the next."""
NEAR = 0.02
"""Body sizes within which two looks agree."""
FOLLOWERS = ("thunder", "lightning")


def frames_of(path: Path, most: int | None) -> Iterator[Frame]:
    """The first frames of a video."""
    return islice(read_frames(path), most)


def network_rows(picture: np.ndarray, repetitions: int) -> Iterator[tuple[str, float]]:
    height, width = picture.shape[:2]
    square = Square(width / 4, height / 4, min(height, width) / 2)
    calls: dict[str, Callable[[], object]] = {
        f"MultiPose, long side {side}": partial(MultiPose(side, threads=1), picture) for side in (256, 384, 512)
    }
    calls |= {name.capitalize(): partial(SinglePose(name, threads=1), picture, square) for name in FOLLOWERS}
    return ((name, 1e3 * spent.processor) for name, spent in interleaved(calls, repetitions).items())


def body_size(person: Detection) -> float:
    seen = person.keypoints_px[:, 2] >= SEEN_SCORE
    return float(np.linalg.norm(np.ptp(person.keypoints_px[seen, :2], axis=0)))


def distances(ours: Detections, theirs: Detections) -> tuple[np.ndarray, int, int]:
    """Per person and frame of ``theirs``: median joint distance to the nearest of ours in pixels and in body sizes;
    how many of theirs we lack, and how many of ours they lack."""
    found, missed, extra = [], 0, 0
    for frame, people in ours.frames.items():
        free = list(people)
        for other in theirs.frames.get(frame, []):
            seen = other.keypoints_px[:, 2] >= SEEN_SCORE
            apart = [np.linalg.norm((own.keypoints_px - other.keypoints_px)[seen, :2], axis=1) for own in free]
            gaps = [float(np.median(joints)) for joints in apart]
            if gaps and min(gaps) < 0.25 * body_size(other):
                free.pop(int(np.argmin(gaps)))
                found.append((min(gaps), min(gaps) / body_size(other)))
            else:
                missed += 1
        extra += len(free)
    return np.array(found).T, missed, extra


def video_row(path: Path, theirs: Detections, name: str, most: int | None) -> tuple:
    detector = make_detector(name, fps=video_facts(path).fps, threads=1)
    decoding, detecting = Seconds(), Seconds()
    with decoding.counted():
        pictures = sum(1 for _ in frames_of(path, most))
    with detecting.counted():
        ours = detect_video(frames_of(path, most), detector)
    (in_pixels, in_bodies), missed, extra = distances(ours, theirs)
    people = [person for found in ours.frames.values() for person in found]
    ms = 1e3 * (detecting.processor - decoding.processor) / pictures
    sizes = np.median(in_pixels), 100 * np.median(in_bodies), 100 * np.quantile(in_bodies, 0.9)
    return path.stem, name, len(people) / pictures, ms, *sizes, missed, extra, len({one.track_id for one in people})


def mirrored_looks(path: Path, theirs: Detections, network: SinglePose, most: int | None) -> Iterator[np.ndarray]:
    """(score, distance in body sizes) of each joint between a look at a person and a look at the mirrored picture."""
    for frame in frames_of(path, most):
        if frame.index % MIRROR_EVERY:
            continue
        width, mirrored = frame.rgb.shape[1], np.ascontiguousarray(frame.rgb[:, ::-1])
        for person in theirs.frames.get(frame.index, []):
            square = square_around(person.keypoints_px)
            one = network(frame.rgb, square)
            other = network(mirrored, Square(width - square.left_px - square.side_px, square.top_px, square.side_px))
            other = other[COCO_17.mirror] * [-1, 1, 1] + [width, 0, 0]
            apart = np.linalg.norm((one - other)[:, :2], axis=1) / body_size(person)
            yield np.stack([np.minimum(one[:, 2], other[:, 2]), apart], axis=-1)


def score_rows(videos: list[tuple[Path, Detections]], most: int | None) -> Iterator[list[str]]:
    networks = [SinglePose(name, threads=1) for name in FOLLOWERS]
    looks = [np.concatenate([look for v in videos for look in mirrored_looks(*v, net, most)]) for net in networks]
    for low in np.arange(0.1, 0.9, 0.1):
        row = [f"{low:.1f}–{low + 0.1:.1f}"]
        for score, apart in (look.T for look in looks):
            near = apart[(score >= low) & (score < low + 0.1)] < NEAR
            row.append(f"{100 * near.mean():.0f} % of {len(near)}" if len(near) > 20 else "–")
        yield row


def detection(
    *,
    data: Annotated[Path, "folder of videos with keypoints beside them"],
    frames: Annotated[int | None, "of each video at most"] = None,
    repetitions: Repetitions = 15,
) -> Report:
    videos = [(path, read_keypoints(path.with_suffix(".alphapose.json"))) for path in sorted(data.glob("*.mp4"))]
    picture = next(frames_of(videos[0][0], None)).rgb
    columns = ("network, one thread, with its preprocessing", "CPU ms a picture {:.1f}")
    yield table(columns, network_rows(picture, repetitions))
    columns = ("people a frame {:.1f}", "CPU ms a frame {:.0f}", "median px {:.1f}", "median {:.2f} %")
    own = [name for name in DETECTORS if name != "rtmlib"]
    yield table(
        ["video", "detector", *columns, "90th percentile {:.2f} %", "missed", "extra", "ids"],
        [video_row(*video, name, frames) for video in videos for name in own],
    )
    yield table(["score", *map(str.capitalize, FOLLOWERS)], score_rows(videos, frames))


if __name__ == "__main__":
    run(detection, repetitions=1, frames=10)
