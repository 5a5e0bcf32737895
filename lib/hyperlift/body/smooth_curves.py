"""Smoothing of weighted values by penalised least squares (Whittaker 1923; Eilers 2003)."""

import numpy as np

from hyperlift.shapes import Float


def smooth_curves(
    values: Float[np.ndarray, "frames columns"],
    weights: Float[np.ndarray, " frames"],
    stiffness: float,
    order: int,
    pull: float = 0.0,
    towards: Float[np.ndarray, " columns"] | float = 0.0,
) -> Float[np.ndarray, "frames columns"]:
    """For each column, the curve x that minimises Σ w (x − values)² + stiffness Σ (Δ^order x)² + pull Σ (x − towards)².

    Args:
        values: finite.
        weights: of the frames, ≥ 0. Without a pull, at least ``order`` frames need a positive weight.
        stiffness: ≥ 0.
        order: of the penalised difference: 1 for slope, 2 for curvature.
        pull: ≥ 0, weight of ``towards`` in every frame.
        towards: value that all frames are pulled to.
    """
    from scipy.linalg import solveh_banded  # slow to import

    frames = len(values)
    order = min(order, frames - 1)
    bands = np.zeros((order + 1, frames))
    bands[order] = weights + pull
    difference = np.array([1.0])
    for _ in range(order):
        difference = np.convolve(difference, [1.0, -1.0])
    if order:
        for row in range(order + 1):
            for column in range(row, order + 1):
                product = stiffness * difference[row] * difference[column]
                bands[order - (column - row), column : frames - order + column] += product
    return solveh_banded(bands, weights[:, None] * values + pull * np.asarray(towards), check_finite=False)


def stiffness_of_cutoff(cutoff_hz: float, fps: float) -> float:
    """Stiffness of second order that halves the amplitude at ``cutoff_hz``; 0 above the Nyquist frequency."""
    if cutoff_hz >= fps / 2.0:
        return 0.0
    return float((2.0 * np.sin(np.pi * cutoff_hz / fps)) ** -4)
