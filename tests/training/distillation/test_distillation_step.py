"""What reaches the student, what leaves the teacher alone, and that a run goes on as if it had never stopped."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import WHOLE, BatchSampler
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.config import TrainConfig
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
from hyperlift.training.distillation.step import DistillationStep, gradient_norms
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import RunFolder, Trainer

STUDENT = ModelConfig(channels=8, depth=2, heads=2, n_frames=6, drop_path=0.2)
TEACHER = ModelConfig(channels=16, depth=3, heads=2, n_frames=6, drop_path=0.2)
PARTS = ("spatial_mimicking", "temporal_mimicking", "generation", "output")
LOSS = LossWeights()


def config(*enabled: str, weight: float = 1e-3, **term: float) -> DistillationConfig:
    early = {"student_layers": (0, 1), "teacher_layers": (0, 2), "weight": weight, **term}
    late = {"student_layers": (1,), "teacher_layers": (2,), "weight": weight, **term}
    return DistillationConfig(
        spatial_mimicking=FeatureTerm(enabled="spatial_mimicking" in enabled, **early),
        temporal_mimicking=FeatureTerm(enabled="temporal_mimicking" in enabled, **early),
        generation=FeatureTerm(enabled="generation" in enabled, **late),
        output=OutputTerm(enabled="output" in enabled, weight=weight, **term),
        balance_every=3,
    )


def networks(seed: int = 0) -> tuple[HyperLifter, HyperLifter]:
    torch.manual_seed(seed)
    return HyperLifter(STUDENT).eval(), HyperLifter(TEACHER)


def batch(clips: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    pose2d = torch.rand(clips, 6, 17, 3, generator=generator)
    label = torch.rand(clips, 6, 17, 3, generator=generator)
    return pose2d, label - label[:, :, :1]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_alone_reaches_the_student_and_never_the_teacher(part):
    student, teacher = networks()
    step = DistillationStep(config(part), STUDENT, teacher, LOSS)
    _, _, parts = step.losses(student, *batch())
    assert set(parts) == {part}
    parts[part].backward()
    # The last layers of the student get nothing from a part that looks at earlier ones; all before them do.
    reached = {name for name, p in student.named_parameters() if p.grad is not None and p.grad.any()}
    behind = (
        ("transformer.head", "transformer.temporal.1")
        if part == "spatial_mimicking"
        else ()
        if part == "output"
        else ("transformer.head",)
    )
    expected = {name for name, _ in student.named_parameters() if not name.startswith(behind or "nothing")}
    assert reached == expected
    assert all(p.grad is not None and p.grad.any() for p in step.parameters())
    assert all(p.grad is None and not p.requires_grad for p in teacher.parameters())
    assert not teacher.training


def test_the_loss_is_the_weighted_sum_and_a_part_that_is_off_adds_nothing():
    student, teacher = networks()
    pose2d, label = batch()
    plain, plain_terms = SupervisedStep(LOSS, H36M_17)(student, pose2d, label)
    for enabled in (PARTS, PARTS[:2], PARTS[2:3]):
        torch.manual_seed(3)
        step = DistillationStep(config(*enabled, weight=0.25), STUDENT, teacher, LOSS)
        total, terms = step(student, pose2d, label)
        assert set(terms) == {*plain_terms, *enabled}
        expected = plain + 0.25 * sum(terms[name] for name in enabled)
        assert total.item() == pytest.approx(expected.item(), rel=1e-6)
        assert all(terms[name].item() == pytest.approx(plain_terms[name].item()) for name in plain_terms)
        assert {name.split(".")[1] for name, _ in step.named_parameters()} == set(enabled) - {"output"}


def test_output_is_the_mean_distance_of_the_poses():
    student, teacher = networks()
    pose2d, label = batch()
    _, _, parts = DistillationStep(config("output"), STUDENT, teacher, LOSS).losses(student, pose2d, label)
    with torch.no_grad():
        distance = (student(pose2d) - teacher(pose2d)).square().sum(-1).sqrt().mean()
    assert parts["output"].item() == pytest.approx(distance.item(), rel=1e-5)


def test_parts_do_not_depend_on_the_batch_they_are_averaged_over():
    student, teacher = networks()
    step = DistillationStep(config(*PARTS), STUDENT, teacher, LOSS)
    pose2d, label = batch()
    _, _, once = step.losses(student, pose2d, label)
    _, _, twice = step.losses(student, pose2d.repeat(2, 1, 1, 1), label.repeat(2, 1, 1, 1))
    assert all(once[name].item() == pytest.approx(twice[name].item(), rel=1e-4) for name in PARTS)


def test_a_balanced_part_has_its_share_of_the_gradient():
    student, teacher = networks()
    step = DistillationStep(config(*PARTS, balance=0.3), STUDENT, teacher, LOSS)
    pose2d, label = batch()
    _, terms = step(student, pose2d, label)
    main, _, parts = step.losses(student, pose2d, label)
    norms = gradient_norms(student, {"pose": main, **{n: p * terms[f"{n}_weight"] for n, p in parts.items()}})
    assert all(norms[name] == pytest.approx(0.3 * norms["pose"], rel=1e-3) for name in PARTS)
    before = step.part_weights.clone()
    with torch.no_grad():
        student.transformer.head[1].weight.mul_(3.0)
    step(student, pose2d, label)
    step(student, pose2d, label)
    assert torch.equal(step.part_weights, before)
    step(student, pose2d, label)  # the fourth call measures again
    assert not torch.isclose(step.part_weights, before).any()


def test_bfloat16_compares_in_float32():
    student, teacher = networks()
    step = DistillationStep(config(*PARTS), STUDENT, teacher, LOSS)
    pose2d, label = batch()
    exact, _ = step(student, pose2d, label)
    with torch.autocast("cpu", torch.bfloat16):
        rough, terms = step(student, pose2d, label)
    assert rough.dtype == torch.float32
    assert all(term.dtype == torch.float32 for term in terms.values())
    assert rough.item() == pytest.approx(exact.item(), rel=0.05)
    rough.backward()
    assert all(p.grad is None for p in teacher.parameters())


def test_the_teacher_answers_in_autocast_without_a_graph():
    """Its layers are bfloat16 where the student's are, its answer float32 as theirs, and nothing of it is kept for a
    backward pass."""
    student, teacher = networks()
    step = DistillationStep(config(*PARTS), STUDENT, teacher, LOSS)
    teacher.requires_grad_(True)  # so that only no_grad keeps a graph from growing
    seen = []
    hooks = [
        norm.register_forward_hook(lambda module, inputs, output: seen.append(output))
        for norm in [
            teacher.transformer.get_submodule(name) for name in ("embed", "spatial_norm", "temporal_norm", "head.1")
        ]
    ]
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = step(student, *batch())
    loss.backward()
    for hook in hooks:
        hook.remove()
    assert len(seen) == 2 * TEACHER.depth + 2
    assert not any(output.requires_grad for output in seen)
    assert seen[0].dtype == torch.bfloat16
    assert seen[-1].dtype == torch.float32
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in (*student.parameters(), *step.parameters()))


class RandomClips:
    n_frames = 6
    skeleton = H36M_17

    def __len__(self) -> int:
        return 10

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(clip)
        pose2d, label = rng.random((2, 6, 17, 3), dtype=np.float32)
        return pose2d[part], (label - label[:, :1])[part]


def trainer(folder, epochs: int = 4) -> Trainer:
    folder.mkdir(exist_ok=True)
    training = TrainConfig(epochs=4, batch_size=4, lr=1e-3, ema=0.9, clip_gradient=1.0)
    torch.manual_seed(7)
    student, teacher = HyperLifter(STUDENT), HyperLifter(TEACHER)
    parts = config(*PARTS)
    parts = dataclasses.replace(parts, generation=dataclasses.replace(parts.generation, balance=0.2))
    run = Trainer(
        model=student,
        sampler=BatchSampler(RandomClips(), 4, 7, flip=True),
        step=DistillationStep(parts, STUDENT, teacher, LOSS),
        config=training,
        seed=7,
        folder=RunFolder(folder),
        spec=LifterSpec(name="t", n_frames=6),
        run={"name": "t"},
        progress=False,
    )
    run.config = dataclasses.replace(training, epochs=epochs)
    return run


def test_a_resumed_distillation_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    whole = trainer(tmp_path / "whole")
    untrained = {name: tensor.clone() for name, tensor in whole.step.state_dict().items()}
    whole.fit()
    trainer(tmp_path / "halves", epochs=2).fit()
    second = trainer(tmp_path / "halves")
    torch.rand(100)
    for parameter in second.step.parameters():
        parameter.data.fill_(9.0)
    second.resume(tmp_path / "halves" / "last.resume.pt")
    second.fit()

    def student(name: str) -> dict[str, torch.Tensor]:
        return load_checkpoint(tmp_path / name / "last.safetensors").model.state_dict()

    ours, theirs = student("whole"), student("halves")
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    projections, resumed = whole.step.state_dict(), second.step.state_dict()
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in projections.items())
    assert not any(torch.equal(tensor, untrained[name]) for name, tensor in projections.items() if "parts" in name)
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("whole", "halves")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4
