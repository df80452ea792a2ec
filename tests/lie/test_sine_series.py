"""Sharp sources of elliptic equations: double sine series as particular solutions."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Disk, Neumann, Polygon, Rectangle, coordinates, field, load_solution
from sciml.classification import linear_form
from sciml.errors import SolverWarning
from solvers.lie import LieSolver
from solvers.lie.placement import place_rows
from solvers.lie.planar.dictionary import PlanarDictionary
from solvers.lie.planar.normal_form import read_elliptic
from solvers.lie.planar.sine_series import sine_series
from solvers.lie.rows import ConditionRows
from solvers.lie.statement import Statement

x, y = coordinates("x y")
u = field("u", x, y)
BOX = Rectangle((x, 0, 1), (y, 0, 2))
PEAK = sp.exp(-200 * (x - sp.Rational(3, 10)) ** 2 - 300 * (y - sp.Rational(11, 10)) ** 2)


def laplacian(known: sp.Expr) -> sp.Expr:
    return known.diff(x, 2) + known.diff(y, 2)


def mixed(known: sp.Expr) -> sp.Expr:
    return -2 * known.diff(x, 2) - known.diff(y, 2) + known.diff(x, y) / 2 + 3 * known.diff(x) + known


def helmholtz(known: sp.Expr) -> sp.Expr:
    return laplacian(known) + 90 * known


def screened(known: sp.Expr) -> sp.Expr:
    return 7 * known - laplacian(known)


SLOW = [pytest.param(operator, marks=pytest.mark.slow) for operator in (laplacian, screened)]


@pytest.mark.parametrize("operator", [helmholtz, mixed, *SLOW])
def test_any_constant_elliptic_operator_with_lifted_data(operator) -> None:
    exact = PEAK + sp.sin(x + y)
    source = operator(exact)
    problem = IBVP(sp.Eq(operator(u), source), BOX, boundary=[Dirichlet(u, exact)])
    lie = LieSolver().solve(problem)
    report = lie.error(exact, problem.domain.sample(2000, seed=4))
    assert report.maximum["u"] < 1e-10
    assert lie.history["reached"] < 1e-10


def test_a_source_beside_the_boundary_of_other_domains() -> None:
    """The source does not vanish at the edge, one side has a flux condition."""
    exact = sp.tanh(6 * (x - y / 2)) + x * y
    problem = IBVP(sp.Eq(laplacian(u), laplacian(exact)), Polygon((x, y), [(0, 0), (1, 0), (1, 1), (0, 1)],
                   name=["a", "b", "c", "d"]), boundary=[Dirichlet(u, exact, on=["a", "c", "d"]),
                                                          Neumann(u, exact.diff(x), on="b")])  # fmt: skip
    assert LieSolver(tol=1e-8).solve(problem).error(exact).maximum["u"] < 1e-8


@pytest.mark.parametrize("power", [8, 12])
def test_a_source_that_all_rows_miss_is_no_zero_solution(power: int) -> None:
    """A width of 1/10000 falls between the rows; of 1/10^6, between all points that a float sees as not 0."""
    sharp = sp.exp(-(10**power) * ((x - sp.Rational(1, 3)) ** 2 + (y - sp.Rational(1, 3)) ** 2))
    problem = IBVP(sp.Eq(laplacian(u), sharp), BOX, boundary=[Dirichlet(u, 0)])
    with pytest.warns(SolverWarning, match="not reached"):
        assert LieSolver().solve(problem).history["reached"] > 0.5


def test_formula_derivatives_and_checkpoint(tmp_path) -> None:
    problem = IBVP(sp.Eq(mixed(u), sp.exp(-20 * ((x - 1) ** 2 + y**2))), BOX, boundary=[Dirichlet(u, 0)])
    form = linear_form(problem.equations[0], problem.fields, problem.coordinates)
    found = sine_series(problem, form)
    assert found is not None
    atom, error = found
    assert error < 1e-12
    points = problem.domain.sample(50, seed=1)
    needed = [(0, orders) for orders in [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]]
    jets = atom.jets(points, needed)[:, :, 0]
    residual = jets @ np.array([1, 3, 0, -2, 0.5, -1]) - np.exp(-20 * ((points[:, 0] - 1) ** 2 + points[:, 1] ** 2))
    assert np.abs(residual).max() < 1e-12
    few = type(atom)(atom.frame, atom.box, (atom.orders[0][:6], atom.orders[1][:6]), atom.coefficients[:6, :6])
    (formula,) = few.formula(0, (x, y))
    assert sp.lambdify((x, y), formula)(*points.T) == pytest.approx(few.jets(points, needed[:1])[:, 0, 0], abs=1e-14)
    lie = LieSolver().solve(problem)
    lie.save(tmp_path / "sharp")
    assert np.array_equal(load_solution(tmp_path / "sharp").evaluate(points), lie.evaluate(points))


def test_helmholtz_box_keeps_away_from_its_eigenvalues() -> None:
    """κ is an eigenvalue of the unwidened box, not of the disk."""
    problem = IBVP(sp.Eq(laplacian(u) + sp.pi**2 / 2 * u, sp.exp(-100 * (x**2 + y**2))), Disk((x, y)),
                   boundary=[Dirichlet(u, 0)])  # fmt: skip
    form = linear_form(problem.equations[0], problem.fields, problem.coordinates)
    found = sine_series(problem, form)
    assert found is not None
    assert np.abs(found[0].coefficients).max() < 1.0


@pytest.mark.parametrize("domain", [Disk((x, y)), Disk((x, y)) - Disk((x, y), radius=sp.Rational(1, 4), name="hole")])
def test_more_rows_than_unknowns_without_corners(domain) -> None:
    problem = IBVP(laplacian(u), domain, boundary=[Dirichlet(u, x)])
    form = linear_form(problem.equations[0], problem.fields, problem.coordinates)
    statement = Statement(problem, [form])
    frame = read_elliptic(statement)
    assert frame is not None
    dictionary = PlanarDictionary(statement, frame)
    for level in dictionary.levels():
        unknowns = sum(map(len, dictionary.build(level)))
        for density in dictionary.densities(level):
            rows = ConditionRows(problem, place_rows(problem, density), {})
            assert len(rows.target()) >= 1.3 * unknowns
