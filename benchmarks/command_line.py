"""Start-up of the command line: --help of every command, and of libraries that build a parser from a dataclass.

python benchmarks/command_line.py
"""

import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from runner import Repetitions, Report, run, table
from timing import interleaved

from hyperlift.cli.main import COMMANDS

FIELDS = "\n".join(
    [
        '    out: Path = Path("o")',
        *(f"    number_{n}: float | None = None" for n in range(13)),
        *(f"    flag_{n}: bool = False" for n in range(10)),
        *(f"    path_{n}: Path | None = None" for n in range(10)),
        *(f'    kind_{n}: Literal["a", "b"] = "a"' for n in range(6)),
    ]
)
DECLARED = f"""
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
@dataclass(kw_only=True)
class Lift:
{FIELDS}
"""
LIBRARIES = {
    "tyro": f"import tyro\n{DECLARED}\ntyro.cli(Lift)",
    "jsonargparse": f"from jsonargparse import auto_cli\n{DECLARED}\nauto_cli(Lift)",
    "cyclopts": f"import cyclopts\n{DECLARED}\ndef lift(options: Lift): pass\ncyclopts.run(lift)",
    "typer": "import typer\nfrom pathlib import Path\nfrom enum import Enum\n"
    f"Kind = Enum('Kind', dict(a='a', b='b'), type=str)\ndef lift(\n{FIELDS}\n): pass\ntyper.run(lift)".replace(
        'Literal["a", "b"] = "a"', "Kind = Kind.a"
    )
    .replace("None\n", "None,\n")
    .replace("False\n", "False,\n")
    .replace("Kind.a\n", "Kind.a,\n")
    .replace('"o")', '"o"),'),
}


def command_line(*, repetitions: Repetitions = 9) -> Report:
    """Times of whole processes."""
    with TemporaryDirectory() as folder:
        lines = {"Python alone": ["-c", "pass"], "`hyperlift --help`": ["-m", "hyperlift", "--help"]}
        lines |= {f"`hyperlift {command} --help`": ["-m", "hyperlift", command, "--help"] for command in COMMANDS}
        for library, code in LIBRARIES.items():
            if find_spec(library):
                script = Path(folder) / f"{library}_lift.py"
                script.write_text(code)
                lines[f"40 options in {library}"] = [str(script), "--help"]
        started = {name: partial(start, line) for name, line in lines.items()}
        spent = interleaved(started, repetitions)
    rows = [(name, min(s.walls), min(s.processors)) for name, s in spent.items()]
    yield table(("fresh process", "seconds {:.3f}", "of the processor {:.3f}"), rows)
    yield f"Least of {repetitions} interleaved runs."


def start(line: list[str]) -> None:
    """Run Python."""
    subprocess.run([sys.executable, *line], capture_output=True, check=True)


if __name__ == "__main__":
    run(command_line, repetitions=1)
