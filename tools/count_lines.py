"""Modules, packages and lines of code of each folder; docstrings, comments and blank lines are not code.

python tools/count_lines.py lib benchmarks tests
"""

import argparse
import ast
import io
import tokenize
from pathlib import Path

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """Lines that hold code. A string that is a statement of its own documents what stands above it and is none."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--modules", action="store_true", help="list the modules too, the longest first")
    args = parser.parse_args()
    print("| folder | modules | packages | lines of code | longest module |\n|---|---|---|---|---|")
    for folder in args.folders:
        counts = {path: code_lines(path.read_text()) for path in sorted(folder.rglob("*.py"))}
        if not counts:
            parser.error(f"{folder}: holds no Python module")
        packages = sum(path.name == "__init__.py" for path in counts)
        longest = max(counts, key=lambda path: counts[path])
        print(
            f"| {folder} | {len(counts) - packages} | {packages} | {sum(counts.values()):,} "
            f"| {longest.relative_to(folder)}, {counts[longest]} |"
        )
        if args.modules:
            for path, count in sorted(counts.items(), key=lambda item: -item[1]):
                print(f"{count:6,}  {path.relative_to(folder)}")


if __name__ == "__main__":
    main()
