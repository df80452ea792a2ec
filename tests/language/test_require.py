"""What is no problem is refused by every solver before anything is done."""

from typing import Any

import pytest

from sciml import MLP, Interval, ProblemError, coordinates, field
from sciml.conditions import Dirichlet, Periodic
from solvers import PINN, FiniteElement, LieSolver

x, t = coordinates("x t")
u = field("u", x, t)


@pytest.mark.parametrize("given", [None, 3, "heat", Interval(x, 0, 1)])
def test_solvers_want_a_problem(given: Any) -> None:
    for solver in (PINN(MLP(4, 1)), FiniteElement(), LieSolver()):
        with pytest.raises(ProblemError, match="an IBVP to solve"):
            solver.solve(given)


@pytest.mark.parametrize("on", [x, 3, [x], []])
def test_faces_are_names(on: Any) -> None:
    for condition in (Dirichlet, Periodic):
        with pytest.raises(ProblemError, match="a face name"):
            condition(u, on=on)
