"""Accuracy of `PINN(seconds=...)`, all else left alone, outside the library: `python -m benchmarks.pinn_unseen`.

Printed are the largest relative L2 error of a field, CPU seconds, and what the user is told: status and warnings. An
error above `TRUSTED` without a warning or a status that says so is a fault, whatever the problem.
"""

from __future__ import annotations

import argparse
import csv
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.pinn_unseen_cases import CASES, Unseen
from sciml.solution import Solution
from solvers import PINN

SECONDS = 40.0
TRUSTED = 1e-2  # relative L2 error above which an answer must come with a warning
QUICK = ("variable_coefficient", "periodic_advection", "tiny_units", "lotka_volterra")


def errors(case: Unseen, solution: Solution) -> dict[str, float]:
    """Relative L2 error of every field, and relative error of every unknown coefficient.

    Args:
        case: The case.
        solution: A solution of its problem.

    Returns:
        Name -> error.
    """
    values = solution.evaluate(case.points)
    names = [known.func.__name__ for known in case.problem.fields]
    found = {
        name: float(np.linalg.norm(values[:, i] - case.values[name]) / np.linalg.norm(case.values[name]))
        for i, name in enumerate(names)
    }
    estimated = getattr(solution, "coefficients", {})
    for symbol, value in estimated.items():
        true = (case.unknowns or {})[symbol.name]
        found[symbol.name] = abs(value - true) / abs(true)
    return found


def row(name: str, seed: int, seconds: float) -> dict[str, object]:
    """Train once.

    Args:
        name: Case.
        seed: Seed.
        seconds: Budget.

    Returns:
        The row of the table.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case = CASES[name]()
        start = time.process_time()
        solution = PINN(seed=seed, seconds=seconds, progress=False).solve(case.problem)
        used = time.process_time() - start
    told = [str(one.message).splitlines()[0] for one in caught if one.category.__module__.startswith("sciml")]
    found = errors(case, solution)
    worst = max(error for known, error in found.items() if known not in (case.unknowns or {}))
    silent = worst > TRUSTED and not told
    network = getattr(solution, "model", None)
    return {
        "date": time.strftime("%Y-%m-%d"), "problem": name, "seed": seed, "cpu seconds": f"{used:.1f}",
        "relative L2": ", ".join(f"{known} {error:.1e}" for known, error in found.items()),
        "held out": f"{min(solution.history['held out']) ** 0.5:.1e}", "silently wrong": silent,
        "network": f"{type(network).__name__} {getattr(network, 'width', '')}", "status": solution.status,
        "warnings": " | ".join(told),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status is 1 where a wrong answer came without a word.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four problems, one seed, 10 s each")
    parser.add_argument("--only", nargs="*", choices=list(CASES), help="problems")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds")
    parser.add_argument("--seconds", type=float, help="budget of each training")
    parser.add_argument("--csv", type=Path, help="file to which the rows are added")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    failed = 0
    for name in options.only or (QUICK if options.quick else CASES):
        for seed in range(options.seeds):
            try:
                figures = row(name, seed, options.seconds or (10.0 if options.quick else SECONDS))
            except Exception:
                failed += 1
                print(f"{name:22} {seed} FAILED\n{traceback.format_exc()}", flush=True)
                continue
            failed += bool(figures["silently wrong"])
            print(
                f"{name:22} {seed} {figures['cpu seconds']:>6} s  {figures['relative L2']:32} held out"
                f" {figures['held out']}  {figures['network']:20} {'SILENTLY WRONG ' * bool(figures['silently wrong'])}"
                f"\n    {figures['status']}\n    {figures['warnings'] or 'no warning'}",
                flush=True,
            )
            _written(options.csv, figures)
    return int(failed > 0)


def _written(table: Path | None, figures: dict[str, object]) -> None:
    if table is None:
        return
    first = not table.exists()
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(figures))
        if first:
            writer.writeheader()
        writer.writerow(figures)


if __name__ == "__main__":
    raise SystemExit(main())
