"""Examples in docstrings run, and every name that users are told to import has one."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hyperlift

ROOT = Path(__file__).resolve().parents[1]
LIB = ROOT / "lib"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _documented(node: ast.AST, name: str) -> Iterator[tuple[str, str, int]]:
    """Full name, docstring and line of everything in a module; read, not imported, so that decorators do not matter."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            full = f"{name}.{child.name}"
            yield full, ast.get_docstring(child) or "", child.lineno
            yield from _documented(child, full)


def _examples() -> dict[str, doctest.DocTest]:
    parser, found = doctest.DocTestParser(), {}
    for path in sorted((LIB / "hyperlift").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if ">>>" not in source:
            continue
        module = ".".join(path.relative_to(LIB).with_suffix("").parts)
        for name, text, line in _documented(ast.parse(source), module):
            test = parser.get_doctest(text, {}, name, str(path), line)
            if test.examples:
                found[name] = test
    return found


EXAMPLES = _examples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with ``examples/``, and with ``out/pose3d.npz`` lifted from the keypoints there."""
    folder = tmp_path_factory.mktemp("docstrings")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "out").mkdir()
    options = hyperlift.LiftOptions(picture_size=(1768, 994), fps=30)
    motion = hyperlift.Lifter("nano").lift(ROOT / "examples" / "sports2d_demo.alphapose.json", options=options)
    motion.save(folder / "out" / "pose3d.npz")
    return folder


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_print_what_they_say(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    lines: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(EXAMPLES[name], out=lines.append)
    assert not failed, "".join(lines)


def _object(name: str) -> Any:
    """What a dotted name means; None where it is none of ours, such as a command of ``hyperlift``."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def _named_in(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r"hyperlift(?:\.[A-Za-z_]\w*)+", text))
    for module, imported in re.findall(r"from (hyperlift[\w.]*) import ([\w, ]+)", text):
        names |= {f"{module}.{name.strip()}" for name in imported.split(",")}
    return {name for name in names if not name.endswith(("hyperlift.lock", "hyperlift.yaml"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_pages_exist_and_have_an_example(page: Path):
    for name in sorted(_named_in(page)):
        _check_has_example(name)


def test_public_names_have_an_example():
    for name in hyperlift.__all__:
        _check_has_example(f"hyperlift.{name}")


def _check_has_example(name: str) -> None:
    found = _object(name)  # fails where the page names what is not there
    if callable(found) and hasattr(found, "__qualname__"):
        home = f"{found.__module__}.{found.__qualname__}"
        assert home in EXAMPLES, f"{name}: its docstring has no example"


def test_dir_shows_the_public_names_alone():
    assert set(dir(hyperlift)) >= set(hyperlift.__all__)
    assert {name for name in dir(hyperlift) if not name.startswith("__")} <= set(hyperlift.__all__)
    for name in hyperlift.__all__:
        assert getattr(hyperlift, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        hyperlift.no_such_name  # noqa: B018
