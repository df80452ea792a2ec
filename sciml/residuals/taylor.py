"""Rules of Taylor propagation: which derivatives are needed, and how those of an activation follow.

An activation a = σ(z) obeys D^{γ+e_i} a = D^γ (σ'(z) D^{e_i} z), a Leibniz product of the derivatives of the
slope g = σ'(z) and of z. Where σ solves a polynomial differential equation (tanh: σ' = 1 - σ²; sine and
cosine; the logistic and the normal distribution function) the slope's derivatives follow from a in turn, so
that no tower of higher derivatives of σ is needed (Moore 1966; Griewank & Walther 2008, chapter 13).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn

Index = tuple[Any, ...]
"""Orders of derivative per coordinate, or a merged second derivative: pairs (c_i, 2e_i), see `merging`."""


def is_merged(index: Index) -> bool:
    """Whether an index stands for Σ c_i ∂_i²."""
    return isinstance(index[0], tuple)


def closure(orders: Iterable[Index], dimension: int) -> tuple[Index, ...]:
    """The smallest set of multi-indices that contains the given ones and everything below them.

    Args:
        orders: Multi-indices.
        dimension: Number of coordinates.

    Returns:
        The set, by order; zero is always in it.

    Example:
        >>> closure([(2, 1)], 2)
        ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))
    """
    found = {(0,) * dimension}
    for index in orders:
        if is_merged(index):
            found.update([index, *(_half(order) for _, order in index)])
        else:
            found.update(itertools.product(*(range(order + 1) for order in index)))
    return tuple(sorted(found, key=lambda index: (is_merged(index), 0 if is_merged(index) else sum(index), index)))


def _half(order: Index) -> Index:
    return tuple(k // 2 for k in order)


@lru_cache(maxsize=4096)
def splits(index: Index) -> tuple[tuple[float, Index, Index], ...]:
    """All (C(γ, β), β, γ - β) of the Leibniz rule D^γ(uv) = Σ C(γ, β) D^β u D^{γ-β} v."""
    result: list[tuple[float, Index, Index]] = []
    if is_merged(index):
        zero = (0,) * len(index[0][1])
        halves = [(2.0 * factor, _half(order), _half(order)) for factor, order in index]
        return ((1.0, zero, index), (1.0, index, zero), *halves)
    for lower in itertools.product(*(range(order + 1) for order in index)):
        rest = tuple(a - b for a, b in zip(index, lower, strict=True))
        result.append((float(math.prod(math.comb(a, b) for a, b in zip(index, lower, strict=True))), lower, rest))
    return tuple(result)


Ref = tuple[str, Index]
"""An array while a program is written: name and multi-index."""
Part = tuple[float, Ref, Ref | None]
"""coefficient · array · array."""
Step = tuple[Ref, tuple[Part, ...], float]
"""An array as a sum of products of earlier ones plus a constant."""


@dataclass(frozen=True)
class State:
    """A function of z with its value and its slope, a polynomial in the states y0, y1 and z.

    `value(z, out=...)` fills a buffer; the slope lists (coefficient, names of at most two factors).
    """

    value: Callable[..., Tensor]
    slope: tuple[tuple[float, tuple[str, ...]], ...]


def _filling(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda z, out=None: function(z) if out is None else out.copy_(function(z))


_LOGISTIC = ((1.0, ("y0",)), (-1.0, ("y0", "y0")))
RULES: dict[str, tuple[State, ...]] = {
    "tanh": (State(torch.tanh, ((1.0, ()), (-1.0, ("y0", "y0")))),),
    "sin": (State(torch.sin, ((1.0, ("y1",)),)), State(torch.cos, ((-1.0, ("y0",)),))),
    "logistic": (State(torch.sigmoid, _LOGISTIC),),
    "reciprocal": (State(torch.reciprocal, ((-1.0, ("y0", "y0")),)),),
    "log": (State(torch.log, ((1.0, ("y1",)),)), State(torch.reciprocal, ((-1.0, ("y1", "y1")),))),
    "softplus": (
        State(_filling(partial(nn.functional.softplus, threshold=700.0)), ((1.0, ("y1",)),)),
        State(torch.sigmoid, ((1.0, ("y1",)), (-1.0, ("y1", "y1")))),
    ),
    "normal": (
        State(_filling(lambda z: 0.5 * torch.erfc(-z * math.sqrt(0.5))), ((1.0, ("y1",)),)),
        State(_filling(lambda z: torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)), ((-1.0, ("z", "y1")),)),
    ),
}
# z · F(z): the other activations
TIMES_INPUT = {"silu": "logistic", "gelu": "normal"}


@dataclass(frozen=True)
class ActivationProgram:
    """Steps that give the derivatives of σ(z); arrays by number, those of z first.

    Attributes:
        values: (state, array) to evaluate first.
        steps: (array, parts, constant) in order.
        outputs: Multi-index -> array, for those that do not vanish.
        slopes: Multi-index -> (sign, array) of the slope, where asked for.
        spare: Arrays that nobody needs afterwards.
        count: Number of arrays.
    """

    values: tuple[tuple[int, int], ...]
    steps: tuple[tuple[int, tuple[tuple[float, int, int | None], ...], float], ...]
    outputs: dict[Index, int]
    slopes: dict[Index, tuple[float, int]]
    spare: tuple[int, ...]
    count: int


@lru_cache(maxsize=1024)
def activation_program(
    name: str, indices: tuple[Index, ...], present: tuple[Index, ...], slopes: bool
) -> ActivationProgram:
    """Steps from the derivatives of z to those of σ(z).

    Args:
        name: Key of `RULES`.
        indices: Closed set of multi-indices.
        present: Those for which the derivative of z does not vanish.
        slopes: Whether the derivatives of σ'(z) are wanted too, as the reverse sweep needs them.

    Returns:
        The program.
    """
    writer = _Writer(name, frozenset(present))
    outputs = [index for index in indices if writer.state(0, index)]
    wanted = {}
    for index in indices if slopes else ():
        slope = writer.slope(0, index)
        if slope is not None:
            wanted[index] = slope
    number: dict[Ref, int] = {("z", index): k for k, index in enumerate(present)}

    def found(ref: Ref) -> int:
        return number.setdefault(ref, len(number))

    values = tuple((state, found((f"y{state}", indices[0]))) for state in sorted(writer.values))
    steps = tuple(
        (
            found(target),
            tuple((factor, found(left), None if right is None else found(right)) for factor, left, right in parts),
            constant,
        )
        for target, parts, constant in writer.steps
    )
    results = {index: found(("y0", index)) for index in outputs}
    slots = {index: (factor, found(ref)) for index, (factor, ref) in wanted.items()}
    kept = {*range(len(present)), *results.values(), *(slot for factor, slot in slots.values() if factor == 1)}
    spare = tuple(slot for slot in range(len(number)) if slot not in kept)
    return ActivationProgram(values, steps, results, slots, spare, len(number))


@lru_cache(maxsize=4096)
def transposed_parts(
    present: tuple[Index, ...], outputs: tuple[Index, ...], slopes: tuple[Index, ...]
) -> tuple[tuple[tuple[float, Index, int], ...], ...]:
    """For every β in `present`, the (C(α, β), α - β, position of α) of z̄_β = Σ_α C(α, β) g_{α-β} ā_α.

    Args:
        present: Multi-indices of z.
        outputs: Multi-indices of σ(z), or of a product.
        slopes: Multi-indices for which g does not vanish.

    Returns:
        Parts for each β, those with coefficient 1 first.
    """
    result = []
    for beta in present:
        parts = [
            (factor, rest, j)
            for j, alpha in enumerate(outputs)
            for factor, lower, rest in splits(alpha)
            if lower == beta and rest in slopes
        ]
        result.append(tuple(sorted(parts, key=lambda part: part[0] != 1)))
    return tuple(result)


class _Writer:
    """Emits the steps of one activation on demand, each array once."""

    def __init__(self, name: str, present: frozenset[Index]) -> None:
        self.states, self.present = RULES[name], present
        self.values: set[int] = set()
        self.steps: list[Step] = []
        self.known: dict[Ref, bool] = {}

    def state(self, number: int, index: Index) -> bool:
        """Make the derivative of a state; False where it vanishes."""
        target = (f"y{number}", index)
        if target not in self.known:
            if not any(index):
                self.values.add(number)
                self.known[target] = True
            else:
                self.known[target] = self._emit(target, self._chain(number, index))
        return self.known[target]

    def _chain(self, number: int, index: Index) -> list[Part]:
        """D^γ y = Σ C(γ - e_i, β) D^β(slope) D^{γ-β} z, for the i with the fewest parts."""
        choices = []
        if is_merged(index):
            zero = (0,) * len(index[0][1])
            first = [(factor, _half(order), _half(order)) for factor, order in index]
            choices.append([part for part in [(1.0, zero, index), *first] if part[2] in self.present])
        for axis, order in enumerate(() if is_merged(index) else index):
            if order:
                lower = tuple(o - (i == axis) for i, o in enumerate(index))
                choices.append([
                    (factor, beta, rest)
                    for factor, beta, short in splits(lower)
                    if (rest := tuple(o + (i == axis) for i, o in enumerate(short))) in self.present
                ])
        parts: list[Part] = []
        for factor, beta, rest in min(choices, key=len):
            slope = self.slope(number, beta)
            if slope is not None:
                parts.append((factor * slope[0], slope[1], ("z", rest)))
        return parts

    def slope(self, number: int, index: Index) -> tuple[float, Ref] | None:
        """The derivative of a state's slope as coefficient and array, None where it vanishes."""
        terms = self.states[number].slope
        if len(terms) == 1 and len(terms[0][1]) == 1:
            factor, (name,) = terms[0]
            return (factor, (name, index)) if self._operand(name, index) else None
        target = (f"s{number}", index)
        if target not in self.known:
            parts: list[Part] = []
            for factor, names in terms:
                if len(names) == 1 and self._operand(names[0], index):
                    parts.append((factor, (names[0], index), None))
                elif len(names) == 2:
                    parts.extend(self._leibniz(factor, names[0], names[1], index))
            constant = sum(factor for factor, names in terms if not names) if not any(index) else 0.0
            self.known[target] = self._emit(target, parts, constant)
        return (1.0, target) if self.known[target] else None

    def _leibniz(self, factor: float, left: str, right: str, index: Index) -> list[Part]:
        merged: dict[tuple[Ref, Ref], float] = {}
        for binomial, beta, rest in splits(index):
            if self._operand(left, beta) and self._operand(right, rest):
                pair = ((left, beta), (right, rest))
                pair = pair[::-1] if left == right and pair[::-1] in merged else pair
                merged[pair] = merged.get(pair, 0.0) + factor * binomial
        return [(coefficient, *pair) for pair, coefficient in merged.items()]

    def _operand(self, name: str, index: Index) -> bool:
        return index in self.present if name == "z" else self.state(int(name[1:]), index)

    def _emit(self, target: Ref, parts: Sequence[Part], constant: float = 0.0) -> bool:
        if not parts:
            return False
        # a product with coefficient 1 starts a sum in one pass over memory
        ordered = sorted(parts, key=lambda part: (part[2] is None, part[0] != 1))
        if not constant and ordered[0][0] != 1:
            ordered = self._start_scaled(ordered)
        self.steps.append((target, tuple(ordered), constant))
        return True

    def _start_scaled(self, parts: list[Part]) -> list[Part]:
        """Start with a multiple of a value, which is made once for all derivatives."""
        for position, (factor, left, right) in enumerate(parts):
            if right is not None and not any(left[1]) and left[0] != "z":
                scaled = (f"{factor:g}{left[0]}", left[1])
                if scaled not in self.known:
                    self.steps.append((scaled, ((factor, left, None),), 0.0))
                    self.known[scaled] = True
                return [(1.0, scaled, right), *parts[:position], *parts[position + 1 :]]
        return parts
