import dataclasses
import json

import numpy as np
import pytest

from hyperlift.datasets.clip_store import ClipStore, StoreMeta, StoreWriter, Video
from hyperlift.datasets.clips import BatchSampler, JoinedClips, LabelConvention, StoreClips, open_clips
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.readers import UnforeseenDamage
from hyperlift.skeletons.joint_sets import H36M_17

META = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=10, stride=5, slicing="published", source="test")


def video(name: str, frames: int) -> Video:
    return Video(source=name, subject="1", action="walk", frames=frames, width=640.0, height=480.0)


def arrays(frames: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=(frames, 17, 3)).astype(np.float32) for name in ("pose2d_norm", "label_norm", "joints_m")
    }


def write(folder, lengths=(23, 7)):
    written = [arrays(frames, seed) for seed, frames in enumerate(lengths)]
    with StoreWriter(folder, META) as writer:
        for number, (frames, data) in enumerate(zip(lengths, written, strict=True)):
            writer.add_video(video(f"v{number}", frames), data)
        writer.finish(clip_rows([(v.first, v.frames) for v in writer.videos], META.n_frames, META.stride, "published"))
    return written


def test_what_was_written_is_read(tmp_path):
    first, second = write(tmp_path / "train")
    store = ClipStore(tmp_path / "train")
    assert store.meta == META
    assert store.skeleton is H36M_17
    assert [v.first for v in store.videos] == [0, 23]
    assert len(store) == 4  # three windows in the long video, one resampled from the short
    assert np.array_equal(store.clip(1, "label_norm"), first["label_norm"][5:15])
    stretched = [0, 0, 1, 2, 2, 3, 4, 4, 5, 6]  # floor(i * 7 / 10)
    assert np.array_equal(store.clip(3), second["pose2d_norm"][stretched])
    assert store.video_of(3).source == "v1"
    assert store.frames_of(3).tolist() == [23 + i for i in stretched]


def test_frames_are_stored_once_and_clips_are_views(tmp_path):
    write(tmp_path / "train")
    store = ClipStore(tmp_path / "train")
    assert len(store.array("pose2d_norm")) == 30
    assert isinstance(store.array("pose2d_norm"), np.memmap)
    assert np.shares_memory(store.clip(0), store.array("pose2d_norm"))
    with pytest.raises(InputError, match="holds no truth_mm"):
        store.array("truth_mm")


@pytest.mark.parametrize("convention", [LabelConvention("image", True, gt_2d=True), LabelConvention("camera", True)])
def test_a_preloaded_store_gives_the_same_clips_without_the_files(tmp_path, convention):
    write(tmp_path / "train")
    mapped = open_clips(tmp_path / "train", convention)
    expected = [[array.copy() for array in mapped.pair(clip)] for clip in range(len(mapped))]
    preloaded = open_clips(tmp_path / "train", convention, preload=True)
    for name in ("pose2d_norm", "label_norm", "joints_m"):
        (tmp_path / "train" / f"{name}.npy").write_bytes(b"")
    for clip, pair in enumerate(expected):
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(preloaded.pair(clip), pair, strict=True))


def test_one_pickle_a_clip_is_not_preloaded(tmp_path):
    (tmp_path / "00000000.pkl").write_bytes(b"")
    with pytest.raises(InputError, match="not preloaded; convert them to a clip store"):
        open_clips(tmp_path, LabelConvention("image", True), preload=True)


def test_labels_of_each_space(tmp_path):
    (first, _) = write(tmp_path / "train")
    label = first["label_norm"][:10]
    relative = open_clips(tmp_path / "train", LabelConvention("image", True)).pair(0)[1]
    assert np.allclose(relative, label - label[:, :1])
    absolute = open_clips(tmp_path / "train", LabelConvention("image", False)).pair(0)[1]
    assert np.allclose(absolute[..., :2], label[..., :2])
    assert np.allclose(absolute[..., 2], label[..., 2] - label[0, 0, 2])
    camera = open_clips(tmp_path / "train", LabelConvention("camera", True)).pair(0)[1]
    assert not camera[:, 0].any()
    assert np.median(bone_lengths(camera, H36M_17).sum(-1)) == pytest.approx(REFERENCE_BONE_SUM_M, rel=1e-5)


