"""JSON that is read an entry at a time: the values are those of ``json.loads``, wherever the window ends."""

import json
import tracemalloc
from pathlib import Path

import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.formats import json_stream
from hyperlift.keypoints.formats.json_stream import JsonList, load_json, parse_json, read_json

VALUES = [
    [],
    [1, -2.5e3, True, None, "a", 'naïve é 😀 \\ " ] } ,', {}, [], [[1, [2]], {"a": [3]}]],
    {"frames": [1, 2, {"people": [3]}], "empty": [], "number": 7, "text": "x", "inner": {"list": [1]}},
    {},
    3.25,
    "alone",
    None,
]


def plain(value: object) -> object:
    if isinstance(value, JsonList):
        return list(value)
    return {key: plain(inner) for key, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("window", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_values_are_those_of_the_standard_library(tmp_path: Path, monkeypatch, window: int, encoding: str):
    monkeypatch.setattr(json_stream, "_CHUNK", window)
    path = tmp_path / "value.json"
    for value in VALUES:
        for indent in (None, 2):
            path.write_bytes(json.dumps(value, indent=indent, ensure_ascii=indent is None).encode(encoding))
            assert plain(read_json(path)) == plain(read_json(path)) == load_json(path) == value


@pytest.mark.parametrize("window", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    "text",
    ["", " ", "[", "[1", "[1,", "[1,]", "[1 2]", "[1]]", '{"a"', '{"a":', '{"a": 1,}', "{1: 2}", "{} []", "[tru]"]
    + ['["a', "01", "[" * 100_000, "[" + "1" * 5000 + "]", '{"a": [1, 2}', "[1] x", "nul", '{"a": [01]}', "[\x01]"]
    + ['["\\u12"]'],
)
def test_what_is_no_json_is_refused_in_one_line(tmp_path: Path, monkeypatch, window: int, text: str):
    monkeypatch.setattr(json_stream, "_CHUNK", window)
    path = tmp_path / "broken.json"
    path.write_text(text)
    for read in (read_json, load_json):
        with pytest.raises(InputError, match=r"broken\.json: is not valid JSON \(.*at byte \d+\)") as caught:
            plain(read(path))
        assert len(str(caught.value)) < 400 + len(str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is not valid JSON"):
        parse_json(text, "here")


def test_bytes_that_are_no_text(tmp_path: Path):
    path = tmp_path / "broken.json"
    for content in (b'["\xff"]', b"\xff\xfe[\x00", b"[\xc3", '["\ud800"]'.encode("utf-8", "surrogatepass")):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not valid JSON"):
            plain(read_json(path))


def test_equal_keys_and_far_lists(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK", 16)
    path = tmp_path / "value.json"
    path.write_text('{"ä": "' + "ö" * 100 + '", "a": [1], "a": [2, 3], "b": {"a": 4}}', encoding="utf-8")
    value = read_json(path)
    assert isinstance(value, dict)
    assert plain(value) == json.loads(path.read_text(encoding="utf-8"))
    first = value["a"]
    assert isinstance(first, JsonList)
    assert first
    assert first.head(1) == [2]
    assert first.head(5) == list(first) == [2, 3]


def test_one_entry_is_in_memory_at_a_time(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK", 4096)
    path = tmp_path / "long.json"
    entry = {"keypoints": [0.5] * 51, "image_id": "1.jpg"}
    path.write_text("[" + ",".join([json.dumps(entry)] * 2_000) + "]")
    size = path.stat().st_size
    assert size > 4e5
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_json(path))  # type: ignore[attr-defined]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 2_000
    assert peak < 6e4


def test_an_entry_without_end(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK", 64)
    monkeypatch.setattr(json_stream, "_LARGEST_ENTRY", 1000)
    path = tmp_path / "long.json"
    path.write_text('["' + "x" * 10_000 + '"]')
    with pytest.raises(InputError, match="one entry is longer than 1000 characters"):
        plain(read_json(path))


def test_a_file_that_cannot_be_read(tmp_path: Path):
    for read in (read_json, load_json):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path / "absent.json")
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path)
