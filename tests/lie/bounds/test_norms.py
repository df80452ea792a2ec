"""Norms by enclosure: never below dense samples, and at most 1.2 times the maximum."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.lie.bounds import chebyshev
from solvers.lie.bounds.balls import precision, rational
from solvers.lie.bounds.program import Program
from solvers.lie.bounds.residuals import proves_zero
from solvers.lie.bounds.rounding import rounding_error
from solvers.lie.bounds.start import at_start
from solvers.lie.bounds.sup import Deadline, NotEnclosed, norms, range_of

flint = pytest.importorskip("flint")
x, t = sp.symbols("x t", real=True)
R = sp.Rational
UNIT = ((R(0), R(1)),)
SQUARE = ((R(0), R(1)), (R(0), R(1)))

FIXED = {
    "oscillating": sp.sin(40 * x) * sp.exp(x),
    "steep fronts": sp.tanh(500 * (x - R(2, 5))) - sp.tanh(500 * (x - R(3, 5))) - R(1, 2),
    "narrow spike": sp.Float(1e-3) * sp.sin(x) + sp.exp(-sp.Float(1e8) * (x - sp.Float(0.33337)) ** 2),
    "kinks": sp.Max(x - R(1, 3), 0) - sp.Abs(x**2 - R(1, 2)),
    "root": sp.sqrt(x) - x,
    "jump": sp.Heaviside(x - R(2, 5)) * sp.cos(3 * x) - R(1, 3),
    "piecewise": sp.Piecewise((x**2, (x > R(1, 4)) & (x < R(3, 4))), (-x / 3, True)),
    "Bessel": sp.bessely(0, 20 * sp.sqrt((x + R(1, 5)) ** 2 + R(9, 100))) + sp.besselj(3, 5 * x),
    "angle": sp.atan2(x + R(1, 10), x - R(1, 2)),
    "complex": sp.re(1 / (x - R(1, 2) + sp.I / 5)),
}


def largest(expression, points):
    if expression.has(sp.Max):  # SymPy 1.13 prints it for NumPy so that scalars beside arrays fail
        expression = expression.rewrite(sp.Piecewise)
    with np.errstate(all="ignore"):
        return np.abs(np.broadcast_to(sp.lambdify(x, expression, "scipy")(points), points.shape))


@pytest.mark.parametrize("name", FIXED)
def test_sup_and_l2_of_one_variable(name):
    points = np.linspace(1e-9, 1 - 1e-9, 400001)
    if name == "narrow spike":
        points = np.concatenate([points, 0.33337 + np.linspace(-1e-3, 1e-3, 20001)])
    values = largest(FIXED[name], points)
    found = norms(FIXED[name], [x], UNIT)
    assert values.max() <= found.sup <= 1.2 * values.max()
    assert np.sqrt((values[:400001] ** 2).mean()) * (1 - 1e-4) <= found.l2 <= 1.2 * values.max()


def test_a_sampled_maximum_misses_the_spike():
    spike = FIXED["narrow spike"]
    nodes = np.linspace(0, 1, 1001)
    assert largest(spike, nodes).max() < 0.5  # what sampling would call a bound
    assert norms(spike, [x], UNIT).sup >= 1


def test_cancellation_of_large_terms():
    # e^x minus its Taylor polynomial times 1e6: 1e-3 from terms of 1e6
    taylor = sum(x**k / sp.factorial(k) for k in range(9))
    small = sp.Float(1e6) * (sp.exp(x) - taylor)
    exact = 1e6 * float(sp.N(sp.E - taylor.subs(x, 1), 30))
    assert exact <= norms(small, [x], UNIT).sup <= 1.2 * exact


def test_singular_start():
    side = (sp.erf((x - R(2, 5)) / sp.sqrt(4 * t)) + 1).subs(x, 0)
    found = norms(side, [t], UNIT)
    exact = float(sp.N(side.subs(t, 1)))
    assert exact <= found.sup <= 1.2 * exact


@given(
    st.lists(st.tuples(st.floats(-2, 2), st.floats(0.1, 30), st.floats(-3, 3)), min_size=1, max_size=5),
    st.floats(0.05, 0.95),
    st.sampled_from(["smooth", "kink", "jump", "bump"]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_random_mismatches(waves, place, kind):
    expression = sum(sp.Float(a) * sp.sin(sp.Float(w) * x + sp.Float(p)) * sp.exp(-sp.Float(abs(p)) * x)
                     for a, w, p in waves)  # fmt: skip
    extra = {
        "smooth": sp.S.Zero,
        "kink": sp.Abs(x - sp.Float(place)),
        "jump": sp.Heaviside(x - sp.Float(place)),
        "bump": sp.exp(-1000 * (x - sp.Float(place)) ** 2),
    }[kind]
    expression += extra
    points = np.linspace(0, 1, 20001)
    values = largest(expression, points)
    found = norms(expression, [x], UNIT)
    assert values.max() * (1 - 1e-12) <= found.sup
    assert found.sup <= 1.2 * values.max() + 1e-12


def test_two_variables():
    expression = sp.sin(3 * x) * sp.cos(5 * t) + x * t
    grid = np.linspace(0, 1, 1001)
    values = np.abs(np.sin(3 * grid)[:, None] * np.cos(5 * grid) + np.outer(grid, grid))
    found = norms(expression, [x, t], SQUARE)
    assert values.max() <= found.sup <= 1.2 * values.max()
    assert np.sqrt((values**2).mean()) * (1 - 1e-2) <= found.l2
    # a kink along the diagonal
    found = norms(sp.Abs(x - t) - x, [x, t], SQUARE)
    assert 1 <= found.sup <= 1.2


def test_axis_that_does_not_occur():
    found = norms(x, [x, t], ((R(0), R(1)), (R(0), R(4))))
    assert 2 / np.sqrt(3) <= found.l2 <= 1.1 * 2 / np.sqrt(3)


def test_poles_and_deadline_are_refused():
    with pytest.raises(NotEnclosed):
        norms(1 / (x - R(1, 3)), [x], UNIT, deadline=Deadline.after(3))
    with pytest.raises(NotEnclosed, match="time"):
        norms(sp.sin(40 * x), [x], UNIT, deadline=Deadline.after(-1))


def test_ellipse_remainder_is_a_bound():
    # 1/(x + 1/2): interpolation error at degree n against the proven remainder
    program = Program(1 / (x + R(1, 2)), [x])
    for ratio in (1.5, 2.2, 4.0):
        with precision(64):
            size = chebyshev.ellipse_bound(program, UNIT, ratio)
        if not np.isfinite(size):
            continue
        for degree in (4, 8, 16):
            theta = (np.arange(degree + 1) + 0.5) * np.pi / (degree + 1)
            s = (np.cos(theta) + 1) / 2
            fit = np.polynomial.Chebyshev.fit(s, 1 / (s + 0.5), degree, domain=[0, 1])
            fine = np.linspace(0, 1, 2001)
            error = np.abs(fit(fine) - 1 / (fine + 0.5)).max()
            assert error <= chebyshev.remainder(size, ratio, degree, 1) + 1e-14


def test_ellipse_with_a_pole_or_cut_is_not_finite():
    with precision(64):
        assert chebyshev.ellipse_bound(Program(1 / (x + R(1, 10)), [x]), UNIT, 8.0) == np.inf
        assert chebyshev.ellipse_bound(Program(sp.log(x + R(1, 10)), [x]), UNIT, 8.0) == np.inf
        assert chebyshev.ellipse_bound(Program(sp.bessely(0, x + R(1, 10)), [x]), UNIT, 8.0) == np.inf


def test_precision_is_restored():
    before = flint.ctx.prec
    norms(sp.sin(x), [x], UNIT)
    assert flint.ctx.prec == before


@pytest.mark.parametrize(("expression", "low", "high"), [(x**2, 0, 1), (sp.cos(4 * x), -1, 1), (sp.Integer(0), 0, 0)])
def test_range(expression, low, high):
    found = range_of(expression, [x], UNIT)
    assert found[0] <= low <= high <= found[1]
    assert found[1] - found[0] <= 1.05 * (high - low) + 1e-12


def test_rounding_against_many_digits():
    import mpmath

    series = sum(sp.Float(2 / (np.pi * k)) * sp.sin(sp.pi * k * x) * sp.exp(-((sp.pi * k) ** 2) * t)
                 for k in range(1, 20))  # fmt: skip
    box = ((R(0), R(1)), (R(0), R(1, 10)))
    bound, left = rounding_error(series, (x, t), box)
    fast, slow = (sp.lambdify((x, t), series, kind) for kind in ("numpy", "mpmath"))
    worst = 0.0
    with mpmath.workdps(40):
        for a, b in np.random.default_rng(1).uniform(size=(300, 2)) * [1, 0.1]:
            worst = max(worst, abs(float(slow(mpmath.mpf(a), mpmath.mpf(b)) - mpmath.mpf(float(fast(a, b))))))
    assert not left
    assert worst <= bound <= 1e-12


def test_rounding_of_one_function():
    # the function's own rounding, without arguments or sums that lose anything
    points = np.linspace(0, 1, 257)
    errors = [abs(sp.Rational(float(v)) - sp.exp(sp.Rational(float(p))).n(40))
              for p, v in zip(points, np.exp(points), strict=True)]  # fmt: skip
    bound, _ = rounding_error(sp.exp(x), (x,), UNIT)
    assert float(max(errors)) <= bound <= 4 * 2.0**-53 * 2.8


def test_values_enclose_mpmath():
    import mpmath

    place = R(37, 100)
    expressions = [sp.erfc(x), sp.bessely(1, 3 * x), sp.besselk(0, x), sp.airyai(x), sp.loggamma(x), sp.acot(x),
                   sp.asinh(x), sp.sinc(x), x**R(1, 3), sp.atan2(x, x - 1), sp.log(x, 2), sp.csch(x)]  # fmt: skip
    for expression in expressions:
        from solvers.lie.bounds.kinks import analytic_form

        with precision(80):
            value = Program(analytic_form(expression), [x])([[rational(place)]])[0]
        exact = sp.N(expression.subs(x, place), 20)
        assert abs(float(value.mid()) - float(exact)) < 1e-14 * (1 + abs(float(exact)))
        assert float(value.rad()) < 1e-18
    assert mpmath.mp.dps == 15


def test_limits_at_the_start():
    assert at_start(sp.erf((x - R(2, 5)) / sp.sqrt(4 * t)), t, sp.S.Zero) == sp.sign(x / 2 - R(1, 5))
    kernel = sp.sqrt(t) * sp.exp(sp.Float(-0.25) * x**2 / t) * sp.exp(x / t) * sp.exp(-1 / t)
    assert at_start(kernel, t, sp.S.Zero, lambda b: 0 if b.is_nonpositive else 1) == 0
    with pytest.raises(NotEnclosed):
        at_start(sp.exp(-(x**2) / t) / sp.sqrt(t), t, sp.S.Zero, lambda b: 0)


def test_proof_of_zero():
    heat = sp.exp(-(x**2) / (4 * t)) / sp.sqrt(t)
    assert proves_zero(heat.diff(t) - heat.diff(x, 2))
    assert not proves_zero(heat.diff(t) - 2 * heat.diff(x, 2))
    wave = sp.bessely(0, x)
    assert proves_zero(wave.diff(x, 2) + wave.diff(x) / x + wave)
