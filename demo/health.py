"""Health cards on the page: a heat PINN that is well, and one whose boundary values are wrong on a piece of a face."""

from __future__ import annotations

import sympy as sp

from demo.cases import heat as heat_case
from demo.page import Section
from influence import diagnose
from sciml import MLP, Dirichlet
from solvers import PINN


def cards() -> list[Section]:
    """Train both, diagnose them, print the cards."""
    problem = heat_case().problem
    u, t = problem.fields[0], problem.coordinates[-1]
    hot = sp.Piecewise((sp.Rational(1, 2), (t > sp.Rational(1, 4)) & (t < sp.Rational(7, 20))), (0, True))
    faces = [Dirichlet(u, 0, on="left"), Dirichlet(u, hot, on="right")]
    faulty = problem.replace(boundary=faces, name="heat equation with a wrong piece of boundary data")
    sections = []
    for stated, remark in (
        (problem, "Nothing is wrong here, and the card says so."),
        (faulty, "The right end was given u = 1/2 for a while. The card is not told, and finds the place."),
    ):
        solution = PINN(MLP(width=16, depth=2), seed=0, steps=60, constraints="soft", progress=False).solve(stated)
        report = diagnose(solution)
        print(f"\nHealth card\n-----------\n{report}")
        section = Section(f"Health card: {stated.name}")
        section.text(remark)
        section.code(str(report))
        section.figure(report.plot(), report.verdict)
        sections.append(section)
    return sections
