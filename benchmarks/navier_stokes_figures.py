"""Figures of docs/navier_stokes.md from stored flows: `python -m benchmarks.navier_stokes_figures FOLDER IMAGES`.

FOLDER is what `python -m benchmarks.navier_stokes --solutions FOLDER` wrote; a flow that is not there has no figure.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.navier_stokes_cases import DFG_CHANNEL, raw_lid, undisturbed
from sciml import Solution, load_solution
from sciml.flows import vorticity
from sciml.flows.subtraction import RestoredSolution
from sciml.plotting import plot_flow, plot_profiles
from sciml.problems.cylinder import dfg_steady

TABLES = Path(__file__).parents[1] / "tests" / "data"
CAVITIES = {"cavity_raw": 100, "cavity_raw_400": 400, "cavity_raw_1000": 1000}
LINES = [("u", (0.5, 0.0), (0.5, 1.0)), ("v", (0.0, 0.5), (1.0, 0.5))]


def published(name: str, place: str, value: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of a table of Ghia, Ghia and Shin 1982."""
    with (TABLES / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row[place]) for row in rows]), np.array([float(row[value]) for row in rows])


def cavity_flows(folder: Path, name: str, reynolds: int) -> dict[str, Solution]:
    """The network's flow with its corner flows put back, and that of finite elements."""
    case, rest, known = raw_lid(reynolds)
    found = load_solution(folder / f"{name}-PINN", problem=rest)
    return {"PINN": RestoredSolution(case.problem, found, known),
            "finite elements": load_solution(folder / f"{name}-FiniteElement")}  # fmt: skip


def cylinder_flows(folder: Path) -> dict[str, Solution]:
    """DFG 2D-1 by the network with the flow of the empty channel put back, and by finite elements."""
    problem = dfg_steady().problem
    rest, known = undisturbed(problem, *DFG_CHANNEL)
    found = load_solution(folder / "dfg-PINN", problem=rest)
    return {"PINN": RestoredSolution(problem, found, known),
            "finite elements": load_solution(folder / "dfg-FiniteElement")}  # fmt: skip


def on_the_cylinder(flows: dict[str, Solution]) -> Figure:
    """Pressure and vorticity on the cylinder, whose integrals are the forces."""
    angle = np.linspace(-np.pi, np.pi, 361)
    points = 2 + 0.5 * (1 + 1e-9) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    figure = Figure(figsize=(10.4, 4.0), layout="constrained")
    axes = figure.subplots(1, 2)
    for (label, flow), style in zip(flows.items(), ("-", "k--"), strict=True):
        axes[0].plot(np.degrees(angle), flow.evaluate(points)[:, 2], style, label=label)
        axes[1].plot(np.degrees(angle), vorticity(flow, points), style, label=label)
    for axis, name in zip(axes, ("pressure", "vorticity"), strict=True):
        axis.set(xlabel="angle from downstream in degrees", ylabel=name)
        axis.legend()
    return figure


def figures(folder: Path) -> Iterator[tuple[str, Figure]]:
    """Names and figures of all flows that are stored."""
    for name, reynolds in CAVITIES.items():
        if not (folder / f"{name}-PINN.json").exists():
            continue
        flows = cavity_flows(folder, name, reynolds)
        tables = [
            {"Ghia et al. 1982": published("ghia1982_u_vertical_centreline.csv", "y", f"u_Re{reynolds}")},
            {"Ghia et al. 1982": published("ghia1982_v_horizontal_centreline.csv", "x", f"v_Re{reynolds}")},
        ]
        yield f"flow-cavity-{reynolds}-profiles.png", plot_profiles(flows, LINES, tables)
        yield f"flow-cavity-{reynolds}.png", plot_flow(flows["PINN"], resolution=200)
    if (folder / "dfg-PINN.json").exists():
        flows = cylinder_flows(folder)
        yield "flow-cylinder.png", plot_flow(flows["PINN"], resolution=400)
        yield "flow-cylinder-wall.png", on_the_cylinder(flows)


def main(folder: Path, images: Path) -> None:
    """Write the figures."""
    images.mkdir(exist_ok=True)
    for name, figure in figures(folder):
        figure.savefig(images / name, dpi=90)
        print(images / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
