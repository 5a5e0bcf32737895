import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from hyperlift.tracking.association import assign


@pytest.mark.parametrize("seed", range(40))
def test_as_cheap_as_scipy(seed: int):
    generator = np.random.default_rng(seed)
    rows, columns = generator.integers(1, 9, 2)
    cost = generator.uniform(0, 1.4, (rows, columns))
    cost[generator.uniform(size=cost.shape) < 0.2] = np.inf
    pairs = assign(cost)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    ours = sum(cost[pair] for pair in pairs) + (rows - len(pairs))
    # scipy's problem: each row may also stay alone for 1.
    padded = np.concatenate([np.where(cost < 1, cost, 1e6), np.where(np.eye(rows) > 0, 1.0, 1e6)], axis=1)
    assert ours == pytest.approx(padded[linear_sum_assignment(padded)].sum())


def test_contested_column():
    # Greedy would give column 0 to row 0 and leave row 1 alone: 0.1 + 1. Exact: 0.2 + 0.15.
    assert assign(np.array([[0.1, 0.2], [0.15, np.inf]])) == [(0, 1), (1, 0)]


def test_nobody():
    assert assign(np.empty((0, 3))) == []
    assert assign(np.empty((2, 0))) == []


def test_scipy_is_imported_when_needed_alone():
    """It takes a second or two, which most commands need not wait for."""
    check = (
        "import sys, hyperlift.cli.lift, hyperlift.lifting.smoothing, hyperlift.lifting.open_streams;"
        "sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
