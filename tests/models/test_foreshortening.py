import pytest
import torch

from hyperlift.errors import InputError
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.foreshortening import Foreshortening
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.skeletons.joint_sets import H36M_17

HIP, KNEE = H36M_17.indices(["RHip", "RKnee"])


def test_the_depth_of_a_bone_by_pythagoras():
    points = torch.zeros(1, 1, 17, 2)
    points[0, 0, KNEE] = torch.tensor([0.0, 0.3])
    told = Foreshortening(H36M_17, (0.5, 0.25))(points)
    assert told.shape == (1, 1, 17, 3)
    # Seen 0.3 long: a bone of 0.5 reaches 0.4 into depth; one of 0.25 cannot be, which counts as in the plane.
    assert told[0, 0, KNEE].tolist() == pytest.approx([0.3, 0.4, 0.01])
    assert told[0, 0, HIP].tolist() == pytest.approx([0.01, 0.5, 0.25], abs=1e-3)


def test_the_root_is_a_bone_of_no_length():
    points = torch.rand(2, 3, 17, 2, generator=torch.Generator().manual_seed(0))
    told = Foreshortening(H36M_17, (0.5,))(points)
    assert torch.allclose(told[:, :, H36M_17.root], torch.tensor([0.01, 0.5]), atol=1e-3)


def test_it_ignores_where_the_person_is():
    points = torch.rand(2, 3, 17, 2, generator=torch.Generator().manual_seed(0))
    layer = Foreshortening(H36M_17, (0.5, 0.9))
    assert torch.allclose(layer(points + 3.0), layer(points), atol=1e-5)


def test_gradients_are_finite_where_bones_vanish():
    points = torch.zeros(1, 1, 17, 2, requires_grad=True)
    Foreshortening(H36M_17, (0.5,))(points).sum().backward()
    assert torch.isfinite(points.grad).all()


@pytest.mark.parametrize("depth", [0, 1])
def test_a_network_is_told_and_makes_use_of_it(depth):
    torch.manual_seed(0)
    config = ModelConfig(
        channels=16,
        depth=depth,
        heads=2,
        n_frames=9,
        frame_patch=3,
        input_frame="person",
        foreshortening=(0.3, 0.6),
        frame_lifter=FrameLifterConfig(channels=16, depth=1) if depth == 0 else None,
    )
    model = HyperLifter(config)
    pose2d = torch.rand(2, 9, 17, 3)
    assert model(pose2d).shape == (2, 9, 17, 3)
    model(pose2d).sum().backward()
    weight = model.frame_lifter.embed.weight if depth == 0 else model.transformer.embed.weight
    assert weight.shape[1] == (17 if depth == 0 else 3) * 9


def test_units_of_the_picture_are_refused():
    with pytest.raises(InputError, match="input_frame must be person"):
        ModelConfig(foreshortening=(0.5,))
    with pytest.raises(InputError, match="lengths are positive"):
        ModelConfig(foreshortening=(0.5, 0.0), input_frame="person")
