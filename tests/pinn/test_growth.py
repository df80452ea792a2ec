"""Where points lie, how many there are, and when others are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from sciml import IBVP, MLP, Dirichlet, Disk, Neumann, Rectangle, coordinates, field, sample
from sciml.placing import denser_at_edges
from sciml.problems import heat, navier_stokes
from solvers import PINN, Fixed, RandomResample
from solvers.pinn.growth import Growth, outgrown
from solvers.pinn.placement import Counts, counts_of, draw

x, y = coordinates("x y")
w = field("w", x, y)
HEAT = heat.sine(1).problem


def test_weights_keep_integrals_and_faces_keep_their_points() -> None:
    problem = navier_stokes.kovasznay().problem  # [-1/2, 1] x [-1/2, 3/2]
    even = sample(problem, interior=4000, boundary=400)
    points = denser_at_edges(problem, even)
    for name in points.terms:
        assert points.of(name).weight.sum() == pytest.approx(1.0)
    inside = points.of(points.terms[0])
    mean = inside.weight @ (inside.coordinates[:, 0] ** 2 * inside.coordinates[:, 1])
    assert mean == pytest.approx(0.25 * 0.5, rel=2e-2)
    edge = points.of("dirichlet u").coordinates
    assert problem.domain.contains(inside.coordinates).all()
    on_face = np.isin(edge[:, 0], (-0.5, 1.0)) | np.isin(edge[:, 1], (-0.5, 1.5))
    assert on_face.all()
    assert np.array_equal(points.ids, even.ids)
    # a tenth of an axis at either end has 2 (2/π) arcsin √0.1 of the points
    first = (inside.coordinates[:, 0] + 0.5) / 1.5
    assert ((first < 0.1) | (first > 0.9)).mean() == pytest.approx(4 / np.pi * np.arcsin(0.1**0.5), abs=0.01)


def test_a_disk_is_no_product_of_axes() -> None:
    problem = IBVP(w.diff(x, 2) + w.diff(y, 2), Disk((x, y)), boundary=[Dirichlet(w, x)])
    even = sample(problem, interior=100, boundary=30)
    assert np.array_equal(denser_at_edges(problem, even).coordinates, even.coordinates)


def test_growth_goes_up_to_its_end_and_renames_points() -> None:
    growth = Growth.by_rows(HEAT, (), 1000, 3, None, grows=True)
    points, sizes = draw(HEAT, (), growth.first, 3), []
    assert growth.first.interior < growth.most.interior
    while (more := growth.enlarged(points)) is not points:
        assert not set(more.ids) & set(points.ids)
        points = more
        sizes.append(counts_of(points).interior)
    assert sizes == sorted(set(sizes))
    assert counts_of(points) == growth.most


def test_numbers_that_the_user_gives_stay() -> None:
    growth = Growth.by_rows(HEAT, (), 1000, 3, Counts(70, 20, 10), grows=True)
    assert growth.first == growth.most == Counts(70, 20, 10)
    points = draw(HEAT, (), growth.first, 3)
    assert growth.enlarged(points) is points


def test_points_are_outgrown_by_the_last_look_alone() -> None:
    assert outgrown([1.0, 1e-6], [1.0, 1e-5])
    assert not outgrown([1e-6, 1e-6], [1.0, 2e-6])
    assert not outgrown([], [])


def test_points_change_when_outgrown_and_by_the_clock_where_there_is_one() -> None:
    problem = IBVP(w.diff(x, 2) + w.diff(y, 2) - 1, Rectangle((x, 0, 1), (y, 0, 1)),
                   boundary=[Dirichlet(w, 0, on=["left", "right"]), Neumann(w, 0, on=["bottom", "top"])])  # fmt: skip

    def ids(resampler, counts: Counts, steps: int) -> set[int]:
        solver = PINN(MLP(width=8, depth=2), steps=steps, tolerance=0, points=counts, resampler=resampler, seed=0,
                      progress=False)  # fmt: skip
        return set(solver.solve(problem).points.ids)

    few, many = Counts(12, 4, 4), Counts(400, 60, 60)
    assert 0 not in ids(RandomResample(), few, 25)  # fewer rows than parameters: fitted at once, wrong between
    assert 0 in ids(RandomResample(), many, 6)
    assert 0 not in ids(RandomResample(every=2), many, 6)
    assert 0 in ids(Fixed(), few, 10)
