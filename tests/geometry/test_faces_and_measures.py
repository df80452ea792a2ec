"""Names of faces through set operations, and exact measures against formulas and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from sciml.errors import GeometryError
from sciml.geometry import Box, Disk, Geometry, Interval, Polygon, Rectangle, geometry_from_dict

X, Y, Z = sp.symbols("x y z", real=True)
CHANNEL = Rectangle((X, 0, 2.2), (Y, 0, 0.41))
CYLINDER = Disk((X, Y), center=(0.2, 0.2), radius=0.05, name="cylinder")
SQUARE = Rectangle((X, 0, 4), (Y, 0, 4))
ELL = Polygon((X, Y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])


def test_channel_minus_cylinder_keeps_every_face() -> None:
    flow = CHANNEL - CYLINDER
    assert flow.faces == ("left", "right", "bottom", "top", "cylinder")
    assert flow.measure == pytest.approx(2.2 * 0.41 - np.pi * 0.05**2, rel=1e-14)
    expected = {"left": 0.41, "right": 0.41, "bottom": 2.2, "top": 2.2, "cylinder": 0.1 * np.pi}
    assert {face: flow.face_measure(face) for face in flow.faces} == pytest.approx(expected, rel=1e-14)
    assert flow.bounds == ((0.0, 2.2), (0.0, 0.41))
    on = flow.sample_face("cylinder", 64)
    assert np.allclose(flow.normals("cylinder", on), (np.array([0.2, 0.2]) - on) / 0.05, atol=1e-12)
    assert np.allclose(flow.normals("top", flow.sample_face("top", 4)), [0.0, 1.0])
    assert flow.face_expression("cylinder").subs({X: 0.25, Y: 0.2}) == pytest.approx(0.0, abs=1e-15)
    assert flow.face_expression("left") == X
    assert not flow.contains([[0.2, 0.2]])[0]


def test_nested_operations_keep_names() -> None:
    second = Disk((X, Y), center=(1, 0.2), radius=0.1, name="second")
    notch = Rectangle((X, 2, 3), (Y, 0, 0.1)).rename("step")
    flow = ((CHANNEL - CYLINDER) - second) - notch
    assert flow.faces == ("left", "right", "bottom", "top", "cylinder", "second", "step")
    assert flow.face_measure("step") == pytest.approx(0.3)
    assert flow.face_measure("right") == pytest.approx(0.31)
    assert flow.face_measure("bottom") == pytest.approx(2.0)
    assert flow.measure == pytest.approx(2.2 * 0.41 - np.pi * (0.05**2 + 0.1**2) - 0.02)
    both = CHANNEL - (CYLINDER | second)
    assert both.faces == ("left", "right", "bottom", "top", "cylinder", "second")


def test_faces_that_vanish_are_dropped_and_others_shrink() -> None:
    half = SQUARE & Rectangle((X, 2, 9), (Y, -1, 9)).rename("knife")
    assert half.faces == ("right", "bottom", "top", "knife")
    assert half.face_measure("top") == pytest.approx(2.0)
    whole = SQUARE | Rectangle((X, 4, 6), (Y, 0, 4)).rename("annex")
    assert whole.faces == ("left", "bottom", "top", "annex")
    assert whole.face_measure("annex") == pytest.approx(8.0)
    assert not whole.on_face(whole.faces, [[4.0, 2.0]])[0]
    assert (SQUARE - Rectangle((X, 2, 9), (Y, -1, 9))).faces == ("left", "bottom", "top", "cut")


def test_on_a_common_stretch_the_first_operand_names_the_face() -> None:
    twin = SQUARE.rename("twin")
    assert (SQUARE | twin).faces == SQUARE.faces
    assert (twin & SQUARE).faces == ("twin",)
    assert (Interval(X, 0, 2) | Interval(X, 0, 3).rename("b")).faces == ("left", "b")


def test_sides_of_a_subtracted_box_become_one_cut_each() -> None:
    room = SQUARE - Rectangle((X, 1, 2), (Y, 1, 2)) - Rectangle((X, 2.5, 3), (Y, 1, 2))
    assert room.faces == ("left", "right", "bottom", "top", "cut", "cut_2")
    assert (room.face_measure("cut"), room.face_measure("cut_2")) == pytest.approx((4.0, 3.0))
    pieces = Interval(X, 0, 5) - Interval(X, 1, 2) - Interval(X, 3, 4)
    assert pieces.faces == ("left", "right", "cut", "cut_2")
    assert pieces.normals("cut", [[1.0], [2.0]]).ravel().tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Disk((X, Y), radius=2), Disk((X, Y), radius=1)),
        (SQUARE, Disk((X, Y), center=(2, 2), name="left")),
        (Interval(X, 0, 9), Interval(X, 1, 2) | Interval(X, 3, 4)),
        (Disk((X, Y), radius=3, name="wall"), SQUARE.rename({"left": "wall"}) & ELL),
    ],
)
def test_equal_names_clash_with_a_clear_error(first: Geometry, second: Geometry) -> None:
    with pytest.raises(GeometryError, match=r"(?s)different names for the faces.*both have.*rename\(\"hole\"\)"):
        _ = first - second
    assert "hole" in (first - second.rename("hole")).faces


def test_equal_names_merge_in_a_union() -> None:
    both = Disk((X, Y), center=(0, 0)) | Disk((X, Y), center=(1, 0))
    assert both.faces == ("boundary",)
    assert both.face_measure("boundary") == pytest.approx(8.0 * np.pi / 3.0)


def test_rename_swaps_merges_and_survives_operations() -> None:
    swapped = SQUARE.rename({"left": "right", "right": "left"})
    assert swapped.normals("left", [[4.0, 1.0]]).tolist() == [[1.0, 0.0]]
    walls = CHANNEL.rename({"left": "inlet", "right": "outlet", "bottom": "wall", "top": "wall"})
    assert walls.faces == ("inlet", "outlet", "wall")
    assert walls.face_measure("wall") == pytest.approx(4.4)
    assert walls.face_expression("wall") is None
    later = (walls - CYLINDER).rename({"cylinder": "wall"}).rename({"wall": "solid"})
    assert later.faces == ("inlet", "outlet", "solid")
    assert later.face_measure("solid") == pytest.approx(4.4 + 0.1 * np.pi)
    assert geometry_from_dict(later.to_dict()) == later
    box = Box((X, 0, 1), (Y, 0, 2), (Z, 0, 3)).rename({"back": "front", "front": "back"})
    assert box.normals("front", [[0.5, 0.5, 0.0]]).tolist() == [[0.0, 0.0, -1.0]]
    assert CHANNEL.faces == ("left", "right", "bottom", "top")  # the original is as it was


def test_polygon_edges_by_name_in_either_direction() -> None:
    vertices, names = [(0, 0), (3, 0), (0, 4)], ("a", "b", "c")
    forward = Polygon((X, Y), vertices, name=names)
    backward = Polygon((X, Y), vertices[::-1], name=("b", "a", "c"))  # edges (0,4)-(3,0), (3,0)-(0,0), (0,0)-(0,4)
    for shape in (forward, backward):
        assert [shape.face_measure(name) for name in names] == pytest.approx([3.0, 5.0, 4.0])
        assert shape.measure == pytest.approx(6.0)
        assert np.allclose(shape.normals("b", [[1.5, 2.0]]), [[0.8, 0.6]])
        assert np.allclose(shape.normals("a", [[1.0, 0.0]]), [[0.0, -1.0]])


def test_polygon_with_holes_and_re_entrant_corner() -> None:
    holes = [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75)], [(1.25, 0.25), (1.25, 0.75), (1.75, 0.75), (1.75, 0.25)]]
    shape = Polygon((X, Y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], holes=holes)
    assert shape.faces == ("boundary", "hole_0", "hole_1")
    assert shape.measure == pytest.approx(3.0 - 0.125 - 0.25)
    assert shape.face_measure("hole_0") == pytest.approx(1.0 + np.sqrt(0.5))
    assert shape.face_measure("boundary") == pytest.approx(8.0)
    inside = shape.contains([[0.6, 0.4], [0.3, 0.6], [1.5, 0.5], [1.5, 1.5], [1.0, 1.0], [1.1, 0.9]])
    assert inside.tolist() == [False, True, False, False, True, True]
    assert shape.normals("hole_1", [[1.25, 0.5]]).tolist() == [[1.0, 0.0]]
    # around the re-entrant corner the distance is radial outside the wedge of both edges
    assert ELL.signed_distance([[0.7, 0.6], [1.2, 1.3], [0.9, 1.5]]) == pytest.approx([-0.5, 0.2, -0.1])
    assert len(ELL.corners()) == 6


def lens(r: float, s: float, apart: float) -> float:
    """Area common to two disks (the formula of two circular segments)."""
    a, b = (np.arccos((apart**2 + p * p - q * q) / (2 * apart * p)) for p, q in ((r, s), (s, r)))
    return r * r * (a - np.sin(2 * a) / 2) + s * s * (b - np.sin(2 * b) / 2)


@pytest.mark.parametrize(("r", "s", "apart"), [(1.0, 1.0, 1.0), (2.0, 0.5, 1.9), (1.0, 0.3, 0.75), (1.5, 1.4, 2.899)])
def test_lens_and_lune(r: float, s: float, apart: float) -> None:
    first, second = Disk((X, Y), radius=r, name="a"), Disk((X, Y), center=(apart, 0), radius=s, name="b")
    common, area = first & second, lens(r, s, apart)
    assert common.measure == pytest.approx(area, rel=1e-9)
    assert (first - second).measure == pytest.approx(np.pi * r * r - area, rel=1e-12)
    assert (first | second).measure == pytest.approx(np.pi * (r * r + s * s) - area, rel=1e-12)
    angle = 2 * np.arccos((apart**2 + s * s - r * r) / (2 * apart * s))
    assert common.face_measure("b") == pytest.approx(s * angle, rel=1e-9)
    assert (first | second).face_measure("b") == pytest.approx(s * (2 * np.pi - angle), rel=1e-12)


SHAPES = {
    "channel": CHANNEL - CYLINDER,
    "ell": ELL,
    "gear": (Disk((X, Y), radius=2, name="rim") - SQUARE.rename("cut")) | Disk((X, Y), (1, 1), 0.5, name="bolt"),
    "intervals": Interval(X, 0, 1) | Interval(X, 2, 2.5),
    "frame": Box((X, 0, 3), (Y, 0, 3), (Z, 0, 1)) - Box((X, 1, 2), (Y, 1, 2), (Z, -1, 2)),
    "half disk": Disk((X, Y), radius=1) & Rectangle((X, -2, 2), (Y, 0, 2)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_measure_against_monte_carlo(name: str) -> None:
    shape = SHAPES[name]
    low, high = np.array(shape.bounds).T
    points = np.random.default_rng(11).uniform(low, high, (40_000, shape.dimension))
    volume, share = np.prod(high - low), shape.measure / np.prod(high - low)
    hits = (shape.signed_distance(points) < 0).mean()
    assert abs(hits - share) * volume < 4.0 * volume * np.sqrt(share * (1 - share) / len(points)) + 1e-12


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_the_gradient_of_the_distance(name: str) -> None:
    shape, eps = SHAPES[name], 1e-5
    for face in shape.faces:
        on = shape.sample_face(face, 40, seed=5)
        if shape.dimension > 1:  # off the edges, where the gradient jumps
            others = [other for other in shape.faces if other != face]
            on = on[~shape.on_face(tuple(others), on, 1e-3)] if others else on
            on = on[[len(shape.corners()) == 0 or abs(shape.corners() - p).max(axis=1).min() > 1e-3 for p in on]]
        steps = eps * np.eye(shape.dimension)
        gradient = np.stack([shape.signed_distance(on + s) - shape.signed_distance(on - s) for s in steps], axis=1)
        assert np.allclose(gradient / (2 * eps), shape.normals(face, on), atol=1e-4)
        assert np.allclose(np.linalg.norm(shape.normals(face, on), axis=1), 1.0)


def test_touching_shapes() -> None:
    left, right = Disk((X, Y), (0, 0), 1, name="a"), Disk((X, Y), (2, 0), 1, name="b")
    assert (left | right).measure == pytest.approx(2 * np.pi)
    assert (left - right).faces == ("a",)
    crescent = Disk((X, Y), (0, 0), 2, name="a") - Disk((X, Y), (1, 0), 1, name="b")
    assert crescent.measure == pytest.approx(3 * np.pi)
    assert crescent.signed_distance([[1.0, 0.0], [-1.0, 0.0], [1.999, 0.1]])[:2] == pytest.approx([1.0, -1.0])
    assert np.allclose([p for p, *_ in crescent.corner_faces()], [(2.0, 0.0)], atol=1e-12)
    bow = Polygon((X, Y), [(0, 0), (1, 0), (0, 1)], name="a") | Polygon((X, Y), [(0, 0), (-1, 0), (0, -1)], name="b")
    assert bow.measure == pytest.approx(1.0)
    assert bow.contains([[0.1, 0.1], [-0.1, -0.1], [-0.1, 0.1], [0.0, 0.0]]).tolist() == [True, True, False, True]
    tiles = Rectangle((X, 0, 1), (Y, 0, 1)) | Rectangle((X, 1, 2), (Y, 0.5, 3))
    assert tiles.measure == pytest.approx(3.5)
    assert tiles.contains([[1.0, 0.7], [1.0, 1.5], [0.9, 1.5]]).tolist() == [True, True, False]
    assert tiles.signed_distance([[1.0, 0.75]])[0] == pytest.approx(-0.25)
    tangent = SQUARE - Disk((X, Y), (2, 1), 1, name="hole")
    assert tangent.measure == pytest.approx(16 - np.pi)
    assert tangent.face_measure("bottom") == pytest.approx(4.0)


def test_touching_circles_meet_in_a_corner() -> None:
    """The point of contact is where two faces meet, also where neither circle has an end there."""
    big = Disk((X, Y), radius=2, name="big")
    inside = big - Disk((X, Y), center=(0, 1), radius=1, name="small")
    outside = big | Disk((X, Y), center=(0, 3), radius=1, name="small")
    for shape in (inside, outside):
        ((point, first, second),) = shape.corner_faces()
        assert np.allclose(point, [0.0, 2.0])
        assert (first, second) == ("big", "small")
    tangent = SQUARE - Disk((X, Y), (2, 1), 1, name="hole")
    assert [(a, b) for point, a, b in tangent.corner_faces() if np.allclose(point, [2.0, 0.0])] == [("bottom", "hole")]


@pytest.mark.parametrize("name", ["right", "left", "top", "bottom"])
def test_points_on_the_chord_of_an_arc(name: str) -> None:
    """Halves of a disk have arcs with slanted chords, run upwards and downwards; a hole runs them backwards."""
    half = {"right": (0, 2, -2, 2), "left": (-2, 0, -2, 2), "top": (-2, 2, 0, 2), "bottom": (-2, 2, -2, 0)}[name]
    piece = Disk((X, Y), name="arc") & Rectangle((X, *half[:2]), (Y, *half[2:]))
    points = np.array([
        (a * s, b * r) for a, b in ((0.25, 0.75), (0.5, 0.5), (0.75, 0.25)) for s in (-1, 1) for r in (-1, 1)
    ])
    inside = ((points > (half[0], half[2])) & (points < (half[1], half[3]))).all(axis=1)
    assert ((piece.signed_distance(points) < 0) == inside).all()
    block = Rectangle((X, -3, 3), (Y, -3, 3)) - piece.rename("hole")
    assert ((block.signed_distance(points) > 0) == inside).all()


def test_corner_faces_name_the_faces_that_meet() -> None:
    found = {tuple(np.round(p, 12)): (a, b) for p, a, b in (SQUARE - Disk((X, Y), name="arc")).corner_faces()}
    assert found == {
        (1.0, 0.0): ("bottom", "arc"),
        (4.0, 0.0): ("right", "bottom"),
        (4.0, 4.0): ("right", "top"),
        (0.0, 4.0): ("left", "top"),
        (0.0, 1.0): ("left", "arc"),
    }
    cube = Box((X, 0, 1), (Y, 0, 1), (Z, 0, 1)).corner_faces()
    assert len(cube) == 12
    assert len({(a, b) for _, a, b in cube}) == 12
    assert Disk((X, Y)).corner_faces() == []


def test_distance_to_a_disk_and_at_its_centre() -> None:
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, -0.5], [0.6, 0.8], [-1.0, 0.0], [0.25, 0.0]])
    expected = np.hypot(*points.T) - 1.0
    assert Disk((X, Y)).signed_distance(points) == pytest.approx(expected, abs=1e-15)


def test_exact_ends_stay_exact() -> None:
    assert Interval(X, 0, sp.pi).measure == pytest.approx(np.pi, rel=1e-16)
    assert Interval(X, 10**6, 10**6 + sp.Rational(1, 10)).measure == pytest.approx(0.1, rel=1e-15)
    room = Rectangle((X, 0, 0.1), (Y, -sp.sqrt(2), 0)) - Disk((X, Y), (0, 0), 0.01, name="d")
    assert room.face_expression("right") == X - sp.Rational(1, 10)
    assert room.face_expression("bottom") == Y + sp.sqrt(2)
    assert Interval(X, 0, 0.1).symbolic_bounds == ((0, sp.Rational(1, 10)),)
