"""The runs: each trains one network on one problem with one sampler, and is stored at once."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from benchmarks.resampling.arms import ARMS, HALF, OPTIMISERS, PROBLEMS
from benchmarks.resampling.store import Outcome, append, read
from sciml import MLP
from sciml.executors import task_results
from sciml.points import PointSet
from sciml.problems import library
from sciml.problems.case import ProblemCase
from solvers import PINN
from solvers.pinn import Counts

_ENDLESS = 100_000  # steps: the budget ends a run


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
        problems: Names among `PROBLEMS`, or of the library.
        samplers: Names among `ARMS`.
        seeds: Number of paired seeds.
        seconds: CPU seconds of each run, choosing points included.
        points: Interior points.
        width: Width of the network.
        depth: Depth of the network.
        optimiser: Name among `OPTIMISERS`.
        stop: Wall-clock time (`time.time()`) after which no run is begun; None for no limit.
    """

    problems: Sequence[str]
    samplers: Sequence[str]
    seeds: int
    seconds: float
    points: int
    width: int
    depth: int
    optimiser: str = "lm"
    stop: float | None = None

    def runs(self) -> list[tuple[str, str, int]]:
        """Seed by seed, so that a study that ends early is balanced."""
        return [(p, s, seed) for seed in range(self.seeds) for p in self.problems for s in self.samplers]


def run_all(plan: Plan, path: Path, show: bool = True, executor: Any = None) -> list[Outcome]:
    """Run what the file does not hold yet.

    Args:
        plan: What to run.
        path: CSV file.
        show: Whether to show a progress bar.
        executor: Where the runs are made (see `sciml.executors`); each is timed by the CPU clock of its process.

    Returns:
        All runs of the plan that the file holds in the end.
    """
    done = {outcome.key for outcome in read(path)}
    wanted = [(key, _key(plan, *key)) for key in plan.runs()]
    todo = [key for key, name in wanted if name not in done]
    bar = tqdm(total=len(wanted), initial=len(wanted) - len(todo), disable=not show, desc="resampling", unit="run")
    tasks = {f"{problem}, {sampler}, seed {seed}": (plan, problem, sampler, seed) for problem, sampler, seed in todo}
    for name, outcome in zip(tasks, task_results(run_before, tasks, executor), strict=True):
        if outcome is None:
            break
        append(path, outcome)
        bar.set_postfix_str(name)
        bar.update()
    bar.close()
    names = {name for _, name in wanted}
    return [outcome for outcome in read(path) if outcome.key in names]


def run_before(plan: Plan, problem: str, sampler: str, seed: int) -> Outcome | None:
    """One training, unless the time to stop is over."""
    if plan.stop is not None and time.time() > plan.stop:
        return None
    torch.set_num_threads(1)
    return run_one(plan, problem, sampler, seed)


def run_one(plan: Plan, problem: str, sampler: str, seed: int) -> Outcome:
    """One training.

    Args:
        plan: Budget, network and optimiser.
        problem: Name.
        sampler: Name.
        seed: Seed of network, start points and draws: the same in all arms.

    Returns:
        What came out; an error of NaN counts as a failure.
    """
    given = case(problem)
    start = Counts(plan.points // 2 if sampler in HALF else plan.points, 0, 0)
    solver = PINN(
        MLP(plan.width, plan.depth), seed=seed, seconds=plan.seconds, tolerance=1e-9, points=start,
        steps=_ENDLESS if plan.optimiser == "lm" else None, resampler=ARMS[sampler](seed, plan.points),
        constraints="hard", optimiser=OPTIMISERS[plan.optimiser], progress=False,
    )  # fmt: skip
    before = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solution = solver.solve(given.problem)
        used = time.process_time() - before
        error = max(solution.error(given.reference).relative_l2.values())
    series, points = solution.history, solution.record.points
    return Outcome(
        problem, sampler, plan.optimiser, seed, float(plan.seconds), plan.points, plan.width, plan.depth,
        error=float(error),
        residual=float(np.nanmin(series["held out"]) ** 0.5),
        ratio=_ratio(series["held out"][-1], series["loss"][-1]),
        steps=int(series["step"][-1]),
        share=float(np.nan_to_num(series.get("resampling", [0.0])[-1])),
        used=used,
        number=len(points),
        spacing=spacing(points, given),
        status=solution.status.replace("\n", " "),
    )  # fmt: skip


@cache
def case(name: str) -> ProblemCase:
    """The problem of a name, with its reference."""
    return library()[PROBLEMS.get(name, name)]()


def spacing(points: PointSet, given: ProblemCase) -> float:
    """Mean distance to the nearest interior point over its expectation 1/(2√n) for n random points in two dimensions.

    Args:
        points: The points.
        given: The problem.

    Returns:
        Below 1 where points cluster.
    """
    low, high = np.array(given.problem.bounds).T
    unit = (points.of(given.problem.terms[0].name).coordinates - low) / (high - low)
    distance, _ = cKDTree(unit).query(unit, k=2)
    return float(distance[:, 1].mean() * 2 * np.sqrt(len(unit)))


def _key(plan: Plan, problem: str, sampler: str, seed: int) -> tuple[str, ...]:
    values = (problem, sampler, plan.optimiser, seed, float(plan.seconds), plan.points, plan.width, plan.depth)
    return tuple(str(value) for value in values)


def _ratio(held_out: float, loss: float) -> float:
    return float(held_out / loss) if loss > 0 else float("nan")
