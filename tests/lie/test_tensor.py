"""Heat and waves on rectangles by products of modes."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Neumann, Rectangle, Robin, coordinates, field, load_solution
from sciml.problems import wave
from solvers.lie import LieSolver

x, y, t = coordinates("x y t")
u = field("u", x, y, t)
LAPLACIAN = u.diff(x, 2) + u.diff(y, 2)


def test_membrane() -> None:
    case = wave.membrane()
    lie = LieSolver().solve(case.problem)
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, abs=1e-11)


def test_heat_with_drift_sides_of_every_kind_and_checkpoint(tmp_path) -> None:
    """A product of a value/slope mode with drift and a Robin mode, from its own start."""
    root = sp.Float("0.86033358901937976248", 30)  # κ tan κ = 1: slope 0 at 0, u_n + u = 0 at 1
    exact = sp.exp(x) * sp.sin(sp.pi * x) * sp.cos(root * y) * sp.exp(-(sp.pi**2 + 1 + 3 * root**2) * t)
    pde = u.diff(t) - u.diff(x, 2) + 2 * u.diff(x) - 3 * u.diff(y, 2)
    problem = IBVP(pde, Rectangle((x, 0, 1), (y, 0, 1)), (t, 0, sp.Rational(1, 5)), {u: exact.subs(t, 0)},
                   [Dirichlet(u, 0, on=["left", "right"]), Neumann(u, 0, on="bottom"),
                    Robin(u, 1, 0, on="top")])  # fmt: skip
    lie = LieSolver().solve(problem)
    points = np.random.default_rng(0).uniform([0, 0, 0], [1, 1, 0.2], (50, 3))
    values = sp.lambdify((x, y, t), exact, "numpy")(*points.T)
    assert np.abs(lie.evaluate(points)[:, 0] - values.astype(float)).max() < 1e-11
    assert np.abs(lie.residual(points)).max() < 1e-9
    lie.save(tmp_path / "lie")
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))


@pytest.mark.parametrize("damping", [0, 1, 20])
def test_damped_membrane_with_velocity(damping) -> None:
    pde = u.diff(t, 2) + damping * u.diff(t) - 4 * LAPLACIAN + u
    shape = sp.sin(sp.pi * x / 2) * sp.sin(sp.pi * y)
    problem = IBVP(pde, Rectangle((x, 0, 2), (y, 1, 2)), (t, 1, 2), {u: shape, u.diff(t): 3 * shape},
                   [Dirichlet(u, 0)])  # fmt: skip
    lie = LieSolver().solve(problem)
    rate = damping / 2
    turn = complex(5 * np.pi**2 + 1 - rate**2) ** 0.5
    for place in ([0.3, 1.2, 1.4], [1.7, 1.8, 2.0]):
        at = dict(zip((x, y, t), place, strict=True))
        clock = place[2] - 1
        swing = np.cos(turn * clock) + (3 + rate) * np.sin(turn * clock) / turn
        expected = float(shape.subs(at)) * np.exp(-rate * clock) * swing.real
        assert float(lie.evaluate([place])[0, 0]) == pytest.approx(expected, abs=1e-11)
        assert float(lie.expr.subs(at).evalf()) == pytest.approx(expected, abs=1e-10)
