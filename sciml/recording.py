"""TrainingRecord of a network: residual rows and Jacobian as functions of the flat parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import sympy as sp
import torch
from torch import Tensor, nn
from torch.func import functional_call

from sciml.errors import SolverError
from sciml.ibvp import IBVP, require_ibvp
from sciml.jets import Jet
from sciml.networks.checking import check_module
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
from sciml.shared_rows import shared_rows
from sciml.terms import Term


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
            scaled=None if terms else shared_rows(self.problem, self.model, self.constraint, points),
            again=(_Recorder.rows, (self, points, terms)),
        )

    def quantity(self, theta: Tensor, where: Tensor, needed: Sequence[Jet]) -> Tensor:
        """Jets of the solved fields (n, k), differentiable in θ."""
        return self._call(self.jets, "model.network.", theta, where, needed)

    def pullback(self, theta: Tensor, where: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """Per point, gradients in θ of weighted sums of the jets: (n, c, P)."""
        self._load(theta)
        rows = choose_engine(self.solved).pullback(self.solved, where, needed, cotangent)
        return torch.nn.functional.pad(rows, (0, len(theta) - self.size))


def record_of(
    problem: IBVP,
    model: nn.Module,
    points: PointSet,
    scale: Mapping[str, float] | None = None,
    constraint: HardConstraint | None = None,
    coefficients: Mapping[sp.Symbol, float] | None = None,
) -> TrainingRecord:
    """The objective Σ λ · weight · r² of a network that was trained on points of a problem, by any loop.

    Args:
        problem: The problem, with all conditions that were trained on.
        model: The network in its final state, from (n, d) coordinates to (n, m) fields; copied to the CPU, so that
            evaluations leave it alone.
        points: Points of the final objective.
        scale: λ by name of component or term; 1 where a name is absent.
        constraint: Hard constraint through which the network passes.
        coefficients: Values of the unknown coefficients, the last parameters; their starts when omitted.

    Returns:
        The record, for `Influence`.

    Raises:
        SolverError: If the model is no module or the points are no `PointSet`.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field, sample
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> network = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        >>> record = record_of(problem, network, sample(problem, interior=8, boundary=2))
        >>> len(record.parameters), len(record.weights)
        (13, 10)
    """
    require_ibvp(problem)
    if not isinstance(model, nn.Module) or not isinstance(points, PointSet):
        given = f"{type(model).__name__}, {type(points).__name__}"
        raise SolverError("a torch module and a PointSet", given, "record_of(problem, network, sample(problem))")
    values = {symbol: unknown.start for symbol, unknown in problem.unknowns.items()} | dict(coefficients or {})
    recorder = _Recorder(problem, copy.deepcopy(model).cpu(), constraint)
    flat = [p.detach().reshape(-1) for p in recorder.model.parameters() if p.requires_grad]
    last = torch.tensor([float(values[symbol]) for symbol in problem.unknowns], dtype=torch.float64)
    if len(points):
        check_module(recorder.model, torch.tensor(points.coordinates[:3]), problem.coordinates, len(problem.fields))
    rows = recorder.rows(points)
    return TrainingRecord(
        parameters=torch.cat([*flat, last]),
        points=points,
        rows=rows,
        weights=_weights(recorder, points, scale or {}),
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
