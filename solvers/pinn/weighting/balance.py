"""Weights by term: gradients or tangent kernels of all components brought to one size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.points import PointSet
from solvers.pinn.objective import Objective
from solvers.pinn.weighting.scheme import Weighting


class _Balance(Weighting):
    """Schemes with one factor per component, followed by a moving average."""

    active = True

    def __init__(self, every: int, average: float) -> None:
        super().__init__()
        if every < 1 or not 0 <= average < 1:
            raise SolverError("every >= 1 and 0 <= average < 1", f"every={every}, average={average}", "")
        self.every, self.average = every, average

    def update(self, objective: Objective, theta: Tensor, points: PointSet, scale: Mapping[str, float]) -> None:
        """Move the factors towards those that the scheme asks for."""
        self._learn(objective)
        objective.reweight(points, scale)
        for name, target in self.targets(objective, theta, scale).items():
            if np.isfinite(target):  # a term without gradient keeps its factor
                old = self.components.get(name)
                self.components[name] = target if old is None else self.average * old + (1 - self.average) * target

    def targets(self, objective: Objective, theta: Tensor, scale: Mapping[str, float]) -> dict[str, float]:
        """Factors by the definition of the scheme."""
        raise NotImplementedError


class GradientNorm(_Balance):
    """Factors that bring the gradients of conditions to the size of that of the equations.

    m_i = max|∇L_equations| / mean|∇L_i|, smoothed by a moving average (Wang, Teng & Perdikaris 2021, arXiv
    2001.04536, algorithm 1); the equations keep the factor 1.

    Args:
        every: Steps between updates; more often, factors follow gradients that are small by chance.
        average: Share of the old factor that is kept; the first factor is taken as it is.

    Raises:
        SolverError: If a number is out of range.

    Example:
        >>> GradientNorm(every=200).every
        200
    """

    def __init__(self, every: int = 100, average: float = 0.9) -> None:
        super().__init__(every, average)

    def targets(self, objective: Objective, theta: Tensor, scale: Mapping[str, float]) -> dict[str, float]:
        """max|∇L_equations| / mean|∇L_i|.

        Args:
            objective: The objective.
            theta: θ.
            scale: λ.

        Returns:
            Condition -> factor.
        """
        gradients = objective.component_gradients(theta, scale)
        equations = {name for _, kind, components in self._terms if kind == "interior" for name in components}
        largest = float(torch.stack([g for name, g in gradients.items() if name in equations]).sum(dim=0).abs().max())
        return {
            name: largest / mean if (mean := float(g.abs().mean())) > 0 else float("inf")
            for name, g in gradients.items()
            if name not in equations
        }


class NeuralTangentKernel(_Balance):
    """Factors that give every component the same trace of the neural tangent kernel.

    m_i = Σ_j tr K_j / tr K_i, K_i = J_i W_i J_iᵀ with the quadrature weights W_i, so that numbers of points do not
    enter (Wang, Yu & Perdikaris 2022, arXiv 2007.14527, section 7).

    Args:
        every: Steps between updates; each costs one Jacobian.
        average: Share of the old factor that is kept.

    Raises:
        SolverError: If a number is out of range.
    """

    def __init__(self, every: int = 100, average: float = 0.0) -> None:
        super().__init__(every, average)

    def targets(self, objective: Objective, theta: Tensor, scale: Mapping[str, float]) -> dict[str, float]:
        """Traces: tr K / tr K_i.

        Args:
            objective: The objective.
            theta: θ.
            scale: λ.

        Returns:
            Component -> factor.
        """
        squares = objective.linearise(theta).row_squares().cpu().numpy() / 2
        labels = objective.rows(theta).labels
        traces = {name: float(squares[labels == name].sum()) for name in dict.fromkeys(labels)}
        total = sum(traces.values())
        return {name: total / trace if trace > 0 else float("inf") for name, trace in traces.items()}
