"""Damage to the bytes of a file, by its kind; the same generator gives the same damage.

A mutator takes the bytes of a whole file and a ``random.Random`` and returns other bytes.
"""

import json
import random
import re
from collections.abc import Callable
from typing import Any

Mutator = Callable[[bytes, random.Random], bytes]

MOST_BYTES = 300_000
"""Longer files are left to tests of their own: they show what is slow, and not what is wrong."""

NUMBERS = (
    *("0", "-0", "-1", "1", "1e-320", "1e308", "-1e308", "1e999", "nan", "inf", "-inf", "0.0000001", "1e6", "1e12"),
    *("2147483648", "-2147483649", "18446744073709551616", "9" * 400, "9" * 5000, "1_0", "0x10", "1e", "1.2.3", "٣"),
    *("999999999", "true", "null", "--1", "1e-5"),
)
WORDS = (
    "",
    "\0",
    "a\nb",
    "\r",
    "\t",
    "é",
    "\N{PILE OF POO}",
    "x" * 5000,
    "{",
    "}",
    "[",
    '"',
    "#",
    ":",
    ",",
    "/",
    "..",
    "%s",
)
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bits, bytes and stretches changed, taken away, repeated or moved."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        # Headers stand at the beginning, indices at the end.
        at = min(at, rng.randrange(256)) if rng.random() < 0.3 else at
        length = rng.choice((1, 1, 2, 4, 8, 32, 256, 4096))
        match rng.randrange(9):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(min(length, max(len(data) - at, 0)))
            case 2:
                del data[at:]
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 50))
            case 5:
                data[at:at] = rng.choice((b"\0", b"\xff", b"\xed\xa0\x80", b"\n", rng.randbytes(8)))
            case 6:
                width, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
                data[at : at + width] = (rng.choice(_EDGES) % 256**width).to_bytes(width, order)
            case 7:
                data[at : at + length] = bytes(min(length, max(len(data) - at, 0)))
            case 8:
                other = rng.randrange(len(data) + 1)
                data[at : at + length] = data[other : other + length]
    return bytes(data[:MOST_BYTES])


