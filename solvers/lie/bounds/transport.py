r"""Bounds along characteristics: first-order equations, and hyperbolic systems with constant coefficients in 1D.

Scalar e_t + b·∇e = c e + f: de/ds = c e + f along dX/ds = b. Going back from any point one meets the start or a side
where the flow enters, so |e| <= exp(c0 T) (max(|e0|, |g_in|) + T|f|), c0 = max(sup c, 0); sides where it leaves do not
matter, and with periodic sides every passage adds the mismatch of the jump.

System U_t + A U_x + B U = f, A = R diag(λ) R^-1 with real λ. The invariants w = R^-1 U obey Dw_i/ds = -(R^-1 B R w)_i +
(R^-1 f)_i along their characteristics. Where one side condition α·U = g holds and one invariant leaves the side,
w_in = (g - Σ_out (α R)_k w_k)/(α R)_in. With K the largest Σ_out |(αR)_k|/|(αR)_in| and N passages,
W <- max(1, K) W + |g|/|(αR)_in| per passage; |U_i| <= Σ_j |R_ij| W.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy as sp

from sciml.classification import linear_form
from solvers.lie.bounds.lifts import ends
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.operator import Operator
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.sup import NotEnclosed

_KINDS: dict[tuple[int, ...], int] = {(0, 1): 0, (1, 0): 1, (0, 0): 2}


def advection_bound(mismatch: Mismatch, operator: Operator) -> Bound:
    """Bound for e_t = Σ b_i ∂_i e + c e + f.

    Args:
        mismatch: The mismatch.
        operator: L without second derivatives; the velocity is minus its first-order part.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If data are missing where the flow enters.
    """
    normals = [sp.Symbol(f"n_{s}", real=True) for s in mismatch.space]
    outflow = -sum((n * b for n, b in zip(normals, operator.first, strict=True)), sp.S.Zero)
    growth = max(mismatch.enclosure.range(operator.zero, mismatch.everywhere)[1], 0.0)
    initial = mismatch.sup(mismatch.initial(0), mismatch.inside)
    parts: dict[str, Any] = {"initial": initial}
    if any(side.beta is not None for side in mismatch.sides):
        raise NotEnclosed("no bound is known for a first-order equation with flux conditions")
    largest, given = initial, set()
    for side in mismatch.sides:
        given.add(side.face)
        if mismatch.enclosure.range(outflow, side.patches)[0] < 0:
            parts[f"value {side.face}"] = mismatch.side_sup(side, 0.02 * largest)
            largest = max(largest, parts[f"value {side.face}"])
    periodic = {jump.axis for jump in mismatch.jumps}
    for face in mismatch.problem.faces:
        across = mismatch.face(face)
        if face in given or any(axis in patch.place and not patch.place[axis].free_symbols
                                for axis in periodic for patch in across):  # fmt: skip
            continue
        if mismatch.enclosure.range(outflow, across)[0] < 0:
            raise NotEnclosed(f"no data are given on the side {face!r} where the flow enters")
    passages = sum(_passages(mismatch, operator, jump.axis) * _jump_sup(mismatch, jump) for jump in mismatch.jumps)
    source = mismatch.sup(
        mismatch.residuals[0] / operator.scale, mismatch.everywhere, 0.02 * largest / mismatch.duration
    )
    factor = math.exp(growth * mismatch.duration) * (1 + 1e-14)
    parts |= {"residual": source, "growth": factor, "periodic": passages}
    sup = factor * (largest + passages + mismatch.duration * source)
    return Bound(sup * (1 + 1e-12), None, "along characteristics", parts)


def _jump_sup(mismatch: Mismatch, jump: Any) -> float:
    return mismatch.sup(jump.gaps[0], mismatch.everywhere)


def _passages(mismatch: Mismatch, operator: Operator, axis: sp.Symbol) -> int:
    number = mismatch.space.index(axis)
    low, high = ends(mismatch, number)
    speed = max(abs(v) for v in mismatch.enclosure.range(operator.first[number], mismatch.everywhere))
    return 1 + math.floor(speed * mismatch.duration / float(high - low) * (1 + 1e-12))


def read_system(problem: Any) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix] | None:
    """M, A, B of M U_t + A U_x + B U = f with constants, or None.

    Args:
        problem: The problem.

    Returns:
        The matrices.
    """
    count = len(problem.fields)
    if len(problem.space) != 1 or problem.time is None or len(problem.equations) != count:
        return None
    matrices = [sp.zeros(count, count) for _ in range(3)]
    for row, equation in enumerate(problem.equations):
        form = linear_form(problem.substitute(equation), problem.fields, problem.coordinates)
        if form is None:
            return None
        for (field, orders), coefficient in form.coefficients.items():
            kind = _KINDS.get(tuple(orders))
            if kind is None or not sp.sympify(coefficient).is_number:
                return None
            matrices[kind][row, field] += coefficient
    return (matrices[0], matrices[1], matrices[2]) if matrices[0].det() != 0 else None


def system_bound(mismatch: Mismatch, matrices: tuple[sp.Matrix, sp.Matrix, sp.Matrix]) -> Bound:
    """Bound for a hyperbolic system with constant coefficients.

    Args:
        mismatch: The mismatch.
        matrices: From `read_system`.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If the system is not hyperbolic or the sides do not determine the incoming invariants.
    """
    times, space, zero = matrices
    speeds, vectors = _diagonal(times.inv() * space)
    inverse = vectors.inv()
    right = np.abs(np.array(vectors.evalf(30), dtype=float)) * (1 + 1e-13)
    coupling = np.abs(np.array((inverse * times.inv() * zero * vectors).evalf(30), dtype=float))
    growth = float(coupling.sum(axis=1).max()) * (1 + 1e-12)
    start = [mismatch.initial(field) for field in range(vectors.rows)]
    level = max(mismatch.sup(_row(inverse, i, start), mismatch.inside) for i in range(vectors.rows))
    parts: dict[str, Any] = {"initial": level}
    residual = [r for r in times.inv() * sp.Matrix(mismatch.residuals)]
    source = max(mismatch.sup(_row(inverse, i, residual), mismatch.everywhere, 0.02 * level / mismatch.duration)
                 for i in range(vectors.rows))  # fmt: skip
    ratio, gap = _reflections(mismatch, speeds, vectors)
    fastest = max(abs(float(s)) for s in speeds)
    low, high = ends(mismatch, 0)
    crossings = 1 + math.floor(fastest * mismatch.duration / float(high - low) * (1 + 1e-12))
    parts |= {"residual": source, "sides": gap, "reflection": ratio, "passages": crossings}
    for _ in range(crossings):
        level = max(level, max(1.0, ratio) * level + gap)
    # Gronwall with the factor of all reflections in front
    amplified = max(1.0, ratio) ** crossings
    level = (level + amplified * mismatch.duration * source) * math.exp(growth * amplified * mismatch.duration)
    sup = float((right.sum(axis=1) * level).max())
    return Bound(sup * (1 + 1e-10), None, "Riemann invariants", parts)


def _row(matrix: sp.Matrix, i: int, column: list[sp.Expr]) -> sp.Expr:
    return sp.Add(*[matrix[i, j] * column[j] for j in range(matrix.cols)])


def _diagonal(matrix: sp.Matrix) -> tuple[list[sp.Expr], sp.Matrix]:
    """Real eigenvalues and eigenvectors, exactly."""
    pairs = [(value, vector) for value, _, vectors in matrix.eigenvects() for vector in vectors]
    if len(pairs) != matrix.rows or not all(value.is_real for value, _ in pairs):
        raise NotEnclosed("the first-order system is not proven to be hyperbolic")
    return [value for value, _ in pairs], sp.Matrix.hstack(*[vector for _, vector in pairs])


def _reflections(mismatch: Mismatch, speeds: list[sp.Expr], vectors: sp.Matrix) -> tuple[float, float]:
    """Largest reflection factor and largest mismatch of an incoming invariant."""
    if mismatch.jumps:
        ratio, gap = 1.0, 0.0
        if {jump.field for jump in mismatch.jumps} != set(range(vectors.rows)) or mismatch.sides:
            raise NotEnclosed("periodic conditions on some fields only carry no bound")
        inverse = vectors.inv()
        gaps = [next(j.gaps[0] for j in mismatch.jumps if j.field == f) for f in range(vectors.rows)]
        for i in range(vectors.rows):
            gap = max(gap, mismatch.sup(_row(inverse, i, gaps), mismatch.everywhere))
        return ratio, gap
    ratio, gap = 0.0, 0.0
    for face, sign in (("left", 1), ("right", -1)):
        entering = [i for i, s in enumerate(speeds) if sign * s > 0]
        here = [side for side in mismatch.sides if side.face == mismatch.problem.faces[0 if sign > 0 else 1]]
        if any(side.beta is not None for side in here) or len(here) < len(entering):
            raise NotEnclosed(f"the conditions on the {face} side do not determine what enters there")
        if not entering:
            continue
        if len(entering) != 1 or len(here) != 1:
            raise NotEnclosed("more than one condition on a side of a system carries no bound")
        weights = [vectors[here[0].field, k] for k in range(vectors.rows)]
        own = weights[entering[0]]
        if own == 0:
            raise NotEnclosed(f"the condition on the {face} side does not determine what enters there")
        others = sum(abs(float(w / own)) for k, w in enumerate(weights) if k != entering[0])
        ratio = max(ratio, others * (1 + 1e-13))
        gap = max(gap, mismatch.side_sup(here[0]) / abs(float(own)) * (1 + 1e-13))
    return ratio, gap
