"""A network with its hard constraint as one module, so that whoever gets it sees the solved fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

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
        """Field values.

        Args:
            x: (n, d).

        Returns:
            (n, m).
        """
        if self.constraint is None:
            return self.network(x)
        fields = range(len(self.constraint.particular))
        return self.derivative_engine.jets(self, x, [(i, (0,) * x.shape[1]) for i in fields])


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
