"""Derivative engines: the jets of a network at points, and their pull-back to parameters.

An engine answers two questions about a module that maps (n, d) to (n, m) point by point:
`jets` gives field values and derivatives, differentiable in the parameters; `pullback` gives, for
each point, the gradient of a weighted sum of its jets with respect to the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from sciml.errors import SolverError
from sciml.jets import Jet
from sciml.residuals.stream_engine import StreamEngine, supports_streams

_CHUNK_BYTES = 2**27


class Engine(Protocol):
    """What the residual rows need to know about derivatives of a module."""

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        """Jets at points, (n, len(needed)); with a graph to the parameters where asked."""
        ...

    def pullback(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """Per point, the gradient of Σ_k cotangent[n, k] jet_k(n) in the parameters: (n, P).

        Several sums at once: cotangent (n, c, k) gives (n, c, P).
        """
        ...

    def tangent_map(self, model: nn.Module, points: Tensor, needed: Sequence[Jet]) -> Callable[[Tensor], Tensor]:
        """The linear map from a change (P,) of the parameters to that of the jets (n, len(needed))."""
        ...


class AutogradEngine:
    """Nested autograd for jets, `torch.func` for the pull-back; works for any module."""

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        """Field values and derivatives by repeated reverse differentiation.

        Args:
            model: Module from (n, d) to (n, m).
            points: (n, d).
            needed: Jets wanted.
            parameters: Whether the result must be differentiable in the parameters.

        Returns:
            (n, len(needed)).
        """
        with torch.enable_grad():
            dtype = next((p.dtype for p in model.parameters()), points.dtype)
            x = points.detach().to(dtype).requires_grad_(True)
            values = model(x)
            table: dict[Jet, Tensor] = {}
            for jet in sorted(needed, key=lambda jet: sum(jet[1])):
                _derive(jet, x, values, table)
            result = torch.stack([table[jet] for jet in needed], dim=1) if needed else values[:, :0]
        return result if parameters else result.detach()

    def pullback(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """Per-point gradients by `vmap(grad)` over nested forward derivatives, in chunks.

        Args:
            model: Module from (n, d) to (n, m).
            points: (n, d).
            needed: Jets.
            cotangent: (n, len(needed)), or (n, c, len(needed)) for c sums at once.

        Returns:
            (n, P) or (n, c, P), columns in the order of the trainable `model.parameters()`.

        Raises:
            SolverError: If torch cannot differentiate the module point by point.
            RuntimeError: What else torch raises, as where memory ends.
        """
        if cotangent.ndim == 3:
            each = [self.pullback(model, points, needed, cotangent[:, c]) for c in range(cotangent.shape[1])]
            return torch.stack(each, dim=1)
        trainable = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        fixed = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}
        fixed.update({name: buffer for name, buffer in model.named_buffers()})

        def weighted(parameters: dict[str, Tensor], x: Tensor, weights: Tensor) -> Tensor:
            def network(z: Tensor) -> Tensor:
                return functional_call(model, {**parameters, **fixed}, (z.unsqueeze(0),)).squeeze(0)

            return (point_jets(network, x, needed) * weights).sum()

        per_point = vmap(grad(weighted), in_dims=(None, 0, 0))
        size = sum(p.numel() for p in trainable.values())
        chunk = max(1, _CHUNK_BYTES // (8 * max(size, 1) * 4))
        blocks = []
        for start in range(0, len(points), chunk):
            piece = slice(start, start + chunk)
            try:
                gradients = per_point(trainable, points[piece].detach(), cotangent[piece].detach())
            except RuntimeError as error:
                if "vmap" not in str(error) and "transform" not in str(error):
                    raise
                problem = _said(model, error)
                raise problem from error
            blocks.append(torch.cat([gradients[name].reshape(len(points[piece]), -1) for name in trainable], dim=1))
        return torch.cat(blocks) if blocks else points.new_zeros(0, size)

    def tangent_map(self, model: nn.Module, points: Tensor, needed: Sequence[Jet]) -> Callable[[Tensor], Tensor]:
        """Directional derivatives of the jets: u -> Jᵀu is linear, and its own transpose gives Jv.

        Args:
            model: Module from (n, d) to (n, m).
            points: (n, d).
            needed: Jets.

        Returns:
            v (P,), in the order of the trainable `model.parameters()`, -> J v, (n, len(needed)).
        """
        parameters = [p for p in model.parameters() if p.requires_grad]
        jets = self.jets(model, points, needed)
        if not jets.requires_grad or not parameters:
            return lambda tangent: torch.zeros_like(jets)
        dummy = torch.zeros_like(jets, requires_grad=True)
        gradients = torch.autograd.grad(
            jets, parameters, dummy, create_graph=True, allow_unused=True, materialize_grads=True
        )
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])

        def move(tangent: Tensor) -> Tensor:
            (change,) = torch.autograd.grad(
                flat, dummy, tangent.to(flat.dtype), retain_graph=True, allow_unused=True, materialize_grads=True
            )
            return change

        return move


def _said(model: nn.Module, error: RuntimeError) -> SolverError:
    """What torch says of a module that it cannot differentiate point by point, with a way out."""
    return SolverError(
        "a network that torch can differentiate point by point",
        f"{type(model).__name__}: {str(error).splitlines()[0][:160]}",
        "no random numbers, batch statistics, changes in place, .item() or branches on values inside forward()",
    )


def _derive(jet: Jet, x: Tensor, values: Tensor, table: dict[Jet, Tensor]) -> Tensor:
    if jet in table:
        return table[jet]
    index, orders = jet
    if not any(orders):
        table[jet] = values[:, index]
        return table[jet]
    parents = [i for i, order in enumerate(orders) if order]
    lower = [(index, tuple(o - (i == axis) for i, o in enumerate(orders))) for axis in parents]
    parent = next((candidate for candidate in lower if candidate in table), lower[0])
    base = _derive(parent, x, values, table)
    if base.requires_grad:
        (gradient,) = torch.autograd.grad(base.sum(), x, create_graph=True, allow_unused=True, materialize_grads=True)
    else:  # a constant: its derivatives vanish
        gradient = torch.zeros_like(x)
    for axis in range(len(orders)):
        child = (index, tuple(o + (i == axis) for i, o in enumerate(parent[1])))
        table.setdefault(child, gradient[:, axis])
    return table[jet]


def point_jets(network: Callable[[Tensor], Tensor], x: Tensor, needed: Sequence[Jet]) -> Tensor:
    """Jets of a function at one point by nested forward derivatives; composes with `torch.func`.

    Args:
        network: Function from (d,) to (m,).
        x: (d,).
        needed: Jets wanted.

    Returns:
        (len(needed),).
    """
    outputs: dict[tuple[int, ...], Tensor] = {}
    for _, orders in needed:
        if orders not in outputs:
            function = network
            for axis, order in enumerate(orders):
                for _ in range(order):
                    function = _directional(function, axis)
            outputs[orders] = function(x)
    return torch.stack([outputs[orders][index] for index, orders in needed])


def _directional(function: Callable[[Tensor], Tensor], axis: int) -> Callable[[Tensor], Tensor]:
    def derivative(x: Tensor) -> Tensor:
        direction = torch.zeros_like(x)
        direction[axis] = 1.0
        return jvp(function, (x,), (direction,))[1]

    return derivative


def choose_engine(model: nn.Module) -> Engine:
    """The fastest engine that supports a module.

    A module may bring its own by an attribute `derivative_engine`.

    Args:
        model: The network.

    Returns:
        The engine.
    """
    own: Engine | None = getattr(model, "derivative_engine", None)
    if own is not None:
        return own
    return StreamEngine() if supports_streams(model) else AutogradEngine()
