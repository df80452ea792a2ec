"""Symmetries on the page: the heat algebra with its flows, and the Burgers table."""

from __future__ import annotations

from typing import Any

import sympy as sp

from demo.page import Section
from sciml import coordinates, field
from solvers import point_symmetries

EPS = sp.Symbol("ε", real=True)
x, t = coordinates("x t")
u = field("u", x, t)


def heat() -> Section:
    """The six symmetries of the heat equation and what each makes of an arbitrary solution."""
    algebra = point_symmetries([sp.Eq(u.diff(t), u.diff(x, 2))], [u])
    section = Section("Symmetries of the heat equation")
    section.text("Derived from the equation alone; the count of the dimension certifies that none is missing.")
    section.code(str(algebra))
    f = sp.Function("f", real=True)
    rows = [(f"X{i}", str(g), _shown(g.transform(f(x, t), EPS))) for i, g in enumerate(algebra.generators, 1)]
    section.table(
        ("", "generator", "solution made of a solution f(x, t)"), rows, "finite transformations with the parameter ε"
    )
    print(f"\n{section.title}\n{'-' * len(section.title)}\n{algebra}")
    for name, generator, made in rows:
        print(f"{name}: {generator:42s} f(x, t) -> {made}")
    return section


def burgers() -> Section:
    """Generators, flows and commutators of Burgers' equation."""
    algebra = point_symmetries([sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2))], [u])
    section = Section("Symmetries of Burgers' equation")
    rows = [(f"X{i}", str(g), _flow(g.flow(EPS))) for i, g in enumerate(algebra.generators, 1)]
    section.code(str(algebra.certificate))
    section.table(("", "generator", "(x, t, u) goes to"), rows, "u_t + u u_x = u_xx: generators and their flows")
    names = [f"X{i}" for i in range(1, len(algebra.generators) + 1)]
    table = [(names[i], *line) for i, line in enumerate(_brackets(algebra))]
    section.table(("[row, column]", *names), table, "commutators")
    return section


def _shown(expression: Any) -> str:
    return str(expression)


def _flow(images: dict[sp.Expr, sp.Expr]) -> str:
    plain = {u: sp.Symbol("u")}
    return "(" + ", ".join(str(images[z].xreplace(plain)) for z in (x, t, u)) + ")"


def _brackets(algebra: Any) -> list[list[str]]:
    """[X_i, X_j] as combinations of generators."""
    constants = algebra.structure_constants()
    count = len(algebra.generators)
    symbols = sp.symbols(f"X1:{count + 1}")
    return [
        [str(sp.Add(*[constants[i][j][k] * symbols[k] for k in range(count)])) for j in range(count)]
        for i in range(count)
    ]
