"""The certificate: right solutions of every solver pass, planted wrong ones do not, and the figure says why."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    MLP,
    Certificate,
    Dirichlet,
    ExactSolution,
    Interval,
    Neumann,
    Observations,
    Periodic,
    ProblemError,
    Rectangle,
    coordinates,
    field,
    verify,
)
from sciml.problems import heat as heat_cases
from sciml.problems import kdv, navier_stokes
from sciml.references.solution import ReferenceSolution
from sciml.verification.divergence import divergence_form
from solvers import PINN, FiniteElement, LieSolver
from solvers.pinn import Ensemble

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y)
FORMULA = sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x) + x


def heat(factor: Any = 1) -> IBVP:
    return IBVP(sp.Eq(u.diff(t), factor * u.diff(x, 2)), Interval(x, 0, 1), (t, 0, sp.Rational(1, 4)),
                {u: sp.sin(sp.pi * x) + x}, [Dirichlet(u, x)])  # fmt: skip


def small(**options: Any) -> Any:
    return PINN(MLP(width=8, depth=2), steps=60, progress=False, **options)


class Formula(torch.nn.Module):
    """The solution as a user's own module."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        place, time = points[:, :1], points[:, 1:]
        return self.factor * torch.exp(-(np.pi**2) * time) * torch.sin(np.pi * place) + place


EXACT = ExactSolution(heat(), FORMULA)


def series(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
    return EXACT.jets(points, [(0, orders)])[:, 0]


SOLUTIONS: dict[str, Callable[[], Any]] = {
    "PINN": lambda: small().solve(heat()),
    "PINN in slabs": lambda: small(slabs=2).solve(heat()),
    "ensemble": lambda: Ensemble(small(), members=2).solve(heat()),
    "LieSolver": lambda: LieSolver().solve(heat()),
    "FiniteElement": lambda: FiniteElement().solve(heat()),
    "formula": lambda: ExactSolution(heat(), FORMULA),
    "reference": lambda: ReferenceSolution(heat(), series),
    "module": Formula,
}


def network(model: torch.nn.Module) -> None:
    with torch.no_grad():
        next(iter(model.parameters())).mul_(1.1)


def spoil(name: str, solution: Any) -> Any:
    """A copy with a wrong parameter, coefficient or value."""
    if name == "formula":
        return ExactSolution(heat(), FORMULA + x * (1 - x) * t / 2)
    if name == "reference":
        return ReferenceSolution(heat(), lambda points, orders: 1.05 * series(points, orders))
    wrong = copy.deepcopy(solution)
    if name == "module":
        network(wrong)
    elif name == "LieSolver":
        wrong.amplitudes = wrong.amplitudes * 1.05
    elif name == "FiniteElement":
        wrong.values = wrong.values.copy()
        wrong.values[..., len(wrong.nodes) // 3] *= 1.1  # one node
    else:
        part = {"PINN in slabs": "slabs", "ensemble": "members"}.get(name)
        network((getattr(wrong, part)[-1] if part else wrong).model)
    return wrong


@pytest.mark.filterwarnings("ignore:.*ill-posed forwards in time")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in ("ensemble", "PINN in slabs") else ()) for n in SOLUTIONS]
)
def test_right_solutions_are_verified_and_wrong_ones_suspect(name: str) -> None:
    solution = SOLUTIONS[name]()
    certificate = verify(heat(), solution) if name == "module" else solution.certificate(bound=False)
    assert certificate.verified, certificate
    assert verify(heat(), spoil(name, solution)).verdict == "suspect"
    for factor in (-1, sp.Rational(21, 20)):  # an equation of the wrong sign; a coefficient that is 5 % off
        wrong = verify(heat(factor), solution)
        kinds = {check.kind for check in wrong.suspects}
        assert kinds & {"equation", "weak form"}, wrong
        assert "balance" in kinds, wrong  # a wrong flux does not balance either
        assert dict(wrong.suspects[0].where).keys() == {"x", "t"}


