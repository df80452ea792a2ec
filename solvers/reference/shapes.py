"""Lagrange polynomials of degree 1 and 2 on the reference simplex, and maps from it.

With barycentric coordinates L, the quadratic functions are L_i (2 L_i - 1) at vertices and 4 L_a L_b at
the middles of edges (Ciarlet 1978, sec. 2.2). An isoparametric element maps the reference simplex by the
same functions, x(X) = Σ x_i φ_i(X), so that edges may be curved.
"""

from __future__ import annotations

import numpy as np

# edges in the order in which scikit-fem numbers their dofs
EDGES = {
    1: ((0, 1),),
    2: ((0, 1), (1, 2), (0, 2)),
    3: ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3)),
}


def shape_functions(reference: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and derivatives with respect to reference coordinates.

    Args:
        reference: (n, d) coordinates X on the reference simplex, also outside of it.
        degree: 1 or 2.

    Returns:
        φ (n, b), ∂φ/∂X (n, b, d) and the constant ∂²φ/∂X² (b, d, d).

    Example:
        >>> shape_functions(np.array([[0.25]]), 2)[0]
        array([[ 0.375, -0.125,  0.75 ]])
    """
    n, d = reference.shape
    level = np.column_stack([1.0 - reference.sum(axis=1), reference])
    slope = np.vstack([-np.ones(d), np.eye(d)])
    if degree == 1:
        return level, np.broadcast_to(slope, (n, d + 1, d)), np.zeros((d + 1, d, d))
    a, b = np.array(EDGES[d]).T
    values = np.hstack([level * (2.0 * level - 1.0), 4.0 * level[:, a] * level[:, b]])
    vertex = (4.0 * level - 1.0)[:, :, None] * slope
    edge = 4.0 * (level[:, a, None] * slope[b] + level[:, b, None] * slope[a])
    outer = slope[a][:, :, None] * slope[b][:, None, :]
    curvature = np.concatenate([4.0 * slope[:, :, None] * slope[:, None, :], 4.0 * (outer + outer.swapaxes(1, 2))])
    return values, np.concatenate([vertex, edge], axis=1), curvature


def physical_derivatives(
    corners: np.ndarray, reference: np.ndarray, degree: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Shape functions and their derivatives with respect to x.

    With J = ∂x/∂X the chain rule gives ∂φ/∂x = J⁻ᵀ ∂φ/∂X and
    ∂²φ/∂x² = J⁻ᵀ (∂²φ/∂X² - Σ_k (∂φ/∂x_k) ∂²x_k/∂X²) J⁻¹.

    Args:
        corners: (n, b, d) positions of the nodes of the element of each point.
        reference: (n, d) reference coordinates.
        degree: 1 or 2.

    Returns:
        φ (n, b), gradients (n, b, d), Hessians (n, b, d, d).
    """
    values, slopes, curvature = shape_functions(reference, degree)
    inverse = np.linalg.inv(np.einsum("nbi,nbk->nik", corners, slopes))  # [n, k, i] = ∂X_k/∂x_i
    gradients = np.einsum("nki,nbk->nbi", inverse, slopes)
    bend = np.einsum("nbi,bkl->nikl", corners, curvature)
    inner = curvature[None] - np.einsum("nbi,nikl->nbkl", gradients, bend)
    hessians = np.einsum("nki,nbkl,nlj->nbij", inverse, inner, inverse, optimize=True)
    return values, gradients, hessians
