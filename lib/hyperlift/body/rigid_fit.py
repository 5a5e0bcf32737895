"""Fit of a rigid body to joints: one constant length per bone, one rotation per bone and frame."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hyperlift.body.gauss_newton import BODIES, FitTargets, directions_of, fit_directions, kinematics_matrix
from hyperlift.body.joint_limits import JointLimits
from hyperlift.body.joint_rotations import rotations_from_joints
from hyperlift.body.rest_pose import person_lengths, rest_offsets
from hyperlift.body.smooth_curves import smooth_curves, stiffness_of_cutoff
from hyperlift.errors import InputError
from hyperlift.geometry.forward_kinematics import forward_kinematics
from hyperlift.geometry.interpolation import interpolate_missing
from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

Axes = Literal["camera", "world"]
"""``camera``: x right, y down, z forward. ``world``: z up, the floor at 0."""

_STEPS = 4
"""Gauss–Newton steps. Chosen: 3 or 4 converge from the directions of the joints."""
_LIMIT_ROUNDS = 2
"""Fits towards clamped directions. Chosen: the final clamp enforces the limits, so few rounds suffice."""
_GUESSED = 0.1
"""Weight of a lifted joint that was not detected, relative to a detected one. Chosen: the lifter guesses it."""
_BRIDGED = 0.02
"""Weight of a position that is interpolated over a gap. Chosen: below a guess of the lifter."""
_ONE_FRAME_FPS = 25.0
"""Frame rate of a motion with one frame, which has none: writers of files need a number. Chosen: that of film (PAL)."""


@dataclass(frozen=True, kw_only=True)
class FitReport:
    """Changes by the fit; distances in mm, over detected joints."""

    frames: int
    seen: float
    """Fraction of detected joints."""
    mean_moved_mm: float
    p95_moved_mm: float
    most_moved_mm: float
    moved_mm: Mapping[str, float]
    """Mean by joint; without joints that were never detected."""
    bone_spread_before_mm: float
    """Standard deviation of the length of a bone over time, mean over bones."""
    bone_spread_mm: float

    @property
    def sentence(self) -> str:
        """The report in words."""
        return (
            f"rigid bones moved the joints by {self.mean_moved_mm:.0f} mm on average ({self.p95_moved_mm:.0f} mm for "
            f"one in twenty, {self.most_moved_mm:.0f} mm at most); bone lengths varied by "
            f"{self.bone_spread_before_mm:.0f} mm before and by {self.bone_spread_mm:.0f} mm now"
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FittedMotion:
    """Motion of one person as a rigid body."""

    joints_m: Float[np.ndarray, "frames joints 3"]
    """Metres, finite: forward kinematics of ``rotations`` and ``offsets_m``."""
    rotations: Float[np.ndarray, "frames joints 3 3"]
    """Absolute rotation of the bone that ends in each joint, from the axes of the T-pose (x to the person's left, y
    backward, z up) to those of ``joints_m``. Root and hips have the rotation of the pelvis."""
    offsets_m: Float[np.ndarray, "joints 3"]
    """Offset of each joint from its parent in the T-pose; its norm is the length of the bone."""
    seen: Bool[np.ndarray, "frames joints"]
    """False where the position is inferred from other frames or from the rest of the body."""
    time_s: Float[np.ndarray, " frames"]
    axes: Axes
    skeleton: Skeleton
    report: FitReport

    @property
    def fps(self) -> float:
        """Frame rate, from the median interval between frames; 25 for a single frame."""
        return _fps(self.time_s)

    def __repr__(self) -> str:
        frames, seconds = len(self.time_s), float(self.time_s[-1] - self.time_s[0]) if len(self.time_s) else 0.0
        return f"FittedMotion(1 person: {frames} frames, {seconds:.2f} s, {self.skeleton.name}, {self.axes} axes)"

    def moved(
        self, rotation: Float[np.ndarray, "3 3"], translation_m: Float[np.ndarray, "3"], axes: Axes
    ) -> "FittedMotion":
        """The same motion in other axes: new = rotation · old + translation."""
        return replace(
            self,
            joints_m=self.joints_m @ rotation.T + translation_m,
            rotations=rotation @ self.rotations,
            axes=axes,
        )


def fit_motion(
    joints_m: Float[np.ndarray, "frames joints 3"],
    time_s: Float[np.ndarray, " _"],
    valid: Bool[np.ndarray, "_ _"] | None = None,
    *,
    axes: Axes,
    keypoints_px: Float[np.ndarray, "frames joints 3"] | None = None,
    camera_matrix: Float[np.ndarray, "3 3"] | None = None,
    reprojection_weight: float = 1.0,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = None,
    lengths_m: Float[np.ndarray, " joints"] | None = None,
    skeleton: Skeleton = H36M_17,
) -> FittedMotion:
    """Fit a rigid body to joints.

    Lengths are medians over the frames in which a bone was detected, left and right together. Gaps are interpolated
    linearly. Four Gauss–Newton steps then minimise the squared distances of root and bone directions to the joints and,
    if keypoints are given, to the lines of sight through them. With limits, directions are also pulled into their
    ranges, and the remainder is clamped. With a cutoff, the motion is smoothed. Twists come from
    ``hyperlift.body.joint_rotations``.

    Args:
        joints_m: metres in ``axes``, joints of ``H36M_17``; NaN where unknown.
        time_s: [T] seconds, ascending; smoothing assumes a constant frame rate.
        valid: [T,17], False where a joint was not detected; its weight is then 0.1. None: all finite joints were
            detected.
        axes: of ``joints_m``.
        keypoints_px: x, y in pixels of the undistorted picture and confidence; requires ``axes="camera"``.
        camera_matrix: intrinsics in pixels, required with ``keypoints_px``.
        reprojection_weight: weight of keypoints with confidence 1 relative to joints, ≥ 0.
        limits: of joint angles; None for none.
        cutoff_hz: of the smoothing, 6 is usual for walking; None for no smoothing.
        lengths_m: known length of the bone that ends in each joint, 0 at the root; None measures them.
        skeleton: of the joints; only ``H36M_17`` has a rest pose.

    Raises:
        InputError: another skeleton, shapes that do not match, times that do not ascend, no detected joint, or
            keypoints without camera axes or matrix.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.body.rigid_fit import fit_motion
        >>> person = motion.people[0]
        >>> fit_motion(person.world_m, person.time_s, person.valid, axes="world", cutoff_hz=6.0)
        FittedMotion(1 person: 169 frames, 5.60 s, h36m17, world axes)
    """
    _check(joints_m, time_s, valid, keypoints_px, camera_matrix, axes, skeleton)
    joints_m = joints_m.astype(np.float64)
    known = np.asarray(np.isfinite(joints_m).all(-1))
    seen = known if valid is None else known & valid
    if not seen.any():
        raise InputError("no joint of this person was seen in any frame; there is nothing to fit")
    if cutoff_hz is not None and not cutoff_hz > 0:
        raise InputError(f"cutoff_hz is {cutoff_hz}; give a frequency above 0, or None for no smoothing")
    fps = _fps(time_s)
    lengths_m = person_lengths(joints_m, seen) if lengths_m is None else np.asarray(lengths_m, np.float64)
    offsets_m = rest_offsets(lengths_m)
    weights = np.where(seen, 1.0, np.where(known, _GUESSED, _BRIDGED))
    weights[:, ~known.any(0)] = 0.0
    target_m = interpolate_missing(joints_m, known)
    rotations = rotations_from_joints(target_m, fps)
    still = forward_kinematics(rotations, offsets_m, np.zeros((len(joints_m), 3)), skeleton.parents)
    filled = np.where(np.isfinite(target_m), target_m, 0.0)
    root_m = (weights[..., None] * (filled - still)).sum(1) / weights.sum(1)[:, None]
    targets = FitTargets(joints_m=filled, weights=weights)
    if keypoints_px is not None and camera_matrix is not None:
        targets = _with_keypoints(targets, keypoints_px, camera_matrix, reprojection_weight)
    matrix = kinematics_matrix(lengths_m)
    root_m, directions = fit_directions(root_m, directions_of(rotations), targets, matrix, _STEPS)
    if limits is not None:
        for _ in range(_LIMIT_ROUNDS):
            rotations = rotations_from_joints(root_m[:, None] + matrix @ directions, fps)
            drawn = directions_of(limits.clamp(rotations))
            # Weight of a detected end joint for a bone of 0.3 m.
            pull = np.where(np.linalg.norm(drawn - directions_of(rotations), axis=-1) > 1e-6, 0.3**2, 0.0)
            held = replace(targets, directions=drawn, direction_weights=pull)
            root_m, directions = fit_directions(root_m, directions, held, matrix, _STEPS)
    stiffness = 0.0 if cutoff_hz is None else stiffness_of_cutoff(cutoff_hz, fps)
    root_m, directions = _smooth(root_m, directions, weights, stiffness)
    rotations = rotations_from_joints(root_m[:, None] + matrix @ directions, fps)
    if limits is not None:
        rotations = limits.clamp(rotations)
    # Forward kinematics also gives directions to bones of length 0 and bones that were never detected.
    rigid_m = forward_kinematics(rotations, offsets_m, root_m, skeleton.parents)
    return FittedMotion(
        joints_m=rigid_m,
        rotations=rotations,
        offsets_m=offsets_m,
        seen=seen,
        time_s=time_s,
        axes=axes,
        skeleton=skeleton,
        report=_report(joints_m, rigid_m, seen, skeleton),
    )


def _check(
    joints_m: np.ndarray,
    time_s: np.ndarray,
    valid: np.ndarray | None,
    keypoints_px: np.ndarray | None,
    camera_matrix: np.ndarray | None,
    axes: str,
    skeleton: Skeleton,
) -> None:
    if skeleton.name != H36M_17.name:
        raise InputError(
            f"rigid bones are known for {H36M_17.name} only, not for {skeleton.name}; map the joints first"
        )
    if joints_m.ndim != 3 or joints_m.shape[1:] != (len(H36M_17), 3) or not len(joints_m):
        raise InputError(f"joints have the shape {list(joints_m.shape)}; expected [T,{len(H36M_17)},3] with T ≥ 1")
    frames = len(joints_m)
    if time_s.shape != (frames,) or not (np.diff(time_s) > 0).all():
        raise InputError(f"times of {frames} frames have the shape {list(time_s.shape)} or do not rise; give seconds")
    if valid is not None and valid.shape != joints_m.shape[:2]:
        raise InputError(f"valid has the shape {list(valid.shape)}; expected {list(joints_m.shape[:2])}")
    if (keypoints_px is None) != (camera_matrix is None):
        raise InputError("keypoints and camera matrix belong together; give both or none")
    if keypoints_px is not None and (axes != "camera" or keypoints_px.shape != joints_m.shape):
        raise InputError(
            f"keypoints of shape {list(keypoints_px.shape)} with joints in {axes} axes; expected camera axes and "
            f"{list(joints_m.shape)}"
        )


def _fps(time_s: Float[np.ndarray, " frames"]) -> float:
    return float(1.0 / np.median(np.diff(time_s))) if len(time_s) > 1 else _ONE_FRAME_FPS


def _smooth(
    root_m: Float[np.ndarray, "frames 3"],
    directions: Float[np.ndarray, "frames bodies 3"],
    weights: Float[np.ndarray, "frames joints"],
    stiffness: float,
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames bodies 3"]]:
    """Smooth root and directions over time; bones keep their lengths."""
    if stiffness == 0.0 or len(root_m) < 3:
        return root_m, directions
    trust = np.maximum(weights, _BRIDGED)
    smooth = np.empty_like(directions)
    for body, end in enumerate(BODIES):
        both = np.minimum(trust[:, end], trust[:, H36M_17.parents[end]])
        smooth[:, body] = smooth_curves(directions[:, body], both, stiffness, 2)
    return smooth_curves(root_m, trust[:, H36M_17.root], stiffness, 2), unit(smooth)


def _with_keypoints(
    targets: FitTargets, keypoints_px: np.ndarray, camera_matrix: np.ndarray, reprojection_weight: float
) -> FitTargets:
    usable = np.asarray(np.isfinite(keypoints_px).all(-1))
    return replace(
        targets,
        keypoints_px=np.where(usable[..., None], keypoints_px[..., :2], 0.0),
        keypoint_weights=np.where(usable, reprojection_weight * np.nan_to_num(keypoints_px[..., 2]), 0.0),
        camera_matrix=camera_matrix,
    )


def _report(
    before_m: Float[np.ndarray, "frames joints 3"],
    after_m: Float[np.ndarray, "frames joints 3"],
    seen: Bool[np.ndarray, "frames joints"],
    skeleton: Skeleton,
) -> FitReport:
    moved = 1000.0 * np.linalg.norm(after_m - before_m, axis=-1)
    return FitReport(
        frames=len(seen),
        seen=float(seen.mean()),
        mean_moved_mm=float(moved[seen].mean()),
        p95_moved_mm=float(np.percentile(moved[seen], 95)),
        most_moved_mm=float(moved[seen].max()),
        moved_mm={
            joint: float(moved[seen[:, i], i].mean()) for i, joint in enumerate(skeleton.joints) if seen[:, i].any()
        },
        bone_spread_before_mm=_bone_spread_mm(before_m, seen, skeleton),
        bone_spread_mm=_bone_spread_mm(after_m, np.ones_like(seen), skeleton),
    )


def _bone_spread_mm(
    joints_m: Float[np.ndarray, "frames joints 3"], seen: Bool[np.ndarray, "frames joints"], skeleton: Skeleton
) -> float:
    spreads = []
    for parent, child in skeleton.bones:
        ok = seen[:, parent] & seen[:, child]
        if ok.any():
            spreads.append(np.linalg.norm(joints_m[ok, child] - joints_m[ok, parent], axis=-1).std())
    return 1000.0 * float(np.mean(spreads)) if spreads else float("nan")
