import dataclasses
import math

import numpy as np
import pytest
import torch

from hyperlift.errors import InputError
from hyperlift.geometry import body_size, joint_errors
from hyperlift.geometry.alignment import align_similarity
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.pose_losses import (
    LossWeights,
    bone_angles,
    bone_lengths,
    pose_loss,
    position_error,
    scale_normalised_error,
    similarity_aligned_error,
    temporal_consistency,
    velocity_error,
)

ALL = LossWeights(
    scale_normalised=1.0,
    similarity_aligned=1.0,
    limb_variance=1.0,
    limb_length=1.0,
    limb_angle=1.0,
    angular_velocity=1.0,
)


@pytest.fixture
def pose():
    return torch.rand(2, 5, 17, 3, generator=torch.Generator().manual_seed(0))


def test_hand_computed_numbers():
    still = torch.zeros(1, 3, 17, 3)
    moving = still.clone()
    moving[:, :, :, 0] = torch.tensor([0.0, 3.0, 6.0])[None, :, None]
    moving[:, :, :, 1] = torch.tensor([0.0, 4.0, 8.0])[None, :, None]
    assert position_error(moving, still).item() == pytest.approx(5.0)  # (0 + 5 + 10) / 3
    assert velocity_error(moving, still).item() == pytest.approx(5.0)
    assert temporal_consistency(moving).item() == pytest.approx(25 / 3)  # 9 + 16 + 0 over three axes
    weights = (2.0,) + (0.0,) * 16
    assert position_error(moving, still, weights).item() == pytest.approx(10 / 17)


def test_autocast_does_not_reach_the_losses(pose):
    """bfloat16 products would turn a pose by a rotation of three digits, and have no singular values."""
    target = pose + 0.05 * torch.rand(pose.shape, generator=torch.Generator().manual_seed(1))
    exact, terms = pose_loss(pose, target, ALL, H36M_17)
    with torch.autocast("cpu", torch.bfloat16):
        half, same = pose_loss(pose, target, ALL, H36M_17)
    assert half.item() == exact.item()
    assert {name: term.item() for name, term in same.items()} == {name: term.item() for name, term in terms.items()}


def test_the_truth_costs_nothing(pose):
    total, terms = pose_loss(
        pose, pose, LossWeights(temporal_consistency=0.0, limb_length=1.0, limb_angle=1.0), H36M_17
    )
    assert total.item() == 0
    assert set(terms) == {"position", "velocity", "limb_length", "limb_angle"}


def test_scale_normalised_error_ignores_scale(pose):
    assert scale_normalised_error(3.0 * pose, pose).item() == pytest.approx(0, abs=1e-6)
    assert position_error(3.0 * pose, pose).item() > 0.1


def test_the_aligned_error_ignores_similarities_but_no_mirror(pose):
    turn = torch.linalg.qr(torch.rand(3, 3, generator=torch.Generator().manual_seed(1))).Q
    turn = turn * torch.linalg.det(turn)
    assert similarity_aligned_error(2.0 * pose @ turn + 5.0, pose).item() == pytest.approx(0, abs=1e-5)
    assert similarity_aligned_error(-pose, pose).item() > 0.1


def test_the_aligned_error_is_that_of_the_evaluation(pose):
    other = torch.rand(2, 5, 17, 3, generator=torch.Generator().manual_seed(2))
    error = align_similarity(other.double().numpy(), pose.double().numpy()) - pose.double().numpy()
    assert similarity_aligned_error(other, pose).item() == pytest.approx(
        np.linalg.norm(error, axis=-1).mean(), abs=1e-5
    )


def test_velocities_and_bones_are_those_of_the_evaluation(pose):
    other = torch.rand(2, 5, 17, 3, generator=torch.Generator().manual_seed(2))
    ours, theirs = other.double().numpy(), pose.double().numpy()
    expected = joint_errors.velocity_error(ours, theirs).mean()
    assert velocity_error(other, pose).item() == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(bone_lengths(other, H36M_17), body_size.bone_lengths(ours, H36M_17), atol=1e-6)


def test_bones_and_angles_ignore_rotation_and_place(pose):
    turn = torch.linalg.qr(torch.rand(3, 3, generator=torch.Generator().manual_seed(1))).Q
    moved = pose @ turn + 2.0
    assert torch.allclose(bone_lengths(moved, H36M_17), bone_lengths(pose, H36M_17), atol=1e-5)
    assert torch.allclose(bone_angles(moved, H36M_17), bone_angles(pose, H36M_17), atol=1e-3)


