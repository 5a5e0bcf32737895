import numpy as np
import pytest
import torch

from hyperlift.config.loader import from_mapping
from hyperlift.errors import InputError
from hyperlift.models.attention_capture import attention_weights, capture_attention
from hyperlift.models.attention_maps import by_hyperedge, strongest_links, to_hyperedges
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.attention import join_heads
from hyperlift.models.layers.parallel_hypergraphs import ParallelHypergraphs
from hyperlift.models.layers.tokens import TokenMergeConfig

PARTITION_1 = (0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5)
PARTITION_2 = (0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2)
BOTH = {"hypergraphs": [{"joint_label": PARTITION_1}, {"joint_label": PARTITION_2, "membership": "learned"}]}
HYPERGRAPHS = {
    "one": {"joint_label": PARTITION_1},
    "learned": {"random_edges": 3, "membership": "learned"},
    "no_terms": {"joint_label": PARTITION_1, "relation_term": False, "query_term": False},
    **{merge: {**BOTH, "merge": merge} for merge in ("none", "mean", "max", "weighted_mean")},
}


def network(hypergraph: str = "one", **changes) -> HyperLifter:
    torch.manual_seed(0)
    config = from_mapping(HYPERGRAPHS[hypergraph], HypergraphConfig, "hyper")
    sizes = {"channels": 12, "depth": 3, "heads": 3, "n_frames": 12, "frame_patch": 3, "drop_path": 0.0}
    model = HyperLifter(ModelConfig(**{**sizes, **changes}, hypergraph=config)).eval()
    for parameter in model.parameters():  # far from the initial weights, where attention is flat
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def clip(frames: int = 12) -> np.ndarray:
    return np.random.default_rng(0).random((frames, 17, 3)).astype("f4")


@pytest.mark.parametrize("name", HYPERGRAPHS)
def test_weights_times_values_are_the_layers_own_output(name):
    model = network(name)
    seen = []
    for stream in (model.transformer.spatial, model.transformer.hyperedge, model.transformer.temporal):
        for block in stream:
            block.attention.register_forward_hook(lambda layer, args, out: seen.append((layer, args[0], out)))
    with torch.no_grad():
        model(torch.from_numpy(clip()[None]))
        assert len(seen) == 9
        for layer, x, out in seen:
            operands = layer.operands(x)
            weights = attention_weights(layer, x)
            if isinstance(layer, ParallelHypergraphs):
                merged = layer.merge([w @ o.v for w, o in zip(weights, operands, strict=True)])
            else:
                merged = weights[0] @ operands.v
            assert torch.allclose(layer.out(join_heads(merged)), out, atol=1e-5)


@pytest.mark.parametrize("name", HYPERGRAPHS)
def test_shapes_rows_and_an_untouched_network(name):
    model = network(name)
    before = model(torch.from_numpy(clip(11)[None]))
    maps = capture_attention(model, clip(11))
    graphs = 2 if name in ("mean", "max", "weighted_mean") else 1
    assert maps.spatial.shape == (3, 3, 4, 17, 17)
    assert maps.hyperedge.shape == (3, graphs, 3, 4, 17, 17)
    assert maps.temporal.shape == (3, 3, 17, 4, 4)
    for array in (maps.spatial, maps.hyperedge, maps.temporal, *maps.incidence):
        assert np.allclose(array.sum(-1), 1, atol=1e-5)
    assert torch.equal(model(torch.from_numpy(clip(11)[None])), before)
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_chosen_layers_heads_and_frames_are_parts_of_the_whole():
    model = network("mean")
    whole = capture_attention(model, clip())
    part = capture_attention(model, clip(), layers=[2, 0], heads=[1], frames=[4, 5, 11])
    assert (part.layers, part.heads, part.tokens) == ((0, 2), (1,), (1, 3))
    assert np.array_equal(part.spatial, whole.spatial[[0, 2]][:, [1]][:, :, [1, 3]])
    assert np.array_equal(part.hyperedge, whole.hyperedge[[0, 2]][:, :, [1]][:, :, :, [1, 3]])
    assert np.array_equal(part.temporal, whole.temporal[[0, 2]][:, [1]][:, :, :, [1, 3]])


def test_which_heads_look_through_which_hypergraph():
    shared = capture_attention(network("none"), clip())
    assert [shared.of_hypergraph(graph)[0] for graph in (0, 1)] == [(0, 1), (2,)]
    assert np.array_equal(shared.of_hypergraph(1)[1], shared.hyperedge[:, 0, 2:])
    merged = capture_attention(network("max"), clip(), heads=[0, 2])
    assert merged.of_hypergraph(1)[0] == (0, 2)
    assert np.array_equal(merged.of_hypergraph(1)[1], merged.hyperedge[:, 1])


def test_joints_of_one_hyperedge_get_the_same_attention():
    maps = capture_attention(network("one"), clip())
    legs = maps.hyperedge[..., [1, 2, 3]]
    assert np.allclose(legs, legs[..., :1], atol=1e-6)


def test_moving_a_joint_moves_attention_only_in_its_own_frames_before_time_is_looked_at():
    model = network("one")
    moved = clip()
    moved[0, 3] += 0.5
    first, second = (capture_attention(model, pose, layers=[0]).spatial for pose in (clip(), moved))
    assert not np.allclose(first[:, :, 0], second[:, :, 0])
    assert np.allclose(first[:, :, 1:], second[:, :, 1:], atol=1e-5)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"layers": [3]}, "layer 3: the network has layers 0 to 2"),
        ({"heads": [-1]}, "head -1: the network has heads 0 to 2"),
        ({"frames": [12]}, "frame 12: the clip has frames 0 to 11"),
        ({"heads": []}, "no head is chosen"),
    ],
)
def test_out_of_range(choice, message):
    with pytest.raises(InputError, match=message):
        capture_attention(network(), clip(), **choice)
    with pytest.raises(InputError, match="13 frames"):
        capture_attention(network(), clip(13), **choice)


def test_reading_maps_by_hand():
    attention = np.array([[0.5, 0.4, 0.1], [0.3, 0.1, 0.6], [0.2, 0.2, 0.6]])
    assert strongest_links(attention, 2) == [(1, 2, 0.6), (0, 1, 0.4)]
    assert len(strongest_links(attention, 99)) == 6
    incidence = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    assert np.allclose(to_hyperedges(attention, incidence)[0], [0.45, 0.55])
    order, edges = by_hyperedge(incidence)
    assert order.tolist() == [1, 2, 0]
    assert edges.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "changes", [{"share_layers": True}, {"joint_block": "one"}, {"token_merge": TokenMergeConfig(after=(1,))}]
)
def test_layers_without_maps_of_their_own_are_refused(changes):
    with pytest.raises(InputError, match="separate blocks and tokens in every layer"):
        capture_attention(network(**changes), clip())
