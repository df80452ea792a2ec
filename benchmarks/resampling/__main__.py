"""Compare samplers: `python -m benchmarks.resampling [--quick]`."""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.resampling.arms import ABLATIONS, ARMS, MAIN, OPTIMISERS, PROBLEMS
from benchmarks.resampling.page import HEAD, TESTS, comparisons_of, lines_of, markdown, ranking, write_page
from benchmarks.resampling.study import Plan, run_all

RESULTS = Path("benchmarks/results")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and print the tables.

    Args:
        arguments: Command line.
    """
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    plan = Plan(
        options.problems or (("diffusion", "Burgers") if options.quick else tuple(PROBLEMS)),
        options.samplers or (("fixed", "RAD", "ours") if options.quick else tuple(MAIN)),
        options.seeds or (2 if options.quick else 10), options.seconds or (2.0 if options.quick else 60.0),
        options.points, options.width, options.depth, options.optimiser, _clock(options.until),
    )  # fmt: skip
    path = options.out or RESULTS / ("resampling-quick.csv" if options.quick else "resampling.csv")
    outcomes = run_all(plan, path, executor=options.processes)
    if not outcomes:
        print("no run was made")
        return
    how = (
        f"tanh network {plan.depth} x {plan.width}, {plan.points} interior points, {plan.optimiser}, {plan.seconds:g} "
        f"CPU seconds each on one thread, choosing points included; {len(outcomes)} runs"
    )
    print(f"\n{how}\n\n{markdown(HEAD, lines_of(outcomes))}")
    if len({outcome.sampler for outcome in outcomes}) > 1 and "ours" in plan.samplers:
        print(f"\n{markdown(TESTS, comparisons_of(outcomes))}\n\nmean ranks: {ranking(outcomes)}")
    write_page(outcomes, path.with_suffix(".html"), how)
    print(f"\n{path} and {path.with_suffix('.html')}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 problems x 3 samplers x 2 seeds of 2 CPU seconds")
    parser.add_argument("--problems", nargs="*", help=f"{', '.join(PROBLEMS)}, or names of the library")
    parser.add_argument("--samplers", nargs="*", choices=list(ARMS), metavar="NAME", help=", ".join(ARMS))
    parser.add_argument("--seeds", type=int, help="number of paired seeds; 10")
    parser.add_argument("--seconds", type=float, help="CPU seconds of each run; 60")
    parser.add_argument("--points", type=int, default=1000, help="interior points")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--optimiser", choices=list(OPTIMISERS), default="lm")
    parser.add_argument("--out", type=Path, help="CSV file; runs that it holds are not made again")
    parser.add_argument("--processes", type=int, help="runs side by side; each is timed by its own CPU clock")
    parser.add_argument("--until", help="HH:MM after which no run is begun")
    parser.epilog = f"ablations: {', '.join(ABLATIONS)}"
    return parser


def _clock(text: str | None) -> float | None:
    if text is None:
        return None
    hour, minute = map(int, text.split(":"))
    today = datetime.datetime.now().astimezone()
    wanted = today.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
    return wanted if wanted > time.time() else wanted + 86400


if __name__ == "__main__":
    main()
