import numpy as np
import pytest
import torch

from hyperlift.errors import InputError
from hyperlift.geometry.flip import FlipAveraged, flip_pose
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.hyperlifter.person_frame import into_person_frame, person_frame
from hyperlift.models.layers.attention import HyperedgeAttention, SpatialAttention
from hyperlift.models.layers.frame_lifter import FrameLifter, FrameLifterConfig
from hyperlift.models.layers.membership import FixedMembership
from hyperlift.models.layers.tokens import TokenMerge, TokenMergeConfig, from_patches, to_patches
from hyperlift.models.predictor import TorchPredictor
from hyperlift.models.warm_start import start_from_mean, start_from_trained
from hyperlift.skeletons.hypergraph import Hypergraph, degree_normalised_adjacency
from hyperlift.skeletons.joint_sets import H36M_17

PARTITION_2 = (0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2)


def tiny(**changes) -> ModelConfig:
    return ModelConfig(**{"channels": 16, "depth": 2, "heads": 2, "n_frames": 9, "drop_path": 0.0, **changes})


def clips(batch: int, frames: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, frames, len(H36M_17), 3, generator=torch.Generator().manual_seed(seed))


CONFIGS = {
    "published": {},
    "partition2": {"hypergraph": HypergraphConfig(joint_label=PARTITION_2)},
    "identity_bias": {"relation_bias": "none"},
    "global": {"rootrel": False},
    "frames_first": {"frame_lifter": FrameLifterConfig(channels=24, depth=1), "input_frame": "person"},
    "frames_together": {
        "frame_lifter": FrameLifterConfig(channels=24, depth=1, neighbours=(-2, 0, 1), frames=3),
        "depth": 0,
        "input_frame": "person",
    },
    "hourglass": {"depth": 3, "token_merge": TokenMergeConfig(after=(1, 2), size=2)},
    "one_block": {"joint_block": "one"},
    "shared": {"share_layers": True},
    "cheap": {
        "depth": 3,
        "frame_patch": 3,
        "token_merge": TokenMergeConfig(after=(1,), size=2),
        "joint_block": "one",
        "share_layers": True,
        "mlp_ratio": 0.5,
        "frame_lifter": FrameLifterConfig(channels=24, depth=1, frames=3),
        "input_frame": "person",
        "label_space": "camera",
    },
    "person": {"input_frame": "person", "label_space": "camera", "frame_patch": 3},
    "person_image": {"input_frame": "person"},
    "person_global": {"input_frame": "person", "rootrel": False},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_parameter_gets_gradient(name):
    torch.manual_seed(0)
    model = HyperLifter(tiny(**CONFIGS[name]))
    for parameter in model.parameters():
        if not parameter.any():  # what starts at zero holds back the gradient of what stands before it, once
            torch.nn.init.normal_(parameter, std=0.02)
    model(clips(2, 9)).square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # A key's bias adds the same to all logits of a query, which softmax ignores: its gradient is zero up to rounding,
    # but the shared qkv bias as a whole is not.
    assert without == []


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("frames", [1, 2, 7, 9])
def test_any_length_up_to_the_longest(name, frames):
    torch.manual_seed(0)
    pose = HyperLifter(tiny(**CONFIGS[name])).eval()(clips(2, frames))
    assert pose.shape == (2, frames, len(H36M_17), 3)
    assert torch.isfinite(pose).all()


@pytest.mark.parametrize("name", CONFIGS)
def test_a_clip_does_not_depend_on_its_batch(name):
    torch.manual_seed(0)
    model = HyperLifter(tiny(**CONFIGS[name])).eval()
    batch = clips(3, 9)
    assert torch.allclose(model(batch)[1:2], model(batch[1:2]), atol=1e-5)


def test_confidence_can_be_left_out():
    torch.manual_seed(0)
    model = HyperLifter(tiny(use_confidence=False)).eval()
    unsure = clips(2, 9)
    sure = unsure.clone()
    sure[..., 2] = 1.0
    assert torch.equal(model(unsure), model(sure))
    torch.manual_seed(0)
    assert not torch.equal(HyperLifter(tiny()).eval()(unsure), model(unsure))


def test_root_relative_networks_keep_the_root_at_zero():
    torch.manual_seed(0)
    pose = HyperLifter(tiny()).eval()(clips(2, 9))
    assert not pose[:, :, H36M_17.root].any()
    assert HyperLifter(tiny(rootrel=False)).eval()(clips(2, 9))[:, :, H36M_17.root].any()


def test_published_sizes():
    def millions(config: ModelConfig) -> float:
        with torch.device("meta"):
            return sum(p.numel() for p in HyperLifter(config).parameters()) / 1e6

    assert 34 <= millions(ModelConfig(channels=512, depth=8)) <= 52
    assert 1.6 <= millions(ModelConfig(channels=128, depth=6)) <= 2.455


def test_the_person_frame_ignores_place_and_size():
    pose2d = clips(2, 5)
    moved = pose2d.clone()
    moved[..., :2] = moved[..., :2] * 0.3 + torch.tensor([0.4, -0.2])
    there, here = (into_person_frame(p, person_frame(p)) for p in (moved, pose2d))
    assert torch.allclose(there[..., :3], here[..., :3], atol=1e-5)
    assert torch.allclose(person_frame(moved).centre, person_frame(pose2d).centre * 0.3 + torch.tensor([0.4, -0.2]))
    assert torch.allclose(person_frame(moved).spread, person_frame(pose2d).spread * 0.3)


def test_a_lone_point_and_a_frame_without_confidence_stay_finite():
    torch.manual_seed(0)
    model = HyperLifter(tiny(**CONFIGS["person"])).eval()
    assert torch.isfinite(model(torch.zeros(1, 9, len(H36M_17), 3))).all()


def test_spatial_attention_is_the_published_formula():
    """softmax((q·k + alpha A) d^-1/2) v, written out with loops over heads."""
    torch.manual_seed(0)
    channels, heads = 8, 2
    d = channels // heads
    relation = torch.from_numpy(degree_normalised_adjacency(H36M_17)).float()
    layer = SpatialAttention(channels, heads, relation)
    layer.alpha.data.fill_(0.7)
    x = torch.rand(3, len(H36M_17), channels)
    q, k, v = layer.qkv(x).split(channels, dim=-1)
    parts = []
    for h in range(heads):
        at = slice(h * d, (h + 1) * d)
        logits = (q[..., at] @ k[..., at].transpose(1, 2) + 0.7 * relation) * d**-0.5
        parts.append(logits.softmax(-1) @ v[..., at])
    assert torch.allclose(layer(x), layer.out(torch.cat(parts, -1)), atol=1e-6)


def test_without_the_relation_term_spatial_attention_is_plain_attention():
    torch.manual_seed(0)
    channels, heads = 8, 2
    layer = SpatialAttention(channels, heads, None)
    assert not [name for name, _ in layer.named_parameters() if name in ("relation", "alpha")]
    x = torch.rand(3, len(H36M_17), channels)
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in layer.qkv(x).chunk(3, dim=-1))
    expected = ((q @ k.transpose(-1, -2)) * (channels // heads) ** -0.5).softmax(-1) @ v
    assert torch.allclose(layer(x), layer.out(expected.transpose(1, 2).flatten(2)), atol=1e-6)


@pytest.mark.parametrize("switch", ["relation_term", "query_term", "bias_term"])
def test_every_switch_takes_its_term_out_of_every_layer(switch):
    torch.manual_seed(0)
    hypergraph = HypergraphConfig(joint_label=PARTITION_2, **{switch: False})
    model = HyperLifter(tiny(hypergraph=hypergraph))
    for spatial, hyperedge in zip(model.transformer.spatial, model.transformer.hyperedge, strict=True):
        assert (spatial.attention.relation is None) == (switch == "relation_term")
        assert (hyperedge.attention.bias is None) == (switch == "bias_term")
        assert (hyperedge.attention.query_value.out_features == 16) == (switch == "query_term")


@pytest.mark.parametrize("query_term", [True, False])
@pytest.mark.parametrize("bias_term", [True, False])
def test_hyperedge_attention_is_the_published_formula(query_term, bias_term):
    """logits (q_i·e_j + w_h·e_j) d^-1/2 with e of a joint's own hyperedge, values from the joints."""
    torch.manual_seed(0)
    channels, heads = 8, 2
    d = channels // heads
    graph = Hypergraph.from_labels(PARTITION_2, H36M_17)
    layer = HyperedgeAttention(
        channels,
        heads,
        FixedMembership(torch.from_numpy(graph.edge_mean).float(), torch.from_numpy(graph.joint_mean).float()),
        query_term=query_term,
        bias_term=bias_term,
    )
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    x = torch.rand(3, len(H36M_17), channels)
    edges = torch.stack([x[:, [j for j, e in enumerate(PARTITION_2) if e == edge]].mean(1) for edge in range(3)], 1)
    e = layer.edge(edges)[:, list(PARTITION_2)]
    parts = layer.query_value(x).split(channels, dim=-1)
    expected = []
    for h in range(heads):
        at = slice(h * d, (h + 1) * d)
        logits = torch.zeros(3, len(H36M_17), len(H36M_17))
        if query_term:
            logits = logits + parts[0][..., at] @ e[..., at].transpose(1, 2)
        if layer.bias is not None:
            logits = logits + (e[..., at] @ layer.bias[h, 0])[:, None, :]
        expected.append((logits * d**-0.5).softmax(-1) @ parts[-1][..., at])
    assert torch.allclose(layer(x), layer.out(torch.cat(expected, -1)), atol=1e-6)


def test_overlapping_hyperedges_average_what_they_hand_back():
    names = [
        ["Pelvis", "Spine"],
        ["Spine", "Thorax"],
        [j for j in H36M_17.joints if j not in ("Pelvis", "Spine")],
    ]
    graph = Hypergraph.from_members(names, H36M_17)
    x = np.arange(len(H36M_17), dtype=float)[:, None]
    edges = graph.edge_mean @ x
    assert edges[0, 0] == (0 + 7) / 2
    assert edges[1, 0] == (7 + 8) / 2
    assert np.isclose((graph.joint_mean @ edges)[7, 0], (edges[0, 0] + edges[1, 0]) / 2)


@pytest.mark.parametrize(
    ("hypergraph", "message"),
    [
        ({"joint_label": (0,) * 16}, "16 entries"),
        ({"joint_label": (0,) * 16 + (2,)}, "no gap"),
        ({"hyperedges": (("Pelvis", "RHip"),)}, "leave out"),
        ({"hyperedges": (("Pelvis", "Tail"),)}, "Tail"),
        ({}, "either joint_label or hyperedges"),
    ],
)
def test_partitions_that_do_not_fit_are_named(hypergraph, message):
    with pytest.raises(InputError, match=message):
        tiny(hypergraph=HypergraphConfig(**hypergraph))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 15}, "multiple of heads"),
        ({"frame_patch": 2}, "multiple of frame_patch"),
        ({"depth": 0}, "positive"),
        ({"drop_path": 1.0}, "between 0 and 1"),
        ({"skeleton": "cat"}, "unknown skeleton"),
        ({"token_merge": TokenMergeConfig(after=(2,))}, "of 2 layers the last one follows every merge"),
    ],
)
def test_impossible_sizes_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        tiny(**changes)


