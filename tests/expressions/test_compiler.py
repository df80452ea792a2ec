"""The compiler against mpmath with many digits, in value and derivative, over its whole table."""

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, jvp, vjp, vmap

from sciml.errors import UnsupportedFunctionError
from sciml.expressions import Program
from sciml.expressions.functions import FUNCTIONS, HEADS

X, Y = sp.symbols("x y", real=True)
POINTS = [-2.5, -0.7, -1e-9, 1e-9, 0.3, 0.9, 1.0, 1.5, 7.3]
NOT_UNARY = {sp.Add, sp.Mul, sp.atan2, sp.Mod, sp.Max, sp.Min, sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne, sp.And, sp.Or,
             sp.Not}  # fmt: skip
EXPRESSIONS = [
    *[head(X) for head in FUNCTIONS if head not in NOT_UNARY],
    *[b(n, X) for b in (sp.besselj, sp.bessely, sp.besseli, sp.besselk) for n in (0, 1, 2, -1, sp.Rational(5, 3))],
    sp.atan2(X, 2), sp.atan2(-2, X), sp.Mod(X, 2), sp.Mod(X, -2), sp.Max(X, 0, X**2), sp.Min(X, 1), sp.polygamma(0, X),
    X**3, X**-3, X**30, sp.cbrt(X), sp.sqrt(X), X**sp.Rational(-1, 2), X**0.5, X**sp.pi, 2**X, X**X,
    sp.Piecewise((X, X < 0), (X**2, True)), sp.Piecewise((sp.sqrt(-X), X < 0), (sp.sqrt(X), True)),
    sp.Piecewise((1, sp.And(X > 0, X < 1)), (2, sp.Or(X < -1, sp.Not(X < 5))), (3, True)),
    sp.Heaviside(X, 0), sp.Heaviside(X, 1), sp.log(X, 2), sp.log(sp.Abs(X)), sp.exp(2) * X + sp.sqrt(2) * sp.pi,
    sp.exp(-1 / X**2), sp.erf(X) + sp.erfc(X), sp.Abs(X) ** sp.Rational(1, 2), sp.Integer(10) ** 30 * X,
    sp.legendre(3, X), sp.real_root(X, 3), sp.EulerGamma + sp.GoldenRatio * X,
]  # fmt: skip


def exact(expression: sp.Expr, value: float) -> float:
    """Real value with 40 digits, NaN where there is none."""
    try:
        with mpmath.workdps(40):
            result = mpmath.mpmathify(sp.lambdify([X], expression, "mpmath")(mpmath.mpf(value)))
            return float(result.real) if abs(mpmath.im(result)) < 1e-25 else float("nan")
    except (ValueError, ZeroDivisionError, OverflowError):
        return float("nan")


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_values_agree_with_forty_digits(expression: sp.Expr) -> None:
    values = Program([expression], [X])(torch.tensor(POINTS, dtype=torch.float64))[0].numpy()
    wanted = np.array([exact(expression, point) for point in POINTS])
    # left of 0 the compiler gives no value of polygamma functions of order > 0 and of x^π rather than a complex one
    known = np.isfinite(wanted) & ~(np.isnan(values) & (expression == X**sp.pi))
    np.testing.assert_allclose(values[known], wanted[known], rtol=2e-13, atol=1e-13)
    assert not np.isfinite(values[np.isnan(wanted)]).any()


def test_every_head_of_the_table_is_covered() -> None:
    tested = {node.func for e in EXPRESSIONS for node in sp.preorder_traversal(e)}
    # relations and booleans that SymPy rewrites, and heads that act on complex numbers only
    rewritten = {sp.re, sp.im, sp.conjugate, sp.Eq, sp.Ne, sp.Ge, sp.Le, sp.Gt, sp.Not, sp.frac, sp.digamma}
    assert set(HEADS) - tested - rewritten == set()


