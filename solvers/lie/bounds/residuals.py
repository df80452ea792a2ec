"""Residuals of the equations: what is zero is proven so, the rest is brought into a form without cancellation.

Like terms are added exactly (`monomials`). A residual that then vanishes to 60 digits at a random point is shown to
vanish: functions and fractional powers become independent symbols, Bessel functions of neighbouring orders are reduced
to two, and the numerator of what remains must be the zero polynomial. Where the proof fails the residual is kept.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.classification import LinearForm, linear_form
from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import precision, rational, upper
from solvers.lie.bounds.kinks import analytic_form, deciding_argument
from solvers.lie.bounds.monomials import Monomials, TooLarge, add_to, canonical, multiply
from solvers.lie.bounds.program import Program

_BESSEL = (sp.besselj, sp.bessely, sp.besseli, sp.besselk)
_SECONDS = 2.0


def residual_expressions(problem: Any, expressions: Mapping[AppliedUndef, sp.Expr]) -> list[sp.Expr]:
    """Left minus right side of every equation, with the approximation in it.

    Args:
        problem: The problem.
        expressions: Field -> approximation.

    Returns:
        One expression per equation.
    """
    end = time.process_time() + _SECONDS
    found = []
    for equation in problem.equations:
        equation = problem.substitute(equation)
        form = linear_form(equation, problem.fields, problem.coordinates)
        if form is None:
            found.append(equation.subs(dict(expressions)).doit())
            continue
        found.append(_linear_residual(form, problem, expressions, end))
    return found


def _linear_residual(
    form: LinearForm, problem: Any, expressions: Mapping[AppliedUndef, sp.Expr], end: float
) -> sp.Expr:
    own = [{orders: c for (field, orders), c in form.coefficients.items() if field == index}
           for index in range(len(problem.fields))]  # fmt: skip
    values = [expressions[known] for known in problem.fields]
    try:
        total = _collected(form.source, own, values, problem.coordinates)
    except (TooLarge, UnsupportedFunctionError, TypeError, ValueError):
        parts = [_applied(c, term, problem.coordinates) for c, v in zip(own, values, strict=True)
                 for term in sp.Add.make_args(v)]  # fmt: skip
        total = sp.Add(form.source, *[sp.factor_terms(part) for part in parts if part != 0])
    return sp.S.Zero if _is_zero(total, problem, end) else total


def _collected(
    source: sp.Expr, own: Sequence[Mapping], values: Sequence[sp.Expr], coordinates: Sequence[sp.Symbol]
) -> sp.Expr:
    """The residual with like terms added exactly."""
    # SymPy spreads an amplitude over the parts of an atom; the parts are no solutions, and only their sum is small
    if any(value.has(sp.Piecewise, sp.Abs, sp.Heaviside, sp.sign, sp.Max, sp.Min, sp.I) for value in (source, *values)):
        raise UnsupportedFunctionError("smooth real atoms", "", "")
    table = Monomials(coordinates)
    for expression in (source, *values, *(c for coefficients in own for c in coefficients.values())):
        table.admit_roots(sp.sympify(expression))
    total: dict = table.read(sp.sympify(source))
    for coefficients, value in zip(own, values, strict=True):
        base = table.read(value)
        for orders, coefficient in coefficients.items():
            derived = base
            for symbol, order in zip(coordinates, orders, strict=True):
                for _ in range(order):
                    derived = table.derivative(derived, symbol)
            add_to(total, multiply(table.read(sp.sympify(coefficient)), derived))
    return table.expression(total)


def _applied(
    coefficients: Mapping[tuple[int, ...], sp.Expr], term: sp.Expr, coordinates: Sequence[sp.Symbol]
) -> sp.Expr:
    total = sp.S.Zero
    for orders, coefficient in coefficients.items():
        pairs = [(s, k) for s, k in zip(coordinates, orders, strict=True) if k]
        total += coefficient * (term.diff(*pairs) if pairs else term)
    return total


def _is_zero(expression: sp.Expr, problem: Any, end: float) -> bool:
    """Numerically zero at a random point, and proven zero."""
    if time.process_time() > end or not _seems_zero(expression, problem):
        return False
    try:
        return proves_zero(expression)
    except (sp.PolynomialError, NotImplementedError, RecursionError):
        return False


def _seems_zero(expression: sp.Expr, problem: Any) -> bool:
    generator = random.Random(7)
    expression = analytic_form(expression)
    try:
        if deciding_argument(expression) is not None:
            return False
        program = Program(expression, problem.coordinates)
    except UnsupportedFunctionError:
        return False
    place = [sp.Rational(low) + sp.Rational(high - low) * sp.Rational(generator.randint(300, 700), 1000)
             for low, high in problem.bounds]  # fmt: skip
    with precision(320):
        value = program([[rational(c)] for c in place])[0]
    return upper(value) < 1e-60


def proves_zero(expression: sp.Expr) -> bool:
    """Whether the expression vanishes identically, as far as algebra with independent functions can tell.

    Args:
        expression: Any expression.

    Returns:
        True only if it does.

    Example:
        >>> x = sp.Symbol("x", positive=True)
        >>> proves_zero(sp.bessely(0, x).diff(x, 2) + sp.bessely(0, x).diff(x) / x + sp.bessely(0, x))
        True
    """
    reduced = _reduced_bessel(expression.xreplace(_rational(expression)))
    numerator, _ = sp.fraction(sp.together(_Names().visit(reduced)))
    return sp.expand(numerator) == 0


def _rational(expression: sp.Expr) -> dict[sp.Float, sp.Rational]:
    return {f: sp.Rational(f) for f in expression.atoms(sp.Float)}


class _Names:
    """Symbols for functions and fractional powers, equal ones for equal arguments."""

    def __init__(self) -> None:
        self.known: dict[sp.Expr, sp.Symbol] = {}

    def _name(self, node: sp.Expr) -> sp.Symbol:
        return self.known.setdefault(node, sp.Dummy(f"g{len(self.known)}"))

    def visit(self, node: sp.Basic) -> sp.Basic:
        """The expression with the names in it."""
        if node.is_Atom:
            return node
        if isinstance(node, sp.Pow) and node.exp.is_Rational:
            base = self.visit(node.base)
            if node.exp.is_Integer:
                return base**node.exp
            whole, fraction = divmod(node.exp.p, node.exp.q)
            root = self._name(sp.Pow(canonical(node.base), sp.Rational(1, node.exp.q), evaluate=False))
            return base**whole * root**fraction
        if node.is_Add or node.is_Mul:
            return node.func(*[self.visit(argument) for argument in node.args])
        same = node.func(*[canonical(argument) for argument in node.args])
        return self._name(same) if same.func == node.func else self.visit(same)


def _reduced_bessel(expression: sp.Expr) -> sp.Expr:
    """Orders of one function at one argument, reduced to two neighbours by the recurrence (DLMF 10.6.1, 10.29.1)."""
    groups: dict[tuple, list[sp.Expr]] = {}
    for node in expression.atoms(*_BESSEL):
        groups.setdefault((node.func, node.args[1], node.args[0] % 1), []).append(node.args[0])
    replaced: dict[sp.Expr, sp.Expr] = {}
    for (head, argument, _), orders in groups.items():
        orders = sorted(set(orders))
        base = orders[len(orders) // 2]
        for order in orders:
            replaced[head(order, argument)] = _by_recurrence(head, order, argument, base)
    return expression.xreplace(replaced)


def _by_recurrence(head: Any, order: sp.Expr, z: sp.Expr, base: sp.Expr) -> sp.Expr:
    """f_ν in terms of f_base and f_base+1; f_(ν-1) + s f_(ν+1) = r (2ν/z) f_ν."""
    sign, ratio = {sp.besselj: (1, 1), sp.bessely: (1, 1), sp.besseli: (-1, 1), sp.besselk: (-1, -1)}[head]
    if order in (base, base + 1):
        return head(order, z)
    if order > base:
        step, before = _by_recurrence(head, order - 1, z, base), _by_recurrence(head, order - 2, z, base)
        return sign * (ratio * 2 * (order - 1) / z * step - before)
    step, before = _by_recurrence(head, order + 1, z, base), _by_recurrence(head, order + 2, z, base)
    return ratio * 2 * (order + 1) / z * step - sign * before
