"""HyperLift's network: a spatio-temporal transformer with a hypergraph over the joints."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.geometry.contract import LabelSpace
from hyperlift.models.layers.attention import SpatialAttention, TemporalAttention
from hyperlift.models.layers.blocks import Block
from hyperlift.models.layers.frame_lifter import FrameLifter, FrameLifterConfig
from hyperlift.models.layers.path_filter import PathFilter
from hyperlift.models.lifting.hypergraph import HypergraphConfig, tensor
from hyperlift.models.lifting.person_frame import into_person_frame, person_frame
from hyperlift.shapes import Float
from hyperlift.skeletons import RelationBias, degree_normalised_adjacency, skeleton_named


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Sizes and conventions of a lifter."""

    skeleton: str = "h36m17"
    channels: int = 512
    depth: int = 8
    """Layers of the transformer. 0 leaves it out: a ``frame_lifter`` alone."""
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1
    """Stochastic depth of the last block; it rises linearly from 0."""
    n_frames: int = 243
    """Longest clip: the number of learned temporal positions."""
    frame_patch: int = 1
    """Neighbouring frames that share one token a joint. 1 is the published network; 3 costs a third a frame."""
    input_frame: Literal["picture", "person"] = "picture"
    """Whether the network sees joints from the picture's centre or from the person's."""
    frame_lifter: FrameLifterConfig | None = None
    """An MLP that lifts every frame by itself first; the transformer sees its answer and corrects it."""
    smoothing: int = 0
    """Frames on either side that a learned filter of every joint's path reaches, at the very end; 0 for no filter. It
    starts as a Gaussian with a standard deviation of a quarter of that."""
    use_confidence: bool = True
    """False: every joint counts as seen for sure, whatever the detector said."""
    label_space: LabelSpace = "image"
    rootrel: bool = True
    relation_bias: RelationBias = "uniform"
    """What the joint-relation bias starts from: the degree-normalised skeleton, or the identity."""
    hypergraph: HypergraphConfig = field(
        default_factory=lambda: HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
    )

    def __post_init__(self) -> None:
        sizes = ("channels", "depth", "heads", "n_frames", "frame_patch")
        without_layers = self.depth == 0 and self.frame_lifter is not None
        least = min(getattr(self, size) for size in sizes if not (without_layers and size == "depth"))
        if least < 1 or self.channels % self.heads:
            raise InputError(
                f"{', '.join(f'{size} {getattr(self, size)}' for size in sizes)}: all must be positive and channels "
                "a multiple of heads; depth 0 wants a frame_lifter"
            )
        if self.n_frames % self.frame_patch:
            raise InputError(f"n_frames {self.n_frames} is no multiple of frame_patch {self.frame_patch}")
        if not 0 <= self.drop_path < 1:
            raise InputError(f"drop_path is {self.drop_path}; it lies between 0 and 1")
        if self.smoothing < 0:
            raise InputError(f"smoothing is {self.smoothing}; it counts frames")
        skeleton = skeleton_named(self.skeleton)
        if self.rootrel and len(skeleton.bones) != len(skeleton) - 1:
            raise InputError(f"skeleton {self.skeleton} is no tree of bones; a lifter needs its root")
        self.hypergraph.check(skeleton, self.heads)


