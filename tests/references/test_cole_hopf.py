"""Burgers by Cole–Hopf: against a Bessel series, an exact travelling wave, differences, and itself."""

import numpy as np
import pytest
import sympy as sp
from scipy.special import ive

from sciml.errors import PointsError, ProblemError
from sciml.references.cole_hopf import ColeHopf

X = sp.Symbol("x")
THIN = 0.01 / np.pi


def bessel_series(x, t, viscosity, terms=80):
    """Data sin(pi x): theta = I_0(z) + 2 sum I_n(z) exp(-n² pi² nu t) cos(n pi x), z = 1/(2 pi nu)."""
    n = np.arange(1, terms)[:, None]
    z = 1 / (2 * np.pi * viscosity)
    modes = 2 * ive(n, z) * np.exp(-(n**2) * np.pi**2 * viscosity * t)
    theta = ive(0, z) + (modes * np.cos(n * np.pi * x)).sum(axis=0)
    slope = -(modes * n * np.pi * np.sin(n * np.pi * x)).sum(axis=0)
    return -2 * viscosity * slope / theta


@pytest.mark.parametrize("viscosity", [1.0, 0.1, 0.02])
def test_agrees_with_the_bessel_series(viscosity):
    rng = np.random.default_rng(1)
    x, t = rng.random(400), rng.uniform(0.05, 1, 400)
    solution = ColeHopf(sp.sin(sp.pi * X), X, (0, 1), viscosity)
    # The series itself loses digits where theta is small: exp(-1/(2 pi nu)) of its largest value.
    tolerance = 1e-15 * np.exp(1 / (np.pi * viscosity)) + 1e-13
    assert np.abs(solution(x, t) - bessel_series(x, t, viscosity)).max() < max(tolerance, 1e-13)


@pytest.mark.parametrize(
    ("viscosity", "x", "value"),
    [
        (0.1, 0.5, 0.50278937885204),
        (0.02, 0.5, 0.582365784163391),
        (THIN, 0.5, 0.592769534402051),
        (THIN, 0.98, 0.97990586741399),
    ],
)
def test_published_values(viscosity, x, value):
    solution = ColeHopf(sp.sin(sp.pi * X), X, (0, 1), viscosity)
    assert abs(solution(x, 0.5) - value) < 2e-14


@pytest.mark.parametrize("viscosity", [1.0, 0.05, THIN])
def test_travelling_wave_on_the_line(viscosity):
    # u = c - tanh((x - x0 - ct)/(2 nu)) is exact.
    speed, place = 0.5, -0.2
    profile = speed - sp.tanh((X - place) / (2 * viscosity))
    potential = speed * X - 2 * viscosity * sp.log(sp.cosh((X - place) / (2 * viscosity)))
    solution = ColeHopf(profile, X, (-4, 4), viscosity, extension="none", potential=potential)
    rng = np.random.default_rng(2)
    t = rng.uniform(0, 1, 300)
    x = place + speed * t + viscosity * rng.uniform(-10, 10, 300)
    z = (x - place - speed * t) / (2 * viscosity)
    front, bell = np.tanh(z), 1 / np.cosh(z) ** 2
    exact = {
        (0, 0): speed - front,
        (1, 0): -bell / (2 * viscosity),
        (2, 0): bell * front / (2 * viscosity**2),
        (0, 1): speed * bell / (2 * viscosity),
    }
    for orders, values in exact.items():
        assert np.abs(solution.derivative(x, t, orders) - values).max() < 1e-10 * np.abs(values).max()


def test_derivatives_are_those_of_the_values():
    solution = ColeHopf(-sp.sin(sp.pi * X), X, (-1, 1), 0.05)
    x, t, h = np.linspace(-0.95, 0.95, 39), np.full(39, 0.6), 1e-3

    def slope(f):  # sixth-order central difference
        return (45 * (f(h) - f(-h)) - 9 * (f(2 * h) - f(-2 * h)) + f(3 * h) - f(-3 * h)) / (60 * h)

    in_x = slope(lambda s: solution(x + s, t))
    in_xx = slope(lambda s: solution.derivative(x + s, t, (1, 0)))
    in_t = slope(lambda s: solution(x, t + s))
    assert np.abs(in_x - solution.derivative(x, t, (1, 0))).max() < 1e-7
    assert np.abs(in_xx - solution.derivative(x, t, (2, 0))).max() < 1e-5
    assert np.abs(in_t - solution.derivative(x, t, (0, 1))).max() < 1e-9


@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (2, 0), (0, 1)])
def test_converged_inside_the_shock_layer(orders):
    coarse, fine = (ColeHopf(-sp.sin(sp.pi * X), X, (-1, 1), THIN, resolution=r) for r in (1, 2))
    rng = np.random.default_rng(3)
    x, t = THIN * rng.uniform(-8, 8, 200), rng.uniform(0, 1, 200)
    values = fine.derivative(x, t, orders)
    assert np.abs(coarse.derivative(x, t, orders) - values).max() < 1e-12 * max(1, np.abs(values).max())


def test_start_and_sides():
    solution = ColeHopf(X * (1 - X) * sp.exp(X), X, (0, 1), 0.02)
    x = np.linspace(0, 1, 11)
    assert np.abs(solution(x, 0.0) - x * (1 - x) * np.exp(x)).max() < 1e-15
    t = np.geomspace(1e-8, 10, 20)
    assert np.abs(solution(np.array([[0.0], [1.0]]), t)).max() < 1e-14


def test_the_odd_extension_of_a_sine_is_the_sine():
    rng = np.random.default_rng(4)
    x, t = rng.uniform(-1, 1, 100), rng.uniform(0, 1, 100)
    odd, whole = (ColeHopf(-sp.sin(sp.pi * X), X, (-1, 1), THIN, extension=e) for e in ("odd", "none"))
    assert np.abs(odd(x, t) - whole(x, t)).max() < 1e-13


@pytest.mark.parametrize(
    "arguments",
    [
        (sp.sin(X), X, (0, sp.pi), -1),
        (sp.sin(X), X, (0, sp.pi), 0),
        (sp.sin(X), X, (0, sp.pi), float("nan")),
        (sp.sin(X), X, (1, 0), 1),
        (sp.sin(sp.Symbol("k") * X), X, (0, 1), 1),
        (sp.cos(X), X, (0, 1), 1),
        (sp.sin(X), X, (0, sp.pi), 1, "even"),
        (sp.sin(X), X, (0, sp.pi), 1, "odd", sp.sin(X)),
        (sp.tanh(1000 * X), X, (-10, 10), 1, "none"),
    ],
)
def test_bad_input(arguments):
    with pytest.raises(ProblemError):
        ColeHopf(*arguments)


def test_bad_points():
    solution = ColeHopf(sp.sin(X), X, (0, sp.pi), 1)
    with pytest.raises(PointsError):
        solution(0.5, -0.1)
    with pytest.raises(ProblemError):
        solution.derivative(0.5, 0.1, (1, 1))
