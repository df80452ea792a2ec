"""PINN end to end: accuracy, repeatability, budgets, interruptions, bad input."""

from __future__ import annotations

import time

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    MLP,
    Condition,
    ConvergenceError,
    Dirichlet,
    Interval,
    Neumann,
    Observations,
    Periodic,
    Rectangle,
    Robin,
    SolverError,
    SolverWarning,
    coordinates,
    field,
    load_solution,
)
from solvers import PINN, Fixed
from solvers.pinn import Counts

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y)
s = field("s", x)
EXACT = sp.exp(-(sp.pi**2) * t / 4) * sp.sin(sp.pi * x)
HEAT = IBVP(
    pde=sp.Eq(u.diff(t), u.diff(x, 2) / 4),
    domain=Interval(x, 0, 1),
    time=(t, 0, 1),
    initial={u: sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)],
)


def small(**options: object) -> PINN:
    return PINN(MLP(width=10, depth=2), seed=0, progress=False, **{"steps": 60, **options})


@pytest.mark.parametrize("constraints", ["auto", "hard", "soft"])
def test_heat_equation(constraints: str) -> None:
    solution = small(constraints=constraints).solve(HEAT)
    assert solution.error(EXACT).relative_l2["u"] < 1e-4
    edge = solution(x=np.array([0.0, 1.0]), t=0.3)
    assert (np.abs(edge).max() < 1e-14) == (constraints != "soft")


def test_mixed_conditions_and_a_system_in_one_dimension() -> None:
    exact = sp.exp(-x) + x
    problem = IBVP(
        pde=sp.Eq(s.diff(x, 2) - s.diff(x), exact.diff(x, 2) - exact.diff(x)),
        domain=Interval(x, 0, 2),
        boundary=[
            Neumann(s, -exact.diff(x).subs(x, 0), on="left"),
            Robin(s, 2, (exact.diff(x) + 2 * exact).subs(x, 2), on="right"),
        ],
    )
    assert small().solve(problem).error(exact).relative_l2["s"] < 1e-6


def test_periodic_advection_diffusion() -> None:
    exact = sp.exp(-t / 10) * sp.sin(x - t)
    problem = IBVP(
        pde=sp.Eq(u.diff(t) + u.diff(x), u.diff(x, 2) / 10),
        domain=Interval(x, 0, 2 * sp.pi),
        time=(t, 0, 1),
        initial={u: sp.sin(x)},
        boundary=[Periodic(u)],
    )
    assert small().solve(problem).error(exact).relative_l2["u"] < 1e-4


def test_pressure_like_field_gets_a_gauge() -> None:
    problem = IBVP(
        pde=sp.Eq(w.diff(x, 2) + w.diff(y, 2), -2 * sp.pi**2 * sp.cos(sp.pi * x) * sp.cos(sp.pi * y)),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Neumann(w, 0)],
    )
    solution = small().solve(problem)
    assert solution.error(sp.cos(sp.pi * x) * sp.cos(sp.pi * y)).relative_l2["w"] < 1e-3
    assert solution.problem is problem
    assert "condition w" in " ".join(solution.points.terms)


def test_unknown_coefficient_is_found() -> None:
    kappa = sp.Symbol("kappa", real=True)
    places = np.random.default_rng(1).random((40, 2))
    values = np.exp(-(np.pi**2) * places[:, 1] / 4) * np.sin(np.pi * places[:, 0])
    problem = HEAT.replace(
        pde=sp.Eq(u.diff(t), kappa * u.diff(x, 2)),
        unknowns={kappa: (0.6, 0.01, 2.0)},
        observations=[Observations(u, places, values)],
    )
    solution = small().solve(problem)
    assert solution.unknown_values()[kappa] == pytest.approx(0.25, rel=1e-4)
    assert solution.record.parameters[-1] == pytest.approx(0.25, rel=1e-4)
    assert f"kappa = {solution.unknown_values()[kappa]:.6g}; " in repr(solution)


