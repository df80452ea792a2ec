"""Every benchmark, one after another, each in a process of its own on one thread: `python -m benchmarks [--quick]`.

Peers that are not installed are left out, and that is said. `--write` puts the tables, with date, machine, versions
and commit, on a page.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ratios
from benchmarks.surroundings import THREADS, surroundings

BENCHMARKS = {
    "ratios": "Ratios to peers: engine, import, memory, share of the dgemm peak",
    "engine": "Derivative engine: milliseconds of one training iteration",
    "symmetries": "Lie point symmetries",
    "lie_solver": "LieSolver",
    "lie_solver_unseen": "LieSolver on problems invented after it",
    "influence": "Influence functions against true refits",
    "influence_problems": "Influence on the seven problems",
    "diagnosis": "Diagnosis: indicators and planted faults",
    "quantum": "Quantum networks and explainers",
    "pinn": "PINN trainer",
    "pinn_unseen": "PINN on problems outside the library",
    "navier_stokes": "Navier-Stokes flows",
    "resampling": "Adaptive resampling",
    "scaling": "One and two processes",
}


@dataclass(frozen=True)
class Outcome:
    """What one benchmark printed, its exit status (0 unless a bar is missed or it failed) and its CPU seconds."""

    name: str
    command: str
    text: str
    status: int
    seconds: float


def run(name: str, quick: bool) -> Outcome:
    """One benchmark; its lines are shown as they come."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONUNBUFFERED": "1"}
    before, lines = resource.getrusage(resource.RUSAGE_CHILDREN), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Outcome(name, " ".join(["python", *command[1:]]), "".join(lines), process.returncode, seconds)


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: every table as it was printed, below its command."""
    parts = ["# How accurate, how fast", "", f"{surroundings()}.", ""]
    parts += [
        "Written by `python -m benchmarks --write PAGE`; each table is what its command printed.",
        "",
    ]
    for outcome in outcomes:
        verdict = "" if outcome.status == 0 else f" Exit status {outcome.status}: a bar missed, or a failure."
        parts += [
            f"## {BENCHMARKS[outcome.name]}",
            "",
            f"`{outcome.command}`, {outcome.seconds:.0f} CPU-s.{verdict}",
            "",
        ]
        parts += ["```text", outcome.text.rstrip(), "```", ""]
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; the exit status is 1 if one failed or missed a bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the quick form of each")
    parser.add_argument("--only", nargs="*", choices=list(BENCHMARKS), default=list(BENCHMARKS))
    parser.add_argument("--write", type=Path, help="a Markdown page to write")
    parser.add_argument("--check", type=Path, metavar="OLD.csv", help="measure the ratios alone; 1 where one fell")
    options = parser.parse_args(arguments)
    if options.check:
        return ratios.main(["--check", str(options.check), *(["--quick"] if options.quick else [])])
    outcomes = []
    for name in options.only:
        print(f"== {BENCHMARKS[name]}", flush=True)
        outcomes.append(run(name, options.quick))
    if options.write:
        options.write.write_text(page(outcomes) + "\n", encoding="utf-8")
    print("\nbenchmark           status   CPU-s")
    for outcome in outcomes:
        print(f"{outcome.name:20s}{'ok' if outcome.status == 0 else 'missed':6s}{outcome.seconds:8.0f}")
    return int(any(outcome.status for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
