import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    Box,
    Condition,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Periodic,
    Polygon,
    Rectangle,
    Robin,
    coordinates,
    field,
    normal,
)
from sciml.errors import SolverError, SolverWarning
from solvers.reference import FiniteElement

x, y, z = coordinates("x y z")
u = field("u", x, y)
nx, ny = normal(x, y)
RING = Disk((x, y)) - Disk((x, y), center=(0.2, 0), radius=0.25, name="hole")
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))
ELL = Polygon((x, y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
WAVY = sp.sin(2 * x + y) * sp.exp(x * y)


def laplacian(expression, space=(x, y)):
    return sp.Add(*[expression.diff(s, 2) for s in space])


def slope(expression):
    """n·∇ of an expression."""
    return nx * expression.diff(x) + ny * expression.diff(y)


def flux(exact, on=None, beta=0):
    return Condition(sp.Eq(slope(u) + beta * u, slope(exact) + beta * exact), on=on)


def rates(problem, exact, sizes, **options):
    """Observed orders in the mean square, of values and of the first derivative in x, between mesh sizes."""
    exact = exact if isinstance(exact, dict) else {problem.fields[0]: exact}
    points = problem.domain.sample(2000)
    errors = []
    for size in sizes:
        solution = FiniteElement(mesh_size=size, **options).solve(problem)
        value = max(solution.error(exact, points).relative_l2.values())
        known, expression = next(iter(exact.items()))
        truth = sp.lambdify(problem.coordinates, expression.diff(x))(*points.T)
        gap = solution.derivative(known.diff(x), points) - truth
        errors.append((value, np.linalg.norm(gap) / np.linalg.norm(truth)))
    steps = np.log(np.array(sizes[:-1]) / np.array(sizes[1:]))[:, None]
    return (np.log(np.array(errors[:-1]) / np.array(errors[1:])) / steps)[-1], errors[-1][0]


def test_interval_with_variable_coefficients_and_robin():
    w = field("w", x)
    exact = sp.sin(3 * x) * sp.exp(x)

    def operator(e):
        return (1 + x**2) * e.diff(x, 2) + x * e.diff(x) + e

    problem = IBVP(
        sp.Eq(operator(w), operator(exact)),
        Interval(x, 0, 2),
        boundary=[Dirichlet(w, exact, on="left"), Robin(w, 2, exact.diff(x) + 2 * exact, on="right")],
    )
    (values, slopes), error = rates(problem, exact, (0.2, 0.1, 0.05))
    assert values == pytest.approx(3, abs=0.2)
    assert slopes == pytest.approx(2, abs=0.2)
    assert error < 1e-4


@pytest.mark.parametrize(
    ("domain", "boundary"),
    [
        (SQUARE, [Dirichlet(u, WAVY, on=["left", "top"]), Neumann(u, -WAVY.diff(y), on="bottom"),
                  Robin(u, 1, WAVY.diff(x) + WAVY, on="right")]),
        (ELL, [Dirichlet(u, WAVY)]),
        (Disk((x, y)), [Dirichlet(u, WAVY)]),
        (RING, [Dirichlet(u, WAVY)]),
        (RING, [Dirichlet(u, WAVY, on="hole"), flux(WAVY, on="boundary")]),
        (RING, [flux(WAVY, on="hole", beta=-1), flux(WAVY, on="boundary", beta=2)]),
    ],
    ids=["square", "L", "disk", "ring", "ring-neumann", "ring-robin"],
)  # fmt: skip
def test_poisson_is_of_third_order(domain, boundary):
    problem = IBVP(sp.Eq(laplacian(u), laplacian(WAVY)), domain, boundary=boundary)
    (values, slopes), error = rates(problem, WAVY, (0.2, 0.1))
    assert values > 2.75
    assert slopes > 1.75
    assert error < 5e-4


@pytest.mark.parametrize("side", ["dirichlet", "neumann"])
def test_constant_data_on_curved_sides_keep_the_order(side):
    """Constant data tell the true side from its chords, whose nodes lie elsewhere."""
    ring = Disk((x, y)) - Disk((x, y), radius=0.25, name="hole")
    exact = sp.log(x**2 + y**2) + (1 - x**2 - y**2) / 2
    slope_at_hole, slope_at_rim = -8 + sp.Rational(1, 4), 1
    boundary = [Dirichlet(u, 0, on="boundary"), Neumann(u, slope_at_hole, on="hole")]
    if side == "neumann":
        boundary = [Robin(u, 1, slope_at_rim, on="boundary"), Dirichlet(u, exact.subs({x: 0.25, y: 0}), on="hole")]
    problem = IBVP(sp.Eq(laplacian(u), -2), ring, boundary=boundary)
    (values, slopes), error = rates(problem, exact, (0.2, 0.1, 0.05))
    assert values > 2.7
    assert slopes > 1.7
    assert error < 2e-4


def test_degree_one_is_of_second_order():
    problem = IBVP(sp.Eq(laplacian(u), laplacian(WAVY)), Disk((x, y)), boundary=[Dirichlet(u, WAVY)])
    (values, _), _ = rates(problem, WAVY, (0.2, 0.1), degree=1)
    assert values == pytest.approx(2, abs=0.4)


def test_anisotropic_operator_with_plain_normal_derivative():
    """The conormal derivative n·A∇u differs from ∂u/∂n; both sides meet curved and flat faces."""
    matrix = [[2 + x, sp.Rational(1, 2)], [sp.Rational(1, 2), 1 + y**2]]

    def operator(e):
        conormal = [a * e.diff(x) + b * e.diff(y) for a, b in matrix]
        return (conormal[0].diff(x) + conormal[1].diff(y)).doit() + e.diff(x) - 2 * e

    equation = sp.Eq(operator(u), operator(WAVY))
    ring = IBVP(equation, RING, boundary=[Dirichlet(u, WAVY, on="hole"), flux(WAVY, on="boundary", beta=x)])
    ell = IBVP(equation, ELL, boundary=[flux(WAVY, beta=1)])
    for problem in (ring, ell):
        (values, slopes), _ = rates(problem, WAVY, (0.2, 0.1))
        assert values > 2.7
        assert slopes > 1.7


def test_oblique_derivative():
    oblique = Condition(
        sp.Eq(u.diff(x) - 2 * u.diff(y) + 3 * u, WAVY.diff(x) - 2 * WAVY.diff(y) + 3 * WAVY), on="bottom"
    )
    problem = IBVP(sp.Eq(laplacian(u) - u, laplacian(WAVY) - WAVY), SQUARE,
                   boundary=[Dirichlet(u, WAVY, on=["left", "right", "top"]), oblique])  # fmt: skip
    (values, _), _ = rates(problem, WAVY, (0.2, 0.1))
    assert values > 2.8
    tangential = IBVP(
        sp.Eq(laplacian(u), 0),
        SQUARE,
        boundary=[Dirichlet(u, 0, on=["left", "right", "top"]), Condition(u.diff(x), on="bottom")],
    )
    with pytest.raises(SolverError, match="tangential"):
        FiniteElement().solve(tangential)


def test_periodic_in_both_directions_has_mean_zero():
    exact = sp.sin(2 * sp.pi * x) * sp.cos(2 * sp.pi * y)
    problem = IBVP(sp.Eq(laplacian(u), laplacian(exact)), SQUARE,
                   boundary=[Periodic(u, ("left", "right")), Periodic(u, ("bottom", "top"))])  # fmt: skip
    (values, slopes), _ = rates(problem, exact, (0.1, 0.05))
    assert values > 2.9
    assert slopes > 1.9
    with pytest.raises(SolverError, match="periodic"):
        FiniteElement().solve(
            IBVP(((1 + x) * u.diff(x)).diff(x) + u.diff(y, 2) - u - 1, SQUARE, boundary=problem.boundary)
        )


def test_pure_neumann_data_must_balance():
    exact = x**3 + x * y

    def problem(excess):
        return IBVP(sp.Eq(laplacian(u), laplacian(exact) + excess), RING, boundary=[flux(exact)])

    solution = FiniteElement(mesh_size=0.1).solve(problem(0))
    assert solution.error(exact).maximum["u"] < 2e-3
    with pytest.raises(SolverError, match=r"imbalance of 2\.9"):
        FiniteElement(mesh_size=0.2).solve(problem(1))
    with pytest.warns(SolverWarning, match="do not balance"):
        FiniteElement(mesh_size=0.2).solve(problem(sp.Rational(1, 1000)))


def test_coupled_system_stated_in_any_order():
    a, b = field("a", x, y), field("b", x, y)
    exact = {a: sp.sin(x) * sp.exp(y), b: sp.cos(x * y)}

    def operators(p, q):
        return [laplacian(p) + q - x * p.diff(y), 2 * laplacian(q) + p + q.diff(x)]

    equations = [sp.Eq(left, right) for left, right in zip(operators(a, b), operators(*exact.values()), strict=True)]
    boundary = [Dirichlet(a, exact[a]), Dirichlet(b, exact[b], on=["left", "top"]),
                Neumann(b, exact[b].diff(x), on="right"), Neumann(b, -exact[b].diff(y), on="bottom")]  # fmt: skip
    for statement in (equations, equations[::-1]):
        (values, slopes), _ = rates(IBVP(statement, SQUARE, boundary=boundary), exact, (0.2, 0.1))
        assert values > 2.8
        assert slopes > 1.8


def test_box_with_tetrahedra():
    w = field("w", x, y, z)
    exact = sp.sin(x + y) * sp.exp(z)
    problem = IBVP(sp.Eq(laplacian(w, (x, y, z)), laplacian(exact, (x, y, z))), Box((x, 0, 1), (y, 0, 1), (z, 0, 1)),
                   boundary=[Dirichlet(w, exact, on=["left", "right", "bottom", "top", "back"]),
                             Neumann(w, exact.diff(z), on="front")])  # fmt: skip
    (values, slopes), _ = rates(problem, exact, (0.5, 0.25))
    assert values > 2.75
    assert slopes > 1.75


@pytest.mark.parametrize("domain", [SQUARE, ELL], ids=["square", "L"])
def test_quadratics_are_exact_on_straight_sides(domain):
    exact = 1 + 2 * x - y + x**2 - 3 * x * y + 2 * y**2
    nodes = domain.sample(300)
    equation = sp.Eq(3 * u.diff(x, 2) + u.diff(x, y) + u.diff(y, 2) + u.diff(x) - u,
                     3 * exact.diff(x, 2) + exact.diff(x, y) + exact.diff(y, 2) + exact.diff(x) - exact)  # fmt: skip
    solution = FiniteElement(mesh_size=0.3).solve(IBVP(equation, domain, boundary=[flux(exact, beta=1)]))
    assert solution.error(exact, nodes).maximum["u"] < 1e-11
    assert np.abs(solution.residual(nodes)).max() < 1e-9
    assert np.abs(solution.derivative(u.diff(x, y), nodes) + 3).max() < 1e-9


def test_linear_functions_are_exact_on_curved_sides():
    """Isoparametric elements hold all linear functions; quadratic ones only where sides are straight."""
    exact = 1 + 2 * x - y
    equation = 3 * u.diff(x, 2) + u.diff(x, y) + u.diff(y, 2) + u.diff(x) - 2
    solution = FiniteElement(mesh_size=0.3).solve(
        IBVP(equation, RING, boundary=[flux(exact, "boundary", 1), Dirichlet(u, exact, on="hole")])
    )
    points = RING.sample(300)
    assert solution.error(exact, points).maximum["u"] < 1e-11
    assert np.abs(solution.derivative(u.diff(x, 2), points)).max() < 1e-9


def test_layers_thinner_than_the_mesh_are_reported():
    w = field("w", x)
    problem = IBVP(sp.Eq(-w.diff(x, 2) / 10000 + w.diff(x), 1), Interval(x, 0, 1), boundary=[Dirichlet(w, 0)])
    with pytest.warns(SolverWarning, match="Péclet"):
        FiniteElement().solve(problem)
