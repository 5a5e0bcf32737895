"""Losses on poses [clips, frames, joints, 3]; each is a mean, in the unit of its input.

Of joints that were not measured no error is taken: it is the mean of what is left of a clip, and then of the clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from hyperlift.errors import InputError
from hyperlift.geometry import joint_errors
from hyperlift.geometry.alignment import best_rotation
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.extremities import CORE, PARENTS_OF_EXTREMITIES
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

Poses = Float[Tensor, "clips frames joints 3"]
Scalar = Float[Tensor, ""]
Measured = Bool[Tensor, "clips frames joints"]


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weight of every term; a term of weight 0 is not computed."""

    position: float = 1.0
    """Mean per joint position error."""
    temporal_consistency: float = 0.5
    """Mean squared frame-to-frame motion of the prediction; it pulls motion towards zero."""
    velocity: float = 2.0
    """Mean error of the frame-to-frame motion."""
    scale_normalised: float = 0.0
    """Position error after the best scale of every frame."""
    similarity_aligned: float = 0.0
    """Position error after the best scale, rotation and shift of every frame: shape alone."""
    limb_variance: float = 0.0
    """Variance over time of the predicted bone lengths."""
    limb_length: float = 0.0
    """Mean absolute error of the bone lengths."""
    limb_angle: float = 0.0
    """Mean error of the angles between bones that meet, radians."""
    angular_velocity: float = 0.0
    """Mean error of the change of these angles from frame to frame, radians."""
    extremities: float = 0.0
    """Error of feet and hands, each from its ankle or wrist, and ``velocity`` times that of their motion; above 0 they
    are in no other term. Wants ``h36m25``."""
    uncertainty: float = 0.0
    """Negative logarithm of the Gaussian likelihood of the error along an axis, after the best scale of every clip. The
    pose learns nothing from it. Wants ``model.uncertainty``."""
    joints: tuple[float, ...] | None = None
    """Weight of every joint in the position error; None weighs all alike."""

    def __post_init__(self) -> None:
        terms = {name: value for name, value in vars(self).items() if name != "joints"}
        if any(value < 0 for value in terms.values()) or not any(terms.values()):
            raise InputError(f"loss weights must not be negative and one must be positive: {terms}")


def pose_loss(
    pose: Poses,
    target: Poses,
    weights: LossWeights,
    skeleton: Skeleton,
    std: Float[Tensor, "clips frames joints"] | None = None,
) -> tuple[Scalar, dict[str, Scalar]]:
    """The weighted sum and its unweighted terms.

    Args:
        pose: prediction.
        target: label, same space; all three numbers NaN where a joint was not measured.
        weights: weight of every term.
        skeleton: the bones.
        std: standard deviation along each axis, for ``uncertainty``.
    """
    # Autocast would multiply in bfloat16 here too: a rotation of three digits, and no singular values at all.
    with torch.autocast(pose.device.type, enabled=False):
        apart = bool(weights.extremities)
        core = (pose[:, :, CORE], target[:, :, CORE], weights, H36M_17) if apart else (pose, target, weights, skeleton)
        terms = _terms(*core)
        if apart:
            terms["extremities"] = extremity_error(pose, target, weights.velocity)
        if weights.uncertainty:
            assert std is not None
            terms["uncertainty"] = unlikelihood(pose, std, target, skeleton.root)
        total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return total, terms


def _terms(pose: Poses, target: Poses, weights: LossWeights, skeleton: Skeleton) -> dict[str, Scalar]:
    motion = pose.shape[1] > 1
    # A label that is broken, not missing, has other numbers beside its NaN: the loss becomes NaN, and the run stops.
    measured = ~target.isnan().all(-1)
    target = torch.where(measured[..., None], target, 0.0)
    terms: dict[str, Scalar] = {}
    if weights.position:
        terms["position"] = position_error(pose, target, weights.joints, measured)
    if weights.temporal_consistency and motion:
        terms["temporal_consistency"] = temporal_consistency(pose)
    if weights.velocity and motion:
        terms["velocity"] = velocity_error(pose, target, measured)
    if weights.scale_normalised:
        terms["scale_normalised"] = scale_normalised_error(pose, target, measured)
    if weights.similarity_aligned:
        terms["similarity_aligned"] = similarity_aligned_error(pose, target, measured)
    if weights.limb_variance and motion:
        terms["limb_variance"] = bone_lengths(pose, skeleton).var(1, unbiased=False).mean()
    if weights.limb_length:
        length_error = bone_lengths(pose, skeleton) - bone_lengths(target, skeleton)
        terms["limb_length"] = _mean(length_error.abs(), _all_measured(measured, skeleton.bones))
    if weights.limb_angle or weights.angular_velocity:
        angle_error = bone_angles(pose, skeleton) - bone_angles(target, skeleton)
        known = _all_measured(measured, [(*first, *second) for first, second in _bones_that_meet(skeleton)])
        if weights.limb_angle:
            terms["limb_angle"] = _mean(angle_error.abs(), known)
        if weights.angular_velocity and motion:
            terms["angular_velocity"] = _mean(angle_error.diff(dim=1).abs(), known[:, 1:] & known[:, :-1])
    return terms


