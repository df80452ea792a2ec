r"""Second-order time stepping of M2 u'' + M1 u' + K u + N(u) = F.

Every stage solves for u with u' = σ u + h and u'' = σ u' + k, where h and k are known from the past.

First order in time, also mixed with second order or with algebraic equations: the L-stable, stiffly accurate
two-stage SDIRK method with γ = 1 - 1/√2 (Alexander 1977, SIAM J. Numer. Anal. 14, 1006), σ = 1/(γ τ).
Second order in time: the implicit midpoint rule, for constant coefficients the average-acceleration method
of Newmark (1959); it conserves the energy of a wave. σ = 2/τ.

The multiplier of a constraint B u = g, a pressure, is only of first order in such stages (index 2: Hairer, Lubich &
Roche 1989). At the end of each step it is therefore found anew from the accepted u and the differentiated constraint
B u' = g', which also gives the first pressure, for which there is no initial value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp

from solvers.reference.data import sampled
from solvers.reference.multipliers import Multipliers, separable
from solvers.reference.newton import Newton
from solvers.reference.system import System

_GAMMA = 1.0 - np.sqrt(0.5)
_OCTAVES, _PER_OCTAVE = 10, 4


def time_grid(start: float, end: float, steps: int, graded: bool) -> np.ndarray:
    """Equal steps; graded, the first four are replaced by ever smaller ones towards the start.

    Args:
        start: First time.
        end: Last time.
        steps: Number of equal steps.
        graded: Whether data jump at the start.

    Returns:
        Times, ends included.
    """
    times = np.linspace(start, end, steps + 1)
    if not graded or steps < _PER_OCTAVE:
        return times
    width = times[_PER_OCTAVE] - start
    parts = [np.linspace(0.5, 1.0, _PER_OCTAVE, endpoint=False) * width / 2**k for k in range(_OCTAVES)]
    return np.concatenate([[start], start + np.sort(np.concatenate(parts)), times[_PER_OCTAVE:]])


def initial_state(system: System) -> tuple[np.ndarray, np.ndarray, bool]:
    """Nodal values of the initial data.

    Args:
        system: The system.

    Returns:
        u (m N,), u' (m N,), zero where none is given, and whether they contradict prescribed values.
    """
    problem, start = system.problem, system.problem.bounds[-1][0]
    state = np.zeros((2, len(problem.fields), system.size))
    given = np.zeros(len(problem.fields), dtype=bool)
    for key, value in problem.initial.items():
        order = key.derivative_count if isinstance(key, sp.Derivative) else 0
        field = problem.fields.index(key.expr if order else key)
        state[order, field] = sampled(value, problem, system.space.nodes, start)
        given[field] |= order == 0
    values, rates = state.reshape(2, -1)
    gap = np.abs(values[system.constraints.prescribed] - system.constraints.data(start))
    gap = gap[given[system.constraints.prescribed // system.size]]
    return (
        values,
        rates,
        bool((gap > 1e-9 * (1e-300 + np.abs(values).max(initial=0.0) + gap)).any() and gap.max() > 1e-12),
    )


def march(system: System, times: np.ndarray, report: Callable[[int, int, float], bool]) -> np.ndarray | None:
    """All steps.

    Args:
        system: The system.
        times: Times, start included.
        report: Called after each step with its number, their number and the time; true stops.

    Returns:
        (T, m N) nodal values, None when stopped.
    """
    values, rates, _ = initial_state(system)
    c = system.constraints
    orders = system.form.time_order
    step = _midpoint if min(orders) == 2 else _sdirk
    newton = Newton(system) if system.nonlinear else None
    multipliers = Multipliers(system, float(times[1] - times[0]) / 8) if separable(system) else None
    if multipliers is not None:
        values = multipliers.projected(values, float(times[0]))
        values = multipliers.replaced(values, float(times[0]))
    z, w = values[c.free], rates[c.free]
    result = np.empty((len(times), len(values)))
    result[0] = values
    for i, (start, end) in enumerate(itertools.pairwise(times)):
        z, w = step(system, float(start), float(end), z, w, newton)
        result[i + 1] = c.projection @ z + c.spread @ c.data(float(end))
        if multipliers is not None:
            result[i + 1] = multipliers.replaced(result[i + 1], float(end))
        if report(i + 1, len(times) - 1, float(end)):
            return None
    if multipliers is not None:
        return result
    algebraic = np.repeat(np.array(orders) == 0, system.size)
    if algebraic.any() and len(times) > 3:  # no initial value is given: extrapolate the first steps
        weights = _lagrange(times[1:4], float(times[0]))
        result[0, algebraic] = weights @ result[1:4, algebraic]
    return result


def _lagrange(nodes: np.ndarray, t: float) -> np.ndarray:
    weights = [np.prod([(t - b) / (a - b) for b in nodes if b != a]) for a in nodes]
    return np.array(weights)


def _rounded(rate: float) -> float:
    """Without the last digits, so that steps of equal length share one factorisation."""
    return float(f"{rate:.12e}")


def _stage(
    system: System,
    t: float,
    rate: float,
    past: tuple[np.ndarray, np.ndarray],
    load: np.ndarray,
    data: Sequence[np.ndarray],
    newton: Newton | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Solve with matrices at time t, z' = rate (z - past z) and z'' = rate (z' - past z'); data are g, g', g''."""
    p, g = system.constraints.projection, system.constraints.spread
    right = load - system.matrix(0, t) @ (g @ data[0])
    right -= system.matrix(1, t) @ (g @ data[1] - rate * (p @ past[0]))
    if max(system.form.time_order) == 2:
        right -= system.matrix(2, t) @ (g @ data[2] - rate * (p @ (rate * past[0] + past[1])))
    z = newton.stage(rate, t, right, g @ data[0], past[0]) if newton else system.factor(rate, t).solve(right)
    w = rate * (z - past[0])
    return z, w, rate * (w - past[1])


def _sdirk(
    system: System, start: float, end: float, z: np.ndarray, w: np.ndarray, newton: Newton | None
) -> tuple[np.ndarray, np.ndarray]:
    tau, c = end - start, system.constraints
    rate, rest, back = _rounded(1.0 / (_GAMMA * tau)), (1.0 - _GAMMA) * tau, _GAMMA * tau / 4
    orders = range(1, max(system.form.time_order) + 1)
    a = np.zeros_like(z)
    base = (z, w)
    for t in (start + _GAMMA * tau, end):
        data = [c.data(t), *(c.rate(t, order, back) for order in orders)]
        z, w, a = _stage(system, t, rate, base, system.load(t), data, newton)
        base = (base[0] + rest * w, base[1] + rest * a)
    return z, w


def _midpoint(
    system: System, start: float, end: float, z: np.ndarray, w: np.ndarray, newton: Newton | None
) -> tuple[np.ndarray, np.ndarray]:
    """Data and load enter by their means over both ends, as in Newmark's method: exact for quadratics in time."""
    tau, c, t = end - start, system.constraints, 0.5 * (start + end)
    first, middle, last = c.data(start), c.data(t), c.data(end)
    data = [0.5 * (first + last), (last - first) / tau, (first - 2.0 * middle + last) * 4.0 / tau**2]
    load = 0.5 * (system.load(start) + system.load(end))
    mean, flow, _ = _stage(system, t, _rounded(2.0 / tau), (z, w), load, data, newton)
    return 2.0 * mean - z, 2.0 * flow - w
