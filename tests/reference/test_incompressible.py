"""Stokes and Navier-Stokes flows by Taylor-Hood elements: orders, statements in other words, refusals."""

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Box, Condition, Dirichlet, Disk, Neumann, Periodic, Rectangle, coordinates, field, normal
from sciml.errors import ProblemWarning, SolverError
from sciml.problems import navier_stokes
from solvers.reference import FiniteElement

x, y, z, t = coordinates("x y z t")
u, v, p = (field(name, x, y) for name in "uvp")
nx, ny = normal(x, y)
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))
RING = Disk((x, y)) - Disk((x, y), center=(0.2, 0), radius=0.25, name="hole")
TENTH = sp.Rational(1, 10)
STREAM = sp.sin(x + 2 * y) + x * sp.cos(x * y)
EXACT = {u: STREAM.diff(y), v: -STREAM.diff(x), p: sp.sin(2 * x * y) + x}


def manufactured(equations, exact):
    """Equations with sources for which `exact` is a solution."""
    sides = [equation.lhs - equation.rhs for equation in equations]
    return [sp.Eq(side, side.subs(exact).doit()) for side in sides]


def flow(viscosity=TENTH, exact=EXACT, space=(x, y), time=False):
    known = list(exact)
    return manufactured(navier_stokes.equations(known[:-1], known[-1], space, viscosity, time).values(), exact)


def errors(problem, exact, size, **options):
    points = problem.domain.sample(1500)
    if problem.time is not None:
        points = np.column_stack([points, np.full(len(points), problem.bounds[-1][1])])
    solution = FiniteElement(mesh_size=size, **options).solve(problem)
    return np.array(list(solution.error(exact, points).relative_l2.values()))


def rates(problem, exact, sizes, **options):
    found = [errors(problem, exact, size, **options) for size in sizes]
    return np.log(found[-2] / found[-1]) / np.log(sizes[-2] / sizes[-1])


def test_kovasznay_is_of_third_order_and_its_pressure_of_second():
    case = navier_stokes.kovasznay()
    orders = rates(case.problem, case.exact, (0.2, 0.1))
    assert orders == pytest.approx([3, 3, 2], abs=0.35)
    assert errors(case.problem, case.exact, 0.1).max() < 7e-3


def test_another_statement_of_the_same_flow():
    """Other names and order, scaled and stress-divergence equations, p in other units, drag and Coriolis terms."""
    a, b, q = field("a", x, y), field("b", x, y), field("q", x, y)
    exact = {q: EXACT[p] / 3, b: EXACT[v], a: EXACT[u]}
    stress = [[2 * a.diff(x), a.diff(y) + b.diff(x)], [a.diff(y) + b.diff(x), 2 * b.diff(y)]]
    nu = (2 + x) / 20
    momentum = [
        (a * known.diff(x) + b * known.diff(y) + 3 * q.diff(s) + y * known + turn)
        - sum((nu * part).diff(r) for part, r in zip(line, (x, y), strict=True))
        for known, s, line, turn in ((a, x, stress[0], -2 * b), (b, y, stress[1], 2 * a))
    ]
    equations = [sp.Eq(5 * momentum[1], 0), sp.Eq(-2 * (a.diff(x) + b.diff(y)), 0), sp.Eq(momentum[0].doit(), 0)]
    equations = [sp.Eq(equation.lhs.doit(), 0) for equation in equations]
    problem = IBVP(manufactured(equations, exact), RING, boundary=[Dirichlet(a, exact[a]), Dirichlet(b, exact[b])],
                   fields=[q, b, a])  # fmt: skip
    orders = rates(problem, exact, (0.2, 0.1))
    assert orders[1:].min() > 2.6
    assert orders[0] > 1.7


