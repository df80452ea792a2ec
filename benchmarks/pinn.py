"""Accuracy of the PINN trainer against CPU-seconds: `python -m benchmarks.pinn [--quick]`.

One setting for all problems: `PINN()`, float64, one thread, all defaults but for the budget and the tolerance: random
features whose spreads are searched, then, where these do not resolve the solution, a tanh network of 3 layers of 20.
`--network` trains that network alone. Errors are relative L2 norms against the exact or reference solution. Peers run
in a process of their own, in the environment of `--peer-python` where given: milliseconds per Adam iteration on the
same points and networks, and DeepXDE's error by Adam followed by L-BFGS.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.engine import ENGINES, burgers, iteration, kovasznay, milliseconds
from sciml import MLP
from sciml.networks import RandomFeatures
from sciml.problems import library
from sciml.solution import Solution
from solvers import PINN

MARKS = (2, 5, 10, 20, 40, 80)
WIDTH, DEPTH = 20, 3


@dataclass(frozen=True)
class Goal:
    """CPU-seconds, and the relative L2 error wanted of every field, or of the fields named."""

    seconds: float
    error: float | Mapping[str, float]

    def met(self, errors: Mapping[str, float]) -> bool:
        """Whether the errors are small enough."""
        wanted = self.error if isinstance(self.error, Mapping) else dict.fromkeys(errors, self.error)
        return all(errors[name] <= size for name, size in wanted.items())

    def __str__(self) -> str:
        """As printed."""
        if isinstance(self.error, Mapping):
            return ", ".join(f"{name} {size:.0e}" for name, size in self.error.items())
        return f"{self.error:.0e}"


GOALS = {
    "heat.sine": Goal(40, 1e-6),
    "heat.decaying_source": Goal(40, 1e-6),
    "wave.two_modes": Goal(40, 1e-6),
    "wave.sine_mix": Goal(40, 1e-6),
    "wave.complex_source": Goal(40, 1e-6),
    "advection_diffusion.drift": Goal(40, 1e-6),
    "poisson.square": Goal(40, 1e-8),
    "helmholtz.plane_wave": Goal(40, 1e-6),
    "helmholtz.point_source": Goal(40, 1e-6),
    "navier_stokes.kovasznay": Goal(40, {"u": 5e-7, "p": 5e-6}),
    "allen_cahn.cosine": Goal(60, 1e-5),
    "kdv.soliton": Goal(40, 1e-4),
    "poisson.annulus": Goal(40, 1e-8),
    "poisson.peak": Goal(40, 1e-6),
    "navier_stokes.taylor_green": Goal(40, {"u": 1e-4, "v": 1e-4}),
    "burgers.shock": Goal(120, 1e-5),
}
QUICK = ("heat.sine", "wave.two_modes", "poisson.square", "navier_stokes.kovasznay")


@dataclass
class Curve:
    """Callback that notes the errors at some CPU times; the time that this takes is not counted.

    Attributes:
        reference: The exact solution.
        points: (CPU-seconds, largest error of a field) so far.
    """

    reference: Solution
    points: list[tuple[float, float]] = field(default_factory=list)
    _run: Any = None
    _start: float = 0.0

    def begin(self, run: Any) -> None:
        """Remember the training."""
        if self._run is None:
            self._start = time.process_time()
        self._run = run

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Note the error where a mark has been passed."""
        if len(self.points) == len(MARKS):
            return
        before = time.process_time()
        if before - self._start >= MARKS[len(self.points)]:
            errors = self._run.solution().error(self.reference).relative_l2
            self.points.append((before - self._start, max(errors.values())))


@cache
def reference(name: str) -> tuple[Any, Solution]:
    """Problem and reference solution of a name."""
    case = library()[name]()
    assert case.reference is not None
    return case.problem, case.reference


def row(name: str, seed: int, seconds: float, network: MLP | None = None, table: Path | None = None) -> bool:
    """Train once, print one line of the table and add it to a file.

    Args:
        name: Problem.
        seed: Seed.
        seconds: Budget.
        network: Network; None for the ladder.
        table: CSV file; None for none.

    Returns:
        Whether the goal is met.
    """
    problem, exact = reference(name)
    curve = Curve(exact)
    solver = PINN(network, seed=seed, seconds=seconds, tolerance=1e-9, progress=False)
    start = time.process_time()
    solution = solver.solve(problem, [curve])
    used = time.process_time() - start
    errors = solution.error(exact).relative_l2
    held_out = min(solution.history["held out"]) ** 0.5
    shown = ", ".join(f"{known} {error:.1e}" for known, error in errors.items())
    path = " ".join(f"{mark:.0f}s:{error:.0e}" for mark, error in curve.points)
    met, kind = GOALS[name].met(errors), _described(getattr(solution, "model", None))
    print(
        f"{name:27} {seed:4} {used:7.1f} {held_out:9.1e}  {shown:34} {GOALS[name]!s:16} {'met' if met else 'MISSED':7}"
        f" {kind:24} {path}",
        flush=True,
    )
    if table is not None:
        figures = {
            "date": time.strftime("%Y-%m-%d"), "problem": name, "seed": seed, "cpu seconds": f"{used:.1f}",
            "held out": f"{held_out:.2e}", "relative L2": shown, "goal": str(GOALS[name]), "met": met, "network": kind,
            "errors at cpu seconds": path,
        }  # fmt: skip
        first = not table.exists()
        table.parent.mkdir(parents=True, exist_ok=True)
        with table.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(figures))
            if first:
                writer.writeheader()
            writer.writerow(figures)
    return met


