r"""Bounds for equations of second order in time, e_tt + d e_t = L e + f.

* One dimension, constant speed, no other terms (d'Alembert):
  |e| <= |e0| + τ|e1| + (1 + cT/L) Σ |g| w + T²|f|/2, w = 1 for a Dirichlet and cT for a Neumann side,
  τ = min(T, L/(2c)) with two Dirichlet sides (the extended velocity has mean 0 over 2L), else T.
* One dimension, speed c(x), damping 2γ(x) >= 0, mass m(x) >= 0, exact Dirichlet sides (energy):
  |e| <= √L/2 |e_x|_2 <= √L/2 (√(2 E0) + ∫ |f|_2 dt)/c_min, 2 E0 = ∫ e1² + c² e0_x² + m e0².
* Boxes in 2 and 3 dimensions, constant speed, exact sides (Poisson and Kirchhoff):
  |e| <= |e0| + cT |∇e0| + T|e1| + T²|f|/2. The reflected e0 must be continuous, so e0 = 0 on the sides.
* Constant damping and mass on any domain, exact sides, L2 only: |e0|_2 + τ|e1|_2 + Tτ|f|_2, τ = min(T, 1/ω1).

Sides that are missed a little are lifted: e - G has exact sides, f - (G_tt + d G_t - L G), e0 - G, e1 - G_t.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import sympy as sp

from solvers.lie.bounds.lifts import ends, jump_lift, value_lift
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.operator import Operator, is_nonnegative
from solvers.lie.bounds.regularity import require_continuous
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.start import at_start
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.bounds.zeros import vanishes


@dataclass(frozen=True)
class Lifted:
    """Mismatch with exact sides: initial value, velocity, residual; and what was taken off."""

    value: sp.Expr
    velocity: sp.Expr
    residual: sp.Expr
    lift: sp.Expr


def wave_bound(mismatch: Mismatch, operator: Operator) -> Bound:
    """Bound for a wave equation.

    Args:
        mismatch: The mismatch.
        operator: L, and the damping.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If no known bound applies.
    """
    if mismatch.time in sp.Tuple(*operator.coefficients).free_symbols:
        raise NotEnclosed("no bound is known for a wave equation with coefficients that depend on time")
    mismatch.require_all_sides()
    plain = operator.speed_squared is not None and operator.damping == 0
    if plain and len(mismatch.space) == 1:
        return _string(mismatch, operator)
    if plain:
        return _membrane(mismatch, operator)
    if len(mismatch.space) == 1:
        return _energy(mismatch, operator)
    return _damped(mismatch, operator)


def _string(mismatch: Mismatch, operator: Operator) -> Bound:
    duration, speed = mismatch.duration, _speed(operator)
    low, high = ends(mismatch, 0)
    length = float(high - low) * (1 - 1e-15)
    given = Lifted(mismatch.initial(0), mismatch.initial(0, 1), mismatch.residuals[0] / operator.scale, sp.S.Zero)
    if mismatch.jumps:
        given = _lifted(mismatch, operator, jump_lift(mismatch))
    value, velocity = mismatch.sup(given.value, mismatch.inside), mismatch.sup(given.velocity, mismatch.inside)
    parts: dict = {"initial": value, "velocity": velocity}
    arrivals, sides = 1 + speed * duration / length, 0.0
    for side in mismatch.sides:
        if side.beta is not None and side.beta != 0:
            raise NotEnclosed("no bound is known for the wave equation with Robin conditions")
        gap = mismatch.side_sup(side, 0.02 * (value + duration * velocity))
        parts[f"{'value' if side.beta is None else 'flux'} {side.face}"] = gap
        sides += gap * (1.0 if side.beta is None else speed * duration)
    fixed = len(mismatch.sides) == 2 and all(side.beta is None for side in mismatch.sides)
    memory = min(duration, float(high - low) * (1 + 1e-15) / (2 * speed) * (1 + 1e-14)) if fixed else duration
    known = value + memory * velocity + arrivals * sides
    source = mismatch.residual_sup(given.residual, max(0.04 * known, mismatch.noise) / duration**2)
    extra = mismatch.sup(given.lift, mismatch.everywhere)
    parts |= {"residual": source, "arrivals": arrivals, "lift": extra}
    sup = known + duration**2 / 2 * source + extra
    return Bound(sup * (1 + 1e-12), None, "d'Alembert's formula", parts)


def _speed(operator: Operator) -> float:
    assert operator.speed_squared is not None
    return math.sqrt(float(operator.speed_squared)) * (1 + 1e-15)


def _lifted(mismatch: Mismatch, operator: Operator, lift: sp.Expr) -> Lifted:
    time, start = mismatch.time, mismatch.start
    residual = mismatch.residuals[0] / operator.scale
    if lift == 0:
        return Lifted(mismatch.initial(0), mismatch.initial(0, 1), residual, lift)
    moved = lift.diff(time, 2) + operator.damping * lift.diff(time) - operator(lift)
    return Lifted(
        mismatch.initial(0) - at_start(lift, time, start),
        mismatch.initial(0, 1) - at_start(lift.diff(time), time, start),
        residual - moved,
        lift,
    )


def _all_sides_lifted(mismatch: Mismatch, operator: Operator) -> Lifted:
    """Exact sides by symbolic zero or by a lift."""
    if mismatch.jumps:
        if mismatch.sides and any(side.gap != 0 for side in mismatch.sides):
            raise NotEnclosed("a mismatch of periodic conditions beside others is not lifted")
        return _lifted(mismatch, operator, jump_lift(mismatch))
    if all(_exact(mismatch, side.gap, side.patches) for side in mismatch.sides):
        return _lifted(mismatch, operator, sp.S.Zero)
    return _lifted(mismatch, operator, value_lift(mismatch))


def _exact(mismatch: Mismatch, gap: sp.Expr, patches: tuple) -> bool:
    """Whether a side is met exactly, proven by SymPy on every patch."""
    return all(vanishes(patch.pull(gap, mismatch.space)) for patch in patches)


def _energy(mismatch: Mismatch, operator: Operator) -> Bound:
    (x,), inside = mismatch.space, mismatch.inside
    squared = operator.second[0, 0]
    if not vanishes(operator.first[0] - squared.diff(x)):
        raise NotEnclosed("the wave equation is not of the form e_tt + d e_t = (c² e_x)_x - m e: no energy is known")
    mass = -operator.zero
    least = mismatch.enclosure.range(squared, inside)[0]
    for name, coefficient in (("speed", squared), ("mass", mass), ("damping", operator.damping)):
        if not is_nonnegative(coefficient, mismatch.enclosure, inside):
            raise NotEnclosed(f"the {name} coefficient is not proven to be non-negative")
    if least <= 0:
        raise NotEnclosed("the speed is not bounded away from 0")
    if any(side.beta is not None for side in mismatch.sides) or mismatch.jumps:
        raise NotEnclosed("the energy bound needs Dirichlet sides")
    mismatch.require_agreement()
    given = _all_sides_lifted(mismatch, operator)
    for part, name in ((given.value, "the initial mismatch"), (squared, "the speed")):
        for patch in inside:
            require_continuous(patch.pull(part, mismatch.space), patch.axes, patch.box, name)
    low, high = ends(mismatch, 0)
    length, duration = float(high - low) * (1 + 1e-15), mismatch.duration
    square = sum(
        mismatch.norms(part, inside).l2 ** 2
        for part in (given.velocity, sp.sqrt(squared) * given.value.diff(x), sp.sqrt(mass) * given.value)
    )
    floor = 0.02 * math.sqrt(square / length) / duration
    source = mismatch.enclosure.source([given.residual], mismatch.everywhere, duration, floor)
    extra = mismatch.sup(given.lift, mismatch.everywhere)
    root = math.sqrt(square) + source
    sup = math.sqrt(length) / 2 * root / math.sqrt(least) + extra
    parts = {"root of twice the energy": math.sqrt(square), "residual": source, "lift": extra}
    return Bound(sup * (1 + 1e-12), None, "energy", parts)


def _membrane(mismatch: Mismatch, operator: Operator) -> Bound:
    if mismatch.problem.domain.symbolic_bounds is None:
        return _damped(mismatch, operator)
    if any(side.beta not in (None, 0) for side in mismatch.sides):
        raise NotEnclosed("no bound is known for the wave equation with Robin conditions")
    given = _all_sides_lifted(mismatch, operator)
    try:
        mismatch.require_agreement()
        for patch in mismatch.inside:
            require_continuous(patch.pull(given.value), patch.axes, patch.box, "the initial mismatch")
    except NotEnclosed as refusal:
        found = _damped(mismatch, operator)
        return dataclasses.replace(found, reason=f"{refusal} in the sup norm; in L2 mode by mode")
    duration, speed = mismatch.duration, _speed(operator)
    value, velocity = mismatch.sup(given.value, mismatch.inside), mismatch.sup(given.velocity, mismatch.inside)
    slopes = [mismatch.sup(given.value.diff(s), mismatch.inside, 0.02 * value / (speed * duration))
              for s in mismatch.space]  # fmt: skip
    slope = math.hypot(*slopes)
    known = value + speed * duration * slope + duration * velocity
    source = mismatch.residual_sup(given.residual, max(0.04 * known, mismatch.noise) / duration**2)
    extra = mismatch.sup(given.lift, mismatch.everywhere)
    parts = {"initial": value, "slope": slope, "velocity": velocity, "residual": source, "lift": extra}
    sup = known + duration**2 / 2 * source + extra
    return Bound(sup * (1 + 1e-12), None, "Poisson's and Kirchhoff's formulae on the reflected data", parts)


def _damped(mismatch: Mismatch, operator: Operator) -> Bound:
    number = operator.second[0, 0]
    constant = operator.second == number * sp.eye(len(mismatch.space)) and number.is_positive
    mass, damping = -operator.zero, operator.damping
    if not (constant and not any(operator.first) and mass.is_nonnegative and damping.is_nonnegative):
        raise NotEnclosed("no bound is known for this wave equation")
    if any(side.beta not in (None, 0) for side in mismatch.sides):
        raise NotEnclosed("no bound is known for the wave equation with Robin conditions")
    given = _all_sides_lifted(mismatch, operator)
    duration = mismatch.duration
    frequency = math.sqrt(float(mass) + _lowest_eigenvalue(mismatch) * float(number)) * (1 - 1e-14)
    memory = min(duration, 1 / frequency if frequency > 0 else math.inf)
    value, velocity = (mismatch.norms(part, mismatch.inside).l2 for part in (given.value, given.velocity))
    volume = mismatch.problem.domain.measure * (1 + 1e-12)
    known = value + memory * velocity
    source = mismatch.residual_sup(given.residual, 0.02 * known / (duration * memory * math.sqrt(volume)))
    extra = mismatch.sup(given.lift, mismatch.everywhere)
    l2 = known + (duration * memory * source + extra) * math.sqrt(volume)
    parts = {"initial L2": value, "velocity L2": velocity, "residual": source, "lift": extra}
    reason = "for this wave equation only an L2 bound is known (mode by mode)"
    if not math.isfinite(l2):
        raise NotEnclosed("L2 norms are enclosed on boxes and intervals only")
    return Bound(None, l2 * (1 + 1e-12), reason, parts)


def _lowest_eigenvalue(mismatch: Mismatch) -> float:
    """π² Σ 1/L_i² on a box with Dirichlet sides; 0 is always a lower bound."""
    bounds = mismatch.problem.domain.symbolic_bounds
    if bounds is None or mismatch.jumps or any(side.beta is not None for side in mismatch.sides):
        return 0.0
    return math.pi**2 * sum(1 / float(high - low) ** 2 for low, high in bounds) * (1 - 1e-14)
