"""An explicit Runge–Kutta pair for many independent rows."""

from __future__ import annotations

import numpy as np

from solvers.symmetry.point_functions import Array, PointFunction

# Dormand and Prince (1980), J. Comp. Appl. Math. 6, 19: order 5 with an embedded solution of order 4.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_DIFFERENCE = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_MOST_STEPS = 20_000


def integrate(rate: PointFunction, start: Array, end: float, tolerance: float) -> Array:
    """Solution of z′ = X(z) at the time `end`, every row with its own steps (Dormand & Prince 1980).

    Args:
        rate: X as a function from (n, d) to (n, d).
        start: (n, d) values at time 0.
        end: Time, of any sign.
        tolerance: Local error per step, relative and absolute.

    Returns:
        (n, d); rows whose steps shrink to nothing, or that leave the domain, are NaN.

    Example:
        >>> integrate(lambda z: z, np.ones((1, 1)), 1.0, 1e-10).round(8)
        array([[2.71828183]])
    """
    result = np.full_like(start, np.nan)
    if not end or not len(start):
        return start.copy()
    rows, state = np.arange(len(start)), start.copy()
    time, step = np.zeros(len(start)), np.full(len(start), end / 32)
    for _ in range(_MOST_STEPS):
        final = np.abs(step) >= np.abs(end - time)
        step = np.where(final, end - time, step)
        moved, defect = _step(rate, state, step[:, None])
        with np.errstate(all="ignore"):
            scale = tolerance * (1 + np.maximum(np.abs(state), np.abs(moved)))
            size = np.sqrt(np.mean((defect / scale) ** 2, axis=1))
            size = np.where(np.isfinite(size), size, 1e10)
            factor = np.clip(0.9 * np.maximum(size, 1e-12) ** -0.2, 0.1, 5.0)
        good = size <= 1
        last = good & final
        state, time = np.where(good[:, None], moved, state), np.where(good, time + step, time)
        result[rows[last]] = state[last]
        step = step * factor
        going = ~last & (np.abs(step) > 1e-14 * abs(end)) & np.all(np.abs(state) < 1e100, axis=1)
        rows, state, time, step = rows[going], state[going], time[going], step[going]
        if not len(rows):
            return result
    return result


def _step(rate: PointFunction, state: Array, step: Array) -> tuple[Array, Array]:
    slopes = [rate(state)]
    with np.errstate(all="ignore"):
        for weights in _STAGES:
            moved = state + step * sum(w * k for w, k in zip(weights, slopes, strict=True))
            slopes.append(rate(moved))
        defect = step * sum(w * k for w, k in zip(_DIFFERENCE, slopes, strict=True))
    return moved, defect
