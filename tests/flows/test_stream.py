"""The stream function form: exact flows satisfy it, conditions are carried, what it cannot state is refused."""

import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    MLP,
    Dirichlet,
    ExactSolution,
    Periodic,
    Rectangle,
    ResidualSystem,
    coordinates,
    field,
    load_solution,
    sample,
)
from sciml.errors import CheckpointError, ProblemError
from sciml.flows import mass_balance
from sciml.flows.stream import StreamForm
from sciml.flows.subtraction import corner_flow, subtracted
from sciml.problems import cylinder, navier_stokes, poiseuille
from solvers import PINN

CASE = navier_stokes.kovasznay()
X, Y = CASE.problem.space


class Jets:
    """The jets of a solution as a derivative engine."""

    def __init__(self, solution):
        self.solution = solution

    def jets(self, model, points, needed, parameters=True):
        return torch.as_tensor(self.solution.jets(points.numpy(), needed))


def kovasznay_psi():
    """ψ = y - e^{λx} sin(2πy)/(2π), up to the constant that the gauge wants."""
    u, v, p = CASE.problem.fields
    psi = sp.integrate(CASE.exact[u], Y)
    assert sp.simplify(psi.diff(X) + CASE.exact[v]) == 0
    return psi, CASE.exact[p]


def test_an_exact_flow_satisfies_equations_and_conditions_of_its_stream_form():
    form = StreamForm(CASE.problem)
    psi, p = kovasznay_psi()
    point = next(term.point for term in form.problem.terms if term.kind == "point")
    exact = ExactSolution(form.problem, {form.psi: psi - psi.subs(point), form.problem.fields[1]: p})
    points = sample(form.problem, interior=40, boundary=40, seed=1)
    squares = ResidualSystem(form.problem, engine=Jets(exact)).rows(None, points).mean_squares()
    assert len(squares) == 5  # two of momentum, two of the boundary, the gauge
    assert max(squares.values()) < 1e-20
    flow = form.velocity(exact)
    assert flow.error(CASE.reference).maximum["u"] < 1e-12
    assert flow.error(CASE.reference).maximum["v"] < 1e-12
    assert mass_balance(flow).divergence < 1e-13
    places = CASE.problem.domain.sample(20)
    u, v, p = CASE.problem.fields
    for wanted in (u.diff(Y, 2), v.diff(X), u * v.diff(Y) + p.diff(X)):
        assert flow.derivative(wanted, places) == pytest.approx(CASE.reference.derivative(wanted, places), abs=1e-10)


def test_conditions_of_an_outflow_are_carried():
    case = poiseuille.channel()
    form = StreamForm(case.problem)
    _, y = case.problem.space
    psi = 2 * y**2 - sp.Rational(4, 3) * y**3
    point = next(term.point for term in form.problem.terms if term.kind == "point")
    exact = ExactSolution(
        form.problem, {form.psi: psi - psi.subs(point), form.problem.fields[1]: case.exact[case.problem.fields[2]]}
    )
    rows = ResidualSystem(form.problem, engine=Jets(exact)).rows(None, sample(form.problem, interior=30, boundary=30))
    assert len(rows.mean_squares()) == 8
    assert max(rows.mean_squares().values()) < 1e-20
    wrong = ExactSolution(form.problem, {form.psi: 2 * y**2, form.problem.fields[1]: sp.S.Zero})
    rows = ResidualSystem(form.problem, engine=Jets(wrong)).rows(None, sample(form.problem, interior=30, boundary=30))
    assert sum(value > 1e-3 for value in rows.mean_squares().values()) > 2


def test_time_and_periodic_sides():
    vortex = navier_stokes.taylor_green()
    x, y = vortex.problem.space
    form = StreamForm(vortex.problem)
    psi = sp.cos(x) * sp.cos(y) * sp.exp(-navier_stokes.t / 50)
    assert sp.simplify(psi.diff(y) - vortex.exact[vortex.problem.fields[0]]) == 0
    point = next(term.point for term in form.problem.terms if term.kind == "point")
    exact = ExactSolution(
        form.problem, {form.psi: psi - psi.subs(point), form.problem.fields[1]: vortex.exact[vortex.problem.fields[2]]}
    )
    points = sample(form.problem, interior=30, boundary=30, initial=30)
    rows = ResidualSystem(form.problem, engine=Jets(exact)).rows(None, points).mean_squares()
    assert {name.split()[0] for name in rows} == {"momentum", "periodic", "condition"}
    assert max(rows.values()) < 1e-20
    assert form.velocity(exact).error(vortex.reference).maximum["v"] < 1e-12


