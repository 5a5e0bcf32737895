import numpy as np
import pytest
import synthetic_h36m

from hyperlift.datasets.h36m import CAMERA_SIZES, read_h36m, videos
from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import denormalise_pose


@pytest.fixture
def content():
    return synthetic_h36m.build()


def read(tmp_path, content):
    return read_h36m(synthetic_h36m.write(tmp_path / "h36m.pkl", content))


def test_reads_both_splits(tmp_path, content):
    splits = read(tmp_path, content)
    assert len(splits["train"]) == 4 * (90 + 31)
    assert len(splits["test"]) == 4 * (83 + 64 + 40 + 22)
    np.testing.assert_array_equal(splits["test"].mm_per_px, content["test"]["2.5d_factor"])
    np.testing.assert_array_equal(splits["train"].joints_px, content["train"]["joint_2d"])
    assert splits["train"].truth_mm is None
    assert set(splits["train"].action) == {"Directions", "Sitting"}


def test_confidence_in_every_form(tmp_path, content):
    with_axis = read(tmp_path, content)["train"].confidence
    content["train"]["confidence"] = content["train"]["confidence"][..., 0]
    np.testing.assert_array_equal(read(tmp_path, content)["train"].confidence, with_axis)
    del content["train"]["confidence"]
    absent = read(tmp_path, content)["train"].confidence
    assert absent.shape == with_axis.shape
    assert (absent == 1).all()


def test_both_spellings_of_the_truth(tmp_path, content):
    first = read(tmp_path, content)["test"].truth_mm
    content["test"]["joint_2.5d_image"] = content["test"].pop("joints_2.5d_image")
    np.testing.assert_array_equal(read(tmp_path, content)["test"].truth_mm, first)


def test_strings_as_arrays_objects_and_bytes(tmp_path, content):
    expected = read(tmp_path, content)["test"]
    content["test"]["source"] = np.array(content["test"]["source"], object)
    content["test"]["camera_name"] = np.array(content["test"]["camera_name"], "S")
    content["test"]["action"] = np.array(content["test"]["action"])
    again = read(tmp_path, content)["test"]
    assert (again.source == expected.source).all()
    assert (again.camera_name == expected.camera_name).all()
    assert (again.action == expected.action).all()


def test_videos_carry_size_subject_and_consistent_labels(tmp_path, content):
    frames = read(tmp_path, content)["test"]
    found = list(videos(frames, "h36m.pkl"))
    assert len(found) == 16
    first = 0
    for video, arrays in found:
        assert video.subject == video.source[2:4]
        assert (video.width, video.height) == CAMERA_SIZES[str(frames.camera_name[first])]
        label_px = denormalise_pose(arrays["label_norm"].astype(float), video.width, video.height)
        expected = content["test"]["joint3d_image"][first : first + video.frames]
        np.testing.assert_allclose(label_px, expected, atol=2e-3)
        truth = arrays["truth_mm"]
        np.testing.assert_allclose(label_px * arrays["mm_per_px"][:, None, None], truth, atol=2e-2)
        first += video.frames
    assert first == len(frames)


def test_every_second_frame_of_everything(tmp_path, content):
    frames = read(tmp_path, content)["test"]
    half = frames.every(2)
    assert len(half) == (len(frames) + 1) // 2
    np.testing.assert_array_equal(half.mm_per_px, frames.mm_per_px[::2])
    np.testing.assert_array_equal(half.source, frames.source[::2])
    np.testing.assert_array_equal(half.truth_mm, frames.truth_mm[::2])


def put(split, key, value):
    def change(content):
        content[split][key] = value(content[split].get(key))

    return change


def drop(split, key):
    return lambda content: content[split].pop(key)


def with_value(number):
    def change(array):
        array[7, 3] = number
        return array

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("test"), "no dictionary 'test'"),
        (drop("train", "joint_2d"), "train has no key 'joint_2d'"),
        (drop("test", "joints_2.5d_image"), "test has no key 'joints_2.5d_image'"),
        (drop("test", "2.5d_factor"), r"no key '2.5d_factor'"),
        (drop("test", "action"), "no key 'action'"),
        (
            put("train", "joint_2d", lambda a: a[:, :16]),
            r"train/joint_2d has shape \(484, 16, 2\), expected \(484, 17, 2\)",
        ),
        (put("train", "joint_2d", lambda a: a[:-1]), "train/joint_2d has shape"),
        (put("train", "joint_2d", with_value(np.nan)), "train/joint_2d holds NaN .* first in frame 7"),
        (put("test", "joint3d_image", with_value(np.inf)), "test/joint3d_image holds NaN or infinite"),
        (put("test", "confidence", with_value(np.nan)), "test/confidence holds NaN"),
        (put("test", "2.5d_factor", lambda a: -a), "2.5d_factor must be positive"),
        (put("test", "action", lambda a: a[:3]), "test/action has shape"),
        (
            put("train", "camera_name", lambda a: ["12345678", *a[1:]]),
            "unknown camera '12345678'; known are 54138969",
        ),
        (put("train", "source", lambda a: []), "train holds zero frames"),
        (put("train", "joint_2d", lambda a: a.astype(str)), "expected an array of numbers"),
        (put("train", "joint_2d", lambda a: [[1.0], [1.0, 2.0]]), "ragged"),
        (put("train", "source", lambda a: [1.5] * len(a)), "expected strings"),
        (put("train", "source", lambda a: np.array([None] * len(a))), "no strings"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, content, change, message):
    change(content)
    with pytest.raises(InputError, match=rf"h36m\.pkl: .*{message}"):
        read(tmp_path, content)


@pytest.mark.parametrize("value", [[1, 2], "text", {"train": 3}])
def test_a_pickle_of_something_else(tmp_path, value):
    with pytest.raises(InputError, match=r"h36m\.pkl"):
        read(tmp_path, value)


def test_a_video_has_one_camera(tmp_path, content):
    content["test"]["camera_name"][3] = "60457274"
    frames = read(tmp_path, content)["test"]
    with pytest.raises(InputError, match="camera_name changes inside the video s_09_act_02_subact_01_ca_01"):
        list(videos(frames, "h36m.pkl"))
