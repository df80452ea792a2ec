"""Lifts: functions G with the mismatch of the sides, so that e - G has exact sides and G moves into f, e0, e1."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import sympy as sp

from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.operator import Operator
from solvers.lie.bounds.patches import exact
from solvers.lie.bounds.regularity import has_branches
from solvers.lie.bounds.start import at_start
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.bounds.zeros import vanishes


def ends(mismatch: Mismatch, axis: int) -> tuple[sp.Expr, sp.Expr]:
    """Exact ends of a box along one axis.

    Args:
        mismatch: Knows the domain.
        axis: Number of the axis.

    Returns:
        Lower and upper end.

    Raises:
        NotEnclosed: If the domain is no box.
    """
    bounds = mismatch.problem.domain.symbolic_bounds
    if bounds is None:
        raise NotEnclosed("the mismatch on the sides can be lifted on intervals, rectangles and boxes only")
    low, high = bounds[axis]
    return exact(low), exact(high)


def jump_lift(mismatch: Mismatch) -> sp.Expr:
    """G with the jumps of the periodic conditions: g (x - m)/L, and h ((x - m)²/(2L) - L/12) for the derivative."""
    total = sp.S.Zero
    for jump in mismatch.jumps:
        require_smooth_gaps(jump.gaps)
        low, high = ends(mismatch, mismatch.space.index(jump.axis))
        z, length = jump.axis - (low + high) / 2, high - low
        shapes = (z / length, z**2 / (2 * length) - length / 12)
        total += sum((gap * shape for gap, shape in zip(jump.gaps, shapes, strict=False)), sp.S.Zero)
    return total


def without_jumps(
    mismatch: Mismatch, operator: Operator, start: sp.Expr, residual: sp.Expr
) -> tuple[sp.Expr, sp.Expr, float]:
    """Initial mismatch and residual of e - G, and |G|, for periodic conditions that are missed by a little."""
    if len(mismatch.jumps) > 1 or mismatch.sides:
        lifted = jump_lift(mismatch)
        if lifted != 0:
            raise NotEnclosed("a mismatch of periodic conditions beside others is not lifted")
    lift = jump_lift(mismatch)
    if lift == 0:
        return start, residual, 0.0
    start = start - at_start(lift, mismatch.time, mismatch.start)
    residual = residual - (lift.diff(mismatch.time) - operator(lift))
    return start, residual, mismatch.sup(lift, mismatch.everywhere)


def require_smooth_gaps(gaps: Iterable[sp.Expr]) -> None:
    """A lift is differentiated: what it misses on the sides must have no kinks."""
    if any(has_branches(gap) for gap in gaps):
        raise NotEnclosed("data on the sides with kinks or jumps cannot be lifted: no bound is known")


def value_lift(mismatch: Mismatch, field: int = 0) -> sp.Expr:
    """G with the Dirichlet mismatch on all sides of a box, by linear blending axis after axis (Gordon 1971).

    Args:
        mismatch: The mismatch; all sides Dirichlet.
        field: Index of the field.

    Returns:
        G.

    Raises:
        NotEnclosed: If sides are missing, or the mismatch of two faces does not agree along their edge.
    """
    gaps = face_gaps(mismatch, field)
    require_smooth_gaps(gaps.values())
    total = sp.S.Zero
    for axis, symbol in enumerate(mismatch.space):
        low, high = ends(mismatch, axis)
        first, second = (gaps[axis, side] for side in (0, 1))
        first, second = first - total.xreplace({symbol: low}), second - total.xreplace({symbol: high})
        total += first * (high - symbol) / (high - low) + second * (symbol - low) / (high - low)
    for (axis, side), gap in gaps.items():
        place = {mismatch.space[axis]: ends(mismatch, axis)[side]}
        if len(mismatch.space) > 1 and not vanishes(total.xreplace(place) - gap):
            raise NotEnclosed("the data of two sides do not agree along an edge: the mismatch cannot be lifted")
    return total


def face_gaps(mismatch: Mismatch, field: int) -> dict[tuple[int, int], sp.Expr]:
    """Mismatch by (axis, 0 for the lower and 1 for the upper face)."""
    gaps: dict[tuple[int, int], sp.Expr] = {}
    for side in mismatch.sides:
        if side.field != field:
            continue
        for patch, axis in itertools.product(side.patches, range(len(mismatch.space))):
            symbol = mismatch.space[axis]
            plane = patch.place.get(symbol)
            if plane is not None and not plane.free_symbols and patch.normal[axis] != 0:
                gaps[axis, 0 if patch.normal[axis] < 0 else 1] = side.gap.xreplace({symbol: plane})
    wanted = set(itertools.product(range(len(mismatch.space)), (0, 1)))
    if set(gaps) != wanted or any(side.beta is not None for side in mismatch.sides if side.field == field):
        raise NotEnclosed("the mismatch on the sides is lifted for Dirichlet conditions on all sides only")
    return gaps
