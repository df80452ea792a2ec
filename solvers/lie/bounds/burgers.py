r"""Bound for u_t + u u_x = ν u_xx with Dirichlet sides.

The difference e = u_h - u obeys e_t = ν e_xx - u e_x - (u_h)_x e + f: a linear equation with the zero-order coefficient
-(u_h)_x, whatever the unknown u. The maximum principle gives |e| <= exp(∫ c0 dt) (max(|e0|, |g|) + T |f|) with
c0(t) = max(sup_x -(u_h)_x, 0), enclosed on slabs in time.
"""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

from sciml.jets import jet_atoms
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.patches import Patch
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.sup import NotEnclosed

_SLABS = 16


def read_burgers(problem: Any) -> tuple[sp.Expr, sp.Expr] | None:
    """ν and the factor of u_t, or None for another equation."""
    if len(problem.fields) != 1 or len(problem.space) != 1 or problem.time is None:
        return None
    u, (x,), t = problem.fields[0], problem.space, problem.time[0]
    equation = sp.expand(problem.substitute(problem.equations[0]))
    atoms = jet_atoms(equation, problem.fields, problem.coordinates)
    if set(atoms.values()) - {(0, (0, 0)), (0, (1, 0)), (0, (2, 0)), (0, (0, 1))}:
        return None
    scale = equation.diff(u.diff(t))
    viscosity = sp.cancel(-equation.diff(u.diff(x, 2)) / scale) if scale != 0 else sp.S.Zero
    rest = sp.expand(equation / scale - (u.diff(t) + u * u.diff(x) - viscosity * u.diff(x, 2))) if scale != 0 else u
    if not (scale.is_number and viscosity.is_number and viscosity > 0) or rest.has(u):
        return None
    return viscosity, scale


def burgers_bound(mismatch: Mismatch, reading: tuple[sp.Expr, sp.Expr]) -> Bound:
    """Bound for Burgers' equation.

    Args:
        mismatch: The mismatch.
        reading: From `read_burgers`.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If the sides are not Dirichlet, or the bound is not finite.
    """
    mismatch.require_all_sides()
    if mismatch.jumps or any(side.beta is not None for side in mismatch.sides):
        raise NotEnclosed("the bound for Burgers' equation needs Dirichlet sides")
    approximation = mismatch.expressions[mismatch.problem.fields[0]]
    compression = -approximation.diff(mismatch.space[0])
    total, step = 0.0, (mismatch.end - mismatch.start) / _SLABS
    for k in range(_SLABS):
        begin = mismatch.start + k * step
        slab: list[Patch] = [p.times(mismatch.time, begin, begin + step) for p in mismatch.inside]
        total += float(step) * max(mismatch.enclosure.range(compression, slab)[1], 0.0) * (1 + 1e-12)
    if total > 600:
        raise NotEnclosed("the slope of the approximation is too steep for a useful bound of Burgers' equation")
    largest = mismatch.sup(mismatch.initial(0), mismatch.inside)
    parts: dict[str, Any] = {"initial": largest}
    for side in mismatch.sides:
        parts[f"value {side.face}"] = mismatch.side_sup(side, 0.02 * largest)
        largest = max(largest, parts[f"value {side.face}"])
    source = mismatch.residual_sup(
        mismatch.residuals[0] / reading[1], max(0.02 * largest, mismatch.noise) / mismatch.duration
    )
    growth = math.exp(total)
    parts |= {"residual": source, "growth": growth}
    sup = growth * (largest + mismatch.duration * source)
    return Bound(sup * (1 + 1e-12), None, "maximum principle for the difference", parts)
