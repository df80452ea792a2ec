"""Advection–diffusion (drift–diffusion) equation u_t + c u_x = D u_xx, and its steady form."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet, Periodic
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)
_DRIFT = sp.sin(2 * (x - 20 * t) + sp.pi / 4) * sp.exp(-4 * t)


def _drift(condition: Dirichlet | Periodic, name: str, source: str) -> ProblemCase:
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) - 20 * u.diff(x)),
        domain=Interval(x, 0, 2 * sp.pi),
        time=(t, 0, 1),
        initial={u: _DRIFT.subs(t, 0)},
        boundary=[condition],
        name=name,
    )
    return ProblemCase(problem, _DRIFT, source)


def periodic_drift(derivatives: bool = True) -> ProblemCase:
    """u_t = u_xx - 20 u_x on [0, 2π] × [0, 1], periodic, u = sin(2(x - 20t) + π/4) exp(-4t).

    Source: drift–diffusion benchmark of Krasowski, Naujoks et al. 2026 (PINNfluence, arXiv 2409.08958). It asks for
    periodic values only, which leaves the slope at the ends free: `derivatives=False`.

    Args:
        derivatives: Whether the slopes at both ends agree too, as the equation needs.

    Returns:
        The case.
    """
    condition = Periodic(u, derivatives=derivatives)
    return _drift(condition, "drift–diffusion, periodic", "Krasowski, Naujoks et al. 2026, arXiv 2409.08958")


def drift() -> ProblemCase:
    """The same solution with its values given at both ends.

    Source: drift–diffusion benchmark of Naujoks et al. 2025, arXiv 2506.16443.

    Returns:
        The case.
    """
    return _drift(Dirichlet(u, _DRIFT), "drift–diffusion, given ends", "Naujoks et al. 2025, arXiv 2506.16443")


def boundary_layer() -> ProblemCase:
    """Steady outflow layer: w' = εw'' on [0, 1], ε = 1/50, w(0) = 0, w(1) = 1.

    w = (e^{(x-1)/ε} - e^{-1/ε})/(1 - e^{-1/ε}), written without overflow.

    Source: Roos, Stynes and Tobiska 2008, Robust Numerical Methods for Singularly Perturbed Differential Equations,
    section I.1.

    Returns:
        The case.
    """
    w = field("u", x)
    width = sp.Rational(1, 50)
    foot = sp.exp(-1 / width)
    problem = IBVP(
        pde=sp.Eq(w.diff(x), width * w.diff(x, 2)),
        domain=Interval(x, 0, 1),
        boundary=[Dirichlet(w, 0, on="left"), Dirichlet(w, 1, on="right")],
        name="advection–diffusion, boundary layer",
    )
    return ProblemCase(problem, (sp.exp((x - 1) / width) - foot) / (1 - foot), "Roos, Stynes and Tobiska 2008")
