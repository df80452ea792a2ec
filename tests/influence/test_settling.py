"""Settling: a network trained on points drawn anew is explained at the minimum beside it, and that is said."""

import re
import warnings

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverWarning
from solvers import PINN
from solvers.pinn.solution import PINNSolution

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(
    u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, sp.Rational(1, 2)),
    initial={u: sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)],
)  # fmt: skip
INSIDE = HEAT.domain.sample(20, "sobol", 3, (0.0, 0.5))


@pytest.fixture(scope="module")
def solution() -> PINNSolution:
    """Default training but for soft conditions: points are drawn anew until the end."""
    solver = PINN(MLP(width=7, depth=2), seed=0, steps=120, tolerance=0, constraints="soft", progress=False)
    made = solver.solve(HEAT)
    assert isinstance(made, PINNSolution)
    return made


def test_default_training_is_explained_without_a_warning(solution: PINNSolution) -> None:
    with pytest.warns(SolverWarning, match="not at a minimum"):
        left = Influence(solution, settle=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        influence = Influence(solution)
    start, theta, delta = solution.record.parameters, influence.record.parameters, influence.reliability.proximal
    assert left.reliability.unfinished > 0.1
    assert influence.reliability.stationary
    free = theta.clone().requires_grad_(True)
    objective = solution.record.loss(free) + 0.5 * delta * ((free - start) ** 2).sum()
    (slope,) = torch.autograd.grad(objective, free)
    assert float(slope.norm()) < 1e-4 * float(left.curvature.gradient.norm())
    assert torch.equal(left.record.parameters, start)  # the solution itself is left alone
    values = [influence.value(u, INSIDE, p) for p in (start, theta)]
    assert influence.scores(u, INSIDE).before == pytest.approx(values[1], rel=1e-12, abs=1e-14)
    (note,) = [line for line in influence.reliability.notes if "settled" in line]
    said = float(re.findall(r"up to (\S+) of their spread", note)[0])
    moved = np.abs(values[1] - values[0]).max() / np.ptp(values[0])
    assert moved / 5 < said < 50 * moved


@pytest.mark.parametrize("curvature", ["ggn", "hessian"])
def test_removals_are_those_of_the_settled_objective(solution: PINNSolution, curvature: str) -> None:
    # the truth does not know of settling: Newton's method on the objective anchored at the trained parameters
    influence = Influence(solution, curvature=curvature)
    agreement = influence.check(6, u, INSIDE, quiet=True)
    start, delta = solution.record.parameters, influence.reliability.proximal
    eye = torch.eye(len(start), dtype=torch.float64)
    for column, identity in enumerate(agreement.ids[-2:], start=len(agreement.ids) - 2):
        weights = solution.record.weights * torch.tensor(solution.record.rows.ids != identity)

        def objective(theta: torch.Tensor, weights: torch.Tensor = weights) -> torch.Tensor:
            anchored = 0.5 * delta * ((theta - start) ** 2).sum()
            return (weights * solution.record.rows.residual(theta) ** 2).sum() + anchored

        theta = start.clone()
        for _ in range(12):
            step = torch.linalg.solve(
                torch.func.hessian(objective)(theta) + 1e-12 * eye, torch.func.grad(objective)(theta)
            )
            theta = theta - step
        true = influence.value(u, INSIDE, theta) - influence.scores(u, INSIDE).before
        assert agreement.true[:, column] == pytest.approx(true, rel=1e-3, abs=1e-3 * np.abs(true).max())
    assert agreement.relative_error < (0.02 if curvature == "hessian" else 0.3)


def test_a_model_far_from_a_minimum_is_left_where_it_is_and_warned_of() -> None:
    solver = PINN(MLP(width=7, depth=2), seed=0, steps=5, tolerance=0, constraints="soft", progress=False)
    far = solver.solve(HEAT)
    with pytest.warns(SolverWarning, match="not at a minimum"):
        influence = Influence(far)
    assert torch.equal(influence.record.parameters, far.record.parameters)
    assert not influence.reliability.stationary
