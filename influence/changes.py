"""Changes: what an action on every point, each by itself, does to linear quantities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.actions import WEIGHTS, Blocks, point_blocks, response, responses, row_changes, sum_points
from influence.curvature import Curvature
from influence.targets import Query
from sciml.errors import PointsError, SolverError
from sciml.points import PointSet
from sciml.record import RowMap, TrainingRecord

_STEP = 1e-3  # of the extent of a coordinate, for fourth-order differences
_ROWS = 512  # rows of a quadratic quantity at a time


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows that are not in the objective yet, scaled as if they were.

    Attributes:
        matrix: A of the new rows, (M, P).
        residual: ρ, (M,).
        ids: Point ID of each row.
        labels: Component of each row.
    """

    matrix: Tensor
    residual: Tensor
    ids: np.ndarray
    labels: np.ndarray


class PointChanges:
    """Linear algebra of actions on single points of one linearised record.

    Args:
        record: The record.
        curvature: Its curvature.
    """

    def __init__(self, record: TrainingRecord, curvature: Curvature) -> None:
        self.record, self.curvature = record, curvature
        self.blocks: Blocks = point_blocks(record.rows.ids)

    @cached_property
    def complements(self) -> list[Tensor]:
        """I - H of the rows of every point."""
        return [self.curvature.factor.complement(rows) for _, rows in self.blocks.groups]

    def reweighted(self, gradient: Tensor, change: float, leverage: bool) -> Tensor:
        """Change of quantities when one point's weights become (1 + ε) times as large, row by row.

        Args:
            gradient: (q, P).
            change: ε; -1 removes.
            leverage: Whether to correct for leverage.

        Returns:
            (q, N); sums over the rows of a point are its change.
        """
        made = responses(self.complements if leverage else None, self.blocks, self.curvature.residual, change)
        return row_changes(self.curvature.row_products(gradient.T), self.blocks, made)

    def data(self, gradient: Tensor) -> Tensor:
        """Change per unit of the datum of each row, (q, N): √(2w) qᵀB⁻¹a."""
        return (self.curvature.row_products(gradient.T) * self.curvature.root[:, None]).T

    def renormalised(self, gradient: Tensor, leverage: bool) -> Tensor:
        """Removal of one point, the other weights of its terms scaled up to their former sum.

        With weights (1 + ε_l)w in term l and C removed, Δθ = -B'⁻¹_{-C}[Σ_l ε_l g_l - Σ_C (1 + ε)ρ a]. B' is formed
        once for all points of equal ε; where weights differ, for points of similar ε.

        Args:
            gradient: (q, P).
            leverage: Whether to correct for leverage; without, B stays that of the trained objective.

        Returns:
            (q, n).

        Raises:
            SolverError: If a point is the only one of a term.
        """
        if self.curvature.rows is None:
            raise SolverError("a factor that holds its rows", "renormalise=True with the iterative solver", "")
        names, code = np.unique(self.record.rows.labels.astype(str), return_inverse=True)
        member = torch.nn.functional.one_hot(torch.tensor(code), len(names)).to(torch.float64)
        epsilon = self._epsilons(member)
        result = gradient.new_zeros(len(gradient), len(self.blocks.ids))
        for chosen in _alike(epsilon) if leverage else [np.arange(len(epsilon))]:
            scale = torch.sqrt(1 + member @ epsilon[chosen].mean(dim=0)) if leverage else None
            self._renormalise(gradient, member, epsilon, chosen, scale, result)
        return result

    def _epsilons(self, member: Tensor) -> Tensor:
        """ε of every term when one point goes, (n, terms)."""
        weight = self.record.weights.to(torch.float64)
        total = weight @ member
        own = torch.zeros(len(self.blocks.ids), member.shape[1], dtype=torch.float64)
        for positions, rows in self.blocks.groups:
            own[torch.tensor(positions)] = torch.einsum("km,kmt->kt", weight[rows], member[rows])
        if bool((own > total * (1 - 1e-12)).logical_and(own > 0).any()):
            raise SolverError("terms of more than one point", "renormalise=True for the only point of a term", "")
        return own / (total - own)

    def _renormalise(
        self,
        gradient: Tensor,
        member: Tensor,
        epsilon: Tensor,
        chosen: np.ndarray,
        scale: Tensor | None,
        result: Tensor,
    ) -> None:
        trained = self.curvature
        curvature = trained if scale is None else trained.rescaled(scale)
        unit = torch.ones_like(trained.residual) if scale is None else scale
        assert trained.rows is not None
        pulls = trained.rows.T @ (trained.residual[:, None] * member)  # gradient of each term, (P, terms)
        products, effect = curvature.row_products(gradient.T), gradient @ curvature.factor.solve(pulls)
        seen = curvature.row_products(pulls)
        for positions, rows in self.blocks.groups:
            inside = np.isin(positions, chosen)
            place, rows = torch.tensor(positions[inside]), rows[torch.tensor(inside)]
            own = epsilon[place]
            kept = 1 + torch.einsum("kmt,kt->km", member[rows], own)
            values = kept * trained.residual[rows] / unit[rows]
            if scale is not None:
                values = values - torch.einsum("kmt,kt->km", seen[rows], own)
                values = torch.linalg.solve(curvature.factor.complement(rows), values[..., None])[..., 0]
            result[:, place] = torch.einsum("kmq,km->qk", products[rows], values) - effect @ own.T

    def new_rows(self, points: PointSet, weight: Tensor | None = None) -> NewRows:
        """Rows of the objective's terms at other points.

        Args:
            points: The points.
            weight: w of each row; the mean of its component when None.

        Returns:
            The rows.
        """
        rows = rows_at(self.record, points)
        residual, matrix = rows.jacobian(self.curvature.theta)
        if weight is None:
            labels, own = self.record.rows.labels.astype(str), self.record.weights.to(torch.float64)
            means = {name: own[torch.tensor(labels == name)].mean() for name in np.unique(labels)}
            weight = torch.stack([means[str(label)] for label in rows.labels])
        root = torch.sqrt(2 * weight)
        return NewRows(root[:, None] * matrix, root * residual.detach(), rows.ids, rows.labels)

    def added(self, gradient: Tensor, new: NewRows, leverage: bool) -> tuple[Tensor, np.ndarray]:
        """Change when one new point is added.

        Args:
            gradient: (q, P).
            new: Rows of all candidates.
            leverage: Whether to correct for leverage.

        Returns:
            (q, n) and the candidates' IDs.
        """
        blocks = point_blocks(new.ids)
        solved = self.curvature.factor.solve(new.matrix.T)
        products, made = (gradient @ solved).T, []
        for _, rows in blocks.groups:
            hat = torch.einsum("kmp,pkn->kmn", new.matrix[rows], solved[:, rows])
            complement = torch.eye(hat.shape[-1], dtype=hat.dtype) - hat
            made.append(response(complement, new.residual[rows], 1.0) if leverage else -new.residual[rows])
        return sum_points(row_changes(products, blocks, made), blocks), blocks.ids

    def moved(self, gradient: Tensor, new: NewRows, leverage: bool) -> Tensor:
        """Change when one point goes to another place: its rows leave and come back there in one step.

        Args:
            gradient: (q, P).
            new: Rows at the new places, in the order of the present ones.
            leverage: Whether to correct for leverage.

        Returns:
            (q, n).

        Raises:
            SolverError: If the factor does not hold its rows.
        """
        curvature = self.curvature
        if curvature.rows is None:
            raise SolverError("a factor that holds its rows", "moving points with the iterative solver", "")
        solved = curvature.factor.solve(new.matrix.T)
        before, after = curvature.row_products(gradient.T), (gradient @ solved).T
        result = gradient.new_zeros(len(gradient), len(self.blocks.ids))
        for (positions, rows), complement in zip(self.blocks.groups, self.complements, strict=True):
            eye = torch.eye(rows.shape[1], dtype=torch.float64)
            cross = torch.einsum("kmp,pkn->kmn", curvature.rows[rows], solved[:, rows])
            own = torch.einsum("kmp,pkn->kmn", new.matrix[rows], solved[:, rows])
            top = torch.cat([complement, -cross], dim=2)
            bottom = torch.cat([cross.transpose(1, 2), eye + own], dim=2)
            right = torch.cat([-curvature.residual[rows], new.residual[rows]], dim=1)
            matrix = torch.cat([top, bottom], dim=1)
            z = -(torch.linalg.solve(matrix, right[..., None])[..., 0] if leverage else right)
            both = torch.cat([before[rows], after[rows]], dim=1)
            result[:, torch.tensor(positions)] = torch.einsum("kmq,km->qk", both, z)
        return result

    def rates(self, gradient: Tensor) -> Tensor:
        """Rate -∇_x[ρ(x) qᵀB⁻¹a(x)] for every point by fourth-order differences, (q, n, d).

        Args:
            gradient: (q, P).

        Returns:
            (q, n, d).
        """
        points, solved = self.record.points, self.curvature.factor.solve(gradient.T)
        blocks, identities = self.blocks, np.arange(len(self.blocks.ids))
        place = points.locate(blocks.ids)
        extent = np.maximum(place.max(axis=0) - place.min(axis=0), 1e-12 * np.abs(place).max(axis=0) + 1e-300)
        extent[extent < 1e-9 * extent.max()] = extent.max()  # a column without extent
        weight = self.record.weights.to(torch.float64)

        def strength(axis: int, shift: float) -> Tensor:
            target = place.copy()
            target[:, axis] += shift * extent[axis]
            new = self.new_rows(points.move(blocks.ids, target), weight)
            by_row = (new.residual[:, None] * (new.matrix @ solved)).T
            return sum_points(by_row, blocks)[:, torch.tensor(identities)]

        columns = []
        for axis in range(place.shape[1]):
            near = strength(axis, _STEP) - strength(axis, -_STEP)
            far = strength(axis, 2 * _STEP) - strength(axis, -2 * _STEP)
            columns.append(-(8 * near - far) / (12 * _STEP * extent[axis]))
        return torch.stack(columns, dim=2)


