"""Bounds by maximum principles: parabolic and elliptic equations, in any dimension.

With v = exp(-c0 (t - t0)) e, c0 >= sup c, c0 >= 0, the weak maximum principle and comparison with supersolutions give

    |e| <= exp(c0 T) [ max(|e0|, |g_D|, |g_R|/β) + Σ_i |g_i| max ψ_i + T |f| ]

where g_R are Robin sides with β >= β0 > 0, and the other flux sides i carry a ψ_i (`supersolution`). Elliptic: the same
without e0, c0 = 0, and with a ψ for the residual in place of T.
"""

from __future__ import annotations

import dataclasses
import math

import sympy as sp

from solvers.lie.bounds.lifts import without_jumps
from solvers.lie.bounds.mismatch import Mismatch, Side
from solvers.lie.bounds.operator import Operator, is_elliptic
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.bounds.supersolution import supersolution


def parabolic_bound(mismatch: Mismatch, operator: Operator) -> Bound:
    """Bound for e_t = L e + f.

    Args:
        mismatch: The mismatch.
        operator: L.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If a hypothesis is not proven.
    """
    mismatch.require_all_sides()
    if not is_elliptic(operator, mismatch.enclosure, mismatch.everywhere):
        raise NotEnclosed("the second-order part is not proven to be positive: no maximum principle")
    growth = max(mismatch.enclosure.range(operator.zero, mismatch.everywhere)[1], 0.0)
    start = mismatch.initial(0)
    residual = mismatch.residuals[0] / operator.scale
    if mismatch.jumps:
        start, residual, extra = without_jumps(mismatch, operator, start, residual)
    else:
        extra = 0.0
    initial = mismatch.sup(start, mismatch.inside)
    largest, sums, parts = _sides(mismatch, _shifted(operator, growth), initial)
    floor = 0.02 * (largest + sums) / max(mismatch.duration, 1e-300)
    source, size = mismatch.source(residual, floor)
    factor = math.exp(growth * mismatch.duration) * (1 + 1e-14)
    sup = (factor * (largest + sums + source) + extra) * (1 + 1e-12)
    parts |= {"initial": initial, "residual": size, "source": source, "growth": factor, "lift": extra}
    return Bound(sup, None, "maximum principle", parts)


def elliptic_bound(mismatch: Mismatch, operator: Operator) -> Bound:
    """Bound for L e = f.

    Args:
        mismatch: The mismatch.
        operator: L.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If a hypothesis is not proven.
    """
    mismatch.require_all_sides()
    if not is_elliptic(operator, mismatch.enclosure, mismatch.everywhere, strict=True):
        raise NotEnclosed("the equation is not proven to be elliptic")
    if mismatch.enclosure.range(operator.zero, mismatch.everywhere)[1] > 0:
        raise NotEnclosed("the zero-order coefficient has the wrong sign for a maximum principle")
    if mismatch.jumps:
        raise NotEnclosed("no bound is known for steady equations with periodic conditions")
    if not any(side.beta is None or side.beta != 0 for side in mismatch.sides) and operator.zero == 0:
        raise NotEnclosed("with Neumann conditions only, the solution is free up to a constant")
    largest, sums, parts = _sides(mismatch, operator, 0.0)
    residual = mismatch.residuals[0] / operator.scale
    source = mismatch.residual_sup(residual, max(0.02 * (largest + sums), mismatch.noise))
    weight = supersolution(mismatch, operator, mismatch.sides, interior=1.0) if source else 0.0
    parts |= {"residual": source, "weight of the residual": weight}
    return Bound((largest + sums + weight * source) * (1 + 1e-12), None, "maximum principle", parts)


def _shifted(operator: Operator, growth: float) -> Operator:
    return dataclasses.replace(operator, zero=operator.zero - sp.Float(growth)) if growth else operator


def _sides(mismatch: Mismatch, operator: Operator, initial: float) -> tuple[float, float, dict]:
    """Largest of e0, Dirichlet and Robin sides; Σ |g| max ψ over the other flux sides; the parts by name."""
    largest, sums, parts, fluxes = initial, 0.0, {}, []
    for side in mismatch.sides:
        gap = mismatch.side_sup(side, 0.02 * largest)
        parts[f"{'value' if side.beta is None else 'flux'} {side.face}"] = gap
        if side.beta is None:
            largest = max(largest, gap)
            continue
        _require_regular_side(mismatch, operator, side)
        lowest = mismatch.enclosure.range(side.beta, side.patches)[0]
        if lowest < 0:
            raise NotEnclosed("a Robin coefficient may be negative: no comparison principle")
        fluxes.append((side, gap, lowest))
    for side, gap, lowest in sorted(fluxes, key=lambda item: -item[2]):
        if gap and lowest > 0 and gap / lowest <= largest:
            continue
        if gap:
            weight = _weight(mismatch, operator, side)
            if lowest > 0 and gap / lowest - largest <= weight * gap:
                largest = max(largest, gap / lowest)
            elif math.isfinite(weight):
                sums += weight * gap
                parts[f"weight {side.face}"] = weight
            else:
                raise NotEnclosed("no supersolution was found for this combination of conditions")
    return largest, sums, parts


def _require_regular_side(mismatch: Mismatch, operator: Operator, side: Side) -> None:
    """At a flux side the maximum principle needs a drift that is bounded and a diffusion across it (Hopf)."""
    # u_t = u_xx - 3/(2x) u_x with u_x = 0 at 0 has many solutions: all near 0 are 1 + O(x^2.5)
    normals = [sp.Symbol(f"n_{s}", real=True) for s in mismatch.space]
    across = sum((a * n * m for (a, n, m) in zip(operator.second, *_pairs(normals), strict=True)), sp.S.Zero)
    regular = all(mismatch.enclosure.bounded(c, mismatch.everywhere) for c in (*operator.second, *operator.first))
    if not (regular and mismatch.enclosure.range(across, side.patches)[0] > 0):
        raise NotEnclosed(f"coefficients are unbounded or degenerate beside the flux condition on {side.face!r}: "
                          "no maximum principle")  # fmt: skip


def _pairs(normals: list[sp.Symbol]) -> tuple[list[sp.Symbol], list[sp.Symbol]]:
    """Both indices of a flattened matrix."""
    return [n for n in normals for _ in normals], [m for _ in normals for m in normals]


def _weight(mismatch: Mismatch, operator: Operator, side: Side) -> float:
    try:
        return supersolution(mismatch, operator, mismatch.sides, targets=[side])
    except NotEnclosed:
        return math.inf
