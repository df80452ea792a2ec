"""Equivalence of linear parabolic equations to the heat equation: forward, back, and where it fails."""

import pytest
import sympy as sp

from sciml import coordinates, field
from solvers import linearising_map
from solvers.symmetry.parabolic import heat_form
from solvers.symmetry.substitution import residual_size

x, t = coordinates("x t")
u = field("u", x, t)
k, r, sigma, D, mu = sp.symbols("k r sigma D mu", positive=True)

EQUIVALENT = {
    "Black-Scholes": (-(sigma**2) * x**2 / 2, -r * x, r),
    "Ornstein-Uhlenbeck": (1, -k * x, 0),
    "Fokker-Planck": (D, k * x, k),
    "drift and decay": (D, -mu, -k),
    "linear potential": (1, 0, t * x),
    "quadratic potential": (1, 0, -(x**2)),
    "inverted potential": (1, 0, k * x**2),
    "growing potential": (1, 0, t * x**2),
    "log-type": (x**2, x, -1),
    "exponential diffusion": (sp.exp(2 * t), 1, 0),
    "square root": (x, sp.Rational(1, 2), 0),
    "spherical": (1, 2 / x, 0),
    "asinh": (1 + x**2, x, 0),
    "power of time": (t**2, x / t, 0),
    "exponential and log": (x**2 * sp.exp(t), x, 1),
    "hyperbolic drift": (1, 2 * sp.tanh(x), 0),
}
NOT_EQUIVALENT = {"cubic": (1, 0, x**3), "radial": (1, 1 / x, 0), "sin drift": (1, sp.sin(x), 0), "x u_xx": (x, 0, 0)}


def residual(a, b, c):
    return u.diff(t) - a * u.diff(x, 2) - b * u.diff(x) - c * u


@pytest.mark.parametrize("name", EQUIVALENT)
def test_equivalent(name):
    equation = residual(*EQUIVALENT[name])
    change = linearising_map(equation)
    assert change, change.reason
    y, s = change.new_coordinates
    w = change.new_field
    assert sp.expand(change.new_equation.lhs - change.new_equation.rhs - (w.diff(s) - w.diff(y, 2))) == 0
    # Another solution than the check of the map itself uses.
    known = sp.exp(-4 * s) * sp.sin(2 * y) + y**4 + 12 * y**2 * s + 12 * s**2
    assert residual_size({u: change.apply(known)}, [equation], seed=3) < 1e-30
    # Forth and back.
    there = change.forward[w].subs(u, change.apply(known)).doit()
    point = {x: sp.Rational(7, 9), t: sp.Rational(2, 5), k: 1, r: 1, sigma: 1, D: 2, mu: 1}
    places = {y: change.forward[y].subs(point), s: change.forward[s].subs(point)}
    assert abs(sp.N(there.subs(point) - known.subs(places), 30)) < 1e-20


@pytest.mark.parametrize("name", NOT_EQUIVALENT)
def test_not_equivalent(name):
    change = linearising_map(residual(*NOT_EQUIVALENT[name]))
    assert not change
    assert "Q_yyy" in change.reason
    assert "not 0" in change.reason


def test_equivalent_without_closed_form_says_so():
    change = linearising_map(residual(1, x * sp.cos(t), 0))
    assert not change
    assert "Q_yyy = 0" in change.reason


def test_wrong_factor_is_seen():
    form = heat_form(sp.Integer(1), -k * x, sp.S.Zero, x, t)
    good = {u: form.factor * (form.y**2 + 2 * form.s)}
    bad = {u: form.factor * (form.y**2 + 3 * form.s)}
    assert residual_size(good, [residual(1, -k * x, 0)]) < 1e-30
    assert residual_size(bad, [residual(1, -k * x, 0)]) > 1e-3


def test_sources_are_removed_where_a_particular_solution_is_known():
    change = linearising_map(u.diff(t) - u.diff(x, 2) + u - t)
    assert change
    assert change.verify()
