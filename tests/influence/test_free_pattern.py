"""The pattern that costs hardly any residual: a small residual near a resonance is not trusted."""

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, RowBlock, diagnose
from influence.diagnosis.exam import examine
from influence.diagnosis.free_pattern import free_pattern
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from solvers import PINN, Fixed
from solvers.pinn.placement import Counts

x = coordinates("x")
s = field("s", x)


def test_scatter_is_that_of_ordinary_least_squares() -> None:
    rng = np.random.default_rng(0)
    design, noise = rng.standard_normal((30, 3)) * [1.0, 1.0, 1e-3], 0.1 * rng.standard_normal(30)
    truth = np.array([1.0, -2.0, 0.5])
    data = design @ truth + noise
    theta = np.linalg.lstsq(design, data, rcond=None)[0]
    block = RowBlock("fit", np.column_stack([design, data]), lambda p, z: z[:3] @ p - z[3], 1 / 30)
    places = rng.standard_normal((40, 3))
    exam = examine(Influence.from_rows(torch.tensor(theta), [block]), lambda p, z: z @ p, places)
    found = free_pattern(exam)
    assert found is not None
    residual = design @ theta - data
    covariance = places @ np.linalg.inv(design.T @ design) @ places.T * np.mean(residual**2)
    values, vectors = np.linalg.eigh(covariance / exam.targets[0][2] ** 2)
    assert found.size == pytest.approx(np.sqrt(values[-1] / 40), rel=1e-5)
    assert found.following == pytest.approx(np.sqrt(values[-2] / 40), rel=1e-5)
    assert abs(found.pattern @ vectors[:, -1]) == pytest.approx(np.linalg.norm(found.pattern), rel=1e-6)
    assert found.alone  # the third parameter is held a thousand times less than the others


def oscillator(stiffness: sp.Rational, constraints: str) -> PINN:
    problem = IBVP(s.diff(x, 2) + stiffness * s - x, Interval(x, 0, 1), boundary=[Dirichlet(s, 0)])
    solver = PINN(
        MLP(width=10, depth=1), seed=0, steps=60, tolerance=0, points=Counts(100, 2, 0), resampler=Fixed(),
        constraints=constraints, progress=False,
    )  # fmt: skip
    return solver.solve(problem)


def test_resonance_is_called_nearly_singular() -> None:
    near = sp.Rational(9870591, 1000000)  # π² (1 + 1e-4)
    solution = oscillator(near, "soft")
    report = diagnose(solution)
    k = float(near) ** 0.5
    at = report.indicators.exam.at[:, 0]
    exact = at / k**2 - np.sin(k * at) / (k**2 * np.sin(k))
    assert np.abs(solution.evaluate(at[:, None])[:, 0] - exact).max() > 0.2 * np.ptp(exact)  # wrong, and yet
    assert max(report.indicators.unexplained.values()) < 0.01  # the residual is small
    assert "nearly singular" in report, str(report)
    assert report.estimated_error > 0.2
    mode = np.sin(np.pi * at)
    pattern = report.indicators.free.pattern
    assert abs(pattern @ mode) > 0.99 * np.linalg.norm(pattern) * np.linalg.norm(mode)
    assert "freest pattern" in report.html()


@pytest.mark.parametrize(("stiffness", "constraints"), [(sp.Integer(5), "soft"), (sp.Rational(9968, 1000), "hard")])
def test_away_from_a_resonance_or_resolved_there_it_is_not(stiffness: sp.Rational, constraints: str) -> None:
    report = diagnose(oscillator(stiffness, constraints))
    assert report.healthy, str(report)
    assert report.indicators.free.alone == (constraints == "hard")  # π² (1 + 0.01), solved to 1e-7
