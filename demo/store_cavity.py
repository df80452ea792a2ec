"""Solves the cavity at Re 1000 and stores it for the page: `python -m demo.store_cavity` (about 10 s of CPU)."""

from __future__ import annotations

import warnings
from pathlib import Path

from sciml.errors import ProblemWarning
from sciml.problems import cavity
from solvers import FiniteElement

STORED = Path(__file__).parent / "stored"
REYNOLDS = 1000


def main() -> None:
    """Solve and write `demo/stored/cavity.json` with its arrays."""
    STORED.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the jump of the lid at both corners
        case = cavity.lid(REYNOLDS, "raw")
    solution = FiniteElement(mesh_size=1 / 28, refine=dict.fromkeys(case.problem.faces, 0.01)).solve(case.problem)
    for name, value in case.measure(solution).items():
        print(f"{name}: {value:.5f}, published {case.numbers[name]:.5f}")
    print(solution.save(STORED / "cavity"))


if __name__ == "__main__":
    main()
