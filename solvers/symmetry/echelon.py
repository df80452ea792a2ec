"""Sparse Gaussian elimination modulo a prime."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

Row = dict[int, int]


class Echelon:
    """Rows in echelon form modulo a prime; the leading column of a row is its largest key.

    The product of the leading entries before they are normalised is, up to its sign, the minor of the rows that were
    kept and the pivot columns.

    Args:
        prime: The modulus.
    """

    def __init__(self, prime: int) -> None:
        self.prime = prime
        self.rows: dict[int, Row] = {}
        self.determinant = 1

    def reduced(self, row: Row) -> Row:
        """The remainder of a row until its leading column is no pivot (the row is consumed)."""
        prime, rows = self.prime, self.rows
        order = [-key for key in row]
        heapify(order)
        while order:
            lead = -order[0]
            factor = row.get(lead, 0)
            if not factor:
                heappop(order)
                row.pop(lead, None)
                continue
            pivot = rows.get(lead)
            if pivot is None:
                return row
            heappop(order)
            del row[lead]
            for key, value in pivot.items():
                present = row.get(key)
                if present is None:
                    row[key] = -factor * value % prime
                    heappush(order, -key)
                else:
                    row[key] = (present - factor * value) % prime
        return {}

    def insert(self, row: Row) -> int | None:
        """Reduce a row and keep what remains; returns its pivot column, or None."""
        row = self.reduced(row)
        row = {key: value for key, value in row.items() if value}
        if not row:
            return None
        lead = max(row)
        pivot = row.pop(lead)
        self.determinant = self.determinant * pivot % self.prime
        inverse = pow(pivot, -1, self.prime)
        self.rows[lead] = {key: value * inverse % self.prime for key, value in row.items()}
        return lead

    def remainder(self, row: Row) -> Row:
        """The normal form of a row: no pivot column is left."""
        prime, rows = self.prime, self.rows
        result: Row = {}
        order = [-key for key in row]
        heapify(order)
        row = dict(row)
        while order:
            key = -heappop(order)
            factor = row.pop(key, 0)
            if not factor:
                continue
            pivot = rows.get(key)
            if pivot is None:
                result[key] = factor
                continue
            for other, value in pivot.items():
                present = row.get(other)
                if present is None:
                    row[other] = -factor * value % prime
                    heappush(order, -other)
                else:
                    row[other] = (present - factor * value) % prime
        return result


def rank(rows: Iterable[Row], prime: int) -> int:
    """The rank of sparse rows modulo a prime."""
    echelon = Echelon(prime)
    return sum(echelon.insert(dict(row)) is not None for row in rows)


def null_space(
    rows: Iterable[Row], columns: Iterable[int], prime: int, tick: Callable[[], None] | None = None
) -> list[Row]:
    """A basis of the null space modulo a prime, one vector per free column.

    Args:
        rows: The equations.
        columns: All unknowns; small ones become the free ones where possible.
        prime: The modulus.
        tick: Called once per row; may raise to stop.

    Returns:
        Sparse vectors with entry 1 in their free column.
    """
    echelon = Echelon(prime)
    for row in sorted(rows, key=len):
        if tick:
            tick()
        echelon.insert(dict(row))
    basis: dict[int, Row] = {key: {key: 1} for key in sorted(columns) if key not in echelon.rows}
    solved: dict[int, Row] = {}
    for key in sorted(echelon.rows):
        total: Row = {}
        for other, value in echelon.rows[key].items():
            for free, weight in solved.get(other, {other: 1}).items():
                total[free] = (total.get(free, 0) - value * weight) % prime
        solved[key] = {free: weight for free, weight in total.items() if weight}
        for free, weight in solved[key].items():
            basis[free][key] = weight
    return [basis[free] for free in sorted(basis)]
