"""Free pattern: what can be added to the predictions at hardly any residual, as near a resonance.

If the residual were noise of variance s² = |ρ|²/N, predictions q would scatter with covariance s² q(AᵀA)⁻¹qᵀ, as in any
least-squares fit. Its largest eigenvector is the pattern that the rows hold least. Where it scatters far more than the
next one, the equation with its conditions is nearly singular for it, and a small residual says little about the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from influence.diagnosis.exam import Exam
from influence.diagnosis.pictured import Pictured, map_axes
from sciml.least_squares import NormalMatrix

_LEAST = 1e-12  # of the largest eigenvalue: damping that rounding needs
GAP = 30.0  # times the next pattern: alone


@dataclass(frozen=True, eq=False)
class FreePattern(Pictured):
    """The pattern of predictions that the rows hold least.

    Attributes:
        size: Scatter of the predictions along it if the residual were noise, root mean square in units of the spread.
        following: The same of the next pattern.
        pattern: The pattern at the predictions of the target that it moves most, (q,), its largest value 1.
        target: That target.
        places: Places of the predictions, (q, d), or None.
        time: Whether the last coordinate is time.
    """

    size: float
    following: float
    pattern: np.ndarray
    target: str
    places: np.ndarray | None
    time: bool

    @property
    def alone(self) -> bool:
        """Whether it is far freer than all others."""
        return self.size > GAP * self.following

    def __str__(self) -> str:
        """Both sizes."""
        return f"freest pattern: scatter {self.size:.1e} spreads, the next {self.following:.1e}"

    def draw(self, axis: Any) -> None:
        """The pattern where the predictions are.

        Args:
            axis: Matplotlib axes.
        """
        axis.set_title(f"freest pattern of {self.target}", fontsize="medium")
        if self.places is None:
            axis.plot(self.pattern, ".")
        elif self.places.shape[1] == 1:
            axis.plot(self.places[:, 0], self.pattern, ".")
        else:
            across, up = map_axes(self.places.shape[1], self.time)
            shown = axis.scatter(self.places[:, across], self.places[:, up], c=self.pattern, s=9, cmap="RdBu_r")
            axis.figure.colorbar(shown, ax=axis)


def free_pattern(exam: Exam) -> FreePattern | None:
    """The pattern of predictions that costs least residual.

    Args:
        exam: What was asked.

    Returns:
        The pattern; None where the rows are not held or leave nothing to compare.
    """
    curvature, asked = exam.influence.curvature, exam.gradient
    if curvature.rows is None or not curvature.largest > 0 or len(asked) < 2:
        return None
    factor = NormalMatrix(curvature.rows).factor(curvature.decay + _LEAST * curvature.largest)
    covariance = asked @ factor.solve(asked.T)
    noise = float(curvature.residual.square().mean())
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    first, second = (float((noise * v.clamp(min=0) / len(asked)).sqrt()) for v in values.flip(0)[:2])
    parts = vectors[:, -1].reshape(len(exam.queries), -1) if _even(exam) else vectors[:, -1][None]
    best = int(parts.square().sum(dim=1).argmax())
    pattern = parts[best] / parts[best][parts[best].abs().argmax()]
    query, problem = exam.queries[best], exam.influence.problem
    timed = problem is not None and problem.time is not None
    return FreePattern(first, second, pattern.numpy(), query.name, query.points if _even(exam) else None, timed)


def _even(exam: Exam) -> bool:
    return len({len(query.value) for query in exam.queries}) == 1
