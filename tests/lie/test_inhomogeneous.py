"""Inhomogeneous equations: particular solutions in closed form and by polynomials."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Rectangle, coordinates, field
from sciml.classification import linear_form
from sciml.problems import heat, poisson
from solvers.lie import LieSolver
from solvers.lie.inhomogeneous import undetermined
from solvers.lie.spectral_atoms import ChebyshevAtoms, TensorBasis

x, y, t = coordinates("x y t")
u, v = field("u", x, t), field("v", x, y)


@pytest.mark.parametrize("make", [heat.decaying_source, poisson.square, poisson.disk_with_hole])
def test_library(make) -> None:
    case = make()
    lie = LieSolver().solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-12


@pytest.mark.parametrize(
    ("residual", "known"),
    [
        (u.diff(t) - u.diff(x, 2) - t * sp.exp(-t) * sp.cos(x), u),  # resonant: exp(-t) cos x is a solution
        (u.diff(t, 2) - u.diff(x, 2) - sp.sin(x - t), u),
        (v.diff(x, 2) + v.diff(y, 2) + x * v.diff(y) - x * y**2, v),
    ],
)
def test_undetermined_coefficients(residual: sp.Expr, known: sp.Expr) -> None:
    problem = IBVP(residual, Rectangle((x, 0, 1), (y, 0, 1)), boundary=[Dirichlet(v, 0)]) if known == v else IBVP(
        residual, Interval(x, 0, 1), (t, 0, 1),
        {u: 0} | ({u.diff(t): 0} if residual.has(u.diff(t, 2)) else {}), [Dirichlet(u, 0)],
    )  # fmt: skip
    (found,) = undetermined(problem, [linear_form(problem.equations[0], [known], problem.coordinates)])
    assert sp.simplify(residual.subs(known, found).doit()) == 0


def test_a_source_without_a_finite_space_by_polynomials() -> None:
    exact = sp.log(2 + x) * sp.exp(-t) + sp.sin(sp.pi * x)
    problem = IBVP(u.diff(t) - u.diff(x, 2) - (exact.diff(t) - exact.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1),
                   {u: exact.subs(t, 0)}, [Dirichlet(u, exact)])  # fmt: skip
    lie = LieSolver(tol=1e-8).solve(problem)
    assert lie.error(exact).relative_l2["u"] < 1e-8
    assert any(term.name == "particular solution" for term in lie.terms)


@pytest.mark.slow
@pytest.mark.parametrize("second", [False, True])
def test_moving_sides_and_sources_in_two_dimensions(second: bool) -> None:
    """Total degree 16 reaches smooth solutions of three variables."""
    w = field("w", x, y, t)
    exact = sp.sin(x - t) + sp.cos(y + t) if second else sp.exp(-2 * t) * sp.sin(x) * sp.cos(y) + x * t

    def operator(known: sp.Expr) -> sp.Expr:
        return known.diff(t, 1 + second) - known.diff(x, 2) - known.diff(y, 2)

    initial = {w: exact.subs(t, 0)} | ({w.diff(t): exact.diff(t).subs(t, 0)} if second else {})
    problem = IBVP(sp.Eq(operator(w), sp.expand(operator(exact))), Rectangle((x, 0, 1), (y, 0, 1)), (t, 0, 1), initial,
                   [Dirichlet(w, exact)])  # fmt: skip
    assert LieSolver().solve(problem).error(exact).relative_l2["w"] < 1e-10


def test_total_degree_spares_the_corners_of_the_cube() -> None:
    basis = TensorBasis(np.array([[0.0, 1.0]] * 3), (5, 5, 5), 1, total=4)
    assert len(basis) == 35  # binomial(7, 3)
    points = np.random.default_rng(0).uniform(size=(40, 3))
    amplitudes = np.random.default_rng(1).standard_normal(35)
    atom = ChebyshevAtoms(basis.bounds, basis.table(amplitudes))
    for orders in [(0, 0, 0), (1, 0, 2)]:
        summed = basis.jets(points, [(0, orders)])[:, 0] @ amplitudes
        assert np.abs(summed - atom.jets(points, [(0, orders)])[:, 0, 0]).max() < 1e-9 * np.abs(summed).max()


def _wave(exact: sp.Expr) -> IBVP:
    source = sp.expand(exact.diff(t, 2) - exact.diff(x, 2))
    initial = {u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)}
    return IBVP(
        sp.Eq(u.diff(t, 2) - u.diff(x, 2), source), Interval(x, 0, 1), (t, 0, 1), initial, [Dirichlet(u, exact)]
    )


def _plate(exact: sp.Expr) -> IBVP:
    w = field("w", x, y, t)
    source = sp.expand(exact.diff(t) - exact.diff(x, 2) - exact.diff(y, 2))
    return IBVP(sp.Eq(w.diff(t) - w.diff(x, 2) - w.diff(y, 2), source), Rectangle((x, 0, 1), (y, 0, 1)),
                (t, 0, sp.Rational(1, 5)), {w: exact.subs(t, 0)}, [Dirichlet(w, exact)])  # fmt: skip


SINE = sp.sin(sp.pi * x)


@pytest.mark.parametrize(
    ("make", "exact"),
    [
        (_wave, SINE * sp.exp(-t)),
        (_wave, SINE * sp.exp(-t) + sp.sin(2 * sp.pi * x) * sp.cos(2 * sp.pi * t)),
        (_wave, sp.exp(-t) * sp.cos(x) + x * t + sp.sin(x - t)),
        (_wave, 1 / (2 + x * t)),
        (_plate, SINE * sp.sin(sp.pi * y) * sp.cos(3 * t)),
        (_plate, SINE * sp.sin(sp.pi * y) * sp.cos(3 * t)
         + sp.sin(2 * sp.pi * x) * sp.sin(sp.pi * y) * sp.exp(-5 * sp.pi**2 * t)),
    ],
)  # fmt: skip
def test_sources_beside_atoms_made_of_the_data(make, exact: sp.Expr) -> None:
    """Profiles and products of modes are made of what the particular solution leaves of the data."""
    problem = make(exact)
    lie = LieSolver().solve(problem)
    points = problem.domain.sample(500, seed=0, time=tuple(map(float, problem.time[1:])))
    values = np.broadcast_to(sp.lambdify(problem.coordinates, exact)(*points.T), len(points))
    assert np.abs(lie.evaluate(points)[:, 0] - values).max() < 1e-11
