"""Random set operations on intervals and boxes against counted cells of a whole-number lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.errors import GeometryError
from sciml.geometry import Box, Geometry, Interval, geometry_from_dict

SYMBOLS = sp.symbols("x y z", real=True)
N = 7
RULES = {"union": lambda a, b: a | b, "intersection": lambda a, b: a & b, "difference": lambda a, b: a & ~b}


@dataclass(frozen=True)
class Solid:
    """A geometry, and the unit cells that it fills, counted without it."""

    shape: Geometry
    cells: np.ndarray


@st.composite
def cuboids(draw: st.DrawFn, dimension: int, name: str) -> Solid:
    pairs = [sorted(draw(st.lists(st.integers(0, N), min_size=2, max_size=2, unique=True))) for _ in range(dimension)]
    cells = np.zeros((N,) * dimension, dtype=bool)
    cells[tuple(slice(a, b) for a, b in pairs)] = True
    axes = [(symbol, a, b) for symbol, (a, b) in zip(SYMBOLS, pairs, strict=False)]
    shape = Interval(*axes[0]) if dimension == 1 else Box(*axes)
    return Solid(shape.rename({face: f"{name} {face}" for face in shape.faces}), cells)


@st.composite
def solids(draw: st.DrawFn, dimension: int) -> Solid:
    solid = draw(cuboids(dimension, "0"))
    for i in range(1, draw(st.integers(2, 6))):
        other = draw(cuboids(dimension, str(i)))
        operation = draw(st.sampled_from(list(RULES)))
        first, second = (other, solid) if draw(st.booleans()) else (solid, other)
        cells = RULES[operation](first.cells, second.cells)
        if cells.any():
            signs = {"union": "__or__", "intersection": "__and__", "difference": "__sub__"}
            solid = Solid(getattr(first.shape, signs[operation])(second.shape), cells)
        else:
            with pytest.raises(GeometryError, match="with an interior"):
                first.shape._operate(operation, second.shape)
    return solid


def walls(cells: np.ndarray) -> dict[tuple[int, int], int]:
    """Unit facets per axis and outward direction."""
    found = {}
    for axis in range(cells.ndim):
        padded = np.pad(cells, [(int(k == axis),) * 2 for k in range(cells.ndim)]).astype(int)
        jumps = np.diff(padded, axis=axis)
        found[axis, -1], found[axis, 1] = int((jumps == 1).sum()), int((jumps == -1).sum())
    return found


DIMENSIONS = pytest.mark.parametrize("dimension", [1, 3])
SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)


@DIMENSIONS
@SETTINGS
@given(data=st.data())
def test_measures_count_cells_and_walls(dimension: int, data: st.DataObject) -> None:
    solid = data.draw(solids(dimension))
    assert solid.shape.measure == solid.cells.sum()
    areas = dict.fromkeys(walls(solid.cells), 0.0)
    for _, kind, piece in solid.shape.primitives():
        if kind == "point":
            areas[0, piece[1]] += 1.0
        else:
            low, high, axis, sign = piece
            areas[axis, sign] += np.prod([b - a for k, (a, b) in enumerate(zip(low, high, strict=True)) if k != axis])
    assert areas == walls(solid.cells)
    assert sum(map(solid.shape.face_measure, solid.shape.faces)) == sum(areas.values())


@DIMENSIONS
@SETTINGS
@given(data=st.data())
def test_membership_distance_and_normals(dimension: int, data: st.DataObject) -> None:
    solid = data.draw(solids(dimension))
    shape, rng = solid.shape, np.random.default_rng(3)
    points = rng.uniform(-1.0, N + 1.0, (200, dimension))
    expected = np.pad(solid.cells, 1)[tuple((np.floor(points) + 1).astype(int).T)]
    distance = shape.signed_distance(points)
    assert ((distance < 0) == expected).all()
    walls_at = shape.sample_face(shape.faces[0], 50, seed=1)
    normals = shape.normals(shape.faces[0], walls_at)
    eps = 1e-4
    for side, inside in ((-eps, True), (eps, False)):
        index = np.floor(walls_at + side * normals).astype(int) + 1
        assert (np.pad(solid.cells, 1)[tuple(index.T)] == inside).all()


@DIMENSIONS
@SETTINGS
@given(data=st.data())
def test_distance_against_every_boundary_cell(dimension: int, data: st.DataObject) -> None:
    """The distance to the region from outside is that to the nearest filled cell; inside, to the nearest empty one."""
    solid = data.draw(solids(dimension))
    points = np.random.default_rng(5).uniform(-1.0, N + 1.0, (40, dimension))
    padded = np.pad(solid.cells, 3)

    def nearest(cells: np.ndarray) -> np.ndarray:
        low = np.argwhere(cells) - 3.0
        gap = np.maximum(np.maximum(low - points[:, None], points[:, None] - low - 1.0), 0.0)
        return np.sqrt((gap**2).sum(axis=2)).min(axis=1)

    expected = nearest(padded) - nearest(~padded)
    assert abs(solid.shape.signed_distance(points) - expected).max() < 1e-12


@DIMENSIONS
@SETTINGS
@given(data=st.data())
def test_samples_and_stored_copies(dimension: int, data: st.DataObject) -> None:
    shape, cells = (solid := data.draw(solids(dimension))).shape, solid.cells
    for method in ("sobol", "grid"):
        inside = shape.sample(30, method, seed=2)
        assert cells[tuple(np.floor(inside).astype(int).T)].all()
    again = geometry_from_dict(shape.to_dict())
    assert again == shape
    assert again.primitives() == shape.primitives()
    for face in shape.faces:
        assert shape.on_face(face, shape.sample_face(face, 5, seed=4)).all()
        expression = shape.face_expression(face)
        if expression is not None:
            values = sp.lambdify(shape.coordinates, expression)(*shape.sample_face(face, 5, seed=4).T)
            assert abs(values).max() < 1e-12


def test_corners_of_a_notched_cube() -> None:
    x, y, z = SYMBOLS
    notched = Box((x, 0, 2), (y, 0, 2), (z, 0, 2)) - Box((x, 1, 2), (y, 1, 2), (z, 1, 2))
    expected = {(a, b, c) for a in (0, 2) for b in (0, 2) for c in (0, 2)} - {(2, 2, 2)}
    expected |= {(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1)}
    assert {tuple(corner) for corner in notched.corners()} == expected
    assert all(first != second for _, first, second in notched.corner_faces())
