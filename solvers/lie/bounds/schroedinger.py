r"""Bound for i ψ_t = -κ ψ_xx + V(x) ψ, as a real pair ψ = u + iv, with Dirichlet sides.

The norm and the energy κ|e_x|² + ∫ (V - min V)|e|² =: |e|_E² of an error with exact sides are conserved; with a
residual f that vanishes on the sides both roots grow by at most ∫ those of f dt. |e|² <= |e|_2 |e_x|_2 then gives

    |e|² <= (|e0|_2 + ∫|f|_2 dt) (|e0|_E + ∫|f|_E dt) / √κ.

Sides that are missed by g are lifted by G = Σ g ℓ + h s in a layer, with ℓ = 1, ℓ'' = 0, s = 0, s'' = 1 on the side:
with h = (V g - i g_t)/κ the residual of G vanishes there.
"""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from sciml.classification import linear_form
from solvers.lie.bounds.lifts import ends, face_gaps, require_smooth_gaps
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.regularity import require_continuous
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.start import at_start
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.bounds.zeros import vanishes

Pair = tuple[sp.Expr, sp.Expr]


def read_schroedinger(problem: object) -> tuple[sp.Expr, sp.Expr, list[int], list[sp.Expr]] | None:
    """κ, V, order of the equations (that of u_t first) and their scales, or None for another system."""
    # u_t = -κ v_xx + V v, v_t = κ u_xx - V u; a negative κ is the complex conjugate
    fields, space = problem.fields, problem.space  # type: ignore[attr-defined]
    if len(fields) != 2 or len(space) != 1 or problem.time is None:  # type: ignore[attr-defined]
        return None
    rows: dict[int, tuple] = {}
    for number, equation in enumerate(problem.equations):  # type: ignore[attr-defined]
        form = linear_form(problem.substitute(equation), fields, problem.coordinates)  # type: ignore[attr-defined]
        if form is None:
            return None
        left = dict(form.coefficients)
        own = [k for k in (0, 1) if (k, (0, 1)) in left]
        if len(own) != 1:
            return None
        scale = left.pop((own[0], (0, 1)))
        other = 1 - own[0]
        second, zero = left.pop((other, (2, 0)), sp.S.Zero) / scale, left.pop((other, (0, 0)), sp.S.Zero) / scale
        if left:
            return None
        rows[own[0]] = (second, zero, number, scale)
    if set(rows) != {0, 1} or rows[0][0] + rows[1][0] != 0 or not vanishes(rows[0][1] + rows[1][1]):
        return None
    kappa, potential = rows[0][0], -rows[0][1]
    if not kappa.is_number or kappa == 0:
        return None
    return kappa, potential, [rows[k][2] for k in (0, 1)], [rows[k][3] for k in (0, 1)]


def schroedinger_bound(mismatch: Mismatch, reading: tuple) -> Bound:
    """Bound for a Schrödinger pair.

    Args:
        mismatch: The mismatch.
        reading: From `read_schroedinger`.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If a hypothesis fails.
    """
    mismatch.require_all_sides()
    kappa, potential, order, scales = reading
    if mismatch.time in potential.free_symbols:
        raise NotEnclosed("no bound is known for a potential that depends on time")
    if mismatch.jumps:
        raise NotEnclosed("no bound is known for the Schrödinger equation with periodic conditions")
    sign = 1 if kappa > 0 else -1
    kappa, potential = sign * kappa, sign * potential
    (x,), inside, everywhere = mismatch.space, mismatch.inside, mismatch.everywhere
    residual = tuple(mismatch.residuals[n] / s for n, s in zip(order, scales, strict=True))
    start = (mismatch.initial(0), mismatch.initial(1))
    lift = _lift(mismatch, kappa, potential, sign)
    if any(lift):
        moved = _residual(lift, mismatch.time, x, kappa, potential, sign)
        residual = tuple(r - m for r, m in zip(residual, moved, strict=True))
        start = tuple(s - at_start(g, mismatch.time, mismatch.start) for s, g in zip(start, lift, strict=True))
    low, high = ends(mismatch, 0)
    mismatch.require_agreement(0)
    mismatch.require_agreement(1)
    for part, where in (*((s, inside) for s in start), *((r, everywhere) for r in residual)):
        for patch in where:
            require_continuous(patch.pull(part), patch.axes, patch.box, "the mismatch")
    if not all(vanishes(part.xreplace({x: end})) for part in residual for end in (low, high)):
        raise NotEnclosed("the residual does not vanish on the sides: the energy is not bounded")
    least = mismatch.enclosure.range(potential, inside)[0]
    above = potential - sp.Float(least) if potential.free_symbols else sp.S.Zero
    length, duration = float(high - low) * (1 + 1e-15), mismatch.duration
    mass, energy = _roots(mismatch, start, inside, x, kappa, above)
    floor = 0.02 / duration / math.sqrt(length)
    size = mismatch.enclosure.source(residual, everywhere, duration, floor * mass)
    forces = [sp.sqrt(kappa) * f.diff(x) for f in residual] + [sp.sqrt(above) * f for f in residual]
    force = mismatch.enclosure.source(forces, everywhere, duration, floor * energy)
    l2 = mass + size
    sup = math.sqrt(l2 * (energy + force) / math.sqrt(float(kappa)))
    extra = math.hypot(*[mismatch.sup(g, everywhere) for g in lift])
    parts = {"norm": mass, "energy": energy, "residual": size, "lift": extra}
    return Bound((sup + extra) * (1 + 1e-9), (l2 + extra * math.sqrt(length)) * (1 + 1e-9), "energy", parts)


