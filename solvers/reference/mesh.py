"""Meshes of a domain, with the boundary facets of every face."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.errors import MissingExtraError, SolverError
from sciml.geometry import Geometry
from sciml.geometry.planar import Planar
from sciml.geometry.rectangle import Rectangle
from solvers.reference.triangulation import triangulate

_CELLS = {1: 128, 2: 32, 3: 8}  # per side of a cube of the same measure
_MOST = 400_000


def fem() -> Any:
    """The module `skfem`, imported where it is used.

    Returns:
        The module.

    Raises:
        MissingExtraError: If scikit-fem is not installed.
    """
    try:
        import skfem
    except ImportError as error:
        raise MissingExtraError(
            "scikit-fem for finite elements", str(error), 'pip install "sciml[reference]"'
        ) from error
    return skfem


def default_size(domain: Geometry) -> float:
    """Edge length that gives a fair first answer.

    Args:
        domain: A region.

    Returns:
        The length.
    """
    d = domain.dimension
    return domain.measure ** (1 / d) / _CELLS[d]


def build_mesh(domain: Geometry, size: float, degree: int) -> tuple[Any, dict[str, np.ndarray]]:
    """A mesh of simplices whose nodes on curved faces lie on them.

    Intervals, rectangles and unions of boxes are cut along a grid; other planar regions are triangulated.
    With degree 2 the middles of edges on arcs are moved onto the arc.

    Args:
        domain: The region.
        size: Largest edge of the grid, or edge length of the triangles.
        degree: 1 or 2.

    Returns:
        A scikit-fem mesh and the boundary facets of each face.

    Raises:
        SolverError: If the mesh would be too large.
    """
    if isinstance(domain, Planar) and not isinstance(domain, Rectangle):
        return _triangles(domain, size, degree)
    lines = _grid_lines(domain, size)
    count = np.prod([float(len(line)) for line in lines])
    if count > _MOST:
        raise SolverError("a mesh of moderate size", f"about {count:.2g} nodes", "a larger mesh_size")
    skfem = fem()
    kind = {1: skfem.MeshLine1, 2: skfem.MeshTri1, 3: skfem.MeshTet1}[domain.dimension]
    mesh = kind.init_tensor(*lines)
    middles = mesh.p[:, mesh.t].mean(axis=1).T
    outside = np.flatnonzero(domain.signed_distance(middles) > 0)
    if outside.size:
        mesh = mesh.remove_elements(outside)
    facets = mesh.boundary_facets()
    places = mesh.p[:, mesh.facets[:, facets]].mean(axis=1).T
    return mesh, {face: facets[domain.on_face(face, places)] for face in domain.faces}


def _grid_lines(domain: Geometry, size: float) -> list[np.ndarray]:
    """Per axis the ends of all facets, with equal parts between."""
    lines = []
    for axis in range(domain.dimension):
        if isinstance(domain, Rectangle):
            knots = np.array(domain.bounds[axis])
        else:
            ends = [data[:1] if kind == "point" else (data[0][axis], data[1][axis])
                    for _, kind, data in domain.primitives()]  # fmt: skip
            knots = np.unique(np.concatenate([np.asarray(pair, dtype=float) for pair in ends]))
        parts = [np.linspace(a, b, int(np.ceil((b - a) / size * (1 - 1e-12))) + 1)[:-1]
                 for a, b in itertools.pairwise(knots)]  # fmt: skip
        lines.append(np.concatenate([*parts, knots[-1:]]))
    return lines


def _triangles(domain: Planar, size: float, degree: int) -> tuple[Any, dict[str, np.ndarray]]:
    skfem = fem()
    flat = triangulate(domain, size)
    mesh = skfem.MeshTri1(np.ascontiguousarray(flat.points.T), np.ascontiguousarray(flat.triangles.T))
    number = {tuple(pair): k for k, pair in enumerate(np.sort(mesh.facets.T, axis=1).tolist())}
    facets = np.array([number[tuple(pair)] for pair in np.sort(flat.edges, axis=1).tolist()])
    names = np.array(flat.faces)
    faces = {face: np.unique(facets[names == face]) for face in domain.faces}
    curved = np.linalg.norm(flat.points[flat.edges].mean(axis=1) - flat.middles, axis=1) > 1e-14 * domain.size
    if degree == 2 and curved.any():
        mesh = skfem.MeshTri2.from_mesh(mesh)
        places = mesh.doflocs.copy()
        places[:, mesh.dofs.facet_dofs[0, facets[curved]]] = flat.middles[curved].T
        mesh = replace(mesh, doflocs=places)
    return mesh, faces
