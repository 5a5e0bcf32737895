"""Learned hyperedges, several hypergraphs at once, and the switches of the terms."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hyperlift.config.loader import from_mapping, load_config, to_mapping
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import StoreMeta, StoreWriter, Video
from hyperlift.errors import InputError
from hyperlift.export.onnx import export_onnx
from hyperlift.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig, tensor
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.membership import FixedMembership, learned_from
from hyperlift.models.layers.parallel_hypergraphs import MergedHypergraphs, SplitHeadHypergraphs, heads_each
from hyperlift.skeletons.hypergraph import Hypergraph
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(ROOT.glob("hyper_config/**/*.yaml"))
PARTITION_1 = (0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5)
PARTITION_2 = (0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2)
BOTH = {"hypergraphs": ({"joint_label": PARTITION_1}, {"joint_label": PARTITION_2, "membership": "learned"})}
MERGES = ["none", "mean", "max", "weighted_mean"]


def hypergraph(**keys) -> HypergraphConfig:
    return from_mapping(keys, HypergraphConfig, "hyper.yaml")


def tiny(config: HypergraphConfig, **changes) -> ModelConfig:
    sizes = {"channels": 12, "depth": 2, "heads": 3, "n_frames": 6, "drop_path": 0.0}
    return ModelConfig(**{"skeleton": config.each[0].skeleton or "h36m17", "hypergraph": config, **sizes, **changes})


# Every skeleton has its own limbs.yaml.
VARIANTS = {
    f"{path.parent.name}_limbs" if path.stem == "limbs" else path.stem: load_config(path, HypergraphConfig)
    for path in SHIPPED
}
VARIANTS |= {f"merge_{merge}": hypergraph(**BOTH, merge=merge) for merge in MERGES}
VARIANTS |= {f"bias_only_{merge}": hypergraph(**BOTH, merge=merge, query_term=False) for merge in MERGES}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_of_every_variant_gets_gradient(name):
    torch.manual_seed(0)
    model = HyperLifter(tiny(VARIANTS[name]))
    model(torch.rand(2, 6, 17, 3)).square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@pytest.mark.parametrize(
    "name",
    ["learned", "learned_random", "soft", "coco17_limbs", "mpi_inf_3dhp_limbs", "multi_head", "no_relation_term"],
)
def test_variants_survive_the_checkpoint(name, tmp_path):
    torch.manual_seed(0)
    model = HyperLifter(tiny(VARIANTS[name])).eval()
    spec = LifterSpec(name="t", skeleton=model.config.skeleton, n_frames=6)
    save_checkpoint(tmp_path / "a.safetensors", Checkpoint(model=model, spec=spec))
    loaded = load_checkpoint(tmp_path / "a.safetensors").model
    assert loaded.config == model.config
    x = torch.rand(1, 5, 17, 3)
    assert torch.equal(loaded(x), model(x))


def test_variants_export(tmp_path):
    """In one network, a layer each: the exporter takes its time."""
    torch.manual_seed(0)
    layers = [VARIANTS[n] for n in ("merge_weighted_mean", "merge_none")]
    model = HyperLifter(tiny(VARIANTS["no_relation_term"], depth=len(layers), n_frames=3)).eval()
    for block, config in zip(model.transformer.hyperedge, layers, strict=True):
        block.attention = config.make_attention(12, 3, H36M_17)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    assert export_onnx(model, LifterSpec(name="t", n_frames=3), tmp_path / "a.onnx").passed


def test_an_older_configuration_reads_and_writes_as_before():
    """What a checkpoint from before these keys says, and the parameters it holds."""
    old = {"joint_label": list(PARTITION_1), "hyperedges": None, "query_term": True, "bias_term": True}
    config = from_mapping(old, HypergraphConfig, "old")
    assert old.items() <= to_mapping(config).items()
    attention = {
        *("hyperedge.0.attention.bias", "spatial.0.attention.alpha", "spatial.0.attention.relation"),
        *(f"hyperedge.0.attention.{layer}.{k}" for layer in ("query_value", "edge", "out") for k in ("weight", "bias")),
        *(f"spatial.0.attention.{layer}.{k}" for layer in ("qkv", "out") for k in ("weight", "bias")),
    }
    state = HyperLifter(tiny(config)).transformer.state_dict()
    assert {name for name in state if name.startswith(("hyperedge.0.att", "spatial.0.att"))} == attention


def fixed(labels) -> FixedMembership:
    graph = Hypergraph.from_labels(labels, H36M_17)
    return FixedMembership(tensor(graph.edge_mean), tensor(graph.joint_mean))


def test_learned_membership_starts_near_its_hyperedges_and_stays_a_membership():
    graph = Hypergraph.from_labels(PARTITION_1, H36M_17)
    learned = learned_from(tensor(graph.joint_mean), softness=0.1)
    incidence = learned.incidence().detach().numpy()
    assert np.allclose(incidence, 0.9 * graph.incidence + 0.1 / 6, atol=1e-6)
    torch.nn.init.normal_(learned.logits)
    incidence = learned.incidence().detach().numpy()
    assert np.allclose(incidence.sum(1), 1, atol=1e-6)
    # By hand: a hyperedge is the weighted mean of the joints, a joint the weighted mean of the hyperedges.
    x = np.arange(17.0)
    edges = np.array([(incidence[:, e] * x).sum() / incidence[:, e].sum() for e in range(6)])
    assert np.allclose(learned.mixing().detach().numpy() @ x, incidence @ edges, atol=1e-4)


def test_a_sharp_membership_is_the_partition_it_names():
    sharp = learned_from(tensor(Hypergraph.from_labels(PARTITION_2, H36M_17).joint_mean), softness=1e-7)
    assert torch.allclose(sharp.mixing(), fixed(PARTITION_2).mixing(), atol=1e-5)


@pytest.mark.parametrize("mode", ["mean", "max", "weighted_mean"])
@pytest.mark.parametrize("query_term", [True, False])
def test_merged_hypergraphs_by_formula(mode, query_term):
    torch.manual_seed(0)
    channels, heads, d = 8, 2, 4
    labels = (PARTITION_1, PARTITION_2)
    layer = MergedHypergraphs(channels, heads, [fixed(label) for label in labels], mode, query_term=query_term)
    assert layer.bias is not None
    torch.nn.init.normal_(layer.bias)
    share = torch.full((2, heads), 0.5)
    if layer.weight is not None:
        torch.nn.init.normal_(layer.weight)
        share = layer.weight.flatten(1).exp() / layer.weight.flatten(1).exp().sum(0)
    x = torch.rand(3, 17, channels)
    parts = layer.query_value(x).split(channels, dim=-1)
    expected = []
    for h in range(heads):
        at, outputs = slice(h * d, (h + 1) * d), []
        for g, label in enumerate(labels):
            edges = torch.stack([x[:, [j for j in range(17) if label[j] == e]].mean(1) for e in sorted(set(label))], 1)
            e = layer.edges[g](edges)[:, list(label)][..., at]
            logits = (e @ layer.bias[g, h, 0])[:, None, :].expand(-1, 17, -1)
            if query_term:
                logits = logits + parts[0][..., at] @ e.transpose(1, 2)
            outputs.append((logits * d**-0.5).softmax(-1) @ parts[-1][..., at])
        if mode == "max":
            expected.append(torch.maximum(*outputs))
        else:
            expected.append(share[0, h] * outputs[0] + share[1, h] * outputs[1])
    assert torch.allclose(layer(x), layer.out(torch.cat(expected, -1)), atol=1e-6)


def test_shared_out_heads_by_formula():
    torch.manual_seed(0)
    channels, heads, d = 12, 3, 4
    labels = (PARTITION_1, PARTITION_2)
    layer = SplitHeadHypergraphs(channels, heads, [fixed(label) for label in labels])
    assert heads_each(heads, 2) == [2, 1]
    x = torch.rand(3, 17, channels)
    q, v = layer.query_value(x).split(channels, dim=-1)
    expected = []
    for h, g in enumerate((0, 0, 1)):
        label = labels[g]
        edges = torch.stack([x[:, [j for j in range(17) if label[j] == e]].mean(1) for e in sorted(set(label))], 1)
        start = (h if g == 0 else 0) * d
        e = layer.edges[g](edges)[:, list(label)][..., start : start + d]
        at = slice(h * d, (h + 1) * d)
        expected.append((q[..., at] @ e.transpose(1, 2) * d**-0.5).softmax(-1) @ v[..., at])
    assert torch.allclose(layer(x), layer.out(torch.cat(expected, -1)), atol=1e-6)


def test_two_equal_hypergraphs_merge_into_the_same_output_in_every_mode():
    torch.manual_seed(0)
    layers = [MergedHypergraphs(8, 2, [fixed(PARTITION_1)] * 2, mode) for mode in ("mean", "max", "weighted_mean")]
    state = layers[0].state_dict()
    state["edges.1.weight"], state["edges.1.bias"] = state["edges.0.weight"], state["edges.0.bias"]
    x, outputs = torch.rand(2, 17, 8), []
    for layer in layers:
        layer.load_state_dict(state, strict=False)
        outputs.append(layer(x))
    assert torch.allclose(outputs[0], outputs[1], atol=1e-6)
    assert torch.allclose(outputs[0], outputs[2], atol=1e-6)


def test_soft_hyperedges_attend_by_formula():
    """Overlapping, with shares: a hyperedge is the weighted mean of its joints, a joint's e that of its hyperedges."""
    torch.manual_seed(0)
    channels, heads, d = 8, 2, 4
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.1, 0.9, (17, 3)).round(2)
    shares[4, 1] = shares[9, 2] = 0.0
    given = {joint: shares[j].tolist() for j, joint in reversed(list(enumerate(H36M_17.joints)))}
    layer = hypergraph(incidence=given).make_attention(channels, heads, H36M_17)
    torch.nn.init.normal_(layer.bias)
    x = torch.rand(2, 17, channels)
    means = [sum(shares[j, e] * x[:, j] for j in range(17)) / shares[:, e].sum() for e in range(3)]
    edges = [layer.edge(mean) for mean in means]
    e = torch.stack([sum(shares[j, k] * edges[k] for k in range(3)) / shares[j].sum() for j in range(17)], 1)
    q, v = layer.query_value(x).split(channels, dim=-1)
    expected = []
    for h in range(heads):
        at = slice(h * d, (h + 1) * d)
        logits = q[..., at] @ e[..., at].transpose(1, 2) + (e[..., at] @ layer.bias[h, 0])[:, None, :]
        expected.append((logits * d**-0.5).softmax(-1) @ v[..., at])
    assert torch.allclose(layer(x), layer.out(torch.cat(expected, -1)), atol=1e-5)


