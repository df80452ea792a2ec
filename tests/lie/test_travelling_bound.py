"""Bounds of travelling profiles: exact but for rounding, whatever the data and the kind of ends."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, coordinates, field
from sciml.problems import library
from solvers.lie import LieSolver
from solvers.lie.certificate import certify

pytest.importorskip("flint")
x, t = coordinates("x t")
u = field("u", x, t)
gauss = sp.exp(-4 * (x - t - sp.Rational(1, 2)) ** 2)


def string(exact, boundary, speed=1, start=0):
    initial = {u: exact.subs(t, start), u.diff(t): exact.diff(t).subs(t, start)}
    pde = sp.Eq(u.diff(t, 2), speed**2 * u.diff(x, 2))
    return IBVP(pde=pde, domain=Interval(x, 0, 2), time=(t, start, start + 3), initial=initial, boundary=boundary)


def ends(exact):
    return [Dirichlet(u, exact.subs(x, 0), on="left"), Dirichlet(u, exact.subs(x, 2), on="right")]


mixed = [Neumann(u, -gauss.diff(x).subs(x, 0), on="left"), Dirichlet(u, gauss.subs(x, 2), on="right")]
fast = sp.sin(3 * (x - sp.sqrt(2) * t))
turning = sp.sin(sp.pi * (x - t)) + sp.cos(2 * sp.pi * (x + t))
CASES = {
    "moving ends": (gauss, string(gauss, ends(gauss))),
    "a moving slope": (gauss, string(gauss, mixed)),
    "a speed that is no float": (fast, string(fast, ends(fast), sp.sqrt(2))),
    "periodic": (turning, string(turning, [Periodic(u, on=("left", "right"))])),
    "a start at 1": (gauss, string(gauss, ends(gauss), start=1)),
}


@pytest.mark.parametrize("name", CASES)
def test_velocity_and_moving_ends(name: str) -> None:
    exact, problem = CASES[name]
    lie = LieSolver().solve(problem)
    low, high = np.array(problem.bounds).T
    points = np.random.default_rng(2).uniform(low, high, (3000, 2))
    error = np.abs(lie.evaluate(points)[:, 0] - sp.lambdify((x, t), exact)(*points.T)).max()
    assert lie.error_bound is not None, lie.error_bound_reason
    assert error <= lie.error_bound <= 1e-9


@pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")
@pytest.mark.parametrize("name", ["wave.polynomial", "wave.gauss_mix", "wave.step", "wave.jump"])
def test_library(name: str) -> None:
    case = library()[name]()
    lie = LieSolver().solve(case.problem)
    points = np.random.default_rng(2).uniform(0, 1, (4000, 2))
    error = np.abs(lie.evaluate(points) - case.reference.evaluate(points)).max()
    assert lie.error_bound is not None, lie.error_bound_reason
    assert error <= lie.error_bound <= 40 * error + 1e-14


def test_a_wrong_amplitude_is_seen() -> None:
    case = library()["wave.sine"]()
    lie = LieSolver().solve(case.problem)
    bound = certify(case.problem, lie.families, lie.amplitudes * (1 + 1e-6))
    assert bound.sup is not None
    assert 1e-6 <= bound.sup <= 1.2e-6
