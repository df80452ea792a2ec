"""The finite element space: nodes, and values and slopes of its functions at quadrature points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from sciml.geometry import Geometry
from solvers.reference.mesh import build_mesh, fem
from solvers.reference.shapes import EDGES


@dataclass(frozen=True)
class Quadrature:
    """Quadrature points of the cells, or of the facets of one face.

    Attributes:
        points: (q, d).
        weights: (q,), summing to the measure.
        values: (q, N) sparse, φ_n at the points.
        slopes: Per axis the sparse (q, N) of ∂φ_n.
        normals: (q, d) outward unit normals, None for cells.
        size: (q,) diameter of the cell of each point; of no meaning on facets.
    """

    points: np.ndarray
    weights: np.ndarray
    values: csr_matrix
    slopes: tuple[csr_matrix, ...]
    normals: np.ndarray | None
    size: np.ndarray


@dataclass(frozen=True)
class Space:
    """Continuous piecewise polynomials on a mesh of a domain.

    Attributes:
        nodes: (N, d) positions of the nodes.
        elements: (E, b) nodes of each element.
        cells: Quadrature in the interior.
        faces: Quadrature on each face.
        face_nodes: Nodes on each face.
    """

    nodes: np.ndarray
    elements: np.ndarray
    cells: Quadrature
    faces: dict[str, Quadrature]
    face_nodes: dict[str, np.ndarray]

    @cached_property
    def vertices(self) -> np.ndarray:
        """Which nodes are vertices of elements, (N,)."""
        mask = np.zeros(len(self.nodes), dtype=bool)
        mask[self.elements[:, : self.nodes.shape[1] + 1]] = True
        return mask

    def lowered(self) -> csr_matrix:
        """Nodal values of functions of degree 1 from their values at vertices, (N, N)."""
        d = self.nodes.shape[1]
        ends = self.elements[:, np.array(EDGES[d])].reshape(-1, 2)
        middles, first = np.unique(self.elements[:, d + 1 :].ravel(), return_index=True)
        vertices = np.flatnonzero(self.vertices)
        rows = np.concatenate([vertices, np.repeat(middles, 2)])
        columns = np.concatenate([vertices, ends[first].ravel()])
        entries = np.concatenate([np.ones(len(vertices)), np.full(2 * len(middles), 0.5)])
        return csr_matrix((entries, (rows, columns)), shape=(len(self.nodes),) * 2)


def build_space(
    domain: Geometry, size: float, degree: int, refine: Mapping[str, float] | None = None, refinements: int = 0
) -> Space:
    """Mesh a domain and tabulate its functions.

    Args:
        domain: The region.
        size: Edge length.
        degree: 1 or 2.
        refine: Smaller edge lengths at faces.
        refinements: How often all edges are halved.

    Returns:
        The space.
    """
    skfem = fem()
    mesh, facets = build_mesh(domain, size, degree, refine, refinements)
    names = {1: "Line", 2: "Tri", 3: "Tet"}
    element = getattr(skfem, f"Element{names[domain.dimension]}P{degree}")()
    order = 2 * degree + 2  # two above the mass matrix, for data and curved sides
    basis = skfem.CellBasis(mesh, element, intorder=order)
    faces = {
        face: _tabulated(skfem.FacetBasis(mesh, element, facets=found, intorder=order))
        for face, found in facets.items()
    }
    face_nodes = {face: np.unique(basis.get_dofs(found).flatten()) for face, found in facets.items()}
    nodes = np.ascontiguousarray(basis.doflocs.T)
    return Space(nodes, np.ascontiguousarray(basis.element_dofs.T), _tabulated(basis), faces, face_nodes)


def _tabulated(basis: Any) -> Quadrature:
    shape = np.broadcast_shapes(basis.dx.shape, np.asarray(basis.basis[0][0]).shape)
    d, count = len(basis.mesh.p), basis.N
    rows = np.arange(int(np.prod(shape))).reshape(shape)

    def table(part: Any) -> csr_matrix:
        columns = [np.broadcast_to(basis.element_dofs[i][:, None], shape).ravel() for i in range(basis.Nbfun)]
        entries = [np.broadcast_to(part(basis.basis[i][0]), shape).ravel() for i in range(basis.Nbfun)]
        index = (np.tile(rows.ravel(), basis.Nbfun), np.concatenate(columns))
        return csr_matrix((np.concatenate(entries), index), shape=(rows.size, count))

    normals = getattr(basis, "normals", None)
    if normals is not None:
        normals = np.stack([np.broadcast_to(component, shape).ravel() for component in np.asarray(normals)], axis=1)
    places = np.asarray(basis.global_coordinates())
    weights = np.broadcast_to(basis.dx, shape)
    size = np.repeat(weights.sum(axis=1) ** (1 / d), shape[1])
    return Quadrature(
        np.stack([np.broadcast_to(axis, shape).ravel() for axis in places], axis=1),
        weights.ravel(),
        table(lambda phi: np.asarray(phi)),
        tuple(table(lambda phi, k=k: np.asarray(phi.grad)[k]) for k in range(d)),
        normals,
        size,
    )
