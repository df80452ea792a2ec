"""Free Schrödinger equation i ψ_t = -ψ_xx/2, as a real pair ψ = u + iv."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u, v = field("u", x, t), field("v", x, t)


def wave_packet() -> ProblemCase:
    """A Gaussian packet of width s = 3/10 and wave number k = 5 on [-4, 12] × [0, 1], of norm 1.

    ψ = (2πs²)^(-1/4) z^(-1/2) exp((-x²/(4s²) + ikx - ik²t/2)/z), z = 1 + iτ, τ = t/(2s²). In real terms the modulus
    is (2πs²)^(-1/4) (1 + τ²)^(-1/4) exp(-(x - kt)²/(4s²(1 + τ²))) and the phase is
    (kx - k²t/2 + τx²/(4s²))/(1 + τ²) - arctan(τ)/2.

    Source: Griffiths 2018, Introduction to Quantum Mechanics, problem 2.42.

    Returns:
        The case.
    """
    s, k = sp.Rational(3, 10), sp.Integer(5)
    tau = t / (2 * s**2)
    spread = 1 + tau**2
    modulus = (2 * sp.pi * s**2 * spread) ** -sp.Rational(1, 4) * sp.exp(-((x - k * t) ** 2) / (4 * s**2 * spread))
    phase = (k * x - k**2 * t / 2 + tau * x**2 / (4 * s**2)) / spread - sp.atan(tau) / 2
    exact = {u: modulus * sp.cos(phase), v: modulus * sp.sin(phase)}
    problem = IBVP(
        pde={"real": sp.Eq(u.diff(t), -v.diff(x, 2) / 2), "imaginary": sp.Eq(v.diff(t), u.diff(x, 2) / 2)},
        domain=Interval(x, -4, 12),
        time=(t, 0, 1),
        initial={u: exact[u].subs(t, 0), v: exact[v].subs(t, 0)},
        boundary=[Dirichlet(u, exact[u]), Dirichlet(v, exact[v])],
        fields=[u, v],
        name="Schrödinger, wave packet",
    )
    values = {(0.7, 0.4): (0.31836473930474, -0.104519393855234)}
    return ProblemCase(problem, exact, "Griffiths 2018, problem 2.42", values, {"norm": 1.0})
