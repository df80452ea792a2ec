"""Forward propagation of a network's value and derivatives, stage by stage.

A stream is d^γ of a slot at all points, (width, n): points run along memory. The streams of one slot lie in one
array (width, streams, n), so that an affine stage is one matrix product for all of them. Streams that vanish are
left out; those that are equal at all points (derivatives of the coordinates) have one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sciml.networks.stages import Activation, Affine, Concatenate, Product, Scale, Shift, Stage, Sum
from sciml.residuals.buffers import BufferPool
from sciml.residuals.taylor import RULES, TIMES_INPUT, ActivationProgram, Index, activation_program, is_merged, splits

Streams = dict[Index, Tensor]


@dataclass(frozen=True)
class Op:
    """One elementary map; slots and tensors by number.

    Attributes:
        kind: "affine", "activation", "product", "sum", "scale", "shift" or "concatenate".
        sources: Slots that it reads.
        tensors: Parameters or constants that it uses: weight and bias, factor, amount.
        detail: Name of the activation, sign of the sum.
    """

    kind: str
    sources: tuple[int, ...]
    tensors: tuple[int, ...] = ()
    detail: str | float = ""


class UnknownActivationError(KeyError):
    """An activation without rules: another engine must serve."""


def lower(stages: Sequence[Stage]) -> tuple[tuple[Op, ...], list[Tensor]]:
    """Operations of a list of stages, and the tensors that they use.

    Args:
        stages: The stages.

    Returns:
        Operations, hashable and without tensors; the tensors, each once.
    """
    ops: list[Op] = []
    tensors: list[Tensor] = []
    position: dict[int, int] = {}
    slot = [0]  # slot of the operations that holds what a stage wrote

    def number(*given: Tensor | None) -> tuple[int, ...]:
        for tensor in given:
            if tensor is not None and id(tensor) not in position:
                position[id(tensor)] = len(tensors)
                tensors.append(tensor)
        return tuple(position[id(tensor)] for tensor in given if tensor is not None)

    for stage in stages:
        ops.extend(_operations(stage, slot, len(ops), number))
        slot.append(len(ops))
    return tuple(ops), tensors


def _operations(stage: Stage, slot: list[int], count: int, number: object) -> list[Op]:
    assert callable(number)
    if isinstance(stage, Affine):
        return [Op("affine", (slot[stage.source],), number(stage.weight, stage.bias))]
    if isinstance(stage, Activation):
        source, rule = slot[stage.source], TIMES_INPUT.get(stage.name, stage.name)
        if rule not in RULES:
            raise UnknownActivationError(stage.name)
        inner = Op("activation", (source,), detail=rule)
        return [inner] if rule == stage.name else [inner, Op("product", (source, count + 1))]
    if isinstance(stage, Product):
        return [Op("product", (slot[stage.left], slot[stage.right]))]
    if isinstance(stage, Sum):
        return [Op("sum", (slot[stage.left], slot[stage.right]), detail=float(stage.sign))]
    if isinstance(stage, Scale):
        return [Op("scale", (slot[stage.source],), number(stage.factor))]
    if isinstance(stage, Shift):
        return [Op("shift", (slot[stage.source],), number(stage.amount))]
    if isinstance(stage, Concatenate):
        return [Op("concatenate", tuple(slot[source] for source in stage.sources))]
    raise UnknownActivationError(type(stage).__name__)


@dataclass(eq=False)
class Tape:
    """What a forward propagation leaves for the reverse sweep; its memory returns to the pool with it.

    Attributes:
        slots: Streams of every slot.
        stacks: The array in which the streams of a slot lie, where they lie in one.
        slopes: Streams of σ'(z) by operation.
    """

    pool: BufferPool | None
    slots: list[Streams] = field(default_factory=list)
    stacks: list[Tensor | None] = field(default_factory=list)
    slopes: dict[int, Streams] = field(default_factory=dict)
    owned: dict[int, Tensor] = field(default_factory=dict)

    def take(self, shape: Sequence[int], like: Tensor) -> Tensor | None:
        """A buffer that lives as long as the tape; None where results must be new tensors."""
        if self.pool is None:
            return None
        buffer = self.pool.take(shape, like)
        self.owned[id(buffer)] = buffer
        return buffer

    def drop(self, buffer: Tensor) -> None:
        """Hand one buffer back early."""
        if self.pool is not None:
            self.pool.give(self.owned.pop(id(buffer)))

    def __del__(self) -> None:
        """Hand all buffers back."""
        if self.pool is not None:
            for buffer in self.owned.values():
                self.pool.give(buffer)

    def stacked(self, slot: int) -> Tensor:
        """All streams of a slot in one array (width, streams, n)."""
        stack = self.stacks[slot]
        if stack is None:
            streams = list(self.slots[slot].values())
            count = max(stream.shape[-1] for stream in streams)
            stack = torch.stack([stream.expand(-1, count) for stream in streams], dim=1)
        return stack


def combine(parts: Sequence[tuple[float, Tensor, Tensor | None]], constant: float, out: Tensor | None) -> Tensor:
    """Σ coefficient · left · right + constant, in place where a buffer is given."""
    (factor, left, right), *rest = parts
    if constant and right is not None:
        base = torch.full((), constant, dtype=left.dtype, device=left.device)
        result = torch.addcmul(base, left, right, value=factor, out=out)
    else:
        if right is None:
            result = torch.mul(left, factor, out=out)
        else:
            result = torch.mul(left, right, out=out)
            if factor != 1:
                result = result * factor if out is None else result.mul_(factor)
        if constant:
            result = result + constant if out is None else result.add_(constant)
    for factor, left, right in rest:
        if right is None:
            result = torch.add(result, left, alpha=factor, out=out)
        else:
            result = torch.addcmul(result, left, right, value=factor, out=out)
    return result


class Propagation:
    """A lowered network with a closed set of derivatives, ready to run on any points.

    Args:
        ops: Operations of `lower`.
        indices: Closed set of multi-indices.
        keep: Whether what the reverse sweep needs is computed and kept.
    """

    def __init__(self, ops: tuple[Op, ...], indices: tuple[Index, ...], keep: bool) -> None:
        self.ops, self.indices, self.keep = ops, indices, keep
        self._programs: dict[int, ActivationProgram] = {}
        readers = [source for op in ops for source in op.sources]
        # scaled or shifted in place: what an affine stage wrote and one stage reads
        written: list[bool] = [False]
        self._alone = []
        for op in ops:
            free = all(written[source] and readers.count(source) == 1 for source in op.sources)
            self._alone.append(free)
            written.append(op.kind == "affine" or (op.kind in {"scale", "shift"} and free))
        # an array that only the next activation reads is free once that is done
        self._passing = [
            i > 0 and ops[i - 1].kind == "affine" and op.kind == "activation" and readers.count(i) == 1
            for i, op in enumerate(ops)
        ]

    def run(self, tensors: Sequence[Tensor], points: Tensor, pool: BufferPool | None) -> Tape:
        """Streams of all slots.

        Args:
            tensors: Tensors of `lower`.
            points: (n, d).
            pool: Memory to write into; None for new tensors by differentiable operations.

        Returns:
            The tape; its last slot is the output.
        """
        tape = Tape(pool)
        unit = torch.eye(points.shape[-1], dtype=points.dtype, device=points.device)
        start: Streams = {}
        for index in self.indices:
            if not any(index):
                start[index] = points.T if pool is None else points.T.contiguous()
            elif not is_merged(index) and sum(index) == 1:
                start[index] = unit[index.index(1)].unsqueeze(-1)
        tape.slots.append(start)
        tape.stacks.append(None)
        for i, op in enumerate(self.ops):
            used = [tensors[k] for k in op.tensors]
            streams, stack = getattr(self, f"_{op.kind}")(tape, i, op, used)
            tape.slots.append(streams)
            tape.stacks.append(stack)
            if self._passing[i]:
                passed = tape.stacks[i]
                if passed is not None:
                    tape.drop(passed)
                # presence is all that the reverse sweep asks of it
                tape.slots[i], tape.stacks[i] = dict.fromkeys(tape.slots[i], points.T), None
        return tape

    def _affine(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        source, weight = tape.slots[op.sources[0]], used[0]
        stack = tape.stacks[op.sources[0]]
        out = None
        if stack is not None or (tape.pool is None and op.sources[0] > 0):
            stack = tape.stacked(op.sources[0])
            shape = (len(weight), *stack.shape[1:])
            out = tape.take(shape, stack)
            if out is None:
                out = (weight @ stack.flatten(1)).view(shape)
            else:
                torch.mm(weight, stack.view(len(stack), -1), out=out.view(len(weight), -1))
            streams = dict(zip(source, out.unbind(1), strict=True))
        else:
            streams = {index: _times(tape, stream, weight) for index, stream in source.items()}
        if len(used) > 1:
            zero, bias = self.indices[0], used[1][:, None]
            streams[zero] = streams[zero] + bias if tape.pool is None else streams[zero].add_(bias)
            if tape.pool is None:
                out = None
        return streams, out

    def _activation(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        z = tape.slots[op.sources[0]]
        rule, like = str(op.detail), z[self.indices[0]]
        program = self._programs.get(i)
        if program is None:
            program = self._programs[i] = activation_program(rule, self.indices, tuple(z), self.keep)
        arrays: list[Tensor | None] = [*z.values(), *[None] * (program.count - len(z))]
        stack = tape.take((len(like), len(program.outputs), like.shape[-1]), like)
        targets = {} if stack is None else dict(zip(program.outputs.values(), stack.unbind(1), strict=True))
        for number, slot in program.values:
            out = targets[slot] if slot in targets else tape.take(like.shape, like)
            arrays[slot] = RULES[rule][number].value(like, out=out)
        for slot, parts, constant in program.steps:
            out = targets[slot] if slot in targets else tape.take(like.shape, like)
            resolved = [(f, _made(arrays[a]), None if b is None else arrays[b]) for f, a, b in parts]
            arrays[slot] = combine(resolved, constant, out)
        if self.keep:
            tape.slopes[i] = {
                index: _made(arrays[slot]) if factor == 1 else factor * _made(arrays[slot])
                for index, (factor, slot) in program.slopes.items()
            }
        for slot in program.spare:
            tape.drop(_made(arrays[slot]))
        return {index: _made(arrays[slot]) for index, slot in program.outputs.items()}, stack

    def _product(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        like = tape.slots[op.sources[0]][self.indices[0]]
        # of full length: the product of two constant streams is one that would not fill its buffer
        left, right = ({i: s.expand_as(like) for i, s in tape.slots[source].items()} for source in op.sources)
        parts = {index: leibniz_parts(index, left, right) for index in self.indices}
        found = [index for index in self.indices if parts[index]]
        stack = tape.take((len(like), len(found), like.shape[-1]), like)
        streams = {}
        for k, index in enumerate(found):
            streams[index] = combine(parts[index], 0.0, None if stack is None else stack[:, k])
        return streams, stack

    def _sum(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        left, right = (tape.slots[source] for source in op.sources)
        streams: Streams = {}
        for index in self.indices:
            if index in left and index in right:
                streams[index] = torch.add(left[index], right[index], alpha=float(op.detail))
            elif index in left or index in right:
                streams[index] = left[index] if index in left else float(op.detail) * right[index]
        return self._stack(tape, streams)

    def _scale(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        factor, stack = as_column(used[0]), self._mine(tape, i, op, used[0])
        if stack is not None:
            stack.mul_(factor[..., None] if factor.ndim else factor)
            return tape.slots[op.sources[0]], stack
        return self._stack(tape, {index: factor * stream for index, stream in tape.slots[op.sources[0]].items()})

    def _shift(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        streams, zero = dict(tape.slots[op.sources[0]]), self.indices[0]
        stack = self._mine(tape, i, op, used[0])
        if stack is not None:
            streams[zero].add_(used[0][:, None])
            return streams, stack
        streams[zero] = streams[zero] + used[0][:, None]
        return self._stack(tape, streams)

    def _mine(self, tape: Tape, i: int, op: Op, constant: Tensor) -> Tensor | None:
        """The array of the source, if it may be overwritten: nobody else reads it, also not the reverse sweep."""
        slot = op.sources[0]
        if tape.pool is None or constant.requires_grad or not self._alone[i]:
            return None
        return tape.stacks[slot]

    def _concatenate(self, tape: Tape, i: int, op: Op, used: list[Tensor]) -> tuple[Streams, Tensor | None]:
        sources = [tape.slots[source] for source in op.sources]
        streams: Streams = {}
        for index in self.indices:
            pieces = [source.get(index) for source in sources]
            if all(piece is None for piece in pieces):
                continue
            count = max(piece.shape[-1] for piece in pieces if piece is not None)
            full = [
                torch.zeros_like(source[self.indices[0]][:, :1]).expand(-1, count)
                if piece is None
                else piece.expand(-1, count)
                for piece, source in zip(pieces, sources, strict=True)
            ]
            streams[index] = torch.cat(full, dim=0)
        return self._stack(tape, streams)

    def _stack(self, tape: Tape, streams: Streams) -> tuple[Streams, Tensor | None]:
        """Put streams of full length into one buffer, so that the next affine stage is one product."""
        first = streams[self.indices[0]]
        if tape.pool is None or any(stream.shape != first.shape for stream in streams.values()):
            return streams, None
        stack = tape.take((len(first), len(streams), first.shape[-1]), first)
        assert stack is not None
        for k, stream in enumerate(streams.values()):
            stack[:, k].copy_(stream)
        return dict(zip(streams, stack.unbind(1), strict=True)), stack


def _times(tape: Tape, stream: Tensor, weight: Tensor) -> Tensor:
    out = tape.take((len(weight), stream.shape[-1]), stream)
    return weight @ stream if out is None else torch.mm(weight, stream, out=out)


def as_column(factor: Tensor) -> Tensor:
    """A factor per column of a network as one per row of a stream; scalars as they are."""
    return factor[:, None] if factor.ndim else factor


def leibniz_parts(index: Index, left: Streams, right: Streams) -> list[tuple[float, Tensor, Tensor | None]]:
    """Parts of D^γ(uv), those with coefficient 1 first; vanishing streams are left out."""
    found: list[tuple[float, Tensor, Tensor | None]] = [
        (c, left[a], right[b]) for c, a, b in splits(index) if a in left and b in right
    ]
    return sorted(found, key=lambda part: part[0] != 1)


def _made(array: Tensor | None) -> Tensor:
    assert array is not None
    return array
