"""Jacobian of the rows with respect to the parameters: chain rule through the jets.

With r_c = F_c(x, jets, κ) row by row and jets depending on the parameters θ,
dr_c/dθ = Σ_k ∂F_c/∂jet_k · ∂jet_k/∂θ: cheap pointwise derivatives, then one pull-back per component.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sciml.residuals.engines import choose_engine
from sciml.residuals.system import Batch, Place, ResidualSystem, TermBatch


def row_jacobian(
    system: ResidualSystem, model: nn.Module, batch: Batch, unknowns: Sequence[Tensor] = ()
) -> tuple[Tensor, Tensor]:
    """Residuals and their Jacobian.

    Args:
        system: The residual system.
        model: The network; only parameters with `requires_grad` count.
        batch: Prepared points.
        unknowns: Values of the unknown coefficients; the last columns belong to them.

    Returns:
        Residuals (N,) and Jacobian (N, P + number of unknowns), rows ordered as `Rows.flat()`.
    """
    values = system.unknown_values(unknowns)
    residuals, blocks = [], []
    for item in batch:
        residual, block = _term(system, model, item, values)
        residuals.append(residual.reshape(-1))
        blocks.append(block.reshape(-1, block.shape[-1]))
    return torch.cat(residuals), torch.cat(blocks)


def _term(system: ResidualSystem, model: nn.Module, item: TermBatch, values: list[Tensor]) -> tuple[Tensor, Tensor]:
    residual, block = _place(system, model, item, item.place, values)
    if item.partner is not None:
        opposite, other = _place(system, model, item, item.partner, values)
        residual, block = residual - opposite, block - other
    return residual, block


def _place(
    system: ResidualSystem, model: nn.Module, item: TermBatch, place: Place, values: list[Tensor]
) -> tuple[Tensor, Tensor]:
    program = item.program
    with torch.enable_grad():
        jets = system.jets(model, place, parameters=False).detach().requires_grad_(True)
        # one copy of each unknown per point, so that gradients come out row by row
        spread = [value.detach().expand(len(jets)).clone().requires_grad_(True) for value in values]
        residual = program.residual(place.state, jets, spread)
        columns = [_derivatives(residual[:, c], [jets, *spread]) for c in range(residual.shape[1])]
    engine = system.engine or choose_engine(model)
    cotangent = torch.stack([derivative[0] for derivative in columns], dim=1)
    if system.constraint is not None:
        cotangent = system.constraint.transpose(place.lifts, cotangent)
    block = engine.pullback(model, place.points, place.inner, cotangent)
    if values:
        slopes = [torch.stack(derivative[1:], dim=1) for derivative in columns]
        block = torch.cat([block, torch.stack(slopes, dim=1)], dim=2)
    return residual.detach(), block


def _derivatives(component: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    if not component.requires_grad:
        return [torch.zeros_like(tensor) for tensor in inputs]
    return list(
        torch.autograd.grad(component.sum(), inputs, retain_graph=True, allow_unused=True, materialize_grads=True)
    )
