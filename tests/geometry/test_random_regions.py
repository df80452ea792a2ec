"""Random set operations on planar shapes against formulas that do not use the geometry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from sciml.errors import GeometryError
from sciml.geometry import Disk, Geometry, Polygon, Rectangle, geometry_from_dict

X, Y = sp.symbols("x y", real=True)
Member = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Region:
    """A geometry and its membership, which does not use the geometry."""

    shape: Geometry
    member: Member


def rectangle(a: float, b: float, c: float, d: float) -> Region:
    def member(p: np.ndarray) -> np.ndarray:
        return (p[:, 0] >= a) & (p[:, 0] <= b) & (p[:, 1] >= c) & (p[:, 1] <= d)

    return Region(Rectangle((X, a, b), (Y, c, d)), member)


def disk(x: float, y: float, r: float, name: str) -> Region:
    return Region(Disk((X, Y), (x, y), r, name=name), lambda p: (p[:, 0] - x) ** 2 + (p[:, 1] - y) ** 2 <= r * r)


def convex_polygon(x: float, y: float, r: float, angles: list[float], name: str) -> Region:
    vertices = np.array([(x + r * np.cos(a), y + r * np.sin(a)) for a in sorted(angles)])

    def member(p: np.ndarray) -> np.ndarray:
        inside = np.ones(len(p), dtype=bool)
        for start, end in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
            (ex, ey), rest = end - start, p - start
            inside &= ex * rest[:, 1] - ey * rest[:, 0] >= 0.0
        return inside

    return Region(Polygon((X, Y), vertices.tolist(), name=name), member)


def combine(operation: str, first: Region, second: Region) -> Region:
    a, b = first.member, second.member
    if operation == "union":
        return Region(first.shape | second.shape, lambda p: a(p) | b(p))
    if operation == "intersection":
        return Region(first.shape & second.shape, lambda p: a(p) & b(p))
    return Region(first.shape - second.shape, lambda p: a(p) & ~b(p))


# a coarse lattice makes touching, shared and coincident edges frequent
LATTICE = st.integers(0, 8).map(lambda k: k / 4)
SIZE = st.integers(1, 4).map(lambda k: k / 4)
FREE = st.floats(0.0, 2.0).map(lambda v: round(v, 3))


@st.composite
def primitives(draw: st.DrawFn, name: str) -> Region:
    coordinate = draw(st.sampled_from([LATTICE, FREE]))
    x, y, w, h = draw(coordinate), draw(coordinate), draw(SIZE), draw(SIZE)
    kind = draw(st.sampled_from(["rectangle", "disk", "polygon"]))
    if kind == "rectangle":
        region = rectangle(x, x + w, y, y + h)
        return Region(region.shape.rename(name), region.member)
    if kind == "disk":
        return disk(x, y, w, name)
    steps = draw(st.lists(st.integers(0, 15), min_size=3, max_size=6, unique=True))
    return convex_polygon(x, y, w, [np.pi * step / 8 for step in steps], name)


@st.composite
def regions(draw: st.DrawFn, most: int = 5) -> Region:
    """Nested set operations on up to `most` primitives; names differ, so that no name clashes."""
    region = draw(primitives("face0"))
    for i in range(1, draw(st.integers(2, most))):
        other = draw(primitives(f"face{i}"))
        operation = draw(st.sampled_from(["union", "intersection", "difference"]))
        swap = draw(st.booleans())
        try:
            region = combine(operation, *((other, region) if swap else (region, other)))
        except GeometryError as error:
            if "with an interior" not in str(error):
                raise
    return region


def frequent(examples: int):
    return settings(max_examples=examples, deadline=None, derandomize=True)


def scattered(shape: Geometry, count: int = 300) -> np.ndarray:
    (a, b), (c, d) = shape.bounds
    return np.random.default_rng(7).uniform((a - 0.3, c - 0.3), (b + 0.3, d + 0.3), (count, 2))


def boundary_points(shape: Geometry, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Dense points of the boundary and their outward normals, from the primitives alone."""
    points, normals = [], []
    for _, kind, data in shape.primitives():
        start, end = np.array(data[0]), np.array(data[1])
        if kind == "segment":
            length = np.hypot(*(end - start))
            share = (np.arange(k := int(length / step) + 2) + 0.5) / k
            points.append(start + share[:, None] * (end - start))
            normals.append(np.tile([end[1] - start[1], start[0] - end[0]], (k, 1)) / length)
        else:
            _, _, center, radius, turn = data
            first, last = (np.arctan2(*(p - center)[::-1]) for p in (start, end))
            sweep = (turn * (last - first)) % (2.0 * np.pi)
            share = (np.arange(k := int(radius * sweep / step) + 2) + 0.5) / k
            angle = first + turn * share * sweep
            outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
            points.append(center + radius * outward)
            normals.append(turn * outward)
    return np.concatenate(points), np.concatenate(normals)


@frequent(120)
@given(regions())
def test_sign_of_the_distance_agrees_with_the_formula(region: Region) -> None:
    points = scattered(region.shape)
    distance = region.shape.signed_distance(points)
    clear = abs(distance) > 1e-7
    assert ((distance < 0) == region.member(points))[clear].all()


@frequent(120)
@given(regions())
def test_points_on_chords_and_level_with_vertices_have_the_right_sign(region: Region) -> None:
    """On the lattice of the shapes a ray meets vertices and points lie on chords of arcs."""
    lattice = np.stack(np.meshgrid(*[np.arange(-2, 17) / 4.0] * 2), axis=-1).reshape(-1, 2)
    around = [region.member(lattice + np.array((dx, dy))) for dx in (-1e-7, 1e-7) for dy in (-1e-7, 1e-7)]
    clear = np.all(around, axis=0) | ~np.any(around, axis=0)  # neither on the boundary nor an isolated point
    distance = region.shape.signed_distance(lattice)
    assert ((distance < 0) == around[0])[clear & (abs(distance) > 1e-7)].all()


