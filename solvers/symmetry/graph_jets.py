"""Derivatives of a function whose graph is given by power series of its coordinates and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from solvers.symmetry.taylor import Series, SeriesDomainError, TaylorRing, Value

Shift = Callable[[Series, tuple[int, ...]], Series]


class GraphJets:
    """Chain rule along a graph h ↦ (X(h), U(h)): D_X = (∂X/∂h)⁻¹ ∂_h, repeated (Olver 1993, section 2.3).

    Args:
        ring: Ring of the series in h.
        shift: Derivative of a series by orders per variable.
        coordinates: Series X, one per variable.
        fields: Series U.
    """

    def __init__(self, ring: TaylorRing, shift: Shift, coordinates: Sequence[Value], fields: Sequence[Value]) -> None:
        """Invert the Jacobian of the coordinates."""
        self._ring, self._shift, self._size = ring, shift, len(coordinates)
        self._units = [tuple(int(k == axis) for k in range(self._size)) for axis in range(self._size)]
        rows = [[shift(self._series(x), unit) for unit in self._units] for x in coordinates]
        self._inverse = self._invert(rows)
        self._known: dict[tuple[int, tuple[int, ...]], Series] = {
            (a, (0,) * self._size): self._series(u) for a, u in enumerate(fields)
        }

    def _series(self, value: Value) -> Series:
        return value if isinstance(value, list) else self._ring.constant(value)

    def _invert(self, rows: list[list[Series]]) -> list[list[Series]]:
        """Gauss–Jordan elimination over the ring of series."""
        ring, size = self._ring, self._size
        work = [row + [ring.constant(Decimal(int(i == j))) for j in range(size)] for i, row in enumerate(rows)]
        for k in range(size):
            best = max(range(k, size), key=lambda i: abs(work[i][k][0]))
            work[k], work[best] = work[best], work[k]
            if abs(work[k][k][0]) < Decimal("1e-12"):
                raise SeriesDomainError("the new coordinates are not independent at this point")
            scale = ring.power(work[k][k], Decimal(-1))
            work[k] = [self._series(ring.multiply(scale, entry)) for entry in work[k]]
            for i in range(size):
                if i != k:
                    factor = [-c for c in work[i][k]]
                    moved = [ring.add(a, ring.multiply(factor, b)) for a, b in zip(work[i], work[k], strict=True)]
                    work[i] = [self._series(entry) for entry in moved]
        return [row[size:] for row in work]

    def __call__(self, field: int, orders: tuple[int, ...]) -> Decimal:
        """The derivative of a field at the point h = 0."""
        return self._jet(field, orders)[0]

    def _jet(self, field: int, orders: tuple[int, ...]) -> Series:
        key = field, orders
        if key not in self._known:
            axis = next(k for k, count in enumerate(orders) if count)
            lower = self._jet(field, tuple(c - (k == axis) for k, c in enumerate(orders)))
            total: Value = Decimal(0)
            for j, unit in enumerate(self._units):
                slope = self._shift(lower, unit)
                total = self._ring.add(total, self._ring.multiply(self._inverse[j][axis], slope))
            self._known[key] = self._series(total)
        return self._known[key]
