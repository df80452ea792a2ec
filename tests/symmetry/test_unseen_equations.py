"""Equations that are not in the reference file: dimensions from the literature, any form, any function."""

import pytest
import sympy as sp

from sciml import coordinates, field
from solvers import point_symmetries
from solvers.symmetry.generator import Generator

x, y, t = coordinates("x y t")
u, v, w = (field(name, x, t) for name in "uvw")
r, p = field("r", x, t), field("p", x, t)
s, U = field("s", x, y), field("U", x, y, t)
n, k, c, a, b = sp.symbols("n k c a b", positive=True)
F = sp.Function("F")
lagrangian = sp.sqrt(1 + s.diff(x) ** 2 + s.diff(y) ** 2)

# name: equations, dimension, infinite
CASES = {
    "linear potential": (u.diff(t) - u.diff(x, 2) + x * u, 6, True),
    "radial heat": (u.diff(t) - u.diff(x, 2) - k / x * u.diff(x), 4, True),
    "radial heat in 3D": (u.diff(t) - u.diff(x, 2) - 2 / x * u.diff(x), 6, True),
    "Fisher": (u.diff(t) - u.diff(x, 2) - u * (1 - u), 2, False),
    "Ornstein-Uhlenbeck": (u.diff(t) - a * u.diff(x, 2) - b * (x * u).diff(x), 6, True),
    "harmonic potential": (u.diff(t) - u.diff(x, 2) + x**2 * u, 6, True),
    "inverted potential": (u.diff(t) - u.diff(x, 2) - k * x**2 * u, 6, True),
    "Zakharov-Kuznetsov": (U.diff(t) + U * U.diff(x) + U.diff(x, 3) + U.diff(x, y, y), 5, False),
    "Camassa-Holm": (
        u.diff(t) - u.diff(x, 2, t) + 3 * u * u.diff(x) - 2 * u.diff(x) * u.diff(x, 2) - u * u.diff(x, 3),
        3,
        False,
    ),
    "Monge-Ampere 0": (s.diff(x, 2) * s.diff(y, 2) - s.diff(x, y) ** 2, 15, False),
    "minimal surface": (
        (1 + s.diff(y) ** 2) * s.diff(x, 2)
        - 2 * s.diff(x) * s.diff(y) * s.diff(x, y)
        + (1 + s.diff(x) ** 2) * s.diff(y, 2),
        7,
        False,
    ),
    "minimal surface with root": ((s.diff(x) / lagrangian).diff(x) + (s.diff(y) / lagrangian).diff(y), 7, False),
    "Gardner": (u.diff(t) + a * u * u.diff(x) + b * u**2 * u.diff(x) + c * u.diff(x, 3), 3, False),
    "diffusion u^n": (u.diff(t) - (u**n * u.diff(x)).diff(x), 4, False),
    "diffusion sqrt u": (u.diff(t) - (sp.sqrt(u) * u.diff(x)).diff(x), 4, False),
    "diffusion exp u": (u.diff(t) - (sp.exp(u) * u.diff(x)).diff(x), 4, False),
    "diffusion F(u)": (u.diff(t) - (F(u) * u.diff(x)).diff(x), 3, False),
    "u log u": (u.diff(t) - u.diff(x, 2) - u * sp.log(u), 4, False),
    "sqrt x": (u.diff(t) - sp.sqrt(x) * u.diff(x, 2), 4, True),
    "x^2": (u.diff(t) - x**2 * u.diff(x, 2), 6, True),
    "exp x": (u.diff(t, 2) - sp.exp(x) * u.diff(x, 2), 4, True),
    "cos t": (u.diff(t) - (2 + sp.cos(t)) * u.diff(x, 2), 6, True),
    "F(u) wave": (u.diff(t, 2) - u.diff(x, 2) - F(u), 3, False),
    "V(x)": (u.diff(t) - u.diff(x, 2) - F(x) * u, 2, True),
    "wave 1D": (u.diff(t, 2) - c**2 * u.diff(x, 2), 1, True),
    "Liouville in x, t": (u.diff(t, 2) - u.diff(x, 2) - sp.exp(u), 0, True),
    "potential Burgers": (u.diff(t) - k * u.diff(x, 2) - a * u.diff(x) ** 2, 6, True),
    "heat with source": (u.diff(t) - u.diff(x, 2) - x * t, 6, True),
    "Thomas": (u.diff(x, t) + a * u.diff(x) + b * u.diff(t) + c * u.diff(x) * u.diff(t), 4, True),
    "beam": (u.diff(t, 2) + u.diff(x, 4), 4, True),
    "Tzitzeica": (u.diff(x, t) - sp.exp(u) + sp.exp(-2 * u), 3, False),
    "affine curve shortening": (u.diff(t) - sp.cbrt(u.diff(x, 2)), 7, False),
    "log diffusion 2D": (U.diff(t) - sp.log(U).diff(x, 2) - sp.log(U).diff(y, 2), 2, True),
    "wave map": (u.diff(t, 2) - u.diff(x, 2) - (u.diff(t) ** 2 - u.diff(x) ** 2) * sp.tan(u), 1, True),
    "well 1/cosh^2": (u.diff(t, 2) - u.diff(x, 2) + u / sp.cosh(x) ** 2, 4, True),
    "sign of q unknown": (u.diff(t) - u.diff(x, 2) - sp.Symbol("q") * x**2 * u, 6, True),
    "diffusion F(u, x)": (u.diff(t) - (F(u, x) * u.diff(x)).diff(x), 1, False),
    "gas, gamma": (
        [r * (u.diff(t) + u * u.diff(x)) + p.diff(x), r.diff(t) + (r * u).diff(x), p.diff(t) + u * p.diff(x)
         + k * p * u.diff(x)], 6, False,
    ),
    "gas, gamma = 3": (
        [r * (u.diff(t) + u * u.diff(x)) + p.diff(x), r.diff(t) + (r * u).diff(x), p.diff(t) + u * p.diff(x)
         + 3 * p * u.diff(x)], 7, False,
    ),
    "shallow water 1D": ([v.diff(t) + v * v.diff(x) + w.diff(x), w.diff(t) + (v * w).diff(x)], 4, True),
    "NLS, mixed form": (
        [v.diff(t) + w.diff(x, 2) + a * (v**2 + w**2) * w, a * (v**2 + w**2) * v - w.diff(t) + v.diff(x, 2)], 5, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_dimension(name):
    equations, dimension, infinite = CASES[name]
    fields = [u] if name == "V(x)" else None
    algebra = point_symmetries(equations, fields)
    assert algebra.certified, algebra.reason
    assert (algebra.dimension, algebra.infinite) == (dimension, infinite)
    assert len(algebra.generators) == dimension
    assert bool(algebra.families) == infinite


def test_functions_are_discovered():
    algebra = point_symmetries(u.diff(t) - u.diff(x, 2) - k * x**2 * u)
    text = str(algebra)
    assert "cos(2*sqrt(k)*t)" in text
    assert "sin(4*sqrt(k)*t)" in text
    algebra = point_symmetries(u.diff(t) - u.diff(x, 2) + k**2 * x**2 * u)
    assert "exp(4*k*t)" in str(algebra)
    assert algebra.contains(Generator((x, t), (u,), {x: sp.exp(2 * k * t), u: -k * x * u * sp.exp(2 * k * t)}))


def test_families_are_named_and_right():
    algebra = point_symmetries(u.diff(t) - k * u.diff(x, 2) - a * u.diff(x) ** 2)
    [family] = algebra.families
    [f] = family.functions
    assert family.name == "linearising"
    [constraint] = family.constraints
    assert sp.simplify(constraint.subs(f, sp.exp(k * t + x)).doit()) == 0
    assert sp.simplify(family.generator[u] / f - sp.exp(-a * u / k)) == 0

    algebra = point_symmetries(s.diff(x, 2) + s.diff(y, 2) - sp.exp(s), [s])
    [family] = algebra.families
    f, g = family.functions
    holomorphic = {f: x**2 - y**2, g: 2 * x * y}
    assert all(c.subs(holomorphic).doit() == 0 for c in family.constraints)
    assert sp.expand(family.generator[s].subs(holomorphic).doit()) == -4 * x

    hodograph = point_symmetries([v.diff(t) + v * v.diff(x) + w.diff(x), w.diff(t) + (v * w).diff(x)])
    assert set(hodograph.families[0].functions[0].args) == {v, w}


def test_superposition_is_not_split_off_where_it_would_hide_symmetries():
    """u_xx = 0 in two coordinates: xi depends on u, eight functions of y and one more."""
    algebra = point_symmetries(s.diff(x, 2), [s])
    assert algebra.infinite
    assert algebra.certified
    assert len(algebra.families) == 9
    q = field("q", t)
    assert point_symmetries(q.diff(t, 2)).dimension == 8
    assert point_symmetries(q.diff(t, 3)).dimension == 7
    assert point_symmetries(q.diff(t, 3)).infinite is False


def test_unexplained_growth_is_not_certified():
    algebra = point_symmetries([v.diff(t) - w.diff(x), w.diff(t) - v.diff(x)])
    assert algebra.infinite
    assert not algebra.certified
    assert algebra.dimension is None
    assert "growth" in algebra.reason
    # The polynomial generators alone would match D_4 of the Laplace equation.
    laplace = point_symmetries(s.diff(x, 2) + s.diff(y, 2), [s])
    assert laplace.dimension == 1
    assert laplace.certified


def test_integrability_conditions_are_added_and_said():
    algebra = point_symmetries([s.diff(x, 2) - s.diff(y), s.diff(x, y)], [s])
    assert any("integrability" in note for note in algebra.notes)


def test_form_of_the_equations_does_not_matter():
    plain = point_symmetries(sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2)))
    factor = point_symmetries((u.diff(t) + u * u.diff(x) - u.diff(x, 2)) * u * sp.exp(x) / 3)
    assert set(map(str, plain.generators)) == set(map(str, factor.generators))
    system = [w - u.diff(x), u.diff(t) + u * w - w.diff(x)]
    assert point_symmetries(system, [u, w]).dimension == 5


def test_field_of_fewer_coordinates_is_a_field_where_an_equation_determines_it():
    h = field("h", t)
    algebra = point_symmetries([u.diff(t) - u.diff(x, 2) - h * u, h.diff(t) - h**2])
    assert algebra.coordinates == (x, t)
    assert len(algebra.fields) == 2
    given = point_symmetries(u.diff(t) - u.diff(x, 2) - h.diff(t) * u)
    assert given.fields == (u,)
    assert any("arbitrary function" in note for note in given.notes)
