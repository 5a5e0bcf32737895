"""Where development data lies that a plain checkout does not have; tests that want it skip with a reason."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("HYPERLIFT_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def shared_path(relative: str) -> Path:
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs development data: {relative} is not beside this checkout (set HYPERLIFT_SHARED)")
    return path
