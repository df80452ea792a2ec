"""Influence beside true refits on the seven problems of the diagnosis: `python -m benchmarks.influence_problems`.

Small tanh networks (2 layers of 12), 300 interior, 60 boundary and 60 initial points, soft conditions, some
Levenberg-Marquardt steps on fixed points; settled, then 12 points of all kinds and sizes of influence are removed one
by one and the rest is fitted again. One thread, float64, CPU-seconds. All refits count.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import torch

from benchmarks.diagnosis_cases import SETUPS, Setup
from influence import Influence
from sciml import MLP
from sciml.problems import library
from solvers import PINN, Fixed
from solvers.pinn.placement import Counts


def agreement(setup: Setup, steps: int, refits: int, seed: int) -> None:
    """Train, settle, refit, print one line per kind of curvature.

    Args:
        setup: The problem.
        steps: Steps of the training.
        refits: Number of removals.
        seed: Seed.
    """
    case = library()[setup.problem]()
    problem = case.problem
    solver = PINN(
        MLP(width=12, depth=2), seed=seed, steps=steps, tolerance=0, points=Counts(300, 60, 60), resampler=Fixed(),
        constraints="soft", progress=False,
    )  # fmt: skip
    solution = solver.solve(problem)
    at = problem.domain.sample(100, "sobol", 1, None if problem.time is None else problem.bounds[-1])
    error = float("nan")
    if case.reference is not None:
        error = max(solution.error(case.reference, at).relative_l2.values())
    for curvature in ("ggn", "hessian"):
        start = time.process_time()
        influence = Influence(solution, curvature=curvature)
        found = influence.check(refits, problem.fields[0], at, seed=seed, quiet=True)
        how = "settled" if any("settled" in note for note in influence.reliability.notes) else (
            "at a minimum" if influence.reliability.stationary else "proximal")  # fmt: skip
        print(
            f"{setup.name:16s} {error:8.1e}  {curvature:8s} {found.spearman:9.3f} {found.correlation:12.4f} "
            f"{found.relative_error:9.2%} {float(np.max(found.errors)):9.2%} {int((~found.converged).sum()):7d}  "
            f"{how:12s} {time.process_time() - start:5.0f}",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the heat equation alone, 4 refits")
    parser.add_argument("--only", default="", help="part of the name of a problem")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--refits", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.quick:
        options.only, options.refits = "heat", min(options.refits, 4)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the column "model" says what they say
    print(f"{'problem':16s} {'error':>8s}  {'mode':8s} {'Spearman':>9s} {'field corr.':>12s} {'median':>9s} "
          f"{'largest':>9s} {'missed':>7s}  {'model':12s} {'s':>5s}")  # fmt: skip
    for setup in SETUPS:
        if options.only.lower() in setup.name.lower():
            agreement(setup, options.steps, options.refits, options.seed)


if __name__ == "__main__":
    main()
