"""Standard errors against closed forms, and against the scatter of estimates over draws of the noise."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
import sympy as sp
import torch
from numpy.polynomial import chebyshev

from influence import Influence, RowBlock
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.errors import SolverError, SolverWarning
from solvers import PINN, Fixed
from solvers.pinn import Counts

TRUE, NOISE = 1.5, 0.02
PLACES = np.linspace(0.05, 2, 40)
# s = exp(-kx), s(0) = 1, observed with noise: var k = σ²/Σ(∂s/∂k)² by the delta method
EXACT = NOISE / np.sqrt(np.sum((PLACES * np.exp(-TRUE * PLACES)) ** 2))


def draw(seed: int) -> np.ndarray:
    return np.exp(-TRUE * PLACES) + NOISE * np.random.default_rng(seed).standard_normal(len(PLACES))


def columns(*arrays: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.stack(arrays, axis=1))


@pytest.mark.parametrize("decay", [0.0, 0.3], ids=["plain", "decay"])
@pytest.mark.parametrize("damping", [0.0, 5.0])
def test_covariance_is_the_sandwich_of_what_was_minimised(decay: float, damping: float) -> None:
    rng = np.random.default_rng(0)
    A, y, w = rng.standard_normal((12, 4)), rng.standard_normal(12), rng.uniform(0.1, 2, 12) * 1e-6
    normal = 2 * A.T @ (w[:, None] * A) + decay * 1e-6 * np.eye(4)
    theta = np.linalg.solve(normal, 2 * A.T @ (w * y))
    block = [
        RowBlock(name, np.column_stack([A, y])[part], lambda p, z: z[:4] @ p - z[4], w[part])
        for name, part in (("first", slice(8)), ("second", slice(8, None)))
    ]
    influence = Influence.from_rows(theta, block, regularisation=decay * 1e-6, damping=damping)
    sigma = np.array([0.1] * 8 + [0.4] * 4)
    map_ = np.linalg.solve(normal, 2 * A.T * w)
    expected = np.sqrt(np.diag(map_ @ np.diag(sigma**2) @ map_.T))
    asked = [lambda p, k=k: p[k] for k in range(4)]
    given = {"first": 0.1, "second": 0.4}
    assert [influence.standard_error(q, noise=given)[0] for q in asked] == pytest.approx(expected, rel=1e-8)
    # one σ for each block from the residuals: E r_a'r_a = Σ_b |(I - H)_ab|² σ_b² for the hat matrix H of the data
    left = (np.eye(12) - A @ map_) ** 2
    parts = (slice(8), slice(8, None))
    table = [[left[a, b].sum() for b in parts] for a in parts]
    squares = np.linalg.solve(table, [((A @ theta - y)[a] ** 2).sum() for a in parts])
    assert (squares > 0).all()
    expected = np.sqrt(np.diag(map_ @ np.diag(np.repeat(squares, [8, 4])) @ map_.T))
    made = [influence.standard_error(q, noise=["first", "second"])[0] for q in asked]
    assert made == pytest.approx(expected, rel=1e-8)


def test_nonlinear_regression_is_the_delta_method() -> None:
    y, k = draw(0), TRUE
    for _ in range(30):
        model = np.exp(-k * PLACES)
        k += ((-PLACES * model) @ (y - model)) / ((PLACES * model) ** 2).sum()
    block = RowBlock("probe", columns(PLACES, y), lambda p, z: torch.exp(-p[0] * z[0]) - z[1], 1 / 40)
    influence = Influence.from_rows(torch.tensor([k]), [block])
    slope = np.sqrt(np.sum((PLACES * np.exp(-k * PLACES)) ** 2))
    spread = np.sqrt(np.sum((y - np.exp(-k * PLACES)) ** 2) / 39)
    assert influence.standard_error(lambda p: p[0])[0] == pytest.approx(spread / slope, rel=1e-9)
    # s(1) = exp(-k)
    assert influence.standard_error(lambda p: torch.exp(-p[0]), noise={"probe": NOISE})[0] == pytest.approx(
        NOISE / slope * np.exp(-k), rel=1e-9
    )


class Collocation:
    """s' = -ks, s(0) = 1 by a polynomial of degree 11 with collocation, k unknown; readings weigh W against 1."""

    def __init__(self, weight: float) -> None:
        nodes = 1 - np.cos(np.pi * (np.arange(20) + 0.5) / 20)
        self.weight, self.nodes = weight, nodes
        self.values = {name: chebyshev.chebvander(z - 1, 11) for name, z in (("ode", nodes), ("probe", PLACES))}
        derivative = np.stack([chebyshev.chebder(row) for row in np.eye(12)], axis=0)
        self.slopes = chebyshev.chebvander(nodes - 1, 10) @ derivative.T
        self.start = np.append(np.linalg.lstsq(self.values["probe"], np.exp(-TRUE * PLACES), rcond=None)[0], TRUE)
        self.first = chebyshev.chebvander(np.array([-1.0]), 11)

    def fit(self, y: np.ndarray) -> np.ndarray:
        """θ = (coefficients, k) by Gauss-Newton steps."""
        theta, root = self.start, np.sqrt(np.repeat([1 / 20, 1.0, self.weight / 40], [20, 1, 40]))
        for _ in range(25):
            c, k = theta[:12], theta[12]
            own = self.values["ode"]
            rows = np.block([
                [self.slopes + k * own, (own @ c)[:, None]],
                [self.first, np.zeros((1, 1))],
                [self.values["probe"], np.zeros((40, 1))],
            ])  # fmt: skip
            right = np.concatenate([(self.slopes + k * own) @ c, self.first @ c - 1, self.values["probe"] @ c - y])
            theta = theta - np.linalg.lstsq(root[:, None] * rows, root * right, rcond=None)[0]
        return theta

    def influence(self, theta: np.ndarray, y: np.ndarray) -> Influence:
        """With the automatic damping, which for readings of little weight is larger than their curvature."""
        blocks = [
            RowBlock("ode", np.hstack([self.slopes, self.values["ode"]]), self._ode, 1 / 20),
            RowBlock("start", self.first, lambda p, z: z @ p[:12] - 1),
            RowBlock("probe", np.column_stack([self.values["probe"], y]), self._probe, self.weight / 40),
        ]
        return Influence.from_rows(theta, blocks, damping=None)

    @staticmethod
    def _ode(p: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return z[:12] @ p[:12] + p[12] * (z[12:] @ p[:12])

    @staticmethod
    def _probe(p: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return z[:12] @ p[:12] - z[12]


def assert_calibrated(estimates: np.ndarray, errors: np.ndarray) -> None:
    """Scatter, coverage and bias, each within three of its own standard errors."""
    n = len(estimates)
    assert abs(np.log(estimates.std(ddof=1) / np.sqrt((errors**2).mean()))) < 3 / np.sqrt(2 * n)
    for bound, share in ((1.0, 0.683), (2.0, 0.954)):
        inside = (np.abs(estimates - TRUE) < bound * errors).mean()
        assert abs(inside - share) < 3 * np.sqrt(share * (1 - share) / n)
    assert abs(estimates.mean() - TRUE) < 3 * estimates.std() / np.sqrt(n)


@pytest.mark.parametrize("weight", [1e-4, 1.0, 1e4])
def test_scatter_and_coverage_whatever_the_data_weigh(weight: float) -> None:
    problem = Collocation(weight)
    estimates, errors = [], []
    for seed in range(50):
        theta = problem.fit(draw(seed))
        estimates.append(theta[12])
        errors.append(problem.influence(theta, draw(seed)).standard_error(lambda p: p[12], noise=["probe"])[0])
    assert_calibrated(np.array(estimates), np.array(errors))
    if weight <= 1:  # the equation holds but for nothing, and what is left is the regression
        assert np.mean(errors) == pytest.approx(EXACT, rel=0.1)
    else:  # an equation that gives way to the noise wastes data
        assert np.mean(errors) > 1.5 * EXACT


x = coordinates("x")
s = field("s", x)
K = sp.Symbol("k", real=True)


@functools.cache
def network(seed: int, weight: float, sigma: float | None = NOISE, steps: int = 60):
    problem = IBVP(
        sp.Eq(s.diff(x), -K * s), Interval(x, 0, 2), boundary=[Dirichlet(s, 1, on="left")],
        unknowns={K: (1.0, 0.1, 5.0)}, observations=[Observations(s, PLACES[:, None], draw(seed), sigma, "probe")],
    )  # fmt: skip
    solver = PINN(
        MLP(width=6, depth=1), steps=steps, tolerance=0, points=Counts(60, 1, 0), resampler=Fixed(), seed=0,
        weights={"probe": weight}, constraints="soft", progress=False,
    )  # fmt: skip
    return solver.solve(problem)


def test_network_with_readings_of_little_weight() -> None:
    solution = network(0, 1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SolverWarning)
        influence = Influence(solution)
        got = influence.standard_error(K)[0]
    assert got == pytest.approx(EXACT, rel=0.04)
    assert influence.standard_error(K, noise={"probe": 2 * NOISE})[0] == pytest.approx(2 * got)
    places = np.array([[0.5], [1.0], [2.0]])
    expected = EXACT * places[:, 0] * np.exp(-TRUE * places[:, 0])
    assert influence.standard_error(s, places) == pytest.approx(expected, rel=0.06)
    free = np.sqrt(np.sum((influence.curvature.residual / influence.curvature.root).numpy()[-40:] ** 2) / 39)
    assert influence.standard_error(K, noise=["probe"])[0] == pytest.approx(got * free / NOISE, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [1e-4, 1.0])
def test_scatter_and_coverage_of_networks(weight: float) -> None:
    fits = [network(seed, weight) for seed in range(40)]
    errors = np.array([Influence(fit).standard_error(K, noise=["probe"])[0] for fit in fits])
    assert_calibrated(np.array([fit.unknown_values()[K] for fit in fits]), errors)


def test_a_fit_on_its_way_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        influence = Influence(network(0, 1e-6, steps=40))
    with pytest.warns(SolverWarning, match="one more Gauss-Newton step would move it"):
        influence.standard_error(K)


def test_equations_that_are_met_worse_than_the_noise_are_warned_of() -> None:
    """One number, measured ten times, and an equation of great weight that says something else."""
    data = np.column_stack([np.zeros(10), np.linspace(-0.1, 0.1, 10)])
    for wrong, weight in ((0.0, 1.0), (3.0, 1e-3)):
        blocks = [
            RowBlock("law", np.array([[wrong]]), lambda p, z: p[0] - z[0], weight),
            RowBlock("y", data, lambda p, z: p[0] - z[1], 0.1),
        ]
        theta = torch.tensor([wrong * weight / (weight + 1)], dtype=torch.float64)
        influence = Influence.from_rows(theta, blocks)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SolverWarning)
            influence.standard_error(lambda p: p[0], noise={"y": 1e-3})
        assert [("are met only so far" in str(w.message)) for w in caught] == [True] * (wrong > 0)


def test_what_the_data_do_not_determine_is_warned_of() -> None:
    data = torch.tensor([[0.0, 1.0], [1.0, 2.5], [2.0, 2.9]], dtype=torch.float64)
    block = RowBlock("y", data, lambda p, z: p[0] + p[1] + p[2] * z[0] - z[1])
    influence = Influence.from_rows(torch.tensor([0.6, 0.583333333333, 0.95]).double(), [block], damping=1e-6)
    with pytest.warns(SolverWarning, match="not determined"):
        influence.standard_error(lambda p: p[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", SolverWarning)
        error = influence.standard_error(lambda p: p[2], noise={"y": 0.3})
    assert error[0] == pytest.approx(0.3 / np.sqrt(2), rel=1e-6)


def test_noise_must_be_known_or_estimable() -> None:
    y = draw(0)
    problem = Collocation(1.0)
    influence = problem.influence(problem.fit(y), y)
    with pytest.raises(SolverError, match=r'noise=\["probe"\]'):  # which of the three blocks was measured?
        influence.standard_error(lambda p: p[12])
    for wrong in (-1.0, np.inf):
        with pytest.raises(SolverError, match="finite σ"):
            influence.standard_error(lambda p: p[12], noise={"probe": wrong})
    with pytest.raises(SolverError, match="a term with rows"):
        influence.standard_error(lambda p: p[12], noise=["prob"])
    one = RowBlock("y", torch.tensor([[0.0, 1.0]]), lambda p, z: p[0] - z[1])
    with pytest.warns(SolverWarning, match="leverage of 1"):
        influence = Influence.from_rows(torch.tensor([1.0]).double(), [one])
    with pytest.raises(SolverError, match="more measurements than"):
        influence.standard_error(lambda p: p[0])
    two = RowBlock("y", torch.tensor([[0.0, 1.0], [0.0, 1.4]]), lambda p, z: p[0] - z[1])
    influence = Influence.from_rows(torch.tensor([1.2]).double(), [two], damping=1e-8, solver="iterative")
    with pytest.raises(SolverError, match="iterative solver"):
        influence.standard_error(lambda p: p[0], noise={"y": 0.1})
