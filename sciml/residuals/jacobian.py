"""Jacobian of the rows with respect to the parameters: chain rule through the jets.

With r_c = F_c(x, jets, κ) row by row and jets depending on the parameters θ,
dr_c/dθ = Σ_k ∂F_c/∂jet_k · ∂jet_k/∂θ: cheap pointwise derivatives, then one pull-back for all components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sciml.jets import Jet
from sciml.networks.parameters import trainable
from sciml.residuals.engines import Engine, choose_engine
from sciml.residuals.grouping import merges
from sciml.residuals.merging import merge
from sciml.residuals.system import Batch, Place, ResidualSystem, RowProgram, device_of

_CHUNK_BYTES = 2**26  # of rows that are made at once, beside the Jacobian that holds all


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
    values = system.unknown_values(unknowns, device_of(model))
    engine = system.engine or choose_engine(model)
    jets = iter(system.batch_jets(model, batch, parameters=False))
    parameters = list(trainable(model).values())
    like = parameters[0] if parameters else torch.zeros(0, dtype=torch.float64)
    size = sum(p.numel() for p in parameters)
    total = sum(len(item.ids) * len(item.program.term.components) for item in batch)
    jacobian = like.new_empty(total, size + len(values))
    residuals, first = [like.new_zeros(0)], 0
    for item in batch:
        last = first + len(item.ids) * len(item.program.term.components)
        block, residual = jacobian[first:last].view(len(item.ids), -1, jacobian.shape[1]), like.new_zeros(())
        for sign, place in zip((1, -1), item.places, strict=False):
            part, slopes, coefficient_slopes = _linearise(item.program, place, next(jets), values)
            if system.constraint is not None:
                slopes = system.constraint.transpose(place.lifts, slopes)
            for here in _chunks(len(slopes), slopes.shape[1] * jacobian.shape[1]):
                rows = _pullback(engine, model, place, slopes, here)
                if sign == 1:
                    block[here, :, :size], block[here, :, size:] = rows, coefficient_slopes[here]
                else:
                    block[here, :, :size] -= rows
                    block[here, :, size:] -= coefficient_slopes[here]
            residual = part if sign == 1 else residual - part
        residuals.append(residual.reshape(-1))
        first = last
    return torch.cat(residuals), jacobian


def _chunks(points: int, columns: int) -> Iterator[slice]:
    """Slices of points whose rows take bounded memory beside the Jacobian."""
    step = max(1, _CHUNK_BYTES // (8 * max(columns, 1)))
    return (slice(start, min(start + step, points)) for start in range(0, points, step))


def split_jacobian(
    system: ResidualSystem, model: nn.Module, batch: Batch, unknowns: Sequence[Tensor] = ()
) -> dict[Jet | str, Tensor]:
    """The Jacobian as a sum over the derivatives of which the rows are made: ∂F_c/∂jet_k · ∂jet_k/∂θ, part by part.

    Args:
        system: The residual system.
        model: The network.
        batch: Prepared points.
        unknowns: Values of the unknown coefficients.

    Returns:
        Jet, or name of an unknown coefficient -> (N, P + number of unknowns); the parts sum to `row_jacobian`.
    """
    values = system.unknown_values(unknowns, device_of(model))
    engine = system.engine or choose_engine(model)
    jets = iter(system.batch_jets(model, batch, parameters=False))
    size = sum(p.numel() for p in trainable(model).values())
    names = [symbol.name for symbol in system.problem.unknowns]
    counts = [len(item.ids) * len(item.program.term.components) for item in batch]
    parts: dict[Jet | str, Tensor] = {}
    for number, item in enumerate(batch):
        here = slice(sum(counts[:number]), sum(counts[: number + 1]))
        for sign, place in zip((1, -1), item.places, strict=False):
            _, slopes, coefficient_slopes = _linearise(item.program, place, next(jets), values)
            pieces: list[tuple[Jet | str, Tensor, slice]] = []
            for k, jet in enumerate(item.program.needed):
                one = torch.zeros_like(slopes)
                one[:, :, k] = slopes[:, :, k]
                inner = one if system.constraint is None else system.constraint.transpose(place.lifts, one)
                pieces.append((jet, engine.pullback(model, place.points, place.inner, inner), slice(0, size)))
            for k, name in enumerate(names):
                pieces.append((name, coefficient_slopes[:, :, k : k + 1], slice(size + k, size + k + 1)))
            for key, block, columns in pieces:
                part = parts.setdefault(key, slopes.new_zeros(sum(counts), size + len(names)))
                part[here, columns] += sign * block.reshape(counts[number], -1)
    return parts


def _pullback(engine: Engine, model: nn.Module, place: Place, slopes: Tensor, here: slice) -> Tensor:
    """Rows (n, c, P) from derivatives (all points, c, k) in the network's jets at some points of a place."""
    if place.merged is None or not merges(engine, place.merged):
        return engine.pullback(model, place.points[here], place.inner, slopes[here])
    fewer, positions = merge(place.inner, place.merged)
    return engine.pullback(model, place.points[here], fewer, slopes[here, :, list(positions)])


