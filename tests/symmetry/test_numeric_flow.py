"""The numeric flow against closed formulas, its error estimate, its ends, and the numeric action."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.errors import PointsError, ProblemError, SolverError
from sciml.symbols import coordinates, field
from solvers.symmetry.generator import Generator
from solvers.symmetry.numeric_flow import numeric_flow
from solvers.symmetry.numeric_transform import numeric_transform
from solvers.symmetry.point_functions import stacked
from solvers.symmetry.runge_kutta import integrate

x, t = coordinates("x t")
u = field("u", x, t)
POINTS = np.random.default_rng(0).uniform(-0.7, 0.7, (200, 3))


def generator(**parts) -> Generator:
    return Generator((x, t), (u,), {{"x": x, "t": t, "u": u}[name]: c for name, c in parts.items()})


PROJECTIVE = generator(x=4 * t * x, t=4 * t**2, u=-(x**2 + 2 * t) * u)


@pytest.mark.parametrize("symmetry", [PROJECTIVE, generator(x=u, u=-x), generator(x=t * x, t=t**2 + 1, u=x - t * u)])
@pytest.mark.parametrize("eps", [0.2, -0.3])
def test_images_and_jacobian_agree_with_the_closed_flow(symmetry, eps):
    result = numeric_flow(symmetry, POINTS, eps, jacobian=True)
    w = sp.Symbol("w", real=True)
    images = [e.xreplace({u: w}) for e in symmetry.flow(sp.Rational(str(eps))).values()]
    exact = stacked((x, t, w), images)(POINTS)
    slopes = stacked((x, t, w), [e.diff(z) for e in images for z in (x, t, w)])(POINTS).reshape(-1, 3, 3)
    np.testing.assert_allclose(result.images, exact, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(result.jacobian, slopes, rtol=1e-7, atol=1e-7)
    assert result.reached.all()
    # The estimate covers the true error up to a factor that covers its own uncertainty.
    assert np.all(np.abs(result.images - exact).max(axis=1) < 3 * result.error + 1e-13)


def test_a_pole_between_is_reported():
    starts = np.array([[0.0, 0.24, 1.0], [0.0, 0.26, 1.0], [0.0, 1.0, 1.0], [0.3, -1.0, 1.0]])
    result = numeric_flow(PROJECTIVE, starts, 1.0)
    assert result.reached.tolist() == [True, False, False, True]
    assert np.isnan(result.images[1]).all()


def test_the_error_follows_the_tolerance():
    """z′ = z² from 1/2 reaches 1 at time 1; z′ = z reaches e."""
    for rate, start, end in ((np.square, 0.5, 1.0), (np.copy, 1.0, np.e)):
        errors = [abs(integrate(rate, np.full((1, 1), start), 1.0, tol)[0, 0] - end) for tol in (1e-4, 1e-7, 1e-10)]
        assert errors[2] < 1e-9
        assert errors[0] > 20 * errors[1] > 400 * errors[2]


def test_a_field_without_a_formula():
    """Group law of the numeric flow of u² ∂_x + x ∂_u, and its invariant u³/3 − x²/2."""
    elliptic = generator(x=u**2, u=x)
    with pytest.raises(SolverError, match="closed flow"):
        elliptic.flow(1)
    once = numeric_flow(elliptic, POINTS, 0.7).images
    twice = numeric_flow(elliptic, numeric_flow(elliptic, POINTS, 0.3).images, 0.4).images
    np.testing.assert_allclose(once, twice, atol=1e-8)
    first, second = (z[:, 2] ** 3 / 3 - z[:, 0] ** 2 / 2 for z in (POINTS, once))
    np.testing.assert_allclose(first, second, atol=1e-8)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.integers(-2, 2), min_size=6, max_size=6), st.sampled_from([0.1, -0.15]))
def test_group_law_of_random_polynomial_fields(c, eps):
    random = generator(x=c[0] * x * u + c[1] * t, t=c[2] * x**2 + c[3], u=c[4] * u**2 * t + c[5] * x)
    there = numeric_flow(random, POINTS[:20], eps)
    back = numeric_flow(random, there.images, -eps)
    good = there.reached & back.reached
    assert good.any()
    np.testing.assert_allclose(back.images[good], POINTS[:20][good], atol=1e-7)


def test_numeric_action_agrees_with_the_formula_and_stops_at_its_end():
    seed, points = sp.exp(-t) * sp.sin(x), np.random.default_rng(1).uniform(-1.5, 1.5, (100, 2))
    values = numeric_transform(PROJECTIVE, seed, points, 0.25)[:, 0]
    inside = 1 + points[:, 1] > 0.05
    exact = stacked((x, t), [PROJECTIVE.transform(seed, sp.Rational(1, 4))])(points)[:, 0]
    np.testing.assert_allclose(values[inside], exact[inside], rtol=1e-6, atol=1e-8)
    assert np.isnan(values[1 + points[:, 1] <= 0]).all()


def test_numeric_action_where_the_fields_move_the_coordinates():
    rotation, seed, points = generator(x=u, u=-x), x**2 / 4, np.random.default_rng(1).uniform(-0.6, 0.6, (20, 2))
    values = numeric_transform(rotation, seed, points, 0.4)
    np.testing.assert_allclose(values, rotation.transform(seed, sp.Rational(2, 5)).evaluate(points), atol=1e-8)


def test_bad_input():
    with pytest.raises(PointsError, match="shape"):
        numeric_flow(PROJECTIVE, [[0.0, 1.0]], 1.0)
    with pytest.raises(SolverError, match="tolerance"):
        numeric_flow(PROJECTIVE, POINTS, 1.0, tolerance=0.0)
    with pytest.raises(ProblemError, match="f"):
        numeric_flow(generator(x=sp.Function("f")(t)), POINTS, 1.0)
    a = sp.Symbol("a")
    with pytest.raises(ProblemError, match="a"):
        numeric_flow(generator(x=a), POINTS, 1.0)
    assert np.allclose(numeric_flow(generator(x=a), POINTS, 1.0, parameters={a: 2.0}).images[:, 0], POINTS[:, 0] + 2)
    with pytest.raises(ProblemError, match="numbers"):
        numeric_transform(generator(x=1), a * x, POINTS[:, :2], 1.0)
