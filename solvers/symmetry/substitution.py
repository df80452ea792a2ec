"""A formula put into equations: residuals at random points with many digits, complex branches included."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

import mpmath
import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import SolverError

DIGITS = 50
ARITHMETIC = (ZeroDivisionError, OverflowError, ValueError, TypeError, mpmath.libmp.NoConvergence)


def residual_size(
    solution: Mapping[AppliedUndef, sp.Expr],
    equations: Iterable[sp.Expr],
    seed: int = 0,
    points: int = 3,
) -> float:
    """Largest relative residual of an explicit solution at random values of all symbols, of both signs.

    Points at which every term is real are preferred. Where there are none, complex branches are followed:
    √(−C) tan(√(−C) z) is a real solution for either sign of C.

    Args:
        solution: Field to expression in the coordinates, parameters and constants.
        equations: Residuals.
        seed: Seed of the random points.
        points: Number of points that must be regular.

    Returns:
        About 1e-45 for a solution, a number of order one otherwise.

    Raises:
        SolverError: If the formulas have values at no random point.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> c = sp.Symbol("C1", real=True)
        >>> wave = sp.sqrt(-c) * sp.exp(-c * t) * sp.sin(sp.sqrt(c) * x)
        >>> residual_size({u: wave}, [u.diff(t) - u.diff(x, 2)]) < 1e-40
        True
    """
    terms = []
    for equation in equations:
        table = dict(solution)
        for node in equation.atoms(sp.Derivative):
            if node.expr in solution:
                table[node] = solution[node.expr].diff(*node.variable_count)
        terms.append([term.xreplace(table).doit() for term in sp.Add.make_args(sp.expand(equation))])
    symbols = sorted(set().union(*(t.free_symbols for row in terms for t in row)), key=str)
    plain = [sp.Symbol(f"v{k}") for k in range(len(symbols))]
    names = dict(zip(symbols, plain, strict=True))
    function = sp.lambdify(plain, [[t.xreplace(names) for t in row] for row in terms], "mpmath", cse=True)
    for real in (True, False):
        sizes = _sizes(function, symbols, random.Random(seed), points, real)
        if len(sizes) == points:
            return max(sizes)
    raise SolverError("a formula that has values at random points", str(dict(solution)))


def _sizes(function: Callable, symbols: list[sp.Symbol], source: random.Random, points: int, real: bool) -> list[float]:
    sizes: list[float] = []
    with mpmath.workdps(DIGITS):
        for attempt in range(20 * points):
            # Every third draw is positive: coordinates of half-lines, values under roots of odd order.
            signs = (1,) if attempt % 3 == 0 else (1, -1)
            draws = [mpmath.mpf(repr(source.uniform(0.3, 1.4))) * source.choice(signs) for _ in symbols]
            values = [abs(v) if s.is_positive else v for s, v in zip(symbols, draws, strict=True)]
            try:
                rows = function(*values)
                if not real or all(abs(mpmath.im(v)) <= mpmath.mpf(10) ** (5 - DIGITS) for row in rows for v in row):
                    sizes.append(max(_relative(row) for row in rows))
            except ARITHMETIC:
                continue
            if len(sizes) == points:
                break
    return sizes


def _relative(row: list) -> float:
    numbers = [mpmath.mpmathify(v) for v in row]
    if not all(mpmath.isfinite(v) for v in numbers):
        raise ZeroDivisionError
    return float(abs(mpmath.fsum(numbers)) / (1 + mpmath.fsum(abs(v) for v in numbers)))
