"""Flows by the PINN trainer against exact and finite element flows: `python -m benchmarks.navier_stokes`.

Tanh networks, one thread, float64, CPU-seconds of the process with 1 seed; `--quick` takes five cases and a tenth of
the budgets, `--only` some of the cases, `--scale` another part of the budgets. Nothing is measured inside the domain
except in the inverse problem. References: closed solutions, or `FiniteElement` with Taylor-Hood elements on meshes
refined at walls, whose own distance from published numbers is printed too. Errors of a raw cavity leave out r < 0.1
around the corners of the lid. `--deepxde PYTHON` adds DeepXDE's Adam and L-BFGS, the same network, problem and CPU
time, by the interpreter of an environment that has it.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import subprocess
import warnings
from pathlib import Path

import torch

from benchmarks.navier_stokes_cases import CASES, Outcome
from benchmarks.navier_stokes_peers import SETTINGS
from sciml.errors import SolverWarning
from sciml.flows.stream import StreamSolution
from sciml.flows.subtraction import RestoredSolution

RESULTS = Path(__file__).parent / "results" / "navier_stokes.csv"
QUICK = ("kovasznay", "taylor_green", "cavity_smooth", "dfg", "inverse")
COLUMNS = ("case", "solver", "quantity", "value", "wanted", "seconds", "budget", "parameters", "seed", "date", "status")


def shown(outcome: Outcome) -> str:
    """A table of one flow."""
    spent = f"{outcome.seconds:.0f} s CPU (budget {outcome.budget:.0f})"
    lines = [f"{outcome.case}: {outcome.parameters} parameters, {spent}", f"   {outcome.status}"]
    for name, value in outcome.numbers.items():
        wanted = f"   wanted {outcome.targets[name]}" if name in outcome.targets else ""
        lines.append(f"   {name:58s} {value:12.5g}{wanted}")
    return "\n".join(lines)


def record(path: Path, case: str, solver: str, outcome: Outcome, seed: int) -> None:
    """Put the numbers of a run into the table, in place of those of an earlier run of the same case and seed."""
    rows = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            mine = (case, solver, str(seed))
            rows = [row for row in csv.DictReader(file) if (row["case"], row["solver"], row["seed"]) != mine]
    today = datetime.date.today().isoformat()
    rows += [
        dict(zip(COLUMNS, (case, solver, name, f"{value:.6g}", outcome.targets.get(name, ""), f"{outcome.seconds:.1f}",
                           f"{outcome.budget:g}", outcome.parameters, seed, today, outcome.status), strict=True))
        for name, value in outcome.numbers.items()
    ]  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def deepxde(python: str, case: str, seconds: float, seed: int) -> Outcome | str:
    """DeepXDE's numbers on a case, or why there are none."""
    command = [python, "-m", "benchmarks.navier_stokes_peers", case, "--seconds", f"{seconds:.1f}", "--seed", str(seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if "missing" in found:
        return str(found["missing"])
    return Outcome(f"DeepXDE {found['version']}: {case}", seconds, found["seconds"], found["parameters"],
                   found["numbers"], {}, found["status"])  # fmt: skip


def main() -> None:
    """Run the cases, print their tables and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"a tenth of the budgets; {', '.join(QUICK)}")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the budgets")
    parser.add_argument("--only", nargs="*", choices=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help=f"write the numbers to {RESULTS.name}")
    parser.add_argument("--solutions", type=Path, help="a folder for the network's and the reference flow")
    parser.add_argument("--deepxde", metavar="PYTHON", help="interpreter of an environment with DeepXDE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SolverWarning)
    share = 0.1 if options.quick else options.scale
    for name in options.only or (QUICK if options.quick else CASES):
        outcome = CASES[name](share, options.seed)
        print(shown(outcome), flush=True)
        if options.record:
            record(RESULTS, name, "PINN", outcome, options.seed)
        for label, solution in outcome.solutions.items() if options.solutions else ():
            options.solutions.mkdir(exist_ok=True)
            kept = solution
            while isinstance(kept, (RestoredSolution, StreamSolution)):
                kept = kept.remainder if isinstance(kept, RestoredSolution) else kept.inner
            kept.save(options.solutions / f"{name}-{label}")
        if options.deepxde and name in SETTINGS:
            peer = deepxde(options.deepxde, name, outcome.budget, options.seed)
            print(f"DeepXDE: {peer}" if isinstance(peer, str) else shown(peer), flush=True)
            if options.record and not isinstance(peer, str):
                record(RESULTS, name, "DeepXDE", peer, options.seed)
    if not options.deepxde:
        print("DeepXDE: not asked for (--deepxde PYTHON)")


if __name__ == "__main__":
    main()
