"""LieSolver on the page: heat, wave, L-shape and Burgers' equation as sums of exact solutions, with error bounds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.figure import Figure

from demo.page import Section
from sciml.problems import burgers, heat, laplace, wave
from solvers import LieSolver

_THIN = sp.Rational(1, 100) / sp.pi
CASES = {
    "heat: a jump in the data": heat.jump,
    "wave: two steep fronts": wave.step,
    "Laplace: L-shape, u = x² on the boundary": laplace.l_shape,
    "Burgers: viscosity 0.01/π": lambda: burgers.sine(_THIN),
}
BOUNDED = ("heat", "wave")
"""Those whose bound takes less than a second."""
HEAD = ("problem", "terms", "error at a known point", "error bound", "CPU seconds", "status")


def four() -> Section:
    """Four problems solved, their figures in one."""
    section = Section("Exact solutions by symmetries")
    section.text(
        "Each answer is a sum of functions that solve the equation exactly; one linear solve fits it to the data. "
        "The known values come from series and from Trefethen's challenge, not from this package."
    )
    rows, solved = [], []
    print(f"\n{section.title}\n{'-' * len(section.title)}")
    for title, make in CASES.items():
        case = make()
        start = time.process_time()
        lie = LieSolver().solve(case.problem)
        seconds = time.process_time() - start
        solved.append((title, lie))
        (place, value), *_ = case.values.items()
        error = abs(float(lie.evaluate([list(place)])[0, 0]) - value)
        bound = getattr(lie, "error_bound", None) if title.startswith(BOUNDED) else None
        written = "not asked for" if bound is None else f"{bound:.1e}"
        terms = str(len(getattr(lie, "terms", ()))) if hasattr(lie, "terms") else "an integral"
        rows.append((title, terms, f"{error:.1e}", written, f"{seconds:.1f}", lie.status))
        print(f"{title:42s} {terms:>11s} terms  error {error:.1e}  bound {written}  {seconds:.1f} s CPU")
    section.table(HEAD, rows, "the bound is a proven bound of the error over the whole domain")
    section.figure(picture(solved), "heat, wave, L-shape and Burgers by LieSolver")
    section.code(formula(solved[0][1]))
    return section


def formula(lie: Any) -> str:
    """The first term of an answer, with the generators that made it."""
    term = lie.terms[0]
    return "\n".join([f"u = {term.amplitude:g} · [{str(term.atom)[:160]} ...", "made by", *map(str, term.generators)])


def picture(solved: list[tuple[str, Any]]) -> Figure:
    """The fields side by side.

    Args:
        solved: Titles and solutions.

    Returns:
        One figure.
    """
    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    for axis, (title, solution) in zip(axes, solved, strict=True):
        problem = solution.problem
        (a, b), (c, d) = problem.bounds
        x, y = np.meshgrid(np.linspace(a, b, 161), np.linspace(c, d, 161), indexing="ij")
        points = np.column_stack([x.ravel(), y.ravel()])
        inside = np.ones(len(points), dtype=bool) if problem.time else problem.domain.contains(points)
        values = np.full(len(points), np.nan)
        values[inside] = solution.evaluate(points[inside])[:, 0]
        mesh = axis.pcolormesh(x, y, values.reshape(x.shape), cmap="viridis", shading="gouraud", rasterized=True)
        figure.colorbar(mesh, ax=axis, label="u")
        axis.set(title=title, xlabel=str(problem.coordinates[0]), ylabel=str(problem.coordinates[1]))
    return figure
