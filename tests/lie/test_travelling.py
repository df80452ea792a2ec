"""The wave equation by travelling profiles: reflections, velocities, moving ends, jumps, periods."""

import itertools

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, Robin, coordinates, field, load_solution
from sciml.problems import wave
from solvers.lie import LieSolver

x, t = coordinates("x t")
u = field("u", x, t)
C = sp.Rational(3, 2)
PDE = u.diff(t, 2) - C**2 * u.diff(x, 2)
EXACT = sp.exp(-((x - C * t - 1) ** 2)) + sp.sin(2 * (x + C * t)) / 2 + x * t


def conditions(kinds: tuple[str, str], exact: sp.Expr = EXACT) -> list:
    found = []
    for kind, face, place, outward in zip(kinds, ("left", "right"), (-1, 2), (-1, 1), strict=True):
        slope = (outward * exact.diff(x)).subs(x, place)
        found.append(Dirichlet(u, exact.subs(x, place), on=face) if kind == "value" else Neumann(u, slope, on=face))
    return found


@pytest.mark.parametrize("kinds", list(itertools.product(("value", "slope"), repeat=2)))
def test_moving_ends_over_many_reflections(kinds, tmp_path) -> None:
    start = sp.Rational(1, 4)
    initial = {u: EXACT.subs(t, start), u.diff(t): EXACT.diff(t).subs(t, start)}
    problem = IBVP(PDE, Interval(x, -1, 2), (t, start, 9), initial, conditions(kinds))
    lie = LieSolver().solve(problem)
    points = np.random.default_rng(0).uniform([-1, 0.25], [2, 9], (400, 2))
    values = sp.lambdify((x, t), EXACT, "numpy")(*points.T)
    assert np.abs(lie.evaluate(points)[:, 0] - values).max() < 1e-11
    slopes = sp.lambdify((x, t), EXACT.diff(x), "numpy")(*points.T)
    assert np.abs(lie.derivative(u.diff(x), points) - slopes).max() < 1e-11
    assert np.abs(lie.residual(points)).max() < 1e-9
    lie.save(tmp_path / "lie")
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))
    assert all(term.generators for term in lie.terms)


@pytest.mark.filterwarnings("ignore:.*disagree.*:sciml.errors.ProblemWarning")
@pytest.mark.parametrize("make", [wave.step, wave.jump, wave.polynomial, wave.gauss, wave.gauss_mix])
def test_library(make) -> None:
    case = make()
    lie = LieSolver().solve(case.problem)
    assert len(lie.terms) <= 2
    assert lie.error(case.reference).relative_l2["u"] < 1e-13
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, abs=1e-13)


def test_mean_velocity_between_free_ends_and_around_a_ring() -> None:
    """A string that starts with velocity 1 + cos πx drifts: u = t + cos πx sin πct / πc."""
    exact = t + sp.cos(sp.pi * x) * sp.sin(sp.pi * C * t) / (sp.pi * C)
    initial = {u: 0, u.diff(t): 1 + sp.cos(sp.pi * x)}
    for boundary in ([Neumann(u, 0)], [Periodic(u)]):
        lie = LieSolver().solve(IBVP(PDE, Interval(x, 0, 2), (t, 0, 7), initial, boundary))
        assert lie.error(exact).maximum["u"] < 1e-12


def test_a_plucked_string_keeps_its_kink_and_its_energy() -> None:
    height = sp.Min(x, (1 - x) / 3)
    problem = IBVP(
        u.diff(t, 2) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 3), {u: height, u.diff(t): 0}, [Dirichlet(u, 0)]
    )
    lie = LieSolver().solve(problem)
    n = np.arange(1, 20001)
    places, time = np.array([0.2, 0.5, 0.77]), 1.31
    amplitude = 2 * np.sin(n * np.pi / 4) / (n * np.pi) ** 2 * (1 + 1 / 3)
    series = (amplitude * np.cos(n * np.pi * time) * np.sin(np.outer(places, n * np.pi))).sum(axis=1)
    assert np.abs(lie.evaluate(np.column_stack([places, [time] * 3]))[:, 0] - series).max() < 1e-8
    assert lie.evaluate([[0.3, 2.0]])[0, 0] == pytest.approx(float(height.subs(x, 0.3)), abs=1e-14)


def test_formula_agrees_with_values() -> None:
    initial = {u: x * (2 - x) ** 2, u.diff(t): x**2 - x}
    boundary = [Dirichlet(u, sp.sin(t) ** 2, on="left"), Neumann(u, t, on="right")]
    lie = LieSolver().solve(IBVP(PDE, Interval(x, 0, 2), (t, 0, 4), initial, boundary))
    points = np.random.default_rng(1).uniform([0, 0], [2, 4], (30, 2))
    formula = lie.expr
    for point in points:
        value = formula.subs({x: sp.Float(point[0], 30), t: sp.Float(point[1], 30)}).doit().evalf()
        assert float(value) == pytest.approx(float(lie.evaluate(point[None])[0, 0]), abs=1e-10)


def test_robin_ends_fall_back_to_modes() -> None:
    exact = sum(sp.exp(-((x + sign * t) ** 2)) for sign in (1, -1)) / 2  # no sum of exponentials
    slope = exact.diff(x).subs(x, 1)
    problem = IBVP(u.diff(t, 2) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 1), {u: sp.exp(-(x**2)), u.diff(t): 0},
                   [Neumann(u, 0, on="left"), Robin(u, 1, slope + exact.subs(x, 1), on="right")])  # fmt: skip
    lie = LieSolver(tol=1e-8).solve(problem)
    assert {term.name for term in lie.terms} & {"mode", "forced oscillation"}
    assert lie.error(exact).relative_l2["u"] < 1e-8
