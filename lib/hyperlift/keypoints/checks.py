"""Plausibility checks of keypoints before lifting: swapped sides, y pointing up, coordinates that are not pixels, a
wrong picture size, a wrong joint order, points that never move.

The checks give warnings, because none is certain. Each uses statistics over all frames of properties that hold for
every pose, and is skipped if there are too few samples. All thresholds were chosen by judgement between the values of
bodies, given below, and those of the fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hyperlift.keypoints.detections import Detections
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

_LEAST_SAMPLES = 10
"""Minimal number of samples (people in frames) of a check."""
_CROWD = 5
"""Minimal number of people in a frame for the checks of crowds."""
_MOST_OF_ALL = 0.8
"""Maximal share of all detections of a recording in one frame."""
_SMALLEST_BODY_PX = 10.0
"""Minimal size of a person in pixels: detectors find no joints in smaller people."""
_BEYOND, _BEFORE = 0.03, 0.2
"""Maximal share of points beyond the right or lower edge, and beyond the left or upper edge. Detectors place few points
outside; people who leave the image cause more, and a wrong picture size affects only the right and lower edge."""
_EMPTY = 0.55
"""The picture size is too large if all points lie within this share of its width and of its height."""
_LONGEST_BONE = 1.7
_SHORTEST_BONE = 0.12
"""Maximal and minimal length of limb bones in trunk lengths, median over all samples. Bodies have 0.5 to 0.9;
foreshortening affects trunk and limbs alike."""
_HEAD_REACH = {"Eye": 0.8, "Ear": 0.8, "Shoulder": 1.3}
"""Maximal distance from the nose to the midpoint of a pair, in trunk lengths; bodies have 0.2, 0.2 and 0.6."""
_UNEQUAL_BONES = 2.2
"""Maximal ratio of the median lengths of a left and a right bone; bodies seen from the side have less than 1.5."""
_APART = 0.15
"""Minimal distance in x of a left and a right joint, in trunk lengths, to determine their order; half of it for eyes
and ears."""
_SAME_ORDER = 0.5
"""Minimal share of the samples in which neighbouring pairs of joints have the same left-right order."""
_NEAR_EAR = -0.4
"""Minimal agreement, -1..1, of the direction of the nose with the ear of higher confidence."""
_STUCK = 0.6
"""Maximal share of the samples in which a joint has exactly the same position."""
_UPSIDE_DOWN = 0.7
"""Maximal share of the samples with feet above shoulders."""
_CLEAR = 0.05
"""Minimal offset of the nose in trunk lengths, and minimal difference of the confidences of both ears, for a
verdict."""
_MOST_SHOWN = 6
"""Joints that a message lists."""

_NEIGHBOURS = (
    *(("Eye", "Shoulder"), ("Ear", "Shoulder"), ("Shoulder", "Hip"), ("Shoulder", "Elbow"), ("Elbow", "Wrist")),
    *(("Hip", "Knee"), ("Knee", "Ankle")),
)
_BONES = (("Shoulder", "Elbow"), ("Elbow", "Wrist"), ("Hip", "Knee"), ("Knee", "Ankle"))


@dataclass(frozen=True, eq=False)
class _People:
    """All people of all frames in one array."""

    keypoints_px: Float[np.ndarray, "people joints 3"]
    skeleton: Skeleton

    def joint(self, name: str) -> Float[np.ndarray, "people 3"]:
        """The samples of a joint; NaN if the joint set does not have it."""
        if name in self.skeleton.joints:
            return self.keypoints_px[:, self.skeleton.index(name)]
        return np.full((len(self.keypoints_px), 3), np.nan)

    def middle(self, name: str) -> Float[np.ndarray, "people 2"]:
        return (self.joint(f"L{name}") + self.joint(f"R{name}"))[:, :2] / 2

    def without(self, joints: Sequence[str]) -> "_People":
        """A copy in which some joints are missing."""
        keypoints_px = self.keypoints_px.copy()
        keypoints_px[:, self.skeleton.indices(joints)] = [np.nan, np.nan, 0.0]
        return _People(keypoints_px, self.skeleton)

    @property
    def trunk_px(self) -> Float[np.ndarray, " people"]:
        """Distance of the midpoints of shoulders and hips, at least a fifth of the bounding box of the body; NaN
        without them."""
        points = self.keypoints_px[..., :2]
        low = np.min(points, axis=1, initial=np.inf, where=np.isfinite(points))
        high = np.max(points, axis=1, initial=-np.inf, where=np.isfinite(points))
        trunk = np.linalg.norm(self.middle("Shoulder") - self.middle("Hip"), axis=-1)
        return np.maximum(trunk, 0.2 * np.linalg.norm(high - low, axis=-1))


def check_keypoints(detections: Detections, width: int, height: int) -> list[str]:
    """Warnings about implausible keypoints; empty if there is nothing to report.

    Impossible keypoints are errors, see ``Detections.check_fits_picture``.

    Args:
        detections: see above.
        width: width of the video in pixels.
        height: height of the video in pixels.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.checks import check_keypoints
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> check_keypoints(detections, 1768, 994)
        []
    """
    if not len(detections.people.keypoints_px):
        return [*detections.notes]
    people = _People(detections.people.keypoints_px, detections.skeleton)
    warnings = [*detections.notes, *_crowded(detections)]
    not_pixels = _not_pixels(people)
    if not_pixels:
        return warnings + not_pixels
    stuck = _constant_joints(people)
    warnings += _picture_size(people, width, height) + _constant_points(stuck)
    people = people.without(stuck)
    wrong_order = _joint_order(people)
    if wrong_order:
        # With a wrong joint order, checks of sides and of the direction of y are meaningless.
        return warnings + wrong_order
    upside_down, torn = _upside_down(people), _torn_sides(people)
    if upside_down and torn:
        return [
            *warnings,
            "no body looks like this: feet above shoulders, and left and right in opposite orders; "
            f"is {people.skeleton.name} the right joint order?",
        ]
    return warnings + upside_down + (torn or _all_sides(people))


def with_plausible_joints(detections: Detections, others: Sequence[Skeleton]) -> Detections:
    """Resolve the joint set of a file if several have the same number of joints: the first with plausible bone lengths.

    Args:
        detections: read with the most common joint set.
        others: alternatives with the same number of joints.

    Returns:
        ``detections`` unchanged if their joint set is plausible, or no alternative is, or there are too few samples;
        else the alternative, with a note.
    """
    people = detections.people
    if not _joint_order(_People(people.keypoints_px, detections.skeleton)):
        return detections
    for skeleton in others:
        if not _joint_order(_People(people.keypoints_px, skeleton)):
            note = (
                f"joints are read as those of {skeleton.name}: as those of {detections.skeleton.name} they make no body"
            )
            return replace(detections, skeleton=skeleton, notes=(*detections.notes, note))
    return detections


def _crowded(detections: Detections) -> list[str]:
    """Frames with so many people that they may be several frames."""
    a_frame = np.diff(detections.people.start)
    frames, most = int((a_frame > 0).sum()), int(a_frame.max(initial=0))
    if frames < 2 or most < _CROWD:
        return []
    if most > _MOST_OF_ALL * a_frame.sum():
        frame = detections.people.frame[a_frame.argmax()]
        return [f"frame {frame} holds {most} of {a_frame.sum()} detections; does its name hold another number too?"]
    if most > frames:
        return [f"{most} people in one frame, and only {frames} frames with people; are people and frames exchanged?"]
    return []


def _not_pixels(people: _People) -> list[str]:
    points = people.keypoints_px[..., :2]
    finite = np.isfinite(points)
    sizes = np.max(points, axis=1, initial=-np.inf, where=finite) - np.min(points, axis=1, initial=np.inf, where=finite)
    size = float(np.median(np.linalg.norm(sizes[finite.any(1).all(-1)], axis=-1))) if finite.any() else np.inf
    if size < _SMALLEST_BODY_PX:
        return [f"the coordinates do not look like pixels: a person is {size:.3g} large; let the detector write pixels"]
    return []


def _picture_size(people: _People, width: int, height: int) -> list[str]:
    points = people.keypoints_px[..., :2]
    points = points[np.isfinite(points).all(-1)]
    if len(points) < _LEAST_SAMPLES:
        return []
    beyond, before = (points > [width, height]).any(-1).mean(), (points < 0).any(-1).mean()
    reach_x, reach_y = np.percentile(points, 99.5, axis=0)
    advice = f"check that {width}x{height} is the size of the video"
    if beyond > _BEYOND or before > _BEFORE:
        outside = ((points < 0) | (points > [width, height])).any(-1).mean()
        low_x, low_y = np.percentile(points, 0.5, axis=0)
        return [
            f"{outside:.0%} of the points lie outside of the picture (x {low_x:.0f} to {reach_x:.0f}, "
            f"y {low_y:.0f} to {reach_y:.0f}); {advice}"
        ]
    if reach_x < _EMPTY * width and reach_y < _EMPTY * height:
        return [
            f"all points keep to the upper left part of the picture (x up to {reach_x:.0f}, y up to {reach_y:.0f}); "
            f"{advice}"
        ]
    return []


def _constant_joints(people: _People) -> list[str]:
    stuck = []
    for number, joint in enumerate(people.skeleton.joints):
        points = people.keypoints_px[:, number, :2]
        points = points[np.isfinite(points).all(-1)]
        if len(points) < _LEAST_SAMPLES:
            continue
        _, counts = np.unique(points, axis=0, return_counts=True)
        if counts.max() > _STUCK * len(points):
            stuck.append(joint)
    return stuck


def _constant_points(stuck: Sequence[str]) -> list[str]:
    if not stuck:
        return []
    named = ", ".join(stuck[:_MOST_SHOWN])
    named += f" and {len(stuck) - _MOST_SHOWN} more" if len(stuck) > _MOST_SHOWN else ""
    return [f"{named}: at exactly the same place in most frames; was every frame detected anew?"]


def _joint_order(people: _People) -> list[str]:
    trunk = people.trunk_px
    odd = []
    for near, far in _BONES:
        lengths = {}
        for side in "LR":
            bone = np.linalg.norm((people.joint(side + near) - people.joint(side + far))[:, :2], axis=-1) / trunk
            bone = bone[np.isfinite(bone)]
            if len(bone) >= _LEAST_SAMPLES:
                lengths[side] = float(np.median(bone))
        odd += [
            f"{side}{near} to {side}{far} is {length:.2g} trunk lengths"
            for side, length in lengths.items()
            if not _SHORTEST_BONE < length < _LONGEST_BONE
        ]
        if not odd and len(lengths) == 2 and max(lengths.values()) > _UNEQUAL_BONES * min(lengths.values()):
            odd.append(
                f"{near} to {far} is {lengths['L']:.2g} trunk lengths on the left, {lengths['R']:.2g} on the right"
            )
    for pair, reach in _HEAD_REACH.items():
        far = np.linalg.norm(people.joint("Nose")[:, :2] - people.middle(pair), axis=-1) / trunk
        far = far[np.isfinite(far)]
        if len(far) >= _LEAST_SAMPLES and np.median(far) > reach:
            odd.append(f"Nose to {_plural(pair)} is {np.median(far):.2g} trunk lengths")
    if odd:
        return [f"no body looks like this: {odd[0]}; is {people.skeleton.name} the right joint order?"]
    return []


def _upside_down(people: _People) -> list[str]:
    """Feet above shoulders; knees, or hips, if the feet are missing."""
    shoulders = people.middle("Shoulder")[:, 1]
    below = np.full(len(shoulders), np.nan)
    for joint in ("Ankle", "Knee", "Hip"):
        lower = people.middle(joint)[:, 1]
        below = np.where(np.isfinite(below), below, lower - shoulders)
    below = below[np.isfinite(below)]
    if len(below) >= _LEAST_SAMPLES and (below < 0).mean() > _UPSIDE_DOWN:
        return [
            f"feet are above shoulders in {(below < 0).mean():.0%} of the detections: y seems to point up; "
            "write y downward from the upper left corner"
        ]
    return []


def _torn_sides(people: _People) -> list[str]:
    """Left-right orders that contradict each other along the body."""
    torn = {}
    for one, other in _NEIGHBOURS:
        order, other_order = _order(people, one), _order(people, other)
        known = (order != 0) & (other_order != 0)
        if known.sum() >= _LEAST_SAMPLES:
            same = float((order == other_order)[known].mean())
            if same < _SAME_ORDER:
                torn[one, other] = same
    if torn:
        (one, other), same = min(torn.items(), key=lambda item: item[1])
        return [
            f"left and right look exchanged between {_plural(one)} and {_plural(other)}: they are in opposite order in "
            f"{1 - same:.0%} of the detections; check the joint order"
        ]
    return []


def _order(people: _People, joint: str) -> Float[np.ndarray, " people"]:
    """1 if the left joint is to the right of the right joint in the image, -1 if to the left, 0 if they are too
    close."""
    apart = (people.joint(f"L{joint}") - people.joint(f"R{joint}"))[:, 0] / people.trunk_px
    least = _APART / 2 if joint in ("Eye", "Ear") else _APART
    clear: Bool[np.ndarray, " people"] = np.abs(np.nan_to_num(apart)) > least
    return np.where(clear, np.sign(np.nan_to_num(apart)), 0.0)


def _all_sides(people: _People) -> list[str]:
    """Left and right swapped in all frames: the result is still a plausible body, seen from the other side. But if the
    nose points to the right of the image, the right ear is visible and the left one is behind the head."""
    nose = (people.joint("Nose")[:, 0] - people.middle("Ear")[:, 0]) / people.trunk_px
    better = people.joint("REar")[:, 2] - people.joint("LEar")[:, 2]
    clear = (np.abs(np.nan_to_num(nose)) > _CLEAR) & (np.abs(np.nan_to_num(better)) > _CLEAR)
    if clear.sum() < 2 * _LEAST_SAMPLES:
        return []
    agreement = float((np.sign(nose) * better)[clear].sum() / np.abs(better[clear]).sum())
    if agreement < _NEAR_EAR:
        return [
            "left and right look exchanged throughout: where the nose points to one side, the ear on the far side of "
            "the head is the better seen one; check the joint order"
        ]
    return []


def _plural(joint: str) -> str:
    return f"{joint.lower()}s"
