import pytest

from hyperlift.errors import InputError
from hyperlift.safe_io.yaml_text import MOST_YAML_BYTES, parse_yaml, read_yaml

ALIASES = "a0: &a0 [lol]\n" + "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))
MERGES = "a0: &a0 {x: 1}\n" + "\n".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], y: 1}}" for i in range(1, 12)
)


def test_plain_values_arrive_and_a_date_stays_text():
    text = "n: null\nb: yes\ni: 3\nf: 2.5\nt: x\nl: [1, {k: v}]\nd: 2020-01-02\nno_day: 2020-13-45\n1: number\n"
    assert parse_yaml(text, "f", "mend it") == {
        "n": None,
        "b": True,
        "i": 3,
        "f": 2.5,
        "t": "x",
        "l": [1, {"k": "v"}],
        "d": "2020-01-02",
        "no_day": "2020-13-45",
        1: "number",
    }


def test_aliases_and_merged_keys_work_within_the_limits():
    assert parse_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]", "f", "r") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": [{"x": 1, "y": 2}] * 2,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}", r"line 3: the key 'c' stands twice"),
        ("a: 1\n'a': 2", "the key 'a' stands twice"),
        ("a: !!python/object/apply:os.system [x]", "could not determine a constructor for the tag"),
        ("a: !!timestamp 2020-13-45", "could not determine a constructor"),
        ("a: !!binary x", "could not determine a constructor"),
        ("a: !!int x", "'x' is no int"),
        ("a: !!float x", "'x' is no float"),
        ("a: !!bool x", "'x' is no bool"),
        ("a: " + "9" * 5000, r"line 1: '9+…"),
        ("[1, 2]: 3", "a key is text or a number"),
        ("a: &a [*a]", "an alias refers to what it stands in"),
        (ALIASES, "line 6: more than 20,000 nodes"),
        (MERGES, "more than 20,000 nodes"),
        ("[" * 5000, "more than 50 levels deep"),
        ("- " * 5000, "more than 50 levels deep"),
        ("a: \x00", "not valid YAML"),
        ("a: 1\n--- b", "not valid YAML"),
        ("{" + "x" * 10**6, "not valid YAML"),
    ],
)
def test_what_is_refused_is_named_in_one_short_line(text, message):
    with pytest.raises(InputError, match=message) as refused:
        parse_yaml(text, "file.yaml", "mend it")
    said = str(refused.value)
    assert said.startswith("file.yaml: ")
    assert said.endswith("; mend it")
    assert len(said) < 300
    assert said.isprintable()


def test_a_long_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "long.yaml"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole, no bytes on the disk
    with pytest.raises(InputError, match=f"longer than {MOST_YAML_BYTES:,} bytes"):
        read_yaml(path, "shorten it")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: \xff", r"no text in UTF-8 \(byte 3\)"), (b"\xef\xbb\xbfa: 1", None), (None, "no such file")],
)
def test_bytes_that_are_no_text(tmp_path, content, message):
    path = tmp_path / "f.yaml"
    if content is not None:
        path.write_bytes(content)
    if message is None:
        assert read_yaml(path, "r") == {"a": 1}
        return
    with pytest.raises(InputError, match=message):
        read_yaml(path, "r")
