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
from sciml.networks.parameters import load_parameters, parameter_views
from sciml.points import PointSet
from sciml.record import RowMap, TrainingRecord
from sciml.residuals import (
    ConstrainedNetwork,
    HardConstraint,
    ResidualSystem,
    RowProducts,
    Rows,
    choose_engine,
    row_jacobian,
)
from sciml.residuals.jacobian import split_jacobian
from sciml.terms import Term
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

    def __init__(self, model: ConstrainedNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, points: Tensor, needed: Sequence[Jet]) -> Tensor:
        """Jets (n, k)."""
        return choose_engine(self.model).jets(self.model, points, needed)


class _Recorder:
    """Everything that a record may ask of a network, as functions of θ = (network parameters, coefficients)."""

    def __init__(self, problem: IBVP, model: nn.Module, constraint: HardConstraint | None) -> None:
        self.problem, self.model, self.constraint = problem, model, constraint
        self.solved = ConstrainedNetwork(model, constraint)
        self.jets = _Jets(self.solved)
        self.size = sum(p.numel() for p in model.parameters() if p.requires_grad)

    def _load(self, theta: Tensor) -> list[Tensor]:
        load_parameters(self.model, theta[: self.size].detach())
        return list(theta[self.size :].detach().unbind())

    def _call(self, module: nn.Module, prefix: str, theta: Tensor, *arguments: object) -> Tensor:
        views = parameter_views(self.model, theta[: self.size])
        return functional_call(module, {prefix + name: view for name, view in views.items()}, arguments)

    def rows(self, points: PointSet, terms: Sequence[Term] | None = None) -> RowMap:
        """The rows of points as functions of θ."""
        system = ResidualSystem(self.problem, self.constraint, terms=terms)
        module = _Rows(system, self.model, points)
        batch = module.batch
        with torch.no_grad():
            rows: Rows = system.rows(self.model, batch, parameters=False)
        return RowMap(
            residual=lambda theta: self._call(module, "model.", theta, list(theta[self.size :].unbind())),
            jacobian=lambda theta: row_jacobian(system, self.model, batch, self._load(theta)),
            ids=rows.ids,
            labels=rows.labels,
            products=lambda theta: RowProducts(system, self.model, batch, self._load(theta)),
            split=lambda theta: split_jacobian(system, self.model, batch, self._load(theta)),
            at=self.rows,
        )

    def quantity(self, theta: Tensor, where: Tensor, needed: Sequence[Jet]) -> Tensor:
        """Jets of the solved fields (n, k), differentiable in θ."""
        return self._call(self.jets, "model.network.", theta, where, needed)

    def pullback(self, theta: Tensor, where: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """Per point, gradients in θ of weighted sums of the jets: (n, c, P)."""
        self._load(theta)
        rows = choose_engine(self.solved).pullback(self.solved, where, needed, cotangent)
        return torch.nn.functional.pad(rows, (0, len(theta) - self.size))


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
    recorder = _Recorder(gauged(problem), copy.deepcopy(model), constraint)
    flat = [p.detach().reshape(-1) for p in model.parameters() if p.requires_grad]
    values = torch.tensor([float(coefficients[symbol]) for symbol in problem.unknowns], dtype=torch.float64)
    rows = recorder.rows(points)
    return TrainingRecord(
        parameters=torch.cat([*flat, values]),
        points=points,
        rows=rows,
        weights=_weights(recorder, points, scale),
        constraint=constraint,
        unknowns=tuple(symbol.name for symbol in problem.unknowns),
        quantity=recorder.quantity,
        pullback=recorder.pullback,
        problem=recorder.problem,
    )


def _weights(recorder: _Recorder, points: PointSet, scale: Mapping[str, float]) -> Tensor:
    """w, (N,), by the one rule that the trainer uses."""
    system = ResidualSystem(recorder.problem, recorder.constraint)
    with torch.no_grad():
        return system.rows(recorder.model, points, parameters=False).weights(scale)
