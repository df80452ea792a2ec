"""Canonical coordinates (r, I): all invariants of a vector field, and the way back from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from sciml.errors import SolverError
from solvers.symmetry.characteristics import characteristic, exponential, tidy_rate
from solvers.symmetry.generator import Generator
from solvers.symmetry.matrix_exponential import matrix_exponential
from solvers.symmetry.quadrature import primitive

Field = dict[sp.Symbol, sp.Expr]
# Not atan2 yet: among positive stand-ins it would turn into atan, which is wrong in the other half plane.
_ANGLE = sp.Function("angle_", real=True)


@dataclass
class Canonical:
    """Coordinates in which a vector field moves r alone.

    Attributes:
        parameter: The coordinate r that moves.
        moving: r as an expression in the variables.
        invariants: Symbol of each invariant to its expression in the variables.
        partner: Variable to the symbol of the invariant that it was solved for; the one that became r has none.
        inverse: Variable to its expression in r and the invariants.
    """

    parameter: sp.Symbol
    moving: sp.Expr
    invariants: Field = field(default_factory=dict)
    partner: dict[sp.Symbol, sp.Symbol] = field(default_factory=dict)
    inverse: Field = field(default_factory=dict)


def canonical_coordinates(generator: Generator, stand_in: Mapping[sp.Expr, sp.Symbol]) -> Canonical:
    """Integrate dz/ds = X(z) as a triangular system of characteristic equations.

    One variable r whose rate depends on itself and on constants of motion is taken as the parameter of the
    orbits; the others follow in dependency order. Blocks that are linear with constant coefficients are
    first brought to eigenvectors, or to polar coordinates for complex eigenvalues (Olver 1993, section 2.1).

    Args:
        generator: The vector field.
        stand_in: Positive symbol for every coordinate and field.

    Returns:
        The coordinates.

    Raises:
        SolverError: If no rule integrates the field.
    """
    rates = {stand_in[z]: generator[z].xreplace(dict(stand_in)) for z in generator.variables}
    positive = {s: sp.Dummy(s.name, positive=True) for c in rates.values() for s in c.free_symbols - set(rates)}
    rates = {z: c.xreplace(positive) for z, c in rates.items()}
    back = {d: s for s, d in positive.items()}
    coordinates = [stand_in[x] for x in generator.independent]
    fields = [stand_in[u] for u in generator.dependent]
    found = _triangular(rates, coordinates[::-1]) or _after_blocks(rates, coordinates) or _triangular(rates, fields)
    if found is None:
        raise SolverError(
            "a generator whose characteristic equations are integrable by quadratures",
            str(generator),
            "use a simpler member of its class, for instance after conjugation by another flow",
        )
    return Canonical(
        found.parameter,
        found.moving.xreplace(back),
        {s: e.xreplace(back) for s, e in found.invariants.items()},
        found.partner,
        {z: e.xreplace(back) for z, e in found.inverse.items()},
    )


def _triangular(rates: Field, candidates: list[sp.Symbol]) -> Canonical | None:
    moving = {z for z, c in rates.items() if c != 0}
    for r in candidates:
        if r in moving and rates[r].free_symbols & moving <= {r}:
            found = _along(rates, r, moving)
            if found is not None:
                return found
    return None


def _along(rates: Field, r: sp.Symbol, moving: set[sp.Symbol]) -> Canonical | None:
    """Everything as a function of r."""
    result = Canonical(r, r, inverse={r: r})
    for z in rates:
        if z not in moving:
            symbol = sp.Dummy(z.name, positive=True)
            _record(result, z, z, symbol, symbol)
    slopes = {z: tidy_rate(rates[z] / rates[r]) for z in rates if z in moving and z != r}
    while slopes:
        step = next(_solvable(slopes, result), None)
        if step is None:
            return None
        for z, (constant, solution, symbol) in step.items():
            _record(result, z, constant, solution, symbol)
            del slopes[z]
    return result


def _record(result: Canonical, z: sp.Symbol, constant: sp.Expr, solution: sp.Expr, symbol: sp.Symbol) -> None:
    # The constant may contain earlier invariants: they are functions of the variables.
    result.invariants[symbol] = constant.xreplace(dict(result.invariants))
    result.partner[z], result.inverse[z] = symbol, solution


def _solvable(slopes: Field, known: Canonical) -> Iterator[dict[sp.Symbol, tuple]]:
    r = known.parameter
    ready = dict(known.inverse)
    for z, slope in slopes.items():
        others = slope.free_symbols & (set(slopes) - {z})
        if not others:
            level = characteristic(tidy_rate(slope.xreplace(ready)), z, r)
            if level is not None:
                yield {z: (level.constant, level.solution, level.symbol)}
    for block in _linear_blocks(slopes):
        solved = _linear_block(block, {z: tidy_rate(slopes[z].xreplace(ready)) for z in block}, r)
        if solved is not None:
            yield solved


def _linear_blocks(rates: Field) -> Iterator[list[sp.Symbol]]:
    """Minimal closed sets of unknowns in which the rates are affine."""
    seen = set()
    for z in rates:
        block, size = {z}, 0
        while len(block) > size:
            size = len(block)
            block |= set().union(*(rates[y].free_symbols & set(rates) for y in block))
        key = frozenset(block)
        if len(block) > 1 and key not in seen:
            seen.add(key)
            names = [y for y in rates if y in block]
            if all(rates[y].is_polynomial(*names) and sp.Poly(rates[y], *names).total_degree() <= 1 for y in names):
                yield names


def _linear_block(block: list[sp.Symbol], rates: Field, r: sp.Symbol) -> dict[sp.Symbol, tuple] | None:
    """z′ = f(r) M z + b(r) with a constant matrix M: I = exp(−M ∫f) z − ∫ exp(−M ∫f) b."""
    matrix = sp.Matrix([[sp.expand(rates[z]).coeff(y, 1) for y in block] for z in block])
    source = sp.Matrix([sp.expand(rates[z]).subs(dict.fromkeys(block, 0)) for z in block])
    scale = next(entry for entry in matrix if entry != 0)
    scale = scale if scale.has(r) else sp.S.One
    constant = (matrix / scale).applyfunc(tidy_rate)
    time, angle = primitive(scale, r), sp.Dummy(real=True)
    if constant.has(r) or time is None:
        return None
    forward = matrix_exponential(constant, angle)
    if forward is None:
        return None
    inverse = forward.subs(angle, -angle).subs(angle, time).applyfunc(_powers)
    forward = forward.subs(angle, time).applyfunc(_powers)
    integrals = [primitive(sp.expand(e), r) if e != 0 else sp.S.Zero for e in inverse * source]
    if any(e is None for e in integrals):
        return None
    symbols = [sp.Dummy("I", positive=True) for _ in block]
    constants = inverse * sp.Matrix(block) - sp.Matrix(integrals)
    solutions = forward * (sp.Matrix(symbols) + sp.Matrix(integrals))
    return {z: (constants[k], solutions[k], symbols[k]) for k, z in enumerate(block)}


def _powers(expression: sp.Expr) -> sp.Expr:
    return expression.replace(lambda e: isinstance(e, sp.exp), lambda e: exponential(e.args[0]))


def _after_blocks(rates: Field, coordinates: list[sp.Symbol]) -> Canonical | None:
    """Bring a linear block of the coordinates to eigenvectors or polar coordinates, then integrate."""
    for block in _linear_blocks({x: rates[x] for x in coordinates}):
        change = _eigen_coordinates(block, {z: rates[z] for z in block})
        if change is None:
            continue
        forward, backward = change
        others = {z: c.xreplace(backward) for z, c in rates.items() if z not in block}
        inner: Field = {}
        for symbol, expression in forward.items():
            smooth = expression.replace(_ANGLE, lambda second, first: sp.atan(second / first))
            rate = sum((rates[z] * smooth.diff(z) for z in block), sp.S.Zero)
            inner[symbol] = tidy_rate(sp.simplify(rate.xreplace(backward)))
        outer = {
            **inner,
            **{z: sp.trigsimp(tidy_rate(c)) if c.has(sp.cos) else tidy_rate(c) for z, c in others.items()},
        }
        found = _triangular(outer, [*reversed(inner), *(z for z in coordinates if z not in block)])
        if found is not None:
            return _composed(found, forward, backward, block)
    return None


def _composed(found: Canonical, forward: Field, backward: Field, block: list[sp.Symbol]) -> Canonical:
    lifted = {z: e for z, e in found.inverse.items() if z not in forward}
    lifted |= {z: backward[z].xreplace(found.inverse) for z in block}
    partner = {z: s for z, s in found.partner.items() if z not in forward}
    left = [found.partner[z] for z in forward if z in found.partner]
    partner |= dict(zip(block, left, strict=False))
    invariants = {s: e.xreplace(forward) for s, e in found.invariants.items()}
    return Canonical(found.parameter, found.moving.xreplace(forward), invariants, partner, lifted)


def _eigen_coordinates(block: list[sp.Symbol], rates: Field) -> tuple[Field, Field] | None:
    """New coordinates as functions of the block, and back; two variables, centre at the fixed point."""
    if len(block) != 2:
        return None
    matrix = sp.Matrix([[sp.expand(rates[z]).coeff(y, 1) for y in block] for z in block])
    source = sp.Matrix([rates[z].subs(dict.fromkeys(block, 0)) for z in block])
    if matrix.det() == 0 or (matrix.free_symbols | source.free_symbols) & set(rates):
        return None
    centre = -(matrix.inv() * source)
    shifted = sp.Matrix(block) - centre
    half = matrix.trace() / 2
    square = sp.factor(sp.cancel(half**2 - matrix.det()))
    n = matrix - half * sp.eye(2)  # n² = square · 1
    if square == 0:
        return None
    if square.is_positive or not square.is_negative:
        root = sp.sqrt(square)
        rows = [_left_vector(n, sign * root) for sign in (1, -1)]
        transform = sp.Matrix(rows)
        symbols = [sp.Dummy(name, positive=True) for name in ("p", "q")]
        new = transform * shifted
        old = centre + transform.inv() * sp.Matrix(symbols)
        return dict(zip(symbols, new, strict=True)), dict(zip(block, old, strict=True))
    omega = sp.sqrt(-square)
    # In (a, b) = (x, n x / omega) the field is a rotation with growth.
    first, second = shifted[0], (n * shifted)[0] / omega
    radius, angle = sp.Dummy("rho", positive=True), sp.Dummy("theta", positive=True)
    unit = sp.Matrix([[1, 0], [n[0, 0] / omega, n[0, 1] / omega]])
    old = centre + unit.inv() * sp.Matrix([radius * sp.cos(angle), radius * sp.sin(angle)])
    new = {radius: sp.sqrt(sp.expand(first**2 + second**2)), angle: _ANGLE(second, first)}
    return new, dict(zip(block, old.applyfunc(sp.expand), strict=True))


def _left_vector(n: sp.Matrix, root: sp.Expr) -> list[sp.Expr]:
    """A row l with l n = root l."""
    if n[0, 1] != 0:
        return [sp.cancel((root - n[1, 1]) / n[0, 1]), sp.S.One]
    return [sp.S.One, sp.cancel((root - n[0, 0]) / n[1, 0])]


def with_angles(expression: sp.Expr) -> sp.Expr:
    """Polar angles written with atan2, their cosines and sines as ratios; for expressions in real variables.

    Args:
        expression: What `canonical_coordinates` gave, with the stand-ins replaced by the true variables.

    Returns:
        The expression without placeholders.
    """

    def ratio(node: sp.Expr) -> sp.Expr:
        second, first = node.args[0].args
        radius = sp.sqrt(sp.expand(first**2 + second**2))
        return (first if node.func is sp.cos else second) / radius

    if not expression.has(_ANGLE):
        return expression
    direct = expression.replace(lambda n: n.func in (sp.cos, sp.sin) and n.args[0].func is _ANGLE, ratio)
    return direct.replace(_ANGLE, sp.atan2)
