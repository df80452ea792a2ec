"""The error bound of solutions: not below the error, and not far above it."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy as sp

from sciml.problems import library
from solvers.lie import LieSolver
from solvers.lie.atom_rounding import atom_rounding
from solvers.lie.bounds import balls

flint = pytest.importorskip("flint")
QUICK = ["heat.sine", "heat.sine_mix", "heat.polynomial", "heat.jump", "heat.oscillating_walls", "wave.sine"]


def largest_error(solution, case, count: int = 20000) -> float:
    """On dense random points, ends and the start included."""
    bounds = np.array(case.problem.bounds)
    points = np.random.default_rng(3).uniform(bounds[:, 0], bounds[:, 1], (count, len(bounds)))
    third = count // 3
    points[:third, -1] = bounds[-1, 0]
    points[third : third + 200, 0], points[third + 200 : third + 400, 0] = bounds[0]
    return float(np.abs(solution.evaluate(points) - case.reference.evaluate(points)).max())


@pytest.mark.parametrize("name", QUICK)
def test_bound_of_the_library(name: str) -> None:
    case = library()[name]()
    lie = LieSolver().solve(case.problem)
    error = largest_error(lie, case)
    assert lie.error_bound is not None, lie.error_bound_reason
    assert error <= lie.error_bound
    assert lie.error_bound <= 1e-12  # rounding is bounded in its worst case, at some 50 times what is seen


def test_bound_is_close_where_the_mismatch_counts() -> None:
    case = library()["heat.sine_mix"]()
    lie = LieSolver().solve(case.problem)
    lie.amplitudes[0] += 1e-5
    error = largest_error(lie, case)
    assert 0.9e-5 <= error <= lie.error_bound <= 1.2 * error


def test_the_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lie = LieSolver().solve(library()["heat.sine"]().problem)
    monkeypatch.setattr(balls, "flint", None)
    assert lie.error_bound is None
    assert "sciml[rigorous]" in lie.error_bound_reason


@pytest.mark.parametrize("name", ["heat.polynomial", "heat.jump", "heat.sine"])
def test_rounding_of_atoms_against_50_digits(name: str) -> None:
    lie = LieSolver().solve(library()[name]().problem)
    bounds = np.array(lie.problem.bounds)
    points = np.random.default_rng(1).uniform(bounds[:, 0], bounds[:, 1], (30, 2))
    with mpmath.workdps(50):
        for family in lie.families:
            errors, sizes = atom_rounding(family, bounds)
            values = family.jets(points, [(0, (0, 0))])[:, 0]
            for j in range(len(family)):
                exact = sp.lambdify(lie.problem.coordinates, family.formula(j, lie.problem.coordinates)[0], "mpmath")
                reference = [exact(mpmath.mpf(p[0]), mpmath.mpf(p[1])) for p in points]
                off = max(abs(float(mpmath.mpf(float(v)) - r)) for v, r in zip(values[:, j], reference, strict=True))
                assert off <= errors[j, 0]
                assert max(abs(float(r)) for r in reference) <= sizes[j, 0] <= 40 * abs(float(max(map(abs, reference))))
