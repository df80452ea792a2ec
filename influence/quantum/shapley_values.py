"""Shapley values: from all coalitions, and from Owen's multilinear extension at Gauss-Legendre nodes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def coalitions(players: int) -> Tensor:
    """All subsets, (2^players, players), Boolean; row number s contains player i where bit i of s is set."""
    return (torch.arange(2**players)[:, None] >> torch.arange(players)) % 2 == 1


def shapley_from_coalitions(values: Tensor, players: int) -> Tensor:
    """Σ_{S∌i} |S|!(d-|S|-1)!/d! (v(S ∪ i) - v(S)) (Shapley 1953).

    Args:
        values: (batch, 2^players), in the order of `coalitions`.
        players: d.

    Returns:
        (batch, players).
    """
    if not players:
        return values[:, :0]
    number = torch.arange(2**players)
    size = coalitions(players).sum(dim=1)
    fact = [math.factorial(k) for k in range(players + 1)]
    shares = [fact[k] * fact[players - k - 1] / fact[players] for k in range(players)]
    weight = torch.tensor([*shares, 0.0], dtype=torch.float64)
    columns = []
    for i in range(players):
        without = number[(number >> i) % 2 == 0]
        gain = values[:, without + 2**i] - values[:, without]
        columns.append(gain @ weight[size[without]])
    return torch.stack(columns, dim=1)


def gauss_legendre(count: int) -> tuple[list[float], list[float]]:
    """Nodes and weights on [0, 1], exact for polynomials of degree 2 count - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(max(count, 1))
    return ((nodes + 1) / 2).tolist(), (weights / 2).tolist()


def shapley_from_extension(extension: Callable[[Tensor], Tensor], batch: int, players: int, nodes: int) -> Tensor:
    """∫_0^1 ∂_i F(t, ..., t) dt with the multilinear extension F (Owen 1972).

    The integrand is a polynomial of degree at most d - 1, so ⌈d/2⌉ nodes are exact.

    Args:
        extension: (batch, players) in [0, 1] -> (batch,), differentiable.
        batch: Number of samples.
        players: Columns.
        nodes: Gauss-Legendre nodes.

    Returns:
        (batch, players).
    """
    total = torch.zeros(batch, players, dtype=torch.float64)
    for t, weight in zip(*gauss_legendre(nodes), strict=True):
        with torch.enable_grad():
            share = torch.full((batch, players), t, dtype=torch.float64, requires_grad=True)
            value = extension(share).sum()
            if value.requires_grad:
                (slope,) = torch.autograd.grad(value, share, allow_unused=True, materialize_grads=True)
                total += weight * slope
    return total