def test_exact_projections_as_input(tmp_path):
    (first, _) = write(tmp_path / "train")
    pose2d_norm, label = open_clips(tmp_path / "train", LabelConvention("image", True, gt_2d=True)).pair(0)
    assert np.array_equal(pose2d_norm[..., :2], first["label_norm"][:10, :, :2])
    assert (pose2d_norm[..., 2] == 1).all()
    assert np.array_equal(label, open_clips(tmp_path / "train", LabelConvention("image", True)).pair(0)[1])


def test_broken_input_is_named(tmp_path):
    data = arrays(5, 0)
    data["label_norm"][2, 3, 1] = np.nan
    with (
        StoreWriter(tmp_path / "a", META) as writer,
        pytest.raises(InputError, match="v0: label_norm holds NaN"),
    ):
        writer.add_video(video("v0", 5), data)
    with (
        StoreWriter(tmp_path / "b", META) as writer,
        pytest.raises(InputError, match=r"shape \(5, 17, 3\), expected \(6"),
    ):
        writer.add_video(video("v0", 6), arrays(5, 0))
    with StoreWriter(tmp_path / "c", META) as writer, pytest.raises(InputError, match="not a single clip"):
        writer.finish(np.zeros((0, 3), np.int64))


def test_folders_that_are_no_store(tmp_path):
    with pytest.raises(InputError, match="no such file; make a clip store"):
        ClipStore(tmp_path)
    write(tmp_path / "train")
    meta = json.loads((tmp_path / "train" / "meta.json").read_text())
    (tmp_path / "train" / "meta.json").write_text(json.dumps({**meta, "version": 99}))
    with pytest.raises(InputError, match="version 1 clip store"):
        ClipStore(tmp_path / "train")
    (tmp_path / "train" / "meta.json").write_text(json.dumps(meta))
    np.save(tmp_path / "train" / "label_norm.npy", np.zeros((3, 17, 3), np.float32))
    with pytest.raises(InputError, match="damaged clip store"):
        ClipStore(tmp_path / "train")


def test_camera_labels_need_metres(tmp_path):
    with StoreWriter(tmp_path / "train", META) as writer:
        data = arrays(12, 0)
        del data["joints_m"]
        writer.add_video(video("v0", 12), data)
        writer.finish(clip_rows([(0, 12)], 10, 5, "published"))
    with pytest.raises(InputError, match="holds no joints_m"):
        StoreClips(ClipStore(tmp_path / "train"), LabelConvention("camera", True))


@pytest.mark.parametrize(
    "convention",
    [LabelConvention("image", True), LabelConvention("image", False, gt_2d=True), LabelConvention("camera", True)],
)
def test_a_part_of_a_clip_is_that_part_of_the_pair(tmp_path, convention):
    write(tmp_path / "train")
    clips = open_clips(tmp_path / "train", convention)
    for clip in range(len(clips)):
        for whole, part in zip(clips.pair(clip), clips.pair(clip, slice(3, 7)), strict=True):
            assert np.array_equal(part, whole[3:7])


class ClipAfterClip:
    """A source that knows no batches."""

    def __init__(self, clips):
        self.clips, self.n_frames, self.skeleton = clips, clips.n_frames, clips.skeleton

    def __len__(self):
        return len(self.clips)

    def pair(self, clip, part=slice(None)):
        return self.clips.pair(clip, part)


@pytest.mark.parametrize(
    "convention",
    [
        LabelConvention("image", True),
        LabelConvention("image", False, gt_2d=True),
        LabelConvention("image", False),
        LabelConvention("camera", True),
    ],
)
def test_batches_gathered_at_once_are_those_of_clip_after_clip(tmp_path, convention):
    """Bit for bit, in whatever order and mixture of sources, the short videos that are stretched among them."""
    write(tmp_path / "a")
    write(tmp_path / "b", lengths=(7, 10, 26))
    a, b = (open_clips(tmp_path / name, convention) for name in "ab")
    apart = JoinedClips([ClipAfterClip(open_clips(tmp_path / name, convention)) for name in "aba"])
    for joined in (JoinedClips([a, b, a]), JoinedClips([a, ClipAfterClip(b), a])):
        for crop in (None, 4):
            settings = {"flip": True, "crop_frames": crop}
            ours, theirs = (BatchSampler(clips, 5, 3, **settings) for clips in (joined, apart))
            for batch, expected in zip(ours.epoch(1), theirs.epoch(1), strict=True):
                assert all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(batch, expected, strict=True))
    written = arrays(23, 0)["label_norm" if convention.gt_2d else "pose2d_norm"]
    inputs, _ = a.pairs(np.array([1, 1]), np.array([0, 3]), 2)
    assert np.array_equal(inputs[1, ..., :2], written[8:10, :, :2])


