"""Detects visible errors of a lifted recording without ground truth: depth flips of bones, and swapped sides.

A bone that points towards the camera and its mirror image in depth have the same projection. If a lifter switches
between both, the bone turns by a large angle while its projection hardly moves. A limb that really turns that far also
moves in the picture, except for the moment in which it passes the line of sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.cameras import project
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

FLIP_DEG = 60.0
"""Minimum turn of a bone that counts as a flip. Chosen: far above the turn of a limb between two frames."""
STILL = 0.25
"""Maximum change of the projection, as a fraction of bone length, of a bone that counts as still in the picture.
Chosen: it equals a turn of 14° for a bone perpendicular to the line of sight."""
MERGE_S = 0.2
"""Detections of one bone closer in time than this are one event. Chosen."""
SWAP_M = 0.12
"""Minimum distance of two sides in the picture. Chosen: closer keypoints cannot be assigned to sides reliably."""
SWAP_GAIN_M = 0.05
"""Minimum decrease of the summed distance of both joints by exchanging sides. Chosen: above the error of keypoints."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A visible error."""

    what: str
    """The bone, or the pair of joints."""
    first: int
    """First and last row in the arrays of the person."""
    last: int
    amount: float
    """Largest turn in degrees, or largest gain in metres of exchanging sides."""


def bone_turns(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    seen: Bool[np.ndarray, "frames joints"],
    K: Float[np.ndarray, "3 3"],
    lines: Sequence[tuple[int, int]],
    step: int,
) -> Float[np.ndarray, "rows lines"]:
    """Angle in degrees by which each line turns within ``step`` frames while its projection is still.

    It is NaN where the projection moves or an end was not observed. Rows are start frames, ``step`` fewer than frames.

    Args:
        joints_m: absolute camera coordinates in metres.
        keypoints_px: x, y in pixels and confidence.
        seen: whether a keypoint was observed.
        K: intrinsics in pixels.
        lines: pairs of joints: bones, hips, shoulders.
        step: frames.
    """
    start, end = np.array(lines).T
    bones_m = joints_m[:, end] - joints_m[:, start]
    lengths_m = np.maximum(np.linalg.norm(bones_m, axis=-1), 1e-9)
    directions = bones_m / lengths_m[..., None]
    cosine = (directions[step:] * directions[:-step]).sum(-1)
    depth_m = (joints_m[:, start, 2] + joints_m[:, end, 2]) / 2
    # Projection in units of the bone length at the distance of the bone.
    projected = (keypoints_px[:, end, :2] - keypoints_px[:, start, :2]) * (depth_m / lengths_m / K[0, 0])[..., None]
    moved = np.linalg.norm(projected[step:] - projected[:-step], axis=-1)
    known = seen[:, start] & seen[:, end]
    usable = known[step:] & known[:-step] & (moved < STILL)
    return np.where(usable, np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), np.nan)


def depth_flips(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    seen: Bool[np.ndarray, "frames joints"],
    time_s: Float[np.ndarray, " frames"],
    K: Float[np.ndarray, "3 3"],
    skeleton: Skeleton,
    within_s: float = 0.0,
    flip_deg: float = FLIP_DEG,
) -> list[Event]:
    """Find turns above ``flip_deg``, with a still projection, of bones and of the lines of hips and shoulders.

    Args:
        joints_m: absolute camera coordinates in metres.
        keypoints_px: x, y in pixels and confidence.
        seen: whether a keypoint was observed.
        time_s: time stamps in seconds.
        K: intrinsics in pixels.
        skeleton: skeleton of the joints.
        within_s: maximum duration of the turn; 0: between consecutive frames.
        flip_deg: minimum turn in degrees.
    """
    if len(time_s) < 2:
        return []
    frame_s = float(np.median(np.diff(time_s)))
    step = min(max(1, round(within_s / frame_s)), len(time_s) - 1)
    lines = [*skeleton.bones, *(pair for pair in skeleton.pairs if skeleton.joints[pair[0]][1:] in ("Hip", "Shoulder"))]
    turns = bone_turns(joints_m, keypoints_px, seen, K, lines, step)
    return _events(lines, skeleton, np.nan_to_num(turns), flip_deg, time_s, step)


def swapped_sides(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    seen: Bool[np.ndarray, "frames joints"],
    time_s: Float[np.ndarray, " frames"],
    K: Float[np.ndarray, "3 3"],
    skeleton: Skeleton,
) -> list[Event]:
    """Find left–right pairs whose projected 3D joints fit the keypoints of the other side.

    Arguments as for ``depth_flips``. A pair counts if its keypoints are more than ``SWAP_M`` apart and the projected
    joints fit better by ``SWAP_GAIN_M`` with left and right exchanged.
    """
    metres_per_px = joints_m[:, skeleton.root, 2] / K[0, 0]
    projected_px = project(joints_m, K)
    gains = np.zeros((len(joints_m), len(skeleton.pairs)))
    for number, (right, left) in enumerate(skeleton.pairs):

        def distance_px(joint: int, keypoint: int) -> np.ndarray:
            return np.linalg.norm(projected_px[:, joint] - keypoints_px[:, keypoint, :2], axis=-1)

        gain_px = distance_px(right, right) + distance_px(left, left)
        gain_px -= distance_px(right, left) + distance_px(left, right)
        apart_px = np.linalg.norm(keypoints_px[:, right, :2] - keypoints_px[:, left, :2], axis=-1)
        usable = seen[:, right] & seen[:, left] & (apart_px * metres_per_px > SWAP_M)
        gains[:, number] = np.where(usable, gain_px * metres_per_px, 0.0)
    return _events(skeleton.pairs, skeleton, gains, SWAP_GAIN_M, time_s, 0)


def _events(
    lines: Sequence[tuple[int, int]],
    skeleton: Skeleton,
    amounts: Float[np.ndarray, "rows lines"],
    threshold: float,
    time_s: Float[np.ndarray, " frames"],
    step: int,
) -> list[Event]:
    """Runs of amounts above a threshold, named by the two joints; runs closer than ``MERGE_S`` are merged."""
    events = []
    for number, line in enumerate(lines):
        rows = np.flatnonzero(amounts[:, number] > threshold)
        if not len(rows):
            continue
        name = "-".join(skeleton.joints[joint] for joint in line)
        for run in np.split(rows, np.flatnonzero(np.diff(time_s[rows]) > MERGE_S) + 1):
            amount = float(amounts[run, number].max())
            events.append(Event(what=name, first=int(run[0]), last=int(run[-1]) + step, amount=amount))
    return sorted(events, key=lambda event: (event.first, event.what))
