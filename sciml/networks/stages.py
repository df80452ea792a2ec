"""Stages: a network described as a list of elementary maps, so that engines can push derivatives through it.

Slot 0 holds the coordinates; stage i reads earlier slots and writes slot i + 1; the last slot is the output.
A network that gives its stages needs no code in any derivative engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "gelu": nn.functional.gelu,
    "silu": nn.functional.silu,
    # torch turns linear above 20, which costs 2e-9 in the value; below 700 the exponential is a number
    "softplus": partial(nn.functional.softplus, threshold=700.0),
}

# elementary functions of features, with a pole that must lie outside the domain
ELEMENTARY: dict[str, Callable[[Tensor], Tensor]] = {"reciprocal": torch.reciprocal, "log": torch.log}


@dataclass(frozen=True, eq=False)
class Affine:
    """y = x Wᵀ + b with W (out, in)."""

    source: int
    weight: Tensor
    bias: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Activation:
    """y = σ(x) entry by entry; a name of `ACTIVATIONS` or `ELEMENTARY`."""

    source: int
    name: str


@dataclass(frozen=True, eq=False)
class Product:
    """y = l ⊙ r of equal widths."""

    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Sum:
    """y = l + sign · r of equal widths."""

    left: int
    right: int
    sign: float = 1.0


@dataclass(frozen=True, eq=False)
class Scale:
    """y = factor ⊙ x; the factor is a scalar or one number per column."""

    source: int
    factor: Tensor


@dataclass(frozen=True, eq=False)
class Shift:
    """y = x + amount, one number per column."""

    source: int
    amount: Tensor


@dataclass(frozen=True, eq=False)
class Concatenate:
    """Columns of all sources side by side."""

    sources: tuple[int, ...]


Stage = Affine | Activation | Product | Sum | Scale | Shift | Concatenate


@runtime_checkable
class Staged(Protocol):
    """A module that describes itself."""

    def stages(self) -> Sequence[Stage]:
        """The stages with the parameters as they are now."""
        ...


def run_stages(stages: Sequence[Stage], x: Tensor) -> Tensor:
    """Values of a list of stages.

    Args:
        stages: The stages.
        x: (..., inputs).

    Returns:
        (..., outputs).
    """
    slots = [x]
    for stage in stages:
        slots.append(_value(stage, slots))
    return slots[-1]


def _value(stage: Stage, slots: Sequence[Tensor]) -> Tensor:
    if isinstance(stage, Affine):
        return nn.functional.linear(slots[stage.source], stage.weight, stage.bias)
    if isinstance(stage, Activation):
        return (ACTIVATIONS.get(stage.name) or ELEMENTARY[stage.name])(slots[stage.source])
    if isinstance(stage, Product):
        return slots[stage.left] * slots[stage.right]
    if isinstance(stage, Sum):
        return torch.add(slots[stage.left], slots[stage.right], alpha=stage.sign)
    if isinstance(stage, Scale):
        return stage.factor * slots[stage.source]
    if isinstance(stage, Shift):
        return slots[stage.source] + stage.amount
    return torch.cat([slots[source] for source in stage.sources], dim=-1)
