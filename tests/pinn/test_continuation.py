"""Parameter continuation: later problems start at the solution of earlier ones."""

import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError
from solvers import PINN
from solvers.pinn.continuation import TrainedStart, continuation

X = coordinates("x")
U, V = field("u", X), field("v", X)


def layer(viscosity):
    return IBVP(sp.Eq(U * U.diff(X), sp.Rational(viscosity) * U.diff(X, 2)), Interval(X, -1, 1),
                boundary=[Dirichlet(U, -X)])  # fmt: skip


def solver(**options):
    return PINN(MLP(width=8, depth=1), seed=0, progress=False, **options)


def test_the_next_problem_starts_where_the_last_one_ended():
    first, second = continuation(solver(steps=20, tolerance=0), [layer("1"), layer("9/10")], tolerance=None)
    third = solver(steps=20, tolerance=0).solve(layer("9/10"))
    assert second.history["held out"][0] < 0.05 * third.history["held out"][0]
    assert second.problem is not first.problem
    untouched = continuation(solver(steps=0), [layer("1"), layer("1/2")])
    points = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    assert torch.equal(untouched[0].model(points), untouched[1].model(points))


def test_other_fields_and_empty_lists_are_refused():
    system = IBVP([U.diff(X, 2) + V, V.diff(X, 2) - U], Interval(X, -1, 1), boundary=[Dirichlet(U, 0), Dirichlet(V, 1)])
    with pytest.raises(SolverError, match="continue in problems with the same fields"):
        continuation(solver(steps=1), [layer("1"), system])
    with pytest.raises(SolverError, match="at least one problem"):
        continuation(solver(steps=1), [])
    with pytest.raises(SolverError, match="one positive share"):
        continuation(solver(steps=1), [layer("1")], shares=[0.5, 0.5])


def test_a_start_describes_the_network_it_was_made_of():
    trained = solver(steps=1).solve(layer("1"))
    assert TrainedStart(trained.model).config()["network"]["kind"] == "MLP"
