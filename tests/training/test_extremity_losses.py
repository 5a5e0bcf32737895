import math

import numpy as np
import pytest
import torch

from hyperlift.skeletons.joint_sets import H36M_17, H36M_25
from hyperlift.training.pose_losses import LossWeights, extremity_error, gaussian_nll, pose_loss

HEEL, ANKLE = H36M_25.index("LHeel"), H36M_25.index("LAnkle")


def poses(clips=2, frames=3, seed=0) -> torch.Tensor:
    pose = torch.randn(clips, frames, 25, 3, generator=torch.Generator().manual_seed(seed))
    return pose - pose[:, :, :1]


def test_a_heel_that_lies_off_counts_from_its_ankle():
    target = poses()
    pose = target.clone()
    pose[:, :, HEEL] += torch.tensor([3.0, 0.0, 4.0])  # 5 off in every frame, of eight points
    assert extremity_error(pose, target, 0.0) == pytest.approx(5 / 8)
    assert extremity_error(pose, target, 10.0) == pytest.approx(5 / 8, rel=1e-4)  # it does not move
    pose[:, :, ANKLE] += torch.tensor([3.0, 0.0, 4.0])  # now the heel is right and both toes are not
    assert extremity_error(pose, target, 0.0) == pytest.approx(2 * 5 / 8)


def test_the_motion_of_a_foot_counts_with_the_velocity():
    target = poses(clips=1, frames=2)
    pose = target.clone()
    pose[:, 1, HEEL, 0] += 2.0  # 2 off in one of two frames, and 2 a frame wrong
    assert extremity_error(pose, target, 3.0) == pytest.approx(2 / 16 + 3 * 2 / 8)


def test_feet_that_were_not_measured_do_not_count():
    target = poses()
    pose = target + 1.0
    pose[:, :, 17:] += 1.0
    target[0, :, 17:] = np.nan  # nothing of one clip
    assert extremity_error(pose, target, 1.0) == pytest.approx(math.sqrt(3), rel=1e-6)
    target[:, :, 17:] = np.nan
    assert extremity_error(pose.requires_grad_(), target, 1.0) == 0


def test_the_other_terms_are_those_of_the_seventeen():
    pose, target = poses(seed=1), poses(seed=2)
    weights = {"position": 1.0, "similarity_aligned": 0.5, "velocity": 2.0, "limb_length": 1.0}
    _, terms = pose_loss(pose, target, LossWeights(**weights, extremities=0.5), H36M_25)
    _, core = pose_loss(pose[:, :, :17], target[:, :, :17], LossWeights(**weights), H36M_17)
    assert {name: term for name, term in terms.items() if name != "extremities"} == core


def test_the_gaussian_likelihood_of_known_errors():
    target = poses()
    std = torch.full((2, 3, 25), 0.5)
    # Twice as large everywhere: the best scale of the clip takes all of the error away.
    assert gaussian_nll(2 * target, std, target, 0) == pytest.approx(math.log(0.5), abs=1e-5)
    rng = torch.Generator().manual_seed(5)
    target = torch.randn(1, 4000, 25, 3, generator=rng)
    noisy = target + 0.1 * torch.randn(1, 4000, 25, 3, generator=rng)
    found = {s: float(gaussian_nll(noisy, torch.full((1, 4000, 25), s), target, 0)) for s in (0.09, 0.0995, 0.11)}
    assert min(found, key=found.__getitem__) == 0.0995  # what is left after the best scale is a little less than 0.1


def test_an_uncertainty_teaches_the_pose_nothing():
    pose, std = poses(seed=1).requires_grad_(), torch.full((2, 3, 25), 0.1, requires_grad=True)
    target = poses(seed=2)
    target[0, :, 20] = np.nan
    loss, terms = pose_loss(
        pose, target, LossWeights(position=0.0, velocity=0.0, uncertainty=1.0, temporal_consistency=0.0), H36M_25, std
    )
    loss.backward()
    assert set(terms) == {"uncertainty"}
    assert pose.grad is None
    assert not std.grad[:, :, 0].any()  # the root has no error
    assert not std.grad[0, :, 20].any()
    assert std.grad[1, :, 20].all()
