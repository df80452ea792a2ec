r"""Supersolutions ψ, found by linear programming and proven by enclosure.

If ψ >= 0 obeys ψ_t - Lψ >= F inside, ψ_n + βψ >= G on the sides (ψ >= G on Dirichlet sides) with F, G in {0, 1}, then
the part of the error that comes from a residual of size F or a mismatch of size G is at most ψ (comparison principle;
Protter and Weinberger 1967, Maximum Principles in Differential Equations, chapters 2 and 3; c <= 0, β >= 0).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.optimize import linprog

from solvers.lie.bounds.mismatch import Mismatch, Side
from solvers.lie.bounds.operator import Operator
from solvers.lie.bounds.patches import Patch
from solvers.lie.bounds.sup import NotEnclosed

_DEGREES = {1: 8, 2: 4, 3: 2}


@dataclass(frozen=True)
class Demand:
    """An inequality expression(ψ) >= bound on patches."""

    operator: Callable[[sp.Expr], sp.Expr]
    bound: float
    patches: Sequence[Patch]
    mend: sp.Expr | None = None  # a function that raises the left side by at least 1 and lowers no other


def supersolution(
    mismatch: Mismatch,
    operator: Operator,
    sides: Sequence[Side],
    targets: Sequence[Side] = (),
    interior: float = 0.0,
) -> float:
    """Bound of max ψ for the sources chosen.

    Args:
        mismatch: Geometry and enclosures.
        operator: L with c <= 0.
        sides: All conditions, beta >= 0.
        targets: Those with G = 1.
        interior: F.

    Returns:
        An upper bound of max ψ, as small as a polynomial (plus a multiple of t) makes it.

    Raises:
        NotEnclosed: If none is found or proven.
    """
    time, start = mismatch.time, mismatch.start

    def inside(psi: sp.Expr) -> sp.Expr:
        return (psi.diff(time) if time is not None else sp.S.Zero) - operator(psi)

    raising = time - start if time is not None else None
    demands = [
        Demand(inside, interior, mismatch.everywhere, None if interior else raising),
        Demand(lambda psi: psi, 0.0, mismatch.everywhere, sp.S.One),
    ]
    for side in sides:
        demands.append(Demand(_flux(side, mismatch.space), 1.0 if side in targets else 0.0, side.patches))
    basis = _basis(mismatch)
    if time is not None:
        basis.append(time - start)
    for margin in (0.02, 0.2):
        weights = _programme(basis, demands, mismatch, margin)
        if weights is not None:
            psi = sp.Add(*[
                sp.Rational(round(float(w) * 2**40), 2**40) * b for w, b in zip(weights, basis, strict=True)
            ])
            highest = _proven(psi, demands, mismatch)
            if highest is not None:
                return highest
    raise NotEnclosed("no supersolution was found for this combination of conditions")


def _flux(side: Side, space: Sequence[sp.Symbol]) -> Callable[[sp.Expr], sp.Expr]:
    if side.beta is None:
        return lambda psi: psi
    normal = [sp.Symbol(f"n_{s}", real=True) for s in space]
    return lambda psi: sum((n * psi.diff(s) for n, s in zip(normal, space, strict=True)), side.beta * psi)


def _basis(mismatch: Mismatch) -> list[sp.Expr]:
    """Monomials of the coordinates scaled to [-1, 1]; constant along periodic axes, as ψ must be periodic too."""
    scaled, periodic = [], {jump.axis for jump in mismatch.jumps}
    for symbol, (low, high) in zip(mismatch.space, mismatch.problem.domain.bounds, strict=True):
        if symbol in periodic:
            continue
        middle, half = sp.Rational((low + high) / 2), sp.Rational((high - low) / 2)
        scaled.append((symbol - middle) / half)
    degree = _DEGREES.get(len(scaled), 0)
    powers = [p for p in itertools.product(range(degree + 1), repeat=len(scaled)) if sum(p) <= degree]
    return [sp.Mul(*[z**k for z, k in zip(scaled, p, strict=True)]) for p in powers]


def _rows(expressions: Sequence[sp.Expr], patches: Sequence[Patch], space: Sequence[sp.Symbol]) -> np.ndarray:
    """Values at a grid of each patch, (points, expressions)."""
    blocks = []
    for patch in patches:
        count = {0: 1, 1: 25, 2: 11}.get(len(patch.axes), 6)
        ticks = [np.linspace(float(low), float(high), count) for low, high in patch.box]
        columns = [c.ravel() for c in np.meshgrid(*ticks, indexing="ij")] if ticks else []
        size = len(columns[0]) if columns else 1
        block = np.empty((size, len(expressions)))
        for j, expression in enumerate(expressions):
            function = sp.lambdify(patch.axes, patch.pull(expression, space), "numpy")
            block[:, j] = function(*columns)
        blocks.append(block)
    rows = np.concatenate(blocks)
    return rows[np.isfinite(rows).all(axis=1)]


def _programme(
    basis: Sequence[sp.Expr], demands: Sequence[Demand], mismatch: Mismatch, margin: float
) -> np.ndarray | None:
    """Minimise max ψ subject to the demands at sample points, each with a margin."""
    left, right = [], []
    values = _rows(basis, mismatch.everywhere, mismatch.space)
    for demand in demands:
        rows = _rows([demand.operator(b) for b in basis], demand.patches, mismatch.space)
        left.append(np.hstack([-rows, np.zeros((len(rows), 1))]))
        right.append(np.full(len(rows), -demand.bound - (margin if demand.mend is None else 0.0)))
    left.append(np.hstack([values, -np.ones((len(values), 1))]))
    right.append(np.zeros(len(values)))
    cost = np.zeros(len(basis) + 1)
    cost[-1] = 1.0
    found = linprog(cost, np.vstack(left), np.concatenate(right), bounds=[(None, None)] * len(cost), method="highs")
    return found.x[:-1] if found.status == 0 else None


def _proven(psi: sp.Expr, demands: Sequence[Demand], mismatch: Mismatch) -> float | None:
    """Bound of max ψ if the demands hold; shortfalls are mended by a factor, a constant, a multiple of t."""
    factor, mended = 1.0, sp.S.Zero
    for demand in demands:
        low, _ = mismatch.enclosure.range(demand.operator(psi), demand.patches)
        if demand.bound == 0 and low < 0:
            if demand.mend is None:
                return None
            mended += sp.Float(-low) * demand.mend
        if demand.bound:
            if low <= 0:
                return None
            factor = max(factor, demand.bound / low * (1 + 1e-12))
    return mismatch.enclosure.range(psi + mended, mismatch.everywhere)[1] * factor
