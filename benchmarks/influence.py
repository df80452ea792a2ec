"""Influence of a Burgers PINN against true refits and peers: `python -m benchmarks.influence [--quick]`.

Burgers' equation with viscosity 0.02, tanh networks of 3 layers of 32 (full map) and of 20 (accuracy), 1500 + 100 +
100 points, soft conditions, 1000 predictions. One thread, float64, CPU-seconds of the process. Truth: proximal refits
on the same objective, 55 points stratified by kind and size of influence and 24 random groups of 10 %, for 3 seeds;
all count, also those that miss their tolerance. Peers see the same network, rows and weights.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy as sp
import torch
from scipy.stats import spearmanr

from benchmarks.influence_peers import PEERS, peer_map
from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from solvers import PINN, Fixed
from solvers.pinn.placement import Counts
from solvers.pinn.solution import PINNSolution

x, t = coordinates("x t")
u = field("u", x, t)
BURGERS = IBVP(
    u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 50, Interval(x, -1, 1), time=(t, 0, 1),
    initial={u: -sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)],
)  # fmt: skip


@dataclass(frozen=True)
class Agreement:
    """One estimator against refits."""

    name: str
    spearman: float
    median: float
    largest: float
    missed: int


@cache
def trained(width: int, seed: int, steps: int) -> PINNSolution:
    """A network after so many Levenberg-Marquardt steps on fixed points.

    Args:
        width: Width of its three layers.
        seed: Seed.
        steps: Steps.
    """
    solver = PINN(
        MLP(width=width, depth=3), seed=seed, steps=steps, tolerance=0, points=Counts(1500, 100, 100),
        resampler=Fixed(), constraints="soft", progress=False,
    )  # fmt: skip
    made = solver.solve(BURGERS)
    assert isinstance(made, PINNSolution)
    return made


def quietly(solution: PINNSolution, settle: bool = False, **options: object) -> Influence:
    """Influence of the network as it is, which peers see too; figures are printed instead of the warning.

    Args:
        solution: The network.
        settle: Whether to move to the minimum beside it first.
        **options: Options of `Influence`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Influence(solution, settle=settle, **options)  # type: ignore[arg-type]


def full_map(steps: int) -> None:
    """The 1700 x 1000 map of the 3x32 network."""
    solution = trained(32, 0, steps)
    at = BURGERS.domain.sample(1000, "sobol", 1, (0.0, 1.0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    cases: tuple[tuple[str, dict], ...] = (
        ("automatic damping, first call", {}), ("automatic damping, again", {}), ("damping 1e-3", {"damping": 1e-3}),
        ("automatic damping, settled first", {"settle": True}),
    )  # fmt: skip
    for label, options in cases:
        start = time.process_time()
        influence = quietly(solution, **options)
        built = time.process_time() - start
        values = influence.scores(u, at).values
        total = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"map {values.shape}, 3x32, {label}: {total:.2f} s (curvature {built:.2f} s), peak {peak:.2f} GB, "
              f"before {before:.2f} GB", flush=True)  # fmt: skip


def compare(name: str, predicted: np.ndarray, true: np.ndarray, missed: int) -> Agreement:
    """Rank correlation over points (mean over queries) and relative errors of points.

    Args:
        name: Name of the estimator.
        predicted: (q, k).
        true: (q, k).
        missed: Refits that missed their tolerance.
    """
    rank = float(np.mean([spearmanr(p, r).statistic for p, r in zip(predicted, true, strict=True)]))
    error = np.linalg.norm(predicted - true, axis=0) / np.linalg.norm(true, axis=0)
    return Agreement(name, rank, float(np.median(error)), float(error.max()), missed)


def show(result: Agreement) -> None:
    """Print one line.

    Args:
        result: The comparison.
    """
    print(f"  {result.name:34s} Spearman {result.spearman:.4f}  error median {result.median:.3%}  largest "
          f"{result.largest:.2%}  refits that missed {result.missed}", flush=True)  # fmt: skip


def accuracy(seed: int, refits: int, groups: int, steps: int, peers: bool) -> None:
    """Leave-one-out and groups of 10 % in both modes.

    Args:
        seed: Seed of the network.
        refits: Number of stratified refits.
        groups: Number of random groups.
        steps: Training steps.
        peers: Whether to ask peers as well.
    """
    solution = trained(20, seed, steps)
    at = BURGERS.domain.sample(1000, "sobol", 1, (0.0, 1.0))
    start = time.process_time()
    exact = quietly(solution, curvature="hessian")
    hessian_values = exact.scores(u, at)
    seconds = time.process_time() - start
    ggn = quietly(solution, damping=exact.curvature.proximal)
    print(f"\nseed {seed}, 3x20: {solution.status}\n{exact.reliability}")
    print(f"Hessian curvature and map: {seconds:.1f} s")
    agreement = exact.check(refits, u, at, seed=seed, quiet=True)
    missed = int((~agreement.converged).sum())
    for name, influence in (("GGN + leverage", ggn), ("exact Hessian + leverage", exact)):
        scores = hessian_values if influence is exact else influence.scores(u, at)
        show(compare(name, scores.of(agreement.ids), agreement.true, missed))
    first = ggn.scores(u, at, leverage=False)
    show(compare("GGN, first order", first.of(agreement.ids), agreement.true, missed))
    rng = np.random.default_rng(seed)
    sets = [rng.choice(exact.ids, len(exact.ids) // 10, replace=False) for _ in range(groups)]
    made = [exact.refit(ids) for ids in sets]
    before = exact.query(u, at).value.numpy()
    true = np.stack([exact.value(u, at, m.theta) - before for m in made], axis=1)
    missed = sum(not m.converged for m in made)
    for name, influence in (("groups of 10 %, GGN", ggn), ("groups of 10 %, Hessian", exact)):
        show(compare(name, np.hstack([influence.group(ids, u, at).values for ids in sets]), true, missed))
    singles = np.stack([hessian_values.of(ids).sum(axis=1) for ids in sets], axis=1)
    show(compare("groups of 10 %, sum of singles", singles, true, missed))
    for peer in PEERS if peers else ():
        line = peer_map(peer, solution, at[:40], exact.curvature.proximal)
        if isinstance(line, str):
            print(f"  {peer}: {line}")
            continue
        values, seconds = line
        own = values[:, [int(np.flatnonzero(exact.ids == i)[0]) for i in agreement.ids]]
        show(compare(f"{peer} ({seconds:.1f} s, 40 queries)", own, agreement.true[:40], 0))


def main() -> None:
    """Run everything; `--quick` in a minute or two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer steps and refits, one seed, no peers")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the full run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    full_map(30 if options.quick else 100)
    for seed in range(1 if options.quick else options.seeds):
        if options.quick:
            accuracy(seed, 8, 2, 40, peers=False)
        else:
            accuracy(seed, 55, 24, 100, peers=seed == 0)


if __name__ == "__main__":
    main()
