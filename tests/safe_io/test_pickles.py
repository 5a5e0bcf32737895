import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from plain_content import content, same

from hyperlift.errors import InputError
from hyperlift.safe_io.pickles import load_pickle


@pytest.mark.parametrize("protocol", range(6))
def test_reads_plain_data_of_every_protocol(tmp_path, protocol):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(content(), protocol=protocol))
    assert same(content(), load_pickle(path))


def test_reads_what_numpy_1_wrote(tmp_path):
    # NumPy 1 calls its module numpy.core; protocol 2 names it by its bare text, so the old name fits in.
    written = pickle.dumps(content(), protocol=2)
    assert b"numpy._core.multiarray" in written
    path = tmp_path / "old.pkl"
    path.write_bytes(written.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert same(content(), load_pickle(path))


def test_reads_byte_strings_of_python_2(tmp_path):
    # {'source': 's_01', 'x': numpy.array([1., 2.])} as Python 2.7 and NumPy 1.16 write it.
    buffer = np.array([1.0, 2.0]).tobytes()
    written = (
        b"\x80\x02}(U\x06sourceU\x04s_01U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U"
        + bytes([len(buffer)])
        + buffer
        + b"tbu."
    )
    path = tmp_path / "python2.pkl"
    path.write_bytes(written)
    read = load_pickle(path)
    assert read["source"] == "s_01"
    np.testing.assert_array_equal(read["x"], [1.0, 2.0])


FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("writer", ["pickle", "cpickle"])
@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_reads_what_python_2_7_wrote(writer, protocol):
    read = load_pickle(FIXTURES / f"python2_{writer}_{protocol}.pkl")
    assert read == {
        "source": ["s_01", "s_é"],
        "café": "€\n\\",
        "long": 2**70,
        "int": -5,
        "truth": [True, False, None],
        "z": 1 + 2j,
        "set": {1, 2},
        "quotes": "it's \"\t\\x",
        "pair": (1.5, ()),
        "f": frozenset({"a"}),
        "ord": {"b": 1, "a": 2},
    }
    assert list(read["ord"]) == ["b", "a"]


def test_arrays_are_read_only_and_parts_stay_shared(tmp_path):
    path = tmp_path / "data.pkl"
    part = np.arange(3.0)
    path.write_bytes(pickle.dumps([part, part]))
    first, second = load_pickle(path)
    assert first is second
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


class Attack:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (lambda mark: Attack(os.system, f"touch {mark}"), "system"),
        (lambda mark: Attack(eval, f"open({str(mark)!r}, 'w')"), "eval"),
        (lambda mark: Attack(getattr, "x", "upper"), "getattr"),
        (lambda mark: Attack(np.load, str(mark)), "load"),
    ],
)
def test_refuses_what_runs_by_name(tmp_path, protocol, attack, named):
    path, mark = tmp_path / "evil.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps({"joint_2d": attack(mark)}, protocol=protocol))
    with pytest.raises(InputError, match=rf"evil.pkl.*{named}"):
        load_pickle(path)
    assert not mark.exists()


def test_refuses_attributes_of_admitted_modules_and_other_codecs(tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93.")
    with pytest.raises(InputError, match=r"numpy.ndarray.dump"):
        load_pickle(path)
    path.write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.")
    with pytest.raises(InputError, match=r"REDUCE.*encoding 'rot13'"):
        load_pickle(path)


@pytest.mark.parametrize(
    "damage", [b"", b"\x80", b"not a pickle at all\n", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f", b"P."]
)
def test_damaged_files_give_one_line(tmp_path, damage):
    path = tmp_path / "bad.pkl"
    path.write_bytes(damage)
    with pytest.raises(InputError, match=r"bad\.pkl") as caught:
        load_pickle(path)
    assert "\n" not in str(caught.value)


def test_every_truncation_is_an_input_error(tmp_path):
    whole = pickle.dumps({"a": np.arange(3.0), "b": ["x"]}, protocol=4)
    path = tmp_path / "cut.pkl"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pkl"):
            load_pickle(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"absent\.pkl"):
        load_pickle(tmp_path / "absent.pkl")
    with pytest.raises(InputError, match="cannot be read"):
        load_pickle(tmp_path)