def _alike(epsilon: Tensor, most: int = 16) -> list[np.ndarray]:
    """Positions of points of equal ε; of similar ε where there are more than `most` values."""
    values, code = np.unique(epsilon.numpy().round(12), axis=0, return_inverse=True)
    if len(values) <= most:
        return [np.flatnonzero(code.ravel() == k) for k in range(len(values))]
    order = np.lexsort((values.sum(axis=1), *(values > 0).T))
    rank = np.empty(len(values), dtype=int)
    rank[order] = np.arange(len(values))
    return [part for part in np.array_split(np.argsort(rank[code.ravel()], kind="stable"), most) if len(part)]


def rows_at(record: TrainingRecord, points: PointSet) -> RowMap:
    """Rows of the objective's terms at other points.

    Args:
        record: The record.
        points: The points.

    Returns:
        The rows.

    Raises:
        SolverError: If the record's rows are fixed.
    """
    if record.rows.at is None:
        raise SolverError(
            "a record whose rows can be evaluated at other points (`rows.at`)", "fixed rows",
            "remove, reweight and value need no new rows; blocks must have equal numbers of columns",
        )  # fmt: skip
    return record.rows.at(points, None)


def candidate_rows(
    changes: PointChanges, place: np.ndarray, term: str | None, weight: float | None
) -> tuple[NewRows, np.ndarray]:
    """Rows of new points of one term.

    Args:
        changes: Record and curvature.
        place: The points, (m, d).
        term: Their term; the first when None.
        weight: Their row weight; the mean of the component when None.

    Returns:
        The rows and the points.

    Raises:
        SolverError: If the term is unknown or its data are not known at new places.
    """
    own = changes.record.points
    name = term or own.terms[0]
    if name not in own.terms:
        raise SolverError(f"a term among {', '.join(own.terms)}", repr(term), "")
    number = own.terms.index(name)
    if own.term_kinds[number] == "observation":
        raise SolverError("a term whose data are known everywhere", f"{name!r} holds measured values", "")
    if weight is not None and not weight > 0:
        raise SolverError("a positive row weight w", repr(weight), "")
    ids = np.arange(own.next_id, own.next_id + len(place))
    fresh = PointSet(place, ids, np.full(len(place), number), own.terms, term_kinds=own.term_kinds)
    if weight is None:
        return changes.new_rows(fresh), place
    count = len(rows_at(changes.record, fresh).ids)
    return changes.new_rows(fresh, torch.full((count,), float(weight), dtype=torch.float64)), place


