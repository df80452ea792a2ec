"""Sizes are found where no data tell them, and a residual is judged by the terms of the solution that was found."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Condition, Dirichlet, Interval, Neumann, Observations, coordinates, field
from sciml.residuals import ResidualSystem, hard_constraint
from solvers import PINN
from solvers.pinn.binding import bound
from solvers.pinn.fitting import NOISE, Attempt, Fit
from solvers.pinn.monitor import Budget
from solvers.pinn.objective import Objective
from solvers.pinn.placement import Counts, draw
from solvers.pinn.settings import Settings
from solvers.pinn.training import TrainingState
from solvers.pinn.unknowns import UnknownMap
from solvers.pinn.weighting import weighting_for

x, t = coordinates("x t")
u, v, p = field("u", x), field("v", x, t), field("p", x)
LINE = Interval(x, 0, 1)
LARGE = 10**5
LOADED = IBVP(sp.Eq(u.diff(x, 2) - u**3 / LARGE**2, -LARGE * sp.pi**2 * sp.sin(sp.pi * x)), LINE,
              boundary=[Dirichlet(u, 0)])  # fmt: skip


def settings(**changes: object) -> Settings:
    arguments: dict = {
        "network": None, "seed": 0, "steps": None, "tolerance": 1e-7, "points": None, "resampler": None,
        "constraints": "auto", "weights": {}, "weighting": weighting_for(None), "optimiser": "auto", "progress": False,
    }  # fmt: skip
    return Settings(**{**arguments, **changes})


@pytest.mark.parametrize("hard", [True, False])
def test_a_large_source_tells_the_size_of_the_field(hard: bool) -> None:
    model = bound(MLP(8, 2), LOADED, hard_constraint(LOADED) if hard else None, 0)
    assert 0.1 <= float(model.scale[0]) / LARGE <= 10


def test_a_field_without_data_gets_the_size_that_its_equation_gives() -> None:
    problem = IBVP(
        [sp.Eq(u.diff(x, 2), p.diff(x) / 10**6), sp.Eq(p.diff(x, 2), 0)], LINE,
        boundary=[Dirichlet(u, 0, on="left"), Dirichlet(u, 1, on="right"), Neumann(p, 10**6, on="right"),
                  Condition(p, on={x: 0})],
    )  # fmt: skip
    assert 1e5 <= float(bound(MLP(8, 2), problem, None, 0).scale[problem.fields.index(p)]) <= 1e7


def test_sizes_that_data_tell_are_left_alone() -> None:
    problem = LOADED.replace(boundary=[Dirichlet(u, 0, on="left"), Dirichlet(u, 4, on="right")])
    assert float(bound(MLP(8, 2), problem, None, 0).scale[0]) == pytest.approx(2)
    quiet = IBVP(sp.Eq(u.diff(x, 2), u), LINE, boundary=[Dirichlet(u, 0)])
    assert float(bound(MLP(8, 2), quiet, None, 0).scale[0]) == pytest.approx(1)


def test_a_large_solution_is_found_by_the_network_alone() -> None:
    solution = PINN(MLP(8, 1), steps=60, tolerance=1e-6, progress=False).solve(LOADED.replace(pde=sp.Eq(
        u.diff(x, 2) - u**3 / LARGE**2,
        -LARGE * (sp.pi**2 * sp.sin(sp.pi * x) + sp.sin(sp.pi * x) ** 3),
    )))  # fmt: skip
    assert solution.error(LARGE * sp.sin(sp.pi * x)).relative_l2["u"] < 1e-4


def test_declared_noise_weighs_less_than_the_equations() -> None:
    places = np.random.default_rng(0).random((20, 2))
    problem = IBVP(
        v.diff(t) - v.diff(x, 2), LINE, time=(t, 0, 1), initial={v: sp.sin(sp.pi * x)}, boundary=[Dirichlet(v, 0)]
    )
    for sigma, wanted in ((0.1, NOISE / 0.01), (1e-7, None), (None, None)):
        seen = problem.replace(observations=[Observations(v, places, places[:, 0], sigma=sigma, name="seen")])
        scale = Fit(settings(), seen, Budget(None), ())._scale(seen, {"seen": 2.0, "pde": 1.0})
        assert scale["seen"] == pytest.approx(10 / 4 if wanted is None else wanted)


@pytest.mark.parametrize("inflated", [1.0, 50.0])
def test_a_residual_is_judged_by_the_terms_as_they_are(inflated: float) -> None:
    model = MLP(4, 1).bind([(0, 1)], 1, seed=0)
    problem = IBVP(sp.Eq(u.diff(x, 2), 1), LINE, boundary=[Dirichlet(u, 0)])
    constraint = hard_constraint(problem)
    assert constraint is not None
    points = draw(problem, constraint.satisfied, Counts(50, 0, 0), 0)
    system, unknowns = ResidualSystem(problem, constraint), UnknownMap(())
    made = Objective(system, model, unknowns, points, {"pde": 1 / inflated**2})
    start = made.start()
    state = TrainingState(start, points, start, points, best_held_out=made.evaluate(start, False).loss)
    part = Attempt(made, state, "").unsolved(settings())
    terms = system.rows(model, points, parameters=False).mean_squares()["pde"] ** 0.5
    assert part == pytest.approx(max(state.best_held_out**0.5, float(terms) / part_size(made)), rel=1e-9)
    assert part > 0.05


def part_size(made: Objective) -> float:
    """Size of the larger summand, u'' or 1."""
    with torch.no_grad():
        rows = made.system.rows(made.model, made.batch, parameters=False).terms[0]
    weight = torch.tensor(made.points.of("pde").weight)
    return max(1.0, float(((rows.values[:, 0] + 1) ** 2 @ weight) ** 0.5))


@pytest.mark.parametrize(
    ("reason", "told"), [("the held-out residual is below 1e-07", False), ("all steps done", True)]
)
def test_a_gap_is_told_where_the_tolerance_is_not_reached(reason: str, told: bool) -> None:
    state = TrainingState(torch.zeros(1), None, torch.zeros(1), None, best_held_out=1e-16)  # type: ignore[arg-type]
    for _ in range(2):
        state.history.append({"loss": 1e-20, "held out": 1e-16})
    status = Attempt(None, state, reason).status(Budget(None))  # type: ignore[arg-type]
    assert ("do not resolve" in status) is told
