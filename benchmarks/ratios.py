"""Ratios that must not fall: ours beside peers in the same rounds, stored with their spread.

`python -m benchmarks.ratios [--quick] [--out CSV] [--check OLD.csv]`. Absolute times belong to a machine and its load;
the ratio of two pieces of work done in turn, on one thread and by the CPU clock, does not.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from benchmarks.engine import ENGINES, burgers, iteration, kovasznay
from benchmarks.surroundings import THREADS, surroundings
from sciml import MLP

RESULTS = Path(__file__).parent / "results" / "ratios.csv"
FALL = 0.9  # of the old lower quartile, below which the new upper quartile is a regression
Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """One comparison; larger is better.

    Attributes:
        case: What was done.
        peer: Beside what.
        ours: Our figure, median.
        theirs: The peer's.
        unit: Of both.
        ratio: Median of theirs over ours, round by round.
        low: Lower quartile.
        high: Upper quartile.
        rounds: Number of rounds.
    """

    case: str
    peer: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, case: str, peer: str, ours: Sequence[float], theirs: Sequence[float], unit: str) -> Ratio:
        """From paired figures.

        Args:
            case: What was done.
            peer: Beside what.
            ours: One figure per round.
            theirs: The peer's, in the same rounds.
            unit: Of both.
        """
        low, middle, high = np.percentile(np.divide(theirs, ours), [25, 50, 75])
        return cls(case, peer, float(np.median(ours)), float(np.median(theirs)), unit,
                   float(middle), float(low), float(high), len(ours))  # fmt: skip


def rounds(work: dict[str, Work], count: int) -> dict[str, list[float]]:
    """CPU milliseconds of every piece of work, taken in turn, after one round that warms up.

    Args:
        work: Name -> function.
        count: Number of rounds.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    for number in range(count + 1):
        for name, function in work.items():
            start = time.process_time()
            function()
            if number:
                times[name].append(1e3 * (time.process_time() - start))
    return times


def engines(count: int) -> list[Ratio]:
    """One loss and gradient by our engine beside nested autograd and torch.func."""
    found = []
    for case, (problem, points), model in (
        ("Kovasznay iteration", kovasznay(2601, 400), MLP(50, 4, inputs=2, outputs=3)),
        ("Burgers iteration", burgers(2540, 240), MLP(32, 3, inputs=2, outputs=1)),
    ):
        times = rounds({name: iteration(problem, points, model, engine) for name, engine in ENGINES.items()}, count)
        ours = times.pop("streams")
        found += [Ratio.of(case, name, ours, theirs, "ms") for name, theirs in times.items()]
    return found


def peak_share(count: int) -> list[Ratio]:
    """The share of the dgemm peak in one Kovasznay iteration, and of its time that its products alone would take."""
    (problem, points), model = kovasznay(2601, 400), MLP(50, 4, inputs=2, outputs=3)
    square = torch.rand(1024, 1024, dtype=torch.float64)
    sizes = [(2, 50), (50, 50), (50, 50), (50, 50), (50, 3)]
    # value, two slopes and one sum of second derivatives inside; values alone on the boundary
    pieces = [(torch.rand(n, i, dtype=torch.float64), torch.rand(i, o, dtype=torch.float64))
              for n in (4 * 2601, 400) for i, o in sizes]  # fmt: skip
    flops = sum(3 * 2 * a.shape[0] * b.numel() for a, b in pieces)

    def products() -> None:
        for rows, weights in pieces:
            image = rows @ weights
            image @ weights.T
            rows.T @ image

    times = rounds({"iteration": iteration(problem, points, model, ENGINES["streams"]), "products": products,
                    "square": lambda: square @ square}, count)  # fmt: skip
    ours = times["iteration"]
    peak = [2 * 1024**3 / value for value in times["square"]]  # flop per ms
    ideal = [flops / rate for rate in peak]
    return [Ratio.of("share of the dgemm peak in a Kovasznay iteration", "dgemm 1024", ours, ideal, "ms"),
            Ratio.of("share of a Kovasznay iteration that its products take", "its products alone", ours,
                     times["products"], "ms")]  # fmt: skip


