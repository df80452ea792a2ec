"""Flows that are linear in a block of variables, with constant or varying coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy as sp

from solvers.symmetry.matrix_exponential import matrix_exponential
from solvers.symmetry.quadrature import definite


def affine_flow(
    block: Sequence[sp.Symbol], field: Mapping[sp.Symbol, sp.Expr], s: sp.Symbol
) -> dict[sp.Symbol, sp.Expr] | None:
    """Flow of z′ = M z + b with constant coefficients: exp of s [[M, b], [0, 0]].

    Args:
        block: Variables z.
        field: Right-hand sides, affine in z.
        s: Group parameter.

    Returns:
        Solution, or None if an eigenvalue has no closed form.

    Example:
        >>> x, t, s = sp.symbols("x t s", real=True)
        >>> affine_flow([x, t], {x: t, t: sp.Integer(1)}, s)
        {x: s**2/2 + s*t + x, t: s + t}
    """
    parts = _connected(block, field)
    result: dict[sp.Symbol, sp.Expr] = {}
    for part in parts:
        size = len(part)
        matrix = sp.zeros(size + 1)
        for i, z in enumerate(part):
            component = sp.expand(field[z])
            for j, y in enumerate(part):
                matrix[i, j] = component.coeff(y, 1)
            matrix[i, size] = component.subs(dict.fromkeys(part, 0))
        exponential = matrix_exponential(matrix, s)
        if exponential is None:
            return None
        vector = exponential * sp.Matrix([*part, 1])
        result.update({z: sp.expand(vector[i]) for i, z in enumerate(part)})
    return {z: result[z] for z in block}


def _connected(block: Sequence[sp.Symbol], field: Mapping[sp.Symbol, sp.Expr]) -> list[list[sp.Symbol]]:
    groups: list[set[sp.Symbol]] = []
    for z in block:
        group = {z} | (field[z].free_symbols & set(block))
        touching = [g for g in groups if g & group]
        groups = [g for g in groups if not g & group] + [group.union(*touching)]
    return [[z for z in block if z in group] for group in groups]


def varying_linear_flow(
    block: Sequence[sp.Symbol],
    rates: Mapping[sp.Symbol, sp.Expr],
    s: sp.Symbol,
) -> dict[sp.Symbol, sp.Expr] | None:
    """Flow of z′ = M(s) z + b(s) where the matrices M(s) commute (Magnus 1954, the abelian case).

    M = Σ f_k(s) M_k with commuting M_k gives Π exp(F_k M_k), F_k = ∫ f_k; b by variation of constants.

    Args:
        block: Variables z.
        rates: Right-hand sides, affine in z, everything else known in s.
        s: Group parameter.

    Returns:
        Solution, or None.
    """
    size = len(block)
    pieces: dict[sp.Expr, sp.Matrix] = {}
    source = []
    for i, z in enumerate(block):
        rate = sp.expand(rates[z])
        rest = rate
        for j, y in enumerate(block):
            entry = rate.coeff(y, 1)
            rest = sp.expand(rest - entry * y)
            for term in sp.Add.make_args(sp.expand(entry)):
                constant, moving = term.as_independent(s, as_Add=False)
                pieces.setdefault(moving, sp.zeros(size))[i, j] += constant
        if rest.has(*block):
            return None
        source.append(rest)
    matrices = [m.applyfunc(sp.cancel) for m in pieces.values()]
    if any(not _commute(a, b) for k, a in enumerate(matrices) for b in matrices[:k]):
        return None
    forward = _product(pieces, s, definite)
    if forward is None:
        return None
    moved = forward * sp.Matrix(list(block))
    if any(source):
        backward = _product({f: -m for f, m in pieces.items()}, s, definite)
        if backward is None:
            return None
        integrals = [definite(entry, s) for entry in (backward * sp.Matrix(source)).applyfunc(sp.expand)]
        if any(entry is None for entry in integrals):
            return None
        moved += forward * sp.Matrix(integrals)
    return {z: sp.expand(moved[i]) for i, z in enumerate(block)}


def _commute(a: sp.Matrix, b: sp.Matrix) -> bool:
    return (a * b - b * a).applyfunc(sp.cancel).is_zero_matrix


def _product(pieces: Mapping[sp.Expr, sp.Matrix], s: sp.Symbol, integrate: Callable) -> sp.Matrix | None:
    size = next(iter(pieces.values())).rows
    total = sp.eye(size)
    for rate, matrix in pieces.items():
        time, angle = integrate(rate, s), sp.Dummy(real=True)
        factor = matrix_exponential(matrix, angle)
        if time is None or factor is None:
            return None
        total *= factor.subs(angle, time)
    return total
