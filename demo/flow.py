"""Flows: error of the network against CPU seconds for Kovasznay's; the cavity beside the points of 1982."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np

from demo.page import Section
from demo.store_cavity import REYNOLDS, STORED
from sciml import MLP, load_solution
from sciml.errors import ProblemWarning
from sciml.flows import mass_balance, stream_function
from sciml.plotting import plot_flow, plot_profiles
from sciml.plotting.figure import Figure
from sciml.problems import cavity as cavities
from sciml.problems import navier_stokes
from solvers import PINN

TABLES = Path(__file__).parents[1] / "tests" / "data"
BUDGETS = (5, 10, 20, 40)


def kovasznay() -> Section:
    """A Navier-Stokes solution from its boundary velocities alone, with several budgets of CPU time."""
    case = navier_stokes.kovasznay()
    section = Section("Kovasznay flow, Re 20")
    section.text(
        "Steady Navier-Stokes equations; velocities are given on the boundary, the pressure nowhere. Each row is a "
        "training of its own with the same network (3 layers of 20) and seed, stopped by its budget of CPU time."
    )
    print(f"\n{section.title}\n{'-' * len(section.title)}")
    names, errors, rows = case.problem.field_names, [], []
    for seconds in BUDGETS:
        solution = PINN(MLP(width=20, depth=3), seed=0, seconds=seconds, tolerance=0).solve(case.problem)
        relative = solution.error(case.reference).relative_l2
        errors.append([relative[name] for name in names])
        rows.append((f"{seconds}", *(f"{value:.1e}" for value in errors[-1])))
        print(f"{seconds:4d} s CPU   " + "   ".join(f"{name}: {relative[name]:.1e}" for name in names))
    section.table(("CPU seconds", *(f"relative L2 error of {name}" for name in names)), rows)
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axis = figure.subplots()
    for i, name in enumerate(names):
        axis.loglog(BUDGETS, [line[i] for line in errors], "o-", label=name)
    axis.set_xticks(BUDGETS, [str(seconds) for seconds in BUDGETS], minor=False)
    axis.set_xticks([], minor=True)
    axis.set_xlabel("CPU time / s")
    axis.set_ylabel("relative L2 error")
    axis.grid(visible=True, which="major", alpha=0.3)
    axis.legend()
    section.figure(figure, "error against CPU seconds", width=640)
    section.figure(solution.plot(compare=case.reference), "the last of them beside the exact solution")
    return section


def published(name: str, place: str, value: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of a table of Ghia, Ghia and Shin 1982."""
    with (TABLES / name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row[place]) for row in rows]), np.array([float(row[value]) for row in rows])


def cavity() -> Section:
    """The lid-driven cavity from a stored solution, with streamlines and the points of 1982."""
    section = Section(f"Lid-driven cavity, Re {REYNOLDS}")
    section.text(
        "Taylor-Hood elements on a mesh refined at the walls, stored by `python -m demo.store_cavity`. The lid moves "
        "to the right and jumps at both upper corners. Points: Ghia, Ghia and Shin 1982."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the jump of the lid
        case, solution = cavities.lid(REYNOLDS, "raw"), load_solution(STORED / "cavity")
    rows = [(name, f"{value:.5f}", f"{case.numbers[name]:.5f}", f"{abs(value / case.numbers[name] - 1):.1e}")
            for name, value in case.measure(solution).items()]  # fmt: skip
    vortex = float(stream_function(solution, [[0.5308, 0.5652]], (0.5, 0.0))[0])
    gap = f"{abs(vortex / -0.1189366 - 1):.1e}"
    rows.append(("stream function in the primary vortex", f"{vortex:.5f}", "-0.11894", gap))
    section.table(("quantity", "computed", "Botella and Peyret 1998", "relative difference"), rows)
    section.text(f"Net mass flux through the boundary: {mass_balance(solution).net:.1e}.")
    print(f"\n{section.title}: " + ", ".join(f"{row[0]} {row[1]} ({row[3]})" for row in rows))
    section.figure(plot_flow(solution, resolution=200), "streamlines over the speed", width=560)
    tables = [
        {"Ghia et al. 1982": published("ghia1982_u_vertical_centreline.csv", "y", f"u_Re{REYNOLDS}")},
        {"Ghia et al. 1982": published("ghia1982_v_horizontal_centreline.csv", "x", f"v_Re{REYNOLDS}")},
    ]
    lines = [("u", (0.5, 0.0), (0.5, 1.0)), ("v", (0.0, 0.5), (1.0, 0.5))]
    section.figure(plot_profiles({"FiniteElement": solution}, lines, tables), "velocities on the centrelines")
    return section