def test_patches_restore_every_frame():
    x = clips(2, 7)
    patches = to_patches(x, 3)
    assert patches.shape == (2, 3, len(H36M_17), 9)
    assert torch.equal(from_patches(patches, 3)[:, :7], x)
    assert torch.equal(from_patches(patches, 3)[:, 7:], x[:, 6:].expand(-1, 2, -1, -1))


def test_merged_tokens_start_as_their_mean_and_come_apart_again():
    merge, x = TokenMerge(5, 3), torch.rand(2, 7, 17, 5)
    merged = merge(x)
    assert merged.shape == (2, 3, 17, 5)
    torch.testing.assert_close(merged[:, 1], x[:, 3:6].mean(1))
    torch.testing.assert_close(merged[:, 2], x[:, 6])  # repeated twice
    torch.testing.assert_close(merge.restore(merged, x), x + merged.repeat_interleave(3, dim=1)[:, :7])
    torch.nn.init.normal_(merge.apart.weight)
    middle = x[:, 4] + merged[:, 1] @ merge.apart.weight[5:10].T
    torch.testing.assert_close(merge.restore(merged, x)[:, 4], middle)


@pytest.mark.parametrize("after", [(), (0,), (2, 1), (1, 1)])
def test_merges_after_no_layer_are_refused(after):
    with pytest.raises(InputError, match="numbers of layers, from 1, rising"):
        TokenMergeConfig(after=after)


