"""Laplace and Helmholtz in the plane: corners, holes, kinds of conditions, resonance."""

import pytest

from sciml.problems import helmholtz, laplace
from solvers.lie import LieSolver


def test_l_shape_to_the_known_digits() -> None:
    case = laplace.l_shape()
    lie = LieSolver(tol=1e-9).solve(case.problem)
    ((place, value),) = case.values.items()
    assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, abs=5e-10)
    assert lie.history["terms"][-1] < 200


@pytest.mark.parametrize("make", [laplace.square, laplace.reentrant_corner, helmholtz.point_source])
def test_exact_solutions(make) -> None:
    case = make()
    lie = LieSolver(tol=1e-11).solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-11
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-9)
