r"""Newton's method for A z + N(z) = right, damped, with continuation in the size of the nonlinear terms.

The steps are damped by the affine invariant test of Deuflhard (2011, Newton Methods for Nonlinear Problems, sec. 3.3):
a step is accepted where the simplified correction, with the old matrix, is smaller than the step.

Continuation solves A z + s N(z) = right for s from 0 to 1. For the Navier-Stokes equations s multiplies (u·∇)u, so it
is the Reynolds number in parts of its final value: s = 0 is the Stokes flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sciml.errors import ConvergenceError
from solvers.reference.factor import Factor
from solvers.reference.system import System

_TOLERANCE = 1e-9  # of the last correction; convergence is quadratic
_STEPS, _SMALLEST_DAMPING, _SMALLEST_PART = 25, 1 / 64, 1 / 256


class Newton:
    """Solve the discrete equations with their nonlinear terms.

    Args:
        system: The system.
        report: Called with the number of each steady step and s.
    """

    def __init__(self, system: System, report: Callable[[int, float], Any] | None = None) -> None:
        self._system, self._report = system, report
        self._kept: tuple[float, Factor] | None = None
        self.steps = 0
        self.parts: list[float] = []
        fields = np.arange(len(system.form.equations))
        self._owner = np.repeat(fields, system.size)[system.constraints.free]
        self._values = ~np.isin(fields, system.form.multipliers)

    def steady(self, right: np.ndarray, lift: np.ndarray, start: np.ndarray) -> np.ndarray:
        """A steady state, by continuation from the linear problem.

        Args:
            right: Load, (m N,).
            lift: Prescribed nodal values, (m N,).
            start: Free values of the linear problem.

        Returns:
            Free values.

        Raises:
            ConvergenceError: If a part of the way cannot be gone.
        """
        done, length, z, slope = 0.0, 1.0, start, np.zeros_like(start)
        while done < 1.0:
            part = min(1.0, done + length)
            found = self._damped(part, right, lift, z + (part - done) * slope)
            if found is None and slope.any():
                found = self._damped(part, right, lift, z)
            if found is None:
                length /= 2 if self.parts else 4
                if length < _SMALLEST_PART:
                    raise ConvergenceError(
                        "a steady state that Newton's method finds",
                        f"it was followed up to {done:.3g} of the nonlinear terms (of the Reynolds number, in a flow)",
                        "a smaller mesh_size, smaller nonlinear terms, or the problem with time: the steady state may "
                        "not exist",
                    )
                continue
            slope = (found - z) / (part - done) if done > 0 else slope
            length, done, z = 2 * length, part, found
            self.parts.append(part)
        return z

    def _damped(self, part: float, right: np.ndarray, lift: np.ndarray, z: np.ndarray) -> np.ndarray | None:
        system, p, terms = self._system, self._system.constraints.projection, self._system.nonlinear
        assert terms is not None
        operator, damping = system.operator(0.0, None), 1.0

        def gap(z: np.ndarray) -> np.ndarray:
            state = p @ z + lift
            return right - operator @ state - part * terms.load(state, None)

        for _ in range(_STEPS):
            self.steps += 1
            if self._report and self._report(self.steps, part):
                raise ConvergenceError("a run to the end of Newton's method", "a callback stopped it", "let it run")
            try:
                factor = system.factorised(operator + part * terms.jacobian(p @ z + lift, None))
                step = factor.solve(gap(z), balance=False)
                scale = self._scale(z, step)
                size = float((self._means(step) / scale).max())
                if not np.isfinite(size):
                    return None
                if size < _TOLERANCE:
                    return z + step
                damping = min(1.0, 4 * damping)
                while True:
                    after = factor.solve(gap(z + damping * step), balance=False)
                    if (self._means(after) / scale).max() <= (1 - damping / 4) * size:
                        break
                    damping /= 2
                    if damping < _SMALLEST_DAMPING:
                        return None
            except ConvergenceError:
                return None
            z = z + damping * step
        return None

    def _scale(self, z: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Size of each field, not below 1e-6 of the largest; that of the step where all vanish."""
        own = self._means(z)
        own = own if own.any() else self._means(step)
        floor = 1e-6 * np.where(self._values, own[self._values].max(initial=0.0), own.max())
        return np.maximum(np.maximum(own, floor), 1e-300)

    def _means(self, vector: np.ndarray) -> np.ndarray:
        """Root mean square of each field."""
        count = np.maximum(np.bincount(self._owner, minlength=len(self._values)), 1)
        return np.sqrt(np.bincount(self._owner, vector**2, len(count)) / count)

    def stage(self, rate: float, t: float, right: np.ndarray, lift: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """One implicit stage (K + rate M1 + rate² M2) P z + N(P z + lift) = right.

        The matrix is kept from stage to stage while it contracts the error.

        Args:
            rate: Factor of the time derivative.
            t: Time.
            right: (m N,).
            lift: Prescribed nodal values.
            guess: Free values to start from.

        Returns:
            Free values.

        Raises:
            ConvergenceError: If the iteration fails also with a fresh matrix.
        """
        system, p = self._system, self._system.constraints.projection
        assert system.nonlinear is not None
        operator = system.operator(rate, t)
        for fresh in (False, True, True):
            if fresh or self._kept is None or self._kept[0] != rate:
                matrix = operator + system.nonlinear.jacobian(p @ guess + lift, t)
                self._kept = (rate, system.factorised(matrix))
            z, before = guess, np.inf
            for _ in range(_STEPS):
                gap = right - operator @ (p @ z) - system.nonlinear.load(p @ z + lift, t)
                step = self._kept[1].solve(gap, balance=False)
                self.steps += 1
                z = z + step
                size = float((self._means(step) / self._scale(z, step)).max())
                if size < _TOLERANCE:
                    return z
                if not size < 0.3 * before:
                    break
                before = size
            guess = z if fresh and np.isfinite(before) else guess
        raise ConvergenceError("implicit steps that Newton's method solves", f"none at t = {t:.6g}", "more steps")