def test_a_merge_of_one_token_is_refused():
    with pytest.raises(InputError, match="at least two tokens"):
        TokenMergeConfig(after=(1,), size=1)


def test_layers_after_a_merge_see_fewer_tokens_and_all_frames_are_told_apart():
    torch.manual_seed(0)
    model = HyperLifter(tiny(**CONFIGS["hourglass"])).eval()
    seen: list[int] = []
    for block in model.transformer.temporal:
        block.register_forward_pre_hook(lambda block, given: seen.append(given[0].shape[1]))
    pose = model(clips(1, 9))
    assert seen == [9, 5, 3]
    steps = (pose[:, 1:] - pose[:, :-1]).abs().amax((0, 2, 3))
    assert (steps > 1e-4).all()


def test_one_block_adds_both_attentions():
    torch.manual_seed(0)
    one = HyperLifter(tiny(joint_block="one", depth=1)).eval()
    two = HyperLifter(tiny(depth=1)).eval()
    spatial, hyperedge = one.transformer.spatial[0].attention.parts
    x = torch.rand(3, 17, 16)
    block = one.transformer.spatial[0]
    seen = block.norm1(x)
    y = x + spatial(seen) + hyperedge(seen)
    torch.testing.assert_close(block(x), y + block.mlp(block.norm2(y)))
    size = {name: sum(p.numel() for p in model.parameters()) for name, model in (("one", one), ("two", two))}
    assert (
        size["two"] - size["one"] == sum(p.numel() for p in (*block.mlp.parameters(), *block.norm1.parameters())) + 32
    )


