"""Runs a benchmark: its options, its tables, the machine that it ran on, the section of docs/results that it writes.

A case is a generator function in a file of its own. Its parameters are its options, declared there alone: those before
``*`` are positional, ``Annotated[type, "help"]`` says what they mean. It yields paragraphs and tables as Markdown; they
are printed as they come and stand between two marks of a page of docs/results in the end. The file ends in

    if __name__ == "__main__":
        run(case, repetitions=1)

where the named values are those that ``--quick`` takes in place of the defaults.
"""

import argparse
import inspect
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"

Report = Iterator[str]
Case = Callable[..., Report]
Repetitions = Annotated[int, "of every measurement, interleaved"]
Out = Annotated[Path, "folder of finished runs, which are not repeated"]


def run(
    case: Case, argv: Sequence[str] | None = None, section: Callable[[dict[str, Any]], str] | None = None, **quick: Any
) -> None:
    """Parse the options of a case, run it, print what it yields and write its section.

    Args:
        case: the benchmark.
        argv: command line; None takes that of the process.
        section: name of the section from the options that were given; by default the name of the case.
        quick: options of ``--quick``, which shows in seconds that a benchmark still runs. It leaves the page alone.

    Raises:
        SystemExit: with status 2 for options that do not fit and for input that cannot be read.
    """
    parser = _parser(case)
    given = vars(parser.parse_args(argv))
    is_quick, no_page = given.pop("quick"), given.pop("no_page")
    given = {name: value for name, value in given.items() if value is not None}
    load, parts = os.getloadavg()[0], []
    try:
        for part in case(**{**(quick if is_quick else {}), **given}):
            print(part, end="\n\n", flush=True)
            parts.append(part)
    except InputError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    parts.append(environment(load))
    print(parts[-1])
    if not (no_page or is_quick):
        write_section(section(given) if section else case.__name__, "\n\n".join(parts))


def _parser(case: Case) -> argparse.ArgumentParser:
    about = sys.modules[case.__module__].__doc__
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    hints = get_type_hints(case, include_extras=True)
    for parameter in inspect.signature(case).parameters.values():
        kind, help_text = hints[parameter.name], None
        if get_origin(kind) is Annotated:
            kind, help_text = get_args(kind)
        required = parameter.default is parameter.empty
        options: dict[str, Any] = {"help": help_text, "default": argparse.SUPPRESS}
        if get_origin(kind) in (Union, UnionType):
            (kind,) = (one for one in get_args(kind) if one is not NoneType)
        many = get_origin(kind) is tuple
        if many:
            kind = get_args(kind)[0]
        if get_origin(kind) is Literal:
            options["choices"], kind = get_args(kind), str
        if parameter.kind is parameter.KEYWORD_ONLY:
            names = sorted({f"--{parameter.name.replace('_', '-')}", f"--{parameter.name}"})
            shown = None if required or kind is bool else parameter.default
            if shown:
                text = " ".join(map(str, shown)) if many else str(shown)
                options["help"] = f"{help_text} (default: {text})" if help_text else f"default: {text}"
            options |= {"required": required} | ({"nargs": "+", "action": "extend"} if many else {})
        else:
            names = [parameter.name]
            options["metavar"] = parameter.name.upper()
            if many or not required:
                options |= {"nargs": ("+" if required else "*") if many else "?"} | ({} if many else {"default": None})
        options |= {"action": "store_true"} if kind is bool else {"type": kind}
        parser.add_argument(*names, **options)
    parser.add_argument("--quick", action="store_true", help="smallest setting, to see that it runs; writes no page")
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/results as it is")
    return parser


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table.

    Args:
        columns: titles, each with the format of its cells behind it where that is not ``{}``: ``"share {:.0f} %"``.
        rows: their cells; None leaves one empty, and text stands as it is.
    """
    titles = [column.partition(" {")[0] for column in columns]
    formats = ["{" + (column.partition(" {")[2] or "}") for column in columns]

    def shown(cell: Any, form: str) -> str:
        return "" if cell is None else cell if isinstance(cell, str) else form.format(cell)

    lines = [" | ".join(shown(*pair) for pair in zip(row, formats, strict=True)) for row in rows]
    return "\n".join([f"| {' | '.join(titles)} |", "|" + "---|" * len(titles), *(f"| {line} |" for line in lines)])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def counted(number: int, what: str) -> str:
    """``1 core``, ``2 cores``."""
    return f"{number} {what}{'s' * (number != 1)}"


def machine() -> str:
    """The processor's name and the number of cores that this process may use."""
    info = Path("/proc/cpuinfo")
    match = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return f"{match[1] if match else platform.processor() or platform.machine()}, {counted(cores(), 'core')}"


def environment(load: float) -> str:
    """One line: processor, cores, versions of what computed, and how busy the machine was with other work."""
    packages = {"numpy": "NumPy", "onnxruntime": "ONNX Runtime", "torch": "torch", "av": "PyAV"}
    used = ", ".join(f"{title} {version(name)}" for name, title in packages.items() if name in sys.modules)
    return f"Measured on {machine()}, load {load:.1f} before it began; Python {platform.python_version()}, {used}."


def write_section(name: str, text: str) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->`` on the page of docs/results that has both.

    Raises:
        ValueError: no page has these marks.
    """
    marks = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    for page in sorted(RESULTS.glob("*.md")):
        old = page.read_text(encoding="utf-8")
        new, found = marks.subn(lambda match: f"{match[1]}{text.strip()}\n{match[2]}", old)
        if found:
            with atomic_file(page) as partial:
                partial.write_text(new, encoding="utf-8")
            return
    raise ValueError(f"no page of {RESULTS} has marks for {name!r}")


def in_own_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a fresh process, whose peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def spread(values: Sequence[float], form: str = "{:.1f}") -> str:
    """Mean, and standard deviation where there are several values."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return form.format(mean)
    deviation = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return f"{form.format(mean)} ± {form.format(deviation)}"