def test_second_order_in_time() -> None:
    exact = sp.cos(sp.pi * t) * sp.sin(sp.pi * x)
    problem = IBVP(
        pde=sp.Eq(u.diff(t, 2), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: sp.sin(sp.pi * x), u.diff(t): 0},
        boundary=[Dirichlet(u, 0)],
    )
    assert small().solve(problem).error(exact).relative_l2["u"] < 1e-3


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    places = np.random.default_rng(0).random((50, 2))
    first, second, third = (
        PINN(MLP(width=6, depth=1), seed=seed, steps=15, progress=False).solve(HEAT).evaluate(places)
        for seed in (4, 4, 5)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_global_random_state_is_left_alone() -> None:
    torch.manual_seed(11)
    np.random.seed(11)  # ruff: ignore[numpy-legacy-random]
    expected = torch.rand(1), np.random.rand()  # ruff: ignore[numpy-legacy-random]
    torch.manual_seed(11)
    np.random.seed(11)  # ruff: ignore[numpy-legacy-random]
    PINN(MLP(width=4, depth=1), steps=2, progress=False).solve(HEAT)
    assert (torch.rand(1), np.random.rand()) == expected  # ruff: ignore[numpy-legacy-random]


def test_record_is_the_objective_that_was_minimised() -> None:
    solution = small(resampler=Fixed(), steps=20).solve(HEAT)
    record = solution.record
    assert float(record.loss().detach()) == pytest.approx(solution.history["loss"][-1], rel=1e-9)
    residual, jacobian = record.rows.jacobian(record.parameters)
    assert torch.allclose(residual, record.rows.residual(record.parameters), rtol=1e-12, atol=1e-14)
    assert jacobian.shape == (len(record.weights), len(record.parameters))
    for name in record.points.terms:
        mine = record.rows.labels == name
        assert float(record.weights[torch.tensor(mine)].sum()) == pytest.approx(solution.scale.get(name, 0.0))


def test_budget_is_kept_and_history_recorded() -> None:
    start = time.process_time()
    solution = PINN(MLP(width=24, depth=2), seconds=2.0, tolerance=0, progress=False).solve(HEAT)
    used = time.process_time() - start
    assert used < 2.0 * 1.15 + 0.2  # plus what the solution object itself takes
    assert "budget" in solution.status
    assert solution.history["seconds"][-1] <= 2.1
    assert len(solution.history["held out"]) == len(solution.history["loss pde"])


def test_budget_of_nothing_returns_the_start() -> None:
    with pytest.warns(SolverWarning, match="not solved"):
        solution = small(seconds=0, steps=None).solve(HEAT)
    assert "budget" in solution.status
    assert np.isfinite(solution.evaluate([[0.5, 0.5]])).all()


def test_callbacks_see_every_step_and_can_stop() -> None:
    seen: list[tuple[int, float]] = []

    def stop_at_seven(step: int, total: int, values: dict) -> bool:
        seen.append((step, values["loss"]))
        return step == 7

    solution = small().solve(HEAT, [stop_at_seven])
    assert [step for step, _ in seen] == list(range(1, 8))
    assert "callback" in solution.status


def test_interrupt_returns_the_current_solution() -> None:
    def interrupt(step: int, total: int, values: dict) -> None:
        if step == 10:
            raise KeyboardInterrupt

    solution = small().solve(HEAT, [interrupt])
    assert "interrupted" in solution.status
    assert solution.error(EXACT).relative_l2["u"] < 0.5


def test_best_state_is_kept() -> None:
    solution = small(steps=30).solve(HEAT)
    assert f"{min(solution.history['held out']) ** 0.5:.1e}" in solution.status


def test_saved_and_loaded_values_are_bitwise_equal(tmp_path) -> None:
    solution = small(steps=10).solve(HEAT)
    solution.save(tmp_path / "heat")
    loaded = load_solution(tmp_path / "heat", HEAT)
    places = np.random.default_rng(0).random((100, 2))
    assert np.array_equal(loaded.evaluate(places), solution.evaluate(places))
    assert np.array_equal(loaded.derivative(u.diff(x), places), solution.derivative(u.diff(x), places))
    assert torch.equal(loaded.record.weights, solution.record.weights)
    assert loaded.points == solution.points


def test_an_own_module_is_trained_and_left_alone() -> None:
    class Own(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Linear(2, 12, dtype=torch.float64)
            self.b = torch.nn.Linear(12, 1, dtype=torch.float64)

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return self.b(torch.tanh(self.a(z)))

    torch.manual_seed(0)
    own = Own()
    before = own.a.weight.detach().clone()
    solution = PINN(own, steps=40, progress=False).solve(HEAT)
    assert solution.error(EXACT).relative_l2["u"] < 1e-3
    assert torch.equal(own.a.weight, before)


@pytest.mark.parametrize("optimiser", ["adam", "soap", "lbfgs", "ssbroyden", [("adam", 50), ("lbfgs", 100)]])
def test_every_optimiser_lowers_the_loss(optimiser) -> None:
    solution = PINN(
        MLP(width=8, depth=1), steps=300, optimiser=optimiser, points=Counts(100, 30, 30), progress=False
    ).solve(HEAT)
    history = solution.history["held out"]
    assert min(history) < 0.7 * history[0]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: PINN("network"), "torch module"),
        (lambda: PINN(MLP(), seconds=-1), "seconds >= 0"),
        (lambda: PINN(MLP(), constraints="exact"), "constraints"),
        (lambda: PINN(MLP(), steps=-1), "steps >= 0"),
        (lambda: PINN(MLP(), optimiser="newton", steps=1).solve(HEAT), "an optimiser: lm"),
        (lambda: PINN(MLP(), weights={"pdf": 1.0}, steps=1).solve(HEAT), "weights for"),
        (lambda: PINN(MLP(inputs=3, outputs=1), steps=1).solve(HEAT), "2 inputs and 1 outputs"),
        (lambda: PINN(torch.nn.Linear(3, 1, dtype=torch.float64), steps=1).solve(HEAT), "2 columns"),
        (lambda: PINN(torch.nn.Linear(2, 4, dtype=torch.float64), steps=1).solve(HEAT), r"\(n, 1\)"),
        (lambda: PINN(torch.nn.Linear(2, 1), steps=1).solve(HEAT), "float64"),
    ],
)
def test_bad_input_is_explained(make, match: str) -> None:
    with pytest.raises(SolverError, match=match):
        make()


def test_a_loss_that_is_never_finite_is_an_error() -> None:
    class Broken(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return self.a * z[:, :1] * float("nan")

    with pytest.raises(ConvergenceError, match="finite"):
        PINN(Broken(), steps=3, progress=False).solve(HEAT)


def test_a_condition_at_one_place_holds_at_all_times() -> None:
    """Heat with two insulated ends and the value given along a line in time."""
    exact = sp.exp(-(sp.pi**2) * t / 4) * sp.cos(sp.pi * x)
    problem = HEAT.replace(
        initial={u: sp.cos(sp.pi * x)},
        boundary=[Neumann(u, 0), Condition(u - exact.subs(x, 0), on={x: 0})],
    )
    points = small(steps=20).solve(problem).points
    line = points.of("condition u at x=0").coordinates
    assert len(np.unique(line[:, 1])) > 10
    assert (line[:, 0] == 0).all()
