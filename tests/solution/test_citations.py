"""What to cite follows from what was used."""

import re

import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Interval, SolverError, cite, coordinates, field
from solvers import PINN, FiniteElement

x = coordinates("x")
u = field("u", x)
PROBLEM = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])


def test_citations_follow_the_solver() -> None:
    hard = cite(PINN(MLP(width=4, depth=1), steps=2).solve(PROBLEM))
    soft = cite(PINN(MLP(width=4, depth=1), steps=2, constraints="soft").solve(PROBLEM))
    assert [one.key for one in hard][:2] == ["raissi2019", "lagaris1998"]
    assert hard[1].reason == "dirichlet u: met exactly by construction"  # which, not only that
    assert "lagaris1998" not in [one.key for one in soft]
    assert [one.key for one in cite(FiniteElement().solve(PROBLEM))] == ["gustafsson2020", "meurer2017"]


def test_bibtex_is_well_formed() -> None:
    entries = cite(PINN(MLP(width=4, depth=1), steps=2).solve(PROBLEM)).bibtex()
    assert entries.count("@article{") == 7
    assert entries.count("{") == entries.count("}")
    assert re.search(r"eprint = \{1201\.5885\}", entries)


def test_only_solutions_are_cited() -> None:
    with pytest.raises(SolverError, match="a solution"):
        cite(PROBLEM)  # type: ignore[arg-type]
