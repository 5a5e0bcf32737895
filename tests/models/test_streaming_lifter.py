import numpy as np
import pytest
import torch
from tiny_stream import LOOK_AHEAD, LOOK_BACK, stream_clips, stream_config, stream_network

from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.joint_features import JointFeatures, StreamView
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.hyperlifter.streaming import StreamingConfig
from hyperlift.models.layers.causal_attention import CausalAttention
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.models.warm_start import start_from_trained

VARIANTS = {
    "bundled": {},
    "no_filter": {"smoothing": 0},
    "image": {"label_space": "image"},
    "picture": {"input_frame": "picture", "label_space": "image"},
    "transformer_alone": {"frame_lifter": None},
    "frames_alone": {"depth": 0},
    "no_confidence": {"use_confidence": False},
    "two_hypergraphs": {
        "hypergraph": HypergraphConfig(
            hypergraphs=(
                HypergraphConfig(joint_label=(0,) * 8 + (1,) * 9),
                HypergraphConfig(joint_label=(0,) * 4 + (1,) * 13),
            )
        )
    },
    "cheaper": {"share_layers": True, "joint_block": "one", "foreshortening": (0.4, 0.9)},
    "no_look_ahead": {
        "frame_lifter": FrameLifterConfig(channels=24, depth=1, neighbours=(-3, 0)),
        "smoothing": 0,
        "streaming": StreamingConfig(look_back=LOOK_BACK, look_ahead=0),
    },
    "longer_wait": {"streaming": StreamingConfig(look_back=4, look_ahead=6)},
}


@torch.inference_mode()
def streamed(model: HyperLifter, clips: torch.Tensor) -> torch.Tensor:
    """Frame by frame, the last frame repeated until all poses are out."""
    ahead, frames = model.config.reach.look_ahead, clips.shape[1]
    cache, poses = model.new_cache(len(clips)), []
    for frame in range(frames + ahead):
        pose, cache = model.step(clips[:, min(frame, frames - 1)][:, None], cache)
        poses.append(pose)
    return torch.cat(poses[ahead:], dim=1)


@pytest.mark.parametrize("name", VARIANTS)
def test_frame_by_frame_is_the_whole_clip_at_once(name):
    model = stream_network(**VARIANTS[name])
    for people, frames in [(1, 5 * LOOK_BACK), (3, 2 * LOOK_BACK), (2, 1)]:
        clips = stream_clips(people, frames)
        with torch.inference_mode():
            assert (streamed(model, clips) - model(clips)).abs().max() < 1e-4


@torch.inference_mode()
def test_who_joins_late_is_lifted_as_if_alone():
    """Rows are independent; what another person left in a row does not matter."""
    model = stream_network()
    clips = stream_clips(2, 40)
    cache, poses = model.new_cache(2), []
    for frame in range(40):
        if frame in (0, 17):
            seen = cache.frames_seen.clone()
            seen[1] = 0  # somebody else from here on, in a row that is used
            cache = cache._replace(frames_seen=seen)
        pose, cache = model.step(clips[:, frame, None], cache)
        poses.append(pose)
    together = torch.cat(poses, dim=1)
    alone = model(clips[:1])[0, : 40 - LOOK_AHEAD]
    assert (together[0, LOOK_AHEAD:] - alone).abs().max() < 1e-4
    late = model(clips[1:, 17:])[0, : 23 - LOOK_AHEAD]
    assert (together[1, 17 + LOOK_AHEAD :] - late).abs().max() < 1e-4


@pytest.mark.parametrize("name", VARIANTS)
def test_nothing_looks_further_ahead_than_it_waits(name):
    model = stream_network(**VARIANTS[name])
    ahead, changed = model.config.reach.look_ahead, 15
    before = stream_clips(1, 25)
    after = before.clone()
    after[:, changed:, :, :2] += 0.5 * stream_clips(1, 25, seed=1)[:, changed:, :, :2]
    with torch.inference_mode():
        moved = (model(before) - model(after)).abs().amax((0, 2, 3))
    assert moved[: changed - ahead].max() < 1e-6
    assert (moved[changed:] > 1e-4).all()
    if name in ("bundled", "no_look_ahead"):  # and the look-ahead is made use of
        assert moved[changed - ahead] > 1e-4


def test_attention_to_the_past_by_the_formula():
    torch.manual_seed(0)
    attention = CausalAttention(8, 2, look_back=3)
    torch.nn.init.normal_(attention.lag_bias)
    x = torch.randn(1, 6, 8)
    q, k, v = (part.unflatten(-1, (2, 4)) for part in attention.qkv(x)[0].chunk(3, dim=-1))
    expected = torch.zeros(6, 2, 4)
    for now in range(6):
        seen = range(max(0, now - 2), now + 1)
        for head in range(2):
            logits = [q[now, head] @ k[then, head] / 2 + attention.lag_bias[head, now - then] for then in seen]
            weights = torch.stack(logits).softmax(0)
            expected[now, head] = sum(w * v[then, head] for w, then in zip(weights, seen, strict=True))
    torch.testing.assert_close(attention(x)[0], attention.out(expected.flatten(1)))


