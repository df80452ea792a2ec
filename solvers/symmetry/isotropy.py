"""Families of solutions from one: the orbit of a seed under several generators, without idle parameters."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext
from fractions import Fraction

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.generator import Generator
from solvers.symmetry.implicit import ImplicitSolution
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, TaylorRing, Value
from solvers.symmetry.transform import one_parameter_group, substitute

_THRESHOLD = Decimal("1e-30")


@dataclass(frozen=True)
class GroupOrbit:
    """The solutions g₁(ε₁)⋯g_r(ε_r) f, one parameter per effective generator.

    Args:
        solution: Expression or mapping, as the seed was given.
        generators: Generators that move the seed independently.
        parameters: Their group parameters.
        isotropy: Basis of the isotropy algebra of the seed, within the span of the generators given.
        condition: Where the formula is valid.
    """

    solution: sp.Expr | Mapping[AppliedUndef, sp.Expr]
    generators: tuple[Generator, ...]
    parameters: tuple[sp.Expr, ...]
    isotropy: tuple[Generator, ...]
    condition: Boolean


def isotropy_algebra(
    generators: Sequence[Generator], solution: sp.Expr | Mapping, seed: int = 0
) -> tuple[Generator, ...]:
    """Combinations Σ cₖXₖ that leave a solution invariant: Σ cₖQₖ = 0 on u = f (Olver 1993, section 3.1).

    The rank of the characteristics is found numerically at random points with 60 digits; the combinations are
    then solved for exactly, parameters included, which are taken as generic.

    Args:
        generators: Vector fields on the same variables.
        solution: Expression, or mapping from each field to one; no undefined functions.
        seed: Seed of the random points.

    Returns:
        A basis.

    Raises:
        ProblemError: If the variables differ or the seed is not concrete.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> several = [Generator((x, t), (u,), {x: 1}), Generator((x, t), (u,), {t: 1})]
        >>> isotropy_algebra(several, sp.exp(x + t))
        (-∂_x + ∂_t,)
    """
    return _split(generators, solution, seed)[1]


def group_orbit(
    generators: Sequence[Generator],
    parameters: Sequence[sp.Expr | float],
    solution: sp.Expr | Mapping,
    seed: int = 0,
) -> GroupOrbit:
    """The family g₁(ε₁)⋯g_r(ε_r) f without the parameters that do nothing.

    Directions in the isotropy algebra of the seed leave it fixed, so dim = r − dim(isotropy) parameters
    suffice: exponentials of a complement are coordinates of the orbit near the seed (Olver 1993, section 3.1).

    Args:
        generators: Vector fields on the same variables; the last acts first.
        parameters: One group parameter each.
        solution: Seed: expression, or mapping from each field to one.
        seed: Seed of the random points for the rank.

    Returns:
        The orbit; of dependent generators the first ones are kept.

    Raises:
        ProblemError: If the numbers of generators and parameters differ.
        SolverError: If the coordinates of a generator are moved by the fields, or a flow has no closed form.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u, a, b = field("u", x, t), *sp.symbols("a b", real=True)
        >>> shift, scale = Generator((x, t), (u,), {x: 1}), Generator((x, t), (u,), {u: u})
        >>> group_orbit([shift, scale], [a, b], sp.exp(x + t)).solution
        exp(-a + t + x)
    """
    if len(generators) != len(parameters) or not generators:
        raise ProblemError("one group parameter per generator", f"{len(generators)} and {len(parameters)}")
    kept, isotropy = _split(generators, solution, seed)
    moved, condition = solution, sp.true
    for k in reversed(kept):
        generator, eps = generators[k], parameters[k]
        group = one_parameter_group(generator.independent, generator.dependent, generator.components)
        if not generator.is_projectable:
            raise SolverError("generators whose coordinates move by themselves", str(generator), "transform() alone")
        before = {x: e for x, e in group.images(-sp.sympify(eps)).items() if x in generator.independent}
        # What was required so far holds at the point from which the next transformation starts.
        condition = sp.And(substitute(condition, before), group.validity(eps, moved))
        moved = generator.transform(moved, eps)
        assert not isinstance(moved, ImplicitSolution)
    return GroupOrbit(
        moved, tuple(generators[k] for k in kept), tuple(parameters[k] for k in kept), isotropy, condition
    )


def _split(
    generators: Sequence[Generator], solution: sp.Expr | Mapping, seed: int
) -> tuple[list[int], tuple[Generator, ...]]:
    """Numbers of the generators that move the seed independently, and the isotropy algebra."""
    first = generators[0]
    if any(g.variables != first.variables for g in generators):
        raise ProblemError("generators on the same variables", "different ones")
    seeds = one_parameter_group(first.independent, first.dependent, first.components).seeds(solution)
    columns = [_characteristic_on(g, seeds) for g in generators]
    loose = {str(f) for column in columns for e in column for f in e.atoms(AppliedUndef)}
    if loose:
        raise ProblemError("a seed and generators without undefined functions", ", ".join(sorted(loose)))
    symbolic = bool(set().union(*(e.free_symbols for column in columns for e in column)) - set(first.independent))
    rows = _values(columns, first.independent, seed)
    with localcontext() as context:
        context.prec = DIGITS
        kept = _pivots([list(row) for row in rows])
    isotropy = []
    for k in sorted(set(range(len(generators))) - set(kept)):
        before = [j for j in kept if j < k]
        relation = None if symbolic else _rational_relation(rows, before, k)
        if relation is None:
            relation = _exact_relation(columns, before, k, first.independent, seed)
        combination = generators[k]
        for j, c in relation.items():
            combination = combination - generators[j] * c
        isotropy.append(combination)
    return kept, tuple(isotropy)


def _characteristic_on(generator: Generator, seeds: Mapping[AppliedUndef, sp.Expr]) -> list[sp.Expr]:
    at = {z: c.xreplace(dict(seeds)) for z, c in generator.coefficients.items()}
    return [
        at.get(u, sp.S.Zero) - sum((at[x] * seeds[u].diff(x) for x in generator.independent if x in at), sp.S.Zero)
        for u in generator.dependent
    ]


def _values(columns: list[list[sp.Expr]], coordinates: tuple[sp.Symbol, ...], seed: int) -> list[list[Decimal]]:
    """The matrix of characteristics at random points, with 60 digits; rows are scaled."""
    source, ring = random.Random(seed), TaylorRing(1, 0)
    symbols = set().union(*(e.free_symbols for column in columns for e in column)) - set(coordinates)
    fixed = {p: Decimal(repr(source.uniform(0.6, 1.9))) for p in sorted(symbols, key=str)}
    rows: list[list[Decimal]] = []
    with localcontext() as context:
        context.prec = DIGITS
        for attempt in range(20 * (len(columns) + 3)):
            if len(rows) >= 2 * len(columns) + 4:
                break
            table: dict[sp.Expr, Value] = dict(fixed)
            for x in coordinates:
                table[x] = Decimal(repr(source.uniform(0.2, 1.7))) * (source.choice((1, -1)) if attempt % 2 else 1)
            try:
                memo: dict = {}
                values = [[ring.evaluate(e, table, memo) for e in column] for column in columns]
            except (SeriesDomainError, DecimalException):
                continue
            for row in zip(*values, strict=True):
                numbers = [v if isinstance(v, Decimal) else v[0] for v in row]
                size = max(map(abs, numbers))
                rows.append([v / size for v in numbers] if size else numbers)
    if not rows:
        raise SolverError("a seed that is real somewhere", "none of the random points is in its domain")
    return rows


def _rational_relation(rows: list[list[Decimal]], kept: list[int], k: int) -> dict[int, sp.Expr] | None:
    """Coefficients of column k in the independent columns before it; None unless they are small fractions."""
    with localcontext() as context:
        context.prec = DIGITS
        work = [[*(row[j] for j in kept), row[k]] for row in rows]
        _pivots(work)
        found: list[Decimal] = []
        for i in range(len(kept) - 1, -1, -1):
            known = sum((work[i][i + 1 + n] * c for n, c in enumerate(reversed(found))), Decimal(0))
            found.append((work[i][-1] - known) / work[i][i])
    relation = {}
    for j, value in zip(reversed(kept), found, strict=True):
        fraction = Fraction(value).limit_denominator(10**6)
        if abs(Fraction(value) - fraction) > Fraction(_THRESHOLD):
            return None
        if fraction:
            relation[j] = sp.Rational(fraction.numerator, fraction.denominator)
    return relation


def _pivots(rows: list[list[Decimal]]) -> list[int]:
    """Pivot columns; the rows are brought to echelon form in place."""
    found: list[int] = []
    for k in range(len(rows[0])):
        rest = rows[len(found) :]
        best = max(range(len(rest)), key=lambda i: abs(rest[i][k]), default=None)
        if best is None or abs(rest[best][k]) < _THRESHOLD:
            continue
        top = len(found)
        rows[top], rows[top + best] = rows[top + best], rows[top]
        for row in rows[top + 1 :]:
            factor = row[k] / rows[top][k]
            row[:] = [a - factor * b for a, b in zip(row, rows[top], strict=True)]
        found.append(k)
    return found


def _exact_relation(
    columns: list[list[sp.Expr]], kept: list[int], k: int, coordinates: tuple[sp.Symbol, ...], seed: int
) -> dict[int, sp.Expr]:
    """Coefficients of Q_k in the independent characteristics before it, exact at rational points."""
    source = random.Random(seed + 1)
    rows: list[list[sp.Expr]] = []
    right: list[sp.Expr] = []
    for _ in range(6 * len(kept) + 6):
        point = {x: sp.Rational(source.randint(3, 29), 17) for x in coordinates}
        for a in range(len(columns[k])):
            row = [columns[j][a].subs(point) for j in kept]
            trial = sp.Matrix([*rows, row]) if rows or row else sp.Matrix()
            if not kept or trial.rank(iszerofunc=_vanishes) <= len(rows):
                continue
            rows.append(row)
            right.append(columns[k][a].subs(point))
        if len(rows) == len(kept):
            break
    if not kept:
        return {}
    found = sp.Matrix(rows).LUsolve(sp.Matrix(right))
    return {j: sp.nsimplify(sp.simplify(c)) for j, c in zip(kept, found, strict=True) if not _vanishes(c)}


def _vanishes(value: sp.Expr) -> bool:
    if value.is_zero is not None:
        return bool(value.is_zero)
    if value.free_symbols:
        return sp.simplify(value) == 0
    return abs(sp.N(value, 40)) < sp.Float("1e-30")
