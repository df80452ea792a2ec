"""Nonlinear and variable-coefficient problems by a change of variables."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, coordinates, field, load_solution
from sciml.errors import SolverError, SolverWarning
from sciml.problems import allen_cahn, black_scholes, burgers
from solvers.lie import LieSolver

x, t = coordinates("x t")
u = field("u", x, t)


@pytest.mark.parametrize("viscosity", [sp.Rational(1, 10), sp.Rational(1, 50), burgers.THIN])
def test_burgers_between_walls(viscosity: sp.Expr, tmp_path) -> None:
    case = burgers.sine(viscosity)
    lie = LieSolver().solve(case.problem)
    for place, value in case.values.items():  # independently computed
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-10)
    points = np.array([[0.3, 0.2], [0.9, 0.6], [0.5, 1.0]])
    assert np.abs(lie.residual(points)).max() < 1e-6
    lie.save(tmp_path / "burgers")
    assert np.array_equal(load_solution(tmp_path / "burgers").evaluate(points), lie.evaluate(points))


def test_burgers_with_moving_data_says_what_is_lost() -> None:
    front = burgers.travelling_wave().problem.initial
    (start,) = front.values()
    moved = [Dirichlet(u, start.subs(x, -1) - t**2 / 4, on="left"), Dirichlet(u, start.subs(x, 1), on="right")]
    problem = IBVP(u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 20, Interval(x, -1, 1), (t, 0, 1), {u: start}, moved)
    with pytest.warns(SolverWarning, match="of its largest value"):
        lie = LieSolver().solve(problem)
    assert lie.status.startswith("tolerance 1e-10 not reached")


def test_a_front_of_burgers_is_two_exponentials() -> None:
    case = burgers.travelling_wave()
    lie = LieSolver().solve(case.problem)
    assert len(lie.terms) == 2
    assert lie.error(case.reference).relative_l2["u"] < 1e-10


def test_three_merging_fronts_of_burgers_are_three_exponentials() -> None:
    w = 1 + sp.exp(3 * x + sp.Rational(9, 10) * t) + sp.exp(-4 * x + sp.Rational(16, 10) * t)
    exact = -w.diff(x) / (5 * w)
    problem = IBVP(
        u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 10, Interval(x, -1, 1), (t, 0, 1), {u: exact.subs(t, 0)},
        [Dirichlet(u, exact)],
    )  # fmt: skip
    lie = LieSolver().solve(problem)
    assert len(lie.terms) == 3
    assert lie.error(exact).relative_l2["u"] < 1e-13


def test_burgers_around_a_ring_keeps_its_mean() -> None:
    problem = IBVP(u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 500, Interval(x, 0, 1), (t, 0, sp.Rational(1, 2)),
                   {u: 1 + sp.sin(2 * sp.pi * x)}, [Periodic(u)])  # fmt: skip
    lie = LieSolver().solve(problem)
    places = (np.arange(4000) + 0.5) / 4000
    assert lie(x=places, t=0.5).mean() == pytest.approx(1.0, abs=1e-10)
    assert float(lie(x=0.0, t=0.3)) == pytest.approx(float(lie(x=1.0, t=0.3)), abs=1e-12)


def test_a_square_of_the_slope_with_a_flux() -> None:
    # w = exp(u) solves the heat equation; u_x = g becomes w_x = g w
    w = 2 + sp.exp(-t) * sp.sin(x)
    exact = sp.log(w)
    problem = IBVP(
        u.diff(t) - u.diff(x, 2) - u.diff(x) ** 2, Interval(x, 0, 1), (t, 0, sp.Rational(1, 2)),
        {u: exact.subs(t, 0)},
        [Dirichlet(u, exact.subs(x, 1), on="right"), Neumann(u, -exact.diff(x).subs(x, 0), on="left")],
    )  # fmt: skip
    lie = LieSolver(tol=1e-7).solve(problem)
    assert lie.error(exact).relative_l2["u"] < 1e-8
    points = np.array([[0.2, 0.1], [0.7, 0.4]])
    assert np.abs(lie.residual(points)).max() < 1e-5


def test_call_option_by_the_heat_equation() -> None:
    case = black_scholes.european_call()
    lie = LieSolver().solve(case.problem)
    assert lie.error(case.reference).relative_l2["V"] < 1e-11
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-12)
    assert np.abs(lie.residual([[80.0, 0.5], [150.0, 0.9]])).max() < 1e-9


def test_what_no_map_linearises_is_refused_with_the_alternative() -> None:
    with pytest.raises(SolverError, match=r"(?s)dimension 2 \(certified\).*PINN") as caught:
        LieSolver().solve(allen_cahn.cosine().problem)
    assert "PINN" in caught.value.fix


def test_the_bound_of_a_mapped_solution_counts_the_rounding_of_the_map() -> None:
    """A claim on S^{3/2}, the asset and cash: e^{κ y} with y = log S/σ' costs more digits than S^{3/2} itself."""
    pytest.importorskip("flint")
    price, tau = coordinates("S tau")
    value = field("V", price, tau)
    spread, rate, power = sp.Rational(1, 5), sp.Rational(3, 100), sp.Rational(3, 2)
    growth = (power - 1) * (rate + power * spread**2 / 2)
    exact = price**power * sp.exp(growth * tau) + price - 50 * sp.exp(-rate * tau)
    equation = (value.diff(tau) - spread**2 * price**2 * value.diff(price, 2) / 2 - rate * price * value.diff(price)
                + rate * value)  # fmt: skip
    sides = [Dirichlet(value, exact.subs(price, end), on=face) for face, end in (("left", 20), ("right", 200))]
    problem = IBVP(equation, Interval(price, 20, 200), (tau, 0, 1), {value: exact.subs(tau, 0)}, sides)
    lie = LieSolver().solve(problem)
    places = np.random.default_rng(0).uniform([150, 0], [200, 1], (300, 2))
    found, true = lie.evaluate(places)[:, 0], sp.lambdify((price, tau), exact, "mpmath")
    with mpmath.workdps(40):
        errors = [
            abs(mpmath.mpf(f) - true(*map(mpmath.mpf, p))) for f, p in zip(found.tolist(), places.tolist(), strict=True)
        ]
    assert float(max(errors)) <= lie.error_bound < 1e-9
