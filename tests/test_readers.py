import inspect
import logging
import struct
from pathlib import Path

import pytest

from hyperlift.errors import InputError
from hyperlift.readers import UnforeseenDamage, reader, registered


def test_a_registered_reader_is_found_by_its_name_and_keeps_its_signature():
    @reader("test values")
    def read(path: Path, limit: int = 3) -> int:
        """Read."""
        return limit

    assert registered()["test values"].read is read
    assert (registered()["test values"].module, read.__name__, read.__doc__) == (__name__, "read", "Read.")
    assert list(inspect.signature(read).parameters) == ["path", "limit"]
    assert read(Path("x"), limit=5) == 5


@pytest.mark.parametrize(
    "stray",
    [
        ValueError("bad"),
        KeyError("Z"),
        OverflowError("bad"),
        RecursionError("bad"),
        MemoryError(),
        struct.error("bad"),
        AttributeError("bad"),
        AssertionError(),
        OSError(5, "Input/output error"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ],
)
def test_a_stray_exception_becomes_one_line_that_names_the_file_and_keeps_its_cause(stray, caplog):
    @reader(f"test {type(stray).__name__}")
    def read(path: Path) -> None:
        raise stray

    with caplog.at_level(logging.DEBUG), pytest.raises(UnforeseenDamage) as caught:
        read(Path("some/file.txt"))
    message = str(caught.value)
    assert message.startswith("some/file.txt: cannot be read as test")
    assert type(stray).__name__ in message
    assert message.endswith("; copy or make it again")
    assert "\n" not in message
    assert caught.value.__cause__ is stray
    assert caplog.records[0].exc_info is not None, "a defect of ours that the net hides stays findable"


def test_a_refusal_with_its_own_message_and_a_missing_package_pass_the_net():
    @reader("test passing")
    def read(path: str, error: BaseException) -> None:
        raise error

    for error in (InputError("mine"), ModuleNotFoundError("h5py"), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)) as caught:
            read("x", error)
        assert caught.value is error


def test_a_message_shows_no_more_than_200_characters_of_a_stray_text_and_only_one_line():
    @reader("test long", remedy="export it again")
    def read(path: str) -> None:
        raise ValueError("x" * 10**6 + "\n" + "y" * 10**6)

    with pytest.raises(UnforeseenDamage) as caught:
        read("a\nb")
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
    assert "y" not in str(caught.value)


def test_the_file_may_be_an_attribute_and_may_be_absent():
    class Source:
        path = Path("of/source.json")

    @reader("test metadata")
    def read(what: object) -> None:
        raise KeyError("fps")

    with pytest.raises(UnforeseenDamage, match=r"^of/source.json: cannot be read as test metadata \(KeyError: 'fps'\)"):
        read(Source())
    with pytest.raises(UnforeseenDamage, match=r"^test metadata cannot be read \(KeyError"):
        read({"n": 1})


def test_a_generator_is_covered_while_it_is_iterated():
    @reader("test stream")
    def read(path: str):
        yield 1
        raise EOFError("short")

    rows = read("f")
    assert next(rows) == 1
    with pytest.raises(UnforeseenDamage, match=r"EOFError: short"):
        next(rows)


def test_two_readers_of_one_name_are_a_defect_of_ours():
    reader("test twice")(test_two_readers_of_one_name_are_a_defect_of_ours)
    with pytest.raises(AssertionError, match="two readers"):
        reader("test twice")(lambda path: None)
