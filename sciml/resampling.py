"""Resampler: how points of the objective are chosen anew while a network is trained."""

from __future__ import annotations

from typing import Any, Protocol

from sciml.ibvp import IBVP
from sciml.points import PointSet


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
