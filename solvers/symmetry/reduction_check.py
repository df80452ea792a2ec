"""Check of a reduction: random solutions of the reduced system, continued along the orbits, in the original one."""

from __future__ import annotations

from decimal import Decimal, DecimalException, localcontext
from typing import Any

import sympy as sp

from sciml.errors import SolverError
from solvers.symmetry.graph_jets import GraphJets
from solvers.symmetry.manifold import SolutionManifold
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, Value


def reduction_defect(reduction: Any, seed: int = 0) -> float:
    """Largest relative residual of the original equations; see `SimilarityReduction.verify`.

    Args:
        reduction: The reduction; only its formulas are used.
        seed: Seed of the random jets.

    Returns:
        About 1e-50 for a right reduction. The invariants count as well: they must be constant along X.

    Raises:
        SolverError: If the formulas are real at no random point.
    """
    original = reduction.original
    target = SolutionManifold(original.residuals, original.fields, original.coordinates, 0, seed)
    orbit = sp.Dummy("r", real=True)
    order = max(d.derivative_count for e in original.residuals for d in e.atoms(sp.Derivative))
    frame = (orbit, *reduction.coordinates)
    # An auxiliary unknown makes the series long enough where the reduced system has a lower order.
    helper = sp.Function("helper_", real=True)(orbit)
    system = [e.lhs for e in reduction.equations if isinstance(e, sp.Equality)] + [helper.diff(orbit, order)]
    functions = tuple(f for f in reduction.functions)
    if any(e == sp.false for e in reduction.equations):
        return 0.0
    formulas = {z: e.xreplace({reduction.parameter: orbit}) for z, e in reduction.parametric.items()}
    worst, good = Decimal(0), 0
    with localcontext() as context:
        context.prec = DIGITS
        for attempt in range(6):
            source = SolutionManifold(system, (*functions, helper), frame, 1, seed + attempt)
            try:
                worst = max(worst, _defect(source, target, formulas, functions, reduction))
            except (SeriesDomainError, DecimalException):
                continue
            good += 1
            if good == 2:
                return max(float(worst), _invariance(reduction, target))
    raise SolverError("formulas that are real at random points", str(reduction.generator))


def _defect(
    source: SolutionManifold, target: SolutionManifold, formulas: dict, functions: tuple, reduction: Any
) -> Decimal:
    point, ring = source.points[0], source.ring
    stand_in = {f: sp.Dummy() for f in functions}
    table: dict[sp.Expr, Value] = dict(point.values)
    table |= {stand_in[f]: series for f, series in zip(functions, point.fields, strict=False)}
    parameters = set().union(*(e.free_symbols for e in (*formulas.values(), *reduction.original.residuals)))
    source.add_parameters(
        parameters - set(table) - set(reduction.original.coordinates) - set(target.coordinates), table
    )
    memo: dict = {}
    images = {z: ring.evaluate(e.xreplace(stand_in), table, memo) for z, e in formulas.items()}
    jets = GraphJets(ring, source.shift, [images[x] for x in target.coordinates], [images[u] for u in target.fields])
    constants = {s: v for s, v in table.items() if isinstance(v, Decimal)}
    start = {x: v if isinstance(v, Decimal) else v[0] for x, v in images.items() if x in target.coordinates}
    return target.defect(constants | start, jets)


def _invariance(reduction: Any, target: SolutionManifold) -> float:
    """X(z) at a random point, relative to the size of its terms."""
    worst = 0.0
    for invariant in (*reduction.invariants.values(), *reduction.dependent_invariants.values()):
        free = {u: sp.Dummy(positive=True) for u in reduction.original.fields}
        change = reduction.generator.apply(invariant).xreplace(free)
        numbers = {s: sp.Float(str(target.draw(0.4, 1.6)), DIGITS) for s in sorted(change.free_symbols, key=str)}
        terms = [sp.N(term.xreplace(numbers), DIGITS) for term in sp.Add.make_args(sp.expand(change))]
        worst = max(worst, float(abs(sum(terms)) / (1 + sum(map(abs, terms)))))
    return worst
