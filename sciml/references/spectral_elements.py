"""Spectral elements on an interval: Gauss–Lobatto nodes, diagonal mass matrix, exact evaluation."""

from __future__ import annotations

import numpy as np

from sciml.errors import PointsError, ProblemError
from sciml.references.barycentric import differentiation_matrix, interpolation_matrix
from sciml.references.quadrature import gauss_lobatto

Array = np.ndarray


class SpectralElements:
    """Continuous piecewise polynomials of degree p on given breakpoints.

    Stiffness and mass matrix are integrated with the p + 1 Gauss–Lobatto nodes of each element, so that the
    mass matrix is diagonal and the discrete Laplacian is similar to a symmetric matrix; for analytic
    functions the error falls geometrically with p (Patera 1984, J. Comput. Phys. 54, 468).

    Args:
        edges: Increasing breakpoints `(m + 1,)`, the ends included.
        degree: p >= 2.

    Raises:
        ProblemError: If the breakpoints do not increase or the degree is below 2.

    Example:
        >>> mesh = SpectralElements(np.array([0.0, 0.5, 1.0]), degree=8)
        >>> values = np.sin(mesh.nodes)
        >>> print((mesh.evaluate(np.array([0.3]), order=1) @ values).round(8), np.cos(0.3).round(8))
        [0.95533649] 0.95533649
    """

    def __init__(self, edges: Array, degree: int) -> None:
        """Place the nodes."""
        self.edges, self.degree = np.asarray(edges, dtype=float), degree
        if self.edges.ndim != 1 or self.edges.size < 2 or not (np.diff(self.edges) > 0).all():
            raise ProblemError("increasing breakpoints", str(edges), "sort them and remove repeated ones")
        if degree < 2:
            raise ProblemError("degree >= 2", str(degree), "second derivatives need quadratics")
        self._reference, self._weights = gauss_lobatto(degree + 1)
        self._half = np.diff(self.edges) / 2
        # Element e owns the columns e p ... e p + p; neighbours share a node.
        self.columns = degree * np.arange(self._half.size)[:, None] + np.arange(degree + 1)
        self.nodes = np.empty(self.columns.max() + 1)
        self.nodes[self.columns] = self.edges[:-1, None] + self._half[:, None] * (1 + self._reference)
        self.nodes[-1] = self.edges[-1]

    def mass(self) -> Array:
        """Diagonal of the mass matrix: the quadrature weight of every node.

        Returns:
            Weights `(n,)` with sum b - a.
        """
        total = np.zeros(self.nodes.size)
        np.add.at(total, self.columns, self._half[:, None] * self._weights)
        return total

    def stiffness(self) -> Array:
        """Matrix of ∫ φ_i' φ_j' dx.

        Returns:
            Symmetric matrix `(n, n)`.
        """
        slope = differentiation_matrix(self._reference)
        local = slope.T @ (self._weights[:, None] * slope)
        total = np.zeros((self.nodes.size, self.nodes.size))
        for columns, half in zip(self.columns, self._half, strict=True):
            total[np.ix_(columns, columns)] += (local + local.T) / (2 * half)
        return total

    def apply_stiffness(self, values: Array) -> Array:
        """Product of the stiffness matrix with nodal values, element by element.

        Args:
            values: Nodal values `(..., n)`.

        Returns:
            Products `(..., n)`.
        """
        slope = differentiation_matrix(self._reference)
        local = values[..., self.columns] @ slope.T * (self._weights / self._half[:, None]) @ slope
        total = np.zeros(values.shape)
        total[..., :-1] += local[..., :-1].reshape(*values.shape[:-1], -1)
        total[..., self.degree :: self.degree] += local[..., -1]
        return total

    def evaluate(self, points: Array, order: int = 0) -> Array:
        """Matrix that maps nodal values to a derivative at arbitrary points.

        Args:
            points: Positions in [a, b], `(m,)`.
            order: Order of the derivative; at a breakpoint the element on the right counts.

        Returns:
            Matrix `(m, n)`.
        """
        elements, local = self.locate(points, order)
        matrix = np.zeros((points.size, self.nodes.size))
        np.put_along_axis(matrix, self.columns[elements], local, axis=1)
        return matrix

    def locate(self, points: Array, order: int = 0) -> tuple[Array, Array]:
        """The element of every point and its row of (differentiated) Lagrange polynomials.

        Args:
            points: Positions `(m,)`.
            order: Order of the derivative.

        Returns:
            Elements `(m,)` and rows `(m, p + 1)`.

        Raises:
            PointsError: If a point lies outside the interval.
        """
        low, high = self.edges[[0, -1]]
        slack = 1e-12 * (high - low)
        outside = ~((points >= low - slack) & (points <= high + slack))
        if outside.any():
            raise PointsError(f"points in [{low:g}, {high:g}]", f"{points[outside][:3]}", "remove these points")
        elements = np.clip(np.searchsorted(self.edges, points, side="right") - 1, 0, self._half.size - 1)
        local = (points - self.edges[elements]) / self._half[elements] - 1
        rows = interpolation_matrix(self._reference, local)
        slope = differentiation_matrix(self._reference)
        for _ in range(order):
            rows = rows @ slope / self._half[elements][:, None]
        return elements, rows
