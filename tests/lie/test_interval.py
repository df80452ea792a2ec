"""LieSolver on an interval: pinned numbers, boundary kinds, checkpoints, records, refusals."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, Robin, coordinates, field, load_solution
from sciml.errors import SolverError
from sciml.problems import heat, klein_gordon, wave
from solvers.lie import LieSolver

x, t = coordinates("x t")
u = field("u", x, t)


@pytest.mark.parametrize("make", [heat.sine, heat.sine_mix, heat.polynomial, heat.jump, wave.sine, klein_gordon.wave])
def test_library_to_ten_digits(make) -> None:
    case = make()
    lie = LieSolver().solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-10
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-6)


def test_every_atom_solves_the_equation() -> None:
    lie = LieSolver().solve(heat.jump().problem)
    points = np.random.default_rng(0).uniform([0.0, 0.01], [1.0, 0.1], (40, 2))
    for family in lie.families:
        jets = family.jets(points, [(0, (0, 1)), (0, (2, 0))])
        assert np.abs(jets[:, 0] - jets[:, 1]).max() <= 1e-9 * (1 + np.abs(jets).max())


def test_mixed_neumann_and_robin_with_drift() -> None:
    exact = sp.exp(-2 * t + x) * sp.cos(x) + 1
    operator = u.diff(t) - u.diff(x, 2) + 2 * u.diff(x)
    # e^{λt + x} cos x: λ = Re((1 + i)² - 2(1 + i)) = -2
    problem = IBVP(
        operator, Interval(x, 0, 1), (t, 0, 1), {u: exact.subs(t, 0)},
        [Neumann(u, -exact.diff(x).subs(x, 0), on="left"),
         Robin(u, 2, (exact.diff(x) + 2 * exact).subs(x, 1), on="right")],
    )  # fmt: skip
    lie = LieSolver(tol=1e-8).solve(problem)
    assert lie.error(exact).relative_l2["u"] < 1e-8


def test_telegraph_and_periodic() -> None:
    rate = sp.sqrt(sp.pi**2 - 1)
    exact = sp.exp(-t) * sp.sin(sp.pi * x) * sp.cos(rate * t)
    telegraph = u.diff(t, 2) + 2 * u.diff(t) - u.diff(x, 2)
    initial = {u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)}
    lie = LieSolver().solve(IBVP(telegraph, Interval(x, 0, 1), (t, 0, 1), initial, [Dirichlet(u, 0)]))
    assert lie.error(exact).relative_l2["u"] < 1e-10
    around = IBVP(u.diff(t) + 3 * u.diff(x) - u.diff(x, 2), Interval(x, 0, 2 * sp.pi), (t, 0, 1),
                  {u: sp.sin(2 * x)}, [Periodic(u)])  # fmt: skip
    assert LieSolver().solve(around).error(sp.exp(-4 * t) * sp.sin(2 * (x - 3 * t))).relative_l2["u"] < 1e-10


@pytest.mark.filterwarnings("ignore::sciml.errors.SolverWarning")  # x (1 - x) bends at the corners
@pytest.mark.parametrize("shape", [sp.sin(sp.pi * x), x * (1 - x)], ids=["mode", "parabola"])
def test_a_diffusivity_of_a_million_millions(shape) -> None:
    """Heat crosses the interval a million times: no symmetry, no image of a layer may take that many steps."""
    heat_equation = u.diff(t) - 10**12 * u.diff(x, 2)
    lie = LieSolver().solve(IBVP(heat_equation, Interval(x, 0, 1), (t, 0, 1), {u: shape}, [Dirichlet(u, 0)]))
    numbers = (1, 2, 3)
    weights = [2 * sp.integrate(shape * sp.sin(n * sp.pi * x), (x, 0, 1)) for n in numbers]
    terms = [
        w * sp.sin(n * sp.pi * 0.3) * sp.exp(-0.3 * (n * sp.pi) ** 2) for n, w in zip(numbers, weights, strict=True)
    ]
    reached = max(lie.history["reached"], 1e-12)  # the maximum principle carries the mismatch of the data inside
    assert reached < 1e-5
    assert float(lie(x=0.3, t=3e-13)) == pytest.approx(float(sum(terms)), rel=0, abs=reached)


def test_checkpoint_record_and_terms(tmp_path) -> None:
    lie = LieSolver().solve(heat.polynomial().problem)
    lie.save(tmp_path / "lie")
    points = [[0.3, 0.05], [0.9, 0.0]]
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))
    assert float(lie.record.loss()) < 1e-20
    assert any("∂_t" in name for term in lie.terms for name in term.generators)
    value = lie.expr.subs({x: sp.Float(0.3), t: sp.Float(0.05)}).evalf(30)
    assert float(value) == pytest.approx(0.269896428067932, rel=1e-9)


def test_refusals() -> None:
    with pytest.raises(SolverError, match="linear"):
        LieSolver().solve(klein_gordon.kink().problem)
    with pytest.raises(SolverError, match="tol"):
        LieSolver(tol=2.0)
