"""Points of the terms of a problem: where they lie, how many, which are shared."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    Box,
    Condition,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Observations,
    Periodic,
    Rectangle,
    Robin,
    coordinates,
    field,
    sample,
)
from sciml.errors import PointsError
from sciml.points import PointSet
from sciml.sampling import METHODS

x, y, z, t = coordinates("x y z t")
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


def heat() -> IBVP:
    u = field("u", x, t)
    return IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 1, 3),
        initial={u: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(u, 0, on="left"), Neumann(u, -sp.pi * sp.exp(1 - t), on="right")],
    )


def poisson(domain: object, boundary: Callable[[sp.Expr], list], source: object = 0) -> IBVP:
    u = field("u", *domain.coordinates)  # type: ignore[attr-defined]
    return IBVP(pde=sum(u.diff(s, 2) for s in domain.coordinates) - source, domain=domain, boundary=boundary(u))  # type: ignore[attr-defined]


def sums(points: PointSet) -> np.ndarray:
    return np.bincount(points.term, weights=points.weight, minlength=len(points.terms))


@EVERY_METHOD
def test_heat_equation(method: str) -> None:
    points = sample(heat(), 100, 30, 20, method, 5)
    assert points.terms == ("pde", "initial u", "dirichlet u left", "neumann u right")
    assert points.term_kinds == ("interior", "initial", "boundary", "boundary")
    inside, start, left, right = (points.of(name).coordinates for name in points.terms)
    assert [len(part) for part in (inside, start, left, right)] == [100, 20, 30, 30]
    assert ((inside > (0, 1)) & (inside < (1, 3))).all()
    assert set(start[:, 1]) == {1.0}
    assert set(left[:, 0]) == {0.0}
    assert set(right[:, 0]) == {1.0}
    assert ((right[:, 1] > 1) & (right[:, 1] < 3)).all()
    assert sums(points) == pytest.approx(np.ones(4))
    assert np.array_equal(np.unique(points.ids), np.arange(180))
    assert points.next_id == 180
    assert np.isnan(points.value).all()


def test_seeds_and_counts() -> None:
    problem = heat()
    assert sample(problem, 50, seed=1) == sample(problem, interior=50, seed=1)
    assert sample(problem, 50, seed=1) != sample(problem, 50, seed=2)
    points = sample(problem, 50, seed=1)
    times = points.of("dirichlet u left").coordinates[:, 1], points.of("neumann u right").coordinates[:, 1]
    assert not np.array_equal(*times)  # each face has its own points
    empty = sample(problem, interior=0, boundary=0, initial=0)
    assert len(empty) == 0
    assert len(sample(problem, interior=7, boundary=0, initial=0)) == 7
    assert sample(Disk((x, y)), 9, "grid").shape == (9, 2)
    assert np.array_equal(sample(Disk((x, y)), n=9, seed=3), Disk((x, y)).sample(9, seed=3))


@pytest.mark.filterwarnings("ignore:v.* has more initial conditions")
def test_points_are_shared_among_terms_of_the_same_place() -> None:
    """Second order in time: both initial conditions hold at the same points, with the same ids."""
    u, v = field("u", x, t), field("v", x, t)
    problem = IBVP(
        pde=[sp.Eq(u.diff(t, 2), u.diff(x, 2)), sp.Eq(v.diff(t), v.diff(x, 2))],
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: sp.sin(sp.pi * x), u.diff(t): 0, v: sp.sin(sp.pi * x)},
        boundary=[
            Dirichlet(u, 0, on=["left", "right"]),
            Dirichlet(v, 0, on=["right", "left"]),
            Condition(sp.Eq(v.diff(x, 2), -(sp.pi**2) * v), on="initial"),
        ],
    )
    points = sample(problem, interior=10, boundary=8, initial=6)
    initial = [name for name, kind in zip(points.terms, points.term_kinds, strict=True) if kind == "initial"]
    assert len(initial) == 4
    for name in initial:
        assert np.array_equal(points.ids_of(name), points.ids_of(initial[0]))
        assert set(points.of(name).coordinates[:, 1]) == {0.0}
    walls = [name for name, kind in zip(points.terms, points.term_kinds, strict=True) if kind == "boundary"]
    assert np.array_equal(points.ids_of(walls[0]), points.ids_of(walls[1]))
    gone = points.remove(points.ids_of("initial u")[:2])
    assert [len(gone.of(name)) for name in initial] == [4] * 4
    assert sums(gone) == pytest.approx(np.ones(len(gone.terms)))


def test_faces_share_points_by_their_measure() -> None:
    channel = Rectangle((x, 0, 2.2), (y, 0, 0.41)) - Disk((x, y), (0.2, 0.2), 0.05, name="cylinder")
    problem = poisson(channel, lambda u: [Dirichlet(u, 0)])
    points = sample(problem, interior=64, boundary=200).of("dirichlet u").coordinates
    counts = {face: int(channel.on_face(face, points).sum()) for face in channel.faces}
    total = sum(map(channel.face_measure, channel.faces))
    for face, count in counts.items():
        assert abs(count - 200 * channel.face_measure(face) / total) < 1.5
    assert sum(counts.values()) == 200
    few = sample(problem, interior=1, boundary=3).of("dirichlet u").coordinates
    assert all(channel.on_face(face, few).any() for face in channel.faces)


@EVERY_METHOD
def test_steady_interval_has_every_end_once(method: str) -> None:
    """A face of several ends: each of them once, whatever the method; otherwise an end would have no condition."""
    domain = Interval(x, 0, 9) - Interval(x, 1, 2).rename("a") - Interval(x, 3, 4).rename("a2") - Interval(x, 5, 6)
    domain = domain.rename({"a": "walls", "a2": "walls"})
    points = sample(poisson(domain, lambda u: [Dirichlet(u, 0)]), interior=10, method=method, seed=3)
    ends = points.of("dirichlet u").coordinates.ravel()
    assert sorted(ends) == pytest.approx([0, 1, 2, 3, 4, 5, 6, 9])
    assert len(sample(poisson(Interval(x, 0, 1), lambda u: [Dirichlet(u, 0)]), 10, boundary=0)) == 10


def test_faces_have_seeds_of_their_own() -> None:
    square = Rectangle((x, 0, 1), (y, 0, 1))
    points = sample(poisson(square, lambda u: [Dirichlet(u, 0)]), interior=1, boundary=40).of("dirichlet u").coordinates
    low, right = (np.sort(points[square.on_face(face, points), k]) for face, k in (("bottom", 0), ("right", 1)))
    assert len(low) == len(right) == 10
    assert not np.allclose(low, right)


def test_periodic_points_lie_on_the_first_face() -> None:
    u = field("u", x, y, t)
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) + u.diff(y, 2)),
        domain=Rectangle((x, -1, 1), (y, 0, 2)),
        time=(t, 0, 1),
        initial={u: sp.sin(sp.pi * x)},
        boundary=[Periodic(u, on=("right", "left")), Periodic(u, on=("bottom", "top"))],
    )
    points = sample(problem, interior=10, boundary=20, initial=5)
    first, second = (points.of(name).coordinates for name in points.terms if name.startswith("periodic"))
    assert set(first[:, 0]) == {1.0}
    assert set(second[:, 1]) == {0.0}
    assert len(first) == len(second) == 20


def test_observations_keep_their_points_and_values() -> None:
    u, k = field("u", x, t), sp.Symbol("k")
    where, what = np.array([[0.5, 0.25], [0.25, 0.5], [1.0, 0.0]]), np.array([1.0, 2.0, 3.0])
    problem = IBVP(
        pde=sp.Eq(u.diff(t), k * u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(u, 0)],
        unknowns={k: 1},
        observations=Observations(u, where, what, name="probe"),
    )
    points = sample(problem, interior=4, boundary=4, initial=4)
    probe = points.of("probe")
    assert np.array_equal(probe.coordinates, where)
    assert np.array_equal(probe.value, what)
    assert set(probe.kinds) == {"observation"}
    assert probe.weight == pytest.approx(1 / 3)
    assert np.isnan(points.value).sum() == len(points) - 3
    with pytest.raises(PointsError, match="observed value"):
        points.add([[0.1, 0.1]], "probe")


def test_fixed_points() -> None:
    """A pure Neumann problem is pinned at one point; the numbers of points do not change that."""
    problem = poisson(Disk((x, y)), lambda u: [Neumann(u, 0), Condition(sp.Eq(u, 1), on={y: 0.5, x: 0})])
    for boundary in (0, 7):
        points = sample(problem, interior=5, boundary=boundary)
        (name,) = (n for n, kind in zip(points.terms, points.term_kinds, strict=True) if kind == "point")
        assert points.of(name).coordinates.tolist() == [[0.0, 0.5]]
        assert points.of(name).weight.tolist() == [1.0]


def test_box_with_robin_walls() -> None:
    domain = Box((x, 0, 1), (y, 0, 2), (z, 0, 3)) - Box((x, 0.25, 0.5), (y, 0.5, 1), (z, -1, 4))
    problem = poisson(domain, lambda u: [Robin(u, 2, 1, on="cut"), Dirichlet(u, 0, on=domain.faces[:6])])
    points = sample(problem, interior=50, boundary=60, method="grid")
    cut = points.of("robin u cut").coordinates
    assert len(cut) == 60
    assert domain.on_face("cut", cut).all()
    assert domain.contains(points.coordinates).all()


def made_up(**term: object) -> SimpleNamespace:
    """The least that `sample` asks of a problem, for terms that a problem would refuse."""
    whole = {"name": "odd", "kind": "point", "faces": (), "point": None, "periodic": False, "observation": None, **term}
    return SimpleNamespace(domain=Interval(x, 0, 1), time=(t, 0, 2), terms=[SimpleNamespace(**whole)])


def observed(points: list) -> SimpleNamespace:
    return SimpleNamespace(points=points, values=[0.0] * len(points))


def test_condition_at_a_place_for_all_times() -> None:
    points = sample(made_up(point={x: sp.Rational(1, 2)}), boundary=16).coordinates
    assert points.shape == (16, 2)
    assert set(points[:, 0]) == {0.5}
    assert len(np.unique((points[:, 1] * 8).astype(int))) == 16


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: sample(3), "an IBVP, or a geometry"),
        (lambda: sample(heat(), interior=-1), "interior: a whole number"),
        (lambda: sample(heat(), boundary=2.5), "boundary: a whole number"),
        (lambda: sample(heat(), initial=True), "initial: a whole number"),
        (lambda: sample(heat(), method="halton"), "sobol, hammersley"),
        (lambda: sample(heat(), seed=-3), "seed"),
        (lambda: sample(Disk((x, y)), n=-1), "0 or more"),
        (lambda: sample(made_up(point={x: 2, t: 1})), r"'odd' in the domain at times \(0.0, 2.0\)\n.*\[2.0, 1.0\]"),
        (lambda: sample(made_up(point={x: 1, t: 3})), "in the domain"),
        (lambda: sample(made_up(point={t: 1})), "a value for each of x, t"),
        (lambda: sample(made_up(kind="observation", observation=observed([[0.5]]))), "columns x, t"),
        (lambda: sample(made_up(kind="observation", observation=observed([[0.5, -1.0]]))), "in the domain"),
    ],
)
def test_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(PointsError, match=message):
        build()