def test_every_exact_solution_of_the_library_is_verified() -> None:
    """Waves of dispersion, flows and a jump: no false alarm, and a wrong viscosity is none of the solution."""
    for case in (kdv.soliton(), navier_stokes.kovasznay(), heat_cases.jump()):
        certificate = verify(case.problem, case.reference)
        assert certificate.verified, certificate
    wrong = verify(navier_stokes.kovasznay(25).problem, navier_stokes.kovasznay(20).reference)
    assert {check.name for check in wrong.suspects if check.kind == "equation"} == {"momentum x", "momentum y"}


def test_a_fault_in_a_small_place_is_found_and_located() -> None:
    """A bump of width 1/60 and height 1/500 that the mean over the domain does not see."""
    spike = sp.exp(-3600 * ((x - sp.Rational(3, 10)) ** 2 + (t - sp.Rational(1, 10)) ** 2)) / 500
    found = verify(heat(), FORMULA + spike)
    (equation,) = (check for check in found.suspects if check.kind == "equation")
    where = dict(equation.where)
    assert abs(where["x"] - 0.3) < 0.03
    assert abs(where["t"] - 0.1) < 0.03


def test_a_flux_that_jumps_is_seen_by_the_weak_form_and_the_balance_only() -> None:
    """k u_x must be continuous where k jumps; a solution with continuous u_x has no residual in the strong form."""
    k = sp.Piecewise((1, x < sp.Rational(1, 2)), (3, True))
    v = field("v", x)
    problem = IBVP((k * v.diff(x)).diff(x), Interval(x, 0, 1), boundary=[Dirichlet(v, x)])
    kinds = {check.kind for check in verify(problem, x).suspects}
    assert kinds == {"weak form", "balance"}
    right = sp.Piecewise((3 * x / 2, x < sp.Rational(1, 2)), (x / 2 + sp.Rational(1, 2), True))
    assert verify(problem, right).verified


def test_a_drift_shows_in_the_balance() -> None:
    """Insulated walls: heat made from nothing, of less than 1 % of the size of the terms each moment, adds up."""
    problem = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 4), {u: sp.cos(sp.pi * x)},
                   [Neumann(u, 0)])  # fmt: skip
    right = sp.exp(-(sp.pi**2) * t) * sp.cos(sp.pi * x)
    assert verify(problem, right).verified
    kinds = {check.kind for check in verify(problem, right + t / 150).suspects}
    assert kinds == {"balance"}


@pytest.mark.parametrize("unit", [sp.Rational(1, 10**9), 10**6])
def test_units_do_not_change_the_verdict(unit: Any) -> None:
    problem = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, unit), (t, 0, unit**2 / 4),
                   {u: sp.sin(sp.pi * x / unit) * unit}, [Dirichlet(u, 0)])  # fmt: skip
    right = sp.exp(-((sp.pi / unit) ** 2) * t) * sp.sin(sp.pi * x / unit) * unit
    assert verify(problem, right).verified
    assert not verify(problem, right * sp.Rational(21, 20)).verified
    assert not verify(problem, right.subs(t, 2 * t)).verified


def test_periodic_conditions_and_measurements() -> None:
    places = np.column_stack([np.linspace(0.1, 0.9, 9), np.full(9, 0.1)])
    values = np.exp(-4 * np.pi**2 * 0.1) * np.sin(2 * np.pi * places[:, 0])
    problem = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, sp.Rational(1, 4)),
                   {u: sp.sin(2 * sp.pi * x)}, [Periodic(u)],
                   observations=[Observations(u, places, values, sigma=1e-3)])  # fmt: skip
    right = sp.exp(-4 * sp.pi**2 * t) * sp.sin(2 * sp.pi * x)
    certificate = verify(problem, right)
    assert certificate.verified, certificate
    assert certificate.of("observation")[0].value < 1e-6
    shifted = problem.replace(observations=[Observations(u, places, values + 0.01, sigma=1e-3)])
    assert [check.kind for check in verify(shifted, right).suspects] == ["observation"]
    assert verify(shifted, right).suspects[0].value == pytest.approx(10, rel=1e-6)
    assert not verify(problem, right + x * (1 - x) * x / 5).verified