def squared(rows: Tensor, weights: Tensor, jacobian: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Change of Σ w s² from the changes of the rows s, in chunks.

    Args:
        rows: s, (M,).
        weights: w, (M,).
        jacobian: J_s, (M, P).
        change: Function from gradients (m, P) to changes (m, n).

    Returns:
        (n,).
    """
    total: Tensor | float = 0.0
    for start in range(0, len(rows), _ROWS):
        piece = slice(start, start + _ROWS)
        moved = change(jacobian[piece])
        total = total + weights[piece] @ (2 * rows[piece, None] * moved + moved**2)
    assert isinstance(total, Tensor)
    return total


def point_values(
    changes: PointChanges, query: Query, action: str, leverage: bool, renormalise: bool, factor: float, to: Any
) -> tuple[Tensor, Tensor | None]:
    """What an action on every point, each by itself, does to a quantity.

    Args:
        changes: Record and curvature.
        query: The quantity.
        action: "remove", "add", "reweight", "value" or "move".
        leverage: Whether to correct for leverage.
        renormalise: Whether a removal leaves the sums of the weights of terms.
        factor: New weight over old one.
        to: New places.

    Returns:
        (q, n), and row by row (q, N) where rows add up.

    Raises:
        PointsError: If places do not fit the points.
        SolverError: If a factor is negative.
    """
    record, blocks = changes.record, changes.blocks
    if action == "value":
        rows = changes.data(query.gradient)
        return sum_points(rows, blocks), rows
    if action == "move":
        if np.shape(to) != (len(blocks.ids), record.points.coordinates.shape[1]):
            raise PointsError("one new place per point, in the order of `ids`", f"to of shape {np.shape(to)}", "")
        new = changes.new_rows(record.points.move(blocks.ids, to), record.weights.to(torch.float64))
        return reduced(query, lambda q: changes.moved(q, new, leverage)), None
    if renormalise:
        return reduced(query, lambda q: changes.renormalised(q, leverage)), None
    epsilon = {**WEIGHTS, "reweight": factor - 1.0}[action]
    if epsilon < -1.0:
        raise SolverError("a factor of 0 or more", f"{factor}", "weights cannot be negative")

    def by_row(gradient: Tensor) -> Tensor:
        return changes.reweighted(gradient, epsilon, leverage)

    if query.rows is None:
        rows = by_row(query.gradient)
        return sum_points(rows, blocks), rows
    return reduced(query, lambda q: sum_points(by_row(q), blocks)), None


def reduced(query: Query, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Changes of a quantity: linear, or of a quadratic one by propagation.

    Args:
        query: The quantity.
        change: Function from gradients (m, P) to changes (m, n).

    Returns:
        (q, n).
    """
    if query.rows is None:
        return change(query.gradient)
    assert query.weights is not None
    assert query.jacobian is not None
    return squared(query.rows, query.weights, query.jacobian, change)[None]


__all__ = ["NewRows", "PointChanges", "candidate_rows", "point_values", "reduced", "rows_at"]
