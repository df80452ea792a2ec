"""Quasi-Newton methods with a strong Wolfe search: limited-memory BFGS and self-scaled Broyden."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers.line_search import Landing, search
from solvers.pinn.optimisers.protocol import Step


class QuasiNewton:
    """Common part: direction from an inverse-Hessian model, search, update; one reset before giving up."""

    name = "quasi-Newton"

    def __init__(self) -> None:
        self._loss, self._gradient = float("nan"), torch.zeros(0)

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One step.

        Args:
            objective: The objective.
            theta: θ.

        Returns:
            The step; `stuck` where even steepest descent finds no decrease.
        """
        if self._gradient.shape != theta.shape:
            evaluation = objective.evaluate(theta)
            assert evaluation.gradient is not None
            self._loss, self._gradient = evaluation.loss, evaluation.gradient
        landing = self._search(objective, theta, self._direction())
        if landing is None:
            self._forget()
            landing = self._search(objective, theta, -self._gradient)
        numbers = {"gradient norm": float(self._gradient.norm())}
        if landing is None:
            return Step(theta, self._loss, "the line search finds no decrease", numbers)
        self._update(landing.theta - theta, landing.gradient - self._gradient, landing.length)
        self._loss, self._gradient = landing.loss, landing.gradient
        return Step(landing.theta, landing.loss, "", {"gradient norm": float(landing.gradient.norm())})

    def _search(self, objective: Objective, theta: Tensor, direction: Tensor) -> Landing | None:
        size = float(direction.norm())
        if not (math.isfinite(size) and size > 0 and float(direction @ self._gradient) < 0):
            return None
        # without curvature information the gradient's length means nothing
        first = 1.0 if self._informed() else min(1.0, 1.0 / size)
        return search(objective, theta, self._loss, self._gradient, direction, first)

    def moved(self) -> None:
        """Differences of gradients on different points mean nothing: drop them."""
        self._gradient = torch.zeros(0)
        self._forget()

    def _informed(self) -> bool:
        raise NotImplementedError

    def _direction(self) -> Tensor:
        raise NotImplementedError

    def _update(self, s: Tensor, y: Tensor, length: float) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError


class LBFGS(QuasiNewton):
    """Limited-memory BFGS (Liu & Nocedal 1989), relative tests only.

    Args:
        memory: Number of pairs kept.

    Raises:
        SolverError: If the memory is not positive.
    """

    name = "L-BFGS"

    def __init__(self, memory: int = 50) -> None:
        super().__init__()
        if memory < 1:
            raise SolverError("memory >= 1", str(memory), "LBFGS(memory=50)")
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=memory)

    def _informed(self) -> bool:
        return bool(self._pairs)

    def _direction(self) -> Tensor:
        q, coefficients = self._gradient.clone(), []
        for s, y in reversed(self._pairs):
            coefficients.append(float(s @ q) / float(s @ y))
            q -= coefficients[-1] * y
        if self._pairs:
            s, y = self._pairs[-1]
            q *= float(s @ y) / float(y @ y)
        for (s, y), a in zip(self._pairs, reversed(coefficients), strict=True):
            q += (a - float(y @ q) / float(s @ y)) * s
        return -q

    def _update(self, s: Tensor, y: Tensor, length: float) -> None:
        if float(s @ y) > 1e-14 * float(s.norm() * y.norm()):
            self._pairs.append((s, y))

    def _forget(self) -> None:
        self._pairs.clear()

    def state(self) -> dict[str, Any]:
        """Pairs, loss and gradient."""
        steps, changes = [torch.stack(part) if part else torch.zeros(0) for part in (
            [s for s, _ in self._pairs], [y for _, y in self._pairs])]  # fmt: skip
        return {"steps": steps, "changes": changes, "loss": self._loss, "gradient": self._gradient}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self._pairs.clear()
        if len(state["steps"]):
            # copies lie in memory as the pairs of a running training do: sums come out alike to the last bit
            pairs = zip(state["steps"], state["changes"], strict=True)
            self._pairs.extend((s.clone(), y.clone()) for s, y in pairs)
        self._loss, self._gradient = float(state["loss"]), state["gradient"]


class SSBroyden(QuasiNewton):
    """Self-scaled Broyden updates of a dense inverse Hessian.

    Parameters of Al-Baali & Khalfan (2003) as used for PINNs by Urban, Stefanou & Pons (2024, arXiv 2405.04230).
    """

    name = "SSBroyden"

    def __init__(self) -> None:
        super().__init__()
        self._inverse: Tensor | None = None

    def _informed(self) -> bool:
        return self._inverse is not None

    def _direction(self) -> Tensor:
        return -self._gradient if self._inverse is None else -(self._inverse @ self._gradient)

    def _update(self, s: Tensor, y: Tensor, length: float) -> None:
        ys = float(y @ s)
        if ys <= 1e-15 * float(y.norm() * s.norm()):
            return
        if self._inverse is None:
            self._inverse = torch.eye(len(s), dtype=s.dtype, device=s.device) * (ys / float(y @ y))
            b = float(s @ s) * float(y @ y) / ys**2
        else:
            b = -length * float(s @ self._gradient) / ys
        hy = self._inverse @ y
        h = float(y @ hy) / ys
        tau, phi = scaling(b, h, len(s))
        v = s / ys - hy / float(y @ hy)
        inverse = self._inverse
        inverse.addr_(hy, hy, alpha=-1 / float(y @ hy))
        inverse.addr_(v, v, alpha=phi * float(y @ hy))
        inverse /= tau
        inverse.addr_(s, s, alpha=1 / ys)

    def _forget(self) -> None:
        self._inverse = None

    def state(self) -> dict[str, Any]:
        """Inverse Hessian, loss and gradient."""
        inverse = torch.zeros(0) if self._inverse is None else self._inverse
        return {"inverse": inverse, "loss": self._loss, "gradient": self._gradient}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self._inverse = state["inverse"] if state["inverse"].ndim == 2 else None
        self._loss, self._gradient = float(state["loss"]), state["gradient"]


def scaling(b: float, h: float, size: int) -> tuple[float, float]:
    """Self-scaling τ and Broyden parameter φ from b = s'H⁻¹s/y's and h = y'Hy/y's.

    Args:
        b: Curvature ratio of the model.
        h: Curvature ratio of the inverse model.
        size: Number of parameters.

    Returns:
        τ and φ; τ = φ = 1 is BFGS.

    Example:
        >>> scaling(1.0, 1.0, 10)
        (1.0, 1.0)
    """
    a = h * b - 1
    if a < 1e-10:
        return min(1.0, 1 / b) if b > 0 else 1.0, 1.0
    c = math.sqrt(a / (1 + a))
    low = min(1.0, h * (1 - c))
    theta = max((low - 1) / a, min(1 / low if low > 0 else math.inf, (1 - b) / b))
    sigma = 1 + a * theta
    if sigma <= 0:
        return 1.0, 1.0
    q = abs(sigma) ** (1 / (1 - size)) if size > 1 else 1.0
    tau = min(1.0, 1 / b) * min(q, 1 / theta) if theta > 0 else min(min(1.0, 1 / b) * q, sigma)
    return tau, (1 - theta) / (1 + a * theta)
