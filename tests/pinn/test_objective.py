"""The objective of a network: loss, gradient and Jacobian belong together."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.residuals import ResidualSystem, hard_constraint
from solvers.pinn.objective import Objective
from solvers.pinn.placement import Counts, draw
from solvers.pinn.unknowns import UnknownMap

x, t = coordinates("x t")
u = field("u", x, t)
kappa = sp.Symbol("kappa", real=True)


def heat(**changes: object) -> IBVP:
    arguments: dict = {
        "pde": sp.Eq(u.diff(t), u.diff(x, 2)),
        "domain": Interval(x, 0, 1),
        "time": (t, 0, 1),
        "initial": {u: sp.sin(sp.pi * x)},
        "boundary": [Dirichlet(u, 0)],
    }
    return IBVP(**{**arguments, **changes})


def inverse() -> IBVP:
    points = np.random.default_rng(0).random((12, 2))
    values = np.exp(-points[:, 1]) * np.sin(np.pi * points[:, 0])
    return heat(
        pde=sp.Eq(u.diff(t), kappa * u.diff(x, 2)),
        unknowns={kappa: (0.5, 0.1, 3.0)},
        observations=[Observations(u, points, values)],
    )


def objective(problem: IBVP, hard: bool) -> Objective:
    constraint = hard_constraint(problem) if hard else None
    satisfied = constraint.satisfied if constraint else ()
    model = MLP(width=6, depth=2).bind(problem.bounds, 1, seed=1)
    points = draw(problem, satisfied, Counts(20, 8, 8), seed=0)
    scale = {term.name: 1.0 + i for i, term in enumerate(problem.terms)}
    return Objective(ResidualSystem(problem, constraint), model, UnknownMap(problem.unknowns.values()), points, scale)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("make", [heat, inverse])
def test_gradient_is_jacobian_times_residual_and_matches_differences(make, hard: bool) -> None:
    made = objective(make(), hard)
    generator = torch.Generator().manual_seed(0)
    theta = made.start() + 0.1 * torch.randn(len(made.start()), generator=generator, dtype=torch.float64)
    evaluation = made.evaluate(theta)
    rows = made.linearise(theta)
    assert float(rows.loss) == pytest.approx(evaluation.loss, rel=1e-13)
    assert torch.allclose(rows.gradient, evaluation.gradient, rtol=1e-10, atol=1e-12)
    direction = torch.randn(len(theta), generator=generator, dtype=torch.float64)
    step = 1e-5
    slope = (
        made.evaluate(theta + step * direction, False).loss - made.evaluate(theta - step * direction, False).loss
    ) / (2 * step)
    assert slope == pytest.approx(float(evaluation.gradient @ direction), rel=1e-7)


def test_parts_are_named_and_sum_to_the_loss() -> None:
    made = objective(inverse(), hard=False)
    evaluation = made.evaluate(made.start())
    assert set(evaluation.parts) == {"pde", "initial u", "dirichlet u", "observed u(x, t)"}
    assert sum(evaluation.parts.values()) == pytest.approx(evaluation.loss)


def test_worst_names_the_component_and_the_point() -> None:
    made = objective(heat(), hard=False)
    name, place = made.worst(made.start())
    rows = made.rows(made.start())
    weighted = torch.sqrt(made.weights_of(rows)) * rows.flat().abs()
    assert name == rows.labels[int(weighted.argmax())]
    assert np.array_equal(place, made.points.locate([rows.ids[int(weighted.argmax())]])[0])
