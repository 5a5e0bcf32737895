"""HyperLift's network: a spatio-temporal transformer with a hypergraph over the joints."""

from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.geometry.contract import LabelSpace
from hyperlift.models.layers.attention import SpatialAttention, SummedAttention, TemporalAttention
from hyperlift.models.layers.blocks import Block
from hyperlift.models.layers.causal_attention import CausalAttention
from hyperlift.models.layers.foreshortening import Foreshortening
from hyperlift.models.layers.frame_lifter import FrameLifter, FrameLifterConfig
from hyperlift.models.layers.path_filter import PathFilter
from hyperlift.models.layers.precision import in_float32
from hyperlift.models.layers.tokens import TokenMerge, TokenMergeConfig, from_patches, to_patches
from hyperlift.models.lifting.hypergraph import HypergraphConfig, tensor
from hyperlift.models.lifting.person_frame import PersonFrame, into_person_frame, person_frame
from hyperlift.models.lifting.streaming import Reach, StreamingConfig, look
from hyperlift.shapes import Float, Int
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
    token_merge: TokenMergeConfig | None = None
    """After its first layers the transformer may go on with fewer tokens in time, which are restored at the end."""
    joint_block: Literal["two", "one"] = "two"
    """two: a spatial block, then a hyperedge block. one: both attentions see the same joints and are added, before one
    MLP for both."""
    share_layers: bool = False
    """All layers have the same weights (Lan et al. 2020). Cost stays; every layer drops paths at ``drop_path``."""
    input_frame: Literal["picture", "person"] = "picture"
    """Whether the network sees joints from the picture's centre or from the person's."""
    foreshortening: tuple[float, ...] = ()
    """Lengths that bones may have, in units of the person's spread; for each the network is told how far every bone
    would reach into depth. Wants ``input_frame: person``."""
    frame_lifter: FrameLifterConfig | None = None
    """An MLP that lifts every frame by itself first; the transformer sees its answer and corrects it."""
    smoothing: int = 0
    """Frames on either side that a learned filter of every joint's path reaches, at the very end; 0 for no filter. It
    starts as a Gaussian with a standard deviation of a quarter of that."""
    streaming: StreamingConfig | None = None
    """Lift frame by frame, with a bounded view of the past and the future, so that a live frame costs one frame."""
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
        if self.depth and self.token_merge is not None and self.token_merge.after[-1] >= self.depth:
            raise InputError(
                f"token_merge: after is {list(self.token_merge.after)}; of {self.depth} layers the last one follows "
                "every merge"
            )
        if not 0 <= self.drop_path < 1:
            raise InputError(f"drop_path is {self.drop_path}; it lies between 0 and 1")
        if self.smoothing < 0:
            raise InputError(f"smoothing is {self.smoothing}; it counts frames")
        if self.foreshortening and (self.input_frame != "person" or min(self.foreshortening) <= 0):
            raise InputError(
                f"foreshortening {list(self.foreshortening)}, input_frame {self.input_frame}; lengths are positive and "
                "in units of the person's spread, so input_frame must be person"
            )
        skeleton = skeleton_named(self.skeleton)
        if self.rootrel and len(skeleton.bones) != len(skeleton) - 1:
            raise InputError(f"skeleton {self.skeleton} is no tree of bones; a lifter needs its root")
        self.hypergraph.check(skeleton, self.heads)
        if self.streaming is not None:
            self._check_streaming()

    @property
    def reach(self) -> Reach:
        """What a streaming network sees.

        Raises:
            InputError: it sees further ahead than it waits.
        """
        assert self.streaming is not None
        return Reach(
            look_back=self.streaming.look_back,
            look_ahead=self.streaming.look_ahead,
            neighbours=(0,) if self.frame_lifter is None else self.frame_lifter.neighbours,
            smoothing=self.smoothing,
            person=self.input_frame == "person",
        )

    def _check_streaming(self) -> None:
        if self.depth and self.frame_patch != 1:
            raise InputError(f"streaming: frame_patch is {self.frame_patch}; a stream has a token a frame, 1")
        if not self.rootrel:
            raise InputError("streaming: rootrel is false; a stream has no first frame to measure depth from")
        if self.frame_lifter is not None and self.frame_lifter.smoothing:
            raise InputError("streaming: frame_lifter.smoothing is not 0; smooth at the end (smoothing) or not at all")
        if self.token_merge is not None:
            raise InputError("streaming: token_merge is set; the tokens of a stream come one by one and cannot merge")
        if self.frame_lifter is not None and self.frame_lifter.frames > 1:
            raise InputError(
                f"streaming: frame_lifter.frames is {self.frame_lifter.frames}; a stream lifts one at once, 1"
            )
        _ = self.reach

    @property
    def frames_together(self) -> int:
        """The most neighbouring frames that share something: a token, or one evaluation of the frame lifter."""
        merges = 1 if self.token_merge is None else self.token_merge.size ** len(self.token_merge.after)
        return max(self.frame_patch * merges, 1 if self.frame_lifter is None else self.frame_lifter.frames)


