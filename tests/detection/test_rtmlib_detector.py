"""rtmlib really runs here, on networks small enough to be written by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from hyperlift.detection.detector import detect_video
from hyperlift.detection.registry import make_detector
from hyperlift.errors import InputError
from hyperlift.skeletons.joint_sets import COCO_17, HALPE_26
from hyperlift.video.reading import Frame

BOX = (100.0, 50.0, 190.0, 170.0)
"""left, top, right, bottom of the one person: 3 : 4, as the network's input, so that rtmlib widens nothing."""
WIDTH, HEIGHT = 192, 256


def constant(name: str, values: np.ndarray):
    return helper.make_node(
        "Constant", [], [name], value=helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel().tolist())
    )


def write_finder(path: Path, boxes: list[tuple[float, ...]]) -> Path:
    """A YOLOX with its own suppression, as OpenMMLab exports it: boxes [1, n, 5] of the 416 x 416 picture. Their scores
    are 0.9 for a picture that is blue (channel 0 of BGR) and 0 for one that is not."""
    found = np.array([[*box, 0.0] for box in boxes], np.float32).reshape(1, -1, 5)
    only_score = np.zeros_like(found)
    only_score[..., 4] = 0.9 / 255
    graph = helper.make_graph(
        [
            constant("boxes", found),
            constant("only_score", only_score),
            helper.make_node("Constant", [], ["first"], value_int=0),
            helper.make_node("Gather", ["input", "first"], ["blue"], axis=1),
            helper.make_node("ReduceMax", ["blue"], ["bluest"], keepdims=0),
            helper.make_node("Mul", ["only_score", "bluest"], ["scores"]),
            helper.make_node("Add", ["boxes", "scores"], ["dets"]),
        ],
        "finder",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 416, 416])],
        [helper.make_tensor_value_info("dets", TensorProto.FLOAT, list(found.shape))],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def write_pose(path: Path, joints: int, names: tuple[str, str] = ("simcc_x", "simcc_y")) -> Path:
    """Joint k peaks at x = 10 + 3 k, y = 20 + 5 k of the crop (two bins a pixel), as high as channel 2 (blue in RGB) is
    bright; the last joint is not seen."""
    outputs, nodes = [], [helper.make_node("Constant", [], ["third"], value_int=2)]
    nodes.append(helper.make_node("Gather", ["input", "third"], ["blue"], axis=1))
    nodes.append(helper.make_node("ReduceMax", ["blue"], ["bluest"], keepdims=0))
    for name, side, start, step in ((names[0], WIDTH, 10, 3), (names[1], HEIGHT, 20, 5)):
        bins = np.zeros((1, joints, 2 * side), np.float32)
        for joint in range(joints - 1):
            bins[0, joint, 2 * (start + step * joint)] = 0.3
        nodes.append(constant(f"{name}_bins", bins))
        nodes.append(helper.make_node("Mul", [f"{name}_bins", "bluest"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(bins.shape)))
    graph = helper.make_graph(
        nodes, "pose", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])], outputs
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def blue_picture() -> np.ndarray:
    picture = np.zeros((416, 416, 3), np.uint8)
    picture[..., 2] = 255
    return picture


@pytest.fixture
def rtmlib():
    return pytest.importorskip("rtmlib", reason="needs the extra rtmlib")


@pytest.mark.parametrize("skeleton", [COCO_17, HALPE_26])
@pytest.mark.usefixtures("rtmlib")
def test_joints_come_back_in_pixels_of_the_picture(tmp_path, skeleton, capsys):
    detector = make_detector(
        "rtmlib",
        det_onnx=write_finder(tmp_path / "finder.onnx", [BOX]),
        pose_onnx=write_pose(tmp_path / "pose.onnx", len(skeleton)),
        skeleton=skeleton.name,
    )
    (person,) = detector.detect(blue_picture(), 0)
    assert detector.skeleton is skeleton
    assert person.track_id is None
    # The crop is the box, widened by 1.25 about its middle (145, 110), on 192 x 256.
    joint = np.arange(len(skeleton) - 1)
    scale = 1.25 * 90 / WIDTH
    np.testing.assert_allclose(person.keypoints_px[:-1, 0], 145 + (10 + 3 * joint - 96) * scale, atol=1e-3)
    np.testing.assert_allclose(person.keypoints_px[:-1, 1], 110 + (20 + 5 * joint - 128) * scale, atol=1e-3)
    # RTMPose normalises by ImageNet's mean and deviation: blue 255 becomes (255 - 103.53) / 57.375.
    np.testing.assert_allclose(person.keypoints_px[:-1, 2], 0.3 * (255 - 103.53) / 57.375, rtol=1e-3)
    np.testing.assert_array_equal(person.keypoints_px[-1], [np.nan, np.nan, 0])
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("rtmlib")
def test_nobody_and_two_people(tmp_path):
    pose = write_pose(tmp_path / "pose.onnx", 17)
    two = make_detector("rtmlib", det_onnx=write_finder(tmp_path / "two.onnx", [BOX, (10, 10, 40, 50)]), pose_onnx=pose)
    frames = [Frame(0, 0.0, blue_picture()), Frame(1, 0.03, np.zeros((416, 416, 3), np.uint8))]
    detections = detect_video(frames, two)
    assert [len(people) for people in detections.frames.values()] == [2, 0]


@pytest.mark.usefixtures("rtmlib")
def test_networks_that_do_not_fit(tmp_path):
    finder, pose = write_finder(tmp_path / "finder.onnx", [BOX]), write_pose(tmp_path / "pose.onnx", 26)
    with pytest.raises(InputError, match="has 26 joints; coco17 has 17"):
        make_detector("rtmlib", det_onnx=finder, pose_onnx=pose)
    with pytest.raises(InputError, match="expected an RTMPose network"):
        make_detector("rtmlib", det_onnx=finder, pose_onnx=write_pose(tmp_path / "b.onnx", 17, ("heat_x", "heat_y")))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(InputError, match="cannot open this network"):
        make_detector("rtmlib", det_onnx=finder, pose_onnx=tmp_path / "text.onnx")
    with pytest.raises(InputError, match="not 'body25'"):
        make_detector("rtmlib", det_onnx=finder, pose_onnx=pose, skeleton="body25")


@pytest.mark.usefixtures("rtmlib")
def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("went to the network")

    monkeypatch.setattr("socket.socket.connect", no_network)
    with pytest.raises(InputError, match="give det_onnx and pose_onnx, or download='balanced'"):
        make_detector("rtmlib")
    with pytest.raises(InputError, match="no such file"):
        make_detector("rtmlib", det_onnx=tmp_path / "finder.onnx", pose_onnx=tmp_path / "pose.onnx")
    with pytest.raises(InputError, match="known: performance, lightweight, balanced"):
        make_detector("rtmlib", download="huge")


def test_without_rtmlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmlib", None)
    with pytest.raises(InputError, match=r"pip install 'hyperlift\[rtmlib\]'"):
        make_detector("rtmlib", det_onnx="a.onnx", pose_onnx="b.onnx")
