"""Reverse and tangent sweeps over a tape: gradients, per-point gradients and directional derivatives.

Both rest on δ(σ(z)) = σ'(z) δz for all derivatives at once: with g the streams of σ'(z),
δa_α = Σ_β C(α, β) g_{α-β} δz_β (tangent), hence z̄_β = Σ_α C(α, β) g_{α-β} ā_α (reverse). Products obey the
same rule with g the other factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from sciml.residuals.buffers import BufferPool
from sciml.residuals.streams import Op, Propagation, Streams, Tape, as_column, combine, leibniz_parts
from sciml.residuals.taylor import Index, transposed_parts


class Sink(Protocol):
    """Receives, from the reverse sweep, what belongs to parameters."""

    def product(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """Σ_streams cotangent ⊗ source: (out, s, ..., n) and (in, s, n)."""
        ...

    def value(self, tensor: int, cotangent: Tensor) -> None:
        """A vector that is added to the value: (out, ..., n)."""
        ...

    def scaled(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """A factor per column or for all: Σ_streams cotangent ⊙ source."""
        ...


class GradientSink:
    """Sums over all points.

    Args:
        tensors: Tensors of the network.
        wanted: Those whose gradient is wanted.
    """

    def __init__(self, tensors: Sequence[Tensor], wanted: Sequence[bool]) -> None:
        self.tensors, self.wanted = tensors, wanted
        self.gradients: list[Tensor | None] = [None] * len(tensors)

    def _add(self, tensor: int, gradient: Tensor) -> None:
        known = self.gradients[tensor]
        gradient = gradient.view_as(self.tensors[tensor])
        self.gradients[tensor] = gradient if known is None else known + gradient

    def product(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """Weight gradient as one product over streams and points."""
        self._add(tensor, cotangent.flatten(1) @ source.flatten(1).T)

    def value(self, tensor: int, cotangent: Tensor) -> None:
        """Sum over points."""
        self._add(tensor, cotangent.flatten(1).sum(dim=1))

    def scaled(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """Sum over streams and points, over columns too for a single factor."""
        if self.tensors[tensor].numel() == 1:
            self._add(tensor, (cotangent * source).sum())
        else:
            self._add(tensor, (cotangent * source).flatten(1).sum(dim=1))


class RowSink:
    """Keeps the points apart: writes (n, c, P) from cotangents (width, streams, c, n).

    Args:
        tensors: Tensors of the network.
        offsets: Column of the first entry of each wanted tensor.
        rows: Zeros or garbage (n, c, P); every wanted column is written.
    """

    def __init__(self, tensors: Sequence[Tensor], offsets: Mapping[int, int], rows: Tensor) -> None:
        self.tensors, self.offsets, self.rows = tensors, offsets, rows
        self.wanted = [i in offsets for i in range(len(tensors))]
        self._written: set[int] = set()

    def _block(self, tensor: int) -> tuple[Tensor, bool]:
        start = self.offsets[tensor]
        again = tensor in self._written
        self._written.add(tensor)
        return self.rows[..., start : start + self.tensors[tensor].numel()], again

    def product(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """Batched outer products, summed over streams, straight into the rows."""
        block, again = self._block(tensor)
        right = source.permute(2, 1, 0).contiguous()
        for c in range(cotangent.shape[2]):
            left = cotangent[:, :, c].permute(2, 0, 1).contiguous()
            out = block[:, c].unflatten(-1, self.tensors[tensor].shape)
            if again:
                out += torch.bmm(left, right)
            else:
                torch.bmm(left, right, out=out)

    def value(self, tensor: int, cotangent: Tensor) -> None:
        """One column per entry."""
        block, again = self._block(tensor)
        piece = cotangent.permute(2, 1, 0)
        block.copy_(block + piece if again else piece)

    def scaled(self, tensor: int, cotangent: Tensor, source: Tensor) -> None:
        """Sum over streams, over columns too for a single factor."""
        block, again = self._block(tensor)
        piece = (cotangent * source[:, :, None]).sum(dim=1).permute(2, 1, 0)
        if self.tensors[tensor].numel() == 1:
            piece = piece.sum(dim=-1, keepdim=True)
        block.copy_(block + piece if again else piece)


class ReverseSweep:
    """One pass from the cotangent of the output to those of all parameters.

    Args:
        propagation: The network.
        tape: From `Propagation.run` with `keep`.
        tensors: Its tensors.
        sink: Where contributions of parameters go.
        pool: Memory.
    """

    def __init__(
        self,
        propagation: Propagation,
        tape: Tape,
        tensors: Sequence[Tensor],
        sink: GradientSink | RowSink,
        pool: BufferPool,
    ) -> None:
        self.ops, self.indices = propagation.ops, propagation.indices
        self.tape, self.tensors, self.sink, self.pool = tape, tensors, sink, pool
        self.bars: list[Tensor | None] = [None] * (len(self.ops) + 1)
        self._handed: Tensor | None = None  # a cotangent that went on to another slot as it was
        self.needs = [False]  # whether a wanted parameter lies upstream of a slot
        for op in self.ops:
            self.needs.append(any(sink.wanted[k] for k in op.tensors) or any(self.needs[s] for s in op.sources))

    def run(self, cotangent: Tensor) -> None:
        """Sweep.

        Args:
            cotangent: (outputs, streams of the output, [c,] n); overwritten.
        """
        self.bars[-1] = cotangent
        for i in range(len(self.ops) - 1, -1, -1):
            bar, op = self.bars[i + 1], self.ops[i]
            self.bars[i + 1] = self._handed = None
            if bar is not None and self.needs[i + 1]:
                getattr(self, f"_{op.kind}")(i, op, bar)
            if bar is not None and bar is not self._handed:
                self.pool.give(bar)

    def _pass(self, slot: int, bar: Tensor) -> None:
        """Add a cotangent of a slot; takes ownership."""
        known = self.bars[slot]
        if known is None:
            self.bars[slot] = bar
        else:
            known.add_(bar)
            self.pool.give(bar)

    def _source(self, slot: int) -> Tensor:
        return self.tape.stacked(slot)

    def _affine(self, i: int, op: Op, bar: Tensor) -> None:
        source = op.sources[0]
        if self.sink.wanted[op.tensors[0]]:
            self.sink.product(op.tensors[0], bar, self._source(source))
        if len(op.tensors) > 1 and self.sink.wanted[op.tensors[1]]:
            self.sink.value(op.tensors[1], bar[:, 0])
        if self.needs[source]:
            weight = self.tensors[op.tensors[0]].detach()
            out = self.pool.take((weight.shape[1], *bar.shape[1:]), bar)
            torch.mm(weight.T, bar.view(len(bar), -1), out=out.view(len(out), -1))
            self._pass(source, out)

    def _activation(self, i: int, op: Op, bar: Tensor) -> None:
        self._transposed(op.sources[0], self.tape.slopes[i], tuple(self.tape.slots[i + 1]), bar)

    def _product(self, i: int, op: Op, bar: Tensor) -> None:
        left, right = op.sources
        outputs = tuple(self.tape.slots[i + 1])
        if self.needs[left]:
            self._transposed(left, self.tape.slots[right], outputs, bar)
        if self.needs[right]:
            self._transposed(right, self.tape.slots[left], outputs, bar)

    def _transposed(self, slot: int, slopes: Streams, outputs: tuple[Index, ...], bar: Tensor) -> None:
        """z̄_β = Σ_α C(α, β) g_{α-β} ā_α."""
        present = tuple(self.tape.slots[slot])
        out = self.pool.take((len(bar), len(present), *bar.shape[2:]), bar)
        many = bar.ndim == 4  # several cotangents share the slopes
        for k, parts in enumerate(transposed_parts(present, outputs, tuple(slopes))):
            if parts:
                combine(
                    [(f, slopes[r][:, None] if many else slopes[r], bar[:, j]) for f, r, j in parts], 0.0, out[:, k]
                )
            else:
                out[:, k].zero_()
        self._pass(slot, out)

    def _sum(self, i: int, op: Op, bar: Tensor) -> None:
        outputs = list(self.tape.slots[i + 1])
        for source, sign in zip(op.sources, (1.0, float(op.detail)), strict=True):
            if self.needs[source]:
                present = list(self.tape.slots[source])
                out = self.pool.take((len(bar), len(present), *bar.shape[2:]), bar)
                for k, index in enumerate(present):
                    torch.mul(bar[:, outputs.index(index)], sign, out=out[:, k])
                self._pass(source, out)

    def _scale(self, i: int, op: Op, bar: Tensor) -> None:
        source = op.sources[0]
        if self.sink.wanted[op.tensors[0]]:
            self.sink.scaled(op.tensors[0], bar, self._source(source))
        if self.needs[source]:
            factor = self.tensors[op.tensors[0]].detach().view(-1, *[1] * (bar.ndim - 1))
            self._handed = bar
            self._pass(source, bar.mul_(factor))

    def _shift(self, i: int, op: Op, bar: Tensor) -> None:
        source = op.sources[0]
        if self.sink.wanted[op.tensors[0]]:
            self.sink.value(op.tensors[0], bar[:, 0])
        if self.needs[source]:
            self._handed = bar
            self._pass(source, bar)

    def _concatenate(self, i: int, op: Op, bar: Tensor) -> None:
        outputs, start = list(self.tape.slots[i + 1]), 0
        for source in op.sources:
            present = list(self.tape.slots[source])
            width = len(self.tape.slots[source][present[0]])
            if self.needs[source]:
                out = self.pool.take((width, len(present), *bar.shape[2:]), bar)
                for k, index in enumerate(present):
                    out[:, k].copy_(bar[start : start + width, outputs.index(index)])
                self._pass(source, out)
            start += width


def push(propagation: Propagation, tape: Tape, tensors: Sequence[Tensor], tangents: Mapping[int, Tensor]) -> Streams:
    """Directional derivative of the output's streams.

    Args:
        propagation: The network.
        tape: From `Propagation.run` with `keep`.
        tensors: Its tensors.
        tangents: Direction of each tensor that moves.

    Returns:
        Streams of the output's change; absent ones vanish.
    """
    moved: list[Streams] = [{}]
    zero = propagation.indices[0]
    for i, op in enumerate(propagation.ops):
        sources = [moved[source] for source in op.sources]
        here = tape.slots[op.sources[0]]
        result: Streams = {}
        if op.kind in ("affine", "scale"):
            first = tensors[op.tensors[0]].detach()
            for index in here:
                parts = [_linear(op, sources[0][index], first)] if index in sources[0] else []
                if op.tensors[0] in tangents:
                    parts.append(_linear(op, here[index], tangents[op.tensors[0]]))
                if index == zero and len(op.tensors) > 1 and op.tensors[1] in tangents:
                    parts.append(tangents[op.tensors[1]][:, None])
                if parts:
                    result[index] = sum(parts[1:], parts[0])
        elif op.kind == "shift":
            result = dict(sources[0])
            if op.tensors[0] in tangents:
                amount = tangents[op.tensors[0]][:, None]
                result[zero] = result[zero] + amount if zero in result else amount
        elif op.kind == "activation":
            result = _leibniz(propagation.indices, tape.slopes[i], sources[0])
        elif op.kind == "product":
            left, right = (tape.slots[source] for source in op.sources)
            result = _add(_leibniz(propagation.indices, left, sources[1]),
                          _leibniz(propagation.indices, right, sources[0]), 1.0)  # fmt: skip
        elif op.kind == "sum":
            result = _add(sources[0], sources[1], float(op.detail))
        else:
            result = _joined(propagation.indices, [tape.slots[s] for s in op.sources], sources)
        moved.append(result)
    return moved[-1]


def _linear(op: Op, stream: Tensor, tensor: Tensor) -> Tensor:
    return tensor @ stream if op.kind == "affine" else as_column(tensor) * stream


def _leibniz(indices: Sequence[Index], left: Streams, right: Streams) -> Streams:
    parts = {index: leibniz_parts(index, left, right) for index in indices}
    return {index: combine(found, 0.0, None) for index, found in parts.items() if found}


def _add(left: Streams, right: Streams, sign: float) -> Streams:
    result = dict(left)
    for index, stream in right.items():
        result[index] = result[index] + sign * stream if index in result else sign * stream
    return result


def _joined(indices: Sequence[Index], here: Sequence[Streams], moved: Sequence[Streams]) -> Streams:
    result: Streams = {}
    zero = indices[0]
    count = here[0][zero].shape[-1]
    for index in indices:
        if any(index in streams for streams in moved):
            pieces = [
                streams[index].expand(-1, count) if index in streams else torch.zeros_like(full[zero])
                for streams, full in zip(moved, here, strict=True)
            ]
            result[index] = torch.cat(pieces, dim=0)
    return result
