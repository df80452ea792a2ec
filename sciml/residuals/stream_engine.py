"""StreamEngine: jets of networks that describe themselves, by forward streams and one reverse sweep."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from sciml.jets import Jet
from sciml.networks.stages import Staged, run_stages
from sciml.residuals.buffers import BufferPool
from sciml.residuals.streams import Op, Propagation, Streams, Tape, UnknownActivationError, lower
from sciml.residuals.sweeps import GradientSink, ReverseSweep, RowSink, push
from sciml.residuals.taylor import Index, closure

_CHUNK_BYTES = 2**26
_POOL = BufferPool()
_VERIFIED: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()


@lru_cache(maxsize=256)
def _propagation(ops: tuple[Op, ...], indices: tuple[Index, ...], keep: bool) -> Propagation:
    return Propagation(ops, indices, keep)


class StreamEngine:
    """Forward Taylor propagation with a hand-written reverse sweep, for modules with `stages()`.

    Value and derivatives of every layer pass through the network as one stacked array: an affine layer is
    one matrix product, an activation a few in-place products (Faà di Bruno's formula by way of the Leibniz
    rule). Gradients and per-point gradients take one sweep backwards.

    A jet's multi-index may be a merged second derivative of `sciml.residuals.merging`.
    """

    merges_second_derivatives = True

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        """Field values and derivatives.

        Args:
            model: Module with `stages()`, from (n, d) to (n, m).
            points: (n, d).
            needed: Jets wanted.
            parameters: Whether the result must be differentiable in the parameters; any number of times, and
                inside the transformations of `torch.func`.

        Returns:
            (n, len(needed)).
        """
        ops, tensors = lower(_stages(model))
        wanted = tuple(needed)
        points = _as_parameters(points, tensors)
        if points.requires_grad or any(_transformed(tensor) for tensor in (points, *tensors)):
            return _plain_jets(ops, points, wanted, tensors)
        if parameters and torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            return _StreamJets.apply(ops, points, wanted, *tensors)
        with torch.no_grad():
            tape = _propagation(ops, _indices(wanted, points), False).run(tensors, points.detach(), _POOL)
            return _collect(tape.slots[-1], wanted, points)

    def pullback(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """Per point, gradients of weighted sums of its jets, by outer products in one sweep.

        Args:
            model: Module with `stages()`.
            points: (n, d).
            needed: Jets.
            cotangent: (n, len(needed)) or, for c sums at once, (n, c, len(needed)).

        Returns:
            (n, P) or (n, c, P), columns in the order of the trainable `model.parameters()`.
        """
        ops, tensors = lower(_stages(model))
        points, wanted = _as_parameters(points, tensors), tuple(needed)
        offsets, size = _columns(model, tensors)
        single = cotangent.ndim == 2
        weights = cotangent.detach()[:, None] if single else cotangent.detach()
        rows = points.new_zeros(len(points), weights.shape[1], size)
        propagation = _propagation(ops, _indices(wanted, points), True)
        width = max([points.shape[1], *(max(tensor.shape, default=1) for tensor in tensors)])
        per_point = 8 * width * len(propagation.indices) * (3 * len(ops) + 3 * weights.shape[1])
        chunk = max(64, _CHUNK_BYTES // per_point)
        with torch.no_grad():
            for start in range(0, len(points), chunk):
                piece = slice(start, start + chunk)
                tape = propagation.run(tensors, points[piece].detach(), _POOL)
                bar = _spread(tape.slots[-1], wanted, weights[piece].transpose(0, 1), points)
                if bar is not None:
                    sink = RowSink(tensors, offsets, rows[piece])
                    ReverseSweep(propagation, tape, tensors, sink, _POOL).run(bar)
        return rows[:, 0] if single else rows

    def tangent_map(self, model: nn.Module, points: Tensor, needed: Sequence[Jet]) -> Callable[[Tensor], Tensor]:
        """Directional derivatives of the jets in the parameters, by one tangent sweep each.

        Args:
            model: Module with `stages()`.
            points: (n, d).
            needed: Jets.

        Returns:
            v (P,), in the order of the trainable `model.parameters()`, -> J v, (n, len(needed)).
        """
        ops, tensors = lower(_stages(model))
        points, wanted = _as_parameters(points, tensors), tuple(needed)
        offsets, _ = _columns(model, tensors)
        propagation = _propagation(ops, _indices(wanted, points), True)
        with torch.no_grad():
            tape = propagation.run(tensors, points.detach(), _POOL)

        def move(tangent: Tensor) -> Tensor:
            tangents = {
                i: tangent[start : start + tensors[i].numel()].detach().view_as(tensors[i])
                for i, start in offsets.items()
            }
            with torch.no_grad():
                return _collect(push(propagation, tape, tensors, tangents), wanted, points)

        return move


def supports_streams(model: nn.Module) -> bool:
    """Whether a module describes itself and the description gives its values.

    A module that overrides `forward`, has hooks, or hides parameters behind parametrisations is refused:
    its stages might not be what it computes.

    Args:
        model: Any module.

    Returns:
        True where `StreamEngine` may serve.
    """
    if not isinstance(model, Staged):
        return False
    if any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()):
        return False
    if model not in _VERIFIED:
        if any(_transformed(parameter) for parameter in model.parameters()):
            return True  # verified when first used outside a transformation
        _VERIFIED[model] = _verify(model)
    return _VERIFIED[model]


def _verify(model: nn.Module) -> bool:
    """Compare the module with its description at a few points."""
    assert isinstance(model, Staged)
    with torch.enable_grad():
        stages = model.stages()
        try:
            _, tensors = lower(stages)
        except UnknownActivationError:
            return False
    own = {id(parameter) for parameter in model.parameters()}
    if any(tensor.requires_grad and id(tensor) not in own for tensor in tensors):
        return False
    inputs = getattr(model, "inputs", None)
    if not isinstance(inputs, int) or not tensors:
        return False
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(4, inputs, dtype=torch.float64, generator=generator).to(tensors[0])
    with torch.no_grad():
        values, described = model(points), run_stages(stages, points)
    tolerance = 1e-12 if points.dtype == torch.float64 else 1e-5
    return values.shape == described.shape and torch.allclose(values, described, rtol=tolerance, atol=tolerance)


class _StreamJets(torch.autograd.Function):
    """Jets as a node of the autograd graph, whose derivative is one reverse sweep."""

    @staticmethod
    def forward(ctx: Any, ops: tuple[Op, ...], points: Tensor, needed: tuple[Jet, ...], *tensors: Tensor) -> Tensor:
        """Propagate and keep the tape."""
        propagation = _propagation(ops, _indices(needed, points), True)
        ctx.propagation, ctx.needed, ctx.points = propagation, needed, points.detach()
        ctx.tape = propagation.run(tensors, ctx.points, _POOL)
        ctx.save_for_backward(*tensors)  # notices parameters that were changed before the backward pass
        return _collect(ctx.tape.slots[-1], needed, points)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        """Sweep back; a second derivative goes through plain operations."""
        (cotangent,) = outputs
        tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]
        if torch.is_grad_enabled():
            with torch.enable_grad():
                jets = _plain_jets(ctx.propagation.ops, ctx.points, ctx.needed, tensors)
                chosen = [tensor for tensor, want in zip(tensors, wanted, strict=True) if want]
                found = iter(
                    torch.autograd.grad(jets, chosen, cotangent, create_graph=True, allow_unused=True,
                                        materialize_grads=True)
                )  # fmt: skip
            return (None, None, None, *(next(found) if want else None for want in wanted))
        sink = GradientSink(tensors, wanted)
        bar = _spread(ctx.tape.slots[-1], ctx.needed, cotangent, ctx.points)
        if bar is not None:
            ReverseSweep(ctx.propagation, ctx.tape, tensors, sink, _POOL).run(bar)
        return (None, None, None, *sink.gradients)


def _stages(model: nn.Module) -> Sequence:
    assert isinstance(model, Staged)
    return model.stages()


def _transformed(tensor: Tensor) -> bool:
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def _as_parameters(points: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """Points in the dtype of the network."""
    return points.to(tensors[0].dtype) if tensors and points.dtype != tensors[0].dtype else points


def _indices(needed: tuple[Jet, ...], points: Tensor) -> tuple[Index, ...]:
    return _closed(needed, points.shape[-1])


@lru_cache(maxsize=256)
def _closed(needed: tuple[Jet, ...], dimension: int) -> tuple[Index, ...]:
    return closure({orders for _, orders in needed}, dimension)


def _columns(model: nn.Module, tensors: Sequence[Tensor]) -> tuple[dict[int, int], int]:
    """First column of each trainable tensor, and the number of columns."""
    starts, size = {}, 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            starts[id(parameter)] = size
            size += parameter.numel()
    return {i: starts[id(tensor)] for i, tensor in enumerate(tensors) if id(tensor) in starts}, size


def _collect(streams: Streams, needed: Sequence[Jet], points: Tensor) -> Tensor:
    """Jets (n, k) from the streams of the output, as new memory."""
    n = len(points)
    columns = [
        streams[orders][field].expand(n) if orders in streams else points.new_zeros(n) for field, orders in needed
    ]
    return torch.stack(columns).T if columns else points.new_zeros(n, 0)


def _spread(streams: Streams, needed: Sequence[Jet], cotangent: Tensor, points: Tensor) -> Tensor | None:
    """Cotangent of the output's streams (m, s, ..., n) from that of the jets (..., n, k)."""
    if not needed:
        return None
    position = {index: k for k, index in enumerate(streams)}
    value = next(iter(streams.values()))
    bar = _POOL.take((len(value), len(streams), *cotangent.shape[:-1]), points).zero_()
    for j, (field, orders) in enumerate(needed):
        if orders in position:
            bar[field, position[orders]] += cotangent[..., j]
    return bar


def _plain_jets(ops: tuple[Op, ...], points: Tensor, needed: tuple[Jet, ...], tensors: Sequence[Tensor]) -> Tensor:
    """Jets by differentiable operations without buffers; composes with every transformation."""
    tape = _propagation(ops, _indices(needed, points), False).run(tensors, points, None)
    return _collect(tape.slots[-1], needed, points)


__all__ = ["StreamEngine", "Tape", "supports_streams"]