def test_shared_layers_are_layers_with_equal_weights():
    torch.manual_seed(0)
    shared, apart = HyperLifter(tiny(share_layers=True)).eval(), HyperLifter(tiny()).eval()
    weights = dict(shared.state_dict())
    for name in list(weights):
        stream, _, rest = name.partition(".0.")
        if stream.removeprefix("transformer.") in ("spatial", "hyperedge", "temporal"):
            weights[f"{stream}.1.{rest}"] = weights[name]
    apart.load_state_dict(weights)
    torch.testing.assert_close(shared(clips(2, 9)), apart(clips(2, 9)))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_mirror_average_is_blind_to_mirroring(name):
    torch.manual_seed(0)
    lift = FlipAveraged(TorchPredictor(HyperLifter(tiny(**CONFIGS[name]))), H36M_17)
    pose2d = clips(2, 7).numpy()
    np.testing.assert_allclose(lift(flip_pose(pose2d, H36M_17)), flip_pose(lift(pose2d), H36M_17), atol=1e-5)


def lifter_with_frames(**changes) -> HyperLifter:
    torch.manual_seed(0)
    return HyperLifter(tiny(frame_lifter=FrameLifterConfig(channels=24, depth=1), **changes)).eval()


def test_a_frame_lifter_alone_knows_no_time():
    model = lifter_with_frames(depth=0, input_frame="picture")
    pose2d = torch.rand(2, 9, 17, 3)
    torch.testing.assert_close(model(pose2d)[:, 4:5], model(pose2d[:, 4:5]))
    order = torch.randperm(9)
    torch.testing.assert_close(model(pose2d[:, order]), model(pose2d)[:, order])


def test_the_first_correction_is_none():
    pose2d = torch.rand(2, 9, 17, 3)
    whole, alone = lifter_with_frames(), lifter_with_frames(depth=0)
    alone.frame_lifter.load_state_dict(whole.frame_lifter.state_dict())
    torch.testing.assert_close(whole(pose2d), alone(pose2d))


def test_the_correction_learns_from_neighbouring_frames():
    model = lifter_with_frames()
    torch.nn.init.normal_(model.transformer.head[1].weight)
    pose2d = torch.rand(1, 9, 17, 3, requires_grad=True)
    model(pose2d)[0, 0].sum().backward()
    assert pose2d.grad[0, 8].abs().max() > 0


def test_no_layers_want_a_frame_lifter():
    with pytest.raises(InputError, match="depth 0 wants a frame_lifter"):
        tiny(depth=0)
    with pytest.raises(InputError, match="both must be positive"):
        FrameLifterConfig(channels=0)


