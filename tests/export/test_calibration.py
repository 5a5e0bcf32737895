from pathlib import Path

import numpy as np
import pytest
from tiny_onnx import SPEC

from hyperlift.errors import InputError
from hyperlift.export.calibration import read_calibration

ROOT = Path(__file__).resolve().parents[2]


def test_procedural_motions_are_the_same_every_time_and_long_enough():
    one, other = read_calibration(None, SPEC), read_calibration(None, SPEC)
    assert one.longest >= SPEC.n_frames
    assert len(one.tracks) >= 5
    for a, b in zip(one.tracks, other.tracks, strict=True):
        assert np.array_equal(a, b)
        assert np.abs(a[..., :2]).max() < 5
        assert 0 <= a[..., 2].min() <= a[..., 2].max() <= 1


def test_windows_are_pieces_of_tracks(tmp_path):
    clips = np.random.default_rng(0).uniform(-1, 1, (2, 9, 17, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", pose2d_norm=clips)
    calibration = read_calibration(tmp_path / "a.npz", SPEC)
    windows = calibration.windows(4, 6)
    assert windows.shape == (4, 6, 17, 3)
    assert np.array_equal(windows[0], clips[0, :6])
    assert np.array_equal(windows[-1], clips[1, 3:])
    with pytest.raises(InputError, match="no clip has 10 frames; the longest has 9"):
        calibration.windows(1, 10)


def test_keypoints_of_a_detector_become_clips():
    example = ROOT / "examples/sports2d_demo.alphapose.json"
    calibration = read_calibration(example, SPEC, (1768, 994), 30.0)
    assert calibration.longest > SPEC.n_frames
    with pytest.raises(InputError, match="give `picture_size`"):
        read_calibration(example, SPEC)


def test_other_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", pose2d_norm=np.zeros((9, 13, 3), np.float32))
    with pytest.raises(InputError, match=r"\[9, 13, 3\]; expected finite numbers \[frames, 17, 3\]"):
        read_calibration(tmp_path / "a.npz", SPEC)
    np.savez(tmp_path / "b.npz", poses=np.zeros(3))
    with pytest.raises(InputError, match=r"b\.npz: holds no view"):
        read_calibration(tmp_path / "b.npz", SPEC)
