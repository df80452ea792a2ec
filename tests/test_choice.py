"""solve() picks a solver that serves, and says why."""

import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Observations, ProblemError, Rectangle, SolverError, coordinates, field
from solvers import solve

x, y, t = coordinates("x y t")
u, w, v = field("u", x, t), field("w", x, y), field("v", x)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)},
            boundary=[Dirichlet(u, 0)])  # fmt: skip


def test_linear_problems_go_to_the_symmetries() -> None:
    solution = solve(HEAT)
    assert type(solution).__name__ == "LieSolution"
    assert solution.status.startswith("LieSolver, because the problem is linear")
    assert solution.error(sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x)).maximum["u"] < 1e-12


def test_linear_problems_without_enough_symmetries_go_to_finite_elements() -> None:
    exact = sp.sin(3 * x) * sp.exp(y) + x * y
    operator = ((1 + x**2 * y**2) * w.diff(x)).diff(x) + (2 + sp.cos(4 * x * y)) * w.diff(y, 2)
    source = operator.subs(w, exact).doit()
    problem = IBVP(sp.Eq(operator, source), Rectangle((x, 0, 1), (y, 0, 1)), boundary=[Dirichlet(w, exact)])
    solution = solve(problem)
    assert solution.error(exact).relative_l2["w"] < 1e-4
    assert "because" in solution.status


def test_nonlinear_and_inverse_problems_go_to_the_network() -> None:
    nonlinear = IBVP(sp.Eq(v.diff(x, 2), v**3 - sp.sin(x) - sp.sin(x) ** 3), Interval(x, 0, sp.pi),
                     boundary=[Dirichlet(v, 0)])  # fmt: skip
    solution = solve(nonlinear, callbacks=[lambda step, total, values: step >= 60])
    assert solution.status.startswith("PINN, because the problem is nonlinear")
    assert solution.error(sp.sin(x)).relative_l2["v"] < 1e-4
    a = sp.Symbol("a", positive=True)
    seen = [Observations(v, [[0.5]], [1 / 16])]
    inverse = IBVP(sp.Eq(a * v.diff(x, 2), -1), Interval(x, 0, 1), boundary=[Dirichlet(v, 0)],
                   unknowns={a: (1, 0.1, 10)}, observations=seen)  # fmt: skip
    assert "estimated" in solve(inverse, callbacks=[lambda step, total, values: step >= 20]).status


def test_a_named_solver_is_taken() -> None:
    assert type(solve(HEAT, method="fem")).__name__ == "FiniteElementSolution"
    with pytest.raises(SolverError, match="auto, lie, pinn, fem"):
        solve(HEAT, method="magic")
    with pytest.raises(ProblemError, match="an IBVP"):
        solve("heat")  # type: ignore[arg-type]
