"""A network with its hard constraint as one module, so that whoever gets it sees the solved fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.jets import Jet
from sciml.residuals.engines import choose_engine
from sciml.residuals.lift import HardConstraint


class ConstrainedNetwork(nn.Module):
    """u = G + φN as a module from coordinates to fields; `ResidualSystem` takes its jets from it.

    Args:
        network: N.
        constraint: G and φ; None for u = N.
    """

    def __init__(self, network: nn.Module, constraint: HardConstraint | None) -> None:
        super().__init__()
        self.network, self.constraint = network, constraint
        self.derivative_engine = _ConstrainedEngine()

    def forward(self, x: Tensor) -> Tensor:
        """Field values; autograd finds their first derivatives with respect to x, and refuses higher ones.

        Args:
            x: (n, d).

        Returns:
            (n, m).
        """
        if self.constraint is None:
            return self.network(x)
        size, fields = x.shape[1], range(len(self.constraint.particular))
        place = x.detach()
        values = self.derivative_engine.jets(self, place, [(i, (0,) * size) for i in fields])
        if not (torch.is_grad_enabled() and x.requires_grad):
            return values
        first = [(i, tuple(int(j == k) for j in range(size))) for i in fields for k in range(size)]
        with torch.no_grad():
            slopes = self.derivative_engine.jets(self, place, first, parameters=False)
        return _Slope.apply(x, values, slopes.reshape(len(x), len(fields), size))


class _Slope(torch.autograd.Function):
    """Values with given derivatives: G and φ are evaluated outside of torch, so autograd cannot find theirs."""

    @staticmethod
    def forward(context: Any, x: Tensor, values: Tensor, slopes: Tensor) -> Tensor:
        """The values (n, m)."""
        context.save_for_backward(x, values, slopes)
        return values.clone()

    @staticmethod
    def backward(context: Any, cotangent: Tensor) -> tuple[Tensor, Tensor, None]:
        """Cotangents of x and of the values."""
        x, values, slopes = context.saved_tensors
        return _Last.apply(x, values, (cotangent[:, :, None] * slopes).sum(dim=1)), cotangent, None


class _Last(torch.autograd.Function):
    """A derivative with respect to x that cannot be differentiated once more, by x or by the network's parameters."""

    @staticmethod
    def forward(context: Any, x: Tensor, values: Tensor, derivative: Tensor) -> Tensor:
        """The derivative."""
        return derivative.clone()

    @staticmethod
    def backward(context: Any, cotangent: Tensor) -> tuple[None, None, None]:
        """Refused: it would silently lack what depends on the slopes."""
        raise SolverError(
            "at most first derivatives by autograd of a network with hard constraints", "a second one",
            "ResidualSystem(problem).rows(model, points) or solution.derivative(u.diff(x, 2), points)",
        )  # fmt: skip


class _ConstrainedEngine:
    """Jets of u from jets of N; nothing is kept between calls."""

    def jets(self, model: ConstrainedNetwork, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        inner = choose_engine(model.network)
        if model.constraint is None:
            return inner.jets(model.network, points, needed, parameters)
        values = inner.jets(model.network, points, model.constraint.network_jets(needed), parameters)
        lifts = model.constraint.prepare(points.detach().cpu().numpy(), needed, points.device)
        return model.constraint.apply(lifts, values)

    def pullback(self, model: ConstrainedNetwork, points: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        inner = choose_engine(model.network)
        if model.constraint is None:
            return inner.pullback(model.network, points, needed, cotangent)
        lifts = model.constraint.prepare(points.detach().cpu().numpy(), needed, points.device)
        turned = model.constraint.transpose(lifts, cotangent)
        return inner.pullback(model.network, points, model.constraint.network_jets(needed), turned)

    def tangent_map(
        self, model: ConstrainedNetwork, points: Tensor, needed: Sequence[Jet]
    ) -> Callable[[Tensor], Tensor]:
        inner = choose_engine(model.network)
        constraint = model.constraint
        if constraint is None:
            return inner.tangent_map(model.network, points, needed)
        change = inner.tangent_map(model.network, points, constraint.network_jets(needed))
        lifts = constraint.prepare(points.detach().cpu().numpy(), needed, points.device)
        return lambda tangent: constraint.apply(lifts, change(tangent), homogeneous=True)
