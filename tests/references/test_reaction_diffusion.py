"""Reaction–diffusion by spectral elements: exact solutions, an independent method, self-convergence."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from sciml.errors import PointsError, ProblemError
from sciml.references.reaction_diffusion import ReactionDiffusion

U, X = sp.symbols("u x")
ALLEN_CAHN = dict(
    diffusivity=1e-3,
    reaction=5 * (U - U**3),
    u=U,
    initial=X**2 * sp.cos(sp.pi * X),
    x=X,
    final=1.0,
    ends=(None, -1.0),
)


@pytest.fixture(scope="module")
def allen_cahn():
    return ReactionDiffusion(edges=np.linspace(0, 1, 21), **ALLEN_CAHN)


def test_linear_decay_with_all_derivatives():
    solution = ReactionDiffusion(0.3, -2 * U, U, sp.cos(X), X, np.linspace(0, np.pi / 2, 4), 1.0, ends=(None, 0.0))
    rng = np.random.default_rng(0)
    x, t = rng.uniform(0, np.pi / 2, 200), rng.random(200)
    wave = np.cos(x) * np.exp(-2.3 * t)
    for orders, exact in {
        (0, 0): wave,
        (1, 0): -np.sin(x) * np.exp(-2.3 * t),
        (2, 0): -wave,
        (0, 1): -2.3 * wave,
    }.items():
        assert np.abs(solution.derivative(x, t, orders) - exact).max() < 3e-10


def test_nonlinear_front_with_moving_zero_flux_far_away():
    # Nagumo's front u = 1/2 - tanh((x - ct)/(2 sqrt 2))/2 of u_t = u_xx + u (1 - u)(u - a), c = (1 - 2a)/√2.
    a = sp.Rational(1, 4)
    speed, profile = float((1 - 2 * a) / sp.sqrt(2)), (1 - sp.tanh(X / (2 * sp.sqrt(2)))) / 2
    solution = ReactionDiffusion(
        1.0, U * (1 - U) * (U - a), U, profile, X, np.linspace(-60, 60, 49), 4.0, ends=(None, None), slab=0.4
    )
    x, t = np.meshgrid(np.linspace(-20, 20, 41), np.linspace(0, 4, 9))
    exact = (1 - np.tanh((x - speed * t) / (2 * np.sqrt(2)))) / 2
    assert np.abs(solution(x, t) - exact).max() < 1e-12


def chebyshev_radau(times, n=600):
    """Allen–Cahn by another road: global Chebyshev collocation, folded by symmetry, and SciPy's Radau."""
    j = np.arange(n + 1)
    x = np.cos(np.pi * j / n)
    c = np.where((j == 0) | (j == n), 2.0, 1.0) * (-1.0) ** j
    slope = c[:, None] / c / (x[:, None] - x + np.eye(n + 1))
    slope -= np.diag(slope.sum(axis=1))
    second, half = slope @ slope, n // 2
    folded = second[: half + 1, : half + 1].copy()
    folded[:, :half] += second[: half + 1, n:half:-1]
    matrix, wall, x = 1e-3 * folded[1:, 1:], -1e-3 * folded[1:, 0], x[1 : half + 1]
    run = solve_ivp(
        lambda t, u: matrix @ u + wall + 5 * (u - u**3),
        (0, times[-1]),
        x**2 * np.cos(np.pi * x),
        method="Radau",
        jac=lambda t, u: matrix + np.diag(5 - 15 * u**2),
        t_eval=times,
        rtol=1e-10,
        atol=1e-11,
    )
    return x, run.y


def test_allen_cahn_agrees_with_an_independent_method(allen_cahn):
    times = [0.1, 0.5, 1.0]
    x, values = chebyshev_radau(times)
    assert np.abs(allen_cahn(x[:, None], np.array(times)) - values).max() < 1e-10


def test_allen_cahn_self_convergence(allen_cahn):
    rng = np.random.default_rng(5)
    x, t = rng.random(2000), rng.random(2000)
    x[::2] = 1 - x[::2] ** 3  # crowd the corner, where the data do not meet the equation
    t[::2] **= 4
    finer = ReactionDiffusion(edges=np.linspace(0, 1, 26), degree=26, stages=14, slab=0.04, **ALLEN_CAHN)
    coarser = ReactionDiffusion(edges=np.linspace(0, 1, 21), degree=10, **ALLEN_CAHN)
    exact = finer(x, t)
    assert np.abs(allen_cahn(x, t) - exact).max() < 1e-12
    assert np.abs(coarser(x, t) - exact).max() > 1e-8  # the comparison is able to fail
    late = t > 1e-4
    for orders, bound in {(1, 0): 1e-8, (2, 0): 1e-5, (0, 1): 1e-8}.items():  # u_xx reaches 1400
        gap = allen_cahn.derivative(x, t, orders) - finer.derivative(x, t, orders)
        assert np.abs(gap[late]).max() < bound


def test_start_and_ends(allen_cahn):
    x = np.linspace(0, 1, 101)
    assert np.abs(allen_cahn(x, 0.0) - x**2 * np.cos(np.pi * x)).max() < 1e-13
    t = np.linspace(0, 1, 33)
    assert np.abs(allen_cahn(1.0, t) + 1).max() < 1e-14
    assert np.abs(allen_cahn.derivative(0.0, t, (1, 0))).max() < 1e-10


@pytest.mark.parametrize(
    "changes",
    [
        {"diffusivity": -1.0},
        {"final": 0.0},
        {"reaction": sp.Symbol("k") * U},
        {"ends": (None, 0.5)},
        {"edges": np.array([0.0, 0.5, 0.5, 1.0])},
        {"first": 1.0},
    ],
)
def test_bad_input(changes):
    with pytest.raises(ProblemError):
        ReactionDiffusion(**{"edges": np.linspace(0, 1, 3), **ALLEN_CAHN, **changes})


@pytest.mark.parametrize(("x", "t"), [(1.1, 0.5), (-0.1, 0.5), (0.5, 1.1), (0.5, -0.1), (np.nan, 0.5)])
def test_points_outside(allen_cahn, x, t):
    with pytest.raises(PointsError):
        allen_cahn(x, t)
