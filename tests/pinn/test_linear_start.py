"""The ladder of `PINN()`: random features that suit the problem first, a trained network where they do not do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError, SolverWarning
from sciml.least_squares import orthogonal_solution
from sciml.networks import RandomFeatures
from solvers import PINN
from solvers.pinn import Checkpoint, fitting, plans
from solvers.pinn.linear_start import suitable_features
from solvers.pinn.plans import Plan, next_plan, unpacked

x, y, t = coordinates("x y t")
plane, line = field("u", x, y), field("u", x)
CHOSEN = RandomFeatures(300, "sin", [4.0, 2.0])


@dataclass
class Ended:
    residual: float
    hopeless: bool = False


def following(done: list[tuple[Plan, Ended]], network: Any = None, constraints: int = 2, linear: bool = True) -> Any:
    return next_plan(done, network, "auto", constraints, 1, 1e-7, linear, lambda number: CHOSEN)


def test_features_of_both_constraints_then_more_then_a_network() -> None:
    done: list[tuple[Plan, Ended]] = []
    # constraint 1 is better; 800 features pay, 1600 do not
    for residual in (1e-2, 1e-3, 1e-4, 9e-5):
        done.append((following(done), Ended(residual)))
    assert [(plan.network.width, plan.constraint, plan.optimiser) for plan, _ in done] == [
        (400, 0, "gauss-newton"), (400, 1, "gauss-newton"), (800, 1, "gauss-newton"), (1600, 1, "gauss-newton"),
    ]  # fmt: skip
    assert all((plan.network.activation, plan.network.spread) == ("sin", [4.0, 2.0]) for plan, _ in done)
    last = following(done)
    assert isinstance(last.network, MLP)
    assert not isinstance(last.network, RandomFeatures)
    assert (last.constraint, last.optimiser) == (1, "auto")
    assert following([*done, (last, Ended(1e-3))]) is None
    again = following([*done, (last, Ended(0.3, hopeless=True))])
    assert (again.constraint, again.optimiser) == (0, "auto")


@pytest.mark.parametrize("residual", [1e-9, 5e-8])
def test_nothing_follows_what_is_good_enough(residual: float) -> None:
    assert following([(following([]), Ended(residual))]) is None


def test_features_that_resolve_nothing_are_not_doubled() -> None:
    done = [(following([]), Ended(0.9))]
    done.append((following(done), Ended(0.8)))
    assert not isinstance(following(done).network, RandomFeatures)
    assert following(done).constraint == 0


def test_a_given_network_is_trained_as_it_is() -> None:
    network = MLP(5, 1)
    assert following([], network).network is network
    assert following([(following([], network), Ended(0.2))], network) is None


def test_the_best_tanh_network_goes_on_as_a_wider_one_where_there_is_time() -> None:
    done = [(following([]), Ended(0.9))]
    done.append((following(done), Ended(0.8)))
    done.append((following(done), Ended(1e-4)))

    def then(done: list[tuple[Plan, Ended]], network: Any = None, wider: bool = True) -> Any:
        return next_plan(done, network, "auto", 2, 1, 1e-7, True, lambda number: CHOSEN, wider)

    plan = then(done)
    assert (plan.network.width, plan.constraint, plan.after) == (32, 0, 2)
    assert then(done, wider=False) is None
    assert then([*done, (plan, Ended(1e-5))]) is None
    assert then([*done, (plan, Ended(1e-3))]) is None  # once, also where it did not pay
    assert then([*done[:2], (done[2][0], Ended(1e-8))]) is None  # solved
    assert then([*done[:2], (done[2][0], Ended(0.3, hopeless=True))]).after is None  # the other constraint first
    assert then([(Plan(MLP(5, 1), 0), Ended(1e-3))], MLP(5, 1)) is None


def test_plans_survive_packing() -> None:
    plan = following([])
    again = unpacked(plan.packed())
    assert again.packed() == plan.packed()
    assert again.linear
    assert Plan(MLP(3, 1), 0).packed() is None


class Trials:
    """Stands for a bench: residuals grow with the distance from the right spreads; too few features tell nothing."""

    def __init__(self, width: int, kind: str, spread: tuple[float, ...], blind: bool = False) -> None:
        self.width, self.kind, self.spread, self.blind, self.asked = width, kind, spread, blind, 0

    def residual(self, kind: str, spread: tuple[float, ...]) -> float:
        self.asked += 1
        far = sum(abs(math.log2(one / right)) for one, right in zip(spread, self.spread, strict=True))
        return 0.9 - far / 1000 if self.blind else 1e-5 * 2**far * (1 if kind == self.kind else 3)


@pytest.mark.parametrize(("kind", "spread"), [("tanh", (16.0, 0.5)), ("sin", (0.25, 4.0)), ("sin", (8.0, 8.0))])
def test_the_search_finds_spreads_axis_by_axis(kind: str, spread: tuple[float, ...]) -> None:
    found = suitable_features([Trials(300, kind, spread)], 2, 1e-9, lambda: True)
    assert (found.width, found.activation, found.spread) == (300, kind, list(spread))


def test_the_search_goes_on_with_more_features_where_few_tell_nothing() -> None:
    few, more = Trials(300, "sin", (16.0, 32.0), blind=True), Trials(1000, "sin", (16.0, 32.0))
    found = suitable_features([few, more], 2, 1e-9, lambda: True)
    assert (found.width, found.spread) == (1000, [16.0, 32.0])
    untouched = Trials(1000, "sin", (1.0, 1.0))
    suitable_features([Trials(300, "sin", (16.0, 32.0)), untouched], 2, 1e-9, lambda: True)
    assert not untouched.asked


def test_the_search_ends_with_the_time() -> None:
    left = iter([True] * 4 + [False] * 100)
    trials = Trials(300, "sin", (64.0, 64.0))
    suitable_features([trials, trials], 2, 1e-9, lambda: next(left))
    assert trials.asked == 4
    assert suitable_features([trials], 2, 1e-9, lambda: False).spread == [2.0, 2.0]


def test_a_smooth_linear_problem_is_solved_by_the_features() -> None:
    exact = sp.sin(12 * x + 1) * sp.exp(x)
    problem = IBVP(line.diff(x, 2) + 30 * line - sp.expand(exact.diff(x, 2) + 30 * exact), Interval(x, 0, 2),
                   boundary=[Dirichlet(line, exact)])  # fmt: skip
    solution = PINN(seed=3, progress=False).solve(problem)
    assert isinstance(solution.model, RandomFeatures)
    assert solution.error(exact).relative_l2["u"] < 1e-6


@pytest.mark.slow
def test_frequencies_beyond_the_first_trials_are_found() -> None:
    """With 300 features no spread fits sin(12πx) cos(12πt): they are too few, and tell nothing."""
    u = field("u", x, t)
    exact = sp.sin(12 * sp.pi * x) * sp.cos(12 * sp.pi * t)
    problem = IBVP(
        u.diff(t, 2) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 1), {u: exact.subs(t, 0), u.diff(t): 0},
        [Dirichlet(u, 0)],
    )  # fmt: skip
    assert PINN(seed=0, progress=False).solve(problem).error(exact).relative_l2["u"] < 1e-5


def steep() -> IBVP:
    """A source too steep for the features."""
    return IBVP(
        line.diff(x, 2) - sp.tanh(3000 * (x - sp.Rational(1, 3))), Interval(x, 0, 1), boundary=[Dirichlet(line, 0)]
    )


def test_a_ladder_is_resumed_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped while the network trains, after rungs of features."""
    monkeypatch.setattr(plans, "SIZES", (20, 40))
    monkeypatch.setattr(fitting, "TRIALS", (15, 30))
    made = {"seed": 1, "steps": 12, "progress": False}
    whole = PINN(**made).solve(steep(), [Checkpoint(tmp_path / "whole", steps=1000)])
    calls = {"begun": 0}

    class Stop:
        def begin(self, run: Any) -> None:
            calls["begun"] += 1

        def __call__(self, step: int, total: int, values: Any) -> bool:
            return total == 12 and step == 5

    PINN(**made).solve(steep(), [Checkpoint(tmp_path / "part", steps=1000), Stop()])
    assert calls["begun"] >= 2
    more = PINN(**made).solve(steep(), [Checkpoint(tmp_path / "part", steps=1000)], resume=tmp_path / "part")
    assert type(more.model) is type(whole.model)
    assert torch.equal(more.record.parameters, whole.record.parameters)
    assert more.history["loss"] == whole.history["loss"]


