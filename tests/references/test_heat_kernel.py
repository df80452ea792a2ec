"""Heat kernel on an interval: against modes, a sine series, heat polynomials, differences."""

import numpy as np
import pytest
import sympy as sp

from sciml.errors import PointsError, ProblemError
from sciml.references.heat_kernel import HeatKernel

X = sp.Symbol("x")
POLYNOMIAL = X**2 + X**3 - X**5 + X**7


def test_modes_with_all_derivatives():
    modes = {1: 0.7, 4: -0.3}
    data = sum(a * sp.sin(m * sp.pi * (X + 1) / 3) for m, a in modes.items()) + 2 - X
    rod = HeatKernel(data, X, (-1, 2), diffusivity=0.4)
    rng = np.random.default_rng(0)
    x, t = rng.uniform(-1, 2, 200), rng.random(200) ** 3

    def exact(order, per_time):
        total = 0
        for m, a in modes.items():
            k = m * np.pi / 3
            wave = k**order * np.sin(k * (x + 1) + order * np.pi / 2)
            total = total + a * (-0.4 * k**2) ** per_time * wave * np.exp(-0.4 * k**2 * t)
        return total

    line = {(0, 0): 2 - x, (1, 0): -1, (2, 0): 0, (0, 1): 0}
    for orders, affine in line.items():
        assert np.abs(rod.derivative(x, t, orders) - exact(*orders) - affine).max() < 1e-13


def test_polynomial_against_its_sine_series():
    rod = HeatKernel(POLYNOMIAL, X, (0, 1))
    x, t = np.meshgrid(np.linspace(0, 1, 21), [0.01, 0.05, 0.1])
    nodes, weights = np.polynomial.legendre.leggauss(200)
    y = (1 + nodes) / 2
    total = 2 * x
    for m in range(1, 40):
        coefficient = weights @ ((y**2 + y**3 - y**5 + y**7 - 2 * y) * np.sin(m * np.pi * y))
        total = total + coefficient * np.sin(m * np.pi * x) * np.exp(-((m * np.pi) ** 2) * t)
    assert np.abs(rod(x, t) - total).max() < 1e-14


@pytest.mark.parametrize("breaks", [(), (0.2, 0.55)])
def test_early_times_inside(breaks):
    # Far from the ends u = Σ t^k f^(2k)/k! exactly.
    rod = HeatKernel(POLYNOMIAL, X, (0, 1), breaks=breaks)
    x, t = np.meshgrid(np.linspace(0.3, 0.7, 9), [0.0, 1e-12, 1e-6, 1e-4])
    for orders in ((0, 0), (1, 0), (2, 0), (0, 1)):
        n = orders[0] + 2 * orders[1]
        exact = sum(t**k / float(sp.factorial(k)) * sp.lambdify(X, POLYNOMIAL.diff(X, 2 * k + n))(x) for k in range(4))
        assert np.abs(rod.derivative(x, t, orders) - exact).max() < 2e-14 * max(1, np.abs(exact).max())


def test_breakpoints_resolve_steep_data():
    steep = sp.tanh(200 * (X - sp.Rational(1, 2)))
    graded = tuple(0.5 + 0.005 * k for k in (-16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16))
    finer = tuple(0.5 + 0.0025 * k for k in range(-40, 41))
    x, t = np.linspace(0.3, 0.7, 33), 1e-6
    exact = HeatKernel(steep, X, (0, 1), breaks=finer)(x, t)
    assert np.abs(HeatKernel(steep, X, (0, 1), breaks=graded)(x, t) - exact).max() < 1e-13
    late = np.abs(HeatKernel(steep, X, (0, 1))(x, 0.05) - HeatKernel(steep, X, (0, 1), breaks=finer)(x, 0.05)).max()
    assert late > 1e-10  # without breakpoints the comparison fails


def test_ends_and_start():
    rod = HeatKernel(POLYNOMIAL, X, (0, 1))
    t = np.geomspace(1e-9, 0.1, 12)
    assert np.abs(rod(0.0, t)).max() < 1e-15
    assert np.abs(rod(1.0, t) - 2).max() < 1e-15
    x = np.linspace(0, 1, 11)
    assert np.abs(rod(x, 0.0) - (x**2 + x**3 - x**5 + x**7)).max() < 1e-15


@pytest.mark.parametrize(
    "arguments",
    [
        {"interval": (1, 0)},
        {"diffusivity": 0.0},
        {"diffusivity": float("nan")},
        {"initial": X * sp.Symbol("k")},
        {"breaks": (0.5, 1.0)},
    ],
)
def test_bad_input(arguments):
    with pytest.raises(ProblemError):
        HeatKernel(**{"initial": X, "x": X, "interval": (0, 1), **arguments})


def test_bad_points():
    rod = HeatKernel(POLYNOMIAL, X, (0, 1))
    for x, t in ((1.1, 0.0), (0.5, -0.1), (0.5, np.inf), (np.nan, 0.1)):
        with pytest.raises(PointsError):
            rod(x, t)
    with pytest.raises(ProblemError):
        rod.derivative(0.5, 0.1, (3, 0))