def test_stokes_with_traction_on_curved_and_flat_faces():
    """The traction (ν ∂u/∂n - p n) is given on the hole, do-nothing data on the right."""
    nu = sp.Rational(1, 2)
    hole = Rectangle((x, -1, 1), (y, -1, 1)) - Disk((x, y), radius=0.5, name="hole")
    system = [sp.Eq(u.diff(x) + v.diff(y), 0)]
    system += [sp.Eq(p.diff(s), nu * (c.diff(x, 2) + c.diff(y, 2))) for c, s in ((u, x), (v, y))]

    def pull(c, q, n):
        return nu * (nx * c.diff(x) + ny * c.diff(y)) - q * n

    boundary = [Dirichlet(c, EXACT[c], on=["left", "top", "bottom"]) for c in (u, v)]
    for c, n in ((u, nx), (v, ny)):
        boundary.append(Condition(sp.Eq(pull(c, p, n), pull(EXACT[c], EXACT[p], n)), on="hole"))
    boundary += [Condition(sp.Eq(nu * u.diff(x) - p, (nu * u.diff(x) - p).subs(EXACT).doit()), on="right"),
                 Neumann(v, EXACT[v].diff(x), on="right")]  # fmt: skip
    problem = IBVP(manufactured(system, EXACT), hole, boundary=boundary, fields=[u, v, p])
    orders = rates(problem, EXACT, (0.3, 0.15))
    assert orders.min() > 1.8
    assert orders[:2].min() > 2.6


def test_symmetric_traction_with_tangential_derivatives():
    nu = sp.Rational(1, 5)
    pull = [2 * nu * u.diff(x) - p, nu * (u.diff(y) + v.diff(x))]
    boundary = [Dirichlet(c, EXACT[c], on=["left", "top", "bottom"]) for c in (u, v)]
    boundary += [Condition(sp.Eq(side, side.subs(EXACT).doit()), on="right") for side in pull]
    problem = IBVP(flow(nu), SQUARE, boundary=boundary, fields=[u, v, p])
    orders = rates(problem, EXACT, (0.2, 0.1))
    assert orders.min() > 1.7  # the symmetric traction is not the natural condition and costs an order


def test_the_pressure_takes_its_level_from_a_point():
    wall = [Dirichlet(u, EXACT[u]), Dirichlet(v, EXACT[v])]
    level = Condition(sp.Eq(p, EXACT[p].subs({x: 0.3, y: 0.7})), on={x: 0.3, y: 0.7})
    problem = IBVP(flow(), SQUARE, boundary=[*wall, level], fields=[u, v, p])
    assert errors(problem, EXACT, 0.1)[2] < 0.01  # no mean is removed: the level is fixed


def test_flow_in_a_box():
    known = [field(name, x, y, z) for name in "uvwp"]
    potential = (sp.sin(y + z), sp.cos(x - z), sp.sin(x + 2 * y))
    curl = [potential[2].diff(y) - potential[1].diff(z), potential[0].diff(z) - potential[2].diff(x),
            potential[1].diff(x) - potential[0].diff(y)]  # fmt: skip
    exact = dict(zip(known, [*curl, x * y - z], strict=True))
    problem = IBVP(flow(sp.S.One, exact, (x, y, z)), Box((x, 0, 1), (y, 0, 1), (z, 0, 1)),
                   boundary=[Dirichlet(c, exact[c]) for c in known[:3]], fields=known)  # fmt: skip
    orders = rates(problem, exact, (0.5, 0.25))
    assert orders[:3].min() > 2.6
    assert orders[3] > 1.6


def test_natural_convection_drives_and_is_carried():
    heat = field("T", x, y)
    exact = EXACT | {heat: sp.exp(x - y)}
    system = [sp.Eq(u.diff(x) + v.diff(y), 0)]
    for c, s, force in ((u, x, 0), (v, y, 4 * heat)):
        system.append(sp.Eq(u * c.diff(x) + v * c.diff(y) + p.diff(s), c.diff(x, 2) + c.diff(y, 2) + force))
    system.append(sp.Eq(u * heat.diff(x) + v * heat.diff(y), heat.diff(x, 2) + heat.diff(y, 2)))
    problem = IBVP(manufactured(system, exact), SQUARE,
                   boundary=[Dirichlet(c, exact[c]) for c in (u, v, heat)], fields=[u, v, p, heat])  # fmt: skip
    orders = rates(problem, exact, (0.25, 0.125))
    assert orders[[0, 1, 3]].min() > 2.7
    assert orders[2] > 1.7


