"""Polynomials in time by collocation at Gauss points."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.polynomial import chebyshev, legendre

from solvers.lie.spectral_atoms import chebyshev_table


class Clock:
    r"""n Gauss points of [t0, t1], and the integral of polynomials given there: w = w0 + Q w'.

    Collocation at Gauss points is stable for every oscillation and decay, resolved or not (Hairer & Wanner 1996,
    section IV.5).

    Args:
        start: t0.
        end: t1.
        count: n.
    """

    def __init__(self, start: float, end: float, count: int) -> None:
        self.start, self.end, self.count = start, end, count
        nodes = legendre.leggauss(count)[0]
        self.half = (end - start) / 2
        self.times = (start + end) / 2 + self.half * nodes
        integral = chebyshev.chebint(np.eye(count), lbnd=-1, axis=0) * self.half
        self._series = np.linalg.inv(chebyshev.chebvander(nodes, count - 1))
        self._integral = integral @ self._series
        self.matrix = chebyshev.chebvander(nodes, count) @ self._integral
        angles = np.pi * np.arange(count + 1) / count
        self.samples = (start + end) / 2 + self.half * np.cos(angles)

    def interpolated(self, values: np.ndarray) -> np.ndarray:
        """Chebyshev series of degree n of values at `samples`, last axis."""
        unit = chebyshev.chebvander(np.cos(np.pi * np.arange(self.count + 1) / self.count), self.count)
        return np.asarray(values @ np.linalg.inv(unit).T)

    def at(self, series: np.ndarray, order: int, times: np.ndarray | None = None) -> np.ndarray:
        """A derivative of series at the Gauss points, last axis."""
        where = self.times if times is None else times
        table = chebyshev_table(where, self.start, self.end, series.shape[-1], order)
        return np.asarray(series @ table.T)

    def integrated(self, rates: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Series of w from w' at the Gauss points, last axis, and w0."""
        series = rates @ self._integral.T
        series[..., 0] += first
        return np.asarray(series)

    def modes(self, linear: np.ndarray, square: np.ndarray, right: np.ndarray) -> np.ndarray:
        """P of (I + a Q + b Q²) P = r for many a, b at once, by the Schur form of Q.

        Args:
            linear: a, (K,).
            square: b, (K,).
            right: r, (n, K).

        Returns:
            (n, K) complex.
        """
        triangle, unitary = scipy.linalg.schur(self.matrix, output="complex")
        twice = triangle @ triangle
        right, found = unitary.conj().T @ right, np.zeros((self.count, len(linear)), dtype=complex)
        for i in reversed(range(self.count)):
            rest = slice(i + 1, None)
            known = linear * (triangle[i, rest] @ found[rest]) + square * (twice[i, rest] @ found[rest])
            found[i] = (right[i] - known) / (1 + linear * triangle[i, i] + square * twice[i, i])
        return np.asarray(unitary @ found)