def test_crops_lie_anywhere_in_their_clips_and_repeat_with_the_seed(tmp_path):
    written = write(tmp_path / "train", lengths=(10, 10))
    sampler = BatchSampler(StoreClips(ClipStore(tmp_path / "train"), LabelConvention("image", True)), 2, 7, flip=False)
    cropped = BatchSampler(sampler.clips, 2, 7, flip=False, crop_frames=4)
    places = set()
    for epoch in range(60):
        ((inputs, _),) = cropped.epoch(epoch)
        assert inputs.shape == (2, 4, 17, 3)
        for crop in inputs:
            found = [
                (video, first)
                for video, data in enumerate(written)
                for first in range(7)
                if np.array_equal(crop, data["pose2d_norm"][first : first + 4])
            ]
            assert len(found) == 1
            places.add(found[0])
    assert len(places) == 14
    again = BatchSampler(sampler.clips, 2, 7, flip=False, crop_frames=4)
    assert np.array_equal(next(again.epoch(3))[0], next(cropped.epoch(3))[0])
    with pytest.raises(InputError, match="crop_frames is 11; the clips have 10 frames"):
        BatchSampler(sampler.clips, 2, 7, flip=False, crop_frames=11)


def test_joined_clips_are_those_of_all_sources_in_turn(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", lengths=(10,))
    a, b = (open_clips(tmp_path / name, LabelConvention("image", True)) for name in "ab")
    joined = JoinedClips([a, b, a])
    assert len(joined) == 4 + 1 + 4
    for clip, (source, number) in enumerate([(a, 0), (a, 1), (a, 2), (a, 3), (b, 0), (a, 0), (a, 1), (a, 2), (a, 3)]):
        assert np.array_equal(joined.pair(clip)[0], source.pair(number)[0])
    with pytest.raises(IndexError):
        joined.pair(9)


def write_unmeasured(folder):
    """Two videos of a clip each; the second has no measured right wrist and head."""
    data = [arrays(10, number) for number in range(2)]
    with StoreWriter(folder, META) as writer:
        writer.add_video(video("whole", 10), data[0])
        writer.add_video(dataclasses.replace(video("part", 10), unmeasured=["RWrist", "Head"]), data[1])
        writer.finish(clip_rows([(0, 10), (10, 10)], 10, 5, "published"))
    return data


@pytest.mark.parametrize(
    "convention",
    [LabelConvention("image", True), LabelConvention("image", False), LabelConvention("camera", True)],
)
def test_labels_of_unmeasured_joints_are_nan_and_inputs_stay(tmp_path, convention):
    data = write_unmeasured(tmp_path / "train")
    clips = StoreClips(ClipStore(tmp_path / "train"), convention)
    lost = H36M_17.indices(["RWrist", "Head"])
    one_by_one = [np.stack(part) for part in zip(*map(clips.pair, (0, 1)), strict=True)]
    for inputs, labels in (clips.pairs(np.arange(2), np.zeros(2, int), 10), one_by_one):
        assert np.array_equal(inputs, np.stack([one["pose2d_norm"] for one in data]))
        assert np.isfinite(labels[0]).all()
        assert np.isnan(labels[1][:, lost]).all()
        assert np.isfinite(np.delete(labels[1], lost, axis=1)).all()
    assert np.array_equal(data[1]["joints_m"], ClipStore(tmp_path / "train").array("joints_m")[10:])


def test_mirrored_labels_lack_the_joint_of_the_other_side(tmp_path):
    write_unmeasured(tmp_path / "train")
    clips = StoreClips(ClipStore(tmp_path / "train"), LabelConvention("camera", True))
    seen = set()
    for epoch in range(12):
        for _, labels in BatchSampler(clips, 1, 0, flip=True).epoch(epoch):
            seen.add(tuple(np.array(H36M_17.joints)[np.isnan(labels[0]).any((0, 2))]))
    assert seen == {(), ("Head", "RWrist"), ("Head", "LWrist")}


def test_a_store_from_before_there_were_unmeasured_joints_has_all(tmp_path):
    write(tmp_path / "train")
    file = tmp_path / "train" / "videos.json"
    videos = json.loads(file.read_text())
    for entry in videos:
        del entry["unmeasured"]
    file.write_text(json.dumps(videos))
    assert ClipStore(tmp_path / "train").measured.all()


@pytest.mark.parametrize("joint", ["Tail", "Pelvis"])
def test_unmeasured_joints_are_checked(tmp_path, joint):
    write_unmeasured(tmp_path / "train")
    file = tmp_path / "train" / "videos.json"
    file.write_text(file.read_text().replace("Head", joint))
    with pytest.raises(InputError, match=f"part has no measured RWrist, {joint}; expected joints of h36m17"):
        StoreClips(ClipStore(tmp_path / "train"), LabelConvention("camera", True))


def damage_meta(**changes):
    def damage(folder):
        meta = json.loads((folder / "meta.json").read_text())
        (folder / "meta.json").write_text(json.dumps({**meta, **changes}))

    return damage


def damage_video(**changes):
    def damage(folder):
        first, *others = json.loads((folder / "videos.json").read_text())
        (folder / "videos.json").write_text(json.dumps([{**first, **changes}, *others]))

    return damage


def write_text(name, text):
    return lambda folder: (folder / name).write_text(text)


def save_array(name, array):
    return lambda folder: np.save(folder / name, array)


def cut(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-9])


