import mmap

import numpy as np
import pytest
import synthetic_h36m

from hyperlift.datasets.clip_store import ClipStore, StoreMeta, StoreWriter, Video
from hyperlift.datasets.h36m_clips import ClipPlan, convert_h36m
from hyperlift.datasets.pickle_clips import PickleClipFolder
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError

PLAN = ClipPlan(n_frames=27, stride=9, test_stride=27)


@pytest.fixture
def source(tmp_path):
    return synthetic_h36m.write(tmp_path / "root" / "h36m.pkl", synthetic_h36m.build())


def test_store_holds_each_frame_once(tmp_path, source):
    written = convert_h36m(source, tmp_path / "out", PLAN)
    train, test = ClipStore(tmp_path / "out" / "train"), ClipStore(tmp_path / "out" / "test")
    # Frames at even positions of the whole file stay: 90 -> 45 and 31 -> 16 or 15; the short one is one clip.
    assert len(train.array("pose2d_norm")) == 4 * (90 + 31) / 2
    assert written == {"train": len(train), "test": len(test)} == {"train": 4 * (3 + 1), "test": 4 * 4}
    assert train.meta.fps == 25
    assert not train.has("truth_mm")
    assert test.has("truth_mm")
    assert {video.action for video in test.videos} == {"Directions", "Greeting", "Sitting", "SittingDown"}
    short = next(i for i in range(len(train)) if train.video_of(i).frames < 27)
    assert train.clip(short).shape == (27, 17, 3)


def test_complete_slicing_reaches_every_frame(tmp_path, source):
    plan = ClipPlan(n_frames=27, stride=9, test_stride=27, slicing="complete")
    convert_h36m(source, tmp_path / "out", plan)
    test = ClipStore(tmp_path / "out" / "test")
    seen = np.concatenate([test.frames_of(i) for i in range(len(test))])
    assert set(seen) == set(range(len(test.array("pose2d_norm"))))


def test_pickled_clips_equal_the_store(tmp_path, source):
    convert_h36m(source, tmp_path / "store", PLAN)
    convert_h36m(source, tmp_path / "pkl", PLAN, "pkl")
    for split in ("train", "test"):
        store, folder = ClipStore(tmp_path / "store" / split), PickleClipFolder(tmp_path / "pkl" / split)
        assert (len(folder), folder.n_frames, folder.skeleton.name) == (len(store), 27, store.skeleton.name)
        for clip in range(len(store)):
            pose2d_norm, label_norm = folder.clip(clip)
            np.testing.assert_array_equal(pose2d_norm, store.clip(clip, "pose2d_norm"))
            np.testing.assert_array_equal(label_norm, store.clip(clip, "label_norm"))
    assert sorted(path.name for path in (tmp_path / "pkl" / "train").iterdir())[0] == "00000000.pkl"


def test_clips_may_lie_beside_the_source(source):
    convert_h36m(source, source.parent, PLAN)
    assert sorted(path.name for path in source.parent.iterdir()) == ["h36m.pkl", "test", "train"]
    with pytest.raises(InputError, match="already exists"):
        convert_h36m(source, source.parent, PLAN)
    with pytest.raises(InputError, match="is a file"):
        convert_h36m(source, source, PLAN)


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("clip_format", ["store", "pkl"])
def test_nothing_half_written(tmp_path, beside, clip_format):
    content = synthetic_h36m.build()
    content["test"]["camera_name"][-2] = "54138969"  # found only when the last video is written
    source = synthetic_h36m.write(tmp_path / "root" / "h36m.pkl", content)
    out = source.parent if beside else tmp_path / "out"
    with pytest.raises(InputError, match="camera_name changes"):
        convert_h36m(source, out, PLAN, clip_format)
    assert [path.name for path in source.parent.iterdir()] == ["h36m.pkl"]
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_plan_is_checked():
    with pytest.raises(InputError, match="`tds` is 0"):
        ClipPlan(tds=0)


def test_opening_a_large_split_reads_none_of_it(tmp_path):
    # 1.5 million frames as sparse files, which take no room.
    frames = 1_500_000
    meta = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=243, stride=81, slicing="published", source="zeros")
    folder = tmp_path / "train"
    with StoreWriter(folder, meta) as writer:
        video = Video(source="a", subject="", action="", frames=243, width=1000.0, height=1000.0)
        zeros = np.zeros((243, 17, 3), np.float32)
        writer.add_video(video, {"pose2d_norm": zeros, "label_norm": zeros})
        writer.finish(clip_rows([(0, frames)], 243, 81, "published"))
    for name in ("pose2d_norm", "label_norm"):
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype="<f4", shape=(frames, 17, 3)).flush()
    videos = (folder / "videos.json").read_text().replace('"frames": 243', f'"frames": {frames}')
    (folder / "videos.json").write_text(videos)
    store = ClipStore(folder)
    assert len(store) == (frames - 243) // 81 + 1
    clip = store.clip(len(store) - 1)
    assert isinstance(clip, np.memmap)
    assert isinstance(clip._mmap, mmap.mmap)
    assert clip.base is not None
