"""Detection from pixels: speed, agreement with keypoints made by another program, and what a score is worth.

python benchmarks/detection.py --data FOLDER, which holds NAME.mp4 with NAME.alphapose.json beside it
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.detection import DETECTORS, detect_video, make_detector
from hyperlift.detection.following import SEEN_SCORE, square_around
from hyperlift.detection.movenet_networks import MultiPose, SinglePose, Square
from hyperlift.skeletons import COCO_17
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.wild.formats import read_keypoints
from hyperlift.wild.keypoints import Detection, Detections

REPETITIONS = 15
MIRROR_EVERY = 10
"""Frames from one mirrored picture to the next."""
NEAR = 0.02
"""Body sizes within which two looks agree."""


def cpu_seconds(call: Callable[[], object]) -> float:
    """Median over repetitions; processor time, which other programs on the machine disturb least."""
    call()
    taken = []
    for _ in range(REPETITIONS):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return float(np.median(taken))


def network_rows(picture: np.ndarray) -> list[str]:
    height, width = picture.shape[:2]
    square = Square(width / 4, height / 4, min(height, width) / 2)
    calls: dict[str, Callable[[], object]] = {}
    for side in (256, 384, 512):
        finder = MultiPose(side, threads=1)
        calls[f"MultiPose, long side {side}"] = lambda finder=finder: finder(picture)
    for name in ("thunder", "lightning"):
        follower = SinglePose(name, threads=1)
        calls[name.capitalize()] = lambda follower=follower: follower(picture, square)
    return [f"| {what} | {1000 * cpu_seconds(call):.1f} |" for what, call in calls.items()]


def body_size(person: Detection) -> float:
    seen = person.keypoints_px[:, 2] >= SEEN_SCORE
    return float(np.linalg.norm(np.ptp(person.keypoints_px[seen, :2], axis=0)))


def distances(ours: Detections, theirs: Detections) -> tuple[list[float], list[float], int, int]:
    """Per person and frame of ``theirs``: median joint distance to the nearest of ours in pixels and in body sizes;
    how many of theirs we lack, and how many of ours they lack."""
    in_pixels, in_bodies, missed, extra = [], [], 0, 0
    for frame, people in ours.frames.items():
        free = list(people)
        for other in theirs.frames.get(frame, []):
            seen = other.keypoints_px[:, 2] >= SEEN_SCORE
            gaps = [
                float(np.median(np.linalg.norm((own.keypoints_px - other.keypoints_px)[seen, :2], axis=1)))
                for own in free
            ]
            if gaps and min(gaps) < 0.25 * body_size(other):
                free.pop(int(np.argmin(gaps)))
                in_pixels.append(min(gaps))
                in_bodies.append(min(gaps) / body_size(other))
            else:
                missed += 1
        extra += len(free)
    return in_pixels, in_bodies, missed, extra


def video_rows(path: Path, theirs: Detections, detector_name: str) -> str:
    facts = video_facts(path)
    detector = make_detector(detector_name, fps=facts.fps, threads=1)
    decode_started = time.process_time()
    pictures = sum(1 for _ in read_frames(path))
    decode_s = time.process_time() - decode_started
    started = time.process_time()
    ours = detect_video(read_frames(path), detector)
    detect_s = time.process_time() - started - decode_s
    in_pixels, in_bodies, missed, extra = distances(ours, theirs)
    people = sum(map(len, ours.frames.values()))
    ids = {person.track_id for found in ours.frames.values() for person in found}
    near, far = np.median(in_bodies), np.quantile(in_bodies, 0.9)
    return (
        f"| {path.stem} | {detector_name} | {people / pictures:.1f} | {1000 * detect_s / pictures:.0f} | "
        f"{np.median(in_pixels):.1f} | {100 * near:.2f} % | {100 * far:.2f} % | "
        f"{missed} | {extra} | {len(ids)} |"
    )


def mirrored_looks(path: Path, theirs: Detections, network: SinglePose) -> Iterator[tuple[float, float]]:
    """(score, distance in body sizes) of each joint between a look at a person and a look at the mirrored picture."""
    for frame in read_frames(path):
        if frame.index % MIRROR_EVERY:
            continue
        width = frame.rgb.shape[1]
        mirrored = np.ascontiguousarray(frame.rgb[:, ::-1])
        for person in theirs.frames.get(frame.index, []):
            square = square_around(person.keypoints_px)
            one = network(frame.rgb, square)
            other = network(mirrored, Square(width - square.left_px - square.side_px, square.top_px, square.side_px))
            other = other[COCO_17.mirror] * [-1, 1, 1] + [width, 0, 0]
            apart = np.linalg.norm((one - other)[:, :2], axis=1) / body_size(person)
            yield from zip(np.minimum(one[:, 2], other[:, 2]).tolist(), apart.tolist(), strict=True)


def score_rows(videos: list[tuple[Path, Detections]]) -> list[str]:
    columns = []
    for name in ("thunder", "lightning"):
        network = SinglePose(name, threads=1)
        looks = np.array([look for path, theirs in videos for look in mirrored_looks(path, theirs, network)])
        columns.append(looks)
    rows = []
    for low in np.arange(0.1, 0.9, 0.1):
        cells = []
        for looks in columns:
            inside = (looks[:, 0] >= low) & (looks[:, 0] < low + 0.1)
            cells += [f"{100 * (looks[inside, 1] < NEAR).mean():.0f} % of {inside.sum()}" if inside.sum() > 20 else "–"]
        rows.append(f"| {low:.1f}–{low + 0.1:.1f} | {cells[0]} | {cells[1]} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of videos with keypoints beside them")
    folder = parser.parse_args().data
    videos = [(path, read_keypoints(path.with_suffix(".alphapose.json"))) for path in sorted(folder.glob("*.mp4"))]
    first = next(iter(read_frames(videos[0][0]))).rgb
    lines = [
        "| network, one thread, with its preprocessing | CPU ms a picture |",
        "|---|---|",
        *network_rows(first),
        "",
        "| video | detector | people a frame | CPU ms a frame | median px | median | 90th percentile | missed | extra "
        "| ids |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(video_rows(path, theirs, name) for path, theirs in videos for name in DETECTORS if name != "rtmlib"),
        "",
        "| score | Thunder | Lightning |",
        "|---|---|---|",
        *score_rows(videos),
        "",
        f"`python benchmarks/detection.py --data FOLDER` on {machine()}",
    ]
    text = "\n".join(lines)
    print(text)
    write_section("detection", text)


if __name__ == "__main__":
    main()
