"""Lifting of a recording: track, map joints, fill gaps, resample to the rate of the lifter, lift, resample back."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hyperlift.body.person import LiftedTrack
from hyperlift.choices import Smoothing
from hyperlift.contract import LifterSpec, Predictor
from hyperlift.errors import InputError, quoted
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.timestamps import check_times, grid_times, resample, resample_pose2d
from hyperlift.lifting.smoothing import smooth_poses
from hyperlift.lifting.windows import lift_windows
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.joint_sets import H36M_17, skeleton_named
from hyperlift.skeletons.mapping import mark_missing, to_h36m
from hyperlift.tracking.gaps import FilledTrack, drop_weak_joints, fill_gaps
from hyperlift.tracking.left_right import repair_side_swaps
from hyperlift.tracking.tracks import Track, track_rows

_log = logging.getLogger(__name__)


def track_people(
    detections: Detections,
    width: int,
    height: int,
    time_s: Float[np.ndarray, " all_frames"],
    min_confidence: float = 0.0,
    repair_sides: bool = True,
) -> list[Track]:
    """Track all people and map their joints to ``H36M_17``.

    Args:
        detections: keypoints of the recording.
        width: of the video in pixels.
        height: of the video in pixels.
        time_s: seconds of every frame of the video (``even_times`` for a constant rate), indexed by frame number.
        min_confidence: keypoints below it count as missing.
        repair_sides: undo short left-right swaps of the detector (``repair_side_swaps``); their number is logged at
            INFO.

    Raises:
        InputError: picture size or time stamps are invalid or do not fit the keypoints, or nobody can be tracked.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.timestamps import even_times
        >>> from hyperlift.lifting.lift import track_people
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> tracks = track_people(detections, 1768, 994, even_times(frames=226, fps=30))
        >>> [track.id for track in tracks], tracks[0].keypoints_px.shape
        ([0, 1, 2], (166, 17, 3))
    """
    check_times(time_s, max(detections.last_frame, 0))
    detections.check_fits_picture(width, height)
    if not 0 <= min_confidence < 1:
        raise InputError(f"`min_confidence` is {min_confidence:g}; give a number from 0 up to, not including, 1")
    mapped, frame_of_row = [], detections.people.person_frame
    for number, row in track_rows(detections, time_s).items():
        keypoints_px = drop_weak_joints(_mapped(detections, row, min_confidence), time_s[frame_of_row[row]])
        seen = np.isfinite(keypoints_px[..., 0]).any(1)
        if not seen.any():
            continue
        frame = frame_of_row[row[seen]]
        keypoints_px = keypoints_px if seen.all() else keypoints_px[seen]
        if repair_sides:
            keypoints_px, exchanged = repair_side_swaps(keypoints_px, time_s[frame], H36M_17)
            if exchanged.any():
                frames = int(exchanged.any(1).sum())
                _log.info("p%d: swapped arms or legs corrected in %d frame%s", number, frames, "s" * (frames != 1))
        mapped.append(Track(id=number, frame=frame, keypoints_px=keypoints_px))
    if not mapped:
        raise InputError(f"{detections.source}: no keypoint reaches `min_confidence` {min_confidence:g}; lower it")
    return mapped


def _mapped(
    detections: Detections, row: Int[np.ndarray, " seen"], min_confidence: float
) -> Float[np.ndarray, "seen h36m_joints 3"]:
    """Some detections in ``H36M_17``, converted in chunks to bound the memory of intermediate arrays."""
    detected_px, skeleton = detections.people.keypoints_px, detections.skeleton
    mapped = np.empty((len(row), len(H36M_17), 3), detected_px.dtype)
    for some in frame_chunks(len(row)):
        mapped[some] = to_h36m(mark_missing(detected_px[row[some]], min_confidence), skeleton)
    return mapped


def network_input(
    track: Track, width: int, height: int, time_s: Float[np.ndarray, " all_frames"]
) -> tuple[FilledTrack, Float[np.ndarray, "frames joints 3"]]:
    """The track with filled gaps, and its keypoints in normalised picture space with confidence."""
    filled = fill_gaps(track.frame, track.keypoints_px, H36M_17, time_s)
    pose2d_norm = filled.keypoints_px.copy()
    for some in frame_chunks(len(pose2d_norm)):
        points = pose2d_norm[some, :, :2]
        points[:] = normalise_points(points, float(width), float(height))
    return filled, pose2d_norm


def lift_track(
    predict: Predictor,
    spec: LifterSpec,
    track: Track,
    width: int,
    height: int,
    time_s: Float[np.ndarray, " all_frames"],
) -> LiftedTrack:
    """Lift one person: fill gaps, normalise, resample to the lifter's frame rate, lift, resample to the video's frames.

    Args:
        predict: the lifter, or a wrapper such as ``FlipAveraged``.
        spec: the lifter's contract.
        track: the person in ``H36M_17`` joints.
        width: of the video in pixels.
        height: of the video in pixels.
        time_s: seconds of every frame of the video, evenly spaced or not, indexed by frame number.

    Raises:
        InputError: the lifter has another skeleton, or returns values that are not finite.
    """
    if spec.skeleton != H36M_17.name:
        raise InputError(
            f"the lifter {quoted(spec.name)} expects joints of {spec.skeleton}; keypoints come as {H36M_17.name}"
        )
    filled, pose2d_norm = network_input(track, width, height, time_s)
    grid_s = grid_times(filled.time_s, spec.fps)
    at_model_rate = resample_pose2d(pose2d_norm, filled.time_s, grid_s, np.float32)
    del pose2d_norm  # frees memory before the results are made
    lifted = lift_windows(predict, at_model_rate, spec.longest_clip, align_depth=not spec.rootrel)
    if not np.isfinite(lifted).all():
        raise InputError(f"the lifter {quoted(spec.name)} returns NaN or infinite poses; its weights are broken")
    # Interpolated positions were only input for the lifter.
    filled.keypoints_px[~filled.valid] = [np.nan, np.nan, 0.0]
    return LiftedTrack(
        id=track.id,
        frame=filled.frame,
        time_s=filled.time_s,
        pose_norm=resample(lifted, grid_s, filled.time_s),
        valid=filled.valid,
        bridged=filled.bridged,
        keypoints_px=filled.keypoints_px,
    )


def lift_people(
    predict: Predictor,
    spec: LifterSpec,
    tracks: Sequence[Track],
    width: int,
    height: int,
    time_s: Float[np.ndarray, " all_frames"],
    smoothing: Smoothing | None = None,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> list[LiftedTrack]:
    """Lift several people with ``lift_track``; arguments that are not listed are those of ``lift_track``.

    Args:
        predict: the lifter.
        spec: contract of the lifter.
        tracks: one for each person.
        width: of the video in pixels.
        height: of the video in pixels.
        time_s: seconds of every frame of the video.
        smoothing: filter of the poses over time.
        on_progress: called after each person with the number of lifted frames and the total number.

    Raises:
        InputError: as ``lift_track``.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.timestamps import even_times
        >>> from hyperlift.lifting.lift import lift_people, track_people
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter, time_s = load_lifter("nano"), even_times(frames=226, fps=30)
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> tracks = track_people(detections, 1768, 994, time_s)
        >>> lift_people(lifter, lifter.spec, tracks, 1768, 994, time_s)
        [LiftedTrack(p0: frames 0–168), LiftedTrack(p1: frames 40–202), LiftedTrack(p2: frames 190–225)]
    """
    lifted: list[LiftedTrack] = []
    total = sum(int(track.frame[-1] - track.frame[0]) + 1 for track in tracks)
    for track in tracks:
        one = lift_track(predict, spec, track, width, height, time_s)
        if smoothing is not None:
            pose_norm = smooth_poses(one.pose_norm, one.time_s, smoothing, one.valid, skeleton_named(spec.skeleton))
            one = replace(one, pose_norm=pose_norm)
        lifted.append(one)
        on_progress(sum(len(done.frame) for done in lifted), total)
    return lifted