def test_a_person_is_measured_over_the_frames_that_have_come():
    config = stream_config()
    reach = config.reach
    generator = np.random.default_rng(0)
    clip = generator.uniform(-1, 1, (20, 17, 3))
    clip[..., 2] = generator.uniform(0.1, 1, (20, 17))
    tensor = torch.from_numpy(clip)[None].float()
    seen = StreamView(JointFeatures(config), reach)(tensor)
    assert seen.around is not None
    assert seen.frame is not None
    spread = seen.frame.spread
    for token in (0, 4, 12, 19):
        newest = token + reach.token_lag
        frames = [min(max(frame, 0), 19) for frame in range(newest - LOOK_BACK + 1, newest + 1)]
        square = weight = 0.0
        for frame in frames:
            points, w = clip[frame, :, :2], clip[frame, :, 2:]
            centre = (points * w).sum(0) / w.sum()
            square += float((w * (points - centre) ** 2).sum())
            weight += float(w.sum())
        assert spread[0, token].item() == pytest.approx((square / weight) ** 0.5, rel=1e-5)
        around = clip[min(max(token - 9, 0), 19)]  # the first of the neighbours
        centre = (around[:, :2] * around[:, 2:]).sum(0) / around[:, 2].sum()
        told = seen.around.unflatten(2, (len(reach.neighbours), 17, -1))[0, token, 0, :, :2]
        np.testing.assert_allclose(told, (around[:, :2] - centre) / spread[0, token].item(), atol=1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_gets_gradient(name):
    model = stream_network(**VARIANTS[name]).train()
    model(stream_clips(2, 12)).square().sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_one_frame_alone_is_that_frame_of_the_clip():
    model = stream_network(depth=0, smoothing=0)
    clips = stream_clips(2, 12)
    with torch.inference_mode():
        torch.testing.assert_close(model(clips, 5), model(clips)[:, 5:6])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"streaming": StreamingConfig(look_back=7, look_ahead=2)}, "look_ahead is 2, but .* see 3 frames ahead"),
        ({"smoothing": 2}, "neighbours up to 2 and smoothing 2 see 4 frames ahead"),
        ({"frame_patch": 3}, "frame_patch is 3"),
        ({"token_merge": TokenMergeConfig(after=(1,))}, "token_merge is set"),
        (
            {"frame_lifter": FrameLifterConfig(channels=24, depth=1, neighbours=(0,), frames=3)},
            r"frame_lifter\.frames is 3",
        ),
        ({"rootrel": False, "label_space": "image"}, "rootrel is false"),
        (
            {"frame_lifter": FrameLifterConfig(channels=24, depth=1, neighbours=(0,), smoothing=2)},
            r"frame_lifter\.smoothing is not 0",
        ),
    ],
)
def test_what_no_stream_can_do_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        stream_config(**changes)


@pytest.mark.parametrize("sizes", [{"look_back": 0}, {"look_ahead": -1}])
def test_impossible_sizes(sizes):
    with pytest.raises(InputError, match="at least 1 and 0 frames"):
        StreamingConfig(**sizes)


def whole_clip_network(**changes) -> HyperLifter:
    """The streaming one's namesake for whole clips, which does not know where in a clip a token stands."""
    far = FrameLifterConfig(channels=24, depth=1, neighbours=(-9, 0, 1, 2, 8))
    model = stream_network(**{"streaming": None, "frame_patch": 3, "frame_lifter": far, "smoothing": 0, **changes})
    assert model.transformer.frame_position is not None
    torch.nn.init.zeros_(model.transformer.frame_position)
    return model


@pytest.mark.parametrize("changes", [{}, {"frame_lifter": None}])
def test_a_stream_of_somebody_who_stands_still_starts_as_whole_clips_ended(changes):
    """All tokens are alike then, so it does not matter how many are seen or how many frames they hold."""
    whole, model = whole_clip_network(**changes), stream_network(smoothing=0, **changes)
    start_from_trained(model, [whole], "whole.safetensors")
    still = stream_clips(2, 1).expand(-1, 12, -1, -1)
    with torch.inference_mode():
        expected = whole(still)[:, 1:2]  # the middle one of a token
        torch.testing.assert_close(model(still), expected.expand(-1, 12, -1, -1), atol=1e-5, rtol=1e-5)


def test_two_networks_start_a_stream_as_their_mean():
    """A frame lifter that streams and a transformer of whole clips, of whose layers only the first are there."""
    transformer = whole_clip_network(frame_lifter=None, depth=3)
    first = whole_clip_network(frame_lifter=None)
    weights = transformer.state_dict()
    first.load_state_dict({name: weights[name] for name in first.state_dict()})
    alone, model = stream_network(depth=0, smoothing=0), stream_network(smoothing=0)
    for parameter in alone.frame_lifter.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    start_from_trained(model, [alone, transformer], "both")
    still = stream_clips(2, 1).expand(-1, 12, -1, -1)
    with torch.inference_mode():
        expected = (alone(still)[:, 1:2] + first(still)[:, 1:2]) / 2
        torch.testing.assert_close(model(still), expected.expand(-1, 12, -1, -1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 1}, r"small: weights of another network: missing transformer\.spatial\.1"),
        ({"frame_lifter": None}, "small: either both networks have a frame_lifter or none"),
        (
            {"frame_lifter": FrameLifterConfig(channels=8, depth=1, neighbours=(0,))},
            "small: frame_lifter has 8 channels and depth 1, the model 24 and 1",
        ),
    ],
)
def test_networks_of_whole_clips_that_no_stream_starts_from(changes, message):
    with pytest.raises(InputError, match=message):
        start_from_trained(stream_network(), [whole_clip_network(**changes)], "small")
