"""Files of lifters with feet, hands and an uncertainty."""

import numpy as np
import onnx
import pytest
import torch
from tiny_whole_body import clips_25, network

from hyperlift.contract import LifterSpec
from hyperlift.export.any_length import take_any_length
from hyperlift.export.fold_shared_inputs import fold_shared_inputs
from hyperlift.export.onnx import export_onnx
from hyperlift.runtime.session import OnnxLifter, onnxruntime

SPEC = LifterSpec(name="t", skeleton="h36m25", label_space="camera", n_frames=9)


@pytest.mark.parametrize("name", ["windows", "together", "transformer", "both", "stream"])
def test_a_file_says_what_the_network_says(name, tmp_path):
    model, path = network(name), tmp_path / "lifter.onnx"
    assert export_onnx(model, SPEC, path).passed
    for threads in (1, 2):
        lifter = OnnxLifter(path, "t", threads=threads)
        for clips, frames in ((1, 1), (3, 7), (12, 9)):
            pose2d = clips_25(clips, frames)
            with torch.no_grad():
                expected = model.lift(pose2d)
            pose, std = lifter.with_std(pose2d.numpy())
            np.testing.assert_allclose(pose, expected.pose, atol=1e-5)
            np.testing.assert_allclose(std, expected.std, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(lifter(pose2d.numpy()), pose)


def test_the_place_of_a_person_is_multiplied_once(tmp_path):
    model = network("both")
    less = fold_shared_inputs(model)
    saved = model.frame_lifter.embed.in_features - less.frame_lifter.frame_lifter.embed.in_features
    assert saved == 3 * (17 - 1) * 3  # three numbers of all joints but one, for each of three neighbours
    torch.testing.assert_close(less.lift(clips_25(2, 9)).std, model.lift(clips_25(2, 9)).std)


def test_any_length_has_an_uncertainty_too(tmp_path):
    path = tmp_path / "lifter.onnx"
    assert export_onnx(network("both"), SPEC, path).passed
    long = onnxruntime.InferenceSession(take_any_length(onnx.load(path), 9).SerializeToString())
    lifter = OnnxLifter(path, "t")
    for frames in (1, 9, 14, 50):
        pose2d = clips_25(2, frames).numpy()
        pose, std = long.run(None, {"pose2d": pose2d})
        assert (pose.shape, std.shape) == ((2, frames, 25, 3), (2, frames, 25))
        if frames <= 9:
            short = lifter.with_std(pose2d)
            np.testing.assert_allclose(pose, short[0], atol=1e-5)
            np.testing.assert_allclose(std, short[1], atol=1e-5)


def test_a_lifter_without_uncertainty_says_none():
    from hyperlift.runtime.loading import load_lifter

    pose, std = load_lifter("small").with_std(np.zeros((1, 4, 17, 3), np.float32))
    assert pose.shape == (1, 4, 17, 3)
    assert std is None
