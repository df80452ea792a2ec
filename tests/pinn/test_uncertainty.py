"""Standard deviations of a trained network: closed forms, coverage, ensembles, bounds of unknown coefficients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field, load_solution
from sciml.errors import PointsError, ProblemError, SolverError
from solvers import PINN
from solvers.pinn import Counts, Ensemble
from solvers.pinn.uncertainty import quantity_gradient

x = coordinates("x")
s = field("s", x)
k, b = sp.symbols("k b", real=True)
PLACES = np.linspace(0.05, 2, 40)[:, None]
TRUE, NOISE = 1.5, 0.02
# s = exp(-kx) observed with noise: var(k) = σ²/Σ(ds/dk)² by linear regression
EXACT_STD = NOISE / np.sqrt(np.sum((PLACES * np.exp(-TRUE * PLACES)) ** 2))


def decay(seed: int, sigma: float | None = NOISE, **changes: Any) -> IBVP:
    values = np.exp(-TRUE * PLACES[:, 0]) + NOISE * np.random.default_rng(seed).standard_normal(len(PLACES))
    arguments = {
        "pde": sp.Eq(s.diff(x), -k * s),
        "domain": Interval(x, 0, 2),
        "boundary": [Dirichlet(s, 1, on="left")],
        "unknowns": {k: (1.0, 0.1, 5.0)},
        "observations": [Observations(s, PLACES, values, sigma, "probe")],
    }
    return IBVP(**{**arguments, **changes})


def solver(**options: Any) -> PINN:
    return PINN(MLP(width=6, depth=1), **{"steps": 30, "points": Counts(60, 1, 0), "progress": False, **options})


def test_std_of_a_coefficient_and_a_field_is_that_of_the_regression() -> None:
    solution = solver().solve(decay(0))
    assert solution.std(k)[0] == pytest.approx(EXACT_STD, rel=0.15)
    places = np.array([[0.5], [1.0], [2.0]])
    expected = EXACT_STD * places[:, 0] * np.exp(-TRUE * places[:, 0])
    assert solution.std(s, places) == pytest.approx(expected, rel=0.25)
    assert solution.std(s, [[0.0]])[0] < 1e-12  # the value there is given
    assert solution.std(2 * k + 1)[0] == pytest.approx(2 * solution.std(k)[0])
    assert solution.std(k, noise={"probe": 2 * NOISE})[0] == pytest.approx(2 * EXACT_STD, rel=0.3)


def test_noise_is_estimated_where_it_is_not_given() -> None:
    stds = [solver().solve(decay(seed, sigma=None)).std(k)[0] for seed in range(3)]
    assert np.mean(stds) == pytest.approx(EXACT_STD, rel=0.25)


def coverage(seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Errors in standard deviations: of k and of s(1)."""
    rows = []
    for seed in seeds:
        solution = solver(seed=seed).solve(decay(100 + seed))
        off = float(solution(x=1.0)) - np.exp(-TRUE)
        rows.append([(solution.unknown_values()[k] - TRUE) / solution.std(k)[0], off / solution.std(s, [[1.0]])[0]])
    return tuple(np.array(rows).T)


def assert_calibrated(z: np.ndarray) -> None:
    """Shares within one and two deviations, and the spread, within three standard errors of a normal sample."""
    for bound, share in ((1.0, 0.683), (2.0, 0.954)):
        assert abs((np.abs(z) < bound).mean() - share) < 3 * np.sqrt(share * (1 - share) / len(z))
    assert abs(np.log(z.std())) < 3 / np.sqrt(2 * len(z))


def test_coverage_over_noise() -> None:
    for z in coverage(range(10)):
        assert_calibrated(z)


@pytest.mark.slow
def test_coverage_over_much_noise() -> None:
    for z in coverage(range(100)):
        assert_calibrated(z)


