"""Groups: sets of rows changed together, by exact downdating."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.actions import WEIGHTS
from influence.changes import NewRows, PointChanges
from influence.curvature import Curvature
from sciml.errors import PointsError, SolverError, SolverWarning
from sciml.ibvp import IBVP
from sciml.points import PointSet
from sciml.record import TrainingRecord

_FAINT = 0.01  # share of the curvature left along a direction
_BENT = 1.0  # departure of rows from their linear prediction, in units of that
_LEAST = 1e-6  # change of rows, in units of their size, below which rounding may bend them
_LOST = 'more damping, or curvature="ggn": what is left has no unique minimum near the model'


def select(
    points: PointSet,
    problem: IBVP | None,
    term: str | None = None,
    face: str | None = None,
    time: tuple[float, float] | None = None,
    where: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """IDs of points by what they are and where they lie; every condition given must hold.

    Args:
        points: The points.
        problem: Their problem, for faces and time.
        term: Name of a term that they serve.
        face: Name of a face; only points of boundary terms count, those of a periodic condition for both its faces.
        time: Closed interval of time, the last coordinate.
        where: Function from coordinates (n, d) to booleans.

    Returns:
        IDs.

    Raises:
        PointsError: If no point fits, or the problem has no time or no faces to speak of.
    """
    mask = np.ones(len(points), dtype=bool)
    if term is not None:
        mask &= points.mask(term)
    if face is not None:
        if problem is None:
            raise PointsError("a problem whose faces have names", f"face={face!r} of rows without a problem", "")
        mask &= _on_face(points, problem, face)
    if time is not None:
        if problem is not None and problem.time is None:
            raise PointsError("a problem with time", f"time={time} of a steady one", "where=lambda p: p[:, -1] < 0.5")
        mask &= (points.coordinates[:, -1] >= time[0]) & (points.coordinates[:, -1] <= time[1])
    if where is not None:
        mask &= np.asarray(where(points.coordinates), dtype=bool)
    if not mask.any():
        raise PointsError("a choice that some points fit", f"term={term}, face={face}, time={time}", "")
    return np.unique(points.ids[mask])


def _on_face(points: PointSet, problem: IBVP, face: str) -> np.ndarray:
    """Entries of boundary terms on a face; the rows of a periodic condition lie on one face and speak of two."""
    mask = points.kinds == "boundary"
    mask[mask] = problem.domain.on_face(face, points.coordinates[mask][:, : len(problem.space)])
    for term in problem.terms:
        if term.periodic and face in term.faces and term.name in points.terms:
            mask |= points.mask(term.name)
    return mask


def rows_of_points(record: TrainingRecord, ids: Any) -> np.ndarray:
    """All rows of some points.

    Args:
        record: The record.
        ids: Point IDs.

    Returns:
        Indices.

    Raises:
        PointsError: If an ID is unknown, or none is given.
    """
    wanted = np.atleast_1d(np.asarray(ids))
    if wanted.dtype.kind == "b":
        raise PointsError(
            "ids of points with rows", "truth values, a mask", "influence.ids[mask], or influence.select(...)"
        )
    missing = np.setdiff1d(wanted, record.rows.ids)
    if missing.size or not wanted.size:
        given = f"unknown: {missing[:8].tolist()}" if missing.size else "none"
        raise PointsError("ids of points with rows", given, "see influence.ids, or influence.select(...)")
    return np.flatnonzero(np.isin(record.rows.ids, wanted))


def set_response(
    curvature: Curvature, index: Tensor, change: Tensor, new: NewRows | None = None
) -> tuple[Tensor, Tensor | None]:
    """Response z of old rows (ε each) and of new rows (ε = 1) changed together.

    Args:
        curvature: The curvature.
        index: Old rows, (m,).
        change: ε, (m,).
        new: New rows, or None.

    Returns:
        z of the old rows (m,) and of the new ones.

    Raises:
        SolverError: If what remains is singular.
    """
    eye = torch.eye(len(index), dtype=torch.float64)
    complement = curvature.factor.complement(index)
    matrix = torch.diag(1 + change) @ eye - change[:, None] * complement
    right = change * curvature.residual[index]
    if new is not None:
        solved = curvature.factor.solve(new.matrix.T)
        cross = curvature.row_products(new.matrix.T)[index]
        own = torch.eye(len(new.residual), dtype=torch.float64) + new.matrix @ solved
        matrix = torch.cat([
            torch.cat([matrix, change[:, None] * cross], dim=1), torch.cat([cross.T, own], dim=1)
        ])  # fmt: skip
        right = torch.cat([right, new.residual])
    made, info = torch.linalg.solve_ex(matrix, right)
    # B - A_CᵀA_C is positive definite exactly where I - H_CC is: otherwise there is no minimum to predict
    leaving = complement[change < 0][:, change < 0]
    least = float(torch.linalg.eigvalsh((leaving + leaving.T) / 2)[0]) if leaving.numel() else 1.0
    lost = least <= 0
    if int(info) != 0 or not bool(torch.isfinite(made).all()) or (lost and bool((change[change < 0] == -1).all())):
        raise SolverError(
            "rows that determine the model without the group", f"an indefinite rest without {len(index)} rows", _LOST,
        )  # fmt: skip
    if curvature.kind == "hessian" and least < _FAINT:
        warnings.warn(
            f"without {len(index)} rows only {least:.1e} of the curvature along some direction is left: second "
            "derivatives of rows, which the prediction holds fixed, may rule there; compare it with refit()",
            SolverWarning,
            stacklevel=4,
        )
    return -made[: len(index)], None if new is None else -made[len(index) :]


def renormalising(record: TrainingRecord, removed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and ε of a removal after which every term keeps the sum of its weights.

    Args:
        record: The record.
        removed: Booleans per row.

    Returns:
        Rows concerned, and their ε.

    Raises:
        SolverError: If a term would lose all its rows.
    """
    labels, weight = record.rows.labels.astype(str), record.weights.numpy()
    change = np.zeros(len(labels))
    for name in np.unique(labels[removed]):
        own = labels == name
        left = weight[own & ~removed].sum()
        if not left > 0:
            raise SolverError("terms that keep some rows", f"all rows of {name!r} removed", "renormalise=False")
        change[own] = weight[own].sum() / left - 1
    change[removed] = -1.0
    index = np.flatnonzero(change)
    return index, change[index]


