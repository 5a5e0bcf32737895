import struct
import zlib

import h5py
import numpy as np
import pytest
import scipy.io

from hyperlift.errors import InputError
from hyperlift.readers import UnforeseenDamage
from hyperlift.safe_io.matlab import load_mat5, load_mat73


def cells() -> np.ndarray:
    made = np.empty((2, 1), object)
    made[0, 0], made[1, 0] = np.arange(6.0).reshape(2, 3), np.arange(4.0)
    return made


def refused(read, path, names) -> str:
    with pytest.raises(InputError) as caught:
        read(path, names)
    assert not isinstance(caught.value, UnforeseenDamage)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_cells_come_as_they_were(tmp_path, packed):
    scipy.io.savemat(tmp_path / "a.mat", {"c": cells(), "s": {"x": 1, "y": "text"}}, do_compression=packed)
    read = load_mat5(tmp_path / "a.mat", ["c"])["c"]
    np.testing.assert_array_equal(read[0, 0], [[0, 1, 2], [3, 4, 5]])


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind: int, shape: tuple[int, ...], *parts: bytes) -> bytes:
    flags = element(6, struct.pack("<II", kind, 0))
    return element(14, flags + element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, b"c") + b"".join(parts))


HEADER = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
BIG = 2**31 - 1


@pytest.mark.parametrize(
    "content",
    [
        matrix(1, (BIG, 1)),  # cells
        matrix(6, (BIG, BIG), element(9, bytes(8))),  # numbers
        matrix(4, (BIG, 1), element(16, b"a")),  # text
        matrix(2, (1, 1)),  # a structure
        matrix(1, (1, 1), matrix(1, (1, 1), matrix(6, (1, 1), element(9, bytes(8))))),  # cells in cells
        matrix(1, (1, 1), matrix(1, (BIG, 1))),
        matrix(6, (-1, 8), element(9, bytes(8))),
        struct.pack("<II", 14, 2**32 - 1) + bytes(64),
        element(14, struct.pack("<II", 6, 2**32 - 1) + bytes(64)),
        b"".join(struct.pack("<II", 14, 8 * (40 - n)) for n in range(40)),
        b"\x0f\x00\x00\x00\x05\x00\x00\x00hello",
        element(15, zlib.compress(matrix(1, (BIG, 1)))),
        b"",
    ],
)
def test_a_file_that_describes_more_than_it_holds(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(HEADER + content)
    if content:
        refused(load_mat5, tmp_path / "a.mat", ["c"])
    else:
        assert "c" not in load_mat5(tmp_path / "a.mat", ["c"])


def test_a_packed_file_is_refused_with_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("hyperlift.safe_io.matlab.FREE_BYTES", 2**20)
    bomb = element(15, zlib.compress(matrix(6, (2**21, 4), element(9, bytes(2**26)))))
    (tmp_path / "a.mat").write_bytes(HEADER + bomb)
    assert f"{2**20 + 100 * (128 + len(bomb)):,}" in refused(load_mat5, tmp_path / "a.mat", ["c"])


def test_hdf5_that_is_not_what_it_says(tmp_path, monkeypatch):
    monkeypatch.setattr("hyperlift.safe_io.matlab.FREE_BYTES", 2**20)
    path = tmp_path / "a.mat"
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.arange(3.0)
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file["text"] = "text"
        file["empty"] = np.zeros((0, 3))
        file["complex"] = np.zeros(3, complex)
        file.create_group("group")
        file.create_dataset("huge", (10**6, 10**6), "f8", chunks=(1000, 1000))
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        file["soft"] = h5py.SoftLink("/x")
        file.create_dataset("outside", (3,), "f8", external=[(str(tmp_path / "other.h5"), 0, 24)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (3,))
        file.create_virtual_dataset("virtual", layout)
    np.testing.assert_array_equal(load_mat73(path, ["x"])["x"], [0, 1, 2])
    for name in ("text", "empty", "complex", "group", "link", "soft", "outside", "virtual", "absent"):
        assert f"{name} is absent or no array" in refused(load_mat73, path, [name])
    assert "takes 8,000,000,000,000 bytes" in refused(load_mat73, path, ["huge"])


def test_truncations_and_mutations(tmp_path):
    scipy.io.savemat(tmp_path / "5.mat", {"c": cells()}, do_compression=True)
    scipy.io.savemat(tmp_path / "5p.mat", {"c": cells()})
    with h5py.File(tmp_path / "7.mat", "w") as file:
        file["c"] = np.arange(6.0)
    rng = np.random.default_rng(0)
    for seed, read in (("5.mat", load_mat5), ("5p.mat", load_mat5), ("7.mat", load_mat73)):
        whole = (tmp_path / seed).read_bytes()
        for number in range(100):
            mutant = bytearray(whole[: rng.integers(len(whole))] if number % 8 == 0 else whole)
            for at in rng.integers(max(len(mutant), 1), size=rng.integers(1, 4)):
                mutant[at : at + 1] = bytes([rng.integers(256)])
            (tmp_path / "m.mat").write_bytes(mutant)
            try:
                read(tmp_path / "m.mat", ["c"])
            except UnforeseenDamage:
                raise
            except InputError:
                pass
