import os

import numpy as np
import pytest

from hyperlift.data.safe_npz import load_npz_array
from hyperlift.errors import InputError


def test_reads_objects_and_numbers(tmp_path):
    content = {"TS1": {"valid": np.arange(3.0), "names": ["a", 1, None]}}
    np.savez_compressed(tmp_path / "a.npz", data=np.array(content, dtype=object), numbers=np.arange(6).reshape(2, 3))
    read = load_npz_array(tmp_path / "a.npz", "data").item()
    np.testing.assert_array_equal(read["TS1"]["valid"], [0, 1, 2])
    assert read["TS1"]["names"] == ["a", 1, None]
    np.testing.assert_array_equal(load_npz_array(tmp_path / "a.npz", "numbers"), [[0, 1, 2], [3, 4, 5]])


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def test_nothing_in_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "evil.npz", data=np.array({"TS1": Evil()}, dtype=object))
    with pytest.raises(InputError, match=r"evil\.npz: .*this pickle wants to use .*system"):
        load_npz_array(tmp_path / "evil.npz", "data")
    assert not (tmp_path / "pwned").exists()


def test_files_that_do_not_fit(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_npz_array(tmp_path / "absent.npz", "data")
    (tmp_path / "text.npz").write_text("no zip")
    with pytest.raises(InputError, match=r"text\.npz: damaged or no \.npz"):
        load_npz_array(tmp_path / "text.npz", "data")
    np.savez(tmp_path / "other.npz", x=np.zeros(2), y=np.zeros(2))
    with pytest.raises(InputError, match="has no array 'data'; it has x, y"):
        load_npz_array(tmp_path / "other.npz", "data")
    with pytest.raises(InputError, match="cannot be read"):
        load_npz_array(tmp_path, "data")
    np.savez(tmp_path / "cut.npz", data=np.array({"a": np.zeros(99)}, dtype=object))
    whole = (tmp_path / "cut.npz").read_bytes()
    at = whole.index(b"descr")
    (tmp_path / "cut.npz").write_bytes(whole[:at] + b"\x00" * 20 + whole[at + 20 :])
    with pytest.raises(InputError, match=r"cut\.npz: damaged"):
        load_npz_array(tmp_path / "cut.npz", "data")
