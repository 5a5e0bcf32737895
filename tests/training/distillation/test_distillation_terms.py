"""The parts of the loss against numbers worked out by hand, and what of the networks they look at."""

import pytest
import torch

from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.distillation.features import capture_features, lifter_inside
from hyperlift.training.distillation.terms import Generation, Mimicking, every_second


def test_mimicking_by_hand():
    term = Mimicking(2, 3, [(0, 1), (1, 0)])
    for project in term.project:
        project.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        project.bias.data = torch.tensor([0.0, 0.0, 0.5])
    student = [torch.tensor([[[1.0, 2.0]], [[0.0, 1.0]]]), torch.zeros(2, 1, 2)]
    teacher = [
        torch.tensor([[[1.0, 0.0, 0.5]], [[0.0, 0.0, 0.0]]]),
        torch.tensor([[[1.0, 1.0, 3.0]], [[0.0, 0.0, 1.5]]]),
    ]
    # Depth 0 of the student becomes (1, 2, 3.5) and (0, 1, 1.5) and is held against depth 1 of the teacher:
    # 0 + 1 + 0.25, and 0 + 1 + 0. Depth 1 becomes (0, 0, 0.5) twice, against depth 0: 1 + 0 + 0, and 0.25.
    assert term(student, teacher, clips=1).item() == pytest.approx(1.25 + 1.0 + 1.0 + 0.25)
    assert term(student, teacher, clips=2).item() == pytest.approx(3.5 / 2)


def test_generation_by_hand():
    term = Generation(1, 1, [(0, 0)])
    (generator,) = term.generators
    generator.project.weight.data.fill_(2.0)
    generator.project.bias.data.zero_()
    generator.mask_token.data.fill_(10.0)
    for convolution in (generator.restore[0], generator.restore[2]):
        convolution.bias.data.zero_()
    generator.restore[0].weight.data = torch.tensor([[[1.0, 0.0, 1.0]]])  # left neighbour + right neighbour
    generator.restore[2].weight.data = torch.tensor([[[0.0, 1.0, 0.0]]])
    student = torch.tensor([1.0, 50.0, 3.0, 70.0, 2.0])[None, :, None]
    teacher = torch.tensor([100.0, 7.0, 100.0, 8.0, 100.0])[None, :, None]
    # Projected and masked: 2, 10, 6, 10, 4. Gap 1 is filled with 2 + 6, gap 3 with 6 + 4.
    assert term([student], [teacher], clips=1).item() == pytest.approx((8 - 7) ** 2 + (10 - 8) ** 2)


def test_generation_sees_the_other_tokens_and_is_judged_on_the_masked_ones_only():
    torch.manual_seed(0)
    term = Generation(4, 6, [(0, 0)])
    student = torch.rand(3, 7, 4, requires_grad=True)
    teacher = torch.rand(3, 7, 6, requires_grad=True)
    term([student], [teacher], clips=3).backward()
    masked = every_second(7, student.device)
    assert masked.tolist() == [False, True, False, True, False, True, False]
    assert student.grad is not None
    assert teacher.grad is not None
    assert not student.grad[:, masked].any()
    assert student.grad[:, ~masked].abs().sum(-1).all()
    assert teacher.grad[:, masked].abs().sum(-1).all()
    assert not teacher.grad[:, ~masked].any()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in term.parameters())


def test_captured_layers_are_what_the_next_layer_receives():
    torch.manual_seed(0)
    model = HyperLifter(ModelConfig(channels=8, depth=3, heads=2, n_frames=6)).eval()
    pose2d = torch.rand(2, 6, 17, 3)
    with capture_features(torch.nn.Sequential(model)) as features:
        pose = model(pose2d)
    assert [x.shape for x in features.spatial] == [(12, 17, 8)] * 3
    assert [x.shape for x in features.temporal] == [(34, 6, 8)] * 3
    last = model.transformer.head(features.temporal[-1].unflatten(0, (2, 17)).transpose(1, 2))
    assert torch.allclose(last - last[:, :, :1], pose, atol=1e-6)
    second = features.temporal[0].unflatten(0, (2, 17)).transpose(1, 2).flatten(0, 1)
    second = model.transformer.spatial_norm(model.transformer.hyperedge[1](model.transformer.spatial[1](second)))
    assert torch.allclose(second, features.spatial[1], atol=1e-6)
    assert not model.transformer.spatial_norm._forward_hooks
    assert not model.transformer.temporal_norm._forward_hooks


def test_the_lifter_is_found_inside_a_wrapper():
    model = HyperLifter(ModelConfig(channels=8, depth=1, heads=2, n_frames=3))
    assert lifter_inside(model) is model
    assert lifter_inside(torch.nn.Sequential(torch.nn.Identity(), model)) is model