def _described(network: Any) -> str:
    if isinstance(network, RandomFeatures):
        return f"{network.width} {network.activation} features"
    return f"{network.activation} {network.depth} x {network.width}"


def accuracy(
    names: Sequence[str], seeds: Sequence[int], seconds: float | None, network: MLP | None, table: Path | None
) -> None:
    """Print the table of errors.

    Args:
        names: Problems.
        seeds: Seeds.
        seconds: Budget instead of those of the goals.
        network: Network; None for the ladder.
        table: CSV file to which the rows are added.
    """
    print(f"\n{'PINN()' if network is None else _described(network)}; errors at CPU times in the last column")
    print(f"{'problem':27} {'seed':>4} {'CPU-s':>7} {'held out':>9}  {'relative L2':34} {'goal':16}")
    outcomes = [row(name, seed, seconds or GOALS[name].seconds, network, table) for name in names for seed in seeds]
    print(f"goals met: {sum(outcomes)} of {len(outcomes)}")


def speed(repeats: int, python: str) -> None:
    """Print milliseconds per loss and gradient of our engines, and per Adam iteration of peers.

    Args:
        repeats: Rounds.
        python: Interpreter of the peers.
    """
    print("\nmilliseconds of CPU time per iteration, float64, one thread")
    cases = {"kovasznay": (kovasznay(2601, 400), MLP(50, 4, inputs=2, outputs=3), "2-50x4-3, 2601+400"),
             "burgers": (burgers(2540, 240), MLP(32, 3, inputs=2, outputs=1), "2-32x3-1, 2540+240")}  # fmt: skip
    for name, ((problem, points), model, size) in cases.items():
        work = {engine: iteration(problem, points, model, ENGINES[engine]) for engine in ("streams", "nested autograd")}
        measured = milliseconds(work, repeats)
        for engine, value in measured.items():
            print(f"{name:10} {size:20} {engine:18} {value:7.1f}  {value / measured['streams']:5.2f} x streams")
        for peer in ("deepxde", "pina"):
            answer = ask(python, peer, name, "--iterations", str(repeats + 3))
            taken = answer.get("milliseconds")
            text = answer.get("missing", "") if taken is None else f"{taken:7.1f}  {taken / measured['streams']:5.2f}"
            print(
                f"{name:10} {size:20} {peer + ' ' + answer.get('version', ''):18} {text}" + " x streams" * bool(taken)
            )


def ask(python: str, *arguments: str) -> dict[str, Any]:
    """What a peer's process prints.

    Args:
        python: Interpreter.
        *arguments: Arguments of `benchmarks.pinn_peers`.
    """
    command = [python, "-W", "ignore", "-m", "benchmarks.pinn_peers", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {"missing": f"{arguments[0]} failed: {(ended.stderr.strip().splitlines() or ['no output'])[-1]}"}
    return json.loads(lines[-1])


def against_time(seconds: float, python: str) -> None:
    """Print DeepXDE's error of u on Kovasznay flow against CPU-seconds.

    Args:
        seconds: Budget.
        python: Interpreter of the peers.
    """
    answer = ask(python, "deepxde", "kovasznay", "--seconds", str(seconds))
    print(f"\nKovasznay flow, DeepXDE {answer.get('version', '')}, Adam then L-BFGS, 3 x 20, 400 + 120 points")
    print(answer.get("missing") or " ".join(f"{used:.0f}s:{error:.0e}" for used, error in answer["errors"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four problems, one seed, 10 s each")
    parser.add_argument("--only", nargs="*", choices=list(GOALS), help="problems")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds")
    parser.add_argument("--seconds", type=float, help="budget of each training")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has deepxde and pina-mathlab")
    parser.add_argument("--network", action="store_true", help="the tanh network alone, without random features")
    parser.add_argument("--csv", type=Path, help="file to which the rows are added")
    parser.add_argument("--no-peers", action="store_true", help="our own figures only")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    names = options.only or (QUICK if options.quick else tuple(GOALS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accuracy(
            names, range(1 if options.quick else options.seeds), options.seconds or (10 if options.quick else None),
            MLP(WIDTH, DEPTH) if options.network else None, options.csv,
        )  # fmt: skip
    if not options.no_peers:
        speed(10 if options.quick else 30, options.peer_python)
        against_time(8 if options.quick else 80, options.peer_python)


if __name__ == "__main__":
    main()
