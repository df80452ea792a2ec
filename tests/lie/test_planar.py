"""Laplace and Helmholtz in the plane: corners, holes, kinds of conditions, resonance, checkpoints."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Disk, Neumann, Polygon, Rectangle, Robin, coordinates, field, load_solution
from sciml.errors import ProblemWarning, SolverError, SolverWarning
from sciml.problems import helmholtz, laplace
from solvers.lie import LieSolver
from solvers.lie.planar.bessel_atoms import BesselAtoms, order_derivative
from solvers.lie.planar.dictionary import PlanarDictionary
from solvers.lie.planar.normal_form import read_elliptic
from solvers.lie.planar.plane_atoms import PowerAtoms, both_parts
from solvers.lie.solver import _linear_forms
from solvers.lie.statement import Statement

x, y = coordinates("x y")
u = field("u", x, y)
LAPLACE = u.diff(x, 2) + u.diff(y, 2)
L_SHAPE = Polygon((x, y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], name=["a", "b", "c", "d", "e", "f"])
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))


def error(problem: IBVP, exact: sp.Expr, tol: float = 1e-10) -> float:
    """Largest error inside, relative to the largest value."""
    points = problem.domain.sample(300, seed=5)
    values = sp.lambdify((x, y), exact, ["numpy", "scipy"])(*points.T)
    return float(np.abs(LieSolver(tol=tol).solve(problem).evaluate(points)[:, 0] - values).max() / np.abs(values).max())


def test_l_shape_to_the_known_digits() -> None:
    case = laplace.l_shape()
    lie = LieSolver(tol=1e-9).solve(case.problem)
    ((place, value),) = case.values.items()
    assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, abs=5e-10)
    assert lie.history["terms"][-1] < 200


@pytest.mark.parametrize("make", [laplace.square, laplace.reentrant_corner, helmholtz.point_source])
def test_exact_solutions(make) -> None:
    case = make()
    lie = LieSolver(tol=1e-11).solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-11
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-9)


def test_the_singular_solution_is_one_term() -> None:
    lie = LieSolver().solve(laplace.reentrant_corner().problem)
    (term,) = lie.terms
    assert term.parameters["power"] == pytest.approx(2 / 3)
    assert term.parameters["centre"] == [1.0, 1.0]


def test_mixed_conditions_at_a_corner_with_another_exponent() -> None:
    """Value on one side and slope on the other of the corner (1, 1): r^(1/3), not r^(2/3)."""
    along, across = 2 - x - y, x - y
    angle = sp.atan2(across, along) + 3 * sp.pi / 4
    exact = ((x - 1) ** 2 + (y - 1) ** 2) ** sp.Rational(1, 6) * sp.sin(angle / 3)
    others = Dirichlet(u, exact, on=["a", "b", "e", "f"])
    problem = IBVP(LAPLACE, L_SHAPE, boundary=[others, Dirichlet(u, 0, on="d"), Neumann(u, 0, on="c")])
    assert error(problem, exact) < 1e-10


def test_jump_of_the_data_and_its_average() -> None:
    conditions = [Dirichlet(u, 1, on="top"), Dirichlet(u, 0, on=["left", "right", "bottom"])]
    with pytest.warns(ProblemWarning, match="disagree"):
        problem = IBVP(LAPLACE, SQUARE, boundary=conditions)
    lie = LieSolver().solve(problem)
    assert float(lie(x=0.5, y=0.5)) == pytest.approx(0.25, abs=1e-12)  # four turned copies add up to 1
    series = sum(4 / np.pi / n * np.sin(0.3 * n * np.pi) * np.sinh(0.8 * n * np.pi) / np.sinh(n * np.pi)
                 for n in range(1, 140, 2))  # fmt: skip
    assert float(lie(x=0.3, y=0.8)) == pytest.approx(series, abs=1e-11)


def test_ring_with_a_source_in_its_hole() -> None:
    hole = Disk((x, y), center=(sp.Rational(3, 10), 0), radius=sp.Rational(1, 2), name="inner")
    square = (x - sp.Rational(3, 10)) ** 2 + y**2
    exact = sp.log(square) + (x - sp.Rational(3, 10)) / square + x**2 - y**2
    assert error(IBVP(LAPLACE, Disk((x, y), radius=2) - hole, boundary=[Dirichlet(u, exact)]), exact) < 1e-12
    waves = IBVP(LAPLACE + 100 * u, Disk((x, y), radius=2) - hole,
                 boundary=[Dirichlet(u, sp.bessely(0, 10 * sp.sqrt(square)))])  # fmt: skip
    assert error(waves, sp.bessely(0, 10 * sp.sqrt(square))) < 1e-11


def test_robin_on_a_disk_by_series() -> None:
    """u_n + u = cos 3θ on the unit circle: r³ cos 3θ / 4."""
    data = x**3 - 3 * x * y**2
    assert error(IBVP(LAPLACE, Disk((x, y)), boundary=[Robin(u, 1, data)]), data / 4) < 1e-12


def test_stretched_and_drifting() -> None:
    exact = sp.exp(2 * x + 3 * y)
    pde = 2 * u.diff(x, 2) + u.diff(x).diff(y) + u.diff(y, 2) - 3 * u.diff(x) + u.diff(y) - 20 * u
    assert error(IBVP(pde, L_SHAPE, boundary=[Dirichlet(u, exact)]), exact) < 1e-11


def test_two_sizes_agree_where_no_solution_is_known() -> None:
    """Helmholtz on the L-shape, x² on its boundary: r^(2/3) and r² log r."""
    problem = IBVP(LAPLACE + 100 * u, L_SHAPE, boundary=[Dirichlet(u, x**2)])
    coarse, fine = (LieSolver(tol=tol).solve(problem) for tol in (1e-5, 1e-9))
    points = problem.domain.sample(100)
    difference = np.abs(coarse.evaluate(points) - fine.evaluate(points)).max()
    assert 1e-12 < difference < 1e-3


def test_resonance_is_refused_and_a_near_one_is_said() -> None:
    def problem(shift: float) -> IBVP:
        return IBVP(LAPLACE + (2 * sp.pi**2 + sp.Rational(shift)) * u, SQUARE, boundary=[Dirichlet(u, x)])

    with pytest.raises(SolverError, match="resonance"):
        LieSolver().solve(problem(0))
    with pytest.warns(SolverWarning, match="close to a resonance"):
        LieSolver(tol=1e-7).solve(problem(1e-3))


def test_slopes_alone() -> None:
    flow = [Neumann(u, 1, on="right"), Neumann(u, 0, on=["top", "bottom"])]
    with pytest.warns(SolverWarning, match="up to a constant"):
        lie = LieSolver().solve(IBVP(LAPLACE, SQUARE, boundary=[*flow, Neumann(u, -1, on="left")]))
    assert float(lie(x=0.9, y=0.3) - lie(x=0.2, y=0.7)) == pytest.approx(0.7, abs=1e-12)
    with pytest.raises(SolverError, match="integral"):
        LieSolver().solve(IBVP(LAPLACE, SQUARE, boundary=[*flow, Neumann(u, 0, on="left")]))


@pytest.mark.parametrize("zero_order", [0, 49, -25])
def test_every_atom_solves_the_equation(zero_order) -> None:
    hole = Polygon((x, y), [(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)], name="hole")
    pde = LAPLACE + u.diff(x) + zero_order * u
    problem = IBVP(pde, L_SHAPE - hole, boundary=[Dirichlet(u, x)])
    statement = Statement(problem, _linear_forms(problem))
    dictionary = PlanarDictionary(statement, read_elliptic(statement))
    points = problem.domain.sample(60, seed=2)
    for family in dictionary.build(4):
        jets = family.jets(points, [(0, (2, 0)), (0, (0, 2)), (0, (1, 0)), (0, (0, 0))])
        size = np.abs(jets).sum(axis=1)
        residual = jets[:, 0] + jets[:, 1] + jets[:, 2] + zero_order * jets[:, 3]
        assert np.abs(residual / np.maximum(size, 1e-200)).max() < 1e-9, family.name
        assert family.generators or zero_order == 0


def test_derivatives_agree_with_differences_and_formulas_with_values() -> None:
    problem = IBVP(LAPLACE + 9 * u, SQUARE, boundary=[Dirichlet(u, x)])
    frame = read_elliptic(Statement(problem, _linear_forms(problem)))
    plain = read_elliptic(Statement(IBVP(LAPLACE, SQUARE, boundary=[Dirichlet(u, x)]), _linear_forms(problem)))
    c, d, s, f = np.array([-1 - 1j]), np.array([1 + 0j]), np.array([2 / 3]), both_parts(1)
    families = [BesselAtoms(frame, letter, c, d, s if letter != "dJ" else np.array([2.0]), np.ones(1), *f, "a")
                for letter in ("J", "Y", "dJ")]  # fmt: skip
    families += [PowerAtoms(plain, c, d, s, np.array([1]), np.array([end]), *f, "b") for end in (np.inf, -2 - 2j)]
    points, step = np.array([[0.3, 0.6], [0.8, 0.1]]), np.array([[1e-5, 0.0]])
    for family in families:
        slope = family.jets(points, [(0, (1, 0))])
        ahead, behind = (family.jets(points + way * step, [(0, (0, 0))]) for way in (1, -1))
        assert np.allclose(slope, (ahead - behind) / 2e-5, rtol=1e-8)
        for part in (0, 1):
            value = sp.lambdify((x, y), family.formula(part, (x, y))[0], ["numpy", "scipy"])(*points.T)
            assert np.allclose(value, family.jets(points, [(0, (0, 0))])[:, 0, part], rtol=1e-12)


def test_derivative_of_bessel_functions_in_their_order() -> None:
    from scipy.special import iv, jv

    z = np.array([0.1, 3.0, 7.9, 8.1, 25.0])
    for letter, function in (("J", jv), ("I", iv)):
        for n in (-2, -1, 0, 1, 4):
            h = 1e-3
            slope = 8 * (function(n + h, z) - function(n - h, z)) - function(n + 2 * h, z) + function(n - 2 * h, z)
            assert np.allclose(order_derivative(letter, n, z), slope / (12 * h), rtol=1e-8, atol=1e-9)


def test_checkpoint(tmp_path) -> None:
    hole = Disk((x, y), center=(sp.Rational(1, 2), sp.Rational(1, 2)), radius=sp.Rational(1, 4), name="hole")
    for pde, name in ((LAPLACE, "laplace"), (LAPLACE + 30 * u, "helmholtz")):
        problem = IBVP(pde, L_SHAPE - hole, boundary=[Dirichlet(u, sp.exp(x))])
        lie = LieSolver(tol=1e-4).solve(problem)
        lie.save(tmp_path / name)
        points = problem.domain.sample(20)
        assert np.array_equal(load_solution(tmp_path / name).evaluate(points), lie.evaluate(points))
