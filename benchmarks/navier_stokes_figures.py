"""Figures of docs/navier_stokes.md from stored flows: `python -m benchmarks.navier_stokes_figures FOLDER IMAGES`.

FOLDER is what `python -m benchmarks.navier_stokes --solutions FOLDER` wrote for `cavity_raw` and `dfg`.
"""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

import numpy as np

from benchmarks.navier_stokes import raw_lid
from sciml import load_solution
from sciml.errors import ProblemWarning
from sciml.flows.subtraction import RestoredSolution
from sciml.plotting import plot_flow, plot_profiles

TABLES = Path(__file__).parents[1] / "tests" / "data"


def published(name: str, place: str, value: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of a table of Ghia, Ghia and Shin 1982."""
    with (TABLES / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row[place]) for row in rows]), np.array([float(row[value]) for row in rows])


def main(folder: Path, images: Path) -> None:
    """Write the figures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the jump of the lid
        case, _, known = raw_lid(100)
        flows = {
            "PINN": RestoredSolution(case.problem, load_solution(folder / "cavity_raw-PINN"), known),
            "finite elements": load_solution(folder / "cavity_raw-FiniteElement"),
        }
    tables = [
        {"Ghia et al. 1982": published("ghia1982_u_vertical_centreline.csv", "y", "u_Re100")},
        {"Ghia et al. 1982": published("ghia1982_v_horizontal_centreline.csv", "x", "v_Re100")},
    ]
    lines = [("u", (0.5, 0.0), (0.5, 1.0)), ("v", (0.0, 0.5), (1.0, 0.5))]
    plot_profiles(flows, lines, tables).savefig(images / "flow-cavity-profiles.png", dpi=90)
    plot_flow(load_solution(folder / "dfg-PINN"), "vorticity", resolution=300).savefig(
        images / "flow-cylinder.png", dpi=90
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