class HyperLifter(nn.Module):
    """pose2d [N,T,V,3] (x, y in normalised picture space, confidence) to pose3d [N,T,V,3] in the label space.

    ``depth`` times: spatial block over the joints, hyperedge block over the joints, LayerNorm, temporal block over
    the frames, LayerNorm. The two LayerNorms are shared by all depths. With a ``frame_lifter`` that is a correction of
    the pose which every frame alone suggests.

    Args:
        config: sizes and conventions.

    Raises:
        InputError: the hypergraph does not fit the skeleton.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.skeleton = skeleton_named(config.skeleton)
        channels, heads, joints = config.channels, config.heads, len(self.skeleton)
        hypergraph = config.hypergraph
        relation = degree_normalised_adjacency(self.skeleton) if config.relation_bias == "uniform" else np.eye(joints)
        drops = np.linspace(0.0, config.drop_path, config.depth).tolist()

        def block(attention: nn.Module, drop: float) -> Block:
            return Block(channels, attention, config.mlp_ratio, drop)

        features = 3 if config.input_frame == "picture" else 6
        self.frame_lifter = None if config.frame_lifter is None else FrameLifter(config.frame_lifter, joints, features)
        self.filter = PathFilter(joints, config.smoothing, config.smoothing / 4) if config.smoothing else None
        if config.depth == 0:
            return
        if self.frame_lifter is not None:
            features += 3
        self.embed = nn.Linear(features * config.frame_patch, channels)
        self.joint_position = nn.Parameter(torch.zeros(1, joints, channels))
        self.frame_position = nn.Parameter(torch.zeros(1, config.n_frames // config.frame_patch, 1, channels))
        self.spatial = nn.ModuleList(
            block(SpatialAttention(channels, heads, tensor(relation) if hypergraph.relation_term else None), drop)
            for drop in drops
        )
        self.hyperedge = nn.ModuleList(
            block(hypergraph.make_attention(channels, heads, self.skeleton), drop) for drop in drops
        )
        self.temporal = nn.ModuleList(block(TemporalAttention(channels, heads), drop) for drop in drops)
        self.spatial_norm = nn.LayerNorm(channels)
        self.temporal_norm = nn.LayerNorm(channels)
        answer = nn.Linear(channels, 3 * config.frame_patch)
        self.head = nn.Sequential(nn.LayerNorm(channels), answer)
        nn.init.trunc_normal_(self.joint_position, std=0.02)
        nn.init.trunc_normal_(self.frame_position, std=0.02)
        if self.frame_lifter is not None:
            # The first correction is none.
            nn.init.zeros_(answer.weight)
            nn.init.zeros_(answer.bias)

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None = None
    ) -> Float[Tensor, "clips lifted joints 3"]:
        """Lift clips of at most ``config.n_frames`` frames.

        Args:
            pose2d: the clips.
            only: of a network without transformer, the one frame to lift; None lifts all.
        """
        if not self.config.use_confidence:
            pose2d = torch.cat([pose2d[..., :2], torch.ones_like(pose2d[..., 2:])], dim=-1)
        frame = person_frame(pose2d) if self.config.input_frame == "person" else None
        features = pose2d if frame is None else into_person_frame(pose2d, frame)
        if self.frame_lifter is None:
            pose = self._over_time(features)
        else:
            pose = self._rooted(self.frame_lifter(features, only))
            if self.config.depth:
                pose = pose + self._over_time(torch.cat([features, pose], dim=-1))
        if self.filter is not None and only is None:
            pose = self.filter(pose)
        if frame is not None and self.config.label_space == "image":
            pose = pose * frame.spread
            if not self.config.rootrel:
                pose = pose + nn.functional.pad(frame.centre, (0, 1))
        return self._rooted(pose)

    def _rooted(self, pose: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames joints 3"]:
        root = self.skeleton.root
        return pose - pose[:, :, root : root + 1] if self.config.rootrel else pose

    def _over_time(self, features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames joints 3"]:
        """The transformer: attention over joints, hyperedges and frames."""
        x = self.embed(_to_patches(features, self.config.frame_patch)) + self.joint_position
        clips, tokens, joints = x.shape[:3]
        for depth, (spatial, hyperedge, temporal) in enumerate(
            zip(self.spatial, self.hyperedge, self.temporal, strict=True)
        ):
            x = x.flatten(0, 1)  # [clips * tokens, joints, channels]
            x = self.spatial_norm(hyperedge(spatial(x))).unflatten(0, (clips, tokens))
            if depth == 0:
                x = x + self.frame_position[:, :tokens]
            x = x.transpose(1, 2).flatten(0, 1)  # [clips * joints, tokens, channels]
            x = self.temporal_norm(temporal(x)).unflatten(0, (clips, joints)).transpose(1, 2)
        return _from_patches(self.head(x), self.config.frame_patch)[:, : features.shape[1]]


def _to_patches(x: Float[Tensor, "clips frames joints c"], size: int) -> Float[Tensor, "clips tokens joints patch"]:
    """Stack ``size`` neighbouring frames; the last frame is repeated until the last patch is full."""
    if size == 1:
        return x
    tokens = (x.shape[1] + size - 1) // size
    padded = torch.cat([x, x[:, -1:].expand(-1, size - 1, -1, -1)], dim=1)[:, : tokens * size]
    return padded.unflatten(1, (tokens, size)).transpose(2, 3).flatten(3)


def _from_patches(x: Float[Tensor, "clips tokens joints patch"], size: int) -> Float[Tensor, "clips frames joints 3"]:
    """The inverse of ``_to_patches`` for three numbers a joint."""
    return x.unflatten(3, (size, 3)).transpose(2, 3).flatten(1, 2)
