import os
import resource
import struct
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.readers import UnforeseenDamage
from hyperlift.safe_io import npz as safe_npz
from hyperlift.safe_io.npz import load_npy, load_npz, load_npz_array


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
    with pytest.raises(InputError, match=r"cut\.npz: .*damaged"):
        load_npz_array(tmp_path / "cut.npz", "data")


def npy(header: str | bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() if isinstance(header, str) else header
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + data


def described(descr: str, shape: str) -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


EIGHT = bytes(8)
BAD_ARRAYS = {
    "no magic": b"\x92NUMPY" + EIGHT,
    "nothing": b"",
    "unknown version": npy(described("'<f8'", "(1,)"), EIGHT, b"\x09\x00"),
    "more than there is": npy(described("'<f8'", "(1000000000000,)"), EIGHT),
    "less than there is": npy(described("'<f4'", "(1,)"), EIGHT),
    "a negative length": npy(described("'<f8'", "(-1, -1)"), EIGHT),
    "a truth value as length": npy(described("'<f8'", "(True,)"), EIGHT),
    "a product beyond 64 bits": npy(described("'<f8'", f"({2**32}, {2**32}, {2**32})"), EIGHT),
    "an integer of 5,000 digits": npy(described("'<f8'", f"({'9' * 5000},)"), EIGHT),
    "no elements, but many": npy(described("'<f8'", "(1000000000, 0)")),
    "elements of no bytes": npy(described("'<U0'", "(1000000000,)")),
    "a structure": npy(described("[('a', '<f8')]", "(1,)"), EIGHT),
    "a structure with an object": npy(described("[('a', '|O')]", "(1,)"), EIGHT),
    "a sub-array": npy(described("('<f4', (2,))", "(1,)"), EIGHT),
    "a date": npy(described("'<M8[s]'", "(1,)"), EIGHT),
    "truth values beyond 1": npy(described("'|b1'", "(8,)"), b"\x07" * 8),
    "characters beyond Unicode": npy(described("'<U2'", "(1,)"), b"\xff" * 8),
    "a deep literal": npy("(" * 5000),
    "minus signs": npy("-" * 9000 + "1"),
    "no mapping": npy("[1]"),
    "no text": npy(b"\xff\xfe\x00"),
    "a long header": npy(" " * 60000 + described("'<f8'", "(1,)"), EIGHT),
    "a header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    "an escape that Python warns of": npy(described(r"'\d'", "(1,)"), EIGHT),
}


def refused(read, *arguments) -> str:
    with pytest.raises(InputError) as caught:
        read(*arguments)
    message = str(caught.value)
    assert not isinstance(caught.value, UnforeseenDamage)
    assert "\n" not in message
    assert len(message) < 800
    return message


@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_an_array_that_is_not_what_it_says(tmp_path, fault):
    path = tmp_path / "bad.npy"
    path.write_bytes(BAD_ARRAYS[fault])
    assert str(path) in refused(load_npy, path)
    if fault not in ("truth values beyond 1", "characters beyond Unicode"):
        assert str(path) in refused(load_npy, path, True)
    with ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("data.npy", BAD_ARRAYS[fault])
    assert "array 'data'" in refused(load_npz, tmp_path / "bad.npz")
    refused(load_npz_array, tmp_path / "bad.npz", "data")


@pytest.mark.parametrize("memory_map", [False, True])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        np.zeros((0, 3)),
        np.array(1.5),
        np.array(["a", "ß€"]),
        np.array([True, False]),
        np.array([b"ab"]),
        np.array([1j], "<c8"),
    ],
)
def test_arrays_come_as_they_were(tmp_path, array, memory_map):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", **{"p1/x": array})
    for read in (load_npy(tmp_path / "a.npy", memory_map), load_npz(tmp_path / "a.npz")["p1/x"]):
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read, array)


def test_a_bomb_is_refused_with_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(safe_npz, "FREE_BYTES", 2**24)
    bomb = tmp_path / "bomb.npz"
    size = 100 * 2**20
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive, archive.open("data.npy", "w", force_zip64=True) as member:
        member.write(npy(described("'|u1'", f"({size},)")))
        for _ in range(100):
            member.write(bytes(2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = refused(load_npz, bomb)
    assert "104,857," in message  # of bytes that it unpacks to
    assert f"{2**24 + 100 * bomb.stat().st_size:,}" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_many_members_share_one_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(safe_npz, "FREE_BYTES", 10_000)
    np.savez_compressed(tmp_path / "many.npz", **{f"a{k}": np.zeros(20_000) for k in range(10)})
    assert "limit" in refused(load_npz, tmp_path / "many.npz")
    np.testing.assert_array_equal(load_npz_array(tmp_path / "many.npz", "a9"), np.zeros(20_000))


def patched(tmp_path, change):
    np.savez(tmp_path / "a.npz", data=np.arange(3.0))
    whole = bytearray((tmp_path / "a.npz").read_bytes())
    local, central = whole.index(b"PK\x03\x04"), whole.index(b"PK\x01\x02")
    change(whole, local, central)
    (tmp_path / "a.npz").write_bytes(whole)
    return tmp_path / "a.npz"


def set_bytes(at_local: int | None, at_central: int | None, value: bytes):
    def change(whole, local, central):
        for base, at in ((local, at_local), (central, at_central)):
            if at is not None:
                whole[base + at : base + at + len(value)] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_bytes(6, 8, b"\x01\x00"),  # encrypted
        set_bytes(8, 10, b"\x0c\x00"),  # bzip2
        set_bytes(8, 10, b"\x63\x00"),  # no method at all
        set_bytes(None, 24, b"\xff\xff\xff\x7f"),  # unpacks to 2 GB
        set_bytes(14, 16, b"abcd"),  # another checksum
        set_bytes(30, None, b"other"),  # another name inside than in the directory
        lambda whole, local, central: whole.__setitem__(slice(central + 42, central + 46), b"\xff\xff\xff\x0f"),
        lambda whole, local, central: (
            set_bytes(6, 8, b"\x00\x08")(whole, local, central) or set_bytes(30, 46, b"\xff\xfe")(whole, local, central)
        ),  # a name that is no UTF-8
    ],
)
def test_archives_that_numpy_never_writes(tmp_path, change):
    path = patched(tmp_path, change)
    refused(load_npz, path)
    refused(load_npz_array, path, "data")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name(tmp_path):
    with ZipFile(tmp_path / "two.npz", "w") as archive:
        for _ in range(2):
            archive.writestr("data.npy", npy(described("'<f8'", "(1,)"), EIGHT))
    assert "two arrays 'data'" in refused(load_npz, tmp_path / "two.npz")


def test_every_truncation_and_many_mutations_end_in_one_line(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", numbers=np.arange(12.0), names=np.array(["a", "b"]))
    np.savez(tmp_path / "b.npz", data=np.array({"a": [1, np.arange(2.0)]}, object))
    np.save(tmp_path / "c.npy", np.arange(12.0))
    rng = np.random.default_rng(0)
    path = tmp_path / "mutant"
    for seed, read in (("a.npz", load_npz), ("b.npz", lambda p: load_npz_array(p, "data")), ("c.npy", load_npy)):
        whole = (tmp_path / seed).read_bytes()
        for number in range(160):
            mutant = bytearray(whole[: rng.integers(len(whole))] if number % 8 == 0 else whole)
            for at in rng.integers(max(len(mutant), 1), size=rng.integers(1, 4)):
                mutant[at : at + 1] = bytes([rng.integers(256)])
            path.write_bytes(mutant)
            try:
                read(path)
            except UnforeseenDamage:
                raise
            except InputError:
                pass
