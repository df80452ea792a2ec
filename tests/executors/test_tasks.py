"""Ensembles, refits and families of problems on executors: what runs elsewhere is what would run here."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, RowBlock
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError
from sciml.executors import run_tasks
from solvers import PINN, study
from solvers.pinn import Counts, Ensemble

x, t = coordinates("x t")
u = field("u", x, t)
PLACES = np.random.default_rng(0).random((50, 2))


def heat(rate: Any = 0.25) -> IBVP:
    equation = sp.Eq(u.diff(t), sp.nsimplify(rate) * u.diff(x, 2))
    return IBVP(equation, Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])


def solver(**changes: Any) -> PINN:
    settings = {"steps": 15, "points": Counts(60, 0, 0), "optimiser": "lm", **changes}
    return PINN(MLP(width=4, depth=1), **settings)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    torch.set_num_threads(1)
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as made:
        yield made


class Counting:
    """An executor that has nothing but `submit`, and runs at once."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def submit(self, function: Any, *arguments: Any) -> Future:
        self.names.append(function.__name__)
        future: Future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def test_members_of_an_ensemble_are_the_same(pool: ProcessPoolExecutor) -> None:
    here = Ensemble(solver(), members=3).solve(heat())
    there = Ensemble(solver(), members=3).solve(heat(), executor=pool)
    np.testing.assert_array_equal(there.evaluate(PLACES), here.evaluate(PLACES))
    np.testing.assert_array_equal(there.std(u, PLACES), here.std(u, PLACES))
    with pytest.raises(SolverError, match="no callbacks with an executor"):
        Ensemble(solver()).solve(heat(), [print], executor=pool)


def test_refits_are_the_same_on_processes_and_on_threads(pool: ProcessPoolExecutor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 60 steps are no minimum
        influence = Influence(solver(steps=60).solve(heat()), damping=1e-2, settle=False)
    arguments: dict = {"k": 2, "target": u, "at": PLACES[:3], "quiet": True}
    here = influence.check(**arguments)
    with ThreadPoolExecutor(2) as threads:
        for executor in (pool, threads):
            there = influence.check(**arguments, executor=executor)
            np.testing.assert_array_equal(there.true, here.true)
            np.testing.assert_array_equal(there.ids, here.ids)


def slope(theta: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    return theta[0] + theta[1] * point[0] - point[1]


def test_refits_of_the_users_own_rows(pool: ProcessPoolExecutor) -> None:
    points = np.column_stack([np.linspace(0, 1, 7), np.linspace(0, 1, 7) ** 2])
    start = torch.linalg.lstsq(
        torch.tensor(np.column_stack([np.ones(7), points[:, 0]])), torch.tensor(points[:, 1:])
    ).solution[:, 0]
    made = Influence.from_rows(start, [RowBlock("fit", points, slope)])
    there = made.check(3, target=lambda theta: theta[1], quiet=True, executor=pool)
    np.testing.assert_array_equal(there.true, made.check(3, target=lambda theta: theta[1], quiet=True).true)
    local = Influence.from_rows(start, [RowBlock("fit", points, lambda theta, point: slope(theta, point))])
    with pytest.raises(SolverError, match="at the top of a module"):
        local.check(3, target=lambda theta: theta[1], quiet=True, executor=pool)


def test_families_of_problems(pool: ProcessPoolExecutor) -> None:
    rates = [sp.Rational(1, 4), sp.Rational(1, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here, there = study(heat, rates, solver()), study(heat, rates, solver(), executor=pool)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.evaluate(PLACES), other.evaluate(PLACES))
    exact = study(heat, rates, executor=Counting())
    assert [solution.status.split(",")[0] for solution in exact] == ["LieSolver", "LieSolver"]


def refuse(number: int) -> int:
    if number == 2:
        raise ValueError("two is refused")
    return number


@pytest.mark.parametrize("executor", [None, Counting()])
def test_a_failure_names_its_task(executor: Any) -> None:
    tasks = {f"number {k}": (k,) for k in range(4)}
    with pytest.raises(ValueError, match="two is refused") as caught:
        run_tasks(refuse, tasks, executor)
    assert caught.value.__notes__ == ["in task 'number 2'"]


@pytest.mark.parametrize("wrong", [0, -1, True, "two", object()])
def test_what_is_no_executor_is_refused(wrong: Any) -> None:
    with pytest.raises(SolverError, match="number of processes"):
        Ensemble(solver()).solve(heat(), executor=wrong)
    with pytest.raises(SolverError, match="number of processes"):
        study(heat, [1], solver(), executor=wrong)


@pytest.mark.slow
def test_a_number_of_processes() -> None:
    assert run_tasks(pow, {str(k): (k, 2) for k in range(5)}, 2) == [0, 1, 4, 9, 16]
