"""Check that a finite transformation maps solutions to solutions, for every solution or for one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from decimal import Decimal, DecimalException, localcontext

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.generator import Generator
from solvers.symmetry.graph_jets import GraphJets
from solvers.symmetry.implicit import ImplicitSolution
from solvers.symmetry.manifold import SolutionManifold
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, Value
from solvers.symmetry.transform import one_parameter_group

TOLERANCE = 1e-30
_TRIALS = tuple(sp.Rational(1, k) for k in (11, -13, 101, -1009))


def verify_transform(
    generator: Generator,
    equations: sp.Expr | Iterable[sp.Expr],
    eps: sp.Expr | float | None = None,
    solution: sp.Expr | Mapping | None = None,
    seed: int = 0,
) -> bool:
    """Whether exp(εX) maps solutions to solutions.

    Without `solution` for an arbitrary one: f is a random formal solution, its derivatives are those of a
    random jet on the solution manifold (so the equations and their consequences are used), the derivatives of
    the image follow by the chain rule along the graph, and the equations must vanish there to 30 of 60 digits.
    With `solution` the transformed expression is put into the equations at random points. A false formula
    passes with probability zero; nothing is shared with the derivation of generators or flows.

    Args:
        generator: Vector field X.
        equations: One equation or several.
        eps: Number; default: small ones of both signs.
        solution: Expression or mapping that solves the equations.
        seed: Seed of the random points.

    Returns:
        True if the image solves the equations.

    Raises:
        ProblemError: If the given solution is none.
        SolverError: If the flow has no closed form, or no point lies in its domain.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> heat = u.diff(t) - u.diff(x, 2)
        >>> verify_transform(Generator((x, t), (u,), {x: 2 * t, u: -x * u}), heat)
        True
        >>> verify_transform(Generator((x, t), (u,), {x: 2 * t, u: x * u}), heat)
        False
    """
    if solution is None:
        return transform_defect(generator, equations, eps, seed) < TOLERANCE
    seeds = one_parameter_group(generator.independent, generator.dependent, generator.components).seeds(solution)
    if solution_defect(seeds, equations, seed) > TOLERANCE:
        raise ProblemError("a solution of the equations to start from", str(solution))
    values = _TRIALS if eps is None else (sp.sympify(eps),)
    return max(_moved_defect(generator, seeds, equations, value, seed) for value in values[:2]) < TOLERANCE


def _several(equations: sp.Expr | Iterable[sp.Expr]) -> list[sp.Expr]:
    return [equations] if isinstance(equations, sp.Basic) else list(equations)


def transform_defect(
    generator: Generator, equations: sp.Expr | Iterable[sp.Expr], eps: sp.Expr | float | None = None, seed: int = 0
) -> float:
    """Largest relative residual of the image of an arbitrary solution; see `verify_transform`.

    Args:
        generator: Vector field X.
        equations: One equation or several.
        eps: Number; default: a small one in the domain of the flow.
        seed: Seed of the random points.

    Returns:
        About 1e-50 for a symmetry, a number of order one (times ε) otherwise.

    Raises:
        SolverError: If the flow has no closed form, or no point lies in its domain.
    """
    manifold = SolutionManifold(_several(equations), generator.dependent, generator.independent, 2, seed)
    group = one_parameter_group(generator.independent, generator.dependent, generator.components)
    group.at(sp.Rational(1, 7))
    names = {manifold.full[u]: symbol for u, symbol in group.symbols.items()}
    assert group.formulas is not None
    formulas = {z: manifold.concrete(e.xreplace(names)) for z, e in group.formulas.items()}
    worst, tried = Decimal(0), 0
    with localcontext() as context:
        context.prec = DIGITS
        for point in manifold.points:
            fields = dict(zip(manifold.fields, point.fields, strict=True))
            for value in _TRIALS if eps is None else (sp.sympify(eps),):
                table = dict(point.values) | {symbol: fields[u] for u, symbol in group.symbols.items()}
                table[group.parameter] = Decimal(str(sp.N(value, DIGITS)))
                try:
                    worst = max(worst, _graph_defect(manifold, formulas, group.symbols, table))
                except (SeriesDomainError, DecimalException):
                    continue
                tried += 1
                break
    if not tried:
        raise SolverError("a group parameter within the domain of the flow at random points", str(eps))
    return float(worst)


def _graph_defect(manifold: SolutionManifold, formulas: Mapping, symbols: Mapping, table: dict) -> Decimal:
    manifold.add_parameters(manifold.parameters.union(*(e.free_symbols for e in formulas.values())) - set(table), table)
    memo: dict = {}
    images = {z: manifold.ring.evaluate(e, table, memo) for z, e in formulas.items()}
    positions = [images[x] for x in manifold.coordinates]
    values = [images[symbols[u]] for u in manifold.fields]
    jets = GraphJets(manifold.ring, manifold.shift, positions, values)
    start = {x: v if isinstance(v, Decimal) else v[0] for x, v in zip(manifold.coordinates, positions, strict=True)}
    return manifold.defect(table | start, jets)


def solution_defect(
    solution: Mapping[AppliedUndef, sp.Expr], equations: sp.Expr | Iterable[sp.Expr], seed: int = 0, points: int = 3
) -> float:
    """Largest relative residual of an explicit solution at random points, with 60 digits.

    Args:
        solution: Field to expression in the coordinates and parameters.
        equations: One equation or several.
        seed: Seed of the random points.
        points: Number of points at which everything must be real.

    Returns:
        About 1e-50 for a solution.

    Raises:
        SolverError: If the expressions are real at no random point.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> solution_defect({u: sp.exp(-t) * sp.sin(x)}, u.diff(t) - u.diff(x, 2)) < 1e-50
        True
    """
    fields = tuple(solution)
    coordinates = tuple(dict.fromkeys(x for u in fields for x in u.args))
    graph = {x: x for x in coordinates} | {u: sp.sympify(e) for u, e in solution.items()}
    return _concrete_defect(graph, fields, coordinates, _several(equations), seed, points)


def _moved_defect(generator: Generator, seeds: Mapping, equations, eps: sp.Expr, seed: int) -> float:
    moved = generator.transform(seeds, eps)
    same = {x: x for x in generator.independent}
    graph = moved.parametric() if isinstance(moved, ImplicitSolution) else same | moved
    return _concrete_defect(graph, generator.dependent, generator.independent, _several(equations), seed, 3)


def _concrete_defect(
    graph: Mapping, fields: tuple, coordinates: tuple, equations: list, seed: int, points: int
) -> float:
    """Residual along a graph over the coordinates, which are parameters of it."""
    manifold = SolutionManifold(equations, fields, coordinates, 0, seed)
    loose = {f for e in graph.values() for f in e.atoms(AppliedUndef)}
    if loose:
        raise ProblemError(
            "a solution without undefined functions", ", ".join(map(str, loose)), "put in a concrete one"
        )
    source, worst, good = random.Random(seed), Decimal(0), 0
    symbols = {u: u for u in fields}
    with localcontext() as context:
        context.prec = DIGITS
        for attempt in range(24):
            table: dict[sp.Expr, Value] = {}
            for axis, x in enumerate(coordinates):
                value = Decimal(repr(source.uniform(0.2, 1.4))) * (source.choice((1, -1)) if attempt % 3 else 1)
                table[x] = manifold.ring.variable(axis, value)
            try:
                worst = max(worst, _graph_defect(manifold, graph, symbols, table))
            except (SeriesDomainError, DecimalException):
                continue
            good += 1
            if good == points:
                return float(worst)
    if not good:
        raise SolverError("a solution that is real somewhere", "none of 24 random points")
    return float(worst)