def test_a_right_angle_is_measured():
    pose = torch.rand(1, 1, 17, 3)
    hip, knee, ankle = H36M_17.indices(["RHip", "RKnee", "RAnkle"])
    pose[0, 0, [hip, knee, ankle]] = torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 1, 1]])
    bones = H36M_17.bones
    pairs = [(a, b) for a in range(16) for b in range(a + 1, 16) if set(bones[a]) & set(bones[b])]
    at = pairs.index((bones.index((hip, knee)), bones.index((knee, ankle))))
    assert bone_angles(pose, H36M_17)[0, 0, at].item() == pytest.approx(math.pi / 2)


def test_gradients_are_finite_even_at_the_truth(pose):
    prediction = pose.clone().requires_grad_()
    pose_loss(prediction, pose, ALL, H36M_17)[0].backward()
    assert torch.isfinite(prediction.grad).all()


def test_one_frame_has_no_motion(pose):
    total, terms = pose_loss(pose[:, :1], pose[:, :1] + 1, ALL, H36M_17)
    assert torch.isfinite(total)
    assert "velocity" not in terms


def test_weights_are_checked():
    with pytest.raises(InputError, match="negative"):
        LossWeights(velocity=-1.0)
    with pytest.raises(InputError, match="positive"):
        LossWeights(position=0.0, velocity=0.0, temporal_consistency=0.0)


def spoiled(target, joints=("Spine", "Head")):
    """A label of which the second clip lacks joints."""
    target = target.clone()
    target[1, :, H36M_17.indices(joints)] = torch.nan
    return target


def test_unmeasured_joints_neither_cost_nor_pull(pose):
    other = torch.rand(pose.shape, generator=torch.Generator().manual_seed(2))
    prediction = other.clone().requires_grad_()
    weights = dataclasses.replace(ALL, temporal_consistency=0.0, limb_variance=0.0)
    total, terms = pose_loss(prediction, spoiled(pose), weights, H36M_17)
    total.backward()
    lost = H36M_17.indices(["Spine", "Head"])
    assert torch.isfinite(prediction.grad).all()
    assert (prediction.grad[1, :, lost] == 0).all()
    assert (prediction.grad[0, :, lost] != 0).any(-1).all()
    moved = other.clone()
    moved[1, :, lost] += 7.0
    _, same = pose_loss(moved, spoiled(pose), weights, H36M_17)
    assert {name: term.item() for name, term in same.items()} == pytest.approx(
        {name: term.item() for name, term in terms.items()}, rel=1e-5
    )


def test_what_is_left_of_a_clip_is_compared_as_if_the_rest_were_not_there(pose):
    other = torch.rand(pose.shape, generator=torch.Generator().manual_seed(2))
    left = [joint for joint in range(17) if joint not in H36M_17.indices(["Spine", "Head"])]
    _, terms = pose_loss(other, spoiled(pose), LossWeights(similarity_aligned=1.0, scale_normalised=1.0), H36M_17)
    by_hand = {"position": position_error, "velocity": velocity_error}
    by_hand |= {"similarity_aligned": similarity_aligned_error, "scale_normalised": scale_normalised_error}
    for name, error in by_hand.items():
        expected = (error(other[:1], pose[:1]) + error(other[1:, :, left], pose[1:, :, left])) / 2
        assert terms[name].item() == pytest.approx(expected.item(), abs=1e-6), name


def test_bones_count_where_both_ends_were_measured(pose):
    """Without Spine and Head the bones Pelvis-Spine, Spine-Thorax and Nose-Head fall away."""
    kept = [
        number
        for number, bone in enumerate(H36M_17.bones)
        if not {"Spine", "Head"} & {H36M_17.joints[joint] for joint in bone}
    ]
    assert len(kept) == 13
    other = torch.rand(pose.shape, generator=torch.Generator().manual_seed(2))
    off = (bone_lengths(other, H36M_17) - bone_lengths(pose, H36M_17)).abs()
    _, terms = pose_loss(other, spoiled(pose), LossWeights(limb_length=1.0), H36M_17)
    assert terms["limb_length"].item() == pytest.approx((off[0].mean() + off[1][:, kept].mean()).item() / 2)


def test_the_loss_of_a_batch_is_the_mean_of_its_clips(pose):
    """As shared batches need it, though one clip has fewer joints than the other."""
    other = torch.rand(pose.shape, generator=torch.Generator().manual_seed(2))
    weights = dataclasses.replace(ALL, temporal_consistency=0.0)
    whole, _ = pose_loss(other, spoiled(pose), weights, H36M_17)
    parts = [pose_loss(other[clip : clip + 1], spoiled(pose)[clip : clip + 1], weights, H36M_17)[0] for clip in (0, 1)]
    assert whole.item() == pytest.approx(sum(part.item() for part in parts) / 2, rel=1e-6)


def test_a_clip_without_any_label_gives_no_finite_loss(pose):
    """So that training stops instead of going on with nothing."""
    assert not torch.isfinite(pose_loss(pose, torch.full_like(pose, torch.nan), LossWeights(), H36M_17)[0])
