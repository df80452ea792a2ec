"""Peers of the influence benchmark: captum's influence functions on the same network, rows and weights."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from solvers.pinn.solution import PINNSolution

try:
    from captum.influence._core.arnoldi_influence_function import ArnoldiInfluenceFunction
    from captum.influence._core.influence_function import NaiveInfluenceFunction
except ImportError:
    ArnoldiInfluenceFunction = NaiveInfluenceFunction = None

# name -> class, options; "damped" has a high rank and the damping of the refits
PEERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "captum Arnoldi, defaults": (ArnoldiInfluenceFunction, {}),
    "captum Arnoldi, damped": (
        ArnoldiInfluenceFunction,
        {"projection_dim": 200, "arnoldi_dim": 400, "arnoldi_tol": 1e-6},
    ),
    "captum Naive, defaults": (NaiveInfluenceFunction, {}),
    "captum Naive, damped": (NaiveInfluenceFunction, {"projection_dim": 3000}),
}


class _Rows(nn.Module):
    """Residual of an equation (kind 1), value minus datum (kind 0), or the value itself (kind 2)."""

    def __init__(self, network: nn.Module, viscosity: float) -> None:
        super().__init__()
        self.network, self.viscosity = network, viscosity

    def forward(self, rows: Tensor) -> Tensor:
        """Columns x, t, datum, kind, root of the weight -> (n,)."""
        with torch.enable_grad():
            z = rows[:, :2].detach().requires_grad_(True)
            value = self.network(z)[:, 0]
            slope = torch.autograd.grad(value.sum(), z, create_graph=True)[0]
            second = torch.autograd.grad(slope[:, 0].sum(), z, create_graph=True)[0][:, 0]
        equation = slope[:, 1] + value * slope[:, 0] - self.viscosity * second
        kind = rows[:, 3]
        return rows[:, 4] * torch.where(kind == 1, equation, value - torch.where(kind == 0, rows[:, 2], 0.0))


class _Square(nn.Module):
    """r² per row."""

    reduction = "none"

    def forward(self, output: Tensor, _: Tensor) -> Tensor:
        """(n,)."""
        return output**2


class _Value(nn.Module):
    """The prediction itself, as the loss of a query."""

    reduction = "none"

    def forward(self, output: Tensor, _: Tensor) -> Tensor:
        """(n,)."""
        return output


def peer_map(name: str, solution: PINNSolution, at: np.ndarray, damping: float) -> tuple[np.ndarray, float] | str:
    """Influences of removal by a peer.

    Args:
        name: A key of `PEERS`.
        solution: The trained network; soft conditions of Burgers' equation on [-1, 1] x [0, 1].
        at: Query points.
        damping: δ of the refits.

    Returns:
        (n_query, n_points) in the order of the record's points and CPU-seconds, or why there are none.
    """
    kind, options = PEERS[name]
    if kind is None:
        return "not installed"
    if "damped" in name:
        options = {**options, "hessian_reg": damping, "hessian_inverse_tol": 1e-2 * damping}
    record = solution.record
    place = torch.tensor(record.points.locate(record.rows.ids))
    equation = torch.tensor(record.rows.labels.astype(str) == "pde").double()
    datum = torch.where(place[:, 1] == 0, -torch.sin(torch.pi * place[:, 0]), 0.0)
    rows = torch.stack([place[:, 0], place[:, 1], datum, equation, torch.sqrt(record.weights)], dim=1)
    model = _Rows(solution.model, 0.02)
    assert torch.allclose(model(rows), torch.sqrt(record.weights) * record.rows.residual(record.parameters))
    data = TensorDataset(rows, torch.zeros(len(rows), dtype=torch.float64))
    queries = torch.zeros(len(at), 5, dtype=torch.float64)
    queries[:, :2], queries[:, 3], queries[:, 4] = torch.tensor(at), 2.0, 1.0
    start = time.process_time()
    try:
        made = kind(
            model, DataLoader(data, batch_size=len(rows)), "", lambda *_: 1.0, loss_fn=_Square(),
            test_loss_fn=_Value(), batch_size=None, **options,
        )  # fmt: skip
        values = made.influence((queries, torch.zeros(len(at), dtype=torch.float64)))
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        return f"raises {type(error).__name__}: {str(error)[:120]}"
    return values.detach().numpy(), time.process_time() - start