def test_values_that_are_not_finite_are_suspect() -> None:
    class Broken(Formula):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return torch.where(points[:, :1] > 0.7, torch.nan, super().forward(points))

    certificate = verify(heat(), Broken())
    assert not certificate.verified
    assert dict(certificate.of("values")[0].where)["x"] > 0.7
    assert "not finite" in str(certificate.suspects[0])


def test_derivatives_that_a_solution_cannot_give_are_replaced_by_the_weak_form() -> None:
    def first(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        if orders[0] > 1:
            raise ProblemError("first derivatives", str(orders), "")
        return series(points, orders)

    right = ReferenceSolution(heat(), first).certificate()
    assert right.verified, right
    assert not right.of("equation")
    assert right.of("weak form")[0].value < 1e-6

    def none(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        if any(orders):
            raise ProblemError("values", str(orders), "")
        return series(points, orders)

    unchecked = ReferenceSolution(heat(), none).certificate()
    assert unchecked.verdict == "suspect"
    assert "not checked" in unchecked.suspects[0].note


def test_a_reference_and_a_bound_stand_in_the_certificate() -> None:
    solution = LieSolver().solve(heat())
    certificate = solution.certificate(reference=FiniteElement(mesh_size=0.1))
    assert certificate.of("reference")[0].value < 1e-3
    assert certificate.of("bound")[0].value < 1e-10
    assert "bound" in repr(certificate)
    wrong = verify(heat(), FORMULA, reference=FORMULA + sp.sin(3 * x))
    assert [check.kind for check in wrong.suspects] == ["reference"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        certificate.tolerance = 1.0
    assert isinstance(certificate, Certificate)


def test_elements_that_are_too_large_to_be_tested_are_said() -> None:
    coarse = FiniteElement(mesh_size=0.3).solve(
        IBVP(w.diff(x, 2) + w.diff(y, 2) + 1, Rectangle((x, 0, 1), (y, 0, 1)), boundary=[Dirichlet(w, 0)])
    )
    assert "too large" in coarse.certificate().of("weak form")[0].note
    assert not coarse.certificate().verified


BAD: dict[str, Callable[[], Any]] = {
    "no problem": lambda: verify(FORMULA, FORMULA),
    "no solution": lambda: verify(heat(), "solution"),
    "tolerance": lambda: verify(heat(), FORMULA, tolerance=0),
    "tolerance, a word": lambda: verify(heat(), FORMULA, tolerance="small"),
    "other coordinates": lambda: verify(heat(), ExactSolution(_steady(), x)),
    "module of other inputs": lambda: verify(heat(), torch.nn.Linear(3, 1)),
    "module of other outputs": lambda: verify(heat(), torch.nn.Linear(2, 2)),
    "formula of other symbols": lambda: verify(heat(), sp.sin(y)),
}


def _steady() -> IBVP:
    v = field("u", x)
    return IBVP(v.diff(x, 2), Interval(x, 0, 1), boundary=[Dirichlet(v, x)])


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_errors(name: str) -> None:
    with pytest.raises(ProblemError) as caught:
        BAD[name]()
    assert caught.value.given


def test_divergence_form_is_the_equation_again() -> None:
    """Σ D_i F_i + S, differentiated by SymPy, is the expression that was given."""
    v = field("v", x, t)
    k = 1 + x**2 * u
    for expression in (
        u.diff(t) + u**2 * u.diff(x) - (k * u.diff(x)).diff(x),
        u.diff(t) + u.diff(x, 3) + 6 * u * u.diff(x),
        u.diff(t, 2) - (sp.exp(x) * u.diff(x)).diff(x) + sp.sin(u) * u.diff(x),
        u.diff(x, t) + v * u.diff(x) + u.diff(x, 4) * t,
        u.diff(x) ** 2 + u.diff(x, 2) * v.diff(x),
    ):
        form = divergence_form(expression, [u, v], (x, t))
        again = form.rest + sum(flux.diff(axis) for axis, flux in form.fluxes.items())
        assert sp.expand((again - expression).doit()) == 0
    assert divergence_form((k * u.diff(x)).diff(x), [u], (x, t)).rest == 0
