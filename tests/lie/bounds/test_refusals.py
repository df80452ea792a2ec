"""No bound, and the reason."""

import pytest
import sympy as sp

from sciml import IBVP, Condition, Dirichlet, Disk, Interval, Neumann, Rectangle, coordinates, field
from sciml.errors import SolverError
from sciml.problems import heat, helmholtz, kdv
from solvers.lie.bounds import balls, error_bound

x, y, t = coordinates("x y t")
u, U = field("u", x, t), field("u", x, y)


def test_without_the_extra(monkeypatch):
    monkeypatch.setattr(balls, "flint", None)
    case = heat.sine()
    bound = error_bound(case.problem, case.exact)
    assert bound.sup is None
    assert bound.l2 is None
    assert 'pip install "sciml[rigorous]"' in bound.reason


def test_wrong_approximations_are_errors():
    case = heat.sine()
    with pytest.raises(SolverError, match="expression"):
        error_bound(case.problem, sp.Symbol("unknown") * x)
    with pytest.raises(SolverError, match="expression"):
        error_bound(case.problem, {})
    with pytest.raises(SolverError, match="terms"):
        error_bound(case.problem, case.exact, atom_units=8)


def refusal(problem, approximation, words, **options):
    pytest.importorskip("flint")
    bound = error_bound(problem, approximation, **options)
    assert bound.sup is None
    assert words in bound.reason, bound.reason


def test_nonlinear_equation():
    refusal(kdv.soliton().problem, sp.S.Zero, "nonlinear")


def test_neumann_only_laplace():
    problem = IBVP(
        pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2), 0),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Neumann(U, 0)],
    )
    refusal(problem, sp.S.One, "up to a constant")


def test_helmholtz_on_the_disk():
    problem = IBVP(
        pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2) + 9 * U, 0), domain=Disk((x, y)), boundary=[Dirichlet(U, sp.cos(3 * x))]
    )
    refusal(problem, sp.cos(3 * x), "spectrum")


def test_condition_of_another_kind():
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: 0},
        boundary=[Dirichlet(u, 0, on="left"), Condition(sp.Eq(u.diff(x) * u, 0), on="right")],
    )
    refusal(problem, sp.S.Zero, "")


def test_out_of_time():
    case = helmholtz.point_source()
    refusal(case.problem, case.exact * sp.Float(1.1), "time", seconds=0.0)


def test_unbounded_mismatch():
    case = heat.sine()
    refusal(case.problem, case.exact + sp.exp(-((x - sp.Rational(1, 3)) ** 2) / t) / sp.sqrt(t), "no value")