def extremity_error(pose: Poses, target: Poses, velocity: float) -> Scalar:
    """Mean error of feet and hands from ankle and wrist, of what a batch has measured of them; 0 where that is nothing.

    Args:
        pose: of ``H36M_25``.
        target: the same; NaN where a joint was not measured.
        velocity: weight of the error of their motion from frame to frame, which is added.
    """
    carriers = list(PARENTS_OF_EXTREMITIES)
    off = pose[:, :, CORE.stop :] - pose[:, :, carriers] - (target[:, :, CORE.stop :] - target[:, :, carriers])
    known = ~torch.isnan(target[:, :, CORE.stop :]).all(-1)
    off = torch.where(known[..., None], off, 0.0)
    error = torch.linalg.vector_norm(off, dim=-1).sum() / known.sum().clamp(min=1)
    if not velocity or pose.shape[1] < 2:
        return error
    both = (known[:, 1:] & known[:, :-1]).sum().clamp(min=1)
    return error + velocity * torch.linalg.vector_norm(off.diff(dim=1), dim=-1).sum() / both


def unlikelihood(pose: Poses, std: Float[Tensor, "clips frames joints"], target: Poses, root: int) -> Scalar:
    """Mean of ``log std + error² / (2 std²)`` along the three axes (Nix and Weigend 1994), without the root.

    The error is what is left after the scale of every clip that fits the label best, with the root at 0; it is held
    fixed for the gradient.
    """
    with torch.no_grad():
        known = ~torch.isnan(target).all(-1)
        label = torch.where(known[..., None], target, 0.0)
        seen = torch.where(known[..., None], pose, 0.0)
        scale = (seen * label).sum((1, 2, 3)) / seen.square().sum((1, 2, 3)).clamp(min=1e-8)
        square = (scale[:, None, None, None] * seen - label).square().sum(-1)
        known[:, :, root] = False
    values = std.log() + square / (6.0 * std.square())
    return torch.where(known, values, 0.0).sum() / known.sum()


def _mean(values: Float[Tensor, "clips frames of"], known: Bool[Tensor, "clips frames of"] | None) -> Scalar:
    """The mean of every clip's known values, then of the clips: a batch that is shared out has the same loss."""
    if known is None:
        return values.mean()
    return ((values * known).sum((1, 2)) / known.sum((1, 2))).mean()


def _all_measured(measured: Measured, groups: Sequence[tuple[int, ...]]) -> Bool[Tensor, "clips frames groups"]:
    """Where every joint of a group was measured."""
    return measured[:, :, list(groups)].all(-1)


def position_error(
    pose: Poses, target: Poses, joint_weights: tuple[float, ...] | None = None, measured: Measured | None = None
) -> Scalar:
    """MPJPE, optionally weighted by joint."""
    distance = joint_errors.joint_distance(pose, target)
    return _mean(distance if joint_weights is None else distance * distance.new_tensor(joint_weights), measured)


def velocity_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """Mean length of the error of the motion from frame to frame (MPJVE, Pavllo et al. 2019)."""
    return _mean(
        joint_errors.velocity_error(pose, target), None if measured is None else measured[:, 1:] & measured[:, :-1]
    )


def temporal_consistency(pose: Poses) -> Scalar:
    """Mean squared motion from frame to frame, without regard to the label (Zhang et al. 2022)."""
    return pose.diff(dim=1).square().mean()


def scale_normalised_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """N-MPJPE: position error after the scale of every frame that fits the label best (Rhodin et al. 2018)."""
    counted = pose if measured is None else pose * measured[..., None]
    scale = (counted * target).sum((-2, -1), keepdim=True) / counted.square().sum((-2, -1), keepdim=True).clamp(1e-8)
    return position_error(scale * pose, target, measured=measured)


def similarity_aligned_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """PA-MPJPE: position error after the similarity of every frame that fits the label best in the sense of least
    squares (Kabsch 1976, Umeyama 1991).

    The similarity is held fixed for the gradient: it is where the squared error is least, so that its own change counts
    nothing to first order there, and singular vectors have no bounded gradient where two singular values meet.
    """
    pose, target = pose.float(), target.float()
    if measured is None:
        pose = pose - pose.mean(-2, keepdim=True)
        target = target - target.mean(-2, keepdim=True)
    else:
        # What was not measured lies in the middle of both, where it counts nothing in the sums below.
        share = (measured / measured.sum(-1, keepdim=True))[..., None]
        pose = (pose - (share * pose).sum(-2, keepdim=True)) * measured[..., None]
        target = (target - (share * target).sum(-2, keepdim=True)) * measured[..., None]
    with torch.no_grad():
        rotation, trace = best_rotation(pose, target)
        scale = trace / pose.square().sum((-2, -1), keepdim=True).clamp(min=1e-8)
    return position_error(scale * (pose @ rotation), target, measured=measured)


def bone_angles(pose: Poses, skeleton: Skeleton) -> Float[Tensor, "clips frames angles"]:
    """Angle, radians, between any two bones that share a joint."""
    bones = skeleton.bones
    parent, child = zip(*bones, strict=True)
    direction = torch.nn.functional.normalize(pose[:, :, list(child)] - pose[:, :, list(parent)], dim=-1)
    pairs = [(bones.index(one), bones.index(other)) for one, other in _bones_that_meet(skeleton)]
    first, second = zip(*pairs, strict=True)
    cosine = (direction[:, :, list(first)] * direction[:, :, list(second)]).sum(-1)
    # The slope of acos is infinite at ±1, where straight limbs are.
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))


def _bones_that_meet(skeleton: Skeleton) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return [(one, other) for one, other in combinations(skeleton.bones, 2) if set(one) & set(other)]
