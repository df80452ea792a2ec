"""Comparison of a solution with a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.callables import data_expression
from sciml.errors import ProblemError
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.sampling import unit_points
from sciml.terms import free_constant, rationalise


@dataclass(frozen=True)
class ErrorReport:
    """Error of a solution against a reference, per field.

    Attributes:
        relative_l2: |u - v|₂ / |v|₂ over the points; the absolute root mean square where v vanishes.
        maximum: max |u - v|, in the field's unit.
        points: Number of points.
    """

    relative_l2: dict[str, float]
    maximum: dict[str, float]
    points: int

    def __repr__(self) -> str:
        """One line per field."""
        return "\n".join(
            f"{name}: relative L2 {value:.3e}, max {self.maximum[name]:.3e} ({self.points} points)"
            for name, value in self.relative_l2.items()
        )


def reference_values(problem: IBVP, reference: Any, points: np.ndarray) -> np.ndarray:
    """Values of a reference, columns in the order of the problem's fields.

    Args:
        problem: The problem.
        reference: A solution (anything with `problem` and `evaluate`), an expression, or {field: expression}.
        points: (n, d).

    Returns:
        (n, m).

    Raises:
        ProblemError: If a field has no reference.
    """
    if hasattr(reference, "evaluate") and hasattr(reference, "problem"):
        names = reference.problem.field_names
        axes = [tuple(map(str, p.coordinates)) for p in (problem, reference.problem)]
        if axes[0] != axes[1]:
            raise ProblemError(f"a reference over the coordinates {axes[0]}", str(axes[1]), "in the same order")
        if set(problem.field_names) - set(names):
            raise ProblemError(f"a reference with the fields {problem.field_names}", str(names), "")
        return reference.evaluate(points)[:, [names.index(name) for name in problem.field_names]]
    given = reference if isinstance(reference, Mapping) else {problem.fields[0]: reference}
    missing = [str(known) for known in problem.fields if known not in given]
    if missing:
        raise ProblemError("a solution, an expression, or {field: expression}", f"nothing for {', '.join(missing)}", "")
    columns = [
        evaluate_data(
            problem.substitute(
                rationalise(data_expression(given[known], problem.coordinates, f"the reference of {known}"))
            ),
            problem.coordinates,
            points,
            problem.bounds,
        )
        for known in problem.fields
    ]
    return np.stack(columns, axis=1)


def without_constant(problem: IBVP, evaluate: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> np.ndarray:
    """Field values, where fields that are free up to a constant (a pressure) lose their mean over space.

    With time the constant is one for each instant; its mean is taken over 32 places.

    Args:
        problem: The problem.
        evaluate: Points (n, d) to values (n, m).
        points: (n, d).

    Returns:
        (n, m).
    """
    values = np.array(evaluate(points))
    free = [i for i, known in enumerate(problem.fields) if free_constant(problem, known)]
    if not free:
        return values
    if problem.time is None:
        values[:, free] -= values[:, free].mean(axis=0)
        return values
    places = problem.domain.sample(32, seed=0)
    times, index = np.unique(points[:, -1], return_inverse=True)
    grid = np.column_stack([np.tile(places, (len(times), 1)), np.repeat(times, len(places))])
    means = evaluate(grid)[:, free].reshape(len(times), len(places), len(free)).mean(axis=1)
    values[:, free] -= means[index]
    return values


def compare_values(problem: IBVP, mine: np.ndarray, theirs: np.ndarray) -> ErrorReport:
    """Relative L2 and maximum error per field.

    Args:
        problem: The problem.
        mine: (n, m), see `without_constant`.
        theirs: (n, m), the reference.

    Returns:
        The report.
    """
    relative, maximum = {}, {}
    for i, name in enumerate(problem.field_names):
        difference, scale = mine[:, i] - theirs[:, i], theirs[:, i]
        size = np.linalg.norm(scale)
        norm = size if size > 1e-14 * np.sqrt(len(scale)) else np.sqrt(len(scale))
        relative[name] = float(np.linalg.norm(difference) / norm)
        maximum[name] = float(np.abs(difference).max())
    return ErrorReport(relative, maximum, len(mine))


def comparison_points(problem: IBVP, count: int = 4096, seed: int = 20) -> np.ndarray:
    """Sobol points of the domain and time interval, (n, d), the same for every solution."""
    if problem.time is None:
        return problem.domain.sample(count, seed=seed)
    start, end = problem.bounds[-1]
    times = start + (end - start) * unit_points(count, 1, "sobol", seed + 1)[:, 0]
    return np.column_stack([problem.domain.sample(count, seed=seed), times])
