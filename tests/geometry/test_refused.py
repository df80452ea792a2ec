"""What is degenerate or misstated is refused with the expected, the given and the fix."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from sciml.errors import GeometryError, PointsError
from sciml.geometry import Box, Disk, Interval, Polygon, Rectangle, geometry_from_dict

X, Y, Z = sp.symbols("x y z", real=True)
UNIT = Rectangle((X, 0, 1), (Y, 0, 1))
TRIANGLE = [(0, 0), (9, 0), (0, 9)]
HOLE = [(1, 1), (3, 1), (3, 3)]

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "reversed": (lambda: Interval(X, 1, 0), "swap the ends"),
    "empty": (lambda: Rectangle((X, 0, 1), (Y, 2, 2)), "positive length"),
    "nan": (lambda: Interval(X, 0, float("nan")), "finite real number"),
    "infinite": (lambda: Interval(X, 0, sp.oo), "finite real number"),
    "complex": (lambda: Interval(X, 0, sp.I), "finite real number"),
    "symbolic end": (lambda: Interval(X, 0, Y), "finite real number"),
    "text": (lambda: Interval(X, "0", 1), "finite real number"),
    "truth value": (lambda: Interval(X, False, True), "finite real number"),
    "function that cannot be stored": (lambda: Interval(X, 0, sp.erf(1)), "decimal number"),
    "no symbol": (lambda: Interval("x", 0, 1), "coordinates"),
    "twice the same symbol": (lambda: Rectangle((X, 0, 1), (X, 0, 1)), "different coordinates"),
    "symbols that print alike": (lambda: Rectangle((X, 0, 1), (sp.Symbol("x"), 0, 1)), "different coordinates"),
    "axis of two": (lambda: Box((X, 0, 1), (Y, 0, 1), (Z, 0)), r"axis as \(x, a, b\)"),
    "no radius": (lambda: Disk((X, Y), radius=0), "positive radius"),
    "negative radius": (lambda: Disk((X, Y), radius=-1), "positive radius"),
    "centre of three": (lambda: Disk((X, Y), center=(0, 0, 0)), "centre: 2 numbers"),
    "disk in one coordinate": (lambda: Disk(X), "two coordinates"),
    "reserved name": (lambda: Disk((X, Y), name="initial"), "other than initial, interior"),
    "empty name": (lambda: Disk((X, Y), name=" "), "a name for the face"),
    "two vertices": (lambda: Polygon((X, Y), [(0, 0), (1, 1)]), "three vertices"),
    "repeated vertex": (lambda: Polygon((X, Y), [(0, 0), (1, 0), (1, 0), (0, 1)]), "length zero"),
    "closed twice": (lambda: Polygon((X, Y), [*TRIANGLE, (0, 0)]), "not repeated"),
    "on a line": (lambda: Polygon((X, Y), [(0, 0), (1, 1), (2, 2)]), "cut or touch"),
    "bow tie": (lambda: Polygon((X, Y), [(0, 0), (1, 1), (1, 0), (0, 1)]), "cut or touch"),
    "spike": (lambda: Polygon((X, Y), [(0, 0), (1, 0), (3, 0), (1, 0.0), (1, 1)]), "cut or touch"),
    "vertex on an edge": (lambda: Polygon((X, Y), [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)]), "cut or touch"),
    "names of edges": (lambda: Polygon((X, Y), TRIANGLE, name=("a", "b")), "3 names"),
    "hole outside": (lambda: Polygon((X, Y), TRIANGLE, holes=[[(20, 20), (21, 20), (20, 21)]]), "inside the polygon"),
    "hole across": (lambda: Polygon((X, Y), TRIANGLE, holes=[[(1, 1), (9, 1), (1, 2)]]), "inside the polygon"),
    "hole is all": (lambda: Polygon((X, Y), TRIANGLE, holes=[TRIANGLE]), "inside the polygon"),
    "holes overlap": (lambda: Polygon((X, Y), TRIANGLE, holes=[HOLE, [(2, 1), (4, 1), (4, 3)]]), "hole_1"),
    "holes coincide": (lambda: Polygon((X, Y), TRIANGLE, holes=[HOLE, HOLE]), "hole_1"),
    "edge named hole": (lambda: Polygon((X, Y), TRIANGLE, name="hole", holes=[HOLE]), "named otherwise"),
    "nothing left": (lambda: UNIT - Disk((X, Y), radius=5), "with an interior"),
    "nothing common": (lambda: UNIT & Disk((X, Y), (5, 5), 1), "with an interior"),
    "common edge only": (lambda: UNIT & Rectangle((X, 1, 2), (Y, 0, 1)), "with an interior"),
    "common face only": (lambda: Interval(X, 0, 1) & Interval(X, 1, 2), "with an interior"),
    "common point only": (lambda: Disk((X, Y)) & Disk((X, Y), (2, 0)), "with an interior"),
    "itself": (lambda: UNIT - UNIT, "with an interior"),
    "other coordinates": (lambda: UNIT - Disk((Y, X)), "same coordinates"),
    "other dimension": (lambda: UNIT | Interval(X, 0, 1), "same coordinates"),
    "no geometry": (lambda: UNIT - 3, "a geometry"),
    "too small to cut": (lambda: UNIT - Disk((X, Y), (0.5, 0.5), 1e-8, name="h"), "comparable size"),
    "vanishing": (lambda: Disk((X, Y), radius=1e-170), "between 1e-100 and 1e100"),
    "gigantic": (lambda: Rectangle((X, 0, 1e200), (Y, 0, 1)), "between 1e-100 and 1e100"),
    "beyond floats": (lambda: Interval(X, 0, 10**400), "between 1e-100 and 1e100"),
    "too far away": (lambda: Disk((X, Y), center=(1e15, 0)), "shift the origin"),
    "unknown face": (lambda: UNIT.normals("lid", [[0, 0]]), "left, right, bottom, top"),
    "no face": (lambda: UNIT.on_face((), [[0, 0]]), "nothing"),
    "rename unknown": (lambda: UNIT.rename({"lid": "a"}), "left, right, bottom, top"),
    "rename nothing": (lambda: UNIT.rename({}), "old: new"),
    "rename to reserved": (lambda: UNIT.rename("interior"), "other than"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(GeometryError, match=message) as caught:
        build()
    assert caught.value.expected
    assert caught.value.given
    assert caught.value.fix


@pytest.mark.parametrize(
    "points",
    [
        [0.5, 0.5],
        [[0.5]],
        [[0.5, 0.5, 0.0]],
        [[np.nan, 0]],
        [[np.inf, 0]],
        [["a", "b"]],
        [[1j, 0]],
        None,
        [[1, 2], [3]],
    ],
)
@pytest.mark.parametrize("ask", ["contains", "signed_distance"])
def test_points_of_the_wrong_form(ask: str, points: object) -> None:
    with pytest.raises(PointsError):
        getattr(UNIT, ask)(points)


@pytest.mark.parametrize("time", [(1, 0), (0, 0), (0, np.inf), 3, (0, 1, 2), "ab"])
def test_time_intervals_of_the_wrong_form(time: object) -> None:
    for draw in (lambda: UNIT.sample(3, time=time), lambda: UNIT.sample_face("left", 0, time=time)):
        with pytest.raises(PointsError, match="time interval"):
            draw()


STORED = Interval(X, 0, 1).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"kind": "torus"},
        {"kind": ["interval"]},
        {**STORED, "extra": 1},
        {"kind": "interval", "coordinates": ["x"]},
        {**STORED, "coordinates": ["x", "y"]},
        {**STORED, "coordinates": [3]},
        {**STORED, "coordinates": [{"name": "x", "assumptions": {"real": "?"}}]},
        {**STORED, "coordinates": [{"name": "x", "assumptions": {"positive": True, "negative": True}}]},
        {**STORED, "bounds": [["0"]]},
        {**STORED, "bounds": [["0", "1/0"]]},
        {**STORED, "bounds": [["0", "9" * 5000]]},
        {**STORED, "bounds": [["0", "__import__('os')"]]},
        {**STORED, "bounds": [["0", ["eval", "1"]]]},
        {**STORED, "bounds": [["0", ["Pow", "0", "-1"]]]},
        {**STORED, "bounds": [["1", "0"]]},
        {"kind": "union", "first": STORED},
        {"kind": "rename", "of": STORED, "names": ["left"]},
        {"kind": "rename", "of": STORED, "names": {"left": 3}},
        {"kind": "disk", "coordinates": ["x"], "center": ["0", "0"], "radius": "1", "name": "b"},
        {"kind": "polygon", "coordinates": ["x", "y"], "vertices": "abc", "names": [], "holes": []},
    ],
)
def test_damaged_records(data: object) -> None:
    with pytest.raises(GeometryError):
        geometry_from_dict(data)  # type: ignore[arg-type]


def test_too_deeply_nested_record() -> None:
    data = STORED
    for _ in range(300):
        data = {"kind": "rename", "of": data, "names": {"left": "left"}}
    with pytest.raises(GeometryError, match="nested"):
        geometry_from_dict(data)


def test_records_keep_exact_numbers_and_symbols() -> None:
    positive, odd = sp.Symbol("r", positive=True), sp.Symbol("r^2", real=True)
    for shape in (
        Interval(positive, 0, sp.sqrt(2) / 3),
        Interval(odd, -sp.pi, sp.E**2 - sp.log(3)),
        Interval(X, Fraction(1, 3), np.float32(0.5)),
        Interval(X, 0, sp.cosh(1)),
        Disk((X, Y), (0.1, sp.GoldenRatio), sp.sin(1), name="arc"),
        Box((X, 0, 1), (Y, 0, 2), (Z, 0, sp.Rational(10, 3))).rename({"left": "in"}),
        Polygon((X, Y), np.array(TRIANGLE), name=("a", "b", "a"), holes=[HOLE[::-1]]),
    ):
        again = geometry_from_dict(shape.to_dict())
        assert again == shape
        assert (again.coordinates, again.faces, again.bounds) == (shape.coordinates, shape.faces, shape.bounds)
        assert repr(again) == repr(shape)


def test_equality_is_of_the_construction() -> None:
    assert Disk((X, Y)) == Disk((X, Y), center=(0.0, 0), radius=1.0)
    assert Disk((X, Y)) != Disk((X, Y), name="rim")
    assert Disk((X, Y)) != Disk((sp.Symbol("x"), Y))
    assert UNIT != 3
    assert len({UNIT, Rectangle((X, 0, 1), (Y, 0, 1)), UNIT.rename("wall")}) == 2


@pytest.mark.parametrize("scale", [1e-90, 1e-12, 1.0, 1e12, 1e90])
def test_scale_of_the_coordinates_does_not_matter(scale: float) -> None:
    shape = Rectangle((X, 0, 2 * scale), (Y, 0, scale)) - Disk((X, Y), (scale, 0.5 * scale), 0.25 * scale, name="hole")
    assert shape.measure / scale / scale == pytest.approx(2.0 - np.pi / 16.0)
    assert shape.face_measure("hole") / scale == pytest.approx(np.pi / 2.0)
    assert shape.signed_distance([[scale, 0.5 * scale], [0.1 * scale, 0.5 * scale]]) / scale == pytest.approx([
        0.25,
        -0.1,
    ])
    assert shape.contains(shape.sample(50)).all()
    assert shape.on_face("hole", shape.sample_face("hole", 9)).all()


@pytest.mark.parametrize("far", [1e3, 1e6, -1e8])
def test_far_from_the_origin(far: float) -> None:
    shape = Rectangle((X, far, far + 2), (Y, -far, 1 - far)) - Disk((X, Y), (far + 1, 0.5 - far), 0.25, name="hole")
    rounding = 8 * np.spacing(abs(far))
    assert shape.measure == pytest.approx(2.0 - np.pi / 16.0, abs=4 * rounding)
    points = np.array([[1.0, 0.5], [0.125, 0.5], [2.5, 0.5]]) + np.array((far, -far))
    assert shape.signed_distance(points) == pytest.approx([0.25, -0.125, 0.5], abs=rounding)
    inside = shape.sample(64)
    assert (shape.signed_distance(inside) < 0).all()
    assert shape.on_face("hole", shape.sample_face("hole", 9)).all()
    line = Interval(X, far, far + 1) - Interval(X, far + 0.25, far + 0.5)
    assert line.measure == pytest.approx(0.75, abs=rounding)
    assert line.faces == ("left", "right", "cut")
