"""Unknown coefficients as free parameters: a smooth map from the real line into their bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from sciml.ibvp import Unknown


class UnknownMap:
    """Values of the unknown coefficients as functions of free numbers κ, all 0 at the start.

    Free: start + s κ with s = |start| or 1. Lower bound: lower + (start - lower) exp(κ), upper bound mirrored. Both
    bounds: logistic in the value, or in its logarithm where both bounds are positive.

    Args:
        unknowns: The coefficients in the problem's order.

    Example:
        >>> import torch
        >>> from sciml.ibvp import Unknown
        >>> bounded = UnknownMap([Unknown(0.2, 1e-3, 1.0)])
        >>> [round(float(v), 6) for v in bounded.values(torch.zeros(1, dtype=torch.float64))]
        [0.2]
        >>> float(bounded.values(torch.full((1,), 50.0, dtype=torch.float64))[0]) <= 1.0
        True
    """

    def __init__(self, unknowns: Iterable[Unknown]) -> None:
        self.unknowns = tuple(unknowns)

    def __len__(self) -> int:
        """Number of coefficients."""
        return len(self.unknowns)

    def values(self, free: Tensor) -> list[Tensor]:
        """Coefficients at κ.

        Args:
            free: κ, (k,).

        Returns:
            One scalar tensor per coefficient, differentiable.
        """
        return [_value(unknown, kappa) for unknown, kappa in zip(self.unknowns, free.unbind(), strict=True)]

    def slopes(self, free: Tensor) -> Tensor:
        """dvalue/dκ, (k,)."""
        if not len(self):
            return free.new_zeros(0)
        with torch.enable_grad():
            kappa = free.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(torch.stack(self.values(kappa)).sum(), kappa)
        return slope


def _value(unknown: Unknown, kappa: Tensor) -> Tensor:
    start, lower, upper = unknown.start, unknown.lower, unknown.upper
    if lower is None and upper is None:
        return start + (abs(start) or 1.0) * kappa
    if upper is None:
        assert lower is not None
        return lower + (start - lower) * torch.exp(kappa)
    if lower is None:
        return upper - (upper - start) * torch.exp(kappa)
    if lower > 0:
        share = math.log(start / lower) / math.log(upper / lower)
        return lower * torch.exp(math.log(upper / lower) * _logistic(kappa, share))
    return lower + (upper - lower) * _logistic(kappa, (start - lower) / (upper - lower))


def _logistic(kappa: Tensor, at_zero: float) -> Tensor:
    return torch.sigmoid(kappa + math.log(at_zero / (1 - at_zero)))
