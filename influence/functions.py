"""Influence: how an answer would change if points, groups or terms of its objective were changed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from influence.actions import check_action
from influence.answers import added_scores, group_scores, rate_scores, removed_together
from influence.asking import Asker
from influence.changes import PointChanges, candidate_rows, point_values
from influence.explanation import Explanation, explain_point, field_response
from influence.groups import group_response, rows_of_points, select
from influence.modules import record_of_module
from influence.presentation import SIGNS, Presenter
from influence.refits import Agreement, Refit, changed_weights, check_refits, refit
from influence.reliability import judge
from influence.rows import RowBlock, record_of_blocks
from influence.scores import Scores
from influence.settling import linearised, made_again, trained_record
from influence.sweep import Sweep, damping_sweep
from influence.targets import Query
from influence.uncertainty import Noise, standard_errors
from sciml.arguments import explained, require_number
from sciml.errors import SolverError, SolverWarning

ACTIONS = ("remove", "add", "reweight", "value", "move")


@explained("Influence(solution)")
class Influence:
    """Influence functions of a trained model on the objective exactly as it was trained.

    With L(θ) = Σ w_i r_i² + (λ/2)|θ - θ_ref|², a_i = √(2w_i) ∇r_i, ρ_i = √(2w_i) r_i and B = AᵀA + (λ + δ)I
    ("ggn") or the exact Hessian + δI ("hessian"), removing rows C changes a quantity Q with gradient q by
    qᵀB⁻¹A_Cᵀ(I - A_C B⁻¹A_Cᵀ)⁻¹ρ_C (Cook 1977; Koh & Liang 2017, arXiv 1703.04730; for PINNs Naujoks et al.
    2024, arXiv 2409.08958). Every result is a predicted change of Q in Q's unit.

    Args:
        solution: A solution with a `record`, or a `TrainingRecord`.
        curvature: "ggn" (never fails) or "hessian" (exact second derivatives, slower).
        damping: Proximal δ; None for max(4|λ_min(H)|, 1e-8 λ_max(G)), which is reported.
        solver: "auto", "primal", "dual", "svd" or "iterative".
        settle: Whether a model that is nearly at a minimum is first taken there, on a copy and said in the report:
            training on points drawn anew ends beside it. See `influence.settling`.
        model: Module of which callable targets are functions; set by `from_module`.

    Raises:
        SolverError: If there is no record, or the curvature cannot be factored.

    Example:
        >>> import torch
        >>> x = torch.linspace(0, 1, 5, dtype=torch.float64)
        >>> block = RowBlock("fit", torch.stack([x, x**2], dim=1), lambda p, z: p[0] + p[1] * z[0] - z[1], 0.2)
        >>> fit = Influence.from_rows(torch.tensor([-0.125, 1.0]).double(), [block])
        >>> fit.scores(lambda p: p[1]).values.round(4) + 0.0
        array([[ 0.25  , -0.0357,  0.    ,  0.0357, -0.25  ]])
    """

    def __init__(
        self,
        solution: Any,
        curvature: str = "ggn",
        damping: float | None = None,
        *,
        solver: str = "auto",
        settle: bool = True,
        model: nn.Module | None = None,
    ) -> None:
        self._make(solution, curvature, damping, solver, settle, model)
        if self._dtype != torch.float64:
            warnings.warn(f"parameters in {self._dtype} are converted to float64", SolverWarning, stacklevel=3)
        if not self.reliability.stationary or self.reliability.largest_leverage >= 1:
            warnings.warn("; ".join(self.reliability.notes), SolverWarning, stacklevel=3)

    def _make(self, *given: Any) -> None:
        self._made_from = given
        solution, curvature, damping, solver, settle, model = given
        record = trained_record(solution)
        self._dtype = record.parameters.dtype
        self.problem = record.problem or getattr(solution, "problem", None)
        record, made = linearised(record, curvature, damping, solver, settle)
        self.record, self.curvature, self.reliability = record, made, judge(made)
        self._changes = PointChanges(record, made)
        self._asker = Asker(record, self.problem, made, model)
        self._present = Presenter(record, self.problem, self.curvature, self.reliability, self._changes.blocks)
        self._last: tuple[Any, Any] | None = None

    def __reduce__(self) -> tuple:
        """By what it was made from: factors are made again where it arrives."""
        return made_again, (type(self), self._made_from)

    @classmethod
    def from_rows(
        cls,
        theta: Any,
        blocks: Sequence[RowBlock],
        regularisation: Any = 0.0,
        damping: float | None = 0.0,
        curvature: str = "ggn",
        solver: str = "auto",
        reference: Any = 0.0,
    ) -> Influence:
        """Influence for a user's own loop, quantum network or inverse problem.

        Args:
            theta: Final parameters, flat float64.
            blocks: Rows with weights: the objective Σ w r² + (λ/2)|θ - θ_ref|².
            regularisation: λ, a number or (P,).
            damping: Proximal δ; None for the automatic one.
            curvature: "ggn" or "hessian".
            solver: As for the class.
            reference: θ_ref.

        Returns:
            The influence object.
        """
        record = record_of_blocks(theta, blocks, regularisation, reference)
        return cls(record, curvature, damping, solver=solver, settle=False)

    @classmethod
    def from_module(
        cls,
        model: nn.Module,
        blocks: Sequence[RowBlock],
        regularisation: Any = 0.0,
        damping: float | None = None,
        curvature: str = "ggn",
        solver: str = "auto",
        reference: Any = 0.0,
    ) -> Influence:
        """Influence for any trained module with the residual code of its training, autograd inside included.

        Args:
            model: The module, as it was trained; its parameters that require gradients are θ.
            blocks: Rows whose `residual` takes (model, points (n, d)) and gives (n,) or (n, m), point by point.
                Callable targets have the same form.
            regularisation: λ, a number or (P,).
            damping: Proximal δ; None for the automatic one.
            curvature: "ggn" or "hessian".
            solver: As for the class.
            reference: θ_ref.

        Returns:
            The influence object.
        """
        record, exact = record_of_module(model, blocks, regularisation, reference)
        return cls(record, curvature, damping, solver=solver, settle=False, model=exact)

    @property
    def ids(self) -> np.ndarray:
        """Point IDs in the order of the columns of scores."""
        return self._changes.blocks.ids

    @cached_property
    def leverage(self) -> np.ndarray:
        """h_i of every residual row, (N,)."""
        return self.curvature.leverage().numpy()

    @property
    def self_influence(self) -> np.ndarray:
        """Cook's distance ρ_i² h_i/(1 - h_i)² of every residual row, (N,) (Cook 1977)."""
        left = self.curvature.factor.complement(torch.arange(len(self.leverage))[:, None])[:, 0, 0].numpy()
        return self.curvature.residual.numpy() ** 2 * self.leverage / left**2

    @property
    def effective_dimension(self) -> float:
        """Σ h_i, the number of parameters that the rows determine."""
        return float(self.leverage.sum())

    def select(self, **conditions: Any) -> np.ndarray:
        """IDs by `term=`, `face=`, `time=(a, b)` or `where=function of coordinates`; see `influence.groups.select`."""
        return select(self.record.points, self.problem, **conditions)

    def query(self, target: Any, at: Any = None) -> Query:
        """Value and gradient of a target.

        Args:
            target: See `scores`.
            at: Points.

        Returns:
            The query.
        """
        self._last = (target, at)
        return self._asker.query(target, at)

    def value(self, target: Any, at: Any, theta: Tensor) -> np.ndarray:
        """A quantity at other parameters, for instance those of a `refit`.

        Args:
            target: As for `scores`.
            at: Query points.
            theta: θ, (P,).

        Returns:
            (n_query,).
        """
        return self._asker.value(target, at, theta)

    def scores(
        self,
        target: Any,
        at: Any = None,
        action: str = "remove",
        leverage: bool = True,
        renormalise: bool = False,
        factor: float = 2.0,
        points: Any = None,
        term: str | None = None,
        weight: float | None = None,
        to: Any = None,
    ) -> Scores:
        """Influence of every training point on a quantity.

        Args:
            target: SymPy expression, name of a term (its loss) or unknown coefficient, `Integral`, `MeanSquare`,
                `SmoothMax`, `Residual`, or a callable (θ) or (θ, point).
            at: Query points (n_query, d), where the target needs them.
            action: "remove"; "add" a copy of each point, or the candidates `points` to `term`; "reweight" by
                `factor`; "value", per unit of the datum; "move" to the places `to`, or the rate of moving.
            leverage: Correct for leverage; exact for linear rows.
            renormalise: After a removal, the other weights of the term keep their sum.
            factor: New weight over old one.
            points: Candidates (m, d).
            term: Their term.
            weight: Their row weight w; the mean of the component when None.
            to: New places, (n_points, d), in the order of `ids`.

        Returns:
            The scores.

        Raises:
            SolverError: If the options contradict each other.
        """
        check_action(action, ACTIONS)
        if renormalise and action != "remove":
            raise SolverError('renormalise with action="remove"', repr(action), "")
        query = self.query(target, at)
        if action == "add" and points is not None:
            new, place = candidate_rows(self._changes, self._asker.inside(points), term, weight)
            name = term or self.record.points.terms[0]
            return added_scores(self._changes, self._present, query, new, place, name, leverage)
        if action == "move" and to is None:
            return rate_scores(self._changes, self._present, query)
        by_point, by_row = point_values(self._changes, query, action, leverage, renormalise, factor, to)
        made = self._present.points(query, by_point, by_row, SIGNS[action].format(factor=factor))
        return removed_together(self, made, target, at, renormalise) if action == "remove" else made

    def group(
        self,
        ids: Any,
        target: Any,
        at: Any = None,
        action: str = "remove",
        factor: float = 2.0,
        renormalise: bool = False,
        to: Any = None,
    ) -> Scores:
        """Influence of points changed together, by exact downdating.

        Args:
            ids: Point IDs (see `select`), all rows of which change together; or the name of a term, whose rows alone
                change.
            target: As for `scores`.
            at: Query points.
            action: "remove", "add" (copies), "reweight", "value" or "move".
            factor: New weight over old one.
            renormalise: After a removal the terms keep the sums of their weights.
            to: New places (len(ids), d) for "move".

        Returns:
            Scores with one column.

        Raises:
            PointsError: If an ID is unknown.
        """
        check_action(action, ACTIONS)
        index = self._rows_of(ids)
        query = self.query(target, at)
        response = group_response(self._changes, ids, index, action, factor, renormalise, to)
        return group_scores(self._changes, self._present, query, index, response, SIGNS[action].format(factor=factor))

    def _rows_of(self, ids: Any) -> np.ndarray:
        if isinstance(ids, str):
            return self._asker.rows_of(ids)
        return rows_of_points(self.record, ids)

    def explain(self, identity: int, target: Any, at: Any = None, by: str = "derivative") -> Explanation:
        """Which derivative, or which summand of an equation, carries a point's influence.

        Args:
            identity: Point ID.
            target: As for `scores`.
            at: Query points.
            by: "derivative" or "summand".

        Returns:
            Parts that sum to the influence.
        """
        query = self.query(target, at)
        return explain_point(self.record, self.problem, self.curvature, int(identity), query, by)

    def direction(self, target: Any, at: Any, points: Any) -> np.ndarray:
        """How the model moves its fields for a quantity: v_q = ∇u B⁻¹q, the direction that a residual must feel.

        Args:
            target: As for `scores`.
            at: Query points.
            points: Where to see it, (n, d).

        Returns:
            (n_query, n, fields).
        """
        return field_response(self.record, self.problem, self.curvature, self.query(target, at), points)

    def standard_error(self, target: Any, at: Any = None, noise: Noise = None) -> np.ndarray:
        """Standard error of a quantity from noise in the data, √ Σ_i (qᵀB⁻¹a_i)² 2w_i σ_i² over measured rows.

        The sandwich covariance of what was minimised, without the damping δ; see `influence.uncertainty`. It says how
        estimates scatter over repeated measurements, not how far an unfinished or too small network is off.

        Args:
            target: As for `scores`; an unknown coefficient by its symbol or name.
            at: Query points.
            noise: Standard deviations by term or component, or names of those to estimate from residuals. Where it is
                silent, observations have their own `sigma`, or an estimate.

        Returns:
            (n_query,), in the unit of the quantity.
        """
        return standard_errors(self._asker, self.query(target, at), noise)

    def sweep(self, target: Any, at: Any = None, factors: Any = None) -> Sweep:
        """Effective dimension and ranking over a range of dampings, from one eigendecomposition.

        Args:
            target: As for `scores`.
            at: Query points.
            factors: Multiples of the damping; 1/100 ... 100 when None.

        Returns:
            The sweep.
        """
        return damping_sweep(self.curvature, self._changes.blocks, self.query(target, at), factors)

    def refit(self, ids: Any = (), factor: float = 0.0, renormalise: bool = False) -> Refit:
        """The objective minimised again with the weights of some points changed: the truth that scores predict.

        Args:
            ids: Point IDs, or the name of a term.
            factor: New weight over old one.
            renormalise: Whether the other weights of the terms make up for a removal.

        Returns:
            The refit.
        """
        named = isinstance(ids, str) or len(np.atleast_1d(ids)) > 0
        index = self._rows_of(ids) if named else np.zeros(0, dtype=int)
        weights = changed_weights(self.record, index, factor, renormalise)
        return refit(self.record, self.curvature, weights)

    def check(
        self, k: int = 8, target: Any = None, at: Any = None, seed: int = 0, quiet: bool = False, executor: Any = None
    ) -> Agreement:
        """Compare predicted removals with true refits of points drawn from every kind and size of influence.

        Args:
            k: Number of refits.
            target: As for `scores`; the last one asked when None.
            at: Query points.
            seed: Seed of the choice.
            quiet: Do not print.
            executor: None, a number of processes, or anything with `submit` (see `sciml.executors`).

        Returns:
            The comparison.

        Raises:
            SolverError: If no target is known.
        """
        require_number(k, "k", least=1, whole=True, fix="influence.check(k=8)")
        if target is None:
            target, at = self._last or self._asker.default()
        agreement = check_refits(self, target, at, k, seed, executor)
        if not quiet:
            print(agreement)
        return agreement

    def __repr__(self) -> str:
        """Sizes and reliability."""
        size = f"{len(self.ids)} points, {len(self.record.weights)} rows, {len(self.record.parameters)} parameters"
        return f"Influence({size})\n{self.reliability}"
