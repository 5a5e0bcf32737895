"""The quick measure after an epoch."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.supervised import validation_error


@dataclasses.dataclass
class Given:
    """Clips whose input is what ``Answer`` answers."""

    poses: np.ndarray
    labels: np.ndarray
    skeleton = H36M_17

    @property
    def n_frames(self):
        return self.poses.shape[1]

    def __len__(self):
        return len(self.poses)

    def pair(self, clip, part=slice(None)):
        return self.poses[clip, part], self.labels[clip, part]


class Answer(nn.Module):
    def __init__(self):
        super().__init__()
        self.none = nn.Parameter(torch.zeros(()))

    def forward(self, pose2d):
        return pose2d + self.none


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    poses, labels = (rng.normal(size=(3, 4, 17, 3)).astype(np.float32) for _ in range(2))
    labels -= labels[:, :, :1].copy()
    return Given(poses, labels)


def by_hand(clips, clip, joints):
    pose = clips.poses[clip] - clips.poses[clip, :, :1]
    pose, label = pose[:, joints], clips.labels[clip][:, joints]
    scale = (pose * label).sum() / (pose * pose).sum()
    errors = (pose - label, scale * pose - label, np.diff(pose - label, axis=0))
    return [np.linalg.norm(error, axis=-1).mean() for error in errors]


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_unmeasured_joints_are_left_out_and_clips_count_alike(clips, batch_size):
    lost = H36M_17.indices(["Spine", "Head"])
    clips.labels[1][:, lost] = np.nan
    everything, left = np.arange(17), np.delete(np.arange(17), lost)
    expected = np.mean([by_hand(clips, clip, left if clip == 1 else everything) for clip in range(3)], axis=0)
    assert list(validation_error(Answer(), clips, batch_size).values()) == pytest.approx(expected.tolist(), rel=1e-5)


def test_a_clip_of_one_frame_has_no_velocity(clips):
    single = Given(clips.poses[:, :1], clips.labels[:, :1])
    assert validation_error(Answer(), single)["mpjve"] == 0.0
