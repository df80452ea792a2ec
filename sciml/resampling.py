"""Resampler: how points of the objective are chosen anew while a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import sympy as sp

from sciml.ibvp import IBVP
from sciml.least_squares import DampedFactor
from sciml.points import PointSet


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
