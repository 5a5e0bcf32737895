"""Quantises the factors of a matrix product to 8 bits with minimal error, on NumPy arrays."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int

WEIGHT_BITS = 7
"""Pairs of 8 x 8-bit products overflow 16-bit sums on processors without VNNI, which gives outliers of single joints.
With 7-bit weights they cannot overflow, so that a file has equal results on all processors."""
MAX_WEIGHT = 2 ** (WEIGHT_BITS - 1) - 1
"""Largest signed integer of ``WEIGHT_BITS`` bits; the range is symmetric."""
_LEVELS = 255
"""Steps of an unsigned 8-bit integer."""
_ROWS = 1024
"""Input rows for the choice of the smoothing power. Chosen: it bounds time."""
_DAMPING = 0.01
"""Damping of the Gram matrix relative to its mean diagonal, the value of Frantar et al. 2023 (GPTQ)."""
_POWERS = (0.0, 0.35, 0.5, 0.65, 0.8)
"""Candidates for the migration strength α of Xiao et al. 2023, who use 0.5; 0: no smoothing."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """The quantised product x W = (x even) (W / even), where ``even`` smooths the inputs."""

    even: Float[np.ndarray, " inner"]
    weights: Int[np.ndarray, "inner columns"]
    scale: Float[np.ndarray, " columns"]
    """Quantisation step of the weights of each column."""


def round_product(inputs: Float[np.ndarray, "rows inner"], weights: Float[np.ndarray, "inner columns"]) -> Rounded:
    """Quantise the weights of a product x W with the inputs of calibration clips.

    Input channels of large range are scaled down and their weights scaled up (SmoothQuant, Xiao et al. 2023). The
    migration strength with the smallest error of the product is chosen.

    Args:
        inputs: x, all rows of the calibration clips.
        weights: W.
    """
    sample = inputs[:: max(1, len(inputs) // _ROWS)]
    exact = sample @ weights
    reach = np.maximum(np.abs(inputs).max(0), 1e-6)
    strength = np.maximum(np.abs(weights).max(1), 1e-6)
    best, even = np.inf, np.ones_like(reach)
    for power in _POWERS:
        factors = strength ** (1 - power) / reach**power if power else np.ones_like(reach)
        factors = (factors / factors.mean()).astype(np.float32)
        heavy = weights / factors[:, None]
        scale = _scale(heavy)
        plain = np.clip(np.rint(heavy / scale), -MAX_WEIGHT, MAX_WEIGHT) * scale
        error = float(((round_inputs(sample * factors) @ plain - exact) ** 2).mean())
        if error < best:
            best, even = error, factors
    rounded = inputs * even
    return Rounded(even, *round_weights(weights / even[:, None], rounded.T @ rounded))


def round_inputs(values: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Round to unsigned 8-bit integers over the range of all values and back, as DynamicQuantizeLinear does."""
    least, greatest = min(0.0, float(values.min())), max(0.0, float(values.max()))
    step = np.float32(max(greatest - least, 1e-9) / _LEVELS)
    zero = np.rint(-least / step)
    return (np.clip(np.rint(values / step) + zero, 0, _LEVELS) - zero) * step


def round_weights(
    weights: Float[np.ndarray, "inner columns"], gram: Float[np.ndarray, "inner inner"]
) -> tuple[Int[np.ndarray, "inner columns"], Float[np.ndarray, " columns"]]:
    """Quantise weights symmetrically with one scale per column, row by row.

    The weights of the remaining input channels compensate the rounding error of each row (GPTQ, Frantar et al. 2023,
    without grouping).

    Args:
        weights: W in x W.
        gram: XᵀX of the calibration inputs.

    Returns:
        int8 [inner, columns] and float32 scales [columns].
    """
    scale = _scale(weights)
    gram = np.asarray(gram, np.float64)
    damped = gram + np.eye(len(gram)) * max(_DAMPING * float(np.diag(gram).mean()), 1e-12)
    inverse = np.linalg.inv(damped)
    upper = np.linalg.cholesky((inverse + inverse.T) / 2).T
    left = np.array(weights, np.float64)
    rounded = np.empty(weights.shape, np.int8)
    for i, row in enumerate(left):
        rounded[i] = np.clip(np.rint(row / scale), -MAX_WEIGHT, MAX_WEIGHT)
        error = (row - rounded[i] * scale) / upper[i, i]
        left[i + 1 :] -= np.outer(upper[i, i + 1 :], error)
    return rounded, scale


def _scale(weights: Float[np.ndarray, "inner columns"]) -> Float[np.ndarray, " columns"]:
    scale = np.abs(weights).max(0) / MAX_WEIGHT
    scale[scale == 0] = 1.0
    return scale.astype(np.float32)
