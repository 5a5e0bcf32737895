"""``hyperlift inspect``: what a file is recognised as, without lifting it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hyperlift.cli.app import say
from hyperlift.cli.lifting_commands import Inspect
from hyperlift.config.option import with_flags
from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frames_text
from hyperlift.keypoints.checks import check_keypoints
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.formats.source import Source
from hyperlift.keypoints.people_by_frame import NO_TRACK
from hyperlift.motion.motion import load_motion
from hyperlift.pipeline.recording_source import is_video
from hyperlift.video.facts import VideoFacts

_OFTEN = 0.1
"""Joints that are missing in more than this fraction of the detections are listed. Chosen: rarer gaps are normal."""


def main(options: Inspect) -> int:
    """Run the command; returns its exit code."""
    for name, value in _described(options):
        say(f"{name + ':':14} {with_flags(value, Inspect)}")
    return 0


def _described(options: Inspect) -> Iterator[tuple[str, str]]:
    file = options.file
    if not file.exists():
        raise InputError(f"{file}: no such file or folder; give a video, a keypoint file or folder, or a pose3d.npz")
    if is_video(file):
        yield from _video(_facts(file))
    elif "meta" in Source(file).arrays:
        motion = load_motion(file)
        yield "what", "3D poses that hyperlift lift wrote"
        yield "joints", f"{len(motion.skeleton)} of {motion.skeleton.name}"
        for line in motion.summary:
            yield "lifted", line
    else:
        facts = None if options.video is None else _facts(options.video)
        size = options.picture_size if facts is None else facts.size
        detections = read_keypoints(
            file, skeleton=options.skeleton, picture_size=size, format=options.format, recording=options.recording
        )
        yield from _keypoints(detections, size or detections.picture_size)


def _facts(video: Path) -> VideoFacts:
    from hyperlift.video.reading import video_facts  # PyAV is slow to import

    return video_facts(video, allow_truncated=True)


def _video(facts: VideoFacts) -> Iterator[tuple[str, str]]:
    yield "what", f"a video ({facts.codec})"
    turned = f"; stored pictures are turned by {facts.rotation_deg}° clockwise" if facts.rotation_deg else ""
    yield "picture", f"{facts.width}x{facts.height} pixels, upright{turned}"
    varying = ", varying" if facts.variable_rate else ""
    yield "frames", f"{facts.frames} in {facts.duration_s:.2f} s, {facts.fps:g} a second{varying}"


def _keypoints(detections: Detections, size: tuple[int, int] | None) -> Iterator[tuple[str, str]]:
    people = detections.people
    yield "what", f"2D keypoints of {detections.tool}"
    yield "joints", f"{len(detections.skeleton)} of {detections.skeleton.name}"
    a_frame = np.diff(people.start)
    with_people = int((a_frame > 0).sum())
    yield "frames", f"{frames_text(people.frame)}; people in {with_people} of the {len(people.frame)} in the file"
    if size is not None:
        yield "picture", f"{size[0]}x{size[1]} pixels"
    if len(people.keypoints_px):
        most = f"up to {a_frame.max()} in a frame"
        yield "people", f"{len(people.keypoints_px)} detections, {most}; {_numbers(people.track_id)}"
        yield from _points(detections)
    doubts = detections.notes if size is None else check_keypoints(detections, *size)
    for doubt in doubts:
        yield "doubt", doubt
    if not doubts:
        yield "doubts", "none" if size is not None else "none; give `picture_size` or `video` for more checks"


def _numbers(track_id: np.ndarray) -> str:
    known = np.unique(track_id[track_id != NO_TRACK])
    return f"{len(known)} track number{'s' * (len(known) != 1)}" if len(known) else "no track numbers"


def _points(detections: Detections) -> Iterator[tuple[str, str]]:
    keypoints_px = detections.people.keypoints_px
    seen = np.isfinite(keypoints_px[..., 0])
    low, high = np.percentile(keypoints_px[..., :2][seen], [1, 99], axis=0)
    yield "places", f"x {low[0]:.0f} to {high[0]:.0f}, y {low[1]:.0f} to {high[1]:.0f} pixels (98 % of them)"
    confidence = keypoints_px[..., 2][seen]
    median, weak = np.median(confidence), np.percentile(confidence, 5)
    yield (
        "confidence",
        f"median {median:.2f}, 5 % below {weak:.2f}" if np.ptp(confidence) else f"{median:.2f} everywhere",
    )
    share = seen.mean(0)
    joints = zip(detections.skeleton.joints, share, strict=True)
    missing = [f"{joint} {1 - part:.0%}" for joint, part in joints if part < 1 - _OFTEN]
    yield "missing", ", ".join(missing) if missing else "no joint in more than 10 % of the detections"
