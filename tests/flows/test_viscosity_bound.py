"""Bounds of a viscosity known from velocities: against differences of flows, and monotone in what is free."""

import numpy as np
import pytest

from benchmarks.viscosity_bound import bound
from sciml.problems import navier_stokes


def test_bound_of_a_flow_known_but_for_its_viscosity():
    problem = navier_stokes.kovasznay(20).problem
    points = problem.domain.sample(50, seed=4)
    more, less = (navier_stokes.kovasznay(reynolds).reference.evaluate(points)[:, :2] for reynolds in (19, 21))
    slope = np.linalg.norm((more - less) / (1 / 19 - 1 / 21))
    known = bound(points, 0.01, 1 / 20, problem.domain.bounds, None)
    assert known == pytest.approx(0.01 / slope * 20, rel=5e-3)
    free = [bound(points, 0.01, 1 / 20, problem.domain.bounds, degree) for degree in (8, 12)]
    assert known < free[0] < free[1]
