"""How many points a fit needs, where they lie, and how they are drawn anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from sciml.errors import SolverError
from sciml.ibvp import IBVP
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
    """Sobol points of all terms that have rows, denser at the edges.

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
    return denser_at_edges(problem, kept)


def denser_at_edges(problem: IBVP, points: PointSet) -> PointSet:
    """Evenly drawn points moved towards the ends of every axis, with weights that keep the integrals.

    s in (0, 1) becomes (1 - cos πs)/2, the density of Chebyshev points, with weight (π/2) sin πs: where points lie
    on one side only, a fit is worst. Axes of space count where the domain is their product.

    Args:
        problem: The problem.
        points: Its points, drawn evenly.

    Returns:
        The points with their IDs; observations and fixed points stay.

    Example:
        >>> from sciml import sample
        >>> from sciml.problems import poisson
        >>> problem = poisson.square().problem
        >>> points = denser_at_edges(problem, sample(problem, interior=500))
        >>> x = points.of("pde").coordinates[:, 0]
        >>> bool(0.18 < (x < 0.1).mean() < 0.23), round(float(points.of("pde").weight @ x**2), 2)
        (True, 0.33)
    """
    product = problem.domain.symbolic_bounds is not None
    low, high = np.array(problem.bounds).T
    unit = (points.coordinates - low) / (high - low)
    drawn = np.isin(points.kinds, ("interior", "boundary", "initial"))
    coordinates, weight = points.coordinates.copy(), points.weight.copy()
    for axis in range(0 if product else len(problem.space), len(low)):
        inner = drawn & (unit[:, axis] > 1e-12) & (unit[:, axis] < 1 - 1e-12)  # what lies on a face stays there
        angle = np.pi * unit[inner, axis]
        coordinates[inner, axis] = low[axis] + (high - low)[axis] * np.sin(angle / 2) ** 2
        weight[inner] *= np.pi / 2 * np.sin(angle)
    return replace(points, coordinates=coordinates).with_weight(weight)


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
