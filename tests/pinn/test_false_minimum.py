"""Networks that are right at their points only: the held-out residual tells, and fresh points escape."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Interval, ProblemWarning, coordinates, field
from sciml.problems.cavity import lid
from solvers import PINN, Fixed
from solvers.pinn import Counts, PINNSolution

x = coordinates("x")
s = field("s", x)


def gap(solution: PINNSolution) -> float:
    return (solution.history["held out"][-1] / solution.history["loss"][-1]) ** 0.5


def test_a_layer_between_fixed_points_is_told_and_fresh_points_find_it() -> None:
    """s' = ε s'' with a layer of width ε at the right end: at ten places s = 0 fits exactly."""
    width = sp.Rational(1, 50)
    exact = (sp.exp((x - 1) / width) - sp.exp(-1 / width)) / (1 - sp.exp(-1 / width))
    problem = IBVP(
        sp.Eq(s.diff(x), width * s.diff(x, 2)), Interval(x, 0, 1),
        boundary=[Dirichlet(s, 0, on="left"), Dirichlet(s, 1, on="right")],
    )  # fmt: skip
    options: dict[str, Any] = {"steps": 150, "constraints": "soft", "progress": False, "tolerance": 1e-5}
    fixed = PINN(MLP(width=10, depth=1), resampler=Fixed(), points=Counts(10, 1, 0), **options).solve(problem)
    assert fixed.error(exact).relative_l2["s"] > 0.1
    assert fixed.history["loss"][-1] < 1e-6
    assert gap(fixed) > 100
    assert "times that on the training points, which do not resolve the solution" in fixed.status
    fresh = PINN(MLP(width=10, depth=1), **options).solve(problem)
    assert fresh.error(exact).relative_l2["s"] < 1e-2
    assert gap(fresh) < 10
    assert "do not resolve" not in fresh.status


@pytest.mark.slow
def test_cavity_on_fixed_points_and_on_fresh_ones() -> None:
    """Raw lid, Re 100: fixed points give a tiny loss and a wrong flow; the defaults do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the lid jumps at its corners, as it should here
        case = lid(100, "raw")
    options: dict[str, Any] = {"constraints": "soft", "steps": 1000, "seconds": 20, "progress": False}
    network, line = MLP(width=12, depth=2), np.linspace(0, 1, 101)
    known = case.numbers["min u on x = 1/2"]
    fixed = PINN(network, resampler=Fixed(), points=Counts(144, 48, 0), **options).solve(case.problem)
    assert fixed.history["loss"][-1] < 1e-3
    assert gap(fixed) > 100
    assert "do not resolve the solution" in fixed.status
    fresh = PINN(network, **options).solve(case.problem)
    assert gap(fresh) < 10
    wrong, right = (abs(made(x=0.5, y=line)["u"].min() / known - 1) for made in (fixed, fresh))
    assert right < 0.1 < wrong
