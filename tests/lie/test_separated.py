"""Equations whose coefficients depend on the place: modes from the ODE of the derived ∂_t."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, Robin, coordinates, field, load_solution
from sciml.problems import fokker_planck
from solvers.lie import LieSolver
from solvers.lie.separated.dictionary import SeparatedDictionary
from solvers.lie.separated.operator import Operator, read_separable
from solvers.lie.solver import _linear_forms
from solvers.lie.statement import Statement

x, t = coordinates("x t")
u = field("u", x, t)
AIRY = u.diff(t) - u.diff(x, 2) + x * u  # e^{t³/3 - xt} is a solution
MOVING = sp.exp(t**3 / 3 - x * t)


@pytest.mark.parametrize("make", [fokker_planck.ornstein_uhlenbeck, fokker_planck.bistable_drift])
def test_fokker_planck(make) -> None:
    case = make()
    lie = LieSolver().solve(case.problem)
    assert lie.error(case.reference).relative_l2["p"] < 1e-10
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-9)


def test_no_dictionary_is_written_for_this_equation(tmp_path) -> None:
    """All kinds of conditions on u_t = u_xx - x u, with data that move."""
    domain, start = Interval(x, 0, 1), {u: MOVING.subs(t, 0)}
    slope = MOVING.diff(x)
    for boundary in (
        [Dirichlet(u, MOVING)],
        [Neumann(u, -slope, on="left"), Dirichlet(u, MOVING, on="right")],
        [Dirichlet(u, MOVING, on="left"), Robin(u, 2, slope + 2 * MOVING, on="right")],
    ):
        lie = LieSolver().solve(IBVP(AIRY, domain, (t, 0, 1), start, boundary))
        assert lie.error(MOVING).relative_l2["u"] < 1e-10
    assert all("∂_t" in " ".join(term.generators) for term in lie.terms)
    lie.save(tmp_path / "lie")
    points = [[0.3, 0.05], [0.9, 0.7]]
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))


def test_modes_of_the_airy_equation() -> None:
    """λ = -(ζ) where Ai and Bi at the ends are dependent: v = Ai(x + λ)."""
    from scipy.special import airy

    problem = IBVP(AIRY, Interval(x, 0, 1), (t, 0, 1), {u: 0}, [Dirichlet(u, 0)])
    statement = Statement(problem, _linear_forms(problem))
    operator = Operator(read_separable(statement), x, (0.0, 1.0), 60)
    pairs = operator.eigenpairs(operator.ends([(1.0, 0.0), (1.0, 0.0)]), 8)
    for rate, _ in pairs:
        (a0, _, b0, _), (a1, _, b1, _) = airy(rate.real), airy(1 + rate.real)
        assert abs(a0 * b1 - a1 * b0) < 1e-9 * np.hypot(a0, b0) * np.hypot(a1, b1)
    assert [round(rate.real, 4) for rate, _ in pairs[:2]] == [-10.3685, -39.9787]


def test_wave_in_an_uneven_string() -> None:
    """c = 1 + x: in log(1 + x) the string is even."""
    stretched = sp.log(1 + x) / sp.log(2)
    exact = sp.sin(sp.pi * stretched) * sp.cos(sp.pi * t / sp.log(2))
    pde = u.diff(t, 2) - (1 + x) ** 2 * u.diff(x, 2) - (1 + x) * u.diff(x)
    problem = IBVP(pde, Interval(x, 0, 1), (t, 0, 1), {u: exact.subs(t, 0), u.diff(t): 0}, [Dirichlet(u, 0)])
    assert LieSolver().solve(problem).error(exact).relative_l2["u"] < 1e-11


def test_damping_that_varies_against_a_finer_dictionary_and_energy() -> None:
    problem = IBVP(u.diff(t, 2) + x * u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 1),
                   {u: sp.sin(sp.pi * x) ** 3, u.diff(t): 0}, [Dirichlet(u, 0)])  # fmt: skip
    lie = LieSolver(tol=1e-8).solve(problem)
    places, weights = np.polynomial.legendre.leggauss(40)
    places, weights = (places + 1) / 2, weights / 2

    def energy(time: float) -> float:
        points = np.column_stack([places, np.full(40, time)])
        return float(weights @ (lie.derivative(u.diff(t), points) ** 2 + lie.derivative(u.diff(x), points) ** 2)) / 2

    times, clock = np.polynomial.legendre.leggauss(30)
    lost = sum(0.5 * w * float(weights @ (places * lie.derivative(u.diff(t), np.column_stack(
        [places, np.full(40, (s + 1) / 2)])) ** 2)) for s, w in zip(times, clock, strict=True))  # fmt: skip
    assert energy(0.0) - energy(1.0) == pytest.approx(lost, rel=1e-6)
    assert lost > 0.1


def test_ring_with_varying_diffusion_keeps_its_mass() -> None:
    around = IBVP(u.diff(t) - ((2 + sp.sin(x)) * u.diff(x)).diff(x).doit(), Interval(x, 0, 2 * sp.pi), (t, 0, 1),
                  {u: sp.exp(sp.sin(x))}, [Periodic(u)])  # fmt: skip
    lie = LieSolver().solve(around)
    points = 2 * np.pi * np.arange(64) / 64
    means = [lie.evaluate(np.column_stack([points, np.full(64, time)])).mean() for time in (0.0, 0.5, 1.0)]
    assert means == pytest.approx([1.2660658777520084] * 3, rel=1e-9)  # I_0(1)


def test_atoms_are_verified_and_others_left_out() -> None:
    problem = fokker_planck.ornstein_uhlenbeck().problem
    statement = Statement(problem, _linear_forms(problem))
    families = SeparatedDictionary(statement, read_separable(statement)).build(24)
    points = np.random.default_rng(0).uniform([-6, 0], [6, 2], (50, 2))
    needed = [(0, (0, 1)), (0, (0, 0)), (0, (1, 0)), (0, (2, 0))]
    for family in families:
        rate, value, slope, bend = np.moveaxis(family.jets(points, needed), 1, 0)
        terms = [rate, -value, -points[:, :1] * slope, -bend / 2]
        assert np.abs(sum(terms)).max() < 1e-10 * max(np.abs(term).max() for term in terms)
        assert family.residuals.max() < 1e-8