_IMPORT = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
_MEMORY = """
import torch
from benchmarks.engine import ENGINES, iteration, kovasznay
from benchmarks.surroundings import begin_peak, peak
from sciml import MLP
torch.set_num_threads(1)
(problem, points), model = kovasznay(26010, 4000), MLP(50, 4, inputs=2, outputs=3)
begin_peak()
before = peak()
step = iteration(problem, points, model, ENGINES["{}"])
step(), step()
print(peak() - before)
"""


def child(code: str) -> float:
    """The number that a Python process prints."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def processes(count: int) -> list[Ratio]:
    """Import time beside that of what we need; peak memory of an iteration beside nested autograd."""
    peers = {"torch, sympy, scipy, matplotlib": "torch, sympy, scipy.optimize, matplotlib.figure"}
    for name in ("deepxde", "pina"):
        try:
            version({"pina": "pina-mathlab"}.get(name, name))
            peers[name] = name
        except PackageNotFoundError:
            print(f"{name} is not installed")
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    memory: dict[str, list[float]] = {"streams": [], "nested autograd": []}
    for _ in range(count):
        ours.append(child(_IMPORT.format("sciml, solvers, influence")))
        for name, modules in peers.items():
            theirs[name].append(child(_IMPORT.format(modules)))
        for name, values in memory.items():
            values.append(child(_MEMORY.format(name)))
    found = [Ratio.of("import", name, ours, values, "s") for name, values in theirs.items()]
    both = memory["streams"], memory["nested autograd"]
    return [*found, Ratio.of("memory of a Kovasznay iteration, 30010 points", "nested autograd", *both, "MiB")]


def write(path: Path, found: Sequence[Ratio]) -> None:
    """A CSV file whose comments hold machine, versions and commit."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {surroundings()}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(Ratio)])
        writer.writerows([f"{value:.4g}" if isinstance(value, float) else value for value in astuple(line)]
                         for line in found)  # fmt: skip


def read(path: Path) -> tuple[str, list[Ratio]]:
    """Surroundings and ratios of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kinds = {field.name: {"float": float, "int": int}.get(str(field.type), str) for field in fields(Ratio)}
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return lines[0].removeprefix("# "), [Ratio(**{k: kinds[k](v) for k, v in row.items()}) for row in rows]


def regressions(old: Sequence[Ratio], new: Sequence[Ratio]) -> list[str]:
    """What has become worse than the spread of both explains, and what is missing.

    Args:
        old: Ratios before.
        new: Ratios now.

    Returns:
        One line each.
    """
    now = {(line.case, line.peer): line for line in new}
    found = []
    for before in old:
        after = now.get((before.case, before.peer))
        name = f"{before.case} beside {before.peer}"
        if after is None:
            if before.peer not in ("deepxde", "pina"):  # peers need not be installed
                found.append(f"{name}: not measured any more")
        elif after.high < FALL * before.low:
            found.append(f"{name}: {before.ratio:.3g} [{before.low:.3g}, {before.high:.3g}] fell to "
                         f"{after.ratio:.3g} [{after.low:.3g}, {after.high:.3g}]")  # fmt: skip
    return found


def table(found: Sequence[Ratio]) -> str:
    """Markdown."""
    lines = ["| case | ours | peer | peer's | ratio | quartiles |", "|---|---|---|---|---|---|"]
    lines += [f"| {r.case} | {r.ours:.3g} {r.unit} | {r.peer} | {r.theirs:.3g} {r.unit} | **{r.ratio:.2f}** | "
              f"{r.low:.2f} – {r.high:.2f} |" for r in found]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare, store; the exit status is 1 where a ratio fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--out", type=Path, help="CSV file to write")
    parser.add_argument("--check", type=Path, metavar="OLD.csv", help="ratios that must not fall")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    count = 5 if options.quick else 30
    found = [*engines(count), *peak_share(count), *processes(1 if options.quick else 7)]
    print(f"{surroundings()}\n\n{table(found)}")
    if options.out:
        write(options.out, found)
    worse = regressions(read(options.check)[1], found) if options.check else []
    if options.check:
        print("\n" + ("\n".join(worse) or f"no ratio fell against {options.check}"))
    return int(bool(worse))


if __name__ == "__main__":
    raise SystemExit(main())
