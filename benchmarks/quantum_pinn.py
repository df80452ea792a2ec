"""Equations solved by circuits: explanations beside those that mathematics gives, influence of collocation points."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from demo.quantum import decay_problem, decay_solver, heat_problem, heat_solver
from influence import Influence
from influence.quantum import harmonics, shapley, taylor_infinity, taylor_orders
from sciml import MLP
from sciml.errors import SolverWarning
from solvers import PINN
from solvers.pinn import Counts, Fixed

POINT = torch.tensor([[1.5, 1.0]], dtype=torch.float64)  # k, t


def grid(limits: tuple[tuple[float, float], tuple[float, float]], count: int = 7) -> Tensor:
    """Points of the open first axis and of the second one without its start, where everything is exact.

    Args:
        limits: Ends of both axes.
        count: Points per axis.
    """
    axes = [torch.linspace(low, high, count + 1, dtype=torch.float64)[1:] for low, high in limits]
    return torch.cartesian_prod(*axes)


def decay_truth(points: Tensor) -> Tensor:
    """From (0, 0) each of k and t has (exp(-kt) - 1)/2, since neither changes anything alone.

    Args:
        points: (n, 2), k and t.
    """
    each = torch.expm1(-points[:, 0] * points[:, 1]) / 2
    return torch.stack([each, each], dim=1)


def heat_truth(points: Tensor) -> Tensor:
    """From (0, 0) x alone gives sin πx and t alone nothing: x has (sin πx + u)/2, t has (u - sin πx)/2.

    Args:
        points: (n, 2), x and t.
    """
    start = torch.sin(torch.pi * points[:, 0])
    u = start * torch.exp(-(torch.pi**2) / 5 * points[:, 1])
    return torch.stack([(start + u) / 2, (u - start) / 2], dim=1)


def decay(seeds: int) -> list[str]:
    """The decay for all rates: errors of the solution and of its explanation, for circuits and a plain network.

    Args:
        seeds: Trainings.
    """
    lines = ["| solver, seed | relative L2 | Shapley error at t = 1, k = 1.5 | largest on 49 points | k alone there | "
             "t alone there | Spearman of lone effects and error | residual by k, t | CPU s |", "|---" * 9 + "|",
             ]  # fmt: skip
    problem, exact = decay_problem()
    plain = PINN(MLP(width=12, depth=2), seed=0, steps=80, constraints="soft", resampler=Fixed(),
                 points=Counts(144, 1, 30))  # fmt: skip
    for name, solver in [*((f"circuit, {s}", decay_solver(s)) for s in range(seeds)), ("MLP, 0", plain)]:
        start = time.process_time()
        solution = solver.solve(problem)
        spent = time.process_time() - start
        lines.append(
            f"| {name} | {solution.error(exact).relative_l2['u']:.1e} | {_decay_row(solution)} | {spent:.1f} |"
        )
        print(lines[-1], flush=True)
    return lines


def _decay_row(solution: Any) -> str:
    model = _function(solution)
    points = grid(((0, 2), (0, 1)))
    here = (shapley(model, POINT).values - decay_truth(POINT)).abs().max()
    all_ = (shapley(model, points).values - decay_truth(points)).abs().max()
    alone = taylor_infinity(model, POINT, split="none").values[0]
    lone = taylor_infinity(model, points, split="none").values.abs().sum(dim=1)
    error = torch.as_tensor(solution.evaluate(points.numpy())[:, 0]) - 1 - 2 * decay_truth(points)[:, 0]
    rank = spearmanr(lone, error.abs()).statistic
    share = shapley(lambda z: solution.residual(z.numpy()), points).values.abs().mean(dim=0)
    return (f"{float(here):.4f} | {float(all_):.4f} | {float(alone[0]):.4f} | {float(alone[1]):.4f} | {rank:.2f} | "
            f"{float(share[0]):.1e}, {float(share[1]):.1e}")  # fmt: skip


def heat(seeds: int) -> list[str]:
    """The heat equation by circuits: errors of the solution and of its Shapley values from (0, 0).

    Args:
        seeds: Trainings.
    """
    lines = ["| seed | relative L2 | Shapley at (0.5, 0.5): x, t | exact: x, t | largest error on 49 points | CPU s |",
             "|---" * 6 + "|"]  # fmt: skip
    problem, exact = heat_problem()
    middle, points = torch.tensor([[0.5, 0.5]], dtype=torch.float64), grid(((0, 1), (0, 1)))
    truth = heat_truth(middle)[0].tolist()
    for seed in range(seeds):
        start = time.process_time()
        solution = heat_solver(seed).solve(problem)
        spent = time.process_time() - start
        model = _function(solution)
        mine = shapley(model, middle).values[0].tolist()
        worst = float((shapley(model, points).values - heat_truth(points)).abs().max())
        lines.append(f"| {seed} | {solution.error(exact).relative_l2['u']:.1e} | {mine[0]:.4f}, {mine[1]:.4f} | "
                     f"{truth[0]:.4f}, {truth[1]:.4f} | {worst:.4f} | {spent:.1f} |")  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def collocation(seeds: int, refits: int) -> list[str]:
    """Influence of the collocation points on u(k = 1.5, t = 1) of the decay, beside true refits.

    Args:
        seeds: Trainings.
        refits: Points that are left out in turn.
    """
    lines = ["| seed | points | share of the initial line | strongest point | Spearman with refits | median error | "
             "CPU s |", "|---" * 7 + "|"]  # fmt: skip
    problem, _ = decay_problem()
    for seed in range(seeds):
        solution = decay_solver(seed).solve(problem)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SolverWarning)
            influence = Influence(solution)
            scores = influence.scores(problem.fields[0], at=POINT.numpy())
            agreement = influence.check(refits, problem.fields[0], POINT.numpy(), quiet=True)
        size = np.abs(scores.values[0])
        first = int(size.argmax())
        place = ", ".join(f"{v:.2f}" for v in scores.train[first])
        share = size[[str(kind).startswith("initial") for kind in scores.kinds]].sum() / size.sum()
        lines.append(f"| {seed} | {len(size)} | {share:.0%} | ({place}) {scores.kinds[first]} | "
                     f"{agreement.spearman:.3f} | {agreement.relative_error:.1%} | {time.process_time() - start:.1f} |",
                     )  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def spectrum(order: int = 30) -> list[str]:
    """Harmonics of a solved decay, and what each order of its Taylor series brings at t = 1, k = 1.5.

    Args:
        order: Last order.
    """
    network = decay_solver(0).solve(decay_problem()[0]).model
    found = harmonics(network)
    total = sum(found.variance.values())
    shares = {(0,): "k", (1,): "t", (0, 1): "k and t together"}
    words = ", ".join(f"{name} {found.variance.get(key, 0.0) / total:.1%}" for key, name in shares.items())
    orders = taylor_orders(network, POINT, order=order)
    shown = [1, 2, 6, 10, 14, 18, 22, 26, 30]
    missing = " | ".join(f"{float(orders.remainder[0, k].abs()):.1e}" for k in shown if k <= order)
    return [
        f"Seed 0 uses {len(found.coefficients)} harmonics; variance over all phases: {words}.", "",
        "| order of the Taylor series | " + " | ".join(str(k) for k in shown if k <= order) + " |",
        "|---" * (1 + sum(k <= order for k in shown)) + "|", f"| still missing of u - u(0, 0) | {missing} |",
    ]  # fmt: skip


def _function(solution: Any) -> Any:
    """The circuit, which explainers read; a plain network as a black box."""
    return solution.model if hasattr(solution.model, "circuit") else lambda z: solution.evaluate(z.numpy())