def test_an_incidence_of_zeros_and_ones_is_the_hyperedges_it_names():
    named = load_config(ROOT / "hyper_config/method2/named_limbs.yaml", HypergraphConfig)
    assert named.hyperedges is not None
    rows = {joint: [float(joint in edge) for edge in named.hyperedges] for joint in H36M_17.joints}
    ours = hypergraph(incidence=rows).make_membership(H36M_17)
    assert torch.allclose(ours.mixing(), named.make_membership(H36M_17).mixing(), atol=1e-6)
    learned = hypergraph(incidence=rows, membership="learned").make_membership(H36M_17)
    assert torch.allclose(learned.incidence().argmax(1), ours.incidence().argmax(1))


SOFT = {joint: [0.5, 0.5] for joint in H36M_17.joints}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"incidence": {**SOFT, "Head": [0.0, 0.0]}}, "puts Head in no hyperedge"),
        ({"incidence": {**SOFT, "Head": [0.5]}}, r"rows of \[1, 2\] numbers"),
        ({"incidence": {**SOFT, "Head": [1.5, 0.0]}}, r"outside 0\.\.1"),
        ({"incidence": {**SOFT, "Head": [float("nan"), 1.0]}}, r"Head\[0\]: expected a finite number, got nan"),
        ({"incidence": {j: [1.0, 0.0] for j in H36M_17.joints}}, "no joint in hyperedge 1"),
        ({"incidence": {**SOFT, "Tail": [0.5, 0.5]}}, "no joint 'Tail'"),
        ({"incidence": {"Head": [1.0]}}, "leaves out Pelvis, RHip"),
        ({"incidence": SOFT, "joint_label": PARTITION_1}, "either joint_label or hyperedges"),
        ({"random_edges": 4}, "set membership: learned"),
        ({"random_edges": 1, "membership": "learned"}, "at least 2"),
        ({"joint_label": PARTITION_1, "random_edges": 4}, "either joint_label or hyperedges"),
        ({"joint_label": PARTITION_1, **BOTH}, "belong into the entries"),
        ({"hypergraphs": [{"joint_label": PARTITION_1}]}, "lists 1"),
        ({**BOTH, "merge": "sum"}, "'sum' is not one of"),
        ({**BOTH, "query_term": False, "bias_term": False}, "both off"),
        ({"hypergraphs": [{"joint_label": PARTITION_1}] * 4, "merge": "none"}, "3 heads out among 4"),
        ({"hypergraphs": [{"joint_label": PARTITION_1}, {"hyperedges": [["LEye"]]}]}, "no joint 'LEye'"),
        (
            {"hyperedges": [list(COCO_17.joints)], "skeleton": "coco17"},
            "made for skeleton coco17, the model has h36m17",
        ),
    ],
)
def test_what_does_not_fit_is_named(keys, message):
    with pytest.raises(InputError, match=message):
        tiny(hypergraph(**keys), skeleton="h36m17")