def _linearise(
    program: RowProgram, place: Place, jets: Tensor, values: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Residual (n, c), its derivatives in the jets (n, c, k) and in the unknown coefficients (n, c, q)."""
    with torch.enable_grad():
        jets = jets.detach().requires_grad_(True)
        # one copy of each unknown per point, so that gradients come out row by row
        spread = [value.detach().expand(len(jets)).clone().requires_grad_(True) for value in values]
        residual = program.residual(place.state, jets, spread)
        columns = [_derivatives(residual[:, c], [jets, *spread]) for c in range(residual.shape[1])]
    slopes = torch.stack([column[0] for column in columns], dim=1)
    if not values:
        return residual.detach(), slopes, slopes[:, :, :0]
    return residual.detach(), slopes, torch.stack([torch.stack(column[1:], dim=1) for column in columns], dim=1)


def _derivatives(component: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    if not component.requires_grad:
        return [torch.zeros_like(tensor) for tensor in inputs]
    made = torch.autograd.grad(component.sum(), inputs, retain_graph=True, allow_unused=True, materialize_grads=True)
    return [slope.detach() for slope in made]  # zeros that torch 2.4 materialises ask for gradients


class RowProducts:
    """J v and Jᵀu of the rows at fixed parameters, without J: for solvers beyond dense size.

    Everything that does not depend on v and u is computed once, here; the model must not be changed while the
    products are used.

    Args:
        system: The residual system.
        model: The network.
        batch: Prepared points.
        unknowns: Values of the unknown coefficients, the last parameters.
    """

    def __init__(self, system: ResidualSystem, model: nn.Module, batch: Batch, unknowns: Sequence[Tensor] = ()) -> None:
        self._system, self._batch = system, batch
        engine = system.engine or choose_engine(model)
        self._parameters = list(trainable(model).values())
        self._size = sum(p.numel() for p in self._parameters)
        self._values = [
            value.detach().clone().requires_grad_(True) for value in system.unknown_values(unknowns, device_of(model))
        ]
        with torch.enable_grad():
            self._rows = system.rows(model, batch, self._values).flat()
        jets = iter(system.batch_jets(model, batch, parameters=False))
        self._slopes = [
            _linearise(item.program, place, next(jets), self._values)[1:] for item in batch for place in item.places
        ]
        self._tangents: list[Callable[[Tensor], Tensor]] = [group.tangent_map(engine, model) for group in batch.groups]

    @property
    def residual(self) -> Tensor:
        """r, (N,)."""
        return self._rows.detach()

    def push(self, tangent: Tensor) -> Tensor:
        """J v.

        Args:
            tangent: v, (P + number of unknowns,).

        Returns:
            (N,).
        """
        changes = self._system.place_jets(
            self._batch, [move(tangent[: self._size]) for move in self._tangents], homogeneous=True
        )
        pieces, number = [], 0
        for item in self._batch:
            total = torch.zeros(())
            for sign in (1, -1)[: len(item.places)]:
                slopes, coefficient_slopes = self._slopes[number]
                rows = (slopes @ changes[number][:, :, None])[:, :, 0] + coefficient_slopes @ tangent[self._size :]
                total = rows if sign == 1 else total - rows
                number += 1
            pieces.append(total.reshape(-1))
        return torch.cat(pieces)

    def pull(self, cotangent: Tensor) -> Tensor:
        """Jᵀu.

        Args:
            cotangent: u, (N,).

        Returns:
            (P + number of unknowns,).
        """
        inputs = [*self._parameters, *self._values]
        gradients = torch.autograd.grad(
            self._rows, inputs, cotangent, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return torch.cat([gradient.detach().reshape(-1) for gradient in gradients])
