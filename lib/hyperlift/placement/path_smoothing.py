"""Smoothing of a 3D path with the covariance of each measured position: one banded linear system for all frames."""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.chunks import frame_chunks
from hyperlift.shapes import Float

_BAND = 8
"""Bandwidth: each frame is coupled to the two before it, with 3 numbers each: element (3t + 2) to element 3(t - 2)."""


@dataclass(frozen=True, eq=False)
class PathSystem:
    """The maximum likelihood path p of a body with white-noise acceleration.

    It minimises ``Σ (p_t - m_t)ᵀ A_t (p_t - m_t) + Σ h_t |a_t|² / q`` over all frames, where m_t is the measured
    position in frame t, A_t the inverse of its covariance, a_t the acceleration by divided differences over uneven
    times, and h_t the duration it applies to. This is the smoother of Rauch, Tung and Striebel (1965) for a
    constant-velocity model, written as penalised least squares (Whittaker 1923): a frame without a measurement needs
    no special case, and a direction with a large variance (depth) is smoothed more.
    """

    factor: Float[np.ndarray, "band numbers"]
    """Banded Cholesky factor of the system, LAPACK's lower form."""

    @classmethod
    def of(
        cls,
        information: Float[np.ndarray, "frames 3 3"],
        time_s: Float[np.ndarray, " frames"],
        acceleration_density: float,
    ) -> "PathSystem":
        """Assemble and factor the system.

        Args:
            information: A_t [1/m²], symmetric, positive semidefinite; zero without a measurement.
            time_s: seconds, strictly increasing.
            acceleration_density: q, spectral density of the acceleration in m²/s³.
        """
        from scipy.linalg import cholesky_banded  # slow to import

        band = np.zeros((_BAND + 1, 3 * len(time_s)))
        for row in range(3):
            for column in range(row + 1):
                band[row - column, column::3] = information[:, row, column]
        # A weak prior (standard deviation 1 km) keeps the system solvable with too few measurements for a velocity.
        band[0] += 1e-6
        for step, values in enumerate(_penalty_diagonals(time_s)):
            band[3 * step, : 3 * len(values)] += np.repeat(values / acceleration_density, 3)
        return cls(cholesky_banded(band, lower=True))

    def path(self, information_times_place: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3"]:
        """The smoothed positions in metres, from ``A_t m_t`` [1/m]."""
        from scipy.linalg import cho_solve_banded

        return cho_solve_banded((self.factor, True), information_times_place.reshape(-1)).reshape(-1, 3)

    def covariance(self) -> Float[np.ndarray, "frames 3 3"]:
        """The covariance of every smoothed position, m²."""
        return _covariance(self.factor, self.factor.shape[1] // 3)


def _penalty_diagonals(time_s: Float[np.ndarray, " frames"]) -> list[np.ndarray]:
    """Main and first two lower diagonals of Dᵀ H D; D is the second divided difference, H the duration."""
    frames = len(time_s)
    main, first, second = np.zeros(frames), np.zeros(max(frames - 1, 0)), np.zeros(max(frames - 2, 0))
    if frames >= 3:
        before, after = np.diff(time_s)[:-1], np.diff(time_s)[1:]
        span = (before + after) / 2
        left, right = 1 / (before * span), 1 / (after * span)
        middle = -(left + right)
        for offset, part in enumerate((left, middle, right)):
            main[offset : frames - 2 + offset] += span * part**2
        first[:-1] += span * left * middle
        first[1:] += span * middle * right
        second += span * left * right
    return [main, first, second]


def _covariance(factor: Float[np.ndarray, "band numbers"], frames: int) -> Float[np.ndarray, "frames 3 3"]:
    """Diagonal 3×3 blocks of the inverse, from the banded Cholesky factor L (Takahashi, Fagan and Chen 1973).

    In blocks of two frames, L has one block below each diagonal block, and the blocks S of the inverse are computed
    from the last to the first: ``S_k = (L_kk L_kkᵀ)⁻¹ + Gᵀ S_{k+1} G`` with ``G = L_{k+1,k} L_kk⁻¹``.
    """
    size, blocks = 6, (frames + 1) // 2
    row, column = np.arange(2 * size)[:, None], np.arange(size)[None]
    inside = (row >= column) & (row - column <= _BAND)
    spread = np.empty((blocks, size, size))
    following = np.zeros((size, size))
    for some in reversed(list(frame_chunks(blocks))):
        count = some.stop - some.start
        padded = np.zeros((_BAND + 1, size * count))
        padded[0] = 1.0
        known = factor[:, size * some.start : size * some.stop]
        padded[:, : known.shape[1]] = known
        starts = size * np.arange(count)[:, None, None]
        columns = np.where(inside, padded[np.where(inside, row - column, 0), starts + column], 0.0)
        inverse = np.linalg.inv(columns[:, :size])
        own = np.swapaxes(inverse, -1, -2) @ inverse
        link = columns[:, size:] @ inverse
        for block in range(count - 1, -1, -1):
            following = own[block] + link[block].T @ following @ link[block]
            spread[some.start + block] = following
    halves = np.stack([spread[:, :3, :3], spread[:, 3:, 3:]], axis=1)
    return halves.reshape(-1, 3, 3)[:frames]
