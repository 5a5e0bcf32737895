import pytest

from hyperlift.errors import InputError
from hyperlift.safe_io.json_text import parse_json, read_json
from hyperlift.safe_io.text import is_number, is_whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("9" * 5000, "is not JSON"),
        ("{", "is not JSON"),
        (b"\xff", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_what_is_no_json_is_refused_in_one_line(text, message):
    with pytest.raises(InputError, match=message) as refused:
        parse_json(text, "file.json, line 3", "export it again")
    said = str(refused.value)
    assert said.startswith("file.json, line 3: ")
    assert said.endswith("; export it again")
    assert len(said) < 300


def test_values_arrive(tmp_path):
    path = tmp_path / "v.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [1, null]}')
    assert read_json(path, "r") == {"a": [1, None]}
    with pytest.raises(InputError, match="longer than 5 bytes"):
        read_json(path, "r", most_bytes=5)


def test_numbers_are_told_from_truth_values_text_and_nan():
    assert is_number(1, 0, 2)
    assert is_number(0.5, 0, 2)
    assert not any(is_number(value, 0, 2) for value in (True, "1", None, float("nan"), 3, 10**400, [1]))
    assert is_whole(10**5, 0, 10**9)
    assert not any(is_whole(value, 0, 10**9) for value in (True, 1.0, -1, 10**400))
