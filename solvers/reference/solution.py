"""FiniteElementSolution: nodal values of piecewise polynomials, at one or many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np

from sciml.errors import CheckpointError, SolverError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.solution import Solution
from solvers.reference.location import ElementFinder
from solvers.reference.mesh import fem
from solvers.reference.shapes import physical_derivatives, shape_functions

_CHUNK = 2**15  # points at a time, so that memory stays bounded
_STENCIL = 4  # times of the polynomial in time: cubic, more accurate than the second-order steps


class FiniteElementSolution(Solution):
    """Continuous piecewise polynomials in space, local cubics through the steps in time.

    Values are of third order in the mesh size for degree 2, first derivatives of second order. Second
    derivatives are taken inside the element: piecewise constant for degree 2, so of first order only, and zero
    for degree 1; `residual` is no better than that. On the sides of elements derivatives are one-sided.

    Args:
        problem: The problem.
        nodes: (N, d) positions of the nodes.
        elements: (E, b) nodes of each element, vertices first, then middles of edges.
        degree: Polynomial degree, 1 or 2, of the functions and of the sides.
        times: (T,) times of the steps; empty when steady.
        values: (max(T, 1), m, N) nodal values.
        status: What to think of it.
        history: Named series.
    """

    kind = "finite element"
    continuous_derivatives = 1  # as the flux is at sides of elements; second derivatives are of low order

    def __init__(
        self,
        problem: IBVP,
        nodes: np.ndarray,
        elements: np.ndarray,
        degree: int,
        times: np.ndarray,
        values: np.ndarray,
        status: str = "",
        history: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem, status, history)
        self.nodes, self.elements, self.degree = nodes, elements, degree
        self.times, self.values = times, values

    @cached_property
    def _finder(self) -> ElementFinder:
        return ElementFinder(self.nodes, self.elements, self.degree)

    @cached_property
    def resolution(self) -> float:  # type: ignore[override]
        """Ninth decile of the edge lengths of the elements; twice as long for degree 1."""
        corners = self.nodes[self.elements[:, : self.nodes.shape[1] + 1]]
        edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
        return float(np.quantile(edges, 0.9)) * 2 / self.degree

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives.

        Args:
            points: (n, d), time last.
            needed: Jets, at most second order in space.

        Returns:
            (n, len(needed)).

        Raises:
            SolverError: If a space derivative above the second is wanted.
        """
        d = len(self.problem.space)
        for _, orders in needed:
            if sum(orders[:d]) > 2:
                raise SolverError(
                    "space derivatives up to the second of a piecewise polynomial of degree 2",
                    f"order {sum(orders[:d])}",
                    "use a PINN where higher derivatives are needed",
                )
        if len(points) == 0 or not needed:
            return np.zeros((len(points), len(needed)))
        parts = [self._jets(points[i : i + _CHUNK], needed) for i in range(0, len(points), _CHUNK)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        d = len(self.problem.space)
        owner, reference = self._finder.find(points[:, :d])
        dofs = self.elements[owner]
        shapes = physical_derivatives(self.nodes[dofs], reference, self.degree)
        columns = []
        for index, orders in needed:
            weights, steps = self._time_weights(points, orders[d] if self.problem.time else 0)
            nodal = sum(
                weights[:, k, None] * self.values[steps[:, k, None], index, dofs] for k in range(steps.shape[1])
            )
            columns.append(np.einsum("nb,nb->n", _space_weights(shapes, orders[:d]), nodal))
        return np.stack(columns, axis=1)

    def _time_weights(self, points: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        # exact for polynomials below degree k: Σ_j w_j (t_j - t)^a = order! δ_(a, order); both (n, k)
        if self.problem.time is None:
            return np.ones((len(points), 1)), np.zeros((len(points), 1), dtype=int)
        t, width = points[:, -1], min(_STENCIL, len(self.times))
        first = np.clip(np.searchsorted(self.times, t) - width // 2, 0, len(self.times) - width)
        steps = first[:, None] + np.arange(width)
        scale = (self.times[steps[:, -1]] - self.times[steps[:, 0]])[:, None]
        distance = (self.times[steps] - t[:, None]) / scale
        powers = distance[:, None, :] ** np.arange(width)[None, :, None]
        right = np.zeros((len(points), width, 1))
        if order < width:
            right[:, order, 0] = factorial(order) / scale[:, 0] ** order
        return np.linalg.solve(powers, right)[:, :, 0], steps

    def cell_rule(self, order: int = 6) -> tuple[np.ndarray, np.ndarray]:
        """Quadrature points and weights of the elements, for integrals over the domain.

        Args:
            order: Degree of polynomials that straight elements integrate exactly.

        Returns:
            Points (q, d) and weights (q,).
        """
        points, weights, _ = self._rule(self.elements, order)
        return points.reshape(-1, points.shape[2]), weights.ravel()

    def layer_rule(self, faces: Sequence[str], order: int = 6) -> tuple[np.ndarray, ...]:
        """Quadrature on the elements at faces, with the function of the space that is 1 on them, 0 at other nodes.

        Args:
            faces: Names of faces.
            order: As for `cell_rule`.

        Returns:
            Points (q, d), weights (q,), values (q,) and gradients (q, d) of the function.
        """
        domain = self.problem.domain
        on = np.any([domain.on_face(face, self.nodes) for face in faces], axis=0).astype(float)
        elements = self.elements[on[self.elements].any(axis=1)]
        points, weights, reference = self._rule(elements, order)
        count, d = points.shape[1:]
        dofs = np.repeat(elements, count, axis=0)
        shapes = physical_derivatives(self.nodes[dofs], np.tile(reference, (len(elements), 1)), self.degree)
        values = np.einsum("qb,qb->q", shapes[0], on[dofs])
        return points.reshape(-1, d), weights.ravel(), values, np.einsum("qbi,qb->qi", shapes[1], on[dofs])

    def _rule(self, elements: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        d = self.nodes.shape[1]
        kind = {1: fem().refdom.RefLine, 2: fem().refdom.RefTri, 3: fem().refdom.RefTet}[d]
        reference, weights = fem().quadrature.get_quadrature(kind, order)
        values, slopes, _ = shape_functions(reference.T, self.degree)
        corners = self.nodes[elements]
        points = np.einsum("qb,ebi->eqi", values, corners)
        jacobian = np.linalg.det(np.einsum("ebi,qbk->eqik", corners, slopes))
        return points, np.abs(jacobian) * weights, reference.T

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The degree, and the arrays."""
        arrays = {"nodes": self.nodes, "elements": self.elements, "times": self.times, "values": self.values}
        return {"degree": self.degree}, arrays

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> FiniteElementSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: The degree.
            arrays: Nodes, elements, times, values.

        Returns:
            The solution.

        Raises:
            CheckpointError: If the shapes do not belong together.
        """
        nodes, elements, times, values = (arrays[name] for name in ("nodes", "elements", "times", "values"))
        shape = (max(len(times), 1), len(problem.fields), len(nodes))
        if values.shape != shape or nodes.shape[1] != len(problem.space) or elements.max(initial=0) >= len(nodes):
            raise CheckpointError(f"values of shape {shape}", str(values.shape), "the file belongs to another problem")
        return cls(problem, nodes, elements, int(meta["degree"]), times, values)


def _space_weights(shapes: tuple[np.ndarray, np.ndarray, np.ndarray], orders: Sequence[int]) -> np.ndarray:
    axes = [axis for axis, order in enumerate(orders) for _ in range(order)]
    weights = shapes[len(axes)]
    for axis in axes:
        weights = weights[:, :, axis]
    return weights
