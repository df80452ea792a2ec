"""Linearising maps of nonlinear equations, disguised linear ones, and refusals with a reason."""

from dataclasses import replace

import pytest
import sympy as sp

from sciml import SolverError, coordinates, field
from solvers import linearising_map
from solvers.symmetry.algebra import Family
from solvers.symmetry.substitution import residual_size
from solvers.symmetry.verification import Verifier

x, y, t = coordinates("x y t")
u, U = field("u", x, t), field("u", x, y, t)
nu, k, a = sp.symbols("nu k a", positive=True)


def heat_of(w):
    return (w.diff(t) - w.diff(x, 2)).doit()


BURGERS = u.diff(t) + u * u.diff(x) - nu * u.diff(x, 2)
LINEARISABLE = {
    "Burgers": BURGERS,
    "Burgers, other scales": u.diff(t) - 3 * u.diff(x, 2) + a * u * u.diff(x),
    "Burgers, forced": heat_of(u) + u * u.diff(x) - sp.sin(t),
    "potential Burgers": u.diff(t) - nu * u.diff(x, 2) - k * u.diff(x) ** 2,
    "potential Burgers with potential": heat_of(u) - u.diff(x) ** 2 + x**2,
    "tangent": heat_of(sp.tan(u)),
    "cube": heat_of(u**3),
    "with x": heat_of(sp.exp(x * u)),
    "with t": heat_of((u + t) ** 2),
    "sinh wave": (sp.sinh(u).diff(t, 2) - sp.sinh(u).diff(x, 2)).doit(),
    "third order": (sp.log(u).diff(t) - sp.log(u).diff(x, 3) - x * sp.log(u)).doit(),
    "two dimensions": (sp.exp(U).diff(t) - sp.exp(U).diff(x, 2) - x * sp.exp(U).diff(y, 2)).doit(),
    "Thomas": u.diff(x, t) + u.diff(x) + k * u.diff(t) + u.diff(x) * u.diff(t),
    "hodograph": u.diff(t) - u.diff(x, 2) / u.diff(x) ** 2,
    "Storm": (u.diff(t) - (u.diff(x) / u**2).diff(x)).doit(),
    "Sharma-Tasso-Olver": (u.diff(t) - (u.diff(x, 2) + 3 * u * u.diff(x) + u**3).diff(x)).doit(),
    "as a product": (heat_of(u) - u.diff(x) ** 2) * u.diff(x),
}
REFUSED = {
    "Fisher": heat_of(u) - u * (1 - u),
    "KdV": u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3),
    "porous medium": (u.diff(t) - (u * u.diff(x)).diff(x)).doit(),
    "sine-Gordon": u.diff(x, t) - sp.sin(u),
    "nearly Burgers": u.diff(t) + u**2 * u.diff(x) - u.diff(x, 2),
    "Burgers with varying viscosity": u.diff(t) + u * u.diff(x) - (1 + t) * u.diff(x, 2),
}


@pytest.mark.parametrize("name", LINEARISABLE)
def test_linearisable(name):
    change = linearising_map(LINEARISABLE[name])
    assert change, change.reason
    assert change.defect(seed=4) < 1e-25
    residual = change.new_equation.lhs - change.new_equation.rhs
    jets = [n for n in residual.atoms(sp.Derivative) if n.expr == change.new_field] + [change.new_field]
    flat = residual.xreplace({n: sp.Dummy() for n in jets[:-1]}).xreplace({change.new_field: sp.Dummy()})
    unknown = [d for d in flat.free_symbols if isinstance(d, sp.Dummy)]
    assert sp.Poly(flat, *unknown).total_degree() == 1


@pytest.mark.parametrize("name", ["potential Burgers", "tangent", "cube", "with x", "Thomas"])
def test_the_ideal_is_one_of_symmetries(name):
    equation = LINEARISABLE[name]
    change = linearising_map(equation)
    alpha = sp.Function("alpha", real=True)(x, t)
    linear = change.new_equation.lhs - change.new_equation.rhs
    constraint = linear.subs(change.new_field, change.new_field.func(x, t)).replace(
        change.new_field.func, sp.Lambda((x, t), alpha)
    )
    verifier = Verifier([equation], [u])
    family = Family("linearising", change.ideal, (alpha,), (constraint.doit(),))
    assert verifier.check_family(family.generator, family.functions, family.constraints)


def test_cole_hopf_shock():
    change = linearising_map(BURGERS)
    w = change.new_field
    assert change.inverse[u] == -2 * nu * w.diff(x) / w
    # Two exponentials merge into a shock of speed 1/2 between 1 and 0.
    shock = change.apply(1 + sp.exp((t - 2 * x) / (4 * nu)))
    expected = 1 / (1 + sp.exp((2 * x - t) / (4 * nu)))
    point = {x: 0.3, t: 0.2, nu: 0.1}
    assert abs(sp.N((shock - expected).subs(point))) < 1e-12
    assert residual_size({u: shock}, [BURGERS]) < 1e-35


def test_hodograph_solutions_are_implicit_or_solved():
    change = linearising_map(LINEARISABLE["hodograph"])
    s = next(c for c in change.new_coordinates if c != t)
    assert residual_size({u: change.apply(s**2 + 2 * t)}, [LINEARISABLE["hodograph"]]) < 1e-30
    assert isinstance(change.apply(s**3 + 6 * s * t), sp.Equality)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_reason(name):
    change = linearising_map(REFUSED[name])
    assert not change
    assert "dimension" in change.reason or "no change of the field" in change.reason
    with pytest.raises(SolverError):
        change.apply(x)


def test_fisher_names_its_finite_algebra():
    assert "dimension 2 (certified)" in linearising_map(REFUSED["Fisher"]).reason


@pytest.mark.parametrize("name", ["Burgers", "cube", "hodograph"])
def test_check_of_maps_can_fail(name):
    change = linearising_map(LINEARISABLE[name])
    if change.graph:
        broken = replace(change, graph=change.graph | {u: 2 * change.graph[u]})
    else:
        broken = replace(change, formula=change.formula * sp.Rational(11, 10))
    assert change.verify()
    # The heat equation under w = u**3 allows multiples: there the exponent has to be wrong.
    if name == "cube":
        broken = replace(change, formula=change.formula**2)
    assert not broken.verify()
