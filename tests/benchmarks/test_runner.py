"""The runner: options out of a signature, tables, and sections of the results pages."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
import runner
import timing
from bench_scripts import BENCHMARKS, rows_of

from hyperlift.errors import InputError


def case(
    bench: Path,
    stores: Annotated[tuple[Path, ...], "one or several"],
    *,
    count: Annotated[int, "how many"] = 3,
    names: tuple[str, ...] = ("small",),
    limit: float | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
    more_of_it: bool = False,
):
    yield repr((bench, tuple(stores), count, tuple(names), limit, device, more_of_it))


def broken():
    yield "first"
    raise InputError("a.npz: there is no such file")


@pytest.fixture
def page(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n<!-- case -->\nold\n<!-- /case -->\n\nafter\n", encoding="utf-8")
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    return page


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("b s", (Path("b"), (Path("s"),), 3, ("small",), None, "cpu", False)),
        ("b s t --count 4 --limit 0.5", (Path("b"), (Path("s"), Path("t")), 4, ("small",), 0.5, "cpu", False)),
        ("b s --names x y --names z --more-of-it", (Path("b"), (Path("s"),), 3, ("x", "y", "z"), None, "cpu", True)),
        ("b s --quick", (Path("b"), (Path("s"),), 1, ("small",), None, "cpu", False)),
        ("b s --quick --count 2", (Path("b"), (Path("s"),), 2, ("small",), None, "cpu", False)),
    ],
)
def test_options_are_those_of_the_signature(arguments, expected, capsys):
    runner.run(case, [*arguments.split(), "--no-page"], count=1)
    assert capsys.readouterr().out.splitlines()[0] == repr(expected)


@pytest.mark.parametrize("arguments", ["", "b", "b s --device tpu", "b s --count x", "b s --unknown"])
def test_options_that_do_not_fit(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        runner.run(case, arguments.split())
    assert stop.value.code == 2


def test_the_section_holds_what_was_printed_and_the_machine(page, capsys):
    runner.run(case, ["b", "s"])
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Page\n\n<!-- case -->\n")
    assert text.endswith("\n<!-- /case -->\n\nafter\n")
    assert [line for line in text.splitlines() if line][2:-2] == printed
    assert printed[-1].startswith(f"Measured on {runner.machine()}, load ")
    assert "Python 3." in printed[-1]


@pytest.mark.parametrize("flag", ["--no-page", "--quick"])
def test_a_page_stays_as_it_is(page, flag):
    before = page.read_bytes()
    runner.run(case, ["b", "s", flag])
    assert page.read_bytes() == before


def test_the_name_of_the_section_may_depend_on_the_options(page):
    page.write_text("<!-- case_gpu -->\n<!-- /case_gpu -->\n", encoding="utf-8")
    runner.run(case, ["b", "s", "--device", "cuda"], section=lambda given: "case_gpu")
    assert "'cuda'" in page.read_text(encoding="utf-8")


def test_a_section_that_no_page_has(page):
    with pytest.raises(ValueError, match=r"no page of .* has marks for 'other'"):
        runner.write_section("other", "text")


def test_input_that_cannot_be_read_is_one_line_and_writes_nothing(page, capsys):
    before = page.read_bytes()
    with pytest.raises(SystemExit) as stop:
        runner.run(broken, [])
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith(": error: a.npz: there is no such file\n")
    assert page.read_bytes() == before


def test_a_table_formats_numbers_by_column_and_leaves_words_and_gaps():
    text = runner.table(
        ["lifter", "N-MPJPE mm {:.1f}", "share {:.0f} %", "frames {:,}"],
        [("small", 51.84, 4.4, 12345), ("none", None, "–", 7)],
    )
    assert text.splitlines()[1] == "|---|---|---|---|"
    assert rows_of(text)[0] == ["lifter", "N-MPJPE mm", "share", "frames"]
    assert rows_of(text)[2:] == [["small", "51.8", "4 %", "12,345"], ["none", "", "–", "7"]]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"zip\(\)"):
        runner.table(["a", "b"], [(1,)])


def test_spread():
    assert runner.spread([3.0]) == "3.0"
    assert runner.spread([1.0, 3.0]) == "2.0 ± 1.4"
    assert runner.spread([1.0, 3.0], "{:+.0f}") == "+2 ± +1"


def test_every_benchmark_has_its_section_and_no_section_is_left_over():
    marks = "\n".join(page.read_text(encoding="utf-8") for page in runner.RESULTS.glob("*.md"))
    sections = re.findall(r"<!-- (\w[\w-]*) -->", marks)
    assert sorted(sections) == sorted(re.findall(r"<!-- /(\w[\w-]*) -->", marks))
    runs = [
        re.findall(r"^    run\(\s*(\w+)", path.read_text(encoding="utf-8"), re.M) for path in BENCHMARKS.glob("*.py")
    ]
    assert sorted(name for names in runs for name in names) == sorted(set(sections) - {"training_gpu"})


def test_calls_take_turns_after_one_that_does_not_count():
    order = []
    spent = timing.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert [len(spent[name].walls) for name in "ab"] == [2, 2]


def test_medians_and_spread_of_times():
    seconds = timing.Seconds(walls=[1.0, 2.0, 3.0, 10.0, 2.5], processors=[1.0, 5.0, 2.0])
    assert seconds.wall == 2.5
    assert seconds.processor == 2.0
    assert seconds.spread == pytest.approx(0.5 / 2.5)


def test_processor_time_counts_a_process_that_was_waited_for():
    seconds = timing.Seconds()
    with seconds.counted():
        subprocess.run([sys.executable, "-c", "sum(i for i in range(2_000_000))"], check=True)
    assert seconds.processor > 0.01
