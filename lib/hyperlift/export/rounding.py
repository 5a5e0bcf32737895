"""Numbers to 8 bits so that a product of them suffers least; plain arrays."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int

WEIGHT_BITS = 7
"""Products of 8 x 8 bits overflow the 16-bit sums of processors without VNNI, which shows as single wild joints; with
7 bits of weight they cannot, so that a file gives the same everywhere."""
GREATEST_WEIGHT = 2 ** (WEIGHT_BITS - 1) - 1
_LEVELS = 255
_ROWS = 1024
"""Inputs on which choices are compared."""
_DAMPING = 0.01
"""Of the inputs' mean square, added to each square, so that inputs which calibration hardly saw keep their weights."""
_EVENNESS = (0.0, 0.35, 0.5, 0.65, 0.8)
"""Powers that are tried."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """A product x W as (x even) ((W / even) in 8 bits)."""

    even: Float[np.ndarray, " inner"]
    weights: Int[np.ndarray, "inner columns"]
    scale: Float[np.ndarray, " columns"]
    """What a step of each column's weights stands for."""


def round_product(inputs: Float[np.ndarray, "rows inner"], weights: Float[np.ndarray, "inner columns"]) -> Rounded:
    """Choose the 8 bits of a product, by its inputs on calibration clips.

    Inputs that reach far are made smaller and their weights larger by the same factor, which spares the others' steps
    (SmoothQuant, Xiao et al. 2023); how far to go is what leaves the product nearest to itself.

    Args:
        inputs: x, all rows that calibration saw.
        weights: W in x W.
    """
    some = inputs[:: max(1, len(inputs) // _ROWS)]
    exact = some @ weights
    reach = np.maximum(np.abs(inputs).max(0), 1e-6)
    strength = np.maximum(np.abs(weights).max(1), 1e-6)
    best, even = np.inf, np.ones_like(reach)
    for evenness in _EVENNESS:
        factors = strength ** (1 - evenness) / reach**evenness if evenness else np.ones_like(reach)
        factors = (factors / factors.mean()).astype(np.float32)
        heavy = weights / factors[:, None]
        scale = _scale(heavy)
        plain = np.clip(np.rint(heavy / scale), -GREATEST_WEIGHT, GREATEST_WEIGHT) * scale
        error = float(((round_inputs(some * factors) @ plain - exact) ** 2).mean())
        if error < best:
            best, even = error, factors
    rounded = inputs * even
    return Rounded(even, *round_weights(weights / even[:, None], rounded.T @ rounded))


def round_inputs(values: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """What unsigned 8-bit integers leave of values, over the range of all of them, as DynamicQuantizeLinear does."""
    least, greatest = min(0.0, float(values.min())), max(0.0, float(values.max()))
    step = np.float32(max(greatest - least, 1e-9) / _LEVELS)
    zero = np.rint(-least / step)
    return (np.clip(np.rint(values / step) + zero, 0, _LEVELS) - zero) * step


def round_weights(
    weights: Float[np.ndarray, "inner columns"], gram: Float[np.ndarray, "inner inner"]
) -> tuple[Int[np.ndarray, "inner columns"], Float[np.ndarray, " columns"]]:
    """Symmetric integers with a scale for each column, rounded one input after the other.

    What rounding one input's weights does to the product is made up for by the weights of the inputs not rounded yet,
    as far as inputs go together (GPTQ, Frantar et al. 2023, without its grouping).

    Args:
        weights: W in x W.
        gram: X' X of the inputs that calibration saw.

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
        rounded[i] = np.clip(np.rint(row / scale), -GREATEST_WEIGHT, GREATEST_WEIGHT)
        error = (row - rounded[i] * scale) / upper[i, i]
        left[i + 1 :] -= np.outer(upper[i, i + 1 :], error)
    return rounded, scale


def _scale(weights: Float[np.ndarray, "inner columns"]) -> Float[np.ndarray, " columns"]:
    scale = np.abs(weights).max(0) / GREATEST_WEIGHT
    scale[scale == 0] = 1.0
    return scale.astype(np.float32)
