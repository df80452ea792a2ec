"""Proofs that an expression has no zero in an open box or domain; zeros on its boundary are allowed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp

from sciml.errors import UnsupportedFunctionError
from sciml.geometry import Disk
from solvers.lie.bounds.balls import precision
from solvers.lie.bounds.kinks import Box, analytic_form, halves, whole_box
from solvers.lie.bounds.patches import exact
from solvers.lie.bounds.program import Program

_CUTS = 400


def nonzero_inside(critical: sp.Expr, domain: Any, table: dict[sp.Symbol, tuple]) -> bool:
    """Whether an expression is proven to have no zero (an atan2: no cut) in the open box, or in the open domain.

    Args:
        critical: An expression.
        domain: Geometry, or None for the box alone.
        table: Symbol -> rational ends.

    Returns:
        True where proven.
    """
    if not critical.free_symbols & set(table):
        return bool(critical.is_nonzero)
    if isinstance(critical, sp.atan2):
        return _cut_outside(critical, domain) or _on_boxes(sp.sqrt(critical.args[0] ** 2 + critical.args[1] ** 2)
                                                           + critical.args[1], table)  # fmt: skip
    if critical.is_Mul:
        return all(nonzero_inside(factor, domain, table) for factor in critical.args if factor.free_symbols)
    if isinstance(critical, sp.Pow) and critical.exp.is_positive:
        return nonzero_inside(critical.base, domain, table)
    if isinstance(critical, sp.exp) or critical.is_positive:
        return True
    symbols = [s for s in table if s in critical.free_symbols]
    if len(symbols) == 1 and _free_of_roots(critical, symbols[0], *table[symbols[0]]):
        return True
    point = _only_zero(critical, symbols)
    if point is not None and not _inside(point, domain, table):
        return True
    return _on_boxes(critical, table)


def vanishes(expression: sp.Expr) -> bool:
    """Whether an expression is 0 everywhere, by SymPy; False also where that cannot be shown.

    A value to many digits that is not 0 settles most cases: simplifying a sum of hundreds of modes could take hours.

    Args:
        expression: An expression.

    Returns:
        True where proven.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> vanishes(sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1), vanishes(sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1 - x / 10**30)
        (True, False)
    """
    if expression == 0:
        return True
    place = {s: sp.Rational(2 * k + 5, 7 * k + 11) for k, s in enumerate(sorted(expression.free_symbols, key=str))}
    value = expression.xreplace(place).evalf(15, maxn=200)
    if value.is_number and value.is_finite and abs(value) > sp.Float(10) ** -80:
        return False
    return bool(sp.expand(expression) == 0 or sp.simplify(expression) == 0)


def _free_of_roots(critical: sp.Expr, symbol: sp.Symbol, low: sp.Rational, high: sp.Rational) -> bool:
    try:
        polynomial = sp.Poly(without_floats(critical), symbol)
        if not (polynomial.domain.is_QQ or polynomial.domain.is_ZZ):
            return False
        inside = polynomial.count_roots(low, high) - sum(polynomial.eval(end) == 0 for end in {low, high})
    except (sp.PolynomialError, NotImplementedError):
        return False
    return bool(inside == 0)


def _only_zero(critical: sp.Expr, symbols: Sequence[sp.Symbol]) -> dict[sp.Symbol, sp.Expr] | None:
    """The point (a, b) of a quadratic form in (x - a, y - b) that is positive definite."""
    try:
        polynomial = sp.Poly(without_floats(critical), *symbols)
    except sp.PolynomialError:
        return None
    if polynomial.total_degree() != 2 or len(symbols) != 2 or not (polynomial.domain.is_QQ or polynomial.domain.is_ZZ):
        return None
    inner = polynomial.as_expr()
    hessian = sp.hessian(inner, symbols)
    if not (hessian[0, 0] > 0 and hessian.det() > 0):
        return None
    found = sp.solve([inner.diff(s) for s in symbols], symbols, dict=True)[0]
    return found if inner.xreplace(found) >= 0 else None


def _inside(point: dict[sp.Symbol, sp.Expr], domain: Any, table: dict[sp.Symbol, tuple]) -> bool:
    """Whether a point may lie in the open domain; exact for boxes, disks and polygons."""
    if not all(table[s][0] < value < table[s][1] for s, value in point.items()):
        return False
    if domain is None or domain.symbolic_bounds is not None:
        return True
    place = [point.get(s) for s in domain.coordinates]
    if None in place:
        return True
    if isinstance(domain, Disk):
        centre = [exact(c) for c in domain.center]
        return bool(sum((p - c) ** 2 for p, c in zip(place, centre, strict=True)) < exact(domain.radius) ** 2)
    edges = _edges(domain)
    return edges is None or _in_polygon(place[0], place[1], edges)


def _edges(domain: Any) -> list[tuple] | None:
    """Exact ends of the edges of a polygonal region; None for curved ones."""
    pieces = domain.primitives()
    if domain.dimension != 2 or any(kind != "segment" for _, kind, _ in pieces):
        return None
    return [tuple(tuple(exact(float(c)) for c in point) for point in data) for _, _, data in pieces]


def _in_polygon(px: sp.Expr, py: sp.Expr, edges: Sequence[tuple]) -> bool:
    """Strictly inside, by crossings of the ray to the right."""
    odd = False
    for (ax, ay), (bx, by) in edges:
        side = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        if side == 0 and min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by):
            return False
        if (ay > py) != (by > py) and (px < ax + (py - ay) * (bx - ax) / (by - ay)):
            odd = not odd
    return odd


def _cut_outside(angle: sp.Expr, domain: Any) -> bool:
    """Whether the ray Y = 0, X < 0 of atan2(Y, X), affine X and Y, keeps out of an open polygon or rectangle."""
    edges = _edges(domain) if domain is not None and domain.dimension == 2 else None
    if edges is None:
        return False
    x, y = domain.coordinates
    try:
        across, along = (sp.Poly(without_floats(part), x, y) for part in angle.args)
    except sp.PolynomialError:
        return False
    if across.total_degree() != 1 or along.total_degree() != 1:
        return False
    start = sp.solve([across.as_expr(), along.as_expr()], [x, y], dict=True)
    if len(start) != 1 or not all(v.is_Rational for v in start[0].values()):
        return False
    b = [across.coeff_monomial(s) for s in (x, y)]
    a = [along.coeff_monomial(s) for s in (x, y)]
    way = (-b[1], b[0]) if a[0] * b[1] - a[1] * b[0] > 0 else (b[1], -b[0])
    origin = (start[0][x], start[0][y])
    marks = sorted({sp.S.Zero, *_crossings(origin, way, edges)})
    marks.append(marks[-1] + 1)
    middles = [(p + q) / 2 for p, q in itertools.pairwise(marks)]
    return not any(_in_polygon(origin[0] + s * way[0], origin[1] + s * way[1], edges) for s in middles)


def _crossings(origin: tuple, way: tuple, edges: Sequence[tuple]) -> Iterator[sp.Expr]:
    """Parameters s > 0 where the ray meets a line through an edge."""
    for (ax, ay), (bx, by) in edges:
        denominator = (bx - ax) * way[1] - (by - ay) * way[0]
        if denominator:
            s = ((bx - ax) * (ay - origin[1]) - (by - ay) * (ax - origin[0])) / denominator
            if s > 0:
                yield s


def _on_boxes(critical: sp.Expr, table: dict[sp.Symbol, tuple]) -> bool:
    """No zero by balls, on boxes cut where they do not tell."""
    axes = tuple(s for s in table if s in critical.free_symbols)
    try:
        program = Program(analytic_form(critical), axes)
        stack: list[Box] = [tuple(table[s] for s in axes)]
        for _ in range(_CUTS):
            if not stack:
                return True
            box = stack.pop()
            with precision(64):
                value = program(whole_box(box))[0]
            if not (value.is_finite() and (value > 0 or value < 0)):
                shares = [(b - a) / (table[s][1] - table[s][0]) for s, (a, b) in zip(axes, box, strict=True)]
                stack += halves(box, shares.index(max(shares)))
    except UnsupportedFunctionError:
        return False
    return False


def without_floats(expression: sp.Expr) -> sp.Expr:
    """Floats as the binary numbers that they are."""
    return expression.xreplace({f: sp.Rational(f) for f in expression.atoms(sp.Float)})
