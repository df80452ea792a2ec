"""Finite transformations exp(εX) of a vector field in closed form."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, DecimalException, localcontext
from functools import lru_cache

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.branches import near_identity
from solvers.symmetry.conformal_flows import decoupled_flow
from solvers.symmetry.linear_flows import affine_flow, varying_linear_flow
from solvers.symmetry.manifold import random_polynomial
from solvers.symmetry.projective_flows import ProjectiveFrame, projective_flow, weighted_flow
from solvers.symmetry.quadrature import definite
from solvers.symmetry.scalar_flows import scalar_flow
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, TaylorRing, Value

Field = dict[sp.Symbol, sp.Expr]


@lru_cache(maxsize=1024)
def closed_flow(
    variables: tuple[sp.Symbol, ...], components: tuple[sp.Expr, ...], s: sp.Symbol
) -> tuple[sp.Expr, ...] | None:
    """Solution of dz/ds = X(z) as expressions in the initial values, named like the variables.

    Affine parts by a matrix exponential; the rest in dependency order: quadratures, integrating factors,
    Riccati and Bernoulli formulas, linear blocks over solved variables, conformal and projective blocks by
    linearisation, decoupling characteristic coordinates, common factors that are constant along the flow
    (Olver 1993, section 1.3, for exp(εX)). The result is compared with the equation at random points
    before it is returned.

    Args:
        variables: Symbols z.
        components: X(z), functions of the variables and of parameters.
        s: Group parameter.

    Returns:
        One expression per variable, or None if no closed form was found.

    Example:
        >>> x, t, s = sp.symbols("x t s", real=True)
        >>> closed_flow((x, t), (x * t, t**2), s)
        (x/(-s*t + 1), t/(-s*t + 1))
    """
    given = dict(zip(variables, map(sp.sympify, components), strict=True))
    inner = _stand_ins(given)
    field = {inner[z]: c.xreplace(inner) for z, c in given.items()}
    time = sp.Dummy("s", real=True)
    solution = _Flow(field, time).solve()
    if solution is None or not satisfies_flow(field, solution, time):
        return None
    back: dict[sp.Expr, sp.Expr] = {d: z for z, d in inner.items()} | {time: s}
    return tuple(tidy(near_identity(solution[inner[z]], time)).xreplace(back) for z in variables)


def _stand_ins(field: Field) -> dict[sp.Expr, sp.Dummy]:
    # Real symbols, positive where the field is real for positive values only: no branch is lost, no name clashes.
    # A function of variables that do not move is a constant of the flow and gets a symbol too.
    positive = {z for z in field if z.is_positive}
    for component in field.values():
        for node in component.atoms(sp.log, sp.Pow):
            if node.args[0] in field and (isinstance(node, sp.log) or not node.exp.is_Integer):
                positive.add(node.args[0])
    inner: dict[sp.Expr, sp.Dummy] = {
        z: sp.Dummy(z.name, real=True, positive=True if z in positive else None) for z in field
    }
    moving = {z for z, c in field.items() if c != 0}
    for component in field.values():
        for node in component.atoms(AppliedUndef, sp.Derivative):
            if not node.free_symbols & moving:
                inner.setdefault(node, sp.Dummy("constant", real=True))
    return inner


class _Flow:
    """State of the solution in dependency order: what is solved, and which integrals are known."""

    def __init__(self, field: Field, s: sp.Symbol) -> None:
        self.field = {z: c for z, c in field.items() if c != 0}
        self.fixed = [z for z in field if z not in self.field]
        self.s = s
        self.start = {z: sp.Dummy(z.name, **z.assumptions0) for z in self.field}
        self.solved: Field = {}
        # Pairs of an integrand in the moving variables and its integral along the flow from 0 to s.
        self.integrals: list[tuple[sp.Expr, sp.Expr]] = []
        self.frames: list[ProjectiveFrame] = []

    def solve(self) -> Field | None:
        """All variables, in terms of their initial values."""
        affine = self._affine_set()
        if affine:
            result = affine_flow(affine, self.field, self.s)
            if result is not None:
                self._keep(result)
        for block in self._blocks():
            if not any(strategy(block) for strategy in self._strategies(block)):
                return None
        back = {symbol: z for z, symbol in self.start.items()}
        return {z: z for z in self.fixed} | {z: e.xreplace(back) for z, e in self.solved.items()}

    def _keep(self, result: Field) -> None:
        self.solved.update({z: near_identity(e.xreplace(self.start), self.s) for z, e in result.items()})

    def _affine_set(self) -> list[sp.Symbol]:
        chosen = list(self.field)
        while True:
            kept = [z for z in chosen if self._is_affine(self.field[z], chosen)]
            if kept == chosen:
                return chosen
            chosen = kept

    def _is_affine(self, component: sp.Expr, among: Sequence[sp.Symbol]) -> bool:
        if component.free_symbols & (set(self.field) - set(among)):
            return False
        if not component.is_polynomial(*among):
            return False
        return sp.Poly(component, *among).total_degree() <= 1 if among else True

    def _blocks(self) -> Iterator[list[sp.Symbol]]:
        """Strongly connected components of what is not solved, dependencies first."""
        rest = [z for z in self.field if z not in self.solved]
        reach = {z: self.field[z].free_symbols & set(rest) for z in rest}
        for _ in rest:
            reach = {z: r.union(*(reach[y] for y in r)) for z, r in reach.items()}
        while rest:
            first = min(rest, key=lambda z: len((reach[z] | {z}) & set(rest)))
            block = [first] + [z for z in rest if z != first and z in reach[first] and first in reach[z]]
            yield block
            rest = [z for z in rest if z not in block]

    def _strategies(self, block: list[sp.Symbol]) -> list[Callable[[list[sp.Symbol]], bool]]:
        if len(block) == 1:
            return [self._weighted, self._projective, self._scalar]
        return [self._weighted, self._linear, self._projective, self._decoupled, self._common_factor]

    def _along(self, expression: sp.Expr) -> sp.Expr | None:
        """∫₀ˢ of an expression along the flow; known integrals first."""
        if not expression.has(self.s, *self.field):
            return expression * self.s
        rest, total = sp.expand(expression), sp.S.Zero
        for integrand, integral in self.integrals:
            lead = next(term for term in sp.Add.make_args(sp.expand(integrand)) if term.has(*self.field))
            constant, moving = lead.as_independent(self.s, *self.field, as_Add=False)
            ratio = (
                sum(
                    (term / moving for term in sp.Add.make_args(rest) if not (term / moving).has(self.s, *self.field)),
                    sp.S.Zero,
                )
                / constant
            )
            if ratio != 0:
                rest, total = sp.expand(rest - ratio * integrand), total + ratio * integral
        if not rest.has(self.s, *self.field):
            return total + rest * self.s
        remainder = definite(rest.xreplace(self.solved), self.s)
        return None if remainder is None else total + remainder

    def _scalar(self, block: list[sp.Symbol]) -> bool:
        (z,) = block
        result = scalar_flow(self.field[z], z, self.s, self._along)
        if result is None or result.has(*(set(self.field) - {z})):
            return False
        self._keep({z: result})
        slope = self.field[z].diff(z)
        if slope.has(z) and not self.field[z].has(*(set(self.field) - {z})):
            # d/ds log X_z = ∂X_z/∂z along an autonomous variable.
            ratio = self.field[z].xreplace({z: self.solved[z]}) / self.field[z].xreplace(self.start)
            self.integrals.append((slope, near_identity(sp.log(sp.cancel(ratio)), self.s)))
        return True

    def _weighted(self, block: list[sp.Symbol]) -> bool:
        if not all(self._is_affine_in(z, block) for z in block):
            return False
        for frame in self.frames:
            result = weighted_flow(block, self.field, self.s, frame)
            if result is not None:
                self._keep(result)
                return True
        return False

    def _is_affine_in(self, z: sp.Symbol, block: list[sp.Symbol]) -> bool:
        component = self.field[z]
        return component.is_polynomial(*block) and sp.Poly(component, *block).total_degree() <= 1

    def _linear(self, block: list[sp.Symbol]) -> bool:
        if not all(self._is_affine_in(z, block) for z in block):
            return False
        rates = {z: self.field[z].xreplace(self.solved) for z in block}
        result = varying_linear_flow(block, rates, self.s)
        if result is None:
            return False
        self._keep(result)
        return True

    def _projective(self, block: list[sp.Symbol]) -> bool:
        found = projective_flow(block, self.field, self.s)
        if found is None:
            return False
        result, frame = found
        self._keep(result)
        if frame.factor != 0:
            self.frames.append(frame)
            self.integrals.append((frame.factor, -sp.log(frame.denominator.xreplace(self.start))))
        return True

    def _decoupled(self, block: list[sp.Symbol]) -> bool:
        if any(self.field[z].has(*(set(self.field) - set(block))) for z in block):
            return False
        found = decoupled_flow(block, {z: self.field[z] for z in block}, self.s)
        if found is None:
            return False
        result, table = found
        self._keep(result)
        self.integrals += [(g, i.xreplace(self.start)) for g, i in table if g != 0]
        return True

    def _common_factor(self, block: list[sp.Symbol]) -> bool:
        """X = h Y on the block: the flow of Y at the time ∫ h."""
        factor = sp.S.Zero
        for z in block:
            factor = sp.gcd(factor, sp.factor(self.field[z]))
        if not factor.free_symbols & set(self.field):
            return False
        reduced = {z: sp.cancel(self.field[z] / factor) for z in block}
        if any(c.has(*(set(self.field) - set(block))) for c in reduced.values()):
            return False
        inner = _Flow(reduced, self.s).solve()
        if inner is None:
            return False
        drift = sp.expand(sum((c * factor.diff(z) for z, c in reduced.items()), sp.S.Zero))
        if drift == 0:
            outside = factor.has(*(set(self.field) - set(block)))
            time = self._along(factor) if outside else factor.xreplace(self.start) * self.s
        else:
            clock = sp.Dummy("clock", real=True)
            speed = factor.xreplace(inner).xreplace({self.s: clock}).xreplace(self.start)
            hand = scalar_flow(tidy(speed), clock, self.s, self._along)
            time = None if hand is None else hand.subs(clock, 0)
        if time is None or time.has(sp.nan, sp.zoo):
            return False
        self.solved.update({z: e.xreplace(self.start).subs(self.s, time) for z, e in inner.items()})
        return True


def satisfies_flow(field: Field, solution: Field, s: sp.Symbol, trials: int = 3) -> bool:
    """Whether a flow solves dz/ds = X(z) and starts at the identity, to 25 digits at random points.

    Args:
        field: Components of the vector field.
        solution: Flow in terms of the initial values.
        s: Group parameter.
        trials: Number of points where everything is real that must agree.

    Returns:
        True if it agrees wherever it is real, at one point at least.
    """
    source = random.Random(len(field))
    functions: dict[type, sp.Lambda] = {}
    rates = {z: _concrete(c, functions, source) for z, c in field.items()}
    moved = {z: _concrete(e, functions, source) for z, e in solution.items()}
    parameters = sorted(
        set().union(*(e.free_symbols for e in (*rates.values(), *moved.values()))) - set(field) - {s}, key=str
    )
    ring, good = TaylorRing(1, 1), 0
    with localcontext() as context:
        context.prec = DIGITS
        for attempt in range(20):
            values: dict[sp.Expr, Value] = {p: Decimal(repr(source.uniform(0.6, 1.9))) for p in parameters}
            values |= {z: Decimal(repr(source.uniform(0.3, 1.4))) for z in field}
            for z in (*parameters, *field):
                # Other signs and sizes: a principal branch taken where a continued one is due shows up.
                if attempt and not z.is_positive:
                    values[z] *= source.choice((1, -1)) * (source.choice((1, 4)) if z in field else 1)
            try:
                if not _agrees(rates, moved, values, s, ring):
                    return False
            except (SeriesDomainError, DecimalException):
                continue
            good += 1
            if good == trials:
                return True
    return good > 0


def _agrees(rates: Field, moved: Field, values: dict, s: sp.Symbol, ring: TaylorRing) -> bool:
    for at in (Decimal("1e-40"), Decimal("0.0625")):
        table = values | {s: ring.variable(0, at)}
        memo: dict = {}
        images = {z: ring.evaluate(e, table, memo) for z, e in moved.items()}
        series = {z: v if isinstance(v, list) else ring.constant(v) for z, v in images.items()}
        memo = {}
        point = values | {z: v[0] for z, v in series.items()}
        for z, rate in rates.items():
            value = ring.evaluate(rate, point, memo)
            expected = value[0] if isinstance(value, list) else value
            if abs(expected - series[z][1]) > Decimal("1e-15") * (1 + abs(expected)):
                return False
            if at < Decimal("1e-30") and abs(series[z][0] - values[z]) > Decimal("1e-15"):
                return False
    return True


def _concrete(expression: sp.Expr, functions: dict[type, sp.Lambda], source: random.Random) -> sp.Expr:
    heads = {f.func: len(f.args) for f in expression.atoms(AppliedUndef)}
    for head, arity in sorted(heads.items(), key=str):
        if head not in functions:
            functions[head] = random_polynomial(arity, source)
        expression = expression.replace(head, functions[head])
    return expression.doit() if heads else expression


def tidy(expression: sp.Expr) -> sp.Expr:
    """A shorter form: rational parts cancelled, powers joined. No search, no simplification of functions.

    Args:
        expression: Any expression.

    Returns:
        An equal expression.
    """
    opaque = isinstance(expression, sp.Derivative | sp.Integral | sp.Sum | sp.Subs | sp.Piecewise | sp.hyper)
    if expression.is_Atom or opaque or sp.count_ops(expression) > 2000:
        return expression
    symbols = expression.free_symbols
    if expression.is_rational_function(*symbols):
        short = sp.cancel(expression)
        factored = sp.factor(short)
        short = min((factored, short, expression), key=sp.count_ops)
        return -sp.cancel(-short) if short.could_extract_minus_sign() and short.is_Add else short
    if not expression.is_Add and not expression.is_Mul:
        return expression.func(*(tidy(argument) for argument in expression.args))
    joined = sp.powsimp(sp.factor_terms(expression.func(*(tidy(a) for a in expression.args))))
    return min((joined, expression), key=sp.count_ops)
