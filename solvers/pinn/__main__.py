"""Solve a problem of the library: `python -m solvers.pinn burgers.shock --seconds 20 --save out`.

On several processes: `torchrun --nproc-per-node 2 -m solvers.pinn burgers.shock --seconds 20 --save out`.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sciml import MLP, distributed
from sciml.errors import ScimlError
from sciml.problems import library
from solvers.pinn import PINN, Checkpoint, Counts


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m solvers.pinn", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", help="name in the library, as burgers.shock; `list` prints all")
    parser.add_argument("--seconds", type=float, help="CPU seconds of the first process")
    parser.add_argument("--steps", type=int, help="most steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--width", type=int, help="width of a tanh network; without it the solver chooses")
    parser.add_argument("--depth", type=int, default=3, help="its number of hidden layers")
    parser.add_argument("--points", type=int, help="points inside; a quarter as many on each face and at the start")
    parser.add_argument("--optimiser", default="auto", help="auto, lm, adam, lbfgs, ...")
    parser.add_argument("--device", help="where to train, as cuda; the CPU without it")
    parser.add_argument("--save", type=Path, help="path without suffix for the solution")
    parser.add_argument("--checkpoint", type=Path, help="path without suffix; resumed where it exists")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between checkpoints")
    return parser.parse_args(arguments)


def solve(options: argparse.Namespace) -> int:
    """Solve, report and save; on several processes this runs on the first of them.

    Args:
        options: From `parsed`.

    Returns:
        Exit status.
    """
    known = library()
    if options.problem not in known:
        print("\n".join(known), file=sys.stdout if options.problem == "list" else sys.stderr)
        return 0 if options.problem == "list" else 2
    case = known[options.problem]()
    counts = None if options.points is None else Counts(*[options.points, *[max(1, options.points // 4)] * 2])
    network = None if options.width is None else MLP(width=options.width, depth=options.depth)
    keep = None if options.checkpoint is None else Checkpoint(options.checkpoint, seconds=options.every)
    try:
        solver = PINN(
            network, seed=options.seed, seconds=options.seconds, steps=options.steps, points=counts,
            optimiser=options.optimiser, device=options.device,
        )  # fmt: skip
        solution = solver.solve(case.problem, [keep] if keep else [], resume=keep.found if keep else None)
    except ScimlError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    crew = distributed.present_crew()
    print(f"{case.problem.name}, {crew.size if crew else 1} process(es)\n{solution.status}")
    if case.reference is not None:
        print(solution.error(case.reference))
    if options.save:
        solution.save(options.save)
        print(f"saved {options.save}")
    return 0


def main(arguments: Sequence[str] | None = None) -> Any:
    """Exit status of the first process; None on the others."""
    return distributed.run(functools.partial(solve, parsed(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
