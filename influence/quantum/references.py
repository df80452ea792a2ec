"""References: what an absent feature is replaced by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from influence.quantum.explained import Explained
from sciml.errors import ConvergenceError, SolverError
from sciml.quantum.network import real_numbers

NAMES = ("root", "erasure", "uniform")
_CANDIDATES = 256


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference; `points` (batch, features) for points and roots, else None."""

    name: str
    points: Tensor | None


def resolve(explained: Explained, reference: Any, candidates: Any = None, seed: int = 0) -> Reference:
    """Read a reference as users give it.

    Args:
        explained: The model with its points.
        reference: Number, (features,), (batch, features), "root", "erasure" or "uniform".
        candidates: Points in which "root" looks for the other sign.
        seed: Seed of candidates where none are given.

    Returns:
        The reference.

    Raises:
        SolverError: If it is not understood, or not available for this model.
    """
    if isinstance(reference, str):
        if reference not in NAMES:
            raise SolverError(f"a reference point, or {', '.join(NAMES)}", repr(reference), "reference=0.0")
        if reference == "root":
            return Reference("root", _roots(explained, candidates, seed))
        explained.needed_network(f"reference={reference!r}")
        return Reference(reference, None)
    wanted = f"a finite number, or points with {explained.features} columns, or {', '.join(NAMES)}"
    point = real_numbers(reference, wanted)
    if point.ndim > 2 or (point.ndim and point.shape[-1] != explained.features):
        raise SolverError(wanted, f"shape {tuple(point.shape)}", "reference=0.0")
    if point.ndim == 2 and len(point) not in {1, len(explained.x)}:
        raise SolverError(f"one reference point or {len(explained.x)}", str(len(point)), "")
    return Reference("point", point.expand(explained.x.shape).clone())


def _roots(explained: Explained, candidates: Any, seed: int) -> Tensor:
    """Points with f = 0 on the way to the nearest candidate of opposite sign, by bisection."""
    x = explained.x
    if candidates is None:
        generator = torch.Generator().manual_seed(seed)
        unit = 2 * torch.rand(_CANDIDATES, x.shape[1], generator=generator, dtype=torch.float64) - 1
        bent = explained.bent
        reach = torch.tensor([1.0 if j in bent else math.pi for j in range(x.shape[1])], dtype=torch.float64)
        options = unit * reach
    else:
        wanted = f"candidates with {x.shape[1]} columns"
        options = torch.atleast_2d(real_numbers(candidates, wanted))
        if options.ndim != 2 or options.shape[1] != x.shape[1]:
            raise SolverError(wanted, f"shape {tuple(options.shape)}", "")
    here, there = explained.values(x), explained.values(options)
    distance = torch.cdist(x, options)
    distance = distance.masked_fill(here.sign()[:, None] * there.sign()[None] > 0, math.inf)
    nearest, index = distance.min(dim=1) if len(options) else (torch.full_like(here, math.inf), here.long())
    lost = (here.abs() >= 1e-12) & nearest.isinf()
    if bool(lost.any()):
        raise ConvergenceError(
            "a point where the output has the other sign", f"none for sample {int(lost.nonzero()[0])}",
            "taylor_infinity(..., reference='root', candidates=points); the output may never change sign",
        )  # fmt: skip
    low, high = x.clone(), torch.where(nearest.isinf()[:, None], x, options[index])
    for _ in range(80):
        middle = (low + high) / 2
        same = explained.values(middle).sign() == here.sign()
        low = torch.where(same[:, None], middle, low)
        high = torch.where(same[:, None], high, middle)
    ends = torch.stack([explained.values(low).abs(), explained.values(high).abs()])
    best = torch.where((ends[0] <= ends[1])[:, None], low, high)
    best = torch.where((here.abs() < 1e-12)[:, None], x, best)
    worst = float(explained.values(best).abs().max()) if len(best) else 0.0
    if worst >= 1e-12:
        raise ConvergenceError("|f(root)| < 1e-12", f"{worst:.1e}", "a discontinuous or very steep model")
    return best
