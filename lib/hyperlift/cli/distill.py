"""Distillation: announced, not there yet."""

import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Say so; returns exit code 2."""
    print(
        f"{Path(sys.argv[0]).name}: error: Distillation: not part of this version yet; see README.md",
        file=sys.stderr,
    )
    return 2
