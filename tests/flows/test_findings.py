"""Recognition of flows, and what is said about their statements."""

import pytest
import sympy as sp

from sciml import IBVP, Condition, Dirichlet, Disk, Neumann, Periodic, Rectangle, coordinates, field
from sciml.errors import ProblemError, ProblemWarning
from sciml.flows import flow_of
from sciml.problems import cavity, cylinder, heat, navier_stokes, step

x, y, t = coordinates("x y t")
a, b, q = (field(name, x, y) for name in "abq")
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))


def stated(boundary, domain=SQUARE, **options):
    return IBVP(navier_stokes.equations([a, b], q, (x, y), sp.Rational(1, 7)), domain, boundary=boundary, **options)


def test_a_scaled_statement_with_sources_in_another_order():
    nu = 2 + x
    stress = [[2 * a.diff(x), a.diff(y) + b.diff(x)], [a.diff(y) + b.diff(x), 2 * b.diff(y)]]
    momentum = [
        4 * (a * c.diff(x) + b * c.diff(y)) + 2 * q.diff(s) + y * c - 2 * (nu * one).diff(x) - 2 * (nu * two).diff(y)
        for c, s, (one, two) in ((a, x, stress[0]), (b, y, stress[1]))
    ]
    problem = IBVP([momentum[1].doit(), 3 * a.diff(x) + 3 * b.diff(y), momentum[0].doit()], SQUARE,
                   boundary=[Dirichlet(a, 0), Dirichlet(b, 0)])  # fmt: skip
    flow = flow_of(problem)
    assert flow.velocity == (a, b)
    assert flow.pressure == q
    assert sp.simplify(flow.viscosity - nu) == 0
    wanted = 2 * (a * a.diff(x) + b * a.diff(y)) + y * a / 2
    assert sp.simplify(flow.inertia[0] - wanted) == 0


def test_laplacian_form_has_the_convection_as_inertia():
    flow = flow_of(navier_stokes.taylor_green().problem)
    u, v, _ = navier_stokes.taylor_green().problem.fields
    assert sp.expand(flow.inertia[1] - (v.diff(t) + u * v.diff(x) + v * v.diff(y))) == 0
    assert flow_of(navier_stokes.beltrami().problem).viscosity == 1


def test_no_flow():
    with pytest.raises(ProblemError, match="gradient of a pressure"):
        flow_of(heat.sine().problem)


def test_a_face_without_condition_is_an_error():
    walls = [Dirichlet(c, 0, on=["left", "bottom", "top"]) for c in (a, b)]
    with pytest.raises(ProblemError, match="no condition for the velocity on 'right'"):
        stated(walls)


def test_an_outflow_without_pressure_is_noticed():
    walls = [Dirichlet(c, 0, on=["left", "bottom", "top"]) for c in (a, b)]
    with pytest.warns(ProblemWarning, match="its level is neither fixed nor free"):
        stated([*walls, Neumann(a, 0, on="right"), Neumann(b, 0, on="right")])
    stated([*walls, Condition(sp.Eq(a.diff(x) / 7, q), on="right"), Neumann(b, 0, on="right")])  # says nothing


def test_too_many_pressures_are_noticed():
    inflow = [Dirichlet(a, y * (1 - y), on="left"), Dirichlet(b, 0, on="left")]
    walls = [*inflow, *(Dirichlet(c, 0, on=["bottom", "top"]) for c in (a, b))]
    outflow = [Condition(sp.Eq(a.diff(x) / 7, q), on="right"), Neumann(b, 0, on="right")]
    closed = [Dirichlet(a, y * (1 - y), on="right"), Dirichlet(b, 0, on="right")]
    level = [Condition(sp.Eq(q, k), on={x: sp.Rational(1, 2), y: sp.Rational(1, 3 + k)}) for k in (0, 1)]
    stated([*walls, *closed, level[0]])  # one level: says nothing
    with pytest.warns(ProblemWarning, match=r"given more than once, by an outflow on 'right', 'condition q at"):
        stated([*walls, *outflow, level[0]])
    with pytest.warns(ProblemWarning, match="given more than once"):
        stated([*walls, *closed, *level])
    with pytest.warns(ProblemWarning, match="every component of the velocity is given on 'left'"):
        stated([*walls, *closed, Neumann(q, 0, on="left")])


def test_a_net_flux_is_refused_with_its_amount():
    profile = y * (1 - y)
    walls = [Dirichlet(a, 0, on=["bottom", "top"]), Dirichlet(b, 0)]
    with pytest.raises(ProblemError, match=r"net flux of 0\.0833333 out of the domain \(0\.2 of"):
        stated([Dirichlet(a, profile, on="left"), Dirichlet(a, sp.Rational(3, 2) * profile, on="right"), *walls])
    stated([Dirichlet(a, profile, on="left"), Dirichlet(a, profile, on="right"), *walls])


def test_a_net_flux_through_a_hole_and_in_time():
    ring = SQUARE - Disk((x, y), center=(sp.Rational(1, 2),) * 2, radius=sp.Rational(1, 5), name="hole")
    walls = [Dirichlet(c, 0, on=["left", "right", "bottom", "top"]) for c in (a, b)]
    source = [Dirichlet(a, x - sp.Rational(1, 2), on="hole"), Dirichlet(b, y - sp.Rational(1, 2), on="hole")]
    with pytest.raises(ProblemError, match=r"net flux of -0\.251327"):  # -2 π r²
        stated([*walls, *source], ring)
    stated([*walls, Dirichlet(a, y, on="hole"), Dirichlet(b, -x, on="hole")], ring)  # a turning body
    u, v, p = (field(name, x, y, t) for name in "uvp")
    with pytest.raises(ProblemError, match=r"net flux of 1 out of the domain at t = 1"):
        IBVP(navier_stokes.equations([u, v], p, (x, y), sp.S.One, time=True), SQUARE, time=(t, 0, 2),
             initial={u: 0, v: 0}, boundary=[Dirichlet(u, t * x), Dirichlet(v, 0)])  # fmt: skip


def test_periodic_sides_may_be_passed():
    boundary = [Periodic(c, ("left", "right")) for c in (a, b, q)]
    problem = stated([*boundary, *(Dirichlet(c, 0, on=["bottom", "top"]) for c in (a, b))])
    assert flow_of(problem).divergence == 0


@pytest.mark.parametrize(
    ("make", "reynolds"), [(cavity.lid, 8500), (cylinder.dfg_steady, 100), (step.backward_facing, 1200)]
)
def test_reynolds_numbers_of_known_instability_warn(make, reynolds):
    with pytest.warns(ProblemWarning, match="unstable"):
        make(reynolds)