def test_neighbours_are_seen_and_the_ends_repeated():
    torch.manual_seed(0)
    frames = FrameLifterConfig(channels=24, depth=1, neighbours=(-2, 0, 1))
    model = HyperLifter(tiny(frame_lifter=frames, depth=0)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    pose2d = clips(1, 9).requires_grad_()
    (seen,) = torch.autograd.grad(model(pose2d)[0, 4].sum(), pose2d)
    assert seen.abs().sum((0, 2, 3)).nonzero().flatten().tolist() == [2, 4, 5]
    # A clip whose ends are repeated by hand gives the same in the middle.
    longer = torch.cat([pose2d[:, :1].expand(-1, 2, -1, -1), pose2d, pose2d[:, -1:]], dim=1)[:, :9]
    torch.testing.assert_close(model(longer)[:, 2:8], model(pose2d)[:, :6])


def test_one_frame_alone_is_that_frame_of_all():
    torch.manual_seed(0)
    for neighbours in [(0,), (-3, -1, 0, 1, 3)]:
        frames = FrameLifterConfig(channels=24, depth=1, neighbours=neighbours)
        model = HyperLifter(tiny(frame_lifter=frames, depth=0, input_frame="person", label_space="camera")).eval()
        pose2d = clips(2, 9)
        for frame in (0, 4, 8):
            torch.testing.assert_close(model(pose2d, frame), model(pose2d)[:, frame : frame + 1])


def test_more_neighbours_start_where_fewer_ended():
    torch.manual_seed(0)
    few = FrameLifter(FrameLifterConfig(channels=24, depth=2, neighbours=(0, 1)), 17, 3)
    for parameter in few.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    many = FrameLifter(FrameLifterConfig(channels=24, depth=2, neighbours=(-4, 1, 0, 3)), 17, 3)
    many.start_from(few)
    torch.testing.assert_close(many(clips(2, 9)), few(clips(2, 9)))
    fewer = FrameLifter(FrameLifterConfig(channels=24, depth=2, neighbours=(0,)), 17, 3)
    with pytest.raises(InputError, match="sizes must be the same"):
        FrameLifter(FrameLifterConfig(channels=24, depth=1), 17, 3).start_from(few)
    # Frames that are not seen any more are taken to be the nearest that is.
    fewer.start_from(few)
    still = clips(2, 1).expand(-1, 9, -1, -1)
    torch.testing.assert_close(fewer(still), few(still))
    with pytest.raises(InputError, match="0 must be among them"):
        FrameLifterConfig(neighbours=(-1, 1))


def grouped(**changes) -> FrameLifter:
    torch.manual_seed(0)
    lifter = FrameLifter(FrameLifterConfig(**{"channels": 24, "depth": 1, "neighbours": (-2, 0, 1), **changes}), 17, 3)
    for parameter in lifter.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return lifter


def test_frames_lifted_at_once_see_what_their_middle_one_sees():
    lifter, features = grouped(frames=3), clips(1, 9).requires_grad_()
    for frame, seen_from in [(3, 4), (4, 4), (5, 4), (6, 7)]:
        (seen,) = torch.autograd.grad(lifter(features)[0, frame].sum(), features)
        seen_at = seen.abs().sum((0, 2, 3)).nonzero().flatten().tolist()
        assert seen_at == [seen_from - 2, seen_from, seen_from + 1]


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 7])
def test_an_unfinished_group_repeats_the_end(frames):
    lifter, features = grouped(frames=3), clips(2, frames)
    filled = torch.cat([features, features[:, -1:].expand(-1, 2, -1, -1)], dim=1)
    filled = filled[:, : filled.shape[1] // 3 * 3]
    torch.testing.assert_close(lifter(features), lifter(filled)[:, :frames])


def test_one_group_alone_is_that_group_of_all():
    torch.manual_seed(0)
    frames = FrameLifterConfig(channels=24, depth=1, neighbours=(-3, -1, 0, 1, 3), frames=3)
    for space in ({"label_space": "camera"}, {"rootrel": False}):
        model = HyperLifter(tiny(frame_lifter=frames, depth=0, input_frame="person", **space)).eval()
        pose2d = clips(2, 9)
        for middle in (1, 4, 7):
            torch.testing.assert_close(model(pose2d, middle), model(pose2d)[:, middle - 1 : middle + 2])


def test_frames_lifted_at_once_start_where_single_ones_ended():
    single, together = grouped(neighbours=(0, 1)), grouped(frames=3)
    together.start_from(single)
    features = clips(2, 8)
    middles = single(features)[:, [1, 4, 7]]
    torch.testing.assert_close(together(features), middles.repeat_interleave(3, dim=1)[:, :8])
    again = grouped(frames=3, neighbours=(-2, 0, 1, 5))
    again.start_from(together)
    torch.testing.assert_close(again(features), together(features))
    with pytest.raises(InputError, match="lifts 3 frames at once, the model 1"):
        grouped().start_from(together)
    with pytest.raises(InputError, match="at least one at once"):
        FrameLifterConfig(frames=0)


def test_two_networks_start_one_as_their_mean():
    torch.manual_seed(0)
    frames = FrameLifterConfig(channels=24, depth=1, neighbours=(-1, 0, 1))
    common = {"input_frame": "person", "label_space": "camera", "frame_patch": 3}
    alone, transformer = HyperLifter(tiny(frame_lifter=frames, depth=0, **common)), HyperLifter(tiny(**common))
    for parameter in (*alone.parameters(), *transformer.parameters()):
        torch.nn.init.normal_(parameter, std=0.1)
    both = HyperLifter(tiny(frame_lifter=frames, **common)).eval()
    start_from_mean(both, alone, transformer)
    pose2d = clips(2, 8)
    torch.testing.assert_close(both(pose2d), (alone(pose2d) + transformer.eval()(pose2d)) / 2)
    with pytest.raises(InputError, match="one of frames alone"):
        start_from_mean(both, alone, both)
    with pytest.raises(InputError, match="weights of another network: "):
        start_from_mean(HyperLifter(tiny(frame_lifter=frames, **{**common, "depth": 3})), alone, transformer)
    with pytest.raises(InputError, match="no frame_lifter to start from"):
        start_from_mean(HyperLifter(tiny(**common)), alone, transformer)
    with pytest.raises(InputError, match="share_layers is False, the model's True"):
        start_from_mean(HyperLifter(tiny(frame_lifter=frames, share_layers=True, **common)), alone, transformer)


def test_the_filter_starts_as_none_and_averages_paths():
    torch.manual_seed(0)
    plain = FrameLifter(FrameLifterConfig(channels=24, depth=1), 17, 3)
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    filtered = FrameLifter(FrameLifterConfig(channels=24, depth=1, smoothing=1), 17, 3)
    filtered.start_from(plain)
    features = clips(2, 6)
    torch.testing.assert_close(filtered(features), plain(features))
    torch.nn.init.constant_(filtered.filter.kernel, 1 / 3)
    pose = plain(features)
    torch.testing.assert_close(filtered(features)[:, 2], pose[:, 1:4].mean(1))
    torch.testing.assert_close(filtered(features)[:, 0], (2 * pose[:, 0] + pose[:, 1]) / 3)  # the end is repeated
    for wrong in (FrameLifterConfig, ModelConfig):
        with pytest.raises(InputError, match="it counts frames"):
            wrong(smoothing=-1)


def test_a_final_filter_starts_as_a_gaussian_and_is_taken_along():
    torch.manual_seed(0)
    before, after = HyperLifter(tiny()).eval(), HyperLifter(tiny(smoothing=4)).eval()
    start_from_trained(after, [before], "before")
    pose2d = clips(2, 9)
    pose = before(pose2d)
    weight = np.exp(-0.5 * np.arange(-4, 5) ** 2)  # a standard deviation of one frame
    middle = (pose * torch.from_numpy(weight / weight.sum()).float()[:, None, None]).sum(1)
    torch.testing.assert_close(after(pose2d)[:, 4], middle - middle[:, :1])
    torch.nn.init.constant_(after.filter.kernel, 1 / 9)
    again = HyperLifter(tiny(smoothing=4)).eval()
    start_from_trained(again, [after], "after")
    torch.testing.assert_close(again(pose2d)[:, 4], pose.mean(1) - pose.mean(1)[:, :1])
