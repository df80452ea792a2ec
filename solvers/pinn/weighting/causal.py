"""Weights by time: the present counts once the past is right."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.points import PointSet
from solvers.pinn.objective import Objective
from solvers.pinn.weighting.scheme import Weighting, squared_residuals


class Causal(Weighting):
    """Equations later in time count only when those before are met: factor exp(-ε Σ_{k<i} L_k) in time bin i.

    L_k is the mean of λr² in bin k, L_0 that of soft initial terms. When every factor exceeds 0.99 the next, larger
    ε is taken; after the last one the weights are settled (Wang, Sankaran & Perdikaris 2024, arXiv 2203.07404).

    Args:
        bins: Number of time bins.
        strengths: The values of ε, increasing.
        every: Steps between updates.

    Raises:
        SolverError: If a number is out of range, or the problem has no time.

    Example:
        >>> Causal(bins=16).settled
        False
    """

    active = True

    def __init__(
        self, bins: int = 32, strengths: tuple[float, ...] = (1e-2, 1e-1, 1.0, 10.0, 100.0), every: int = 1
    ) -> None:
        super().__init__()
        rising = all(a < b for a, b in pairwise(strengths))
        if bins < 2 or every < 1 or not strengths or not rising or not strengths[0] > 0:
            given = f"bins={bins}, strengths={strengths}, every={every}"
            raise SolverError("bins >= 2, every >= 1, positive and increasing strengths", given, "Causal(bins=32)")
        self.bins, self.strengths, self.every = bins, tuple(strengths), every
        self.stage, self.factor = 0, torch.ones(bins, dtype=torch.float64)

    @property
    def settled(self) -> bool:  # type: ignore[override]
        """Whether every factor exceeds 0.99 under the largest ε."""
        return self.stage >= len(self.strengths)

    def update(self, objective: Objective, theta: Tensor, points: PointSet, scale: Mapping[str, float]) -> None:
        """Factors of the bins from the residuals as they are."""
        self._learn(objective)
        problem = objective.system.problem
        if problem.time is None:
            raise SolverError("a problem with time for causal weights", "a steady problem", "leave weighting out")
        squares = squared_residuals(objective, theta, scale)
        start, end = problem.bounds[-1]
        losses = torch.zeros(self.bins, dtype=torch.float64)
        places = {}
        for name, kind, _ in self._terms:
            if kind == "interior":
                time = torch.tensor(points.of(name).coordinates[:, -1])
                places[name] = ((time - start) / (end - start) * self.bins).long().clamp(0, self.bins - 1)
                weight = torch.tensor(points.of(name).weight)
                mass = torch.zeros_like(losses).index_add(0, places[name], weight)
                total = torch.zeros_like(losses).index_add(0, places[name], weight * squares[name])
                losses += torch.where(mass > 0, total / mass.clamp(min=1e-300), 0.0)
        first = sum(float(squares[name].mean()) for name, kind, _ in self._terms if kind == "initial")
        before = first + torch.cumsum(losses, 0) - losses
        while self.stage < len(self.strengths):
            self.factor = torch.exp(-self.strengths[self.stage] * before)
            if float(self.factor.min()) <= 0.99:
                break
            self.stage += 1
        if self.settled:
            self.factor = torch.exp(-self.strengths[-1] * before)
        self.points = {name: self.factor[place] for name, place in places.items()}

    def state(self) -> dict[str, Any]:
        """Stage and factors."""
        return {**super().state(), "stage": self.stage, "factor": self.factor}

    def load_state(self, state: Mapping[str, Any], objective: Objective) -> None:
        """Continue from `state()`."""
        super().load_state(state, objective)
        self.stage, self.factor = int(state["stage"]), state["factor"]
