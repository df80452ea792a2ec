"""LieSolver on systems with constant coefficients."""

import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, coordinates, field
from solvers.lie import LieSolver

x, t = coordinates("x t")
p, v = field("p", x, t), field("v", x, t)


def test_acoustics_between_walls() -> None:
    exact = {p: sp.cos(sp.pi * x) * sp.cos(sp.pi * t), v: sp.sin(sp.pi * x) * sp.sin(sp.pi * t)}
    problem = IBVP([p.diff(t) + v.diff(x), v.diff(t) + p.diff(x)], Interval(x, 0, 1), (t, 0, 1),
                   {p: exact[p].subs(t, 0), v: 0}, [Dirichlet(v, 0)])  # fmt: skip
    lie = LieSolver().solve(problem)
    assert max(lie.error(exact).relative_l2.values()) < 1e-10
    assert float(lie(x=0.3, t=0.4)["p"]) == pytest.approx(0.181635632, rel=1e-6)
