"""Weak and strong scaling of Levenberg-Marquardt steps on two processes, and memory: `python -m benchmarks.scaling`.

Starts `torchrun` with one and with two processes. Time is the CPU time of the busiest process, which other work on the
machine does not enter, and that of the whole job on the clock, which it does.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.engine import kovasznay
from benchmarks.surroundings import THREADS, begin_peak, peak, surroundings
from sciml import MLP, distributed
from solvers.pinn.optimisers import LevenbergMarquardt
from solvers.pinn.sharded import objectives

RESULTS = Path(__file__).parent / "results" / "scaling.csv"
COLUMNS = ("kind", "processes", "points", "rows", "parameters", "cpu", "clock", "memory", "formula")
LIMIT = 600  # seconds for one job


class Meter:
    """CPU seconds and peak memory of a process."""

    def __init__(self) -> None:
        begin_peak()

    def read(self) -> tuple[float, float]:
        """CPU seconds, and MiB."""
        return time.process_time(), peak()


def steps(points: int, width: int, count: int) -> dict[str, float]:
    """LM steps on Kovasznay's flow.

    Args:
        points: Points inside; a tenth as many on the boundary.
        width: Width of 3 hidden layers.
        count: Number of steps; the first one is not timed.
    """
    torch.set_num_threads(1)
    crew = distributed.present_crew()
    problem, places = kovasznay(points, points // 10)
    model = MLP(width, 3).bind(problem.bounds, 3, seed=0)
    meters, own = crew.create(Meter, [()] * crew.size) if crew else None, Meter()

    def read() -> list[tuple[float, float]]:
        return meters.gather("read") if meters else [own.read()]

    before = read()
    (objective,) = objectives(problem, None, model, {}, places)
    theta, optimiser = objective.start(), LevenbergMarquardt()
    cpu: list[float] = []
    clock: list[float] = []
    for number in range(count + 1):
        start, began = read(), time.perf_counter()
        theta = optimiser.step(objective, theta).theta
        if number:
            clock.append(time.perf_counter() - began)
            cpu.append(max(now - then for (now, _), (then, _) in zip(read(), start, strict=True)))
    grown = max(now - then for (_, now), (_, then) in zip(read(), before, strict=True))
    rows = len(objective.rows(theta).flat())
    return {"points": points, "rows": rows, "parameters": len(theta), "cpu": statistics.median(cpu),
            "clock": statistics.median(clock), "memory": grown}  # fmt: skip


def job(processes: int, points: int, width: int, count: int) -> dict[str, Any]:
    """The same in a job of its own."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *launcher, "-m", "benchmarks.scaling", "--one", *map(str, (points, width, count))]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return {"processes": processes, **json.loads(done.stdout.strip().splitlines()[-1])}


def memory(rows: int, parameters: int, processes: int) -> float:
    """MiB of process 0 by docs/scaling.md: its share of A, two chunks of rows, the Gram matrix in three copies."""
    share = 8 * rows / processes * parameters / 2**20
    return share + 2 * min(64.0, share) + 24 * parameters**2 / 2**20


def _text(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and store.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small jobs")
    parser.add_argument(
        "--out", type=Path, default=None, help="CSV file; benchmarks/results/scaling.csv without --quick"
    )
    parser.add_argument("--one", nargs=3, type=int, metavar=("POINTS", "WIDTH", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        found = distributed.run(lambda: steps(*options.one))
        if found:
            print(json.dumps(found))
        return
    size, width, count = (600, 12, 3) if options.quick else (4000, 20, 5)
    plan = [("strong", 1, size), ("strong", 2, size), ("weak", 1, size), ("weak", 2, 2 * size)]
    lines = []
    for kind, processes, points in plan:
        same = [line for line in lines if (line["processes"], line["points"]) == (processes, points)]
        line = {**(same[0] if same else job(processes, points, width, count)), "kind": kind}
        line["formula"] = memory(line["rows"], line["parameters"], processes)
        lines.append(line)
        print("  ".join(f"{name} {line[name]:.4g}" if name != "kind" else kind for name in COLUMNS), flush=True)
    path = options.out or (None if options.quick else RESULTS)
    if path:
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write(f"# {surroundings()}\n")
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _text(line[name]) for name in COLUMNS} for line in lines)


if __name__ == "__main__":
    main()
