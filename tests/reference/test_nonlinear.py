"""Nonlinear equations by Newton's method: orders, continuation, refusals."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Disk, Interval, Neumann, Periodic, Rectangle, coordinates, field
from sciml.errors import ConvergenceError, SolverError
from sciml.problems import burgers
from solvers.reference import FiniteElement

x, y, t = coordinates("x y t")
u = field("u", x, y)
w = field("w", x)
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))
WAVY = 2 + sp.sin(2 * x + y)


def laplacian(e):
    return e.diff(x, 2) + e.diff(y, 2)


def rate(problem, exact, sizes, **options):
    points = problem.domain.sample(1000)
    if problem.time is not None:
        points = np.column_stack([points, np.full(len(points), problem.bounds[-1][1])])
    found = [max(FiniteElement(mesh_size=size, **options).solve(problem).error(exact, points).relative_l2.values())
             for size in sizes]  # fmt: skip
    return np.log(found[0] / found[1]) / np.log(sizes[0] / sizes[1]), found[1]


@pytest.mark.parametrize(
    ("operator", "domain"),
    [
        (lambda e: laplacian(e) - e**3, SQUARE),
        (lambda e: laplacian(e) - sp.exp(-e) * e.diff(x) + sp.sin(e), Disk((x, y))),
        (lambda e: laplacian(e) - e.diff(x) ** 2 - e.diff(y) * e, SQUARE),
        (lambda e: ((1 + e**2) * e.diff(x)).diff(x) + (e * e.diff(y)).diff(y) + x * e, SQUARE),
        (lambda e: (e * e.diff(y)).diff(x) + 3 * laplacian(e) - e / (1 + e**2), SQUARE),
    ],
    ids=["cubic", "transcendental", "gradients", "quasilinear", "mixed"],
)
def test_scalar_equations_are_of_third_order(operator, domain):
    def full(e):
        return sp.expand(operator(e).doit())

    problem = IBVP(sp.Eq(full(u), full(WAVY)), domain, boundary=[Dirichlet(u, WAVY)])
    order, error = rate(problem, WAVY, (0.25, 0.125))
    assert order > 2.7
    assert error < 1e-3


def test_flux_conditions_beside_nonlinear_terms():
    exact = sp.exp(x) * sp.cos(y)
    boundary = [Dirichlet(u, exact, on=["left", "top"]), Neumann(u, exact.diff(x), on="right"),
                Neumann(u, -exact.diff(y), on="bottom")]  # fmt: skip
    problem = IBVP(sp.Eq(laplacian(u) - u**3, -(exact**3)), SQUARE, boundary=boundary)
    order, _ = rate(problem, exact, (0.25, 0.125))
    assert order > 2.7


def test_viscous_burgers_in_time():
    case = burgers.travelling_wave()
    ends = np.column_stack([case.problem.domain.sample(200), np.full(200, case.problem.bounds[-1][1])])
    values = [FiniteElement(mesh_size=0.2, steps=n).solve(case.problem).evaluate(ends) for n in (10, 20, 80)]
    first, second = (np.linalg.norm(value - values[2]) for value in values[:2])
    assert np.log2(first / second) == pytest.approx(2, abs=0.3)


def test_sine_gordon_kink_in_time():
    s = field("s", x, t)
    speed = sp.Rational(1, 2)
    exact = 4 * sp.atan(sp.exp((x - speed * t) / sp.sqrt(1 - speed**2)))
    problem = IBVP(sp.Eq(s.diff(t, 2), s.diff(x, 2) - sp.sin(s)), Interval(x, -8, 8), time=(t, 0, 2),
                   initial={s: exact.subs(t, 0), s.diff(t): exact.diff(t).subs(t, 0)},
                   boundary=[Dirichlet(s, exact)])  # fmt: skip
    ends = np.column_stack([np.linspace(-7.9, 7.9, 300), np.full(300, 2.0)])
    errors = [
        FiniteElement(mesh_size=0.05, steps=n).solve(problem).error(exact, ends).relative_l2["s"] for n in (20, 40)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)
    assert errors[1] < 1e-4


def test_allen_cahn_with_periodic_sides_keeps_the_constant_state():
    s = field("s", x, t)
    problem = IBVP(sp.Eq(s.diff(t), s.diff(x, 2) + s - s**3), Interval(x, 0, 1), time=(t, 0, 1),
                   initial={s: sp.Rational(1, 2)}, boundary=[Periodic(s, ("left", "right"))])  # fmt: skip
    found = FiniteElement(mesh_size=0.25, steps=100).solve(problem)(x=0.3, t=1.0)
    growth = np.exp(1.0)
    assert found == pytest.approx(growth / np.sqrt(3 + growth**2), abs=1e-5)  # u' = u - u^3, u(0) = 1/2


def test_the_solid_ignition_model_has_a_largest_parameter():
    """-w'' = c e^w on (0, 1) has solutions up to c = 3.513830719 only (Bratu 1914); the lower one is found."""

    def problem(c):
        return IBVP(sp.Eq(-w.diff(x, 2), c * sp.exp(w)), Interval(x, 0, 1), boundary=[Dirichlet(w, 0)])

    theta = 1.5171645990507543  # θ = sqrt(2) cosh(θ/4), c = 1
    solution = FiniteElement(mesh_size=0.02).solve(problem(1))
    assert solution(x=0.5) == pytest.approx(2 * np.log(np.cosh(theta / 4)), rel=1e-7)
    assert FiniteElement(mesh_size=0.05).solve(problem(sp.Rational(35, 10)))(x=0.5) < 1.2
    with pytest.raises(ConvergenceError, match=r"followed up to 0\.9"):
        FiniteElement(mesh_size=0.05).solve(problem(sp.Rational(36, 10)))


def test_without_a_linear_part_that_has_a_solution():
    """u'' = u^3 + u'^2 - 8 with free ends: the linear terms alone are singular."""
    problem = IBVP(sp.Eq(w.diff(x, 2), w**3 + w.diff(x) ** 2 - 8), Interval(x, 0, 1), boundary=[Neumann(w, 0)])
    assert FiniteElement(mesh_size=0.25).solve(problem)(x=0.2) == pytest.approx(2, abs=1e-9)


def test_refusals():
    s = field("s", x, t)
    moving = IBVP(sp.Eq((1 + s**2) * s.diff(t), s.diff(x, 2)), Interval(x, 0, 1), time=(t, 0, 1), initial={s: 0},
                  boundary=[Dirichlet(s, 0)])  # fmt: skip
    with pytest.raises(SolverError, match="divide the equation"):
        FiniteElement().solve(moving)
    with pytest.raises(SolverError, match="second space derivatives times a function"):
        FiniteElement().solve(IBVP(sp.Eq(w.diff(x, 2) ** 2, 1 + w), Interval(x, 0, 1), boundary=[Dirichlet(w, 0)]))
    flux = [Dirichlet(u, 1, on=["left", "top", "bottom"]), Neumann(u, 1, on="right")]
    porous = IBVP(sp.Eq((u * u.diff(x)).diff(x) + laplacian(u), 0), SQUARE, boundary=flux)
    with pytest.raises(SolverError, match="fluxes that vanish"):
        FiniteElement(mesh_size=0.25).solve(porous)
