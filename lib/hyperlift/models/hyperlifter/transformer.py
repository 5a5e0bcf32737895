"""The joint–time transformer: attention over joints, hyperedges and frames, of whole clips or token by token."""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.answers import start_uncertain
from hyperlift.models.hyperlifter.config import ModelConfig
from hyperlift.models.hyperlifter.extremity_tokens import ExtremityTokens
from hyperlift.models.hyperlifter.hypergraph import tensor
from hyperlift.models.layers.attention import (
    HyperedgeAttention,
    SpatialAttention,
    SummedAttention,
    TemporalAttention,
    attend_explicitly,
    join_heads,
)
from hyperlift.models.layers.blocks import Block
from hyperlift.models.layers.causal_attention import CausalAttention, biases_at
from hyperlift.models.layers.precision import in_float32
from hyperlift.models.layers.tokens import TokenMerge, from_patches, to_patches
from hyperlift.shapes import Float, Int
from hyperlift.skeletons.hypergraph import degree_normalised_adjacency


class Past(NamedTuple):
    """Temporal cache of a streaming transformer: keys and values, one tensor per layer."""

    keys: tuple[Float[Tensor, "people joints heads look_back d"], ...]
    """A ring buffer: the token of frame f is at index f modulo ``look_back``."""
    values: tuple[Float[Tensor, "people joints heads look_back d"], ...]


