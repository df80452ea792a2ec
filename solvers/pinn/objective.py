"""The objective Σ w r² of a network on a set of points, as a function of one flat parameter vector."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from sciml.least_squares import ScaledRows, scale_rows
from sciml.networks.parameters import flat_parameters, load_parameters, trainable
from sciml.points import PointSet
from sciml.residuals import ResidualSystem, Rows, row_jacobian
from sciml.terms import Term
from solvers.pinn.unknowns import UnknownMap


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Loss, its parts and, where asked for, its gradient."""

    loss: float
    gradient: Tensor | None
    parts: dict[str, float]


class Objective:
    """L(θ) = Σ_i w_i r_i(θ)² with θ = (network parameters, free numbers of the unknown coefficients).

    Args:
        system: Rows of the problem, hard constraints included.
        model: The network; its parameters are overwritten by every evaluation.
        unknowns: Map of the unknown coefficients.
        points: Points of the rows.
        scale: λ by name of component or term.
    """

    def __init__(
        self,
        system: ResidualSystem,
        model: nn.Module,
        unknowns: UnknownMap,
        points: PointSet,
        scale: Mapping[str, float],
    ) -> None:
        self.system, self.unknowns, self.scale = system, unknowns, dict(scale)
        self.watch: Callable[[], None] | None = None  # called before every evaluation; may raise to end a step
        self._take(model)
        self.set_points(points)

    def _take(self, model: nn.Module) -> None:
        self.model, self.trainable = model, list(trainable(model).values())
        self.size = sum(p.numel() for p in self.trainable)

    def with_model(self, model: nn.Module) -> Objective:
        """The same rows on the same points for another network; what was prepared is shared.

        Args:
            model: The network.

        Returns:
            Another objective.
        """
        other = copy.copy(self)
        other._take(model)
        return other

    @property
    def _device(self) -> torch.device:
        return self.trainable[0].device if self.trainable else torch.device("cpu")

    def set_points(self, points: PointSet) -> None:
        """Replace the points; data and constraint factors are evaluated once, here."""
        self.points = points
        self.batch = self.system.prepare(points, self._device)
        self._weights: Tensor | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """Terms that have rows."""
        return tuple(item.program.term for item in self.batch)

    def reweight(self, points: PointSet, scale: Mapping[str, float]) -> None:
        """Other weights on the same places; nothing is evaluated anew.

        Args:
            points: The present points with other weights.
            scale: λ by name of component or term.
        """
        self.points, self.scale, self._weights = points, dict(scale), None
        terms = [
            replace(item, weight=torch.tensor(points.of(item.program.term.name).weight, device=item.weight.device))
            for item in self.batch.terms
        ]
        self.batch = replace(self.batch, terms=tuple(terms))

    def start(self) -> Tensor:
        """θ of the network as it is, unknown coefficients at their starts."""
        flat = flat_parameters(self.model)
        return torch.cat([flat, flat.new_zeros(len(self.unknowns), dtype=torch.float64)])

    def load(self, theta: Tensor) -> list[Tensor]:
        """Put θ into the network.

        Args:
            theta: (P,).

        Returns:
            Values of the unknown coefficients.
        """
        if self.watch is not None:
            self.watch()
        load_parameters(self.model, theta[: self.size])
        return self.unknowns.values(theta[self.size :]) if len(self.unknowns) else []

    def weights_of(self, rows: Rows) -> Tensor:
        """Row weights w, (N,); they stay while the points stay."""
        if self._weights is None:
            self._weights = rows.weights(self.scale)
        return self._weights

    def rows(self, theta: Tensor) -> Rows:
        """Residual rows at θ without a graph."""
        values = self.load(theta)
        with torch.no_grad():
            return self.system.rows(self.model, self.batch, values, parameters=False)

    def scaled_residual(self, theta: Tensor) -> Tensor:
        """ρ = √(2w) r, (N,)."""
        rows = self.rows(theta)
        return torch.sqrt(2 * self.weights_of(rows)) * rows.flat().detach()

    def evaluate(self, theta: Tensor, gradient: bool = True) -> Evaluation:
        """Loss, named parts and gradient.

        Args:
            theta: (P,).
            gradient: Whether the gradient is wanted.

        Returns:
            The evaluation.
        """
        if not gradient:
            rows = self.rows(theta)
            return self._evaluation(rows, None)
        rows, inputs = self.graph(theta)
        with torch.enable_grad():
            loss = (self.weights_of(rows) * rows.flat() ** 2).sum()
            gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
        return self._evaluation(rows, torch.cat([g.reshape(-1) for g in gradients]))

    def graph(self, theta: Tensor) -> tuple[Rows, list[Tensor]]:
        """Residual rows at θ with a graph, and the tensors that make up θ."""
        self.load(theta)
        free = theta[self.size :].detach().clone().requires_grad_(True)
        with torch.enable_grad():
            values = self.unknowns.values(free) if len(self.unknowns) else []
            rows = self.system.rows(self.model, self.batch, values)
        return rows, [*self.trainable, *([free] if len(self.unknowns) else [])]

    def component_gradients(self, theta: Tensor, scale: Mapping[str, float]) -> dict[str, Tensor]:
        """Gradient of λ_c Σ_n weight_n r_nc² for every component c.

        Args:
            theta: θ, (P,).
            scale: λ; the weights of the points enter as they are.

        Returns:
            Component -> (P,).
        """
        rows, inputs = self.graph(theta)
        found = {}
        with torch.enable_grad():
            for term in rows.terms:
                for name, square in zip(term.components, term.mean_square(), strict=True):
                    parts = torch.autograd.grad(
                        square, inputs, retain_graph=True, allow_unused=True, materialize_grads=True
                    )
                    factor = scale.get(name, scale.get(term.name, 1.0))
                    found[name] = factor * torch.cat([part.reshape(-1) for part in parts])
        return found

    def _evaluation(self, rows: Rows, gradient: Tensor | None) -> Evaluation:
        parts = {}
        for term in rows.terms:
            squares = term.mean_square().detach()
            for name, square in zip(term.components, squares.tolist(), strict=True):
                parts[name] = self.scale.get(name, self.scale.get(term.name, 1.0)) * square
        return Evaluation(sum(parts.values()), gradient, parts)

    def linearise(self, theta: Tensor) -> ScaledRows:
        """A = √(2w) J and ρ = √(2w) r at θ."""
        values = self.load(theta)
        residual, jacobian = row_jacobian(self.system, self.model, self.batch, values)
        if len(self.unknowns):
            jacobian[:, self.size :] *= self.unknowns.slopes(theta[self.size :])
        if self._weights is None:
            self.weights_of(self.rows(theta))
        assert self._weights is not None
        return scale_rows(residual, jacobian, self._weights, overwrite=True)

    def worst(self, theta: Tensor) -> tuple[str, np.ndarray]:
        """Component and point of the largest, or of a non-finite, weighted residual."""
        rows = self.rows(theta)
        size = torch.nan_to_num(torch.sqrt(self.weights_of(rows)) * rows.flat().abs(), nan=torch.inf)
        row = int(size.argmax())
        return str(rows.labels[row]), self.points.locate([int(rows.ids[row])])[0]
