"""Chebyshev atoms: polynomials whose equation holds to a tracked residual, where no closed form is known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial import chebyshev

from solvers.lie.atoms import Atoms, Needed
from solvers.lie.formulas import long_product, long_sum

_PIECE = 512  # points whose tables of coefficients are held at a time


def chebyshev_table(x: np.ndarray, low: float, high: float, count: int, order: int) -> np.ndarray:
    """T_j^(order) on [low, high], j < count, at points, (N, count)."""
    unit = (2 * x - low - high) / (high - low)
    identity: np.ndarray = np.eye(count)
    if order:
        identity = chebyshev.chebder(identity, order, axis=0) * (2 / (high - low)) ** order
    if identity.shape[0] == 0:
        return np.zeros((len(x), count))
    return chebyshev.chebvander(unit, identity.shape[0] - 1) @ identity


class TensorBasis(Atoms):
    """All products of Chebyshev polynomials in a box, for each field: a basis, not solutions.

    Args:
        bounds: (d, 2).
        shape: Number of polynomials per coordinate.
        fields: m.
        total: Largest total degree; None for all products.
    """

    def __init__(self, bounds: np.ndarray, shape: Sequence[int], fields: int, total: int | None = None) -> None:
        self.bounds, self.shape, self.fields = bounds, tuple(shape), fields
        self.name, self.generators = "Chebyshev", ()
        degrees = np.indices(self.shape).reshape(len(self.shape), -1)
        self.places = degrees[:, degrees.sum(axis=0) <= total] if total is not None else degrees

    def __len__(self) -> int:
        """Their number."""
        return self.fields * self.places.shape[1]

    def table(self, amplitudes: np.ndarray) -> np.ndarray:
        """Amplitudes as coefficients of all products, (1, m, n_1, ..., n_d)."""
        found = np.zeros((1, self.fields, *self.shape))
        for field, own in enumerate(amplitudes.reshape(self.fields, -1)):
            found[0, field][tuple(self.places)] = own
        return found

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Products of one-dimensional tables."""
        size = self.places.shape[1]
        result = np.zeros((len(points), len(needed), len(self)))
        for column, (field, orders) in enumerate(needed):
            table = np.ones((len(points), size))
            for axis, order in enumerate(orders):
                low, high = map(float, self.bounds[axis])
                table *= chebyshev_table(points[:, axis], low, high, self.shape[axis], order)[:, self.places[axis]]
            result[:, column, field * size : (field + 1) * size] = table
        return result

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """Not used: the basis is summed into one atom.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError

    parameters = formula  # type: ignore[assignment]
    take = formula  # type: ignore[assignment]
    state = formula  # type: ignore[assignment]


class ChebyshevAtoms(Atoms):
    """Σ c_ij.. T_i(x) T_j(t) ... on a box.

    Args:
        bounds: (d, 2).
        coefficients: (n, m, n_1, ..., n_d).
        name: What they are.
        generators: The symmetries.
    """

    kind = "chebyshev"

    def __init__(
        self, bounds: np.ndarray, coefficients: np.ndarray, name: str = "Chebyshev", generators: Sequence[str] = ()
    ) -> None:
        self.bounds, self.coefficients = bounds, coefficients
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.coefficients)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Contracted coordinate by coordinate, the last one once for all points that share it."""
        result = np.zeros((len(points), len(needed), len(self)))
        known, back = np.unique(points[:, -1], return_inverse=True)
        groups = [np.flatnonzero(back == i) for i in range(len(known))] if 4 * len(known) < len(points) else None
        for column, (field, orders) in enumerate(needed):
            coefficients = self.coefficients[:, field]
            if groups is None or len(orders) == 1:
                for low in range(0, len(points), _PIECE):
                    piece = slice(low, low + _PIECE)
                    result[piece, column] = self._contracted(coefficients, points[piece], orders)
                continue
            last = self._table(known, len(orders) - 1, orders[-1]) @ np.moveaxis(coefficients, -1, 0).reshape(
                coefficients.shape[-1], -1
            )
            for rows, at in zip(groups, last, strict=True):
                shrunk = at.reshape(coefficients.shape[:-1])
                result[rows, column] = self._contracted(shrunk, points[rows], orders[:-1])
        return result

    def _table(self, places: np.ndarray, axis: int, order: int) -> np.ndarray:
        low, high = map(float, self.bounds[axis])
        return chebyshev_table(places, low, high, self.coefficients.shape[2 + axis], order)

    def _contracted(self, coefficients: np.ndarray, points: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        """Σ c_ij.. T_i T_j .. at points, (N, n)."""
        axis = len(orders) - 1
        table = coefficients @ self._table(points[:, axis], axis, orders[axis]).T
        for axis in reversed(range(len(orders) - 1)):
            one = self._table(points[:, axis], axis, orders[axis])
            table = np.einsum("...jp,pj->...p", table, one, optimize=False)
        return np.asarray(table.T)

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """Polynomials as cos(n arccos ξ), which evaluates without cancellation."""
        units = [
            sp.acos((2 * s - sp.Rational(a) - sp.Rational(b)) / (sp.Rational(b) - sp.Rational(a)))
            for s, (a, b) in zip(coordinates, self.bounds.tolist(), strict=True)
        ]
        results = []
        for table in self.coefficients[index]:
            small = np.sort(np.abs(table), axis=None)
            dropped = np.cumsum(small) <= 1e-14 * small[-1:].max(initial=0.0)  # together below the rounding of the sum
            least = float(small[dropped][-1]) if dropped.any() else 0.0
            total = []
            for place in itertools.product(*[range(k) for k in table.shape]):
                if abs(table[place]) > least:
                    factors = [sp.cos(k * unit) if k else sp.S.One for k, unit in zip(place, units, strict=True)]
                    total.append(long_product(sp.Rational(float(table[place])), *factors))
            results.append(long_sum(total))
        return tuple(results)

    def parameters(self, index: int) -> dict[str, Any]:
        """The degrees."""
        return {"degrees": [k - 1 for k in self.coefficients.shape[2:]]}

    def take(self, keep: np.ndarray) -> ChebyshevAtoms:
        """Some of them."""
        return ChebyshevAtoms(self.bounds, self.coefficients[keep], self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The arrays."""
        arrays = {"bounds": self.bounds, "coefficients": self.coefficients}
        return {"name": self.name, "generators": list(self.generators)}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> ChebyshevAtoms:
        """Rebuild from `state()`."""
        return cls(arrays["bounds"], arrays["coefficients"], meta["name"], meta["generators"])
