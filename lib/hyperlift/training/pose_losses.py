"""Losses on poses [clips, frames, joints, 3]; each is a mean, in the unit of its input.

Joints without label (NaN) are ignored: each loss is the mean over the labelled values of a clip, then over clips.
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
    """Weights of the loss terms; a term of weight 0 is not computed."""

    position: float = 1.0
    """Mean per joint position error."""
    temporal_consistency: float = 0.5
    """Mean squared frame-to-frame motion of the prediction; it damps motion."""
    velocity: float = 2.0
    """Mean error of the frame-to-frame motion."""
    scale_normalised: float = 0.0
    """Position error after the optimal scale per frame."""
    similarity_aligned: float = 0.0
    """Position error after the optimal similarity (scale, rotation, translation) per frame."""
    limb_variance: float = 0.0
    """Variance over time of the predicted bone lengths."""
    limb_length: float = 0.0
    """Mean absolute error of the bone lengths."""
    limb_angle: float = 0.0
    """Mean absolute error of the angles between adjacent bones, in radians."""
    angular_velocity: float = 0.0
    """Mean absolute error of the frame-to-frame change of these angles, in radians."""
    extremities: float = 0.0
    """Error of feet and hands relative to ankle or wrist, plus ``velocity`` times that of their motion. If above 0,
    they are in no other term. Requires ``h36m25``."""
    uncertainty: float = 0.0
    """Gaussian negative log-likelihood of the error per axis, after the optimal scale per clip. It has no gradient on
    the pose. Requires ``model.uncertainty``."""
    joints: tuple[float, ...] | None = None
    """Weight of each joint in the position error; None: equal weights."""

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
    """Weighted sum of the loss terms, and the unweighted terms.

    Args:
        pose: prediction.
        target: label in the same space; all three coordinates of a joint without label are NaN.
        weights: weights of the terms.
        skeleton: defines the bones.
        std: predicted standard deviation per axis, for ``uncertainty``.
    """
    # Without autocast: rotations in bfloat16 are inaccurate, and there is no bfloat16 SVD.
    with torch.autocast(pose.device.type, enabled=False):
        apart = bool(weights.extremities)
        core = (pose[:, :, CORE], target[:, :, CORE], weights, H36M_17) if apart else (pose, target, weights, skeleton)
        terms = _terms(*core)
        if apart:
            terms["extremities"] = extremity_error(pose, target, weights.velocity)
        if weights.uncertainty:
            assert std is not None
            terms["uncertainty"] = gaussian_nll(pose, std, target, skeleton.root)
        total = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
    return total, terms


def _terms(pose: Poses, target: Poses, weights: LossWeights, skeleton: Skeleton) -> dict[str, Scalar]:
    motion = pose.shape[1] > 1
    # A corrupt label has NaN in some coordinates only: the loss becomes NaN, and training stops.
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
        known = _all_measured(measured, [(*first, *second) for first, second in _adjacent_bones(skeleton)])
        if weights.limb_angle:
            terms["limb_angle"] = _mean(angle_error.abs(), known)
        if weights.angular_velocity and motion:
            terms["angular_velocity"] = _mean(angle_error.diff(dim=1).abs(), known[:, 1:] & known[:, :-1])
    return terms


def extremity_error(pose: Poses, target: Poses, velocity: float) -> Scalar:
    """Mean error of feet and hands relative to ankle and wrist, over the labelled ones of a batch; 0 without labels.

    Args:
        pose: prediction for ``H36M_25``.
        target: label; NaN for joints without label.
        velocity: weight of the error of their frame-to-frame motion, which is added.
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


def gaussian_nll(pose: Poses, std: Float[Tensor, "clips frames joints"], target: Poses, root: int) -> Scalar:
    """Gaussian negative log-likelihood ``log std + error² / (2 std²)`` (Nix and Weigend 1994), mean over axes.

    The root is excluded. The error is root-relative, after the optimal scale per clip, and has no gradient.
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
    """Mean over the known values of each clip, then over clips, so that splitting a batch does not change the loss."""
    if known is None:
        return values.mean()
    return ((values * known).sum((1, 2)) / known.sum((1, 2))).mean()


def _all_measured(measured: Measured, groups: Sequence[tuple[int, ...]]) -> Bool[Tensor, "clips frames groups"]:
    """Whether all joints of a group have labels."""
    return measured[:, :, list(groups)].all(-1)


def position_error(
    pose: Poses, target: Poses, joint_weights: tuple[float, ...] | None = None, measured: Measured | None = None
) -> Scalar:
    """MPJPE, optionally with joint weights."""
    distance = joint_errors.joint_distance(pose, target)
    return _mean(distance if joint_weights is None else distance * distance.new_tensor(joint_weights), measured)


def velocity_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """Mean norm of the error of frame-to-frame motion (MPJVE, Pavllo et al. 2019)."""
    return _mean(
        joint_errors.velocity_error(pose, target), None if measured is None else measured[:, 1:] & measured[:, :-1]
    )


def temporal_consistency(pose: Poses) -> Scalar:
    """Mean squared frame-to-frame motion of the prediction (Zhang et al. 2022)."""
    return pose.diff(dim=1).square().mean()


def scale_normalised_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """N-MPJPE: position error after the least-squares scale per frame (Rhodin et al. 2018)."""
    counted = pose if measured is None else pose * measured[..., None]
    scale = (counted * target).sum((-2, -1), keepdim=True) / counted.square().sum((-2, -1), keepdim=True).clamp(1e-8)
    return position_error(scale * pose, target, measured=measured)


def similarity_aligned_error(pose: Poses, target: Poses, measured: Measured | None = None) -> Scalar:
    """PA-MPJPE: position error after the least-squares similarity per frame (Kabsch 1976, Umeyama 1991).

    The similarity has no gradient: at the optimum its first-order effect on the squared error is 0, and the gradient of
    singular vectors is unbounded where two singular values are equal.
    """
    pose, target = pose.float(), target.float()
    if measured is None:
        pose = pose - pose.mean(-2, keepdim=True)
        target = target - target.mean(-2, keepdim=True)
    else:
        # Joints without label move to the centroid, where they add nothing to the sums below.
        share = (measured / measured.sum(-1, keepdim=True))[..., None]
        pose = (pose - (share * pose).sum(-2, keepdim=True)) * measured[..., None]
        target = (target - (share * target).sum(-2, keepdim=True)) * measured[..., None]
    with torch.no_grad():
        rotation, trace = best_rotation(pose, target)
        scale = trace / pose.square().sum((-2, -1), keepdim=True).clamp(min=1e-8)
    return position_error(scale * (pose @ rotation), target, measured=measured)


def bone_angles(pose: Poses, skeleton: Skeleton) -> Float[Tensor, "clips frames angles"]:
    """Angle in radians between each pair of bones that share a joint."""
    bones = skeleton.bones
    parent, child = zip(*bones, strict=True)
    direction = torch.nn.functional.normalize(pose[:, :, list(child)] - pose[:, :, list(parent)], dim=-1)
    pairs = [(bones.index(one), bones.index(other)) for one, other in _adjacent_bones(skeleton)]
    first, second = zip(*pairs, strict=True)
    cosine = (direction[:, :, list(first)] * direction[:, :, list(second)]).sum(-1)
    # The gradient of acos is infinite at ±1, the value for straight limbs.
    return torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))


def _adjacent_bones(skeleton: Skeleton) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return [(one, other) for one, other in combinations(skeleton.bones, 2) if set(one) & set(other)]