def test_a_flux_between_periodic_sides_is_refused_with_its_amount():
    vortex = navier_stokes.taylor_green().problem
    u, v, _ = vortex.fields
    moved = vortex.replace(initial={u: vortex.initial[u] + 1, v: vortex.initial[v]})
    with pytest.raises(ProblemError, match=r"a flux of 6\.28 for 'bottom' and 'top'"):
        StreamForm(moved)
    x, y = coordinates("x y")
    a, b, q = (field(name, x, y) for name in "abq")
    sides = [Periodic(c, on=("left", "right")) for c in (a, b, q)]

    def porous(speed):
        walls = [Dirichlet(a, 0, on=["bottom", "top"]), Dirichlet(b, speed, on=["bottom", "top"])]
        return IBVP(navier_stokes.equations([a, b], q, (x, y), sp.S.One), Rectangle((x, 0, 2), (y, 0, 1)),
                    boundary=[*sides, *walls])  # fmt: skip

    assert "periodic psi left+right" in [term.name for term in StreamForm(porous(0)).problem.terms]
    with pytest.raises(ProblemError, match=r"a flux of 0\.2 for"):  # through walls that suck on one side and blow
        StreamForm(porous(sp.Rational(1, 10)))


def test_what_has_no_stream_function_is_refused():
    with pytest.raises(ProblemError, match="a plane flow"):
        StreamForm(navier_stokes.beltrami().problem)
    u, v, _ = CASE.problem.fields
    with pytest.raises(ProblemError, match=r"continuity: a source of (0\.9|1)"):  # without a net flux
        StreamForm(CASE.problem.replace(
            pde={**dict(zip(CASE.problem.equation_names, (sp.Eq(e, 0) for e in CASE.problem.equations), strict=True)),
                 "continuity": sp.Eq(u.diff(X) + v.diff(Y), sp.sin(2 * sp.pi * Y))},
        ))  # fmt: skip
    with pytest.raises(ProblemError, match="a new name"):
        StreamForm(CASE.problem, "p")
    with pytest.raises(ProblemError, match="the fields psi, p"):
        StreamForm(CASE.problem).velocity(CASE.reference)


def test_a_subtracted_corner_flow_has_no_source_of_mass():
    """The known parts are opaque functions, whose divergence vanishes in numbers only."""
    parts = corner_flow((X, Y), (-1, 2), (1, 0), (0, -1), sp.Rational(1, 20))
    rest = subtracted(CASE.problem, dict(zip(CASE.problem.fields, parts, strict=True)))
    assert StreamForm(rest).problem.equation_names == ("momentum x", "momentum y")
    with pytest.raises(ProblemError, match="a source of"):
        StreamForm(subtracted(CASE.problem, {CASE.problem.fields[0]: X**2}))


def test_a_hole_keeps_both_slopes():
    form = StreamForm(cylinder.dfg_steady().problem)
    on_body = [term for term in form.problem.terms if "cylinder" in term.faces]
    assert len(on_body) == 2  # ψ on the body is a constant that is not known


def test_a_solution_with_subtracted_parts_is_saved_and_loaded(tmp_path):
    """Files hold no Python functions, not those of known parts in the boundary data either: problem= supplies them."""
    u, v, _ = CASE.problem.fields
    rest = subtracted(CASE.problem, {u: sp.sin(X) * Y})
    remainder = PINN(MLP(width=4, depth=1), seed=0, steps=1, constraints="soft", progress=False).solve(rest)
    remainder.save(tmp_path / "rest")
    loaded = load_solution(tmp_path / "rest", problem=rest)
    points = rest.domain.sample(5)
    assert (loaded.evaluate(points) == remainder.evaluate(points)).all()
    with pytest.raises(CheckpointError, match=r"of the problem given|well-formed"):
        load_solution(tmp_path / "rest", problem=subtracted(CASE.problem, {v: sp.sin(X) * Y}))
