"""Check of a linearising map: images of solutions of the linear equation, put into the original one."""

from __future__ import annotations

import random
from decimal import Decimal, DecimalException, localcontext
from typing import Any

import sympy as sp

from sciml.errors import SolverError
from solvers.symmetry.graph_jets import GraphJets
from solvers.symmetry.manifold import SolutionManifold, residual
from solvers.symmetry.substitution import residual_size
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, Value


def defect_on_solutions(change: Any, seed: int = 0) -> float:
    """Largest relative residual of the original equation; see `LinearisingMap.defect`.

    Where the coordinates change explicitly, the target is the heat equation and sums of its exponential solutions
    are put in. Otherwise random formal solutions of the linear equation are used, as power series with 60 digits.

    Args:
        change: The map; only its formulas are used.
        seed: Seed of the random numbers.

    Returns:
        About 1e-45 for a right map.
    """
    if any(change.forward.get(y, y) != y for y in change.new_coordinates) and not change.graph:
        return _concrete(change, seed)
    return _formal(change, seed)


def _concrete(change: Any, seed: int) -> float:
    y, s = change.new_coordinates
    source = random.Random(seed)
    first, second, third = (sp.Rational(source.randint(2, 9), 7) for _ in range(3))
    solution = sp.exp(first * y + first**2 * s) + 2 * sp.exp(-second * y + second**2 * s) + third * (y**2 + 2 * s) + 3
    heat = residual(change.new_equation).subs(change.new_field, solution).doit()
    if sp.simplify(heat) != 0:
        raise SolverError("the heat equation as target", str(change.new_equation))
    return residual_size({change.unknown: change.apply(solution)}, [change.equation], seed)


def _formal(change: Any, seed: int) -> float:
    target = SolutionManifold([change.equation], (change.unknown,), change.coordinates, 0, seed)
    order = max(d.derivative_count for d in change.equation.atoms(sp.Derivative))
    frame, w = change.new_coordinates, change.new_field
    helper = sp.Function("helper_", real=True)(frame[0])
    system = [residual(change.new_equation), helper.diff(frame[0], order + 2)]
    graph = change.graph or {**{x: x for x in change.coordinates}, change.unknown: change.formula}
    worst, good = Decimal(0), 0
    with localcontext() as context:
        context.prec = DIGITS
        for attempt in range(12):
            source = SolutionManifold(system, (w, helper), frame, 1, seed + attempt)
            try:
                worst = max(worst, _series_defect(source, target, graph, change))
            except (SeriesDomainError, DecimalException):
                continue
            good += 1
            if good == 2:
                return float(worst)
    raise SolverError("a map that is real at random points", str(change.kind))


def _series_defect(source: SolutionManifold, target: SolutionManifold, graph: dict, change: Any) -> Decimal:
    point, ring, w = source.points[0], source.ring, change.new_field
    jets = {node for e in graph.values() for node in e.atoms(sp.Derivative) if node.expr == w} | {w}
    table: dict[sp.Expr, Value] = dict(point.values)
    stand_in = {}
    for node in jets:
        orders = dict(node.variable_count) if isinstance(node, sp.Derivative) else {}
        stand_in[node] = sp.Dummy()
        table[stand_in[node]] = source.shift(point.fields[0], tuple(int(orders.get(y, 0)) for y in w.args))
    free = set().union(*(e.free_symbols for e in (*graph.values(), change.equation)))
    source.add_parameters(free - set(table) - set(change.coordinates), table)
    memo: dict = {}
    images = {z: ring.evaluate(e.xreplace(stand_in), table, memo) for z, e in graph.items()}
    places = [images[x] for x in change.coordinates]
    chain = GraphJets(ring, source.shift, places, [images[change.unknown]])
    constants = {s: v for s, v in table.items() if isinstance(v, Decimal)}
    start = {x: v if isinstance(v, Decimal) else v[0] for x, v in zip(change.coordinates, places, strict=True)}
    return target.defect(constants | start, chain)
