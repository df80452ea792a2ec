"""Meshes of a domain, with the boundary facets of every face."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.errors import MissingExtraError, SolverError
from sciml.geometry import Geometry
from sciml.geometry.planar import Planar
from sciml.geometry.rectangle import Rectangle
from solvers.reference.refinement import refined
from solvers.reference.triangulation import GROWTH, triangulate

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


def build_mesh(
    domain: Geometry, size: float, degree: int, refine: Mapping[str, float] | None = None, refinements: int = 0
) -> tuple[Any, dict[str, np.ndarray]]:
    """A mesh of simplices whose nodes on curved faces lie on them.

    Intervals, rectangles and unions of boxes are cut along a grid; other planar regions are triangulated.
    With degree 2 the middles of edges on arcs are moved onto the arc.

    Args:
        domain: The region.
        size: Largest edge of the grid, or edge length of the triangles.
        degree: 1 or 2.
        refine: Edge lengths at faces, from which edges grow into the interior.
        refinements: How often all edges are halved.

    Returns:
        A scikit-fem mesh and the boundary facets of each face.

    Raises:
        SolverError: If the mesh would be too large.
    """
    if isinstance(domain, Planar) and not isinstance(domain, Rectangle):
        return _triangles(domain, size, degree, refine or {}, refinements)
    longest = max(high - low for low, high in domain.bounds)
    if longest > size * _MOST:
        raise SolverError("a mesh of moderate size", f"{longest / size:.2g} edges along one side", "a larger mesh_size")
    lines = _grid_lines(domain, size, refine or {})
    for _ in range(refinements):
        lines = [np.sort(np.concatenate([line, (line[:-1] + line[1:]) / 2])) for line in lines]
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


def _grid_lines(domain: Geometry, size: float, refine: Mapping[str, float]) -> list[np.ndarray]:
    """Per axis the ends of all facets, with parts between that grow from refined faces."""
    lines = []
    for axis in range(domain.dimension):
        ends: list[tuple[float, float]] = []  # position, edge length there
        for face, kind, data in domain.primitives():
            near = min(refine.get(face, size), size)
            if kind == "point":
                ends.append((data[0], near))
            elif isinstance(domain, Rectangle):
                ends += [(bound, size) for bound in domain.bounds[axis]]
                if data[0][axis] == data[1][axis]:
                    ends.append((data[0][axis], near))
            else:
                across = data[2] == axis
                ends += [(corner[axis], near if across else size) for corner in data[:2]]
        knots = np.unique([position for position, _ in ends])
        near_knot = [min(length for position, length in ends if position == knot) for knot in knots]
        parts = [_graded(a, b, size, *near_knot[i : i + 2])[:-1] for i, (a, b) in enumerate(itertools.pairwise(knots))]
        lines.append(np.concatenate([*parts, knots[-1:]]))
    return lines


def _graded(start: float, end: float, size: float, first: float, last: float) -> np.ndarray:
    """Positions from start to end whose gaps grow from `first` and `last` at the ends to at most `size`.

    The wanted gap h(x) grows linearly with the distance from an end; positions are equally spaced in ∫ dx/h.

    Args:
        start: First position.
        end: Last position.
        size: Largest gap.
        first: Gap at the start.
        last: Gap at the end.

    Returns:
        Positions, ends included.
    """
    if first >= size and last >= size:
        return np.linspace(start, end, int(np.ceil((end - start) / size * (1 - 1e-12))) + 1)
    x = np.linspace(0.0, 1.0, 4001) ** 2 * (3 - 2 * np.linspace(0.0, 1.0, 4001)) * (end - start)
    gap = np.minimum(size, np.minimum(first + GROWTH * x, last + GROWTH * (end - start - x)))
    count = np.concatenate([[0.0], np.cumsum(np.diff(x) * 0.5 * (1 / gap[1:] + 1 / gap[:-1]))])
    cells = int(np.ceil(count[-1] * (1 - 1e-12)))
    inner = np.interp(np.linspace(0.0, count[-1], cells + 1), count, x)
    return np.concatenate([[start], start + inner[1:-1], [end]])


def _triangles(
    domain: Planar, size: float, degree: int, refine: Mapping[str, float], refinements: int
) -> tuple[Any, dict[str, np.ndarray]]:
    skfem = fem()
    flat = triangulate(domain, size, refine)
    for _ in range(refinements):
        if 4 * len(flat.points) > _MOST:
            raise SolverError("a mesh of moderate size", f"about {4 * len(flat.points)} nodes", "fewer refinements")
        flat = refined(flat)
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
