"""burgers.shock against the Fourier series of Cole's θ in 80 digits, which shares nothing with the solver's kernel."""

from __future__ import annotations

import mpmath
import numpy as np

from sciml.problems import burgers
from solvers.lie import LieSolver


def cole_series(x: float, t: float, digits: int = 80) -> float:
    """Burgers with u0 = -sin πx on [-1, 1], ν = 1/(100π): u = -2ν θ_x/θ, and with z = 1/(2πν) = 50,

    θ = I_0(z) + 2 Σ (-1)^n I_n(z) exp(-n²π²νt) cos nπx   (Cole 1951; Jacobi-Anger expansion of exp(-z cos πx)).
    """
    with mpmath.workdps(digits):
        nu, z, place = 1 / (100 * mpmath.pi), mpmath.mpf(50), mpmath.mpf(x)
        theta, slope = mpmath.besseli(0, z), mpmath.mpf(0)
        for n in range(1, 160):
            size = 2 * (-1) ** n * mpmath.besseli(n, z) * mpmath.exp(-((n * mpmath.pi) ** 2) * nu * mpmath.mpf(t))
            theta += size * mpmath.cos(n * mpmath.pi * place)
            slope -= size * n * mpmath.pi * mpmath.sin(n * mpmath.pi * place)
        return float(-2 * nu * slope / theta)


def test_shock_against_the_series() -> None:
    lie = LieSolver().solve(burgers.shock().problem)
    places = np.array([[-0.5, 0.5], [-0.02, 0.5], [0.003, 0.9], [0.7, 0.25], [-0.001, 0.35], [0.25, 1.0]])
    series = np.array([cole_series(*place) for place in places])
    assert np.abs(lie.evaluate(places)[:, 0] - series).max() < 1e-11
    assert np.abs(burgers.shock().reference.evaluate(places)[:, 0] - series).max() < 1e-11
    # the table of the specification, by mirror image
    assert abs(series[0] - 0.592769534402051) < 1e-14
    assert abs(series[1] - 0.97990586741399) < 1e-13


def test_the_series_is_converged() -> None:
    assert abs(cole_series(-0.001, 0.35) - cole_series(-0.001, 0.35, 120)) < 1e-15