class HyperLifter(nn.Module):
    """pose2d [N,T,V,3] (x, y in normalised picture space, confidence) to pose3d [N,T,V,3] in the label space.

    ``depth`` times: spatial block over the joints, hyperedge block over the joints, LayerNorm, temporal block over
    the frames, LayerNorm. The two LayerNorms are shared by all depths. With a ``frame_lifter`` that is a correction of
    the pose which every frame alone suggests. ``token_merge``, ``joint_block`` and ``share_layers`` make it cheaper.

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
        drops = [config.drop_path] if config.share_layers else np.linspace(0, config.drop_path, config.depth).tolist()

        def block(attention: nn.Module, drop: float) -> Block:
            return Block(channels, attention, config.mlp_ratio, drop)

        def spatial_attention() -> SpatialAttention:
            return SpatialAttention(channels, heads, tensor(relation) if hypergraph.relation_term else None)

        def hyperedge_attention() -> nn.Module:
            return hypergraph.make_attention(channels, heads, self.skeleton)

        def temporal_attention() -> TemporalAttention:
            if config.streaming is not None:
                return CausalAttention(channels, heads, config.streaming.look_back)
            return TemporalAttention(channels, heads)

        features = 3 if config.input_frame == "picture" else 6
        self.foreshortening = Foreshortening(self.skeleton, config.foreshortening) if config.foreshortening else None
        if self.foreshortening is not None:
            features += self.foreshortening.features
        self.frame_lifter = None if config.frame_lifter is None else FrameLifter(config.frame_lifter, joints, features)
        self.filter = PathFilter(joints, config.smoothing, config.smoothing / 4) if config.smoothing else None
        if config.depth == 0:
            return
        if self.frame_lifter is not None:
            features += 3
        self.embed = nn.Linear(features * config.frame_patch, channels)
        self.joint_position = nn.Parameter(torch.zeros(1, joints, channels))
        # A stream has no beginning to count from.
        places = 0 if config.streaming else config.n_frames // config.frame_patch
        self.frame_position = nn.Parameter(torch.zeros(1, places, 1, channels)) if places else None
        if config.joint_block == "two":
            self.spatial = nn.ModuleList(block(spatial_attention(), drop) for drop in drops)
            self.hyperedge = nn.ModuleList(block(hyperedge_attention(), drop) for drop in drops)
        else:
            both = (SummedAttention(spatial_attention(), hyperedge_attention()) for _ in drops)
            self.spatial = nn.ModuleList(block(attention, drop) for attention, drop in zip(both, drops, strict=True))
            self.hyperedge = nn.ModuleList(nn.Identity() for _ in drops)
        self.temporal = nn.ModuleList(block(temporal_attention(), drop) for drop in drops)
        merge = config.token_merge
        self.merges = nn.ModuleList(TokenMerge(channels, merge.size) for _ in merge.after) if merge else nn.ModuleList()
        self.spatial_norm = nn.LayerNorm(channels)
        self.temporal_norm = nn.LayerNorm(channels)
        answer = nn.Linear(channels, 3 * config.frame_patch)
        self.head = nn.Sequential(nn.LayerNorm(channels), answer)
        nn.init.trunc_normal_(self.joint_position, std=0.02)
        if self.frame_position is not None:
            nn.init.trunc_normal_(self.frame_position, std=0.02)
        if self.frame_lifter is not None:
            # The first correction is none.
            nn.init.zeros_(answer.weight)
            nn.init.zeros_(answer.bias)

    def forward(
        self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None = None
    ) -> Float[Tensor, "clips lifted joints 3"]:
        """Lift clips of at most ``config.n_frames`` frames (a streaming network takes any number).

        Args:
            pose2d: the clips.
            only: of a network without transformer, the one frame to lift, or the middle one of the group that its
                frame lifter lifts at once, all of which come back; None lifts all.
        """
        if not self.config.use_confidence:
            pose2d = torch.cat([pose2d[..., :2], torch.ones_like(pose2d[..., 2:])], dim=-1)
        if self.config.streaming is not None:
            return self._as_stream(pose2d, only)
        frame = person_frame(pose2d) if self.config.input_frame == "person" else None
        if self.frame_lifter is None:
            pose = self._over_time(self._features(pose2d, frame))
        elif only is not None:
            # Of the other frames nothing is made; the person's size is still measured over all of them.
            seen = self.frame_lifter.seen_from(only, pose2d.shape[1])
            around = None if frame is None else PersonFrame(frame.centre[:, seen], frame.spread)
            pose = self.rooted(self.frame_lifter.lift(self._features(pose2d[:, seen], around).flatten(1)[:, None]))
        else:
            features = self._features(pose2d, frame)
            pose = self.rooted(self.frame_lifter(features))
            if self.config.depth:
                pose = pose + self._over_time(torch.cat([features, pose], dim=-1))
        if self.filter is not None and only is None:
            pose = self.filter(pose)
        if frame is not None and self.config.label_space == "image":
            pose = pose * frame.spread
            if not self.config.rootrel:
                lifter = self.config.frame_lifter
                lifted = slice(None) if only is None or lifter is None else lifter.group_at(only)
                pose = pose + nn.functional.pad(frame.centre[:, lifted], (0, 1))
        return self.rooted(pose)

    def _features(
        self, pose2d: Float[Tensor, "clips frames joints 3"], frame: PersonFrame | None
    ) -> Float[Tensor, "clips frames joints c"]:
        """What is told of every joint."""
        features = pose2d if frame is None else into_person_frame(pose2d, frame)
        if self.foreshortening is None:
            return features
        return torch.cat([features, self.foreshortening(features[..., :2])], dim=-1)

    def _as_stream(
        self, pose2d: Float[Tensor, "clips frames joints 3"], only: int | None
    ) -> Float[Tensor, "clips lifted joints 3"]:
        """What a stream of these frames gives, the last frame held until all poses are out."""
        reach = self.config.reach
        windows = reach.windows_of(pose2d)
        features, pose, spread = self.first_guess(pose2d, windows if only is None else windows[only : only + 1])
        if self.config.depth:
            pose = pose + self._over_time(features)
        if spread is not None:
            pose = pose * spread
        if self.filter is not None and only is None:
            pose = self.filter.within(torch.cat([pose[:, :1].expand(-1, reach.smoothing, -1, -1), pose], dim=1))
        return self.rooted(pose)

    def first_guess(
        self, pose2d: Float[Tensor, "clips frames joints 3"], windows: Int[Tensor, "tokens history"]
    ) -> tuple[
        Float[Tensor, "clips tokens joints c"],
        Float[Tensor, "clips tokens joints 3"],
        Float[Tensor, "clips tokens 1 1"] | None,
    ]:
        """Of a streaming network: everything before the transformer.

        Args:
            pose2d: frames of the stream, with the confidence that counts.
            windows: the frames that each token sees, oldest first.

        Returns:
            What the transformer gets; the pose that it corrects, 0 without a frame lifter; and the factor that poses
            are to be multiplied with, None for 1.
        """
        reach = self.config.reach
        seen, spread = look(pose2d, windows, reach)
        if self.foreshortening is not None:
            seen = torch.cat([seen, self.foreshortening(seen[..., :2].flatten(0, 1)).unflatten(0, seen.shape[:2])], -1)
        features = seen[:, :, reach.neighbours.index(0)]
        spread = spread if self.config.label_space == "image" else None
        if self.frame_lifter is None:
            return features, torch.zeros_like(features[..., :3]), spread
        pose = self.rooted(self.frame_lifter.lift(seen.flatten(2)))
        return torch.cat([features, pose], dim=-1), pose, spread

    def rooted(self, pose: Float[Tensor, "clips frames joints 3"]) -> Float[Tensor, "clips frames joints 3"]:
        """The root at 0, where poses are root-relative."""
        root = self.skeleton.root
        return pose - pose[:, :, root : root + 1] if self.config.rootrel else pose

    def _over_time(self, features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames joints 3"]:
        """The transformer: attention over joints, hyperedges and frames."""
        x = self.embed(to_patches(features, self.config.frame_patch)) + self.joint_position
        clips, _, joints = x.shape[:3]
        merge_after = () if self.config.token_merge is None else self.config.token_merge.after
        early: list[Tensor] = []  # what every merge was given
        for depth in range(self.config.depth):
            layer = 0 if self.config.share_layers else depth
            tokens = x.shape[1]
            x = x.flatten(0, 1)  # [clips * tokens, joints, channels]
            x = self.spatial_norm(self.hyperedge[layer](self.spatial[layer](x))).unflatten(0, (clips, tokens))
            if depth == 0 and self.frame_position is not None:
                x = x + self.frame_position[:, :tokens]
            x = x.transpose(1, 2).flatten(0, 1)  # [clips * joints, tokens, channels]
            x = self.temporal_norm(self.temporal[layer](x)).unflatten(0, (clips, joints)).transpose(1, 2)
            if depth + 1 in merge_after:
                early.append(x)
                x = self.merges[len(early) - 1](x)
        for merge in reversed(list(self.merges)):
            x = cast(TokenMerge, merge).restore(x, early.pop())
        return from_patches(in_float32(self.head, x), self.config.frame_patch)[:, : features.shape[1]]