@frequent(100)
@given(regions(most=3))
def test_distance_is_that_of_a_dense_boundary(region: Region) -> None:
    step = 4e-3
    dense, _ = boundary_points(region.shape, step)
    points = scattered(region.shape)
    brute = cKDTree(dense).query(points)[0]
    exact = abs(region.shape.signed_distance(points))
    assert (brute - exact > -1e-9).all()
    assert (brute - exact < 0.5 * step + 1e-9).all()


@frequent(100)
@given(regions())
def test_boundary_separates_inside_from_outside_and_normals_point_out(region: Region) -> None:
    points, normals = boundary_points(region.shape, 0.05)
    corners = region.shape.corners()
    smooth = cKDTree(corners).query(points)[0] > 1e-3 if len(corners) else np.ones(len(points), dtype=bool)
    eps = 1e-6
    assert region.member(points - eps * normals)[smooth].all()
    assert not region.member(points + eps * normals)[smooth].any()
    assert abs(region.shape.normals(region.shape.faces, points) - normals)[smooth].max(initial=0.0) < 1e-6


@frequent(120)
@given(primitives("a"), regions(most=3))
def test_areas_add_up(first: Region, second: Region) -> None:
    """|A ∪ B| + |A ∩ B| = |A| + |B| and |A − B| + |A ∩ B| = |A|, also where shapes touch or coincide."""

    def area(operation: str) -> float:
        try:
            return combine(operation, Region(first.shape.rename("other"), first.member), second).shape.measure
        except GeometryError as error:
            if "with an interior" not in str(error):
                raise
            return 0.0

    union, common, rest = map(area, ("union", "intersection", "difference"))
    a, b = first.shape.measure, second.shape.measure
    assert abs(union + common - a - b) < 1e-8
    assert abs(rest + common - a) < 1e-8


@frequent(80)
@given(regions(most=4))
def test_divergence_theorem_ties_area_faces_and_normals(region: Region) -> None:
    """2·area = ∮ x·n ds, with points, normals and lengths of the faces."""
    shape, n, total, slack = region.shape, 2000, 0.0, 0.0
    for face in shape.faces:
        points = shape.sample_face(face, n, "grid")
        length = shape.face_measure(face)
        total += length * (points * shape.normals(face, points)).sum(axis=1).mean()
        slack += length * 4.0 * (2.0 + sum(name == face for name, _, _ in shape.primitives())) / n
    assert abs(total - 2.0 * shape.measure) < slack


@frequent(80)
@given(regions())
def test_stored_regions_come_back_equal(region: Region) -> None:
    again = geometry_from_dict(region.shape.to_dict())
    assert again == region.shape
    assert hash(again) == hash(region.shape)
    assert again.measure == region.shape.measure
    assert again.faces == region.shape.faces
    assert again.primitives() == region.shape.primitives()


@frequent(80)
@given(regions())
def test_samples_lie_inside_and_on_their_faces(region: Region) -> None:
    inside = region.shape.sample(40, "sobol", seed=1)
    assert region.member(inside).all()
    for face in region.shape.faces:
        on = region.shape.sample_face(face, 8, "latin", seed=2)
        assert region.shape.on_face(face, on).all()
        assert abs(region.shape.signed_distance(on)).max() < 1e-9


@frequent(60)
@given(regions(most=4), st.sampled_from([(1e5, -1e5), (-3e4, 0.0)]), st.sampled_from([1e-9, 1e-3, 1e7]))
def test_the_lattice_of_the_shape_does_not_matter(region: Region, shift: tuple, scale: float) -> None:
    """Every number scales: rebuilt from scaled and shifted data, area, length and distance follow."""
    moved = geometry_from_dict(rescaled(region.shape.to_dict(), scale, [scale * s for s in shift]))
    shape = region.shape
    assert moved.faces == shape.faces
    assert abs(moved.measure / scale**2 - shape.measure) < 1e-7
    assert max(abs(moved.face_measure(f) / scale - shape.face_measure(f)) for f in shape.faces) < 1e-6
    points = scattered(shape, 100)
    distance = shape.signed_distance(points)
    assert abs(moved.signed_distance((points + shift) * scale) / scale - distance)[abs(distance) > 1e-6].max() < 1e-7


def rescaled(data: dict, scale: float, shift: list[float]) -> dict:
    """The stored form of a shape after x → scale·x + shift."""

    def number(text: object, by: float) -> str:
        return str(sp.Rational(str(text)) * sp.Rational(repr(scale)) + sp.Rational(repr(by)))

    if "first" in data:
        return {**data, **{part: rescaled(data[part], scale, shift) for part in ("first", "second")}}
    if data["kind"] == "rename":
        return {**data, "of": rescaled(data["of"], scale, shift)}
    if data["kind"] == "disk":
        center = [number(v, s) for v, s in zip(data["center"], shift, strict=True)]
        return {**data, "center": center, "radius": number(data["radius"], 0.0)}
    if data["kind"] == "rectangle":
        ends = zip(data["bounds"], shift, strict=True)
        return {**data, "bounds": [[number(end, s) for end in pair] for pair, s in ends]}
    return {**data, "vertices": [[number(v, s) for v, s in zip(p, shift, strict=True)] for p in data["vertices"]]}
