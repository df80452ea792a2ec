"""Fokker–Planck equations p_t = -(b(x) p)_x + p_xx/2: the density of dX = b(X) dt + dW."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
p = field("p", x, t)


def _normal(mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    return sp.exp(-((x - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)


def _problem(drift: sp.Expr, exact: sp.Expr, name: str) -> IBVP:
    return IBVP(
        pde=sp.Eq(p.diff(t), -(drift * p).diff(x) + p.diff(x, 2) / 2),
        domain=Interval(x, -6, 6),
        time=(t, 0, 2),
        initial={p: exact.subs(t, 0)},
        boundary=[Dirichlet(p, exact)],
        name=name,
    )


def ornstein_uhlenbeck() -> ProblemCase:
    """Drift -x on [-6, 6] × [0, 2]: p stays normal, of mass 1.

    Mean x₀e^{-t} and variance (1 - e^{-2t})/2 + s₀²e^{-2t}, x₀ = 3/2, s₀ = 3/10.

    Source: Uhlenbeck and Ornstein 1930, Phys. Rev. 36, 823.

    Returns:
        The case.
    """
    decay = sp.exp(-2 * t)
    exact = _normal(sp.Rational(3, 2) * sp.exp(-t), (1 - decay) / 2 + sp.Rational(9, 100) * decay)
    values = {(0.5, 0.5): 0.530829647055097, (-1.0, 2.0): 0.130800566678151}
    problem = _problem(-x, exact, "Fokker–Planck, Ornstein–Uhlenbeck")
    return ProblemCase(problem, exact, "Uhlenbeck and Ornstein 1930", values, {"mass": 1.0})


def bistable_drift() -> ProblemCase:
    """Drift tanh x on [-6, 6] × [0, 2]: one peak splits into two.

    p = cosh(x) e^{-τ/2} N(x; 0, τ) with τ = t + 1/5, the law at τ of a particle started at 0.

    Source: Beneš 1981, Stochastics 5, 65 (a drift with b² + b' = 1).

    Returns:
        The case.
    """
    clock = t + sp.Rational(1, 5)
    exact = sp.cosh(x) * sp.exp(-clock / 2) * _normal(sp.S.Zero, clock)
    problem = _problem(sp.tanh(x), exact, "Fokker–Planck, bistable drift")
    return ProblemCase(problem, exact, "Beneš 1981, Stochastics 5, 65")
