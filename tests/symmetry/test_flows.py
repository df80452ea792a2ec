"""Closed flows: the formulas of the literature, unseen fields, branches, what must be refused."""

import numpy as np
import pytest
import scipy.linalg
import sympy as sp

from sciml.errors import ProblemError, SolverError
from sciml.symbols import coordinates, field
from solvers.symmetry.branches import near_identity
from solvers.symmetry.flows import closed_flow, satisfies_flow
from solvers.symmetry.generator import Generator
from solvers.symmetry.matrix_exponential import matrix_exponential
from solvers.symmetry.quadrature import definite

x, y, t, z, s = sp.symbols("x y t z s", real=True)
v, w = sp.symbols("v w", real=True)
a, b, k = sp.symbols("a b k", real=True)
p = sp.Symbol("p", positive=True)
X, T = coordinates("x t")
U = field("u", X, T)
EPS = sp.Symbol("eps", real=True)


def generator(**parts) -> Generator:
    return Generator((X, T), (U,), {{"x": X, "t": T, "u": U}[name]: c for name, c in parts.items()})


def test_burgers_projective_flow_is_the_published_one():
    images = generator(x=T * X, t=T**2, u=X - T * U).flow(EPS)
    assert images[X] == X / (1 - EPS * T)
    assert images[T] == T / (1 - EPS * T)
    assert sp.expand(images[U] - (U * (1 - EPS * T) + EPS * X)) == 0


def test_heat_projective_flow_has_no_modulus():
    images = generator(x=4 * T * X, t=4 * T**2, u=-(X**2 + 2 * T) * U).flow(EPS)
    assert images[X] == X / (1 - 4 * EPS * T)
    expected = U * sp.sqrt(1 - 4 * EPS * T) * sp.exp(-EPS * X**2 / (1 - 4 * EPS * T))
    assert sp.simplify(images[U] / expected) == 1
    assert not images[U].has(sp.Abs)


