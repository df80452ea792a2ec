"""Quadrature rules on fixed intervals, computed once per size and kept in memory."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre
from scipy.special import roots_jacobi

Array = np.ndarray


def _frozen(*arrays: Array) -> tuple[Array, ...]:
    # The rules are shared by all callers: nobody may write into them.
    for array in arrays:
        array.setflags(write=False)
    return arrays


@lru_cache(maxsize=64)
def gauss_legendre(n: int) -> tuple[Array, ...]:
    """Gauss–Legendre rule on [-1, 1], exact for polynomials of degree 2n - 1.

    Args:
        n: Number of nodes, at least 1.

    Returns:
        Nodes and weights, each `(n,)`, read-only.

    Example:
        >>> nodes, weights = gauss_legendre(3)
        >>> print(round(float(weights @ nodes**4), 15))
        0.4
    """
    return _frozen(*legendre.leggauss(n))


@lru_cache(maxsize=16)
def gauss_lobatto(n: int) -> tuple[Array, ...]:
    """Gauss–Lobatto–Legendre rule on [-1, 1]: both ends are nodes, exact to degree 2n - 3.

    The interior nodes are the zeros of P'_{n-1}, the weights 2 / (n (n-1) P_{n-1}(x)²)
    (Canuto, Hussaini, Quarteroni and Zang, Spectral Methods, 2006, section 2.3).

    Args:
        n: Number of nodes, at least 2.

    Returns:
        Nodes in increasing order and weights, each `(n,)`, read-only.

    Example:
        >>> nodes, weights = gauss_lobatto(4)
        >>> print(round(float(weights @ nodes**4), 15))
        0.4
    """
    # P'_{n-1} is proportional to the Jacobi polynomial P^(1,1)_{n-2}.
    interior = roots_jacobi(n - 2, 1.0, 1.0)[0] if n > 2 else np.empty(0)
    nodes = np.concatenate([[-1.0], interior, [1.0]])
    values = legendre.legval(nodes, [0.0] * (n - 1) + [1.0])
    return _frozen(nodes, 2.0 / (n * (n - 1) * values**2))


@lru_cache(maxsize=16)
def gauss_radau(n: int) -> tuple[Array, ...]:
    """Gauss–Radau–Legendre rule on (0, 1] with the right end as a node, exact to degree 2n - 2.

    These are the stages of the Radau IIA method of order 2n - 1 (Hairer and Wanner, Solving Ordinary
    Differential Equations II, 1996, section IV.5).

    Args:
        n: Number of nodes, at least 1.

    Returns:
        Nodes in increasing order and weights, each `(n,)`, read-only.

    Example:
        >>> nodes, weights = gauss_radau(2)
        >>> print(nodes.round(6), weights)
        [0.333333 1.      ] [0.75 0.25]
    """
    interior = roots_jacobi(n - 1, 1.0, 0.0)[0] if n > 1 else np.empty(0)
    nodes = np.append(interior, 1.0)
    values = legendre.legval(nodes, [0.0] * (n - 1) + [1.0])
    # Mirror image of the classical rule with the left end: w = (1 + x) / (n P_{n-1}(x))², w_n = 2 / n².
    weights = (1.0 + nodes) / (n * values) ** 2
    weights[-1] = 2.0 / n**2
    return _frozen((1.0 + nodes) / 2.0, weights / 2.0)
