"""MMPose, COCO, Ultralytics and AlphaPose's larger joint sets."""

import json
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.coco import frames_of_ids
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17, COCO_WHOLEBODY_133, H36M_17, HALPE_26, HALPE_136, MPII_16
from hyperlift.skeletons.skeleton import Skeleton

SIZE = (1000, 800)


def two_people(skeleton: Skeleton) -> write.Frames:
    """Frame 2 with two people, frame 11 with one; 3 to 10 are a gap."""
    first, second = write.distinct(skeleton), write.distinct(skeleton, shift=50.0)
    first[3] = [np.nan, np.nan, 0]
    return {2: [(first, 4), (second, 9)], 11: [(second, 9)]}


def check(detections, frames: write.Frames, tracks: bool, atol: float = 1e-9) -> None:
    seen = {frame: people for frame, people in detections.frames.items() if people}
    assert list(seen) == list(frames)
    for frame, people in frames.items():
        for person, (keypoints, track_id) in zip(seen[frame], people, strict=True):
            np.testing.assert_allclose(person.keypoints_px, keypoints, atol=atol)
            assert person.track_id == (track_id if tracks else None)


@pytest.mark.parametrize("skeleton", [COCO_17, HALPE_26, COCO_WHOLEBODY_133, HALPE_136])
def test_alphapose_joint_sets(tmp_path: Path, skeleton: Skeleton):
    detections = read_keypoints(write.alphapose(tmp_path, two_people(skeleton)))
    assert (detections.tool, detections.skeleton) == ("AlphaPose", skeleton)
    check(detections, two_people(skeleton), tracks=True)


def test_alphapose_per_frame_cmu(tmp_path: Path):
    body = write.coco18(write.distinct(COCO_17))
    for frame in (9, 10):
        content = {"version": "AlphaPose v0.3", "bodies": [{"joints": write.flat(body)}]}
        write.dump(tmp_path / f"{frame}.json", content)
    detections = read_keypoints(tmp_path)
    assert list(detections.frames) == [9, 10]
    np.testing.assert_allclose(detections.frames[9][0].keypoints_px, body)


def test_mmpose_layouts_count_from_1_and_from_0(tmp_path: Path):
    for writer in (write.mmpose_demo, write.mmpose_inferencer):
        detections = read_keypoints(writer(tmp_path, two_people(COCO_17)))
        assert (detections.tool, detections.skeleton) == ("MMPose", COCO_17)
        assert list(detections.frames) == list(range(12))
        check(detections, two_people(COCO_17), tracks=False)


def test_mmpose_demo_that_counts_from_0(tmp_path: Path):
    path = write.mmpose_demo(tmp_path, two_people(COCO_17))
    content = json.loads(path.read_text())
    for frame in content["instance_info"]:
        frame["frame_id"] -= 1
    check(read_keypoints(write.dump(path, content)), two_people(COCO_17), tracks=False)


def test_mmpose_names_decide(tmp_path: Path):
    names = ["right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax"]
    names += ["upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow"]
    detections = read_keypoints(write.mmpose_demo(tmp_path, two_people(MPII_16), [*names, "left_wrist"]))
    assert detections.skeleton is MPII_16
    # The same 17 joints in another order than COCO's: the names are believed, not the number.
    backwards = read_keypoints(write.mmpose_demo(tmp_path, two_people(COCO_17), write.LABELS[::-1]))
    assert backwards.skeleton.joints == COCO_17.joints[::-1]


def test_mmpose_single_picture_and_scores_above_1(tmp_path: Path):
    instances = write.mmpose_instances(two_people(HALPE_26)[2])
    instances[0]["keypoint_scores"][0] = 1.2
    detections = read_keypoints(write.dump(tmp_path / "r.json", instances))
    assert (list(detections.frames), detections.skeleton) == ([0], HALPE_26)
    assert detections.frames[0][0].keypoints_px[0, 2] == 1


def test_coco_results_are_told_from_alphapose_by_their_ids(tmp_path: Path):
    path = write.coco_results(tmp_path, two_people(COCO_17))
    detections = read_keypoints(path)
    assert detections.tool == "COCO results"
    check(detections, two_people(COCO_17), tracks=False)
    assert read_keypoints(path, format="alphapose").tool == "AlphaPose"


@pytest.mark.parametrize(
    ("ids", "frames"),
    [
        ([3, 4, 9], [3, 4, 9]),
        ([0, 120], [0, 120]),
        ([397133, 37777, 252219], [2, 0, 1]),
        ([10_000_010_000, 10_000_010_002], [0, 1]),
        ([], []),
    ],
)
def test_picture_ids(ids: list[int], frames: list[int]):
    assert [frames_of_ids(ids)[number] for number in ids] == frames