def moving_flow():
    """Quadratic in space, so that only the steps make an error."""
    a, b, q = (field(name, x, y, t) for name in "uvp")
    exact = {a: y**2 * sp.cos(3 * t) + x, b: x**2 * sp.sin(2 * t) - y, q: (2 * x - 1) * sp.exp(sp.sin(4 * t))}
    problem = IBVP(flow(TENTH, exact, time=True), SQUARE, time=(t, 0, 1),
                   initial={c: exact[c].subs(t, 0) for c in (a, b)},
                   boundary=[Dirichlet(c, exact[c]) for c in (a, b)], fields=[a, b, q])  # fmt: skip
    return problem, exact


def test_velocity_and_pressure_are_of_second_order_in_time():
    problem, exact = moving_flow()
    found = []
    places = np.tile(SQUARE.sample(40), (4, 1))
    points = np.column_stack([places, np.repeat([0.25, 0.5, 0.75, 1.0], 40)])
    for steps in (12, 24):
        solution = FiniteElement(mesh_size=0.5, steps=steps).solve(problem)
        found.append(np.array(list(solution.error(exact, points).relative_l2.values())))
    orders = np.log2(found[0] / found[1])
    assert orders == pytest.approx([2, 2, 2], abs=0.35)


def test_the_first_pressure_is_found():
    problem, exact = moving_flow()
    solution = FiniteElement(mesh_size=0.5, steps=2).solve(problem)
    points = np.column_stack([SQUARE.sample(100), np.zeros(100)])
    assert solution.error(exact, points).maximum["p"] < 1e-3


def test_periodic_vortices_decay():
    case = navier_stokes.taylor_green()
    short = case.problem.replace(time=(t, 0, sp.Rational(1, 2)))
    orders = rates(short, case.exact, (2 * np.pi / 10, 2 * np.pi / 20), steps=2)
    assert orders[:2].min() > 2.5
    assert orders[2] > 1.5


@pytest.mark.parametrize("flux", [Neumann(u, 0, on="right"), Condition(u.diff(x) + u, on="right")])
def test_an_outflow_without_pressure_is_refused(flux):
    walls = [Dirichlet(u, y * (1 - y), on="left"), Dirichlet(u, 0, on=["top", "bottom"])]
    with pytest.warns(ProblemWarning, match="its level is neither fixed nor free"):
        problem = IBVP(flow(), SQUARE, boundary=[*walls, flux, Dirichlet(v, 0)], fields=[u, v, p])
    with pytest.raises(SolverError, match="free outflow is"):
        FiniteElement(mesh_size=0.25).solve(problem)


def test_a_symmetry_plane_needs_no_pressure():
    exact = {u: 1 - y**2, v: sp.S.Zero, p: -2 * x}
    boundary = [Dirichlet(u, exact[u], on=["left", "right", "top"]), Neumann(u, 0, on="bottom"), Dirichlet(v, 0)]
    problem = IBVP(flow(sp.S.One, exact), SQUARE, boundary=boundary, fields=[u, v, p])
    assert FiniteElement(mesh_size=0.5).solve(problem).error(exact).maximum["u"] < 1e-10


def test_refusals():
    walls = [Dirichlet(u, EXACT[u]), Dirichlet(v, EXACT[v])]
    with pytest.raises(SolverError, match="degree 2 for a flow"):
        FiniteElement(degree=1).solve(IBVP(flow(), SQUARE, boundary=walls, fields=[u, v, p]))
    with pytest.raises(SolverError, match="faces among"):
        FiniteElement(refine={"lid": 0.1}).solve(IBVP(flow(), SQUARE, boundary=walls, fields=[u, v, p]))
    with pytest.raises(SolverError, match="pressure of a flow with friction"):
        FiniteElement().solve(IBVP(flow(sp.S.Zero), SQUARE, boundary=walls, fields=[u, v, p]))


def test_periodic_flow_between_walls_with_a_force():
    exact = {u: y * (1 - y) / 2, v: sp.S.Zero, p: sp.S.Zero}
    boundary = [Dirichlet(c, 0, on=["bottom", "top"]) for c in (u, v)]
    boundary += [Periodic(c, ("left", "right")) for c in (u, v, p)]
    problem = IBVP(flow(sp.S.One, exact), SQUARE, boundary=boundary, fields=[u, v, p])
    assert FiniteElement(mesh_size=0.5).solve(problem).error(exact).maximum["u"] < 1e-12
