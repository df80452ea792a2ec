"""Viscous Burgers equation u_t + u u_x = ν u_xx."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.references.cole_hopf import ColeHopf
from sciml.references.solution import ReferenceSolution
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)
THIN = sp.Rational(1, 100) / sp.pi
TENTH = sp.Rational(1, 10)


def _problem(initial: sp.Expr, left: sp.Expr, boundary: sp.Expr, viscosity: sp.Expr, name: str) -> IBVP:
    return IBVP(
        pde=sp.Eq(u.diff(t) + u * u.diff(x), viscosity * u.diff(x, 2)),
        domain=Interval(x, left, 1),
        time=(t, 0, 1),
        initial={u: initial},
        boundary=[Dirichlet(u, boundary)],
        name=name,
    )


def _cole_hopf(problem: IBVP, viscosity: sp.Expr) -> Solution:
    solution = ColeHopf(problem.initial[u], x, problem.domain.bounds[0], float(viscosity))

    def derivative(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        return solution.derivative(points[:, 0], points[:, 1], (orders[0], orders[1]))

    return ReferenceSolution(problem, derivative, status="Cole–Hopf")


def shock() -> ProblemCase:
    """ν = 0.01/π, u0 = -sin(πx) on [-1, 1] × [0, 1], u(±1, t) = 0: a layer of width ν forms at x = 0.

    Source: Basdevant et al. 1986, Computers and Fluids 14, 23; Raissi, Perdikaris and Karniadakis 2019, J. Comput.
    Phys. 378, 686. Reference by the Cole–Hopf transformation.

    Returns:
        The case.
    """
    problem = _problem(-sp.sin(sp.pi * x), sp.Integer(-1), sp.S.Zero, THIN, "Burgers, shock")
    # mirror image of `sine` with the same viscosity
    values = {(-0.5, 0.5): 0.592769534402051, (-0.02, 0.5): 0.97990586741399}
    return ProblemCase(problem, lambda p: _cole_hopf(p, THIN), "Basdevant et al. 1986", values)


def sine(viscosity: sp.Expr = TENTH) -> ProblemCase:
    """u0 = sin(πx) on [0, 1] × [0, 1], u = 0 at both ends.

    Source: Cole 1951, Quart. Appl. Math. 9, 225. Reference by the Cole–Hopf transformation.

    Args:
        viscosity: ν > 0.

    Returns:
        The case.
    """
    viscosity = sp.sympify(viscosity)
    known = {
        TENTH: {(0.5, 0.5): 0.50278937885204},
        sp.Rational(1, 50): {(0.5, 0.5): 0.582365784163391},
        THIN: {(0.5, 0.5): 0.592769534402051, (0.98, 0.5): 0.97990586741399},
    }
    problem = _problem(sp.sin(sp.pi * x), sp.S.Zero, sp.S.Zero, viscosity, "Burgers, sine")
    return ProblemCase(problem, lambda p: _cole_hopf(p, viscosity), "Cole 1951", known.get(viscosity, {}))


def travelling_wave() -> ProblemCase:
    """A front on [-1, 1] × [0, 1], u = 1/2 - tanh((x + 1/4 - t/2)/(2ν)), ν = 1/20.

    Source: Whitham 1974, Linear and Nonlinear Waves, section 4.3.

    Returns:
        The case.
    """
    viscosity = sp.Rational(1, 20)
    exact = sp.Rational(1, 2) - sp.tanh((x + sp.Rational(1, 4) - t / 2) / (2 * viscosity))
    problem = _problem(exact.subs(t, 0), sp.Integer(-1), exact, viscosity, "Burgers, travelling wave")
    return ProblemCase(problem, exact, "Whitham 1974, section 4.3")
