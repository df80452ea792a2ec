"""Observations with a stated sigma: single ones beyond it are named, healthy ones are left alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, RowBlock, diagnose
from influence.diagnosis.conflict import Structure, _left_aside
from influence.diagnosis.data_faults import missed_sigma
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from solvers import PINN, Fixed
from solvers.pinn.placement import Counts
from solvers.pinn.solution import PINNSolution

x = coordinates("x")
s = field("s", x)
k = sp.Symbol("k", positive=True)
SIGMA = 0.02


def decay(seed: int, shifts: dict[int, float]) -> PINNSolution:
    """An unknown rate of decay from 30 noisy values, some of them shifted by so many sigma."""
    places = Interval(x, 0, 2).sample(30, "sobol", 3, None)
    values = np.exp(-1.3 * places[:, 0]) + SIGMA * np.random.default_rng(seed).standard_normal(30)
    for index, shift in shifts.items():
        values[index] += shift * SIGMA
    problem = IBVP(
        s.diff(x) + k * s, Interval(x, 0, 2), boundary=[Dirichlet(s, 1, on="left")], unknowns={k: (0.5, 0.05, 4)},
        observations=[Observations(s, places, values, sigma=SIGMA, name="data")],
    )  # fmt: skip
    return PINN(
        MLP(width=10, depth=1), seed=0, steps=60, tolerance=0, points=Counts(60, 2, 0), resampler=Fixed(),
        constraints="soft", progress=False,
    ).solve(problem)  # fmt: skip


def test_a_wrong_value_is_named_though_a_large_sigma_gives_it_no_weight() -> None:
    solution = decay(0, {7: -8.0})
    report = diagnose(solution)
    finding = next((one for one in report.faults if one.name == "suspect data"), None)
    assert finding is not None, str(report)
    assert finding.ids == (int(solution.record.points.ids_of("data")[7]),)
    assert float(finding.evidence["largest residual (sigma)"]) > 6
    assert "equation contradicts data" not in report


def test_noise_of_the_stated_size_is_no_fault_though_one_value_stands_out_among_the_rest() -> None:
    report = diagnose(decay(0, {7: 3.2}))  # beyond what the median of the others says, within the stated sigma
    assert report.indicators.self_influence.outlying.any()
    assert report.healthy, str(report)
    assert not any("state sigma" in text for one in report.findings for text in one.advice)


def test_residuals_without_outlying_rows_are_those_of_a_fit_without_them() -> None:
    rng = np.random.default_rng(0)
    places = np.linspace(0, 1, 20)
    values = np.sin(places) + 0.1 * rng.standard_normal(20)
    block = RowBlock("data", np.column_stack([places, values]), lambda p, z: p[0] + p[1] * z[0] - z[1], 0.05)
    design = np.column_stack([np.ones(20), places])
    fit = np.linalg.lstsq(design, values, rcond=None)[0]
    influence = Influence.from_rows(torch.tensor(fit), [block])
    out = np.array([3, 11])
    rest = np.setdiff1d(np.arange(20), out)
    scaled, kept = _left_aside(influence, rest, out)
    again = np.linalg.lstsq(design[rest], values[rest], rcond=None)[0]
    assert scaled == pytest.approx(np.sqrt(0.1) * (design @ again - values)[rest], rel=1e-9)
    hat = design[rest] @ np.linalg.pinv(design[rest])
    assert kept == pytest.approx(np.eye(18) - hat, abs=1e-9)


def test_data_that_are_not_followed_are_named_where_their_sigma_says_so() -> None:
    def found(large: bool, unexplained: float) -> SimpleNamespace:
        one = Structure("data", 0.2, 1e-6, 0.05, large, 0.02)
        return SimpleNamespace(structures=[one], unexplained={"data": unexplained}, exam=SimpleNamespace(accuracy=0.01))

    (finding,) = missed_sigma(found(True, 0.08))
    assert finding.name == "data missed"
    assert finding.level == "fault"
    assert "0.05" in finding.words
    assert "0.02" in finding.words
    assert missed_sigma(found(False, 0.08)) == []
    assert missed_sigma(found(True, 0.001)) == []  # within the accuracy asked for
