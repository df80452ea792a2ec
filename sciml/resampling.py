"""Resampler: how points of the objective are chosen anew while a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import sympy as sp
from torch import nn

from sciml.errors import PointsError, SolverError
from sciml.ibvp import IBVP
from sciml.least_squares import DampedFactor
from sciml.points import PointSet
from sciml.validation import outside_of


@dataclass(frozen=True, eq=False)
class TrainingView:
    """What a trainer knows beyond the network and its points; told to a resampler that has a method `inform(view)`.

    Attributes:
        scale: λ by name of component or term.
        coefficients: Present values of the unknown coefficients.
        factor: Factor of the last damped Gauss-Newton step, on the rows of that step; None where there is none.
    """

    scale: Mapping[str, float] = field(default_factory=dict)
    coefficients: Mapping[sp.Symbol, float] = field(default_factory=dict)
    factor: DampedFactor | None = None


def check_points(problem: IBVP, points: Any, source: str = "the caller") -> None:
    """Refuse what are no points of a problem.

    Args:
        problem: The problem.
        points: What should be points to train on.
        source: Where they come from, for the message.

    Raises:
        PointsError: If they are no `PointSet`, belong to another problem, or lie outside of the domain.
    """
    fix = "sample(problem), or the points that a resampler was given"
    if not isinstance(points, PointSet):
        raise PointsError("a PointSet", f"{type(points).__name__} from {source}", fix)
    drawn = {name for name, kind in zip(points.terms, points.term_kinds, strict=True) if kind != "observation"}
    strange = drawn - {term.name for term in problem.terms}
    columns = len(problem.coordinates)
    if strange or points.coordinates.shape[1] != columns:
        given = f"{', '.join(sorted(strange)) or 'the same terms'} in {points.coordinates.shape[1]} columns"
        raise PointsError(f"points of the problem, with {columns} columns", f"{given} from {source}", fix)
    outside = outside_of(problem, points.coordinates)
    if outside.any():
        place = ", ".join(f"{value:.6g}" for value in points.coordinates[outside][0])
        given = f"{int(outside.sum())} of {len(points)} outside, the first at ({place}), from {source}"
        raise PointsError("points inside the domain", given, "draw them with sample(problem), or reject those outside")


def check_model(model: Any) -> None:
    """Refuse what is no module whose residuals could be looked at.

    Args:
        model: What should be the solved fields as a module.

    Raises:
        SolverError: If it is no torch module.
    """
    if not isinstance(model, nn.Module):
        raise SolverError("a torch module as model", type(model).__name__, "resample(problem, network, points)")


class Resampler(Protocol):
    """Chooses points from the problem, the present model and the present points.

    A trainer calls `resample` after every `every` steps, or as its optimiser likes where that is None; a
    user's own loop may call it at any time.
    Points that stay keep their IDs, new ones get new IDs, and the weights of every term sum to 1.
    """

    every: int | None

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The points to train on from now."""
        ...