# Fields that no reference file contains; each must have a closed flow, checked at random points inside.
CLOSED = {
    "quadratic x, u over it": ((x, v), (x**2, x * v + v**2)),
    "u moves x": ((x, v), (v, -x)),
    "rotation and scaling": ((x, y, v), (a * x - k * y, k * x + a * y, v)),
    "rotation at the speed of a third": ((x, y, v), (v * x - y, v * y + x, 0 * x)),
    "nilpotent": ((x, y, t, v), (y, t, v, 0 * x)),
    "defective": ((x, y, t), (2 * x + y, 2 * y + t, 2 * t)),
    "defective, symbolic": ((x, y), (k * x + y, k * y)),
    "general 2x2, symbolic": ((x, y), (a * x + b * y, k * x + p * y)),
    "Ornstein-Uhlenbeck": ((x, t, v), (x * sp.exp(2 * t), sp.exp(2 * t), -v * x**2 * sp.exp(2 * t))),
    "Ornstein-Uhlenbeck, rate k": ((x, t, v), (x * sp.exp(k * t), sp.exp(k * t), -v * x**2)),
    "Black-Scholes scaling": ((x, t, v), (x * sp.log(x) + (a - p / 2) * t * x, 2 * t, 2 * a * t * v)),
    "Black-Scholes projective": (
        (x, t, v),
        (2 * p * t * x * sp.log(x), 2 * p * t**2, ((sp.log(x) - a * t) ** 2 - p * t) * v),
    ),
    "power": ((x, v), (x**k, v)),
    "sine": ((x, v), (sp.sin(x), v * sp.cos(x))),
    "tangent": ((x, v), (sp.tan(x), v)),
    "compact sl2": ((x, t, v), (4 * t * x, 4 * t**2 + 1, -(x**2 + 2 * t) * v)),
    "split sl2": ((x, t, v), (t * x, t**2 - 1, -(t / 2 + x**2 / 4) * v)),
    "sl2 with a parameter": ((x, t, v), (t * x, t**2 + k, x - t * v)),
    "conformal and scaling": ((x, y, v), (x**2 - y**2 + x, 2 * x * y + y, -x * v)),
    "compact conformal": ((x, y, t), (x**2 - y**2 - t**2 + 1, 2 * x * y, 2 * x * t)),
    "projective, two parameters": ((x, y), (x * (a * x + b * y), y * (a * x + b * y))),
    "common factor": ((x, y, v), (y * (x**2 + y**2), -x * (x**2 + y**2), v)),
    "exponential in u": ((x, v), (sp.exp(v), 1 + 0 * v)),
    "function of what does not move": ((x, t, v), (sp.Function("f")(t), 0 * t, x * sp.Function("f")(t).diff(t))),
    "cubic": ((x, v), (x**3 + x, v)),
    "phase": ((x, t, v, w), (x, t, w * x, -v * x)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_unseen_fields_have_closed_flows(name):
    variables, components = CLOSED[name]
    flow = closed_flow(variables, tuple(map(sp.sympify, components)), s)
    assert flow is not None
    assert not any(e.has(sp.Abs, sp.I, sp.Integral, sp.Piecewise) for e in flow)
    start = [e.subs(s, 0) for e in flow]
    numbers = dict.fromkeys((a, b, k), sp.Rational(3, 7)) | {p: sp.Rational(5, 4)}
    point = {q: sp.Rational(n + 3, 5) for n, q in enumerate(variables)}
    for image, variable in zip(start, variables, strict=True):
        assert abs(sp.N((image - variable).subs(numbers).subs(point), 30)) < 1e-25


@pytest.mark.parametrize(
    "components", [(v**2, x), (x - v * x, v * x - v), (1 / (1 + x**2), v), (sp.Function("f")(x), v)]
)
def test_fields_without_a_formula_are_reported_not_guessed(components):
    assert closed_flow((x, v), components, s) is None


def test_a_wrong_flow_is_rejected():
    field_ = {x: x * t, t: t**2}
    right = {x: x / (1 - s * t), t: t / (1 - s * t)}
    assert satisfies_flow(field_, right, s)
    assert not satisfies_flow(field_, right | {x: x / (1 - s * t) ** 2}, s)
    assert not satisfies_flow(field_, right | {x: (x + s**3) / (1 - s * t)}, s)


def test_a_principal_branch_is_rejected_and_not_produced():
    """2 atan(e^s tan(x/2)) obeys the equation, but is not x at s = 0 for |x| > π."""
    principal = 2 * sp.atan(sp.exp(s) * sp.tan(x / 2))
    assert not satisfies_flow({x: sp.sin(x)}, {x: principal}, s)
    (continued,) = closed_flow((x,), (sp.sin(x),), s)
    assert abs(sp.N(continued.subs({s: 0, x: 5})) - 5) < 1e-12


def test_branches_near_the_identity():
    assert near_identity(sp.Abs(s * t - 1), s) == 1 - s * t
    assert near_identity(sp.log((1 - s * t) ** 2), s) == 2 * sp.log(1 - s * t)
    assert near_identity(sp.sqrt((1 - s * t) ** 2 * x**2), s) == (1 - s * t) * sp.Abs(x)
    assert near_identity(sp.Abs(x), s) == sp.Abs(x)


@pytest.mark.parametrize("seed", range(12))
def test_matrix_exponential_agrees_with_scipy(seed):
    """Random integer matrices, among them defective ones: the eigenvalues of the blocks repeat."""
    rng = np.random.default_rng(seed)
    block = rng.integers(-2, 3, (2, 2))
    matrix = np.kron(np.eye(2, dtype=int), block)
    matrix[:2, 2:] = rng.integers(-1, 2, (2, 2))
    change = np.eye(4, dtype=int) + np.triu(rng.integers(-1, 2, (4, 4)), 1)
    matrix = change @ matrix @ np.round(np.linalg.inv(change)).astype(int)
    result = matrix_exponential(sp.Matrix(matrix.tolist()), s)
    number = np.array(result.subs(s, sp.Rational(1, 3)).evalf(20)).astype(float)
    np.testing.assert_allclose(number, scipy.linalg.expm(matrix / 3), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "integrand",
    [
        s**2 * sp.exp(a * s) * sp.cos(2 * s),
        1 / (sp.cos(s) + a * sp.sin(s)) ** 2,
        (2 * sp.cos(s) - sp.sin(s)) / (3 * sp.cos(s) + sp.sin(s)),
        1 / (a * sp.exp(s) + sp.exp(-s)) ** 2,
        (1 + a * s) ** sp.Rational(-3, 2) * s,
        sp.log(1 + 2 * s) / (1 + 2 * s),
        (s + 1) / ((s + 2) * (s**2 + 4)),
        1 / (1 + s) ** k,
    ],
)
def test_quadratures(integrand):
    """Derivative and value at 0, numerically with 30 digits."""
    integral = definite(integrand, s)
    at = {a: sp.Rational(3, 7), k: sp.Rational(7, 3)}
    for number in (sp.Rational(1, 5), sp.Rational(-1, 9)):
        assert abs(sp.N((integral.diff(s) - integrand).subs(at).subs(s, number), 30)) < 1e-20
    assert abs(sp.N(integral.subs(at).subs(s, 0), 30)) < 1e-20


@pytest.mark.parametrize("bad", [X, U, sp.I, sp.oo, float("nan"), "a b", None])
def test_bad_group_parameters(bad):
    with pytest.raises(ProblemError, match="group parameter"):
        generator(x=1).flow(bad)


def test_poles_and_missing_formulas_are_errors():
    with pytest.raises(SolverError, match="numeric_flow"):
        generator(x=U**2, u=X).flow(EPS)
    assert generator(t=T**2).flow(0) == {X: X, T: T, U: U}
    assert generator(x=X).flow(0.5)[X] == X * sp.exp(sp.Rational(1, 2))


def test_fields_with_hostile_names():
    """S, E and N are SymPy objects; a field may carry such a name, and a parameter that of a variable's function."""
    N, E = field("N", X, T), field("E", X, T)
    images = Generator((X, T), (N, E), {N: E, E: -N}).flow(EPS)
    assert sp.expand(images[N] - (N * sp.cos(EPS) + E * sp.sin(EPS))) == 0