def test_gradient_of_a_quantity_matches_differences() -> None:
    problem = decay(0)
    solution = solver(steps=5).solve(problem)
    record, places = solution.record, np.array([[0.3], [1.7]])
    expression = k * s**2 + s.diff(x, 2) * x
    gradient = quantity_gradient(problem, record, expression, places)
    direction = torch.randn(gradient.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def value(theta: torch.Tensor) -> np.ndarray:
        jets = record.quantity(theta, torch.tensor(places), [(0, (0,)), (0, (2,))]).detach().numpy()
        return float(theta[-1]) * jets[:, 0] ** 2 + jets[:, 1] * places[:, 0]

    step = 1e-6
    theta = record.parameters
    difference = (value(theta + step * direction) - value(theta - step * direction)) / (2 * step)
    assert np.allclose((gradient @ direction).numpy(), difference, rtol=1e-6)
    assert np.abs(gradient[:, -1].numpy()).max() > 0.01


def test_a_forward_problem_has_the_uncertainty_of_its_residual() -> None:
    problem = IBVP(sp.Eq(s.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(s, 0)])
    rough, fine = (solver(steps=steps).solve(problem) for steps in (4, 40))
    places = np.linspace(0.3, 2.8, 7)[:, None]
    error = np.abs(rough.evaluate(places)[:, 0] - np.sin(places[:, 0])).max()
    assert 0.1 * error < rough.std(s, places).max() < 10 * error
    assert fine.std(s, places).max() < 0.01 * rough.std(s, places).max()


def test_ensemble_spread_is_that_of_the_noise(tmp_path: Path) -> None:
    problem = decay(3)
    solution = Ensemble(solver(), members=8).solve(problem)
    # the spread of 8 draws is known to a quarter
    assert solution.std(k)[0] == pytest.approx(EXACT_STD, rel=0.75)
    estimates = [member.unknown_values()[k] for member in solution.members]
    assert solution.unknown_values()[k] == pytest.approx(np.mean(estimates))
    assert abs(solution.unknown_values()[k] - TRUE) < 3 * EXACT_STD
    places = np.array([[0.4], [1.3]])
    assert np.allclose(solution.evaluate(places), np.mean([m.evaluate(places) for m in solution.members], axis=0))
    solution.save(tmp_path / "all")
    loaded = load_solution(tmp_path / "all", problem)
    assert np.array_equal(loaded.evaluate(places), solution.evaluate(places))
    assert np.array_equal(loaded.std(s, places), solution.std(s, places))


def test_ensemble_shares_the_time_and_differs_by_seed() -> None:
    problem = IBVP(sp.Eq(s.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(s, 0)])
    solution = Ensemble(solver(seconds=0.6, steps=10**6, tolerance=0), members=3).solve(problem)
    assert all(member.history["seconds"][-1] < 0.3 for member in solution.members)
    assert (solution.std(s, [[1.0], [2.0]]) > 0).all()


@pytest.mark.parametrize(
    ("bounds", "truth"),
    [((1.0, 0.1, 5.0), 1.5), (1.0, 1.5), ((1.0, 0.5, None), 1.5), ((-1.0, None, 3.0), 1.5), ((0.5, -1.0, 4.0), 1.5)],
    ids=["both", "free", "below", "above", "sign"],
)
def test_coefficients_are_found_within_their_bounds(bounds: Any, truth: float) -> None:
    values = np.exp(-truth * PLACES[:, 0])
    problem = decay(0, unknowns={k: bounds}, observations=[Observations(s, PLACES, values, name="probe")])
    solution = solver(steps=60).solve(problem)
    assert solution.unknown_values()[k] == pytest.approx(truth, rel=1e-4)


def test_a_truth_outside_the_bounds_ends_at_the_bound() -> None:
    values = np.exp(-TRUE * PLACES[:, 0])
    problem = decay(0, unknowns={k: (0.8, 0.5, 1.2)}, observations=[Observations(s, PLACES, values, name="probe")])
    found = solver(steps=60).solve(problem).unknown_values()[k]
    assert 0.5 <= found <= 1.2
    assert found > 1.19


def test_two_coefficients_at_once_with_their_correlation() -> None:
    """s' = -ks + b: deviations against the regression with two parameters."""
    truth = {k: 1.5, b: 0.6}
    exact = sp.exp(-k * x) * (1 - b / k) + b / k
    places = np.linspace(0.05, 3, 60)
    slopes = np.stack([sp.lambdify(x, exact.diff(c).subs(truth))(places) for c in (k, b)], axis=1)
    expected = NOISE * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    values = sp.lambdify(x, exact.subs(truth))(places) + NOISE * np.random.default_rng(0).standard_normal(60)
    problem = decay(
        0, pde=sp.Eq(s.diff(x), -k * s + b), domain=Interval(x, 0, 3), unknowns={k: (1.0, 0.1, 5.0), b: 0.3},
        observations=[Observations(s, places[:, None], values, NOISE)],
    )  # fmt: skip
    solution = solver(steps=40).solve(problem)
    found = solution.unknown_values()
    for symbol, deviation in zip((k, b), expected, strict=True):
        assert solution.std(symbol)[0] == pytest.approx(deviation, rel=0.3)
        assert abs(found[symbol] - truth[symbol]) < 3 * deviation


def test_what_cannot_be_asked_is_explained() -> None:
    solution = solver(steps=2).solve(decay(0))
    with pytest.raises(ProblemError, match="parameters of the problem"):
        solution.std(sp.Symbol("q"))
    with pytest.raises(PointsError, match="inside"):
        solution.std(s, [[3.0]])
    with pytest.raises(SolverError, match="names of observations"):
        solution.std(s, [[1.0]], noise={"prob": 0.1})
    with pytest.raises(SolverError, match="positive"):
        solution.std(s, [[1.0]], noise={"probe": 0.0})
    with pytest.raises(SolverError, match="two or more members"):
        Ensemble(solver(), members=1)
