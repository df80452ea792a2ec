"""Exponentials on the characteristic variety of equations with constant coefficients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sympy as sp

from solvers.lie.atoms import ExponentialAtoms
from solvers.lie.statement import Statement


class Variety:
    """Points of det P(κ) = 0 with their null vectors.

    Args:
        statement: Equations with constant coefficients.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.d = len(statement.coordinates)
        self.variables = sp.symbols(f"k0:{self.d}")
        matrix = statement.symbol(self.variables)
        self._matrix = sp.lambdify(self.variables, matrix, "numpy")
        self._determinant = sp.Poly(sp.expand(matrix.det(method="berkowitz")), *self.variables)
        self._terms = [(np.array(m), complex(c)) for m, c in self._determinant.terms()]

    def roots(self, known: np.ndarray, axis: int) -> np.ndarray:
        """All values of one exponent for given other ones; nearly equal roots once.

        Args:
            known: (d,) exponents, that of `axis` ignored.
            axis: Which one is solved for.

        Returns:
            (number of roots,) complex.
        """
        degree = max(int(m[axis]) for m, _ in self._terms)
        coefficients = np.zeros(degree + 1, dtype=complex)
        for monomial, c in self._terms:
            others = np.prod([known[i] ** monomial[i] for i in range(self.d) if i != axis])
            coefficients[degree - monomial[axis]] += c * others
        largest = np.abs(coefficients).max()
        if largest == 0:
            return np.zeros(0, dtype=complex)
        coefficients[np.abs(coefficients) < 1e-15 * largest] = 0.0
        found: list[complex] = []
        for root in np.roots(np.trim_zeros(coefficients, "f")):
            if all(abs(root - other) > 1e-7 * (1 + abs(root)) for other in found):
                found.append(complex(root))
        return np.array(found, dtype=complex)

    def null_vectors(self, exponent: np.ndarray) -> np.ndarray:
        """Unit vectors v with P(κ) v = 0, (number, m)."""
        m = self.statement.count
        if m == 1:
            return np.ones((1, 1), dtype=complex)
        matrix = np.array(self._matrix(*exponent), dtype=complex)
        rows = matrix / np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-300)
        _, singular, right = np.linalg.svd(rows)
        rank = int((singular > 1e-7 * singular[0]).sum())
        return right[rank:].conj() if rank < m else right[-1:].conj()

    def atoms(self, exponents: Iterable[np.ndarray], name: str, roles: tuple[str, ...] = ()) -> ExponentialAtoms:
        """Real and imaginary parts of v exp(κ · (X - O)), O where the exponential is largest.

        Args:
            exponents: Points of the variety.
            name: What they are.
            roles: Roles of the generators that made them; translations and homogeneity when empty.

        Returns:
            The atoms, those that vanish left out.
        """
        bounds = self.statement.bounds
        vectors, kappas, origins = [], [], []
        for exponent in exponents:
            origin = np.where(exponent.real > 0, bounds[:, 1], bounds[:, 0])
            for v in self.null_vectors(exponent):
                both = (v,) if not np.any(exponent.imag) and np.allclose(v.imag, 0) else (v, -1j * v)
                for w in both:
                    vectors.append(w)
                    kappas.append(exponent)
                    origins.append(origin)
        m = self.statement.count
        roles = roles or ("homogeneity", *(f"translation {s}" for s in self.statement.coordinates))
        return ExponentialAtoms(
            np.array(vectors, dtype=complex).reshape(-1, 1, m),
            np.array(kappas, dtype=complex).reshape(-1, 1, self.d),
            np.array(origins, dtype=float).reshape(-1, 1, self.d),
            name,
            self.statement.generators(*roles),
        )

    def waves(self, axis: int, numbers: np.ndarray) -> list[np.ndarray]:
        """Points with given other exponents, solved for the exponent of one axis; growth beyond e^700 left out.

        Args:
            axis: The exponent that is solved for.
            numbers: (n, d) the other exponents.

        Returns:
            Points of the variety.
        """
        found = []
        lengths = np.diff(self.statement.bounds, axis=1)[:, 0]
        for row in numbers:
            for root in self.roots(row, axis):
                exponent = row.astype(complex)
                exponent[axis] = root
                if np.abs(exponent.real * lengths).max() < 1e4:
                    found.append(exponent)
        return found
