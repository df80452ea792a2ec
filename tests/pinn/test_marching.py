"""Long times: slabs one after the other behave as one solution; causal weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    MLP,
    Condition,
    Dirichlet,
    Interval,
    Neumann,
    Observations,
    Periodic,
    Rectangle,
    coordinates,
    field,
    load_solution,
)
from sciml.errors import CheckpointError, PointsError, SolverError, SolverWarning
from solvers import PINN
from solvers.pinn import Checkpoint, Counts, MarchedSolution

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y, t)
EXACT = sp.exp(-(sp.pi**2) * t / 10) * sp.sin(sp.pi * x)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 10), Interval(x, 0, 1), (t, 1, 4), {u: EXACT.subs(t, 1)}, [Dirichlet(u, 0)])


def march(problem: IBVP, slabs: int = 3, callbacks: Any = (), resume: Any = None, **options: Any) -> MarchedSolution:
    settings = {"steps": 30, "tolerance": 0, "points": Counts(120, 30, 30), "progress": False, **options}
    solution = PINN(MLP(width=8, depth=1), slabs=slabs, **settings).solve(problem, callbacks, resume)
    assert isinstance(solution, MarchedSolution)
    return solution


@pytest.fixture(scope="module")
def heat() -> MarchedSolution:
    return march(HEAT)


def test_slabs_are_one_solution(heat: MarchedSolution) -> None:
    assert heat.error(EXACT).relative_l2["u"] < 1e-3
    assert heat.problem is HEAT
    assert [slab.problem.bounds[-1] for slab in heat.slabs] == [(1, 2), (2, 3), (3, 4)]
    values = heat(x=np.linspace(0, 1, 5)[:, None], t=np.array([1.0, 2.0, 2.5, 4.0]))
    assert values.shape == (5, 4)
    with pytest.raises(PointsError, match="inside the domain"):
        heat(x=0.5, t=4.1)


def test_data_hold_exactly_and_values_are_continuous_over_edges(heat: MarchedSolution) -> None:
    places = np.linspace(0, 1, 11)
    assert np.abs(heat(x=np.array([0.0, 1.0])[:, None], t=np.linspace(1, 4, 7))).max() < 1e-13
    for edge in (2.0, 3.0):
        before, after = (heat(x=places, t=edge + shift) for shift in (0.0, 1e-12))
        assert np.abs(after - before).max() < 1e-10
        slopes = [heat.derivative(u.diff(x, 2), np.column_stack([places, np.full(11, edge + s)])) for s in (0.0, 1e-12)]
        assert np.abs(slopes[1] - slopes[0]).max() < 1e-8  # the space derivatives of the data are carried, too


def test_derivatives_are_those_of_the_values(heat: MarchedSolution) -> None:
    places = np.column_stack([np.linspace(0.1, 0.9, 12), np.linspace(1.05, 3.95, 12)])
    step = 1e-4
    for expression, axis in ((u.diff(x), 0), (u.diff(t), 1)):
        shift = step * np.eye(2)[axis]
        difference = (heat.evaluate(places + shift) - heat.evaluate(places - shift))[:, 0] / (2 * step)
        assert np.allclose(heat.derivative(expression, places), difference, atol=1e-6)
    assert np.abs(heat.residual(places)).max() < 0.05


def test_saved_and_loaded_values_are_bitwise_equal(heat: MarchedSolution, tmp_path: Path) -> None:
    heat.save(tmp_path / "heat")
    loaded = load_solution(tmp_path / "heat", HEAT)
    places = np.column_stack([np.random.default_rng(0).random(50), np.linspace(1, 4, 50)])
    assert isinstance(loaded, MarchedSolution)
    assert np.array_equal(loaded.evaluate(places), heat.evaluate(places))
    assert np.array_equal(loaded.derivative(u.diff(x, 2), places), heat.derivative(u.diff(x, 2), places))
    assert torch.equal(loaded.record.parameters, heat.record.parameters)
    assert loaded.status == heat.status


def test_record_holds_all_slabs(heat: MarchedSolution) -> None:
    record = heat.record
    theta = record.parameters
    residual, jacobian = record.rows.jacobian(theta)
    assert torch.allclose(residual, record.rows.residual(theta), rtol=1e-12, atol=1e-14)
    parts = [slab.record for slab in heat.slabs]
    assert float(record.loss().detach()) == pytest.approx(sum(float(part.loss().detach()) for part in parts))
    direction = torch.randn(len(theta), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = 1e-6
    change = (record.rows.residual(theta + step * direction) - record.rows.residual(theta - step * direction)) / (
        2 * step
    )
    assert torch.allclose(change, jacobian @ direction, rtol=1e-5, atol=1e-7)
    assert len(np.unique(record.points.ids)) == sum(len(np.unique(part.points.ids)) for part in parts)
    for i, label in zip(record.rows.ids[::97], record.rows.labels[::97], strict=True):
        (place,) = record.points.locate([i])
        slab = int(label[5]) - 1
        low, high = heat.slabs[slab].problem.bounds[-1]
        assert low <= place[1] <= high
    places = torch.tensor([[0.3, 3.5], [0.2, 1.2], [0.7, 2.0], [0.4, 2.1]], dtype=torch.float64)
    assert record.quantity is not None
    values = record.quantity(theta, places, [(0, (0, 0)), (0, (1, 0))])
    assert np.allclose(values.detach().numpy(), heat.jets(places.numpy(), [(0, (0, 0)), (0, (1, 0))]))


def test_second_order_in_time_hands_on_value_and_velocity() -> None:
    exact = sp.cos(sp.pi * t) * sp.sin(sp.pi * x)
    problem = IBVP(
        sp.Eq(u.diff(t, 2), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 2),
        {u: sp.sin(sp.pi * x), u.diff(t): 0}, [Dirichlet(u, 0)],
    )  # fmt: skip
    solution = march(problem, slabs=2, steps=80)
    assert solution.error(exact).relative_l2["u"] < 5e-3
    places = np.column_stack([np.linspace(0, 1, 9), np.full(9, 1.0)])
    jump = solution.slabs[1].derivative(u.diff(t), places) - solution.slabs[0].derivative(u.diff(t), places)
    assert np.abs(jump).max() < 1e-10


@pytest.mark.parametrize("boundary", [[Neumann(u, 0)], [Periodic(u)]], ids=["Neumann", "periodic"])
def test_soft_conditions(boundary: list[Any]) -> None:
    exact = sp.exp(-4 * (sp.pi**2) * t / 20) * sp.cos(2 * sp.pi * x)
    problem = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 20), Interval(x, 0, 1), (t, 0, 1), {u: exact.subs(t, 0)}, boundary)
    assert march(problem, slabs=2, steps=60).error(exact).relative_l2["u"] < 1e-2


def test_soft_initial_data_are_handed_on_too() -> None:
    assert march(HEAT, slabs=2, constraints="soft").error(EXACT).relative_l2["u"] < 2e-2


def test_two_dimensions_and_a_nonlinear_equation() -> None:
    problem = IBVP(
        sp.Eq(w.diff(t) + w * w.diff(x), (w.diff(x, 2) + w.diff(y, 2)) / 5), Rectangle((x, 0, 1), (y, 0, 1)), (t, 0, 1),
        {w: sp.sin(sp.pi * x) * sp.sin(sp.pi * y)}, [Dirichlet(w, 0)],
    )  # fmt: skip
    whole = PINN(MLP(width=12, depth=1), steps=60, points=Counts(300, 0, 0), progress=False, tolerance=0).solve(problem)
    cut = march(problem, slabs=2, points=Counts(300, 0, 0), steps=40)
    assert cut.error(whole).relative_l2["w"] < 2e-2


def test_observations_and_places_go_to_their_slab() -> None:
    places = np.column_stack([np.full(6, 0.5), [1.0, 1.5, 2.0, 2.5, 3.0, 4.0]])
    values = np.exp(-(np.pi**2) * places[:, 1] / 10)
    problem = HEAT.replace(
        observations=[Observations(u, places, values, name="probe")],
        boundary=[Dirichlet(u, 0), Condition(u - EXACT, on={x: sp.Rational(1, 3), t: sp.Rational(5, 2)})],
    )
    solution = march(problem, steps=2)
    found = [slab.points.of("probe").coordinates[:, 1].tolist() if "probe" in slab.points.terms else []
             for slab in solution.slabs]  # fmt: skip
    assert found == [[1.0, 1.5, 2.0], [2.5, 3.0], [4.0]]
    assert [any("x=1/3" in name for name in slab.points.terms) for slab in solution.slabs] == [False, True, False]


def test_interrupted_marching_covers_the_slabs_that_were_reached() -> None:
    calls = {"n": 0}

    def interrupt(*_: Any) -> None:
        calls["n"] += 1
        if calls["n"] == 42:
            raise KeyboardInterrupt

    with pytest.warns(SolverWarning, match="covers times up to 3 only"):
        solution = march(HEAT, callbacks=[interrupt])
    assert len(solution.slabs) == 2
    assert "interrupted" in solution.status
    assert np.isfinite(solution(x=0.5, t=3.0))
    with pytest.raises(PointsError, match="inside"):
        solution(x=0.5, t=3.1)


def test_marching_is_resumed_bit_by_bit(heat: MarchedSolution, tmp_path: Path) -> None:
    calls = {"n": 0}

    def stop(*_: Any) -> bool:
        calls["n"] += 1
        return calls["n"] == 42

    keep = Checkpoint(tmp_path / "run", steps=10**6)
    with pytest.warns(SolverWarning, match="covers times up to 3 only"):
        march(HEAT, callbacks=[keep, stop])
    more = march(HEAT, resume=keep.found)
    assert torch.equal(more.record.parameters, heat.record.parameters)
    assert more.history["loss"] == heat.history["loss"]
    with pytest.raises(CheckpointError, match="slabs was 3 and is 4"):
        march(HEAT, slabs=4, resume=keep.found)


def test_slabs_that_no_file_can_hold_cost_the_checkpoint_only(tmp_path: Path) -> None:
    own = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double()
    solver = PINN(own, slabs=2, steps=3, points=Counts(50, 10, 10), progress=False)
    with pytest.warns(SolverWarning, match="no checkpoint could be written"):
        solution = solver.solve(HEAT, [Checkpoint(tmp_path / "run")])
    assert len(solution.slabs) == 2


def test_time_budget_is_shared_by_the_slabs() -> None:
    solution = march(HEAT, steps=10**6, seconds=1.5)
    assert len(solution.slabs) == 3
    assert all("budget" in slab.status for slab in solution.slabs)
    seconds = [max(s for s, k in zip(solution.history["seconds"], solution.history["slab"], strict=True) if k == number)
               for number in (1, 2, 3)]  # fmt: skip
    assert seconds[2] < 1.6
    assert seconds[0] < 0.75


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: PINN(MLP(), slabs=0), "whole number of slabs"),
        (lambda: PINN(MLP(), slabs=1.5), "whole number of slabs"),
        (lambda: march(IBVP(field("s", x).diff(x) - 1, Interval(x, 0, 1), boundary=[Dirichlet(field("s", x), 0,
                       on="left")])), "time and initial data"),
        (lambda: march(HEAT.replace(pde=sp.Eq(u.diff(t), sp.Symbol("k") * u.diff(x, 2)),
                       unknowns={sp.Symbol("k"): 0.1}, observations=[Observations(u, [[0.5, 2]], [0.1])])),
         "unknown k"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_refused(make: Any, match: str) -> None:
    with pytest.raises(SolverError, match=match):
        make()


def test_causal_weights_and_slabs_together() -> None:
    assert march(HEAT, slabs=2, weighting="causal", steps=60).error(EXACT).relative_l2["u"] < 1e-3
