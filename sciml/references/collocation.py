"""Implicit collocation in time for v_t = D v_xx + N(v) on spectral elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from sciml.errors import ConvergenceError
from sciml.references.barycentric import differentiation_matrix, interpolation_matrix
from sciml.references.quadrature import gauss_radau
from sciml.references.spectral_elements import SpectralElements

Array = np.ndarray


class SlabSolver:
    """Solves v_t = D v_xx + N(v) slab by slab; v is 0 at fixed ends and has zero flux at free ends.

    On a slab v is the polynomial of degree s that meets the equation at the s Radau points: Radau IIA of
    order 2s - 1, L-stable (Hairer and Wanner 1996, section IV.5). Diffusion, the stiff part, is inverted mode
    by mode with the eigenvectors of the discrete Laplacian, M^(-1) K = V Λ V'M; N is iterated (Picard), with
    an error (L Δ)^k / k! after k steps on a slab of length Δ, L the Lipschitz constant of N. The defect is
    formed in space, so that rounding errors of the eigenvectors do not enter the answer.

    Args:
        mesh: Spectral elements.
        diffusivity: D.
        nonlinearity: N, from values (s, n) to values (s, n).
        free: Which nodes are not fixed, `(n,)` of bool.
        stages: s.
    """

    def __init__(
        self,
        mesh: SpectralElements,
        diffusivity: float,
        nonlinearity: Callable[[Array], Array],
        free: Array,
        stages: int,
    ) -> None:
        """Diagonalise the diffusion operator on the free nodes."""
        self.mesh, self.diffusivity, self.nonlinearity, self.free = mesh, diffusivity, nonlinearity, free
        self.nodes = slab_nodes(stages)
        self._slope = differentiation_matrix(self.nodes)
        root = np.sqrt(mesh.mass())
        operator = diffusivity * mesh.stiffness() / np.outer(root, root)
        decay, vectors = scipy.linalg.eigh(operator[np.ix_(free, free)])
        self._rates, self._vectors, self._dual = -decay, vectors / root[free, None], vectors.T * root[free]
        self._length, self._inverse = 0.0, np.empty(0)

    def march(self, start: Array, times: Array) -> Array:
        """Slab solutions from `times[0]` to `times[-1]`.

        Args:
            start: Nodal values at the first time, zero at fixed nodes.
            times: Increasing slab ends `(k + 1,)`.

        Returns:
            Values `(k, s + 1, n)` at the start and the stages of every slab.
        """
        values = np.empty((times.size - 1, self.nodes.size, start.size))
        lengths = np.diff(times)
        for k, length in enumerate(lengths):
            guess = np.tile(start, (self.nodes.size, 1))
            if k > 0:
                # Extrapolating the previous slab saves a few steps of the iteration.
                ahead = interpolation_matrix(self.nodes, 1 + self.nodes * length / lengths[k - 1])
                guess = np.where(self.free, ahead @ values[k - 1], 0.0)
                guess[0] = start
            values[k] = self._solve(guess, length)
            start = values[k, -1]
        return values

    def _prepare(self, length: float) -> None:
        """Inverse of c' - rate c at the stages, one small matrix per mode; equal slabs share it."""
        if abs(length - self._length) > 1e-12 * length:
            inner = self._slope[1:, 1:] - length * self._rates[:, None, None] * np.eye(self.nodes.size - 1)
            self._length, self._inverse = length, np.linalg.inv(inner)

    def _solve(self, stages: Array, length: float) -> Array:
        self._prepare(length)
        mass, last = self.mesh.mass(), np.inf
        for _ in range(80):
            diffusion = -self.diffusivity * self.mesh.apply_stiffness(stages[1:]) / mass
            defect = length * (diffusion + self.nonlinearity(stages[1:])) - self._slope[1:] @ stages
            modal = np.einsum("kij,jk->ik", self._inverse, defect[:, self.free] @ self._dual.T)
            step = modal @ self._vectors.T
            stages[1:, self.free] += step
            change = float(np.abs(step).max())
            # At rounding the steps no longer shrink.
            if change < 1e-11 and change > 0.5 * last:
                return stages
            last = change
        raise ConvergenceError("a converged Picard iteration", f"last step {last:.1e}", "pass a smaller slab")


def slab_nodes(stages: int) -> Array:
    """Start of the slab and its Radau points, in [0, 1].

    Args:
        stages: s.

    Returns:
        Nodes `(s + 1,)`.
    """
    return np.concatenate([[0.0], gauss_radau(stages)[0]])


def slab_ends(first: float, longest: float, final: float) -> Array:
    """Ends of slabs that double from `first` until they reach `longest`.

    Args:
        first: Length of the first slab.
        longest: Largest length.
        final: Last time.

    Returns:
        Increasing times from 0 to `final`.

    Example:
        >>> print(slab_ends(0.125, 0.5, 2.0))
        [0.    0.125 0.25  0.5   1.    1.5   2.   ]
    """
    times = [0.0, min(first, final)]
    while times[-1] <= longest and 2 * times[-1] < final:
        times.append(2 * times[-1])
    rest = int(np.ceil((final - times[-1]) / longest * (1 - 1e-12)))
    return np.concatenate([times, np.linspace(times[-1], final, rest + 1)[1:]])
