"""Reliability: the numbers that every answer carries, and what they mean in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from influence.curvature import Curvature

STATIONARY = 1e-2  # largest loss that a Gauss-Newton step may still gain, in shares of an average row
_EXACT = 1e-12  # of the rows' summands: residuals that are rounding
NEAR = 0.1  # of the loss: a minimum from which a step would gain less is near


@dataclass(frozen=True)
class Reliability:
    """How far answers about one model can be trusted.

    Attributes:
        gradient_norm: |∇L|; of L + (δ/2)|θ - θ_0|² where the model was settled from θ_0.
        unfinished: Decrease of the loss that a Gauss-Newton step would still gain, in units of the loss of an average
            row; measured without δ, which would hide it.
        stationary: Whether that is small.
        smallest_curvature: Smallest eigenvalue of B.
        lowest_hessian: Smallest eigenvalue of the Hessian, where it was computed.
        condition: Condition number of B.
        effective_dimension: Σ h_i.
        largest_leverage: max h_i.
        decay: λ of the objective.
        proximal: δ added to it.
        residual_level: Root of the weighted mean square of the residuals.
        curvature: "ggn" or "hessian".
        exact: Whether solves and leverage are exact rather than sketched.
        notes: What else a reader should know.
    """

    gradient_norm: float
    unfinished: float
    stationary: bool
    smallest_curvature: float
    lowest_hessian: float | None
    condition: float
    effective_dimension: float
    largest_leverage: float
    decay: float
    proximal: float
    residual_level: float
    curvature: str
    exact: bool
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Reliability:
        """What `as_dict` gave, each value of its kind: a forged one would fail where it is printed.

        Args:
            values: Plain values.

        Returns:
            The same as an object.

        Raises:
            TypeError: If a value is missing or of another kind.
        """
        kinds: dict[str, Any] = {
            "bool": bool,
            "str": str,
            "float": (int, float),
            "float | None": (int, float, type(None)),
        }
        made = cls(**{**values, "notes": tuple(values["notes"])})
        wanted = [(getattr(made, part.name), kinds[str(part.type)]) for part in fields(cls) if part.name != "notes"]
        wanted += [(note, str) for note in made.notes]
        if not all(isinstance(value, kind) for value, kind in wanted):
            raise TypeError(f"a value of another kind among {values!r:.80}")
        return made

    def __str__(self) -> str:
        """The block that reports print."""
        unused = f"NOT stationary ({self.unfinished:.1e} rows' worth of loss unused)"
        lines = [
            f"|grad L| = {self.gradient_norm:.2e}, {'stationary' if self.stationary else unused}",
            f"curvature {self.curvature}: smallest {self.smallest_curvature:.2e}, condition {self.condition:.1e}, "
            f"damping {self.decay:.1e} trained + {self.proximal:.1e} proximal",
            f"effective dimension {self.effective_dimension:.1f}, largest leverage {self.largest_leverage:.4f}, "
            f"residual level {self.residual_level:.2e}, {'exact' if self.exact else 'approximate'}",
        ]
        return "\n".join([*lines, *self.notes])


def _slope(curvature: Curvature) -> Tensor:
    return curvature.gradient if curvature.slope is None else curvature.slope


def unfinished(curvature: Curvature) -> float:
    """Decrease of the loss that a Gauss-Newton step would still gain, in units of the loss of an average row.

    Args:
        curvature: The curvature.

    Returns:
        The number; without δ, which would hide it.
    """
    loss = 0.5 * float(curvature.residual @ curvature.residual)
    return curvature.unused * len(curvature.residual) / loss if loss > 0 else 0.0


def stationary(curvature: Curvature) -> bool:
    """Whether the model is at a minimum, so far as single rows can tell.

    Args:
        curvature: The curvature.

    Returns:
        True where a step would gain next to nothing, or the gradient is rounding.
    """
    return unfinished(curvature) <= STATIONARY or float(_slope(curvature).norm()) <= _rounding(curvature)


def near_minimum(curvature: Curvature) -> bool:
    """Whether a step would gain but little of the loss.

    Args:
        curvature: The curvature.

    Returns:
        True below a tenth.
    """
    return unfinished(curvature) <= NEAR * len(curvature.residual)


def judge(curvature: Curvature) -> Reliability:
    """Measure a linearised model.

    Args:
        curvature: Its curvature.

    Returns:
        The numbers, with notes where they are bad.
    """
    leverage, residual = curvature.leverage(), curvature.residual
    loss, scale = 0.5 * float(residual @ residual), float((curvature.root**2).sum())
    notes, at_minimum = list(curvature.notes), stationary(curvature)
    if not at_minimum:
        notes.append(
            "the model is not at a minimum of its objective: answers are proximal, i.e. those of "
            "L(t) - grad L(t0)(t - t0) + (damping/2)|t - t0|² (Bae et al. 2022, arXiv 2209.05364); train longer "
            "on fixed points, or read them as what a little more training would do"
        )
    if _exact_fit(curvature):
        notes.append(
            "residuals are at rounding: the removal of a point changes nothing that can be told from it; "
            'action="value" shows what the data of each point weigh'
        )
    largest = float(leverage.max())
    if largest >= 1:
        notes.append("a leverage of 1 or more: removing that point leaves no minimum nearby; more damping is needed")
    smallest = _smallest(curvature)
    return Reliability(
        float(_slope(curvature).norm()), unfinished(curvature), at_minimum, smallest, curvature.lowest,
        (curvature.largest + curvature.damping) / max(smallest, 1e-300), float(leverage.sum()), largest,
        curvature.decay, curvature.proximal, float((2 * loss / scale) ** 0.5) if scale > 0 else 0.0,
        curvature.kind, curvature.exact, tuple(notes),
    )  # fmt: skip


def _exact_fit(curvature: Curvature) -> bool:
    """Whether rows are met to rounding, measured by what they are made of."""
    return curvature.held is not None and bool(
        curvature.residual.norm() <= _EXACT * (curvature.held @ curvature.theta).norm()
    )


def _rounding(curvature: Curvature) -> float:
    """What rounding alone leaves of the gradient of a fit to machine precision: Aᵀ times errors of the rows."""
    terms = float(curvature.residual.norm())
    if curvature.held is not None:
        terms += float((curvature.held @ curvature.theta).norm())
    return 1e-14 * curvature.largest**0.5 * terms


def _smallest(curvature: Curvature) -> float:
    """Smallest eigenvalue of B by inverse iteration, from above."""
    if not curvature.exact:
        return curvature.damping
    vector = torch.randn(len(curvature.theta), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = 0.0
    for _ in range(4):
        vector = curvature.factor.solve(vector / vector.norm())
        value = 1 / float(vector.norm())
    return value
