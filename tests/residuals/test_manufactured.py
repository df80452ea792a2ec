"""Exact expressions in, residuals below 1e-10 out, for every row of every problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sciml import (
    IBVP,
    Box,
    Condition,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Periodic,
    ProblemWarning,
    Rectangle,
    ResidualSystem,
    Robin,
    coordinates,
    field,
    normal,
    sample,
)
from sciml.expressions.compiler import Program

x, y, z, t = coordinates("x y z t")


class ExpressionNetwork(nn.Module):
    """An exact solution as a module: values of expressions of the coordinates, one column each."""

    def __init__(self, problem: IBVP, expressions: Sequence[sp.Expr]) -> None:
        super().__init__()
        self.program = Program([problem.substitute(sp.sympify(e)) for e in expressions], problem.coordinates)

    def forward(self, points: Tensor) -> Tensor:
        return torch.stack(self.program(*points.unbind(dim=1)), dim=1)


Case = tuple[IBVP, list[sp.Expr]]
Numbers = tuple[sp.Rational, sp.Rational, int]


def with_source(operator: sp.Expr, known: sp.Expr, exact: sp.Expr) -> sp.Eq:
    """operator(u) = operator(exact)."""
    return sp.Eq(operator, operator.subs(known, exact).doit())


def evolution(operator: Callable[[sp.Expr], sp.Expr], exact: sp.Expr, orders: int = 1) -> Case:
    u = field("u", x, t)
    initial = {u: exact.subs(t, 0)}
    if orders == 2:
        initial[u.diff(t)] = exact.diff(t).subs(t, 0)
    problem = IBVP(with_source(operator(u), u, exact), Interval(x, 0, 1), time=(t, 0, sp.Rational(1, 2)),
                   initial=initial, boundary=[Dirichlet(u, exact)])  # fmt: skip
    return problem, [exact]


def steady(operator: Callable[[sp.Expr], sp.Expr], exact: sp.Expr, domain: object) -> Case:
    u = field("u", *domain.coordinates)
    return IBVP(with_source(operator(u), u, exact), domain, boundary=[Dirichlet(u, exact)]), [exact]


def heat(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    return evolution(lambda u: u.diff(t) - a * u.diff(x, 2), sp.exp(-b * t) * sp.sin(k * x + b) + x * t)


def wave(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    return evolution(lambda u: u.diff(t, 2) - a**2 * u.diff(x, 2), sp.cos(k * x - b * t) + t * x**2, orders=2)


def advection_diffusion(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    return evolution(lambda u: u.diff(t) + b * u.diff(x) - a * u.diff(x, 2), sp.exp(-t) * sp.cos(k * (x - b * t)))


def burgers(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    """Travelling front with speed b, no source."""
    u = field("u", x, t)
    exact = b - a * sp.tanh((x - b * t) / 2 * k)
    problem = IBVP(u.diff(t) + u * u.diff(x) - a / k * u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 1),
                   initial={u: exact.subs(t, 0)}, boundary=[Dirichlet(u, exact)])  # fmt: skip
    return problem, [exact]


def allen_cahn(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    return evolution(lambda u: u.diff(t) - a * u.diff(x, 2) + 5 * (u**3 - u), sp.tanh(b * x - t) + sp.sin(k * x) / 3)


def korteweg_de_vries(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    """Soliton, no source; a derivative in the conditions and periodic-free data."""
    u = field("u", x, t)
    exact = 2 * a**2 * sp.sech(a * (x - 4 * a**2 * t) - b) ** 2
    problem = IBVP(u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3), Interval(x, 0, k), time=(t, 0, 1),
                   initial={u: exact.subs(t, 0)},
                   boundary=[Dirichlet(u, exact), Neumann(u, exact.diff(x), on="right")])  # fmt: skip
    return problem, [exact]


def poisson(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    disk = Disk((x, y), center=(a, 0), radius=b)
    return steady(lambda u: u.diff(x, 2) + u.diff(y, 2), sp.exp(a * x) * sp.sin(k * y) + x * y, disk)


def helmholtz(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    u = field("u", x, y)
    exact = sp.cos(k * x) * sp.sinh(a * y) + b
    slope = sum(s * exact.diff(c) for s, c in zip(normal(x, y), (x, y), strict=True))
    faces = {"left": -exact.diff(x), "right": exact.diff(x)}
    conditions = [Dirichlet(u, exact, on="bottom"), Robin(u, b, exact.diff(y) + b * exact, on="top")]
    conditions += [Neumann(u, faces["left"], on="left"), Condition(
        sp.Eq(normal(x, y)[0] * u.diff(x) + normal(x, y)[1] * u.diff(y), slope), on="right")]  # fmt: skip
    operator = u.diff(x, 2) + u.diff(y, 2) + k**2 * u
    return IBVP(with_source(operator, u, exact), Rectangle((x, 0, 1), (y, 0, a)), boundary=conditions), [exact]


def variable_coefficient(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    domain = Rectangle((x, 0, 1), (y, 0, 1))
    coefficient = 1 + a * x**2 + sp.exp(-b * y)

    def operator(u: sp.Expr) -> sp.Expr:
        flux = [(coefficient * u.diff(s)).diff(s) for s in (x, y)]
        return sum(flux) + x * u.diff(x, y) - u**2

    return steady(operator, sp.sin(k * x) * sp.cos(b * y), domain)


def poisson_3d(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    domain = Box((x, 0, 1), (y, 0, a), (z, -1, b))
    return steady(lambda u: sum(u.diff(s, 2) for s in (x, y, z)), sp.sin(k * x) * sp.exp(y - z) + a * z**3, domain)


def beam(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    u = field("u", x, t)
    exact = sp.sin(k * x) * sp.cos(b * t)
    operator = u.diff(t, 2) + a * u.diff(x, 4)
    problem = IBVP(with_source(operator, u, exact), Interval(x, 0, 1), time=(t, 0, 1),
                   initial={u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)},
                   boundary=[Dirichlet(u, exact), Condition(sp.Eq(u.diff(x, 2), exact.diff(x, 2)))])  # fmt: skip
    return problem, [exact]


def navier_stokes(a: sp.Rational, b: sp.Rational, k: int) -> Case:
    """Decaying Taylor-Green vortices, no source, periodic in x."""
    u, v, p = (field(name, x, y, t) for name in "uvp")
    nu, decay = a / 10, sp.exp(-2 * k**2 * a / 10 * t)
    exact = [-sp.cos(k * x) * sp.sin(k * y) * decay, sp.sin(k * x) * sp.cos(k * y) * decay,
             -(sp.cos(2 * k * x) + sp.cos(2 * k * y)) * decay**2 / 4]  # fmt: skip
    momentum = [
        w.diff(t) + u * w.diff(x) + v * w.diff(y) + p.diff(s) - nu * (w.diff(x, 2) + w.diff(y, 2))
        for w, s in ((u, x), (v, y))
    ]
    sides = ("bottom", "top")
    problem = IBVP([*momentum, u.diff(x) + v.diff(y)], Rectangle((x, 0, 2 * sp.pi), (y, 0, b)), time=(t, 0, 1),
                   initial={u: exact[0].subs(t, 0), v: exact[1].subs(t, 0)},
                   boundary=[*(Periodic(w, on=("left", "right")) for w in (u, v, p)),
                             Dirichlet(u, exact[0], on=sides), Dirichlet(v, exact[1], on=sides)])  # fmt: skip
    return problem, [dict(zip((u, v, p), exact, strict=True))[known] for known in problem.fields]


CASES = [heat, wave, advection_diffusion, burgers, allen_cahn, korteweg_de_vries, poisson, helmholtz, navier_stokes,
         variable_coefficient, poisson_3d, beam]  # fmt: skip
NUMBER = st.fractions(min_value="1/4", max_value=2, max_denominator=8).map(lambda f: sp.Rational(f))


def largest_residuals(case: Case, change: float = 0.0) -> dict[str, float]:
    problem, exact = case
    error = sp.Float(change) * sp.exp(sum(problem.coordinates))
    fields = [expression + error for expression in exact] if change else exact
    model = ExpressionNetwork(problem, fields)
    rows = ResidualSystem(problem).rows(model, sample(problem, interior=40, boundary=24, initial=16), parameters=False)
    return {term.name: float(term.values.abs().max()) for term in rows.terms}


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=3, deadline=None)
@given(a=NUMBER, b=NUMBER, k=st.integers(1, 3))
def test_exact_solutions_have_no_residual(case: Callable[..., Case], a: sp.Rational, b: sp.Rational, k: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        residuals = largest_residuals(case(a, b, k))
    assert torch.isfinite(torch.tensor(list(residuals.values()))).all()
    assert max(residuals.values()) < 1e-10, residuals


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_solution_is_seen_by_every_kind_of_row(case: Callable[..., Case]) -> None:
    residuals = largest_residuals(case(sp.Rational(1, 2), sp.Rational(3, 4), 2), change=1e-3)
    assert min(residuals.values()) > 1e-5, residuals
