"""Lifters with feet and hands that are predicted from ankles and wrists, and with standard deviations of all joints."""

import dataclasses
import math

import pytest
import torch
from tiny_whole_body import NETWORKS, clips_25, network

from hyperlift.errors import InputError
from hyperlift.geometry.flip import flip_pose
from hyperlift.models.hyperlifter.answers import FIRST_LOG_STD
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.warm_start import start_from_trained
from hyperlift.skeletons.joint_sets import H36M_25

ROOT = H36M_25.root
FEET_AND_HANDS = slice(17, None)


@pytest.fixture(params=NETWORKS)
def model(request):
    return network(request.param)


def test_poses_and_standard_deviations_have_a_place_for_every_joint(model):
    pose, std = model.lift(clips_25(2, 8))
    assert pose.shape == (2, 8, 25, 3)
    assert std.shape == (2, 8, 25)
    assert (pose[:, :, ROOT] == 0).all()
    assert (std[:, :, ROOT] == std.min()).all()  # it has no error
    assert (std > 0).all()
    assert torch.equal(model(clips_25(2, 8)), pose)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_fresh_network_says_ten_centimetres(name):
    std = network(name, trained=False).lift(clips_25(1, 8)).std
    torch.testing.assert_close(std[:, :, 1:], torch.full_like(std[:, :, 1:], math.exp(FIRST_LOG_STD)))


def test_every_parameter_gets_gradient(model):
    pose, std = model.train().lift(clips_25(2, 8))
    (pose.square().sum() + std.square().sum()).backward()
    assert not [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]


@pytest.mark.parametrize("name", ["windows", "together", "stream_frames"])
def test_a_foot_hangs_on_its_ankle(name):
    """Adding to the ankle's answer moves ankle and foot alike, and nothing else."""
    model = network(name)
    before = model(clips_25(1, 8))
    answers = model.frame_lifter.head[-1].bias.data.unflatten(0, (-1, 25, 4))
    answers[:, H36M_25.index("LAnkle"), :3] += 0.1
    moved = (model(clips_25(1, 8)) - before).abs().amax((0, 1, 3)) > 1e-4
    found = {joint for joint, far in zip(H36M_25.joints, moved.tolist(), strict=True) if far}
    assert found == {"LAnkle", "LBigToe", "LSmallToe", "LHeel"}


def test_where_feet_are_not_seen_their_place_in_the_picture_is_told_and_changes_nothing(model):
    pose2d = clips_25(2, 8)
    pose2d[:, :, FEET_AND_HANDS] = pose2d[:, :, list(H36M_25.parents[17:])]
    pose2d[:, :, FEET_AND_HANDS, 2] = 0.0
    seen = clips_25(2, 8)
    assert (model(pose2d) - model(seen))[:, :, FEET_AND_HANDS].abs().max() > 1e-4
    assert (model(pose2d) - model(seen))[:, :, :17].abs().max() > 1e-6  # the shins of seen feet are known better
    centre_of_all = pose2d.clone()
    centre_of_all[:, :, FEET_AND_HANDS, 2] = 1e-9
    torch.testing.assert_close(model(centre_of_all), model(pose2d))  # feet do not count for a person's place and size


def test_mirrored_input_of_a_symmetric_network_is_mirrored_output():
    """Both feet have the same weights in a transformer: exchanging the sides exchanges what comes out."""
    model = network("transformer", trained=False)  # its relations of joints are those of the skeleton still
    model.transformer.joint_position.data.zero_()
    pose2d = clips_25(1, 8)
    mirror = torch.as_tensor(H36M_25.mirror)
    torch.testing.assert_close(model(pose2d[:, :, mirror]), model(pose2d)[:, :, mirror], atol=1e-5, rtol=0)
    assert flip_pose(flip_pose(pose2d.numpy(), H36M_25), H36M_25).tolist() == pose2d.tolist()


@pytest.mark.parametrize("name", ["stream", "stream_frames"])
def test_frame_by_frame_is_the_whole_clip(name):
    model = network(name)
    pose2d = clips_25(3, 11)
    whole = model.lift(pose2d)
    cache, lifted = model.new_cache(3), []
    for frame in range(11 + model.config.reach.look_ahead):
        step, cache = model.lift_next(pose2d[:, min(frame, 10)][:, None], cache)
        lifted.append(step)
    lifted = lifted[model.config.reach.look_ahead :]
    torch.testing.assert_close(torch.cat([one.pose for one in lifted], 1), whole.pose, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat([one.std for one in lifted], 1), whole.std, atol=1e-5, rtol=0)


def test_one_frame_alone_is_that_frame_of_all():
    model = network("windows")
    pose2d = clips_25(2, 8)
    one, every = model.lift(pose2d, 4), model.lift(pose2d)
    torch.testing.assert_close(one.pose, every.pose[:, 4:5])
    torch.testing.assert_close(one.std, every.std[:, 4:5])


def test_two_networks_start_a_third_as_their_mean():
    windows, transformer, both = network("windows"), network("transformer"), network("both", trained=False)
    config = dataclasses.replace(both.config, smoothing=0)
    both = HyperLifter(config).eval()
    start_from_trained(both, [transformer, windows], "test")
    pose2d = clips_25(2, 8)
    one, other, mean = (model.lift(pose2d) for model in (windows, transformer, both))
    torch.testing.assert_close(mean.pose, (one.pose + other.pose) / 2, atol=1e-5, rtol=0)
    own = slice(1, None)  # without the root
    torch.testing.assert_close(mean.std[:, :, own], (one.std * other.std)[:, :, own].sqrt(), atol=1e-5, rtol=0)


def test_a_stream_starts_from_networks_of_whole_clips():
    stream = network("stream", trained=False)
    start_from_trained(stream, [network("transformer"), network("windows")], "test")
    assert torch.isfinite(stream(clips_25(1, 5))).all()


def test_feet_and_hands_as_tokens_want_hyperedges_of_theirs():
    with pytest.raises(InputError, match="made for skeleton h36m17, the model has h36m25"):
        ModelConfig(skeleton="h36m25", channels=8, heads=2, depth=1, n_frames=9)
    limbs = (
        *(("Pelvis", "Spine", "Thorax"), ("Nose", "Head"), ("LShoulder", "LElbow", "LWrist", "LHand")),
        *(("RShoulder", "RElbow", "RWrist", "RHand"), ("LHip", "LKnee", "LAnkle"), ("RHip", "RKnee", "RAnkle")),
        *(("LAnkle", "LBigToe", "LSmallToe", "LHeel"), ("RAnkle", "RBigToe", "RSmallToe", "RHeel")),
    )
    config = ModelConfig(
        skeleton="h36m25", channels=8, heads=2, depth=1, n_frames=9, hypergraph=HypergraphConfig(hyperedges=limbs)
    )
    assert HyperLifter(config)(clips_25(1, 4)).shape == (1, 4, 25, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"skeleton": "h36m17"}, "with skeleton h36m17 and rootrel true; feet and hands are predicted of h36m25"),
        ({"rootrel": False, "label_space": "image", "uncertainty": False}, "rootrel false"),
        ({"label_space": "image"}, "a standard deviation is in metres"),
        ({"frame_lifter": FrameLifterConfig(channels=8, depth=1, smoothing=1)}, "smooth at the end"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    base = {"skeleton": "h36m25", "extremities": "predicted", "uncertainty": True, "label_space": "camera"}
    with pytest.raises(InputError, match=message):
        ModelConfig(**{**base, "channels": 8, "heads": 2, "depth": 1, "n_frames": 9, **changes})
