"""Weights that change during a training: by term, by point, by time, or by the directions of the gradients.

A scheme multiplies the weights of the objective, w = λ · quadrature weight, by a factor per component and a factor
per point. The held-out objective keeps the weights without any scheme, so that it stays comparable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.points import PointSet
from solvers.pinn.objective import Objective


class Weighting:
    """Fixed weights, and what every scheme shares.

    Attributes:
        every: Steps between updates under first-order optimisers; others get new weights where they get new points,
            as Gauss-Newton steps and quasi-Newton memory need weights that stay.
        active: Whether anything changes at all.
        first_order_only: Whether only an optimiser that works on gradients alone can follow.
        settled: False while weights still hide part of the problem on purpose.
    """

    every: int = 1
    active = False
    first_order_only = False
    settled = True

    def __init__(self) -> None:
        self.components: dict[str, float] = {}
        self.points: dict[str, Tensor] = {}  # per term, in the order of its entries

    def check(self, optimiser: Any) -> None:
        """Refuse an optimiser that cannot follow.

        Args:
            optimiser: The optimiser.

        Raises:
            SolverError: If it cannot.
        """
        if self.first_order_only and not getattr(optimiser, "first_order", False):
            raise SolverError(
                f"a first-order optimiser with {type(self).__name__}: its direction is no gradient of one loss",
                getattr(optimiser, "name", type(optimiser).__name__),
                'PINN(..., optimiser="adam")',
            )

    def wrap(self, objective: Objective) -> Objective:
        """What the optimiser sees in place of the objective."""
        return objective

    def update(self, objective: Objective, theta: Tensor, points: PointSet, scale: Mapping[str, float]) -> None:
        """New factors.

        Args:
            objective: The objective, on the places of `points`.
            theta: θ.
            points: The points with their quadrature weights.
            scale: λ without the scheme.
        """

    def apply(self, points: PointSet, scale: Mapping[str, float]) -> tuple[PointSet, dict[str, float]]:
        """Weights of the points and λ with the present factors.

        Args:
            points: The points with their quadrature weights.
            scale: λ without the scheme.

        Returns:
            Points whose weights again sum to 1 per term, and λ that carry the rest.
        """
        weight, sums = points.weight.copy(), {}
        for name, factors in self.points.items():
            mask = points.mask(name)
            weight[mask] *= factors.numpy()
            sums[name] = float(weight[mask].sum() / points.weight[mask].sum())
        owner = {component: name for name, _, components in self._terms for component in components}
        new = {n: s * self.components.get(n, 1.0) * sums.get(owner.get(n, n), 1.0) for n, s in scale.items()}
        return points.with_weight(weight), new

    _terms: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def _learn(self, objective: Objective) -> None:
        """Names, kinds and components of the terms that have rows."""
        self._terms = tuple((term.name, term.kind, term.components) for term in objective.terms)

    def state(self) -> dict[str, Any]:
        """Everything needed to continue bit by bit: numbers and tensors."""
        return {
            **{f"component {name}": value for name, value in self.components.items()},
            **{f"points {name}": value for name, value in self.points.items()},
        }

    def load_state(self, state: Mapping[str, Any], objective: Objective) -> None:
        """Continue from `state()`."""
        self._learn(objective)
        self.components = {k[10:]: float(v) for k, v in state.items() if k.startswith("component ")}
        self.points = {k[7:]: v for k, v in state.items() if k.startswith("points ")}


def squared_residuals(objective: Objective, theta: Tensor, scale: Mapping[str, float]) -> dict[str, Tensor]:
    """Σ_c λ_c r_c² at every point, by term.

    Args:
        objective: The objective.
        theta: θ.
        scale: λ.

    Returns:
        Term -> (n,).
    """
    found = {}
    for term in objective.rows(theta).terms:
        factors = [scale.get(name, scale.get(term.name, 1.0)) for name in term.components]
        found[term.name] = (term.values.detach().cpu() ** 2) @ torch.tensor(factors, dtype=torch.float64)
    return found