def test_coco_flags_are_no_confidences(tmp_path: Path):
    keypoints = write.distinct(COCO_17)
    keypoints[:, 2] = [0, 1, 2] + [2] * 14
    path = write.coco_results(tmp_path, {0: [(keypoints, None)]})
    back = read_keypoints(path).frames[0][0].keypoints_px
    np.testing.assert_array_equal(back[:4, 2], [0, 0.5, 1, 1])
    assert np.isnan(back[0, 0])
    keypoints[:, 2] = [0, 1] + [1] * 15
    back = read_keypoints(write.coco_results(tmp_path, {0: [(keypoints, None)]})).frames[0][0].keypoints_px
    np.testing.assert_array_equal(back[:3, 2], [0, 1, 1])


def coco_annotations(keypoints: list[float], **changes) -> dict:
    return {
        "images": [{"id": 700001, "file_name": "a.jpg"}, {"id": 500, "file_name": "b.jpg"}],
        "annotations": [
            {"image_id": 700001, "category_id": 1, "keypoints": keypoints, "num_keypoints": 16},
            {"image_id": 500, "category_id": 1, "keypoints": [0] * 51, "num_keypoints": 0},
            {"image_id": 500, "category_id": 3, "bbox": [0, 0, 1, 1]},
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": write.LABELS}, {"id": 3, "name": "car"}],
    } | changes


def test_coco_annotations(tmp_path: Path):
    keypoints = write.distinct(COCO_17)
    keypoints[:, 2] = [0, 1] + [2] * 15
    path = write.dump(tmp_path / "annotations.json", coco_annotations(write.flat(keypoints)))
    detections = read_keypoints(path)
    assert (detections.tool, detections.skeleton) == ("COCO annotations", COCO_17)
    # Ids far beyond their number name pictures: in ascending order, 500 is frame 0.
    assert {frame: len(people) for frame, people in detections.frames.items()} == {0: 0, 1: 1}
    back = detections.frames[1][0].keypoints_px
    np.testing.assert_allclose(back[1:, :2], keypoints[1:, :2])
    np.testing.assert_array_equal(back[:3, 2], [0, 0.5, 1])


def test_ultralytics_json(tmp_path: Path):
    detections = read_keypoints(write.ultralytics(tmp_path, two_people(COCO_17)))
    assert (detections.tool, detections.skeleton) == ("Ultralytics", COCO_17)
    check(detections, two_people(COCO_17), tracks=True)


def test_ultralytics_other_ways_to_keep_frames(tmp_path: Path):
    frames = two_people(COCO_17)
    texts = [json.dumps(write.ultralytics_frame(frames.get(f, []))) for f in range(12)]
    check(read_keypoints(write.dump(tmp_path / "texts.json", texts)), frames, tracks=True)
    (tmp_path / "frames").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "frames" / f"{number}.json").write_text(text)
    check(read_keypoints(tmp_path / "frames"), frames, tracks=True)
    (tmp_path / "one.json").write_text(texts[2])
    check(read_keypoints(tmp_path / "one.json"), {0: frames[2]}, tracks=True)


def test_ultralytics_normalised_needs_the_picture(tmp_path: Path):
    frames = two_people(COCO_17)
    path = write.dump(tmp_path / "n.json", [write.ultralytics_frame(frames.get(f, []), SIZE) for f in range(12)])
    with pytest.raises(InputError, match=r"n\.json: its coordinates are fractions.*`picture_size`"):
        read_keypoints(path)
    check(read_keypoints(path, picture_size=SIZE), frames, tracks=True)


@pytest.mark.parametrize(("confidence", "tracks"), [(True, True), (False, True), (True, False), (False, False)])
def test_ultralytics_labels(tmp_path: Path, confidence: bool, tracks: bool):
    frames = {f: [(k, i if tracks else None) for k, i in people] for f, people in two_people(COCO_17).items()}
    path = write.ultralytics_labels(tmp_path, frames, SIZE, confidence)
    with pytest.raises(InputError, match="fractions of the picture"):
        read_keypoints(path)
    check(read_keypoints(path, picture_size=SIZE), frames, tracks, atol=1e-6)


def test_the_user_may_name_other_joints(tmp_path: Path):
    path = write.alphapose(tmp_path, two_people(COCO_17))
    assert read_keypoints(path, skeleton="h36m17").skeleton is H36M_17
    with pytest.raises(InputError, match="17 joints a person; the skeleton halpe26 has 26"):
        read_keypoints(path, skeleton="halpe26")
    with pytest.raises(InputError, match="unknown skeleton 'coco'"):
        read_keypoints(path, skeleton="coco")
    # What Pose2Sim writes: OpenPose's layout, Halpe's joints.
    folder = write.openpose(tmp_path, two_people(HALPE_26))
    check(read_keypoints(folder), two_people(HALPE_26), tracks=False)