def test_a_label_list_of_h36m_is_refused_on_another_skeleton_of_17_joints():
    with pytest.raises(InputError, match="made for skeleton h36m17, the model has coco17; give hyperedges"):
        ModelConfig(skeleton="coco17")
    assert tiny(hypergraph(joint_label=PARTITION_1, skeleton="coco17")).skeleton == "coco17"
    with pytest.raises(InputError, match="body25 is no tree"):
        ModelConfig(skeleton="body25", hypergraph=hypergraph(random_edges=3, membership="learned"))


def test_coco_is_a_tree_that_mirroring_keeps():
    assert COCO_17.joints[COCO_17.root] == "Nose"
    assert COCO_17.mirror[COCO_17.root] == COCO_17.root
    mirrored = {(int(COCO_17.mirror[a]), int(COCO_17.mirror[b])) for a, b in COCO_17.bones}
    assert mirrored == set(COCO_17.bones)
    assert len(COCO_17.bones) == 16


def write_coco_store(folder: Path, frames: int = 12) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        meta = StoreMeta(skeleton="coco17", fps=25.0, n_frames=6, stride=6, slicing="published", source="invented")
        with StoreWriter(folder / split, meta) as writer:
            video = Video(source="a", subject="a", action="a", frames=frames, width=100.0, height=100.0)
            arrays = {name: rng.random((frames, 17, 3)).astype("f4") for name in ("pose2d_norm", "label_norm")}
            writer.add_video(video, arrays)
            writer.finish(np.array([[0, 6, 0], [6, 6, 0]]))


def test_coco_trains_by_config(tmp_path):
    from hyperlift.cli.main import run as hyperlift

    write_coco_store(tmp_path / "store")
    sizes = "skeleton: coco17, channels: 12, depth: 1, heads: 3, n_frames: 6"
    model = f"{{{sizes}, hypergraph: {{random_edges: 3, membership: learned}}}}"
    text = f"name: c\ndata: {{root: {tmp_path / 'store'}}}\nmodel: {model}\ntraining: {{epochs: 1}}\n"
    (tmp_path / "run.yaml").write_text(text)
    hyper = ["--hyper_cfg", str(ROOT / "hyper_config/coco17/limbs.yaml"), "--no-progress"]
    assert (
        hyperlift("train", ["--config", str(tmp_path / "run.yaml"), "--checkpoint", str(tmp_path / "run"), *hyper]) == 0
    )
    loaded = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert loaded.spec.skeleton == "coco17"
    assert loaded.model.config.hypergraph.hyperedges is not None
    pose = loaded.model(torch.rand(1, 6, 17, 3))
    assert not pose[:, :, COCO_17.root].any()
