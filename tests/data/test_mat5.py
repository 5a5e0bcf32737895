import numpy as np
import pytest
import scipy.io

from hyperlift.data.mat5 import read_cells
from hyperlift.errors import InputError


def cells(*arrays):
    column = np.empty((len(arrays), 1), object)
    for number, array in enumerate(arrays):
        column[number, 0] = array
    return column


LONG = np.random.default_rng(0).normal(size=(500, 4))
"""A variable that is longer than what is unpacked to see its name."""
ARRAYS = (LONG, np.arange(6.0).reshape(3, 2), np.array([[1, -2, 300]], np.int16), np.zeros((0, 4)), np.float32([[1.5]]))


@pytest.mark.parametrize("packed", [False, True])
def test_reads_what_scipy_writes(tmp_path, packed):
    path = tmp_path / "a.mat"
    others = {"numbers": np.eye(3), "text": "abc", "x": cells(np.eye(2))}
    scipy.io.savemat(path, {**others, "wanted": cells(*ARRAYS)}, do_compression=packed)
    found = read_cells(path, ("wanted", "numbers", "absent"))
    assert list(found) == ["wanted"], "numbers are no cells"
    for ours, theirs in zip(found["wanted"], ARRAYS, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_cells_of_anything_but_real_numbers_are_refused(tmp_path):
    for number, value in enumerate(("text", np.array([[1 + 2j]]), cells(np.eye(2)))):
        path = tmp_path / f"{number}.mat"
        scipy.io.savemat(path, {"wanted": cells(value)})
        with pytest.raises(InputError, match="a cell holds no matrix of real numbers"):
            read_cells(path, ("wanted",))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"wanted": cells(np.zeros((10_000_000, 1)))}, do_compression=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="unpacks to more than"):
        read_cells(path, ("wanted",))


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_cells(tmp_path / "none.mat", ("x",))
    (tmp_path / "a.mat").write_bytes(b"x" * 500)
    with pytest.raises(InputError, match="no MATLAB 5 file"):
        read_cells(tmp_path / "a.mat", ("x",))


def test_a_cut_file_is_damaged(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"wanted": cells(*ARRAYS)})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"damaged MATLAB 5 file \(a part of [\d,]+ bytes where"):
        read_cells(path, ("wanted",))