def test_forced_formats(tmp_path: Path):
    path = write.alphapose(tmp_path, two_people(COCO_17))
    with pytest.raises(InputError, match=r"is not MMPose predictions; it looks like an AlphaPose results file"):
        read_keypoints(path, format="mmpose")
    with pytest.raises(InputError, match="unknown keypoint format 'alpha'; known: coco-results, alphapose"):
        read_keypoints(path, format="alpha")
    path.write_text("{}")
    with pytest.raises(InputError, match=r"is not MMPose predictions; nor is it any other known layout"):
        read_keypoints(path, format="mmpose")


INSTANCE = {"keypoints": [[1.0, 2.0]] * 17, "keypoint_scores": [0.5] * 17}
LANDMARK = {"name": "person", "confidence": 1, "box": {}, "keypoints": {"x": [1.0] * 17, "y": [9.0] * 17}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"instances": [{**INSTANCE, "keypoint_scores": [1]}]}], "1 numbers for 17 joints"),
        ([{"instances": [{**INSTANCE, "keypoints": [[1, 2, 3]] * 17}]}], "may be 3D poses"),
        ([{"instances": [{**INSTANCE, "keypoints": [[1, "a"]] * 17}]}], "no list of numbers"),
        ([{"instances": [{**INSTANCE, "keypoints": [[1, 1e300]] * 17}]}], "absurdly far"),
        ([{"instances": [INSTANCE, {**INSTANCE, "keypoints": [[1, 2]] * 9}]}], "9 joints; expected the 17 of coco17"),
        ([{"instances": [{**INSTANCE, "keypoints": [[1, 2]] * 9}]}], "9 joints a person; expected 17"),
        ([{"instances": [{}]}], "has no list 'keypoints'"),
        ([{"instances": 3}], "has no list 'instances'"),
        ([{"frame_id": "a", "instances": []}], "frame_id is 'a'"),
        ([{"frame_id": 10**400, "instances": []}], "expected a whole number"),
        ([{"image_id": "9" * 300, "keypoints": [1, 2, 0.4] * 17}], "holds no frame number"),
        (
            coco_annotations([1, 1, 2] * 17, annotations=[{"image_id": [], "category_id": 1, "keypoints": []}]),
            "not among",
        ),
        ([{"frame_id": 4, "instances": []}] * 2, "frame_id 4 occurs twice"),
        ({"meta_info": {"keypoint_id2name": {"a": "nose"}}, "instance_info": []}, "keys that are no numbers"),
        ({"meta_info": {"keypoint_id2name": {"0": "nose"}}, "instance_info": []}, "no joint is called RHip, RKnee"),
        ([{**LANDMARK, "keypoints": {"x": [1.0] * 17, "y": [9.0]}}], "1 numbers for 17 joints"),
        ([{**LANDMARK, "keypoints": {"x": [1.0] * 5, "y": [9.0] * 5}}], "5 joints a person; expected 17"),
        ([{**LANDMARK, "track_id": 1.5}], "track_id is 1.5"),
        ([[LANDMARK], 5], "no list of people"),
        (coco_annotations([1, 1, 0.7] * 17), "are 0, 1 or 2"),
        (coco_annotations([1.0] * 51, images=[{}]), "no whole number 'id'"),
        (coco_annotations([1.0] * 51, images=[{"id": 500}]), "image_id 700001 is not among the images"),
        (coco_annotations([1.0] * 51, annotations=[4]), "annotation 0: no object"),
        ([{"image_id": 3, "keypoints": [1, 2]}], "2 numbers for a person"),
        ([{"image_id": 3, "keypoints": [1, 2, 0.4] * 17, "track_id": "a"}], "track_id is 'a'"),
        ([{"image_id": None, "keypoints": [1, 2, 0.4] * 17}], "image_id is None"),
    ],
)
def test_damaged_files_say_what_is_wrong(tmp_path: Path, content: object, message: str):
    path = write.dump(tmp_path / "bad.json", content)
    with pytest.raises(InputError, match=message) as caught:
        read_keypoints(path)
    assert "bad.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a_1.txt": "0 .5 .5 .5 .5 .1 .2 .9\n"}, "8 numbers a line; expected class, box"),
        (
            {"a_1.txt": "0 .5 .5 .5 .5" + " .1 .2 .9" * 17, "a_2.txt": "0 .5 .5 .5 .5" + " .1 .2 .9" * 9},
            "lines of 32 and 56",
        ),
        ({"a_1.txt": "0 .5 .5 .5 .5" + " .1 .2 .9" * 17, "a_2.txt": "no numbers"}, "is no list of numbers"),
        ({"a_1.txt": "0 .5 .5 .5 .5" + " .1 .2 .9" * 17, "b_1.txt": ""}, "2 recordings in one"),
    ],
)
def test_damaged_labels(tmp_path: Path, files: dict[str, str], message: str):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_keypoints(tmp_path, picture_size=SIZE)