class JointTimeTransformer(nn.Module):
    """Maps joint features to a pose; a token is one joint in ``frame_patch`` frames.

    ``depth`` times: spatial block over the joints, hyperedge block over the joints, LayerNorm, temporal block over
    the frames, LayerNorm. The two LayerNorms are shared by all depths. ``token_merge``, ``joint_block`` and
    ``share_layers`` reduce its cost or size.

    Args:
        config: sizes and conventions.
        features: input features per joint.
    """

    def __init__(self, config: ModelConfig, features: int) -> None:
        super().__init__()
        self.config = config
        skeleton = config.token_skeleton
        channels, heads, joints = config.channels, config.heads, len(skeleton)
        hypergraph = config.hypergraph
        relation = degree_normalised_adjacency(skeleton) if config.relation_bias == "uniform" else np.eye(joints)
        drops = [config.drop_path] if config.share_layers else np.linspace(0, config.drop_path, config.depth).tolist()

        def block(attention: nn.Module, drop: float) -> Block:
            return Block(channels, attention, config.mlp_ratio, drop)

        def spatial_attention() -> SpatialAttention:
            return SpatialAttention(channels, heads, tensor(relation) if hypergraph.relation_term else None)

        def hyperedge_attention() -> nn.Module:
            return hypergraph.make_attention(channels, heads, skeleton)

        def temporal_attention() -> TemporalAttention:
            if config.streaming is not None:
                return CausalAttention(channels, heads, config.streaming.look_back)
            return TemporalAttention(channels, heads)

        self.embed = nn.Linear(features * config.frame_patch, channels)
        self.joint_position = nn.Parameter(torch.zeros(1, joints, channels))
        # A stream has no absolute temporal positions.
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
        answers = nn.Linear(channels, config.numbers * config.frame_patch)
        self.head = nn.Sequential(nn.LayerNorm(channels), answers)
        if config.uncertainty:
            start_uncertain(answers)
        self.extremities = None
        if config.predicts_extremities:
            inputs = 3 if config.frame_lifter is None else 6
            self.extremities = ExtremityTokens(channels, config.frame_patch, inputs, config.numbers)
        nn.init.trunc_normal_(self.joint_position, std=0.02)
        if self.frame_position is not None:
            nn.init.trunc_normal_(self.frame_position, std=0.02)

    @torch.no_grad()
    def start_at_zero(self) -> None:
        """Zero the output layer, so that the initial correction of the frame lifter's pose is 0."""
        answer = self.head[-1]
        assert isinstance(answer, nn.Linear)
        nn.init.zeros_(answer.weight)
        nn.init.zeros_(answer.bias)
        if self.extremities is not None:
            self.extremities.start_at_zero()

    def forward(
        self,
        features: Float[Tensor, "clips frames joints c"],
        extremities: Float[Tensor, "clips frames extremities e"] | None = None,
    ) -> Float[Tensor, "clips frames lifted numbers"]:
        """Lift clips.

        Args:
            features: features of the joints.
            extremities: features of feet and hands; required if they are predicted.
        """
        x = self.embed(to_patches(features, self.config.frame_patch)) + self.joint_position
        if self.extremities is not None:
            assert extremities is not None
            x = x + self.extremities.embed(extremities)
        clips, _, joints = x.shape[:3]
        merge_after = () if self.config.token_merge is None else self.config.token_merge.after
        early: list[Tensor] = []  # input of each merge
        for depth, layer in enumerate(self._layers):
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
        answer = from_patches(in_float32(self.head, x), self.config.frame_patch)
        if self.extremities is not None:
            answer = torch.cat([answer, self.extremities(x)], dim=2)
        return answer[:, : features.shape[1]]

    def step(
        self,
        features: Float[Tensor, "people joints c"],
        token: Int[Tensor, " people"],
        past: Past,
        extremities: Float[Tensor, "people extremities e"] | None = None,
    ) -> tuple[Float[Tensor, "people lifted numbers"], Past]:
        """``forward`` for the next token of N streams.

        Args:
            features: features of the joints in the frame of the token.
            token: index of the token, from 0. For negative indices the output is undefined, and the cached keys and
                values are overwritten before they are used.
            past: cache of the previous tokens.
            extremities: features of feet and hands; required if they are predicted.

        Returns:
            The outputs, and the cache with this token.
        """
        assert self.config.streaming is not None
        look_back = self.config.streaming.look_back
        place = torch.remainder(token, look_back)
        lag = torch.remainder(place[:, None] - torch.arange(look_back, device=token.device), look_back)
        lag = lag.masked_fill(lag > token[:, None].clamp(min=0), look_back)  # no token is cached there yet
        temporal = [cast(Block, self.temporal[layer]) for layer in self._layers]
        attentions = [cast(CausalAttention, block.attention) for block in temporal]
        # One look-up for all layers: at this size the overhead per operator exceeds the arithmetic.
        bias = biases_at(lag, torch.cat([attention.lag_bias for attention in attentions]))
        biases = bias.transpose(1, 2).chunk(len(attentions), dim=1)  # of each layer [people, heads, look_back]
        keys, values = list(past.keys), list(past.values)
        x = self.embed(features) + self.joint_position[0]
        if self.extremities is not None:
            assert extremities is not None
            x = x + self.extremities.embed(extremities[:, None])[:, 0]
        for depth, (layer, attention) in enumerate(zip(self._layers, attentions, strict=True)):
            x = self.spatial_norm(_apply_block(self.hyperedge[layer], _apply_block(self.spatial[layer], x)))
            block = temporal[depth]
            q, k, v = (
                part.unflatten(-1, (attention.heads, -1)) for part in attention.qkv(block.norm1(x)).chunk(3, dim=-1)
            )  # [people, joints, heads, d]
            keys[depth], values[depth] = _replace_token(keys[depth], place, k), _replace_token(values[depth], place, v)
            logits = (q * q.shape[-1] ** -0.5)[..., None, :] @ keys[depth].transpose(-1, -2)
            weights = (logits + biases[depth][:, None, :, None]).softmax(-1)  # [people, joints, heads, 1, look_back]
            x = x + attention.out((weights @ values[depth]).flatten(2))
            x = self.temporal_norm(x + block.mlp(block.norm2(x)))
        answer = self.head(x)
        if self.extremities is not None:
            answer = torch.cat([answer, self.extremities(x[:, None])[:, 0]], dim=1)
        return answer, Past(tuple(keys), tuple(values))

    def empty_past(self, people: int) -> Past:
        """An empty cache for streams that have not started."""
        config = self.config
        assert config.streaming is not None
        places = (config.streaming.look_back, config.channels // config.heads)
        sizes = (people, self.joint_position.shape[1], config.heads, *places)
        return Past(*(tuple(self.joint_position.new_zeros(sizes) for _ in self._layers) for _ in ("keys", "values")))

    @property
    def _layers(self) -> list[int]:
        """Index of the weights of each layer."""
        return [0 if self.config.share_layers else depth for depth in range(self.config.depth)]


def _replace_token(
    cache: Float[Tensor, "people joints heads look_back d"],
    place: Int[Tensor, " people"],
    new: Float[Tensor, "people joints heads d"],
) -> Float[Tensor, "people joints heads look_back d"]:
    """Replace one token of the cache.

    A single scatter from graph input to output lets ONNX Runtime work in place. It writes rows of d numbers, because an
    element-wise scatter takes as long as all matrix products of the step.
    """
    people, joints, heads = (torch.arange(size, device=new.device) for size in new.shape[:3])
    return cache.index_put((people[:, None, None], joints[:, None], heads, place[:, None, None]), new)


def _apply_block(block: nn.Module, x: Float[Tensor, "people joints c"]) -> Float[Tensor, "people joints c"]:
    """``Block.forward`` for attention over joints, or the identity."""
    if not isinstance(block, Block):
        return block(x)
    x = x + _attended(block.attention, block.norm1(x))
    return x + block.mlp(block.norm2(x))


def _attended(attention: nn.Module, x: Float[Tensor, "people joints c"]) -> Float[Tensor, "people joints c"]:
    if isinstance(attention, SpatialAttention | HyperedgeAttention):
        return attention.out(join_heads(attend_explicitly(attention.operands(x))))
    return attention(x)