SMOOTH = [sp.erfi(X), sp.airyai(X), sp.airybi(X), sp.besselj(0, X), sp.besselj(sp.Rational(5, 3), X), sp.bessely(1, X),
          sp.besseli(2, X), sp.besselk(1, X), sp.gamma(X), sp.loggamma(X), sp.polygamma(0, X), sp.polygamma(1, X),
          sp.erfinv(X / 3), sp.sinc(X), sp.erfc(X), sp.acot(X), sp.sech(X), sp.factorial(X),
          sp.Piecewise((X**2, X < 1), (sp.sin(X), True))]  # fmt: skip
WAYS = {
    "backward": lambda f, z: vjp(f, z)[1](torch.ones_like(z))[0],
    "forward": lambda f, z: jvp(f, (z,), (torch.ones_like(z),))[1],
    "vmap of grad": lambda f, z: vmap(grad(f))(z),
    "vmap of jvp": lambda f, z: vmap(lambda s: jvp(f, (s,), (torch.ones_like(s),))[1])(z),
}


def autograd_twice(f, z):
    z = z.clone().requires_grad_(True)
    (first,) = torch.autograd.grad(f(z).sum(), z, create_graph=True)
    return torch.autograd.grad(first.sum(), z)[0]


@pytest.mark.parametrize("expression", SMOOTH, ids=str)
def test_derivatives_in_every_mode(expression: sp.Expr) -> None:
    points = [0.3, 0.7, 1.3, 2.1]
    z = torch.tensor(points, dtype=torch.float64)
    program = Program([expression], [X])

    def f(values):
        return program(values)[0]

    with mpmath.workdps(30):
        function = sp.lambdify([X], expression, "mpmath")
        first, second = (np.array([float(mpmath.diff(function, p, n)) for p in points]) for n in (1, 2))
    for way in WAYS.values():
        np.testing.assert_allclose(way(f, z), first, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(WAYS["forward"](lambda s, way=way: way(f, s), z), second, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(vmap(grad(grad(f)))(z), second, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(autograd_twice(f, z), second, rtol=1e-10, atol=1e-10)


LEAVES = st.one_of(st.sampled_from([X, Y, sp.pi, sp.sqrt(2), sp.exp(2)]), st.integers(-3, 3).map(sp.Integer))
UNARY = st.sampled_from([sp.sin, sp.cos, sp.tanh, sp.erf, sp.atan, sp.Abs, sp.sinh, sp.exp, lambda e: e**2,
                         lambda e: 1 / (2 + sp.cos(e)), lambda e: sp.sqrt(1 + e**2), lambda e: sp.log(2 + e**2),
                         lambda e: sp.besselj(1, e), lambda e: sp.Heaviside(e - sp.Rational(1, 7))])  # fmt: skip
BINARY = st.sampled_from([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b / 3, sp.Max, sp.Min,
                          lambda a, b: sp.Piecewise((a, X < Y), (b, True))])  # fmt: skip
TREES = st.recursive(LEAVES, lambda inner: st.one_of(st.tuples(UNARY, inner).map(lambda p: p[0](p[1])),
                                                     st.tuples(BINARY, inner, inner).map(lambda p: p[0](p[1], p[2]))),
                     max_leaves=8)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TREES, st.floats(-2, 2), st.floats(-2, 2))
def test_random_expressions(expression: sp.Expr, x: float, y: float) -> None:
    value = float(Program([expression], [X, Y])(*(torch.tensor([v], dtype=torch.float64) for v in (x, y)))[0])
    with mpmath.workdps(40):
        wanted = mpmath.mpmathify(sp.lambdify([X, Y], expression, "mpmath")(mpmath.mpf(x), mpmath.mpf(y)))
        if not mpmath.isfinite(wanted) or abs(wanted) > 1e100:
            return
        # the condition of the formula in its inputs bounds what rounding may do
        h = mpmath.mpf("1e-14")
        near = sp.lambdify([X, Y], expression, "mpmath")(mpmath.mpf(x) * (1 + h), mpmath.mpf(y) * (1 + h))
        slack = 1e-12 * (1 + abs(float(wanted))) + 100 * abs(float(mpmath.mpmathify(near) - wanted))
    assert abs(value - float(wanted)) <= slack


def test_constants_are_folded_to_the_nearest_double() -> None:
    program = Program([sp.exp(2), sp.sqrt(2) * sp.pi, sp.gamma(sp.Rational(1, 3))], [X])
    values = [float(v) for v in program(torch.zeros(1, dtype=torch.float64))]
    assert values == [float(sp.N(sp.exp(2), 30)), float(sp.N(sp.sqrt(2) * sp.pi, 30)),
                      float(sp.N(sp.gamma(sp.Rational(1, 3)), 30))]  # fmt: skip
    assert not program._steps


@pytest.mark.parametrize(
    ("expression", "name"),
    [(sp.zeta(X), "zeta"), (sp.LambertW(X), "LambertW"), (sp.DiracDelta(X), "DiracDelta"), (sp.Ei(X), "Ei"),
     (sp.besselj(X, 1), "besselj"), (sp.I * X, "real constants"), (X + Y, "y without a value"),
     (sp.Function("f")(X), "f")],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_named(expression: sp.Expr, name: str) -> None:
    with pytest.raises(UnsupportedFunctionError, match=name):
        Program([expression], [X])


@pytest.mark.parametrize(
    ("expression", "values", "slopes"),
    [
        (sp.Piecewise((sp.sqrt(X), X > 0), (0, True)), [0, 0, 0.5], [0, 0, 1]),
        (sp.Piecewise((sp.sin(X) / X, sp.Ne(X, 0)), (1, True)), [np.sin(1), 1, 4 * np.sin(0.25)],
         [np.sin(1) - np.cos(1), 0, 4 * np.cos(0.25) - 16 * np.sin(0.25)]),
        (sp.Piecewise((X * sp.log(X), X > 0), (X, True)), [-1, 0, 0.25 * np.log(0.25)], [1, 1, 1 + np.log(0.25)]),
        (sp.sqrt(sp.Max(X, 0)), [0, 0, 0.5], [0, 0, 1]),
        (sp.Piecewise((sp.Piecewise((1 / X, sp.Rational(1, 8) < X), (2, True)), -sp.Rational(1, 2) < X),
                      (sp.sqrt(-X), True)), [1, 2, 4], [-0.5, 0, -16]),
    ],
)  # fmt: skip
def test_the_branch_not_taken_leaves_no_nan_in_gradients(expression, values, slopes) -> None:
    z = torch.tensor([-1.0, 0.0, 0.25], dtype=torch.float64)

    def f(s):
        return Program([expression], [X])(s)[0]

    np.testing.assert_allclose(f(z), values, atol=1e-15)
    leaf = z.clone().requires_grad_(True)
    for slope in (torch.autograd.grad(f(leaf).sum(), leaf)[0], vmap(grad(f))(z), WAYS["forward"](f, z)):
        np.testing.assert_allclose(slope, slopes, rtol=1e-6)


def test_outside_every_branch_there_is_no_value() -> None:
    values = Program([sp.Piecewise((X, X < 0))], [X])(torch.tensor([-1.0, 1.0], dtype=torch.float64))[0]
    assert values[0] == -1
    assert torch.isnan(values[1])


def test_poles_and_complex_values_are_no_finite_numbers() -> None:
    z = torch.tensor([-2.0, -1.0, 0.0], dtype=torch.float64)
    for expression in (sp.gamma(X), sp.loggamma(X), sp.log(X), sp.sqrt(X - 1), X ** sp.Rational(1, 3) / X):
        assert not torch.isfinite(Program([expression], [X])(z)[0]).any()


def test_single_precision_and_scalars() -> None:
    values = Program([sp.besselj(0, X) + sp.pi], [X])(torch.tensor([0.5]))[0]
    assert values.dtype == torch.float32
    assert abs(float(values) - 4.0800624) < 1e-6
    assert Program([X + 1], [X])(torch.tensor(1.0, dtype=torch.float64))[0].shape == ()


def test_prepared_state_depends_on_dynamic_variables_only() -> None:
    program = Program([sp.sin(X) * Y**2], [X, Y], dynamic=[Y])
    x = torch.tensor([0.3, 0.4], dtype=torch.float64)
    state = program.prepare([x, None])
    for y in (2.0, 3.0):
        moving = torch.full_like(x, y)
        np.testing.assert_allclose(program.finish(state, [None, moving])[0], torch.sin(x) * y**2, rtol=1e-15)
