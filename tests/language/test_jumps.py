"""Coefficients that jump are not solved for another problem without a word."""

import warnings

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Rectangle, coordinates, field
from sciml.errors import SolverWarning
from sciml.jumps import warn_of_jumps
from solvers import PINN, LieSolver

x, y, t = coordinates("x y t")
u, w, v, q = field("u", x), field("w", x, y), field("v", x, t), field("q", x)
HALF = sp.Rational(1, 2)
STEP = sp.Piecewise((1, x < HALF), (10, True))
RAMP = sp.Piecewise((x, x < HALF), (HALF, True))
DISC = sp.Piecewise((3, (x - HALF) ** 2 + (y - HALF) ** 2 < sp.Rational(1, 20)), (1, True))
LINE = {"domain": Interval(x, 0, 1), "boundary": [Dirichlet(u, 0, on="left"), Dirichlet(u, 1, on="right")]}
ROD = {"domain": Interval(x, 0, 1), "time": (t, 0, 1), "initial": {v: 0}, "boundary": [Dirichlet(v, 0)]}
STRING = {**ROD, "initial": {v: 0, v.diff(t): 0}}
PLATE = {"domain": Rectangle((x, 0, 1), (y, 0, 1)), "boundary": [Dirichlet(w, 0)]}

JUMPS = {
    "two layers": IBVP(sp.Eq((STEP * u.diff(x)).diff(x), 0), **LINE),
    "inclusion": IBVP(sp.Eq((DISC * w.diff(x)).diff(x) + (DISC * w.diff(y)).diff(y), 1), **PLATE),
    "phase change": IBVP(v.diff(t) - (sp.Piecewise((1, v < 300), (3, True)) * v.diff(x)).diff(x), **ROD),
    "sign": IBVP(v.diff(t) - (2 + sp.sign(x - HALF)) * v.diff(x, 2), **ROD),
}
NONE = {
    "kink": IBVP(sp.Eq((RAMP * u.diff(x)).diff(x) - u, 0), **LINE),
    "flux as a field": IBVP([sp.Eq(q, STEP * u.diff(x)), sp.Eq(q.diff(x), 0)], **LINE),
    "density": IBVP(sp.Eq(STEP * v.diff(t, 2), v.diff(x, 2)), **STRING),
    "source": IBVP(sp.Eq(v.diff(t), v.diff(x, 2) + STEP), **ROD),
    "outside of the domain": IBVP(sp.Eq(v.diff(t), sp.Piecewise((1, x < 2), (5, True)) * v.diff(x, 2)), **ROD),
}


@pytest.mark.parametrize("name", JUMPS)
def test_a_jump_is_named(name: str) -> None:
    with pytest.warns(SolverWarning, match="jumps at"):
        warn_of_jumps(JUMPS[name])


@pytest.mark.parametrize("name", NONE)
def test_what_does_not_jump_is_left_alone(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_jumps(NONE[name])


def test_the_lie_solver_says_so_too() -> None:
    with pytest.warns(SolverWarning, match="jumps at x=0.5"):
        LieSolver().solve(JUMPS["two layers"])


@pytest.mark.slow
def test_the_flux_as_a_field_gives_what_the_jump_loses() -> None:
    places = np.array([0.25, 0.75])
    wanted = np.where(places < 0.5, places, 0.5 + (places - 0.5) / 10) / 0.55
    with pytest.warns(SolverWarning, match="jumps at x=0.5"):
        lost = PINN().solve(JUMPS["two layers"])
    assert abs(lost(x=places) - wanted).max() > 0.1
    found = PINN(steps=60, optimiser="lm", progress=False).solve(NONE["flux as a field"])
    assert abs(found(x=places)["u"] - wanted).max() < 1e-2
