"""Linear conditions on Σ c_k X_k so that a surface and the conditions on it are kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy as sp

from sciml.errors import SolverError
from solvers.symmetry.generator import Generator

DIGITS = 60
SMALL = mpmath.mpf(10) ** -35
LARGEST = 10**8


@dataclass(frozen=True)
class Face:
    """A surface in space-time.

    Attributes:
        name: For messages.
        level: Expression of the coordinates that vanishes on it.
    """

    name: str
    level: sp.Expr


@dataclass(frozen=True)
class Requirement:
    """What has to be kept on one face: the face itself, or the conditions on it, or a period.

    Attributes:
        face: The face.
        conditions: Residuals B; empty: the face itself.
        period: Coordinate and length for a pair of periodic faces.
    """

    face: Face
    conditions: tuple[sp.Expr, ...]
    period: tuple[sp.Symbol, sp.Expr] | None = None

    def reason(self, generator: Generator) -> str:
        """Why a generator that breaks it is dropped."""
        if self.period is not None:
            return f"its coefficients are not periodic in {self.period[0]} with period {self.period[1]}"
        if not self.conditions:
            return f"moves {self.face.name} ({self.face.level} = 0)"
        shown = ", ".join(f"{c} = 0" for c in self.conditions)
        return f"changes the data on {self.face.name}: {shown}"


@dataclass(frozen=True)
class Row:
    """One equation Σ c_k w_k(p) = 0 for all values of the free symbols p."""

    weights: tuple[sp.Expr, ...]

    def breaks(self, k: int) -> bool:
        """Whether generator k alone violates it."""
        return not _is_zero(self.weights[k])


def requirement_rows(requirement: Requirement, generators: Sequence[Generator], problem: Any) -> list[Row]:
    """The equations for c.

    Args:
        requirement: What has to be kept.
        generators: Basis X_k.
        problem: The IBVP: coordinates and fields.

    Returns:
        One row per equation; empty if the requirement is empty.
    """
    if requirement.period is not None:
        return _periodic_rows(requirement.period, generators)
    on_face = _parametrised(requirement.face.level, problem.coordinates)
    if not requirement.conditions:
        return [_row(on_face, [g.apply(requirement.face.level) for g in generators])] if generators else []
    jets = _consequences(requirement, problem)
    images = [[g.prolong(c) for g in generators] for c in requirement.conditions]
    return [_row(on_face, [_free_jets(e, jets, problem) for e in image]) for image in images]


def _row(on_face: dict, weights: Sequence[sp.Expr]) -> Row:
    return Row(tuple(sp.expand(w.subs(on_face, simultaneous=True)) for w in weights))


def _periodic_rows(period: tuple[sp.Symbol, sp.Expr], generators: Sequence[Generator]) -> list[Row]:
    axis, length = period
    rows = []
    for z in generators[0].variables if generators else ():
        plain = {u: sp.Dummy(real=True) for u in generators[0].dependent}
        values = [g[z].xreplace(plain) for g in generators]
        rows.append(Row(tuple(sp.expand(v.subs(axis, axis + length) - v) for v in values)))
    return rows


def _parametrised(level: sp.Expr, coordinates: Sequence[sp.Symbol]) -> dict[sp.Symbol, sp.Expr]:
    """Coordinates on level = 0: one of them as a function of the others, circles by the half-angle."""
    for x in coordinates:
        if level.is_polynomial(x) and sp.degree(level, x) == 1:
            slope = sp.expand(level).coeff(x, 1)
            if slope.is_number:
                return {x: sp.expand(x - level / slope)}
    present = [x for x in coordinates if level.has(x)]
    if len(present) == 2:
        x, y = present
        half = [sp.expand(level).coeff(z, 1) / 2 for z in present]
        radius = sp.sqrt(sp.expand(sum(h**2 for h in half) - level.subs(dict.fromkeys(present, 0))))
        s = sp.Dummy("s", real=True)
        return {x: -half[0] + radius * (1 - s**2) / (1 + s**2), y: -half[1] + radius * 2 * s / (1 + s**2)}
    raise SolverError("a face that is a plane, a line or a circle", str(level))


def _consequences(requirement: Requirement, problem: Any) -> dict[sp.Expr, sp.Expr]:
    """Conditions and their derivatives along the face, solved for their highest jets."""
    conditions = [c.doit() for c in requirement.conditions]
    highest = max(map(_highest, conditions), default=0)
    everything = list(conditions)
    directions = _tangents(requirement.face.level, problem.coordinates)
    for condition in conditions:
        layer = [condition]
        for _ in range(highest + 1 - _highest(condition)):
            layer = [
                sp.expand(sum((c * e.diff(x) for x, c in direction.items()), sp.S.Zero))
                for e in layer
                for direction in directions
            ]
            everything += layer
    solved: dict[sp.Expr, sp.Expr] = {}
    for condition in everything:
        reduced = _swap(condition, solved)
        for jet in sorted(_jets(reduced, problem), key=lambda j: (_order(j), str(j)), reverse=True):
            stand_in = sp.Dummy()
            form = sp.expand(_swap(reduced, {jet: stand_in}))
            slope = form.diff(stand_in)
            if slope == 0 or slope.has(stand_in) or _jets(slope, problem):
                continue
            value = sp.expand(-(form - slope * stand_in) / slope)
            solved = {j: _swap(e, {jet: value}) for j, e in solved.items()} | {jet: value}
            break
    return solved


def _highest(condition: sp.Expr) -> int:
    return max((d.derivative_count for d in condition.atoms(sp.Derivative)), default=0)


def _tangents(level: sp.Expr, coordinates: Sequence[sp.Symbol]) -> list[dict[sp.Symbol, sp.Expr]]:
    """Vector fields along the face."""
    present = [x for x in coordinates if level.has(x)]
    fields: list[dict[sp.Symbol, sp.Expr]] = [{x: sp.S.One} for x in coordinates if x not in present]
    if len(present) == 2:
        x, y = present
        fields.append({x: -level.diff(y), y: level.diff(x)})
    return fields


def _jets(expression: sp.Expr, problem: Any) -> set[sp.Expr]:
    found = {d for d in expression.atoms(sp.Derivative) if d.expr in problem.fields}
    bare = expression.xreplace({d: sp.Dummy() for d in found})
    return found | {u for u in problem.fields if bare.has(u)}


def _order(jet: sp.Expr) -> int:
    return jet.derivative_count if isinstance(jet, sp.Derivative) else 0


def _swap(expression: sp.Expr, table: dict) -> sp.Expr:
    """Replace jets only where they stand themselves, not inside higher derivatives."""
    if not table:
        return expression
    others = {d: sp.Dummy() for d in expression.atoms(sp.Derivative) if d not in table}
    return expression.xreplace(others | table).xreplace({d: node for node, d in others.items()})


def _free_jets(expression: sp.Expr, solved: dict, problem: Any) -> sp.Expr:
    """Jets eliminated by the conditions; the others become symbols."""
    reduced = _swap(expression, solved)
    return _swap(reduced, {j: sp.Symbol(f"jet[{j}]", real=True) for j in _jets(reduced, problem)})


def _symbols(expressions: Sequence[sp.Expr]) -> list[sp.Symbol]:
    return sorted(set().union(*(e.free_symbols for e in expressions)), key=str)


def _is_zero(expression: sp.Expr) -> bool:
    return expression == 0 or all(abs(v) < SMALL for row in _values([expression], 3, 7) for v in row)


def _values(weights: Sequence[sp.Expr], points: int, seed: int) -> list[list]:
    """Values at random points with 60 digits, every row scaled to size one."""
    symbols = _symbols(weights)
    plain = [sp.Symbol(f"p{k}", real=True) for k in range(len(symbols))]
    names = dict(zip(symbols, plain, strict=True))
    function = sp.lambdify(plain, [w.xreplace(names) for w in weights], "mpmath")
    source, rows = random.Random(seed), []
    with mpmath.workdps(DIGITS):
        for _ in range(20 * points):
            numbers = [mpmath.mpf(repr(source.uniform(0.2, 1.3))) for _ in symbols]
            try:
                row = [mpmath.mpmathify(v) for v in function(*numbers)]
            except (ZeroDivisionError, ValueError):
                continue
            size = max(map(abs, row), default=mpmath.mpf(0))
            rows.append([v / size for v in row] if size > SMALL else [mpmath.mpf(0)] * len(row))
            if len(rows) == points:
                return rows
    raise SolverError("data that have values at random points", str(list(weights)))


def null_combinations(rows: Sequence[Row], generators: Sequence[Generator]) -> list[Generator]:
    """All Σ c_k X_k that satisfy every row identically.

    The functions w_k are compared by their values at random points with 60 digits; the coefficients of the
    echelon form are then recognised exactly and the combination is checked at other points.

    Args:
        rows: Equations.
        generators: Basis X_k.

    Returns:
        A basis of the combinations.

    Raises:
        SolverError: If a coefficient is no rational combination of the constants in the problem.
    """
    count = len(generators)
    with mpmath.workdps(DIGITS):
        matrix = [v for k, row in enumerate(rows) if any(row.weights) for v in _values(row.weights, count + 2, k)]
        pivots = _echelon(matrix, count)
        result = []
        for free in (k for k in range(count) if k not in pivots):
            vector = [sp.S.Zero] * count
            vector[free] = sp.S.One
            for column, line in pivots.items():
                vector[column] = _recognised(-line[free], rows)
            for k, row in enumerate(rows):
                total = sp.Add(*(c * w for c, w in zip(vector, row.weights, strict=True)))
                if any(abs(v) > 0 for values in _unscaled(total, row, 100 + k) for v in values):
                    raise SolverError("coefficients in closed form", str(vector))
            result.append(_combined(vector, generators))
        return result


def independent(generators: Sequence[Generator]) -> list[Generator]:
    """The generators that are no combinations of earlier ones, by their values at random points.

    Args:
        generators: Vector fields on the same variables.

    Returns:
        A linearly independent part with the same span.
    """
    if not generators:
        return []
    plain = {u: sp.Dummy(u.func.__name__, real=True) for u in generators[0].dependent}
    rows = [[g[z].xreplace(plain) for g in generators] for z in generators[0].variables]
    with mpmath.workdps(DIGITS):
        matrix = [v for k, row in enumerate(rows) if any(row) for v in _values(row, len(generators) + 2, k)]
        return [generators[k] for k in _echelon(matrix, len(generators))]


def _unscaled(total: sp.Expr, row: Row, seed: int) -> list[list]:
    """The sum beside its terms: what is left after scaling by the terms is rounding or an error."""
    return [[v[0] if abs(v[0]) > SMALL else mpmath.mpf(0)] for v in _values([total, *row.weights], 2, seed)]


def _combined(vector: Sequence[sp.Expr], generators: Sequence[Generator]) -> Generator:
    common = sp.ilcm(1, *(c.q for c in vector if c.is_Rational))
    chosen = [common * c * g for c, g in zip(vector, generators, strict=True) if c != 0]
    total = chosen[0]
    for other in chosen[1:]:
        total = total + other
    return total


def _echelon(matrix: list[list], count: int) -> dict[int, list]:
    """Reduced row echelon form: pivot column to its row; full pivoting within a column."""
    pivots: dict[int, list] = {}
    rest = [list(row) for row in matrix]
    for column in range(count):
        best = max(rest, key=lambda row: abs(row[column]), default=None)
        if best is None or abs(best[column]) < SMALL:
            continue
        rest.remove(best)
        line = [v / best[column] for v in best]
        rest = [[v - row[column] * w for v, w in zip(row, line, strict=True)] for row in rest]
        pivots = {k: [v - row[column] * w for v, w in zip(row, line, strict=True)] for k, row in pivots.items()}
        pivots[column] = line
    return pivots


def _recognised(value: Any, rows: Sequence[Row]) -> sp.Expr:
    """A number as a rational combination of the constants that occur in the problem."""
    if abs(value) < SMALL:
        return sp.S.Zero
    rational = sp.nsimplify(sp.Float(str(value), DIGITS - 15), rational=True, tolerance=sp.Float("1e-35"))
    if rational.q < LARGEST:
        return rational
    constants = _constants(rows)
    for first in range(len(constants)):
        chosen = [sp.S.One, *constants[first : first + 3]]
        numbers = [value, *(mpmath.mpmathify(sp.N(c, DIGITS)) for c in chosen)]
        relation = mpmath.pslq(numbers, maxcoeff=10**6, maxsteps=10**5)
        if relation and relation[0]:
            return -sp.Add(*(r * c for r, c in zip(relation[1:], chosen, strict=True))) / relation[0]
    raise SolverError("coefficients that are rational combinations of the constants of the problem", str(value))


def _constants(rows: Sequence[Row]) -> list[sp.Expr]:
    found: set[sp.Expr] = set()
    for row in rows:
        for weight in row.weights:
            found |= weight.atoms(sp.NumberSymbol)
            found |= {p for p in weight.atoms(sp.Pow) if p.is_number and not p.is_Rational}
    return [c for base in sorted(found, key=str) for c in (base, base**2, 1 / base)]
