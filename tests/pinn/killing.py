"""Child of test_resume: trains in forks that are killed at random moments, until the training is done.

Prints one JSON line: kills survived, the digest of the final state of every finished training, and what it would be
without kills.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from solvers import PINN, RAD
from solvers.pinn import Checkpoint

STEPS = 40


def solver(optimiser: str) -> PINN:
    return PINN(MLP(width=5, depth=1), seed=3, steps=STEPS, tolerance=0, optimiser=optimiser,
                resampler=RAD(every=7, seed=1), progress=False)  # fmt: skip


def problem() -> IBVP:
    x, t = coordinates("x t")
    u = field("u", x, t)
    return IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)},
                [Dirichlet(u, 0)])  # fmt: skip


def train(path: Path, optimiser: str) -> None:
    keep = Checkpoint(path, steps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = solver(optimiser).solve(problem(), [keep], resume=keep.found)
    digest = hashlib.sha256(solution.record.parameters.numpy().tobytes())
    digest.update(solution.points.coordinates.tobytes() + solution.points.weight.tobytes())
    part = path.with_name(f"{path.name}.part")
    part.write_text(digest.hexdigest())
    part.rename(path.with_name(f"{path.name}.done"))


def fork(path: Path, optimiser: str) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(path, optimiser)
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(code)
    return child


def main(folder: Path, kills: int, optimisers: list[str], longest: float) -> None:
    torch.set_num_threads(1)
    problem()  # so that forks find SymPy warm
    generator, survived, finished, run, killed = random.Random(0), 0, [], 0, False
    while survived < kills or not finished or killed:  # what was killed last is finished too
        path, optimiser = folder / f"run{run}", optimisers[run % len(optimisers)]
        child = fork(path, optimiser)
        deadline = time.monotonic() + (generator.uniform(0, longest) if survived < kills else 120)
        ended, status = 0, 0
        while not ended and time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.002)
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            survived, killed = survived + 1, True
        elif status:
            raise SystemExit("a training failed")
        done = path.with_name(f"{path.name}.done")
        if done.exists():
            finished.append([optimiser, done.read_text()])
            run, killed = run + 1, False
    expected = {}
    for optimiser in {name for name, _ in finished}:  # the same trainings, never killed
        path = folder / f"whole-{optimiser}"
        _, status = os.waitpid(fork(path, optimiser), 0)
        if status:
            raise SystemExit("a training failed")
        expected[optimiser] = path.with_name(f"{path.name}.done").read_text()
    print(json.dumps({"survived": survived, "finished": finished, "expected": expected}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","), float(sys.argv[4]))