@pytest.mark.parametrize(
    "damage",
    [
        *(write_text("meta.json", text) for text in ("", "[]", "3", "[" * 100_000, '{"fps": ' + "9" * 5000 + "}")),
        *(write_text("videos.json", text) for text in ("", "{}", "[]", "[3]", "[" * 100_000, '[{"source": "a"}]')),
        *(
            damage_meta(**{key: value})
            for key, value in (("fps", "25"), ("fps", 1e308), ("n_frames", 0), ("stride", None))
        ),
        *(
            damage_meta(**{key: value})
            for key, value in (("skeleton", "nobody"), ("skeleton", 3), ("details", []), ("x", 1))
        ),
        *(damage_video(frames=value) for value in (0, -1, 10**12, 1.5, "6", None)),
        *(damage_video(first=1), damage_video(source=3), damage_video(width="a"), damage_video(unmeasured=3)),
        *(damage_video(K=value) for value in (3, [[1, 2], [3]], [["a"] * 3] * 3, [[1e308] * 3] * 3)),
        *(cut(name) for name in ("clips.npy", "pose2d_norm.npy", "joints_m.npy")),
        save_array("clips.npy", np.zeros((3, 2), np.int64)),
        save_array("clips.npy", np.zeros((3, 3))),
        save_array("clips.npy", np.zeros((0, 3), np.int64)),
        save_array("clips.npy", np.array([[10**12, 10, 0]])),
        save_array("clips.npy", np.array([[0, 2**63 - 1, 0]])),
        save_array("clips.npy", np.array([[0, 10, 99]])),
        save_array("clips.npy", np.array([[-5, 10, 0]])),
        save_array("pose2d_norm.npy", np.array([{}], object)),
        lambda folder: (folder / "label_norm.npy").unlink(),
        lambda folder: (folder / "clips.npy").unlink(),
    ],
)
def test_a_damaged_store_is_one_line(tmp_path, damage):
    write(tmp_path / "train")
    ClipStore(tmp_path / "train")
    damage(tmp_path / "train")
    with pytest.raises(InputError) as caught:
        ClipStore(tmp_path / "train")
    assert str(tmp_path / "train") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnforeseenDamage)
