"""Moving data on rectangles, systems with coefficients in x, sources: spectral collocation against exact solutions."""

import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    Dirichlet,
    Interval,
    Neumann,
    Periodic,
    ProblemWarning,
    Rectangle,
    Robin,
    SolverWarning,
    coordinates,
    field,
    load_solution,
)
from sciml.problems import wave
from solvers.lie import LieSolver
from solvers.lie.evolution.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.SolverWarning")
x, y, t = coordinates("x y t")
u, v, w = field("u", x, t), field("v", x, t), field("w", x, y, t)


def test_waves_on_a_square_with_moving_sides(tmp_path) -> None:
    case = wave.complex_source()
    lie = LieSolver().solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-9
    assert "collocation" in lie.status
    lie.save(tmp_path / "lie")
    points = [[0.3, -0.2, 0.6], [0.9, 0.7, 0.1]]
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))


def _oscillator(low: int, high: int, held: bool) -> tuple[IBVP, dict]:
    """A coherent state of i ψ_t = -ψ_xx/2 + x²ψ/2, which swings without spreading (Griffiths 2018, problem 3.42)."""
    swing = x - 2 * sp.cos(t)
    phase = -(t / 2 + 2 * x * sp.sin(t) - sp.sin(2 * t))
    size = sp.pi ** sp.Rational(-1, 4) * sp.exp(-(swing**2) / 2)
    exact = {u: size * sp.cos(phase), v: size * sp.sin(phase)}
    pde = {"real": sp.Eq(u.diff(t), -v.diff(x, 2) / 2 + x**2 / 2 * v),
           "imaginary": sp.Eq(v.diff(t), u.diff(x, 2) / 2 - x**2 / 2 * u)}  # fmt: skip
    start = {known: e.subs(t, 0) for known, e in exact.items()}
    sides = [Dirichlet(known, 0 if held else e) for known, e in exact.items()]
    return IBVP(pde, Interval(x, low, high), (t, 0, 2), start, sides, fields=[u, v]), exact


@pytest.mark.parametrize(("low", "high", "held"), [(-11, 11, True), (-2, 3, False)])
def test_schroedinger_in_a_harmonic_well(low, high, held) -> None:
    problem, exact = _oscillator(low, high, held)
    lie = LieSolver().solve(problem)
    assert max(lie.error(exact).relative_l2.values()) < 1e-9


def _made(operator, exact: sp.Expr, fields) -> sp.Expr:
    return sp.expand(operator(fields) - operator(exact).doit())


def test_heat_with_coefficients_and_all_kinds_of_sides() -> None:
    exact = sp.exp(-t) / (2 + x * y + t) + sp.sin(x * y)

    def operator(q: sp.Expr) -> sp.Expr:
        return 2 * q.diff(t) - (1 + x**2) * q.diff(x, 2) - sp.exp(y) * q.diff(y, 2) + y * q.diff(y) + (x + y**2) * q

    sides = [Dirichlet(w, exact, on=["left", "top"]), Neumann(w, exact.diff(x), on="right"),
             Robin(w, 2, 2 * exact - exact.diff(y), on="bottom")]  # fmt: skip
    problem = IBVP(_made(operator, exact, w), Rectangle((x, 0, 1), (y, 0, 2)), (t, 0, 1), {w: exact.subs(t, 0)}, sides)
    assert LieSolver().solve(problem).error(exact).relative_l2["w"] < 1e-10


def test_equations_of_third_and_fourth_order() -> None:
    """A dispersive equation with three conditions, and a beam whose stiffness varies with four."""
    third = sp.exp(-t) / (2 + x + t)
    pde = _made(lambda q: q.diff(t) + (1 + x / 2) * q.diff(x, 3) + q, third, u)
    sides = [Dirichlet(u, third), Neumann(u, third.diff(x), on="right")]
    problem = IBVP(pde, Interval(x, 0, 1), (t, 0, 1), {u: third.subs(t, 0)}, sides)
    assert LieSolver().solve(problem).error(third).relative_l2["u"] < 1e-9
    beam = sp.sin(sp.pi * x) ** 2 / (1 + t**2)
    pde = _made(lambda q: q.diff(t, 2) + ((1 + x**2) * q.diff(x, 2)).diff(x, 2).doit(), beam, u)
    start = {u: beam.subs(t, 0), u.diff(t): 0}
    problem = IBVP(pde, Interval(x, 0, 1), (t, 0, 1), start, [Dirichlet(u, 0), Neumann(u, 0)])
    assert LieSolver().solve(problem).error(beam).relative_l2["u"] < 1e-6


def test_a_periodic_system_with_coefficients_in_x() -> None:
    """u_t = c v_x, v_t = u_x with c = 1/(2 + cos x)²: against itself in the coordinate that makes c constant."""
    speed = 1 / (2 + sp.cos(x))
    phase = 2 * x + sp.sin(x)  # x' = 1/c, so that f(phase - t) travels
    exact = {u: sp.cos(phase / 2 - t / 2), v: -sp.cos(phase / 2 - t / 2)}
    pde = {"first": sp.Eq(u.diff(t), speed * v.diff(x)), "second": sp.Eq(v.diff(t), speed * u.diff(x))}
    problem = IBVP(pde, Interval(x, 0, 2 * sp.pi), (t, 0, 3), {known: e.subs(t, 0) for known, e in exact.items()},
                   [Periodic(u), Periodic(v)], fields=[u, v])  # fmt: skip
    assert max(LieSolver().solve(problem).error(exact).relative_l2.values()) < 1e-8


def test_what_is_not_resolved_is_told() -> None:
    """A start that the sides contradict by 1e-4 of its size: the status does not promise more than was reached."""
    with pytest.warns(ProblemWarning, match="disagree"):
        problem, exact = _oscillator(-6, 6, True)
    with pytest.warns(SolverWarning, match="not reached"):
        lie = LieSolver().solve(problem)
    assert lie.history["reached"] > 0.3 * max(lie.error(exact).relative_l2.values())


def test_gauss_points_in_time_are_exact_for_polynomials_and_stable() -> None:
    clock = Clock(1.0, 3.0, 5)
    assert clock.matrix @ clock.times**4 == pytest.approx((clock.times**5 - 1) / 5)
    stiff = clock.modes(np.array([1e9]), np.zeros(1), np.full((5, 1), -1e9))  # w' = -10⁹ w, w = 1 at the start
    assert abs(clock.integrated(stiff.T.real, np.ones(1))[0] @ np.ones(6)) <= 1 + 1e-6