def group_response(
    changes: PointChanges, ids: Any, index: np.ndarray, action: str, factor: float, renormalise: bool, to: Any
) -> tuple[tuple[Tensor, Tensor, Tensor | None], NewRows | None]:
    """Rows of a group, their response z, and new rows with theirs.

    Args:
        changes: Record and curvature.
        ids: What the user gave.
        index: Its rows.
        action: What is done.
        factor: New weight over old one.
        renormalise: Whether terms keep the sums of their weights.
        to: New places.

    Returns:
        (rows, z, z of the new rows) and the new rows.

    Raises:
        SolverError: If options contradict each other.
    """
    record, curvature = changes.record, changes.curvature
    where = torch.tensor(index)
    if renormalise and action != "remove":
        raise SolverError('renormalise with action="remove"', repr(action), "")
    if factor < 0:
        raise SolverError("a factor of 0 or more", f"{factor}", "weights cannot be negative")
    if action == "value":
        return (where, curvature.root[where], None), None
    if renormalise:
        concerned, epsilon = renormalising(record, np.isin(np.arange(len(record.weights)), index))
        where = torch.tensor(concerned)
        return (where, *set_response(curvature, where, torch.tensor(epsilon))), None
    value = {**WEIGHTS, "move": -1.0, "reweight": factor - 1.0}[action]
    new = None
    if action == "move":
        if to is None or isinstance(ids, str):
            raise SolverError("ids and their new places `to`", f"ids={ids!r:.40}, to={to!r:.40}", "")
        every = changes.new_rows(record.points.move(ids, to), record.weights.to(torch.float64))
        new = NewRows(every.matrix[where], every.residual[where], every.ids[index], every.labels[index])
    change = torch.full((len(index),), value, dtype=torch.float64)
    z, z_new = set_response(curvature, where, change, new)
    if new is None:
        _warn_bent(record, curvature, where, change, z)
    return (where, z, z_new), new


def _warn_bent(record: TrainingRecord, curvature: Curvature, where: Tensor, change: Tensor, z: Tensor) -> None:
    """Say where the predicted parameters are so far away that the rows left are not what linearisation says."""
    if curvature.rows is None:
        return
    move = curvature.solve_rows(z, where)
    left = curvature.root.new_ones(len(curvature.root))
    left[where] = torch.sqrt(1 + change)
    with torch.no_grad():
        there = curvature.root * record.rows.residual(curvature.theta + move)
    linear = left * (curvature.rows @ move)
    bent = float((left * (there - curvature.residual) - linear).norm() / linear.norm().clamp(min=1e-300))
    if bent > _BENT and float(linear.norm()) > _LEAST * float(curvature.residual.norm()):
        warnings.warn(
            f"the change of {len(where)} rows leads so far that the other rows depart from their linear prediction "
            f"by {bent:.1f} times its size: take the answer for its direction at best, and refit() for its size",
            SolverWarning,
            stacklevel=4,
        )