def test_a_wider_network_goes_on_and_is_resumed_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SIZES", (5, 10))
    monkeypatch.setattr(fitting, "TRIALS", (4, 8))
    monkeypatch.setattr(plans, "WIDER", MLP(width=24, depth=3))
    monkeypatch.setattr(fitting.Fit, "_leaves_time", lambda fit: True)
    made = {"seed": 1, "steps": 24, "progress": False}
    seen: list[float] = []

    class Stop:
        def __call__(self, step: int, total: int, values: Any) -> bool:
            seen.append(values["loss"])
            return total == 24 and step == 5 and len(seen) > 24 + 5

    whole = PINN(**made).solve(steep(), [Checkpoint(tmp_path / "whole", steps=1000)])
    PINN(**made).solve(steep(), [Checkpoint(tmp_path / "part", steps=1000), Stop()])
    assert seen[-5] < 2 * seen[-6]  # the first step of the wider network follows the last of the narrow one
    more = PINN(**made).solve(steep(), [Checkpoint(tmp_path / "part", steps=1000)], resume=tmp_path / "part")
    assert whole.model.config()["width"] == 24
    assert torch.equal(more.record.parameters, whole.record.parameters)
    assert more.history["loss"] == whole.history["loss"]


def test_no_time_is_spent_on_trials_where_there_is_none() -> None:
    with pytest.warns(SolverWarning, match="not solved"):
        solution = PINN(seed=0, seconds=0, progress=False).solve(steep())
    assert "time budget is spent" in solution.status


def test_orthogonal_factors_keep_the_digits_that_normal_equations_lose() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(60, 20, generator=generator, dtype=torch.float64)
    matrix[:, 1] = matrix[:, 0] + 1e-9 * matrix[:, 1]
    answer = torch.randn(20, generator=generator, dtype=torch.float64)
    found = orthogonal_solution(matrix, matrix @ answer)
    assert float((found - answer).abs().max()) < 1e-4
    with pytest.raises(SolverError, match="A \\(N, P\\)"):
        orthogonal_solution(matrix, matrix[:, 0][:-1])
