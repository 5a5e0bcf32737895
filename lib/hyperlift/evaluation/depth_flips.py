"""What a viewer sees as wrong in a lifted recording, without any truth: bones that flip in depth, sides that swap.

A bone that points towards the camera and one that points as far away from it look alike in the picture. A lifter that
changes its mind turns the bone through a large angle while its picture hardly changes; a limb that really swings so far
in so short a time moves in the picture too, but for the moment in which it passes the line of sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.cameras import project
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

FLIP_DEG = 60.0
STILL = 0.25
"""Shares of its own length by which the picture of a bone may change and still count as having moved little: that of
a bone across the line of sight turns by 14 degrees."""
APART_S = 0.2
"""Moments of one bone that follow one another this closely are one event."""
SWAP_M = 0.12
"""Sides that lie nearer to one another in the picture cannot be told apart there."""
SWAP_GAIN_M = 0.05
"""By how much exchanged sides must fit better, both joints together."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a viewer would notice."""

    what: str
    """The bone, or the pair of joints."""
    first: int
    """Row of the person's arrays."""
    last: int
    amount: float
    """Degrees of the largest turn, or metres by which exchanged sides would fit better."""


def bone_turns(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    seen: Bool[np.ndarray, "frames joints"],
    K: Float[np.ndarray, "3 3"],
    lines: Sequence[tuple[int, int]],
    step: int,
) -> Float[np.ndarray, "rows lines"]:
    """Angle by which each line turns within ``step`` frames while its picture stays, degrees; NaN where its picture
    moves or an end was not seen. Rows are the frames from which on it turns, ``step`` fewer than there are.

    Args:
        joints_m: camera metres, from the camera.
        keypoints_px: x, y in pixels and confidence.
        seen: where a keypoint is a sighting.
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
    # In the picture, in shares of the bone's length at its distance.
    drawn = (keypoints_px[:, end, :2] - keypoints_px[:, start, :2]) * (depth_m / lengths_m / K[0, 0])[..., None]
    moved = np.linalg.norm(drawn[step:] - drawn[:-step], axis=-1)
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
    """Bones, and the lines between hips and between shoulders, that turn by more than ``flip_deg`` while their picture
    stays.

    Args:
        joints_m: camera metres, from the camera.
        keypoints_px: x, y in pixels and confidence.
        seen: where a keypoint is a sighting.
        time_s: seconds.
        K: intrinsics in pixels.
        skeleton: of the joints.
        within_s: time in which they turn; 0 is from one frame to the next.
        flip_deg: degrees.
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
    """Pairs of joints whose 3D lies on the keypoints of the other side.

    Arguments as for ``depth_flips``. A pair counts where both were seen more than ``SWAP_M`` apart and the 3D joints,
    projected, fit better by ``SWAP_GAIN_M`` with left and right exchanged.
    """
    metres_per_px = joints_m[:, skeleton.root, 2] / K[0, 0]
    projected_px = project(joints_m, K)
    gains = np.zeros((len(joints_m), len(skeleton.pairs)))
    for number, (right, left) in enumerate(skeleton.pairs):

        def off_px(joint: int, keypoint: int) -> np.ndarray:
            return np.linalg.norm(projected_px[:, joint] - keypoints_px[:, keypoint, :2], axis=-1)

        gain_px = off_px(right, right) + off_px(left, left) - off_px(right, left) - off_px(left, right)
        apart_px = np.linalg.norm(keypoints_px[:, right, :2] - keypoints_px[:, left, :2], axis=-1)
        usable = seen[:, right] & seen[:, left] & (apart_px * metres_per_px > SWAP_M)
        gains[:, number] = np.where(usable, gain_px * metres_per_px, 0.0)
    return _events(skeleton.pairs, skeleton, gains, SWAP_GAIN_M, time_s, 0)


def _events(
    lines: Sequence[tuple[int, int]],
    skeleton: Skeleton,
    amounts: Float[np.ndarray, "rows lines"],
    more_than: float,
    time_s: Float[np.ndarray, " frames"],
    step: int,
) -> list[Event]:
    """What is larger than usual, named by the two joints; moments close together are one event."""
    events = []
    for number, line in enumerate(lines):
        rows = np.flatnonzero(amounts[:, number] > more_than)
        if not len(rows):
            continue
        name = "-".join(skeleton.joints[joint] for joint in line)
        for run in np.split(rows, np.flatnonzero(np.diff(time_s[rows]) > APART_S) + 1):
            amount = float(amounts[run, number].max())
            events.append(Event(what=name, first=int(run[0]), last=int(run[-1]) + step, amount=amount))
    return sorted(events, key=lambda event: (event.first, event.what))
