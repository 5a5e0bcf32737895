"""A per-frame MLP, dilated temporal convolutions, and a plain spatio-temporal transformer.

Each takes pose2d_norm [N,T,V,3] and returns a root-relative pose [N,T,V,3] in camera axes, as ours does, and sees the
person from its own centre (``into_person_frame``), so that they differ in nothing but the network.
"""

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.person_frame import into_person_frame, person_frame
from hyperlift.models.layers.attention import SpatialAttention, TemporalAttention
from hyperlift.models.layers.blocks import Block
from hyperlift.models.layers.frame_lifter import FrameLifter, FrameLifterConfig

JOINTS = 17
FEATURES = 6


def _features(pose2d_norm: Tensor) -> Tensor:
    return into_person_frame(pose2d_norm, person_frame(pose2d_norm))


class PerFrameMlp(nn.Module):
    """The residual MLP of single frames (after Martinez et al. 2017)."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.lifter = FrameLifter(FrameLifterConfig(channels=channels, depth=depth), JOINTS, FEATURES)

    def forward(self, pose2d_norm: Tensor) -> Tensor:
        """Lift every frame by itself."""
        pose = self.lifter(_features(pose2d_norm))
        return pose - pose[:, :, :1]


class TemporalConvolutions(nn.Module):
    """Dilated convolutions over whole bodies (after Pavllo et al. 2019), centred, with the ends repeated."""

    def __init__(self, channels: int, dilations: tuple[int, ...] = (1, 3, 9)) -> None:
        super().__init__()
        self.embed = nn.Conv1d(JOINTS * FEATURES, channels, 3, padding=1, padding_mode="replicate")
        self.first = nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, padding_mode="replicate"),
                nn.BatchNorm1d(channels),
                nn.ReLU(),
                nn.Conv1d(channels, channels, 1),
                nn.BatchNorm1d(channels),
                nn.ReLU(),
            )
            for dilation in dilations
        )
        self.head = nn.Conv1d(channels, 3 * JOINTS, 1)

    def forward(self, pose2d_norm: Tensor) -> Tensor:
        """Lift every frame with its neighbours."""
        x = self.first(self.embed(_features(pose2d_norm).flatten(2).transpose(1, 2)))
        for block in self.blocks:
            x = x + block(x)
        pose = self.head(x).transpose(1, 2).unflatten(-1, (JOINTS, 3))
        return pose - pose[:, :, :1]


class PlainTransformer(nn.Module):
    """Attention over joints and attention over frames in turn, a token a joint and frame, pre-norm."""

    def __init__(self, channels: int, depth: int, heads: int, n_frames: int) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURES, channels)
        self.joint_position = nn.Parameter(torch.randn(1, 1, JOINTS, channels) * 0.02)
        self.frame_position = nn.Parameter(torch.randn(1, n_frames, 1, channels) * 0.02)
        self.spatial = nn.ModuleList(
            Block(channels, SpatialAttention(channels, heads, None), 2.0, 0.0) for _ in range(depth)
        )
        self.temporal = nn.ModuleList(
            Block(channels, TemporalAttention(channels, heads), 2.0, 0.0) for _ in range(depth)
        )
        self.head = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, 3))

    def forward(self, pose2d_norm: Tensor) -> Tensor:
        """Lift a clip."""
        clips, frames = pose2d_norm.shape[:2]
        x = self.embed(_features(pose2d_norm)) + self.joint_position + self.frame_position[:, :frames]
        for spatial, temporal in zip(self.spatial, self.temporal, strict=True):
            x = spatial(x.flatten(0, 1)).unflatten(0, (clips, frames))
            x = temporal(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (clips, JOINTS)).transpose(1, 2)
        pose = self.head(x)
        return pose - pose[:, :, :1]
