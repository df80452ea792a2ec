"""TrainingRecord of a network: residual rows and Jacobian as functions of the flat parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import sympy as sp
import torch
from torch import Tensor, nn
from torch.func import functional_call

from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.points import PointSet
from sciml.record import RowMap, TrainingRecord
from sciml.residuals import HardConstraint, ResidualSystem, choose_engine, row_jacobian
from solvers.pinn.gauge import gauged


class _Rows(nn.Module):
    """Rows of a network as a module, so that `functional_call` can put other parameters in."""

    def __init__(self, system: ResidualSystem, model: nn.Module, points: PointSet) -> None:
        super().__init__()
        self.model, self.system, self.batch = model, system, system.prepare(points)

    def forward(self, unknowns: Sequence[Tensor]) -> Tensor:
        """Residuals (N,)."""
        return self.system.rows(self.model, self.batch, unknowns).flat()


class _Jets(nn.Module):
    """Jets of the solved fields as a module."""

    def __init__(self, constraint: HardConstraint | None, model: nn.Module) -> None:
        super().__init__()
        self.model, self.constraint = model, constraint

    def forward(self, points: Tensor, needed: Sequence[Jet]) -> Tensor:
        """Jets (n, k)."""
        engine = choose_engine(self.model)
        if self.constraint is None:
            return engine.jets(self.model, points, needed)
        inner = engine.jets(self.model, points, self.constraint.network_jets(needed))
        return self.constraint.apply(self.constraint.prepare(points.detach().numpy(), needed), inner)


def make_record(
    problem: IBVP,
    model: nn.Module,
    constraint: HardConstraint | None,
    points: PointSet,
    scale: Mapping[str, float],
    coefficients: Mapping[sp.Symbol, float],
) -> TrainingRecord:
    """The objective of a trained network.

    Args:
        problem: The problem.
        model: The network in its final state; copied, so that evaluations leave it alone.
        constraint: Hard constraint.
        points: Points of the final objective.
        scale: λ by component name.
        coefficients: Unknown coefficients; they are the last parameters, as values, not as free numbers.

    Returns:
        The record.
    """
    own = copy.deepcopy(model)
    system = ResidualSystem(gauged(problem), constraint)
    module = _Rows(system, own, points)
    shapes = [(name, p.shape, p.numel()) for name, p in own.named_parameters() if p.requires_grad]
    size = sum(number for _, _, number in shapes)

    def named(theta: Tensor) -> dict[str, Tensor]:
        pieces = torch.split(theta[:size], [number for _, _, number in shapes])
        return {f"model.{name}": piece.view(shape) for (name, shape, _), piece in zip(shapes, pieces, strict=True)}

    def residual(theta: Tensor) -> Tensor:
        return functional_call(module, named(theta), (list(theta[size:].unbind()),))

    def jacobian(theta: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            for (name, _, _), piece in zip(shapes, named(theta).values(), strict=True):
                own.get_parameter(name).copy_(piece)
        return row_jacobian(system, own, module.batch, list(theta[size:].detach().unbind()))

    def quantity(theta: Tensor, where: Tensor, needed: Sequence[Jet]) -> Tensor:
        return functional_call(_Jets(constraint, own), named(theta), (where, needed))

    flat = [p.detach().reshape(-1) for p in model.parameters() if p.requires_grad]
    values = torch.tensor([float(coefficients[symbol]) for symbol in problem.unknowns], dtype=torch.float64)
    theta = torch.cat([*flat, values])
    with torch.no_grad():
        rows = system.rows(own, module.batch, list(values.unbind()), parameters=False)
    return TrainingRecord(
        parameters=theta,
        points=points,
        rows=RowMap(residual, jacobian, rows.ids, rows.labels),
        weights=rows.weights(scale),
        constraint=constraint,
        unknowns=tuple(symbol.name for symbol in problem.unknowns),
        quantity=quantity,
    )
