"""Polynomial interpolation and differentiation by the barycentric formula."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def barycentric_weights(nodes: Array) -> Array:
    """Weights 1 / Π_{k≠j} (x_j - x_k) of the barycentric formula, scaled to a largest modulus of 1.

    Source: Berrut and Trefethen 2004, Barycentric Lagrange interpolation, SIAM Review 46, 501.

    Args:
        nodes: Different numbers, `(n,)`.

    Returns:
        Weights `(n,)`.

    Example:
        >>> print(barycentric_weights(np.array([-1.0, 0.0, 1.0])))
        [ 0.5 -1.   0.5]
    """
    differences = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(differences, 1.0)
    # Logarithms: the products under- or overflow for many nodes.
    logarithm = -np.log(np.abs(differences)).sum(axis=1)
    return np.prod(np.sign(differences), axis=1) * np.exp(logarithm - logarithm.max())


def interpolation_matrix(nodes: Array, points: Array) -> Array:
    """Rows of Lagrange polynomials: `matrix @ values` interpolates values at the nodes.

    Args:
        nodes: Interpolation nodes `(n,)`.
        points: Where to evaluate `(m,)`.

    Returns:
        Matrix `(m, n)`; a point that is a node gives a row of the identity.

    Example:
        >>> nodes = np.array([-1.0, 0.0, 1.0])
        >>> print(interpolation_matrix(nodes, np.array([0.5])) @ nodes**2)
        [0.25]
    """
    differences = points[:, None] - nodes[None, :]
    hits = differences == 0
    differences[hits] = 1.0
    terms = barycentric_weights(nodes) / differences
    matrix = terms / terms.sum(axis=1, keepdims=True)
    on_node = hits.any(axis=1)
    matrix[on_node] = hits[on_node]
    return matrix


def differentiation_matrix(nodes: Array) -> Array:
    """Matrix that maps values at the nodes to the derivative of their interpolant there.

    Off the diagonal D_jk = (w_k/w_j)/(x_j - x_k) with the barycentric weights; the diagonal makes every row
    sum to zero, which keeps rounding errors small (Baltensperger and Trummer 2003, SIAM J. Sci. Comput. 24,
    1465).

    Args:
        nodes: Interpolation nodes `(n,)`.

    Returns:
        Matrix `(n, n)`.

    Example:
        >>> nodes = np.array([-1.0, 0.0, 1.0])
        >>> print(differentiation_matrix(nodes) @ nodes**2)
        [-2.  0.  2.]
    """
    weights = barycentric_weights(nodes)
    differences = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(differences, 1.0)
    matrix = weights[None, :] / weights[:, None] / differences
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix
