"""Black–Scholes equation V_τ = σ²S² V_SS/2 + r S V_S - r V, τ the time to expiry."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

S, tau = coordinates("S tau")
V = field("V", S, tau)


def european_call() -> ProblemCase:
    """A call with strike K = 100, σ = 3/10, r = 1/20, S in [40, 250], τ <= 1; a kink at S = K at the start.

    V = S N(d₁) - K e^{-rτ} N(d₂), d₁ = [ln(S/K) + (r + σ²/2)τ]/(σ√τ), d₂ = d₁ - σ√τ.

    Source: Black and Scholes 1973, J. Polit. Econ. 81, 637, equation 13.

    Returns:
        The case.
    """
    strike, volatility, rate = sp.Integer(100), sp.Rational(3, 10), sp.Rational(1, 20)
    spread = volatility * sp.sqrt(tau)
    d = (sp.log(S / strike) + (rate + volatility**2 / 2) * tau) / spread

    def normal_cdf(argument: sp.Expr) -> sp.Expr:
        return sp.erfc(-argument / sp.sqrt(2)) / 2

    exact = S * normal_cdf(d) - strike * sp.exp(-rate * tau) * normal_cdf(d - spread)
    problem = IBVP(
        pde=sp.Eq(V.diff(tau), volatility**2 * S**2 * V.diff(S, 2) / 2 + rate * S * V.diff(S) - rate * V),
        domain=Interval(S, 40, 250),
        time=(tau, 0, 1),
        initial={V: sp.Max(S - strike, 0)},
        boundary=[Dirichlet(V, exact)],
        name="Black–Scholes, European call",
    )
    values = {(100.0, 1.0): 14.2312547859858, (120.0, 0.5): 24.4579811367806}
    return ProblemCase(problem, exact, "Black and Scholes 1973, equation 13", values)
