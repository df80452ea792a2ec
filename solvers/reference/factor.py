"""Sparse LU factors of a reduced matrix, bordered by the means of fields that are free up to a constant."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import bmat, csc_matrix, csr_matrix
from scipy.sparse.linalg import LinearOperator, norm, onenormest, splu

from sciml.errors import ConvergenceError, SolverError, SolverWarning

_MOST_CONDITION = 1e13


class Factor:
    """LU factors of a reduced matrix, bordered by the means of fields that are free up to a constant.

    Args:
        full: Matrix before constraints.
        projection: P.
        means: (k, m N) integrals of the shape functions, one line per floating field.
        measure: Measure of the domain.
        check: Whether to estimate the condition number.
        order: Order in which to eliminate free values, or None; the pivots are checked.
        tolerance: Imbalance of data of floating fields, relative to their size, above which there is no solution.

    Raises:
        ConvergenceError: If the matrix is singular.
    """

    def __init__(
        self,
        full: csr_matrix,
        projection: csr_matrix,
        means: np.ndarray,
        measure: float,
        check: bool,
        order: np.ndarray | None = None,
        tolerance: float = 1e-3,
    ) -> None:
        self._tolerance = tolerance
        self._projection, self._means, self._measure = projection, means, measure
        matrix = (projection.T @ full @ projection).tocsc()
        if len(means):
            border = csr_matrix(means @ projection)
            matrix = bmat([[matrix, border.T], [border, None]], format="csc")
        self._matrix = matrix
        self._lu = _factorised(matrix, order)
        if check:
            inverse = LinearOperator(
                matrix.shape, matvec=self._lu.solve, rmatvec=lambda b: self._lu.solve(b, "T"), dtype=float
            )
            self.condition = float(onenormest(inverse, t=1) * norm(matrix, 1)) if matrix.shape[0] > 4 else 1.0
            if not self.condition < _MOST_CONDITION:
                raise _singular(f"condition number about {self.condition:.1g}")

    def solve(self, right: np.ndarray, balance: bool = True) -> np.ndarray:
        """Free values for a load before constraints.

        Args:
            right: (m N,).
            balance: Whether to check that data of floating fields admit a solution.

        Returns:
            z, (free,).

        Raises:
            SolverError: If data of a floating field admit no solution.
        """
        load = np.concatenate([self._projection.T @ right, np.zeros(len(self._means))])
        result = self._lu.solve(load)
        result += self._lu.solve(load - self._matrix @ result)
        free = len(result) - len(self._means)
        for line, excess in zip(self._means, result[free:], strict=True) if balance else ():
            self._balance(abs(float(excess)), right[line != 0])
        return result[:free]

    def _balance(self, excess: float, load: np.ndarray) -> None:
        scale = float(np.abs(load).sum()) / self._measure
        if excess <= 0.1 * self._tolerance * scale + 1e-12:
            return
        given = (
            f"an imbalance of {excess * self._measure:.3g} (integral over the domain), {excess / scale:.1e} of the data"
        )
        if excess > self._tolerance * scale:
            raise SolverError("sources that balance the flux through the boundary: only derivatives are given", given,
                              "change source or Neumann data, or prescribe a value somewhere")  # fmt: skip
        warnings.warn(f"sources and boundary flux do not balance exactly: {given}", SolverWarning, stacklevel=5)


class _Ordered:
    """LU factors of a matrix with rows and columns in another order; the border, if any, comes last."""

    def __init__(self, matrix: csc_matrix, order: np.ndarray) -> None:
        self._order = np.concatenate([order, np.arange(len(order), matrix.shape[0])])
        moved = matrix[self._order][:, self._order].tocsc()
        options = {"SymmetricMode": True}
        self._lu = splu(moved, permc_spec="NATURAL", diag_pivot_thresh=0.1, options=options)

    def solve(self, right: np.ndarray, trans: str = "N") -> np.ndarray:
        """Solve with the matrix or its transpose."""
        result = np.empty_like(right)
        result[self._order] = self._lu.solve(right[self._order], trans)
        return result


def _factorised(matrix: csc_matrix, order: np.ndarray | None) -> Any:
    if order is not None:
        try:
            lu = _Ordered(matrix, order)
            probe = matrix @ np.ones(matrix.shape[0])
            found = lu.solve(probe)
            found += lu.solve(probe - matrix @ found)
            if np.abs(found - 1).max() < 1e-6:
                return lu
        except RuntimeError:
            pass  # zero pivots: let the library choose
    try:
        return splu(matrix)
    except RuntimeError as error:
        raise _singular(str(error)) from error


def _singular(given: str) -> ConvergenceError:
    return ConvergenceError(
        "a problem with one solution",
        f"a singular matrix ({given})",
        "check that conditions are neither missing nor too many, and that no eigenvalue is hit; then use a PINN",
    )
