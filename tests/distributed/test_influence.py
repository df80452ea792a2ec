"""Influence on two processes: the scores of one."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import sympy as sp

from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.least_squares import ShardedMatrix
from solvers import PINN
from solvers.pinn import Counts
from tests.distributed.crews import on_processes

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
PLACES = np.random.default_rng(0).random((4, 2))


@pytest.fixture(scope="module")
def solution() -> Any:
    solver = PINN(MLP(width=4, depth=1), steps=40, points=Counts(70, 12, 12), constraints="soft", optimiser="lm")
    return solver.solve(HEAT)


def answers(solution: Any, solver: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        influence = Influence(solution, damping=1e-4, settle=False, solver=solver)
    spread = isinstance(influence.curvature.factor.rows, ShardedMatrix)
    ids = influence.ids[[0, 5, 80]]
    return {
        "spread": spread,
        "scores": influence.scores(u, PLACES).values,
        "reweighted": influence.scores(u, PLACES, action="reweight").values,
        "renormalised": influence.scores(u, PLACES, renormalise=True).values,
        "group": influence.group(ids, u, PLACES).values,
        "leverage": influence.leverage,
        "self": influence.self_influence,
        "term": influence.scores("pde").values,
        "refit": influence.refit(ids[:1]).theta.numpy(),
    }


@pytest.mark.parametrize("solver", ["auto", "svd"])
def test_scores_of_two_processes_are_those_of_one(solution: Any, solver: str) -> None:
    one, two = answers(solution, solver), on_processes(partial(_again, solution, solver))
    assert two.pop("spread")
    assert not one.pop("spread")
    for name, value in one.items():
        assert np.abs(two[name] - value).max() <= 1e-10 * np.abs(value).max(), name


def _again(solution: Any, solver: str) -> dict[str, Any]:
    solution.record = None  # made on one process
    return answers(solution, solver)
