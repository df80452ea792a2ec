"""Potential equations: a conservation law of u_t = K as the integrability condition of a potential."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.characteristics import positive_inverse
from solvers.symmetry.quadrature import primitive
from solvers.symmetry.total_derivatives import euler, first_integral


@dataclass(frozen=True)
class Potential:
    """w_x = T(x, t, u), w_t = G(x, t, u, u_x, ...), so that u = τ(x, t, w_x).

    Attributes:
        density: T, in the field u.
        flux: G, in u and its x-derivatives.
        equation: Residual w_t − G with u replaced by τ.
        potential: The potential as an applied function.
        inverse: τ, in the derivative of the potential.
    """

    density: sp.Expr
    flux: sp.Expr
    equation: sp.Expr
    potential: AppliedUndef
    inverse: sp.Expr


def potentials(rate: sp.Expr, u: AppliedUndef, x: sp.Symbol, t: sp.Symbol) -> Iterator[Potential]:
    """Potential equations of u_t = K(x, t, u, u_x, ...) (Bluman, Reid and Kumei, J. Math. Phys. 29, 1988).

    Λ(x, t, u) (u_t − K) is a divergence iff Λ_t + E(ΛK) = 0 with Euler's operator E in x (Olver 1993, section 4.3);
    Λ is sought among polynomials of degree two and 1/u, 1/u², x/u². Then T = ∫Λ du, and D_x G = ΛK + T_t gives G.

    Args:
        rate: K.
        u: The field.
        x: Space coordinate.
        t: Time.

    Yields:
        One potential equation per conservation law whose density can be solved for u.
    """
    order = max((d.derivative_count for d in rate.atoms(sp.Derivative)), default=0)
    jets = [sp.Dummy(f"u{k}", positive=True) for k in range(2 * order + 2)]
    table = {u.diff(x, k) if k else u: jets[k] for k in range(order + 1)}
    positive = {s: sp.Dummy(s.name, positive=True) for s in sorted(rate.free_symbols | {x, t}, key=str)}
    back = {d: s for s, d in positive.items()}
    inner = sp.powsimp(sp.expand(rate.xreplace(table).xreplace(positive)))
    used = {s.name for s in rate.free_symbols} | {u.func.__name__}
    name = next(n for n in ("phi", "psi", "chi", "potential_") if n not in used)
    w = sp.Function(name, real=True)(*u.args)
    for multiplier in _multipliers(inner, jets, positive[x], positive[t]):
        density = primitive(multiplier, jets[0])
        if density is None:
            continue
        growth = sp.powsimp(sp.expand(multiplier * inner + density.diff(positive[t])))
        flux = first_integral(growth, jets[: order + 1], positive[x])
        slope = sp.Dummy("p", positive=True)
        inverse = positive_inverse(density, jets[0], slope)
        if flux is None or inverse is None:
            continue
        value = inverse.xreplace(back).subs(slope, w.diff(x))
        shown = {j: e for e, j in table.items()}
        spelled = {jets[k]: (value.diff(x, k) if k else value) for k in range(order + 1)}
        residual = w.diff(t) - flux.xreplace(back).xreplace(spelled)
        yield Potential(
            density.xreplace(back).xreplace(shown), flux.xreplace(back).xreplace(shown), residual.doit(), w, value
        )


def _multipliers(rate: sp.Expr, jets: list[sp.Symbol], x: sp.Symbol, t: sp.Symbol) -> list[sp.Expr]:
    """A basis of the multipliers Λ among some monomials."""
    y = jets[0]
    monomials = [sp.S.One, y, x, t, y**2, x * y, t * y, x**2, x * t, t**2, 1 / y, y**-2, x / y**2]
    rows: dict[sp.Expr, dict[int, sp.Expr]] = {}
    moving = [*jets, x, t]
    for number, m in enumerate(monomials):
        condition = m.diff(t) + euler(sp.expand(m * rate), jets, x)
        for term in sp.Add.make_args(sp.powsimp(sp.expand(condition))):
            factor, rest = term.as_independent(*moving, as_Add=False)
            if term != 0:
                row = rows.setdefault(rest, {})
                row[number] = row.get(number, sp.S.Zero) + factor
    matrix = sp.Matrix([[sp.cancel(row.get(k, 0)) for k in range(len(monomials))] for row in rows.values()] or
                       [[0] * len(monomials)])  # fmt: skip
    return [sum(c * m for c, m in zip(v, monomials, strict=True)) for v in matrix.nullspace(simplify=sp.cancel)]
