"""Allen–Cahn equation u_t = D u_xx + k (u - u³)."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.references.reaction_diffusion import ReactionDiffusion
from sciml.references.solution import ReferenceSolution
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)


def _spectral(problem: IBVP) -> Solution:
    """Spectral elements on [0, 1] with a plane of symmetry at x = 0, reflected to [-1, 0]."""
    known = sp.Symbol("u")
    half = ReactionDiffusion(
        1e-3, 5 * (known - known**3), known, problem.initial[u], x, np.linspace(0, 1, 21), final=1.0, ends=(None, -1.0)
    )

    def derivative(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        sign = np.where(points[:, 0] < 0, (-1.0) ** orders[0], 1.0)
        return sign * half.derivative(np.abs(points[:, 0]), points[:, 1], (orders[0], orders[1]))

    return ReferenceSolution(problem, derivative, status="spectral elements")


def cosine() -> ProblemCase:
    """u_t = u_xx/1000 - 5 (u³ - u) on [-1, 1] × [0, 1], u0 = x² cos(πx), u(±1, t) = -1.

    Values of the reference are good to 1e-12. Its residual is larger: D u_xx of a polynomial of degree 24 on
    elements of length h loses 24⁴ eps D/h² to rounding, 1e-9 from t = 1e-4 on; before, data that miss the equation at
    the corners (±1, 0) leave a layer there (`ReactionDiffusion`).

    Source: Lu et al. 2021, DeepXDE, SIAM Review 63, 208; Allen–Cahn benchmark of Krasowski, Naujoks et al. 2026
    (PINNfluence, arXiv 2409.08958). Reference by spectral elements.

    Returns:
        The case.
    """
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) / 1000 - 5 * (u**3 - u)),
        domain=Interval(x, -1, 1),
        time=(t, 0, 1),
        initial={u: x**2 * sp.cos(sp.pi * x)},
        boundary=[Dirichlet(u, -1)],
        name="Allen–Cahn, cosine",
    )
    return ProblemCase(problem, _spectral, "Lu et al. 2021, SIAM Review 63, 208", tolerance=1e-8)


def front() -> ProblemCase:
    """A front between the stable state 1 and the unstable state 0, on [-5, 5] × [0, 1].

    u_t = u_xx + u - u³, u = [1 - tanh((x - 3t/√2)/(2√2))]/2.

    Source: Polyanin and Zaitsev 2004, Handbook of Nonlinear Partial Differential Equations, section 1.1.3.

    Returns:
        The case.
    """
    exact = (1 - sp.tanh((x - 3 * t / sp.sqrt(2)) / (2 * sp.sqrt(2)))) / 2
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) + u - u**3),
        domain=Interval(x, -5, 5),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0)},
        boundary=[Dirichlet(u, exact)],
        name="Allen–Cahn, front",
    )
    return ProblemCase(problem, exact, "Polyanin and Zaitsev 2004, section 1.1.3")
