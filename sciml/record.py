"""TrainingRecord: the objective of a solution, exactly as it was minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.least_squares import ScaledRows
from sciml.points import PointSet
from sciml.terms import Term


class Products(Protocol):
    """J v and Jᵀu at fixed parameters, without J."""

    def push(self, tangent: Tensor) -> Tensor:
        """J v, (N,), for v (P,)."""
        ...

    def pull(self, cotangent: Tensor) -> Tensor:
        """Jᵀu, (P,), for u (N,)."""
        ...


@dataclass(frozen=True, eq=False)
class RowMap:
    """Residual rows as functions of the flat parameter vector θ.

    Attributes:
        residual: θ (P,) -> r (N,), differentiable.
        jacobian: θ (P,) -> (r (N,), J (N, P)).
        ids: Point ID of each row, (N,).
        labels: Component name of each row, (N,).
        products: θ -> products with J without forming it; None where there is no cheap way.
        split: θ -> J as a sum of parts, one per derivative of a field (a jet) or unknown coefficient (its name).
        at: Rows of the same terms at other points, or of other terms; None where they are fixed.
        scaled: θ (P,), weights (N,) -> A and ρ, spread over the processes of a crew; None on one process.
        again: A function of a module and its arguments that make these rows, for other processes.
    """

    residual: Callable[[Tensor], Tensor]
    jacobian: Callable[[Tensor], tuple[Tensor, Tensor]]
    ids: np.ndarray
    labels: np.ndarray
    products: Callable[[Tensor], Products] | None = None
    split: Callable[[Tensor], Mapping[Jet | str, Tensor]] | None = None
    at: Callable[[PointSet, Sequence[Term] | None], RowMap] | None = None
    scaled: Callable[[Tensor, Tensor], ScaledRows] | None = None
    again: tuple[Callable[..., RowMap], tuple] | None = None

    def __reduce__(self) -> Any:
        """By how they were made: the functions themselves cannot be sent."""
        return object.__reduce__(self) if self.again is None else self.again


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """min_θ Σ_i w_i r_i(θ)² + (1/2) Σ_p λ_p (θ_p - θ_ref,p)²: what a solver minimised, and where it ended.

    Written by every solver that fits rows; may be built from a user's own loop. Influence reads the
    objective from it and never rebuilds it.

    Attributes:
        parameters: θ at the end, flat, (P,) float64; unknown coefficients last.
        points: The points of the final objective.
        rows: The rows.
        weights: w, (N,), λ_term times the quadrature weight.
        regularisation: λ, a number or (P,).
        reference: θ_ref, a number or (P,).
        constraint: Hard constraint through which the network passes, or None.
        unknowns: Names of the unknown coefficients, in the order of the last parameters.
        quantity: θ, points (n, d), jets -> (n, len(jets)); jets of the solved fields, for targets.
        pullback: θ, points (n, d), jets, cotangent (n, c, k) -> (n, c, P): per point, gradients in θ of weighted
            sums of the jets; None leaves it to automatic differentiation of `quantity`.
        problem: The problem whose terms the rows are, as it was solved; None for rows of the user's own.

    Raises:
        PointsError: If the lengths disagree.
    """

    parameters: Tensor
    points: PointSet
    rows: RowMap
    weights: Tensor
    regularisation: float | Tensor = 0.0
    reference: float | Tensor = 0.0
    constraint: object | None = None
    unknowns: tuple[str, ...] = ()
    quantity: Callable[..., Tensor] | None = field(default=None)
    pullback: Callable[..., Tensor] | None = field(default=None)
    problem: IBVP | None = None

    def __post_init__(self) -> None:
        """Check that every row has a weight, an ID and a label.

        Raises:
            PointsError: If the lengths disagree.
        """
        counts = {len(self.weights), len(self.rows.ids), len(self.rows.labels)}
        if len(counts) != 1 or self.parameters.ndim != 1:
            raise PointsError(
                "one weight, id and label per row and a flat parameter vector",
                f"weights {len(self.weights)}, ids {len(self.rows.ids)}, labels {len(self.rows.labels)}, "
                f"parameters {tuple(self.parameters.shape)}",
                "",
            )

    def loss(self, parameters: Tensor | None = None) -> Tensor:
        """The objective at θ, differentiable.

        Args:
            parameters: θ; the final state when omitted.

        Returns:
            A scalar.
        """
        theta = self.parameters if parameters is None else parameters
        residual = self.rows.residual(theta)
        penalty = 0.5 * (torch.as_tensor(self.regularisation) * (theta - self.reference) ** 2).sum()
        return (self.weights * residual**2).sum() + penalty
