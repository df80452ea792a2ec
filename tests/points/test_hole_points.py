"""Points around holes: denser there, with weights that keep the integrals."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Disk, Rectangle, coordinates, field, sample
from sciml.geometry.quadrature import region_rule
from sciml.hole_points import denser_near_holes
from sciml.problems import cylinder, poisson

x, y, t = coordinates("x y t")
w, h = field("w", x, y), field("h", x, y, t)
PLATE = (Rectangle((x, 0, 6), (y, 0, 4)) - Disk((x, y), center=(1, 1), radius=0.2, name="a")
         - Disk((x, y), center=(4, 2), radius=0.4, name="b"))  # fmt: skip


def test_integrals_are_kept_and_the_density_follows_the_distance() -> None:
    problem = IBVP(w.diff(x, 2) + w.diff(y, 2), PLATE, boundary=[Dirichlet(w, 0)])
    even = sample(problem, interior=8000, boundary=800)
    points = denser_near_holes(problem, even, seed=1)
    assert np.array_equal(points.ids, even.ids)
    inside = points.of("pde")
    assert PLATE.contains(inside.coordinates).all()
    nodes, weights = region_rule(PLATE, 24)
    for f in (lambda p: p[:, 0] ** 2 * p[:, 1], lambda p: 1 / ((p - [1, 1]) ** 2).sum(axis=1)):
        wanted = weights @ f(nodes) / weights.sum()
        assert inside.weight @ f(inside.coordinates) == pytest.approx(wanted, rel=5e-3)
    r = np.linalg.norm(inside.coordinates - [1, 1], axis=1)
    first, second = (((r > a) & (r < 2 * a)).sum() for a in (0.2, 0.4))
    assert first > 400  # 12 of 8000 even ones
    assert 0.7 < first / second < 1.05  # the even half adds to the wider ring


def test_faces_get_their_points_and_length() -> None:
    problem = cylinder.dfg_steady().problem
    even = sample(problem, interior=10, boundary=300)
    points = denser_near_holes(problem, even, seed=0)
    (name,) = {n for n in points.terms if problem.term(n).faces == ("bottom", "top", "cylinder")} - {"dirichlet v"}
    solid = points.of(name)
    on = problem.domain.on_face("cylinder", solid.coordinates)
    share = np.pi / (44 + np.pi)
    assert solid.weight[on].sum() == pytest.approx(share)
    assert on.mean() == pytest.approx((share + 1 / 3) / 2, abs=0.01)
    shared = [n for n in points.terms if problem.term(n).kind == "boundary" and "left" in problem.term(n).faces]
    assert all(problem.domain.on_face(problem.term(n).faces, points.of(n).coordinates).all() for n in shared)


def test_time_stays_in_its_interval_and_initial_points_at_the_start() -> None:
    problem = IBVP(sp.Eq(h.diff(t), h.diff(x, 2) + h.diff(y, 2)), PLATE, time=(t, 1, 3), initial={h: 0},
                   boundary=[Dirichlet(h, 0)])  # fmt: skip
    points = denser_near_holes(problem, sample(problem, interior=2000, initial=100, boundary=100), seed=0)
    times = points.of("pde").coordinates[:, 2]
    assert times.min() >= 1
    assert times.max() <= 3
    near = np.linalg.norm(points.of("pde").coordinates[:, :2] - [1, 1], axis=1) < 0.4
    assert times[near].mean() == pytest.approx(2, abs=0.1)
    start = [n for n, kind in zip(points.terms, points.term_kinds, strict=True) if kind == "initial"]
    assert (points.of(start[0]).coordinates[:, 2] == 1).all()


def test_a_region_without_holes_keeps_its_points() -> None:
    problem = poisson.square().problem
    even = sample(problem, interior=50)
    assert denser_near_holes(problem, even, seed=0) is even
