import json

import numpy as np
import onnx
import pytest
import torch
from tiny_stream import LOOK_AHEAD, LOOK_BACK, lifted_whole, stream_clips, stream_network, stream_spec, tiny_stream

from hyperlift.contract import METADATA_KEY, STREAM_METADATA_KEY
from hyperlift.errors import InputError
from hyperlift.export.onnx import export_onnx
from hyperlift.export.stream import export_stream
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.runtime.loading import load_lifter
from hyperlift.runtime.session import onnxruntime

CACHE = ["frames_seen", "recent", "answers", "key_0", "value_0", "key_1", "value_1"]


def test_the_cache_goes_in_and_out_by_name():
    _, path = tiny_stream()
    proto = onnx.load(path)
    onnx.checker.check_model(proto)
    given = {port.name: port.type.tensor_type for port in proto.graph.input}
    answer = {port.name: port.type.tensor_type for port in proto.graph.output}
    assert list(given) == ["pose2d", *CACHE]
    assert list(answer) == ["pose3d", *(f"{name}_next" for name in CACHE)]

    def sizes(port):
        return [size.dim_value or size.dim_param for size in port.shape.dim]

    people = sizes(given["pose2d"])[0]
    assert isinstance(people, str)
    for name in CACHE:
        assert sizes(given[name]) == sizes(answer[f"{name}_next"])
        assert sizes(given[name])[0] == people
    assert sizes(given["pose2d"])[1:] == sizes(answer["pose3d"])[1:] == [1, 17, 3]
    assert sizes(given["key_0"])[1:] == [17, 2, LOOK_BACK, 8]
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata[STREAM_METADATA_KEY]) == {"look_ahead": LOOK_AHEAD, "look_back": LOOK_BACK}
    assert json.loads(metadata[METADATA_KEY])["label_space"] == "camera"


@pytest.mark.parametrize("people", [1, 3])
def test_feeding_the_cache_back_gives_the_whole_clip(people):
    """With nothing but ONNX Runtime, as anybody may use the file."""
    model, path = tiny_stream()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    cache = {p.name: np.zeros((people, *p.shape[1:]), types[p.type]) for p in session.get_inputs()[1:]}
    clips = stream_clips(people, 4 * LOOK_BACK).numpy()
    poses = []
    for frame in range(clips.shape[1]):
        pose, *following = session.run(None, {"pose2d": clips[:, frame, None], **cache})
        cache = dict(zip(cache, following, strict=True))
        poses.append(pose)
    streamed = np.concatenate(poses[LOOK_AHEAD:], axis=1)
    for person in range(people):
        whole = lifted_whole(model, clips[person])[: streamed.shape[1]]
        assert np.abs(streamed[person] - whole).max() < 1e-4


def test_the_same_network_is_exported_for_whole_clips(tmp_path):
    model = stream_network(depth=1)
    path = tmp_path / "whole.onnx"
    assert export_onnx(model, stream_spec(model), path).passed
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    clips = stream_clips(2, 3 * model.config.n_frames)  # of any length: it counts from no beginning
    with torch.inference_mode():
        expected = model(clips).numpy()
    assert np.abs(session.run(None, {"pose2d": clips.numpy()})[0] - expected).max() < 1e-4
    assert np.abs(load_lifter(path)(clips.numpy()) - expected).max() < 1e-4


def test_a_network_for_whole_clips_has_no_step(tmp_path):
    model = HyperLifter(ModelConfig(channels=16, depth=1, heads=2, n_frames=9))
    with pytest.raises(InputError, match="is no streaming lifter"):
        export_stream(model, stream_spec(model), tmp_path / "step.onnx")
    assert not list(tmp_path.iterdir())
