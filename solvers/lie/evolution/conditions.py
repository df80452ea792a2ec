"""Conditions of an evolution equation as rows on Chebyshev series, and their data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.polynomial import chebyshev

from sciml.ibvp import IBVP
from sciml.points import PointSet
from solvers.lie.rows import ConditionRows, TermRows
from solvers.lie.spectral_atoms import chebyshev_table

_CONSTANT = 1e-12  # relative variation of a coefficient that counts as none


@dataclass(frozen=True, eq=False)
class Ends:
    """Conditions B c = g at both ends of an axis.

    Attributes:
        rows: B, (k, fields · n), of norm 1.
        data: g, (k, points along the faces).
    """

    rows: np.ndarray
    data: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """An orthonormal basis of B c = 0, (n, n - k)."""
        return np.asarray(scipy.linalg.null_space(self.rows))

    def lift(self, degrees: np.ndarray) -> np.ndarray:
        """R with B R = 1, of low degrees: the least norm with weights (1 + degree)^4."""
        weighted = self.rows * (1.0 + degrees) ** -8.0
        return np.asarray(np.linalg.solve(weighted @ self.rows.T, weighted).T)


def ends_of_axis(problem: IBVP, axis: int, count: int, across: np.ndarray) -> Ends | None:
    """The conditions at the faces of an axis.

    Args:
        problem: A linear problem on an interval or a rectangle.
        axis: The axis.
        count: Polynomials along it.
        across: Points (the axis is ignored), (N, d).

    Returns:
        Rows and data; None where coefficients vary along the face, or derivatives run along it.
    """
    low, high = problem.bounds[axis]
    rows, data = [], []
    for index, term in enumerate(problem.terms):
        if term.kind != "boundary":
            continue
        own = [face for face in term.faces if problem.face_axis(face) == problem.space[axis]]
        for face in own[:1] if term.periodic else own:
            points = across.copy()
            points[:, axis] = problem.domain.sample_face(face, 1)[0, axis]
            part = term_rows(problem, index, points)
            row = np.zeros((part.data.shape[1], len(problem.fields), count))
            for place in part.places:
                where = place.points[:1, axis]
                if np.ptp(place.coefficients, axis=0).max() > _CONSTANT * np.abs(place.coefficients).max():
                    return None
                for k, (field, orders) in enumerate(place.needed):
                    if not np.any(place.coefficients[0, :, k]):
                        continue  # the slope along the face
                    if sum(orders) != orders[axis]:
                        return None
                    table = chebyshev_table(where, low, high, count, orders[axis])
                    row[:, field] += place.sign * place.coefficients[0, :, k][:, None] * table
            flat = row.reshape(len(row), -1)
            norms = np.linalg.norm(flat, axis=1)
            rows.append(flat / norms[:, None])
            data.append(-part.data.T / norms[:, None])
    return Ends(np.concatenate(rows), np.concatenate(data)) if rows else None


def term_rows(problem: IBVP, index: int, points: np.ndarray) -> TermRows:
    """Coefficients and data of one term at points of our choice."""
    count = len(points)
    at = PointSet(points, term=np.full(count, index), terms=tuple(t.name for t in problem.terms),
                  weight=np.ones(count), value=np.full(count, np.nan),
                  term_kinds=tuple(t.kind for t in problem.terms))  # fmt: skip
    (part,) = ConditionRows(problem, at, {}).parts
    return part


def start_values(problem: IBVP, grid: np.ndarray, orders: int) -> list[np.ndarray] | None:
    """Initial values of every field and time derivative, [order] (fields, N).

    Args:
        problem: A problem in time.
        grid: Points in space, (N, d - 1).
        orders: Order in time of the equations.

    Returns:
        The values; None where a condition is of another form, or one is missing.
    """
    points = np.column_stack([grid, np.full(len(grid), problem.bounds[-1][0])])
    found: list[dict[int, np.ndarray]] = [{} for _ in range(orders)]
    for index, term in enumerate(problem.terms):
        if term.kind == "initial":
            part = term_rows(problem, index, points)
            place = part.places[0]
            for c in range(part.data.shape[1]):
                used = [k for k in range(len(place.needed)) if np.any(place.coefficients[:, c, k])]
                if len(used) != 1:
                    return None
                field, jet = place.needed[used[0]]
                if sum(jet) != jet[-1] or jet[-1] >= orders:
                    return None
                found[jet[-1]][field] = -part.data[:, c] / place.coefficients[:, c, used[0]]
    if any(set(known) != set(range(len(problem.fields))) for known in found):
        return None
    return [np.stack([known[i] for i in range(len(problem.fields))]) for known in found]


def chebyshev_nodes(low: float, high: float, count: int) -> np.ndarray:
    """Zeros of T_count on [low, high]."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(count) + 0.5) / count)


def chebyshev_transform(count: int) -> np.ndarray:
    """Coefficients from values at `chebyshev_nodes`, (count, count)."""
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    scale = np.full(count, 2.0 / count)
    scale[0] /= 2
    return np.asarray(scale[:, None] * chebyshev.chebvander(nodes, count - 1).T)
