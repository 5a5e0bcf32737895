"""One frame of a stream: a streaming network with its past handed in and out, so that a frame costs one frame."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from hyperlift.models.layers.attention import HyperedgeAttention, SpatialAttention, attend_plainly, join_heads
from hyperlift.models.layers.blocks import Block
from hyperlift.models.layers.causal_attention import CausalAttention, biases_at
from hyperlift.models.lifting.lifter import HyperLifter
from hyperlift.shapes import Float, Int


class StreamCache(NamedTuple):
    """What a stream remembers of N people; rows are independent of one another.

    A person whose ``frames_seen`` is 0 is new: whatever else stands in the row is not looked at, as long as it is
    finite.
    """

    frames_seen: Int[Tensor, " people"]
    recent: Float[Tensor, "people history joints 3"]
    """Keypoints of the latest frames, oldest first."""
    answers: Float[Tensor, "people waiting joints 3"]
    """Latest poses before the final filter, oldest first; twice its reach, none without a filter."""
    keys: tuple[Float[Tensor, "people joints heads look_back d"], ...]
    """One tensor a layer. The token of frame f stands at place f modulo ``look_back``."""
    values: tuple[Float[Tensor, "people joints heads look_back d"], ...]


class StreamStep(nn.Module):
    """Lifts the next frame of N streams.

    A frame comes in, and the pose of the frame ``look_ahead`` frames before it goes out; before there is such a frame,
    what goes out means nothing. Frame by frame that is what the network makes of a whole clip.

    Args:
        model: a network with ``config.streaming``.
    """

    def __init__(self, model: HyperLifter) -> None:
        super().__init__()
        assert model.config.streaming is not None
        self.model = model

    def new_cache(self, people: int) -> StreamCache:
        """Of people who have not been seen yet."""
        config, reach = self.model.config, self.model.config.reach
        joints = len(self.model.skeleton)
        like = next(self.model.parameters())
        past = (people, joints, config.heads, reach.look_back, config.channels // config.heads)
        return StreamCache(
            frames_seen=torch.zeros(people, dtype=torch.int64, device=like.device),
            recent=like.new_zeros(people, reach.history, joints, 3),
            answers=like.new_zeros(people, 2 * reach.smoothing, joints, 3),
            keys=tuple(like.new_zeros(past) for _ in range(config.depth)),
            values=tuple(like.new_zeros(past) for _ in range(config.depth)),
        )

    def forward(
        self, pose2d: Float[Tensor, "people 1 joints 3"], cache: StreamCache
    ) -> tuple[Float[Tensor, "people 1 joints 3"], StreamCache]:
        """Take the next frame of everybody."""
        model, reach = self.model, self.model.config.reach
        if not model.config.use_confidence:
            pose2d = torch.cat([pose2d[..., :2], torch.ones_like(pose2d[..., 2:])], dim=-1)
        seen = cache.frames_seen
        recent = _shifted(cache.recent, pose2d, seen == 0)
        # Before the first token its place is negative, and what is written is written over before it is looked at.
        token = seen - reach.token_lag
        every = torch.arange(reach.history, device=pose2d.device)[None]
        features, pose, spread = model.first_guess(recent, every)
        keys, values = list(cache.keys), list(cache.values)
        if model.config.depth:
            pose = pose + self._over_time(features[:, 0], token, keys, values)[:, None]
        if spread is not None:
            pose = pose * spread
        answers = cache.answers
        if model.filter is not None:
            path = torch.cat([answers, pose], dim=1)
            path = torch.where((token <= 0)[:, None, None, None], pose, path)
            pose, answers = model.filter.within(path), path[:, 1:]
        return model.rooted(pose), StreamCache(seen + 1, recent, answers, tuple(keys), tuple(values))

    def _over_time(
        self,
        features: Float[Tensor, "people joints c"],
        token: Int[Tensor, " people"],
        keys: list[Tensor],
        values: list[Tensor],
    ) -> Float[Tensor, "people joints 3"]:
        """``HyperLifter._over_time`` for one token; the entries of ``keys`` and ``values`` are replaced."""
        model = self.model
        look_back = model.config.reach.look_back
        place = torch.remainder(token, look_back)
        lag = torch.remainder(place[:, None] - torch.arange(look_back, device=token.device), look_back)
        lag = lag.masked_fill(lag > token[:, None].clamp(min=0), look_back)  # nothing stands there yet
        layers = [0 if model.config.share_layers else depth for depth in range(model.config.depth)]
        attentions = [cast(CausalAttention, cast(Block, model.temporal[layer]).attention) for layer in layers]
        bias = biases_at(lag, torch.cat([attention.lag_bias for attention in attentions]))
        biases = bias.transpose(1, 2).chunk(len(attentions), dim=1)  # of each layer [people, heads, look_back]
        x = model.embed(features) + model.joint_position[0]
        for depth, (layer, attention) in enumerate(zip(layers, attentions, strict=True)):
            temporal = cast(Block, model.temporal[layer])
            x = model.spatial_norm(_through(model.hyperedge[layer], _through(model.spatial[layer], x)))
            q, k, v = (
                part.unflatten(-1, (attention.heads, -1)) for part in attention.qkv(temporal.norm1(x)).chunk(3, dim=-1)
            )  # [people, joints, heads, d]
            keys[depth], values[depth] = _written(keys[depth], place, k), _written(values[depth], place, v)
            logits = (q * q.shape[-1] ** -0.5)[..., None, :] @ keys[depth].transpose(-1, -2)
            weights = (logits + biases[depth][:, None, :, None]).softmax(-1)  # [people, joints, heads, 1, look_back]
            x = x + attention.out((weights @ values[depth]).flatten(2))
            x = model.temporal_norm(x + temporal.mlp(temporal.norm2(x)))
        return model.head(x)


def _shifted(
    recent: Float[Tensor, "people history joints 3"],
    newest: Float[Tensor, "people 1 joints 3"],
    first: Tensor,
) -> Float[Tensor, "people history joints 3"]:
    """The newest frame at the end; of somebody new, it alone from the beginning on."""
    return torch.where(first[:, None, None, None], newest, torch.cat([recent[:, 1:], newest], dim=1))


def _written(
    cache: Float[Tensor, "people joints heads look_back d"],
    place: Int[Tensor, " people"],
    new: Float[Tensor, "people joints heads d"],
) -> Float[Tensor, "people joints heads look_back d"]:
    """The cache with one token replaced. One scatter from input to output with nothing in between, so that ONNX Runtime
    may make it in place; of whole rows of d numbers, since number by number it takes as long as all products."""
    people, joints, heads = (torch.arange(size, device=new.device) for size in new.shape[:3])
    return cache.index_put((people[:, None, None], joints[:, None], heads, place[:, None, None]), new)


def _through(block: nn.Module, x: Float[Tensor, "people joints c"]) -> Float[Tensor, "people joints c"]:
    """``Block.forward`` of attention over the joints, or of nothing at all."""
    if not isinstance(block, Block):
        return block(x)
    x = x + _attended(block.attention, block.norm1(x))
    return x + block.mlp(block.norm2(x))


def _attended(attention: nn.Module, x: Float[Tensor, "people joints c"]) -> Float[Tensor, "people joints c"]:
    if isinstance(attention, SpatialAttention | HyperedgeAttention):
        return attention.out(join_heads(attend_plainly(attention.operands(x))))
    return attention(x)
