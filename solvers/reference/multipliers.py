"""Pressures at the end of a step, from the velocity and the differentiated constraint."""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags

from solvers.reference.factor import Factor
from solvers.reference.system import System


def separable(system: System) -> bool:
    """Whether multipliers can be found from the other fields: a constraint B u = g with B constant in time."""
    form = system.form
    orders = form.time_order
    others = [order for field, order in enumerate(orders) if field not in form.multipliers]
    if not form.multipliers or set(others) != {1}:
        return False
    constraints = [entry for field in form.multipliers for entry in form.equations[field].entries]
    fixed = not any(system.moves(entry.coefficient) or entry.field in form.multipliers for entry in constraints)
    return fixed and not (system.nonlinear and system.nonlinear.fields & set(form.multipliers))


class Multipliers:
    """Solves M u' + B^T p = F - K u - N(u), B u' = g' for u' and p.

    Args:
        system: The system, see `separable`.
        step: Spacing of the differences that replace derivatives of data in time.
    """

    def __init__(self, system: System, step: float) -> None:
        self._system, self._step = system, step
        fields = np.arange(len(system.form.equations))
        mask = np.repeat(np.isin(fields, system.form.multipliers), system.size)
        self._mask, self._own, self._rest = mask, diags(mask.astype(float)), diags(1.0 - mask)
        self._kept: Factor | None = None

    def replaced(self, state: np.ndarray, t: float) -> np.ndarray:
        """The nodal values with new multipliers.

        Args:
            state: (m N,).
            t: Time.

        Returns:
            (m N,).
        """
        system, c = self._system, self._system.constraints
        known = np.where(self._mask, 0.0, state)
        right = system.load(t) - system.matrix(0, t) @ known
        if system.nonlinear:
            right -= system.nonlinear.load(known, t)
        right = np.where(self._mask, self._rate_of_load(t), right)
        prescribed = np.where(self._mask[c.prescribed], c.data(t), c.rate(t, 1, self._step))
        return np.where(self._mask, self._solved(right, prescribed, t), state)

    def projected(self, state: np.ndarray, t: float) -> np.ndarray:
        """The nodal values moved, least in the mean square, to where B u = g and the boundary data hold.

        Args:
            state: (m N,), initial values.
            t: Time.

        Returns:
            (m N,).
        """
        right = np.where(self._mask, self._system.load(t), self._system.matrix(1, t) @ state)
        return np.where(self._mask, state, self._solved(right, self._system.constraints.data(t), t))

    def _solved(self, right: np.ndarray, prescribed: np.ndarray, t: float) -> np.ndarray:
        system, c = self._system, self._system.constraints
        stiffness, lift = system.matrix(0, t), c.spread @ prescribed
        full = (
            self._rest @ system.matrix(1, t) + self._rest @ stiffness @ self._own + self._own @ stiffness @ self._rest
        )
        if self._kept is None or system.moving:
            self._kept = system.factorised(full.tocsr())
        return c.projection @ self._kept.solve(right - full @ lift, balance=False) + lift

    def _rate_of_load(self, t: float) -> np.ndarray:
        start, end = self._system.problem.bounds[-1]
        step = self._step if t < 0.5 * (start + end) else -self._step
        values = [self._system.load(t + k * step) for k in range(3)]
        return (-1.5 * values[0] + 2.0 * values[1] - 0.5 * values[2]) / step
