"""What is wrong is said: settings, networks, faces, and numbers that stop being finite in the middle of a training."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor

from sciml import IBVP, MLP, Condition, Dirichlet, Interval, Rectangle, coordinates, field
from sciml.errors import ConvergenceError, ProblemError, SolverError, SolverWarning
from solvers import PINN, RandomResample
from solvers.pinn import Checkpoint, Counts

x, y, t = coordinates("x y t")
u, s, w = field("u", x, t), field("s", x), field("w", x, y)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
SINE = IBVP(sp.Eq(s.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(s, 0)])


def dense(inputs: int, activation: torch.nn.Module, outputs: int = 1) -> torch.nn.Module:
    layers = torch.nn.Linear(inputs, 6), activation, torch.nn.Linear(6, outputs)
    return torch.nn.Sequential(*layers).double()


@pytest.mark.parametrize("activation", [torch.nn.ReLU(), torch.nn.LeakyReLU(), torch.nn.Identity()], ids=str)
def test_a_network_without_second_derivatives_is_refused(activation: torch.nn.Module) -> None:
    with pytest.raises(SolverError, match=r"Derivative\(s\(x\), \(x, 2\)\)[\s\S]*vanish everywhere"):
        PINN(dense(1, activation), steps=2, progress=False).solve(SINE)
    first = IBVP(sp.Eq(s.diff(x), 1), Interval(x, 0, 1), boundary=[Dirichlet(s, 0, on="left")])
    assert PINN(dense(1, activation), steps=2, progress=False).solve(first).status  # first derivatives it has


def test_a_smooth_module_that_begins_as_zero_is_welcome() -> None:
    network = dense(1, torch.nn.Tanh())
    with torch.no_grad():
        network[2].weight.zero_()
    assert PINN(network, steps=30, progress=False).solve(SINE).error(sp.sin(x)).relative_l2["s"] < 1e-2


@pytest.mark.parametrize("order", [4, 6])
def test_high_orders_are_solved_rather_than_refused(order: int) -> None:
    exact = sp.sin(x)
    ends = [Condition(s.diff(x, k) - exact.diff(x, k)) for k in range(1, order // 2)]
    equation = sp.Eq(s.diff(x, order) + s, exact.diff(x, order) + exact)
    problem = IBVP(equation, Interval(x, 0, 1), boundary=[Dirichlet(s, exact), *ends])
    solution = PINN(MLP(width=6, depth=1), steps=20, progress=False).solve(problem)
    assert solution.error(exact).relative_l2["s"] < 1e-3


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: PINN(MLP(inputs=3, outputs=1)).solve(HEAT), "2 inputs and 1 outputs"),
        (lambda: PINN(dense(3, torch.nn.Tanh())).solve(HEAT), r"2 columns \(x, t\)"),
        (lambda: PINN(dense(2, torch.nn.Tanh(), 2)).solve(HEAT), r"shape \(n, 1\)"),
        (lambda: PINN(dense(2, torch.nn.Tanh()).float()).solve(HEAT), "float64"),
        (lambda: PINN(MLP), "torch module"),
        (lambda: PINN(MLP(), tolerance=float("nan")), "tolerance >= 0"),
        (lambda: PINN(MLP(), tolerance=-1), "tolerance >= 0"),
        (lambda: PINN(MLP(), steps=2.5), "whole number of steps"),
        (lambda: PINN(MLP(), steps=True), "whole number of steps"),
        (lambda: PINN(MLP(), seed=-1), "seed"),
        (lambda: PINN(MLP(), weights={"pde": float("nan")}), "finite weights"),
        (lambda: PINN(MLP(), weights={"pde": -1.0}), "finite weights"),
        (lambda: PINN(MLP(), weights={"pdf": 1.0}).solve(HEAT), "weights for"),
        (lambda: PINN(MLP(), seconds=float("nan")), "seconds >= 0"),
        (lambda: PINN(MLP(), constraints="firm"), "constraints"),
        (lambda: PINN(MLP(), optimiser="newton").solve(HEAT), "an optimiser: "),
    ],
)
def test_bad_settings_are_explained(make: Any, match: str) -> None:
    with pytest.raises(SolverError, match=match):
        make()


def test_a_face_that_the_geometry_lacks_is_named() -> None:
    with pytest.raises(ProblemError, match=r"unknown face 'lid'; the domain has left, right, bottom, top"):
        IBVP(w.diff(x, 2) + w.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 1)),
             boundary=[Dirichlet(w, 0), Dirichlet(w, 1, on="lid")])  # fmt: skip


@pytest.mark.parametrize("seconds", [0, 0.0, 1e-9])
def test_no_time_returns_the_start(seconds: float) -> None:
    with pytest.warns(SolverWarning, match="not solved"):
        solution = PINN(MLP(width=4, depth=1), seconds=seconds, progress=False).solve(HEAT)
    assert "the time budget is spent" in solution.status
    assert "after 0 steps" in solution.status
    assert np.isfinite(solution.evaluate([[0.5, 0.5]])).all()


# 40 half waves are far beyond four tanh
WAVES = IBVP(sp.Eq(s.diff(x, 2), -sp.sin(40 * x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(s, 0)])


@pytest.mark.parametrize("weights", [None, {"pde": 1e-9}], ids=["own", "given"])
def test_an_equation_that_stays_unsolved_is_a_warning(weights: dict[str, float] | None) -> None:
    solver = PINN(MLP(width=4, depth=1), points=Counts(200, 2, 0), weights=weights, progress=False)
    with pytest.warns(SolverWarning, match="the problem is not solved"):
        solver.solve(WAVES)


def test_an_unsolved_slab_is_a_warning() -> None:
    with pytest.warns(SolverWarning, match="in the worst slab the problem is not solved"):
        PINN(MLP(width=4, depth=1), slabs=2, seconds=0, progress=False).solve(HEAT)


def test_no_warning_where_steps_or_the_tolerance_are_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PINN(MLP(width=4, depth=1), steps=2, progress=False).solve(WAVES)
        PINN(MLP(width=4, depth=1), tolerance=10.0, progress=False).solve(WAVES)
        PINN(MLP(width=8, depth=1), tolerance=1e-3, weights={"pde": 1e6}, seconds=5, progress=False).solve(SINE)


class Bomb(torch.nn.Module):
    """A network that gives NaN to the right of a place once it has been called often enough."""

    def __init__(self, calls: int, place: float = 0.8) -> None:
        super().__init__()
        self.inner, self.left, self.place = dense(2, torch.nn.Tanh()), calls, place
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.inner.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2)

    def forward(self, z: Tensor) -> Tensor:
        value = self.inner(z)
        self.left -= 1
        return value * torch.where((z[:, :1] > self.place) & torch.tensor(self.left < 0), torch.nan, 1.0)


@pytest.mark.parametrize("optimiser", ["lm", "adam", "lbfgs", "ssbroyden", "soap"])
def test_nan_in_the_middle_stops_names_the_term_and_places_and_keeps_the_last_good_state(
    optimiser: str, tmp_path: Any
) -> None:
    solver = PINN(Bomb(260), steps=200, optimiser=optimiser, progress=False, points=Counts(80, 10, 10), tolerance=0,
                  constraints="soft", resampler=RandomResample(every=5))  # fmt: skip
    with pytest.warns(SolverWarning, match="not finite") as caught:
        solution = solver.solve(HEAT, [Checkpoint(tmp_path / "run", steps=50)])
    (text,) = [str(w.message) for w in caught if "not finite" in str(w.message)]
    assert "term 'pde'" in text
    assert "term 'initial u'" in text
    assert "the last good state is returned" in text
    places = [float(part.split("=")[1].split(",")[0]) for part in text.split() if part.startswith("x=")]
    assert places
    assert all(0.8 <= place <= 1 for place in places)
    assert "not finite" in solution.status
    solution.model.left = 10**9  # the fault is gone: the state itself is good
    assert np.isfinite(solution.evaluate(np.random.default_rng(0).random((50, 2)))).all()
    assert np.nanmin(solution.history["held out"]) < solution.history["held out"][0]
    assert torch.isfinite(solution.record.parameters).all()


def test_nan_from_the_start_is_an_error() -> None:
    with pytest.raises(ConvergenceError, match=r"finite loss at the start[\s\S]*term 'pde' at x=0\.\d+"):
        PINN(Bomb(0), steps=3, progress=False).solve(HEAT)


def test_a_residual_whose_derivative_is_not_finite_is_found() -> None:
    """sqrt(u - u) has the value 0 and an infinite slope: every residual is finite, no gradient is."""
    problem = IBVP(sp.Eq(s.diff(x) + sp.sqrt(s.diff(x, 2)), 1), Interval(x, 0, 1), boundary=[Dirichlet(s, x)])

    class Line(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Parameter(torch.tensor([1.0, 0.0], dtype=torch.float64))

        def forward(self, z: Tensor) -> Tensor:
            return self.a[0] * z + self.a[1] * z**2

    with pytest.warns(SolverWarning, match=r"derivative of term 'pde' at x="):
        PINN(Line(), steps=3, progress=False, constraints="soft").solve(problem)


def test_a_sampler_that_fails_late_costs_nothing() -> None:
    class Failing(RandomResample):
        def resample(self, problem: IBVP, model: Any, points: Any) -> Any:
            raise MemoryError("no room for candidates")

    solver = PINN(MLP(width=6, depth=1), steps=40, resampler=Failing(every=12), progress=False)
    with pytest.warns(SolverWarning, match="MemoryError: no room for candidates; the last good state is returned"):
        solution = solver.solve(HEAT)
    assert solution.history["held out"][-1] < solution.history["held out"][0]
    early = PINN(MLP(width=6, depth=1), steps=40, resampler=Failing(every=12), optimiser=_Broken(), progress=False)
    with pytest.raises(ZeroDivisionError):  # before anything could be lost, a fault of the user's own shows itself
        early.solve(HEAT)


class _Broken:
    name = "broken"

    def step(self, objective: Any, theta: Tensor) -> Any:
        raise ZeroDivisionError

    def moved(self) -> None: ...

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: dict[str, Any]) -> None: ...
