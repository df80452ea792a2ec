"""How many points a fit needs, where they lie, and how they are drawn anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from sciml.errors import SolverError
from sciml.hole_points import denser_near_holes
from sciml.ibvp import IBVP
from sciml.placing import denser_at_edges
from sciml.points import PointSet, sample

CONDITION_SHARE = 0.25  # of the rows, where conditions are soft


@dataclass(frozen=True)
class Counts:
    """Numbers of points for `sample`."""

    interior: int
    boundary: int
    initial: int


def counts_for_rows(problem: IBVP, satisfied: Collection[str], rows: int) -> Counts:
    """Numbers of points that give about so many residual rows.

    Args:
        problem: The problem.
        satisfied: Terms that a hard constraint meets exactly; they get no rows.
        rows: Rows wanted.

    Returns:
        The numbers.
    """
    drawn = ("boundary", "initial", "point") if problem.time is not None else ("boundary", "initial")
    soft = [term for term in problem.terms if term.name not in satisfied and term.kind in drawn]
    per_point = sum(len(term.components) for term in soft)
    conditions = max(20, round(CONDITION_SHARE * rows / per_point)) if soft else 0
    interior = max(50, round((rows - conditions * per_point) / len(problem.equations)))
    return Counts(interior, conditions, conditions)


def counts_of(points: PointSet) -> Counts:
    """Numbers of points in the largest term of each kind."""
    sizes = {"interior": 0, "boundary": 0, "initial": 0}
    for name, kind in zip(points.terms, points.term_kinds, strict=True):
        if kind in sizes:
            sizes[kind] = max(sizes[kind], int(points.mask(name).sum()))
    return Counts(**sizes)


def draw(problem: IBVP, satisfied: Collection[str], counts: Counts, seed: int) -> PointSet:
    """Sobol points of all terms that have rows, denser at the edges and near holes.

    Args:
        problem: The problem.
        satisfied: Terms without rows.
        counts: Numbers of points.
        seed: Seed.

    Returns:
        The points; weights of every term sum to 1.

    Raises:
        SolverError: If nothing is left to fit.
    """
    points = sample(
        problem, interior=counts.interior, boundary=counts.boundary, initial=counts.initial, method="sobol", seed=seed
    )
    kept = keep_terms(points, [name for name in points.terms if name not in satisfied])
    if not len(kept):
        raise SolverError("at least one residual row", "no points in any term", "give more points")
    return denser_at_edges(problem, denser_near_holes(problem, kept, seed))


def keep_terms(points: PointSet, names: Collection[str]) -> PointSet:
    """The entries of some terms; the names of all terms stay."""
    wanted = np.isin(points.term, [i for i, name in enumerate(points.terms) if name in names])
    columns = ("coordinates", "ids", "term", "weight", "value")
    return replace(points, **{name: getattr(points, name)[wanted] for name in columns})


def renewed(points: PointSet, fresh: PointSet) -> PointSet:
    """`fresh` in place of all drawn points, with new IDs; measured and fixed points stay as they are.

    Args:
        points: The present points.
        fresh: Newly drawn points of the same problem.

    Returns:
        A new set, in which no old ID stands for a new place.
    """
    measured = [n for n, kind in zip(points.terms, points.term_kinds, strict=True) if kind in ("observation", "point")]
    stay = keep_terms(points, measured)
    new = keep_terms(fresh, [name for name in fresh.terms if name not in measured])
    renumbered = replace(new, ids=new.ids + points.next_id, next_id=new.next_id + points.next_id)
    return stay.merge(renumbered) if len(stay) else renumbered
