"""Random planar regions beside an independent description of them: a formula for membership."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from sciml.geometry import Disk, Geometry, Polygon, Rectangle

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
        except ValueError as error:
            if "with an interior" not in str(error):
                raise
    return region