def damaged_text(content: bytes, rng: random.Random) -> bytes:
    """Numbers, words and lines of a text replaced, repeated, removed or exchanged."""
    text = content.decode("utf-8", "surrogateescape")
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        kind = rng.randrange(8)
        if kind <= 2:
            text = _replaced(text, r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", rng.choice(NUMBERS), rng)
        elif kind == 3:
            words = re.findall(r"\w+", text[:20_000]) or ["x"]
            text = _replaced(text, r"\w+", rng.choice((*WORDS, *rng.sample(words, min(8, len(words))))), rng)
        else:
            lines = text.split("\n")
            at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
            if kind == 4:
                del lines[at]
            elif kind == 5:
                lines[at:at] = [lines[other]] * rng.choice((1, 2, 300))
            elif kind == 6:
                lines[at], lines[other] = lines[other], lines[at]
            else:
                lines[at] = rng.choice((lines[at][: len(lines[at]) // 2], lines[at] * 2, rng.choice(WORDS)))
            text = "\n".join(lines)
    return text.encode("utf-8", "surrogateescape")[:MOST_BYTES]


def _replaced(text: str, pattern: str, by: str, rng: random.Random) -> str:
    start = rng.randrange(max(len(text), 1))
    found = re.compile(pattern).search(text, start) or re.compile(pattern).search(text)
    return text if found is None else text[: found.start()] + by + text[found.end() :]


class _Raw(str):
    """Text that goes into a JSON document as it stands."""


_DEEP = "[" * 3000 + "]" * 3000
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10**6, 0.5, 1e12, 1e308, -1e308, 5e-324, "", "x", "1", "a\nb", "\0", "é"),
    *("\ud800",),
    *([], {}, [[]], [[], {}], [1], [1, 2, 3], ["x"], {"x": 1}, {"": None}, "x" * 20_000, list(range(3000))),
    *("2020-13-45",),
    *(_Raw("NaN"), _Raw("Infinity"), _Raw("-Infinity"), _Raw("1" + "0" * 400), _Raw("-" + "9" * 5000), _Raw(_DEEP)),
    *(_Raw('{"a":' * 3000 + "1" + "}" * 3000), _Raw("1e400"), _Raw("1E-400"), _Raw("-0.0")),
    *(_Raw("18446744073709551616"),),
)


def damaged_json(content: bytes, rng: random.Random) -> bytes:
    """A JSON document with values of other types, sizes and depths; keys renamed, missing or twice."""
    if rng.random() < 0.25:
        return rng.choice((damaged_bytes, damaged_text))(content, rng)
    try:
        document = json.loads(content)
    except ValueError:
        return damaged_bytes(content, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        document = _damaged_value(document, rng)
    return _json_text(document).encode("utf-8", "surrogatepass")[:MOST_BYTES]


def damaged_json_lines(content: bytes, rng: random.Random) -> bytes:
    """One of several JSON documents, a line each."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = damaged_json(lines[at], rng).replace(b"\n", b" ")
    return b"\n".join(lines)


def _damaged_value(document: Any, rng: random.Random, depth: int = 0) -> Any:
    inside = isinstance(document, dict | list) and document and not isinstance(document, _Raw)
    if not inside or rng.random() < 0.1 + 0.05 * depth:
        return _other(document, rng)
    key = rng.choice(list(document)) if isinstance(document, dict) else rng.randrange(len(document))
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    kind = rng.randrange(12)
    if kind == 0:
        del copy[key]
    elif kind == 1 and isinstance(copy, dict):
        copy[rng.choice(("", "x", "\ud800", "x" * 300, "é", "1"))] = copy.pop(key)
    elif kind == 2:
        other = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
        copy[key], copy[other] = copy[other], copy[key]
    elif kind == 3 and isinstance(copy, list):
        copy = copy * rng.choice((2, 2, 50)) if rng.random() < 0.5 else copy[: rng.randrange(len(copy))]
    else:
        copy[key] = _damaged_value(copy[key], rng, depth + 1)
    return copy


def _other(value: Any, rng: random.Random) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.3:
        return rng.choice((-value, value * 10, value + 1, float(value), str(value), [value]))
    return rng.choice(ODD_VALUES)


def _json_text(document: Any) -> str:
    raw: list[str] = []

    def marked(value: Any) -> Any:
        if isinstance(value, _Raw):
            raw.append(str(value))
            return f"@RAW{len(raw) - 1}@"
        if isinstance(value, dict):
            return {key: marked(part) for key, part in value.items()}
        return [marked(part) for part in value] if isinstance(value, list) else value

    text = json.dumps(marked(document))
    for number, token in enumerate(raw):
        text = text.replace(f'"@RAW{number}@"', token, 1)
    return text


_SNIPPETS = (
    *("a: &a [*a]", "? [1, 2]\n: 3", "!!python/object/apply:os.system [x]", "x: !!binary zz"),
    *("x: !!timestamp 2020-13-45",),
    *("x: 2020-13-45", "x: 2020-01-01", "<<: 3", "<<: [1]", "- x", "\t- x", "x: !!int y", "x: *nobody", "%YAML 9.9"),
    *("---",),
    *("x: 1:61:99", "x: .inf", "x: .nan", "x: 0o9", "x: ~", "'", '"', "[" * 200, "- " * 200, "{a: " * 100, "x: |"),
    *("x: >",),
    "a0: &a0 [x]\n" + "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)),
    "a0: &a0 {x: 1}\n" + "\n".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 10)),
    "x: " + "9" * 5000,
)
_YAML_VALUES = (
    *("2020-01-01", "2020-13-45", "!!int x", "!!str 3", "&q 1", "*q", "[]", "{}", "~", "yes", "1:30", ".nan", ".inf"),
    *("0x1F",),
    *("1" + "0" * 400, "9" * 5000, "1e5", "'", "[[[[]]]]", "{1: 2}", "{? [1] : 2}", "!!set {a, b}", "|", "-"),
    *("\\ud800",),
    *("1e308", "-1", "0", "1e-320", "text", "[1, 2]", "{a: 1}", "true", "1.5", "x" * 3000),
)


def damaged_yaml(content: bytes, rng: random.Random) -> bytes:
    """Values, keys and lines of YAML replaced; aliases, tags, dates and repeated keys put in."""
    if rng.random() < 0.2:
        return rng.choice((damaged_bytes, damaged_text))(content, rng)
    lines = content.decode().split("\n")
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        indent = re.match(r" *", lines[at])
        head, colon, _ = lines[at].partition(":")
        kind = rng.randrange(6)
        if kind == 0:
            lines[at:at] = rng.choice(_SNIPPETS).split("\n")
        elif kind == 1:
            lines[at:at] = [lines[rng.randrange(len(lines))]]
        elif kind == 2:
            lines[at] = " " * rng.randrange(6) + lines[at].strip()
        elif kind == 3 and colon:
            lines[at] = f"{indent[0] if indent else ''}{rng.choice(_YAML_VALUES)}:{lines[at].partition(':')[2]}"
        elif colon:
            lines[at] = f"{head}: {rng.choice(_YAML_VALUES)}"
        else:
            del lines[at]
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")[:MOST_BYTES]
