from datetime import date

import numpy as np
import pytest

from hyperlift.errors import one_line, quoted


@pytest.mark.parametrize(
    "value", [1, "a'b", 1.5, None, True, [1, "x"], {"a": [1, 2]}, (1, 2), b"\x00", date(2020, 1, 2)]
)
def test_a_small_value_is_shown_as_repr_shows_it(value):
    assert quoted(value) == repr(value)


def _aliases(levels):
    """A list that a YAML file of a few lines describes and whose ``repr`` has 9 ** levels items."""
    node = ["lol"]
    for _ in range(levels):
        node = [node] * 9
    return node


def _circle():
    node = []
    node.append(node)
    return node


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**7,
        b"x" * 10**7,
        10**5000,
        -(10**400),
        list(range(10**6)),
        dict.fromkeys(range(10**6)),
        _aliases(30),
        {"a": {"b": {"c": {"d": {"e": "f" * 1000}}}}},
        _circle(),
        "a\nb\r\x1b[31m\udcff",
        np.array([10**5000], dtype=object),
        np.zeros((40, 40)),
    ],
    ids=range(12),
)
def test_any_value_is_shown_in_200_printable_characters_of_one_line(value):
    shown = quoted(value)
    assert 0 < len(shown) <= 200
    assert shown.isprintable()
    shown.encode()


def test_a_long_integer_is_described_by_its_size():
    assert quoted(10**5000) == f"an integer of {(10**5000).bit_length()} bits"
    assert quoted({"a": [10**5000]}).startswith("{'a': [an integer")


def test_one_line_keeps_the_first_line_that_is_not_empty():
    assert one_line("\n  first \nsecond") == "first"
    assert one_line("") == ""
    assert one_line("a" * 300, 10) == "a" * 9 + "…"
