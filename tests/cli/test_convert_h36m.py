import pickle
from functools import partial

import pytest
import synthetic_h36m

from hyperlift.cli.main import run as hyperlift
from hyperlift.datasets.clip_store import ClipStore

main = partial(hyperlift, "convert-h36m")


def test_runs_without_arguments(tmp_path, monkeypatch, capsys):
    root = tmp_path / "data" / "motion3d" / "H36M-SH"
    synthetic_h36m.write(root / "h36m_sh_conf_cam_source_final.pkl", synthetic_h36m.build())
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    store = ClipStore(root / "train")
    assert (store.n_frames, store.meta.stride, store.meta.slicing) == (243, 81, "published")
    assert ClipStore(root / "test").meta.stride == 243
    assert "16 clips of 243 frames" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"no pickle", pickle.dumps({"train": {}})])
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "h.pkl").write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert main(["--dt_root", str(tmp_path), "--dt_file", "h.pkl", "--out", str(tmp_path / "new" / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "h.pkl" in captured.err
    assert "Traceback" not in captured.err
    assert sorted(tmp_path.iterdir()) == before


def test_options_reach_the_store(tmp_path):
    synthetic_h36m.write(tmp_path / "h.pkl", synthetic_h36m.build())
    options = "--tds 1 --n_frames 20 --stride 10 --test_stride 20 --slicing complete --dt_file h.pkl"
    assert main([*options.split(), "--dt_root", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    meta = ClipStore(tmp_path / "out" / "test").meta
    assert (meta.fps, meta.n_frames, meta.stride, meta.slicing) == (50, 20, 20, "complete")
