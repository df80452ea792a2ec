"""Random jets on the solution manifold of a system, where all equations and their consequences hold."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.taylor import DIGITS, Series, SeriesDomainError, TaylorRing, Value

Jet = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class JetPoint:
    """One random point of the manifold, and everything about F there that a check needs.

    Args:
        values: Series of the coordinates and numbers for the parameters.
        fields: Taylor coefficients of each field.
        slopes: Per equation the numbers ∂F/∂u_J.
        gradients: Per equation the numbers D_i F.
    """

    values: dict[sp.Expr, Value]
    fields: list[Series]
    slopes: list[dict[Jet, Decimal]]
    gradients: list[list[Decimal]]


class SolutionManifold:
    """The jets of formal solutions of a system up to one order above its own.

    The unknown Taylor coefficients are drawn at random and moved onto D_K F = 0, |K| ≤ 1 + n − ord F, by
    Newton's method: least norm, high derivatives first; the inverse is computed in double precision and
    the defect with 60 digits, so that every step gains about 13 digits. No solved form is needed.

    Args:
        equations: Residual expressions or `Eq`.
        fields: Unknowns; default: every applied undefined function whose derivatives occur.
        coordinates: Independent variables; default: the arguments of the fields.
        points: Number of random points.
        seed: Seed of all random numbers.
        order: Highest order of the jets; default: one above that of the system.
        at: Values of coordinates and parameters; the others are random.

    Raises:
        ProblemError: If there is no unknown.
        SolverError: If no random jet satisfies the equations.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> jets = SolutionManifold([u.diff(t) - u.diff(x, 2)], [u]).points[0].fields[0]
        >>> abs(jets[2] - 2 * jets[3]) < 1e-25  # Taylor coefficients of t and of x**2
        True
    """

    def __init__(
        self,
        equations: Iterable[sp.Expr],
        fields: Sequence[AppliedUndef] | None = None,
        coordinates: Sequence[sp.Symbol] | None = None,
        points: int = 2,
        seed: int = 0,
        order: int | None = None,
        at: Mapping[sp.Symbol, Decimal] | None = None,
    ) -> None:
        """Find the points."""
        self._at = dict(at or {})
        residuals = [residual(equation) for equation in equations]
        self.fields = tuple(fields) if fields else _unknowns(residuals)
        self.coordinates = tuple(coordinates or dict.fromkeys(s for u in self.fields for s in u.args))
        self._random = random.Random(seed)
        self._functions: dict[type, sp.Lambda] = {}
        # A field of fewer coordinates is constant along the others: that is an equation as well.
        self.full = {u: u.func(*self.coordinates) for u in self.fields}
        extra = [self.full[u].diff(x) for u in self.fields for x in self.coordinates if x not in u.args]
        residuals = [r.xreplace(self.full).doit() for r in residuals] + extra
        self._symbols: dict[Jet, sp.Dummy] = {}
        self._residuals = [self._jet_form(r) for r in residuals]
        self._orders = [
            max((sum(self._jet_of[s][1]) for s in r.free_symbols if s in self._jet_of), default=0)
            for r in self._residuals
        ]
        self._partials = [
            {jet: r.diff(s) for jet, s in self._symbols.items() if s in r.free_symbols} for r in self._residuals
        ]
        highest = max(self._orders, default=0) + 1
        self.ring = TaylorRing(len(self.coordinates), highest if order is None else max(order, highest))
        with localcontext() as context:
            context.prec = DIGITS
            self.points = [self._manifold_point() for _ in range(points)]

    @property
    def _jet_of(self) -> dict[sp.Dummy, Jet]:
        return {symbol: jet for jet, symbol in self._symbols.items()}

    @property
    def parameters(self) -> set[sp.Symbol]:
        """Symbols of the equations that are neither coordinates nor jets."""
        return set().union(*(r.free_symbols for r in self._residuals)) - set(self._jet_of) - set(self.coordinates)

    def concrete(self, expression: sp.Expr, keep: Iterable[AppliedUndef] = ()) -> sp.Expr:
        """Random polynomials for arbitrary functions: jets as generic as the check can see."""
        kept = {u.func for u in (*self.fields, *keep)}
        heads = {f.func for f in expression.atoms(AppliedUndef) if f.func not in kept}
        for head in sorted(heads, key=str):
            arity = next(len(f.args) for f in expression.atoms(AppliedUndef) if f.func is head or f.func == head)
            if head not in self._functions:
                self._functions[head] = random_polynomial(arity, self._random)
            expression = expression.replace(head, self._functions[head])
        return expression.doit() if heads else expression

    def polynomials(self, number: int = 0) -> list[sp.Lambda]:
        """The Taylor polynomials of the fields at one of the points, as functions of the coordinates."""
        point, symbols = self.points[number], [sp.Dummy(x.name, real=True) for x in self.coordinates]
        shifts = []
        for x, s in zip(self.coordinates, symbols, strict=True):
            series = point.values[x]
            shifts.append(s - exact(series if isinstance(series, Decimal) else series[0]))
        monomials = [sp.Mul(*(h**e for h, e in zip(shifts, index, strict=True))) for index in self.ring.indices]
        bodies = [sum((exact(c) * m for c, m in zip(f, monomials, strict=True)), sp.S.Zero) for f in point.fields]
        return [sp.Lambda(tuple(symbols), body) for body in bodies]

    def _jet_form(self, expression: sp.Expr) -> sp.Expr:
        expression = self.concrete(expression)
        number = {u: a for a, u in enumerate(self.full.values())}
        table: dict[sp.Expr, sp.Dummy] = {}
        for node in expression.atoms(sp.Derivative, AppliedUndef):
            field = node.expr if isinstance(node, sp.Derivative) else node
            if field in number:
                orders = dict(node.variable_count) if isinstance(node, sp.Derivative) else {}
                jet = number[field], tuple(int(orders.get(x, 0)) for x in self.coordinates)
                table[node] = self._symbols.setdefault(jet, sp.Dummy(f"u{jet}"))
            elif isinstance(node, AppliedUndef):
                raise ProblemError(f"the unknowns {', '.join(map(str, self.fields))}", f"also {node}")
        return expression.xreplace(table)

    def draw(self, low: float, high: float) -> Decimal:
        """A random number."""
        return Decimal(repr(self._random.uniform(low, high)))

    def add_parameters(self, symbols: Iterable[sp.Symbol], values: dict[sp.Expr, Value]) -> None:
        """Give random values to the symbols that have none."""
        for symbol in sorted(symbols, key=str):
            if symbol not in values:
                values[symbol] = self._at.get(symbol) or self.draw(0.6, 1.9)

    def _manifold_point(self) -> JetPoint:
        # Most systems have a jet near the first draw; signs and sizes vary for roots, logarithms, poles.
        for attempt in range(40):
            sign = -1 if attempt % 4 == 3 else 1
            size = 0.3 if attempt % 3 == 2 else 1.0
            try:
                return self._newton(sign, size)
            except (SeriesDomainError, DecimalException, np.linalg.LinAlgError):
                continue
        raise SolverError(
            "a system of equations that has solutions at generic points",
            f"no jet of {', '.join(map(str, self.fields))} satisfies it",
            "check the equations for contradictions and for values outside the domain of a function",
        )

    def _newton(self, sign: int, size: float) -> JetPoint:
        ring = self.ring
        values: dict[sp.Expr, Value] = {}
        for axis, x in enumerate(self.coordinates):
            values[x] = ring.variable(axis, self._at.get(x) or self.draw(0.4, 1.6))
        for expression in self._residuals:
            self.add_parameters(expression.free_symbols - set(self._jet_of), values)
        fields = [
            [self.draw(0.5, 1.5) * sign] + [self.draw(-size, size) for _ in ring.indices[1:]] for _ in self.fields
        ]
        inverse: np.ndarray | None = None
        for _ in range(40):
            memo: dict = {}
            table = values | {s: self.shift(fields[a], j) for (a, j), s in self._symbols.items()}
            target, error = self._target(table, memo)
            if error < Decimal("1e-48"):
                return self._summary(values, fields, table, memo)
            if inverse is None or error > Decimal("1e-9"):
                inverse = self._pseudo_inverse(self._jacobian(table, memo))
            change = inverse @ np.array([float(v / error) for v in target])
            if not np.all(np.isfinite(change)) or error > Decimal("1e12"):
                break
            for k, delta in enumerate(change):
                a, index = divmod(k, len(ring.indices))
                fields[a][index] -= Decimal(float(delta)) * error
        raise SeriesDomainError("Newton's method did not reach the solution manifold")

    def _target(self, table: Mapping[sp.Expr, Value], memo: dict) -> tuple[list[Decimal], Decimal]:
        target: list[Decimal] = []
        for expression, order in zip(self._residuals, self._orders, strict=True):
            series = self.ring.evaluate(expression, table, memo)
            full = series if isinstance(series, list) else self.ring.constant(series)
            target += [c for c, i in zip(full, self.ring.indices, strict=True) if sum(i) <= self.ring.order - order]
        return target, max(map(abs, target))

    def defect(self, values: Mapping[sp.Expr, Value], jet: Callable[[int, tuple[int, ...]], Decimal]) -> Decimal:
        """Largest residual at one point, relative to the sizes of its terms.

        Args:
            values: Numbers for the coordinates and parameters.
            jet: Value of a derivative, by number of the field and orders per coordinate.

        Returns:
            max |F| / (1 + Σ |terms of F|).
        """
        table = dict(values) | {s: jet(a, orders) for (a, orders), s in self._symbols.items()}
        memo: dict = {}
        worst = Decimal(0)
        for expression in self._residuals:
            terms = [self.ring.evaluate(term, table, memo) for term in sp.Add.make_args(sp.expand(expression))]
            numbers = [v if isinstance(v, Decimal) else v[0] for v in terms]
            worst = max(worst, abs(sum(numbers, Decimal(0))) / (1 + sum(map(abs, numbers))))
        return worst

    def shift(self, series: Series, orders: tuple[int, ...]) -> Series:
        """Series of a derivative; what lies beyond the truncation is set to zero and never used."""
        result = []
        for index in self.ring.indices:
            up = tuple(i + j for i, j in zip(index, orders, strict=True))
            position = self.ring.position.get(up)
            ratio = math.prod(math.perm(u, j) for u, j in zip(up, orders, strict=True))
            result.append(series[position] * ratio if position is not None else Decimal(0))
        return result

    def _jacobian(self, table: Mapping[sp.Expr, Value], memo: dict) -> np.ndarray:
        ring, size = self.ring, len(self.ring.indices)
        rows = []
        for partials, order in zip(self._partials, self._orders, strict=True):
            keep = [i for i in ring.indices if sum(i) <= ring.order - order]
            block = np.zeros((len(keep), size * len(self.fields)))
            for (a, jet), expression in partials.items():
                value = ring.evaluate(expression, table, memo)
                series = value if isinstance(value, list) else ring.constant(value)
                numbers = [float(c) for c in series]
                for row, k in enumerate(keep):
                    for position, m in zip(numbers, ring.indices, strict=True):
                        rest = tuple(i - j for i, j in zip(k, m, strict=True))
                        if position and min(rest) >= 0:
                            up = tuple(i + j for i, j in zip(rest, jet, strict=True))
                            ratio = math.prod(math.perm(u, j) for u, j in zip(up, jet, strict=True))
                            block[row, a * size + ring.position[up]] += position * ratio
            rows.append(block)
        return np.vstack(rows)

    def _pseudo_inverse(self, jacobian: np.ndarray) -> np.ndarray:
        # High derivatives move first: low ones decide whether roots and logarithms are real.
        weight = np.tile([10.0 ** sum(i) for i in self.ring.indices], len(self.fields))
        return weight[:, None] * np.linalg.pinv(jacobian * weight, rcond=1e-11)

    def _summary(
        self, values: dict[sp.Expr, Value], fields: list[Series], table: Mapping[sp.Expr, Value], memo: dict
    ) -> JetPoint:
        slopes, gradients = [], []
        for expression, partials in zip(self._residuals, self._partials, strict=True):
            series = self.ring.evaluate(expression, table, memo)
            full = series if isinstance(series, list) else self.ring.constant(series)
            gradients.append(full[1 : 1 + len(self.coordinates)])
            constant = {jet: self.ring.evaluate(e, table, memo) for jet, e in partials.items()}
            slopes.append({jet: v if isinstance(v, Decimal) else v[0] for jet, v in constant.items()})
        return JetPoint(values, fields, slopes, gradients)


def exact(value: Decimal) -> sp.Rational:
    """A decimal number as a fraction."""
    return sp.Rational(*value.as_integer_ratio())


def residual(equation: sp.Expr) -> sp.Expr:
    """Left side minus right side of an equation, or the expression itself.

    Args:
        equation: `Eq` or expression.

    Returns:
        The expression that vanishes on solutions.
    """
    equation = sp.sympify(equation)
    return equation.lhs - equation.rhs if isinstance(equation, sp.Equality) else equation


def _unknowns(residuals: list[sp.Expr]) -> tuple[AppliedUndef, ...]:
    found = {d.expr for r in residuals for d in r.atoms(sp.Derivative) if isinstance(d.expr, AppliedUndef)}
    if not found:
        raise ProblemError("a differential equation", "no derivative of an unknown", "name the fields")
    return tuple(sorted(found, key=str))


def random_polynomial(arity: int, source: random.Random) -> sp.Lambda:
    """Degree 8 along each of three random directions: all derivatives that matter are independent."""
    symbols = [sp.Dummy() for _ in range(arity)]
    total = sp.S.Zero
    for _ in range(3 if arity > 1 else 1):
        ray = sum(sp.Rational(source.randint(2, 9), 7) * s for s in symbols) if arity > 1 else symbols[0]
        total += sum(sp.Rational(source.randint(3, 19), 11 * 2**k) * ray**k for k in range(9))
    return sp.Lambda(tuple(symbols), total)