def _roots(
    mismatch: Mismatch, start: tuple, inside: list, x: sp.Symbol, kappa: sp.Expr, above: sp.Expr
) -> tuple[float, float]:
    mass = math.hypot(*[mismatch.norms(e, inside).l2 for e in start])
    parts = [sp.sqrt(kappa) * e.diff(x) for e in start] + [sp.sqrt(above) * e for e in start]
    return mass, math.hypot(*[mismatch.norms(e, inside).l2 for e in parts])


def _residual(pair: Pair, time: sp.Symbol, x: sp.Symbol, kappa: sp.Expr, potential: sp.Expr, sign: int) -> Pair:
    """(u_t + κ v_xx - V v, v_t - κ u_xx + V u) for sign 1; the conjugate equation for -1."""
    u, v = pair
    return (
        u.diff(time) + sign * (kappa * v.diff(x, 2) - potential * v),
        v.diff(time) - sign * (kappa * u.diff(x, 2) - potential * u),
    )


def _lift(mismatch: Mismatch, kappa: sp.Expr, potential: sp.Expr, sign: int) -> Pair:
    """G of both parts; (0, 0) where the sides are met exactly."""
    (x,), time = mismatch.space, mismatch.time
    low, high = ends(mismatch, 0)
    length = high - low
    gaps = [face_gaps(mismatch, field) for field in (0, 1)]
    require_smooth_gaps(gap for own in gaps for gap in own.values())
    if all(vanishes(gap) for own in gaps for gap in own.values()):
        return sp.S.Zero, sp.S.Zero
    pairs = [_layer(mismatch, gaps, kappa, potential, sign, length / 4**k) for k in range(5)]

    def cost(pair: Pair) -> float:  # for the choice only: nothing proven hangs on it
        f = _residual(pair, time, x, kappa, potential, sign)
        columns = [
            np.linspace(float(low), float(high), 2001)[:, None],
            np.linspace(float(mismatch.start), float(mismatch.end), 9),
        ]
        values = [sp.lambdify((x, time), part, "scipy")(*columns) for part in f]
        slopes = [np.gradient(np.broadcast_to(v, (2001, 9)), axis=0) * 2000 / float(length) for v in values]
        norms = [math.hypot(*[float(np.sqrt((v**2).mean())) for v in part]) for part in (values, slopes)]
        return math.sqrt(norms[0] * norms[1]) if all(map(math.isfinite, norms)) else math.inf

    return min(pairs, key=cost)


def _layer(mismatch: Mismatch, gaps: list[dict], kappa: sp.Expr, potential: sp.Expr, sign: int, width: sp.Expr) -> Pair:
    """G in layers of a width along both sides: Σ g ℓ(z) + h width² s(z), ℓ = (1-z)⁵(1+5z+15z²), s = (1-z)⁵ z²/2."""
    (x,), time = mismatch.space, mismatch.time
    ends_ = ends(mismatch, 0)
    total = [sp.S.Zero, sp.S.Zero]
    for end in (0, 1):
        z = (x - ends_[0]) / width if end == 0 else (ends_[1] - x) / width
        value, bend = (1 - z) ** 5 * (1 + 5 * z + 15 * z**2), width**2 * (1 - z) ** 5 * z**2 / 2
        u, v = gaps[0][0, end], gaps[1][0, end]
        here = potential.xreplace({x: ends_[end]})
        parts = (
            u * value + (here * u + sign * v.diff(time)) / kappa * bend,
            v * value + (here * v - sign * u.diff(time)) / kappa * bend,
        )
        for k, part in enumerate(parts):
            total[k] += sp.Piecewise((part, z < 1), (0, True)) if width < ends_[1] - ends_[0] else part
    return total[0], total[1]
