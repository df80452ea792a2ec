"""Kovasznay flow: error of the network against CPU seconds."""

from __future__ import annotations

from matplotlib.figure import Figure

from demo.page import Section
from sciml import MLP
from sciml.problems import navier_stokes
from solvers import PINN

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
