"""Answers: what new places, rates of moving and groups do to a quantity, as `Scores`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.changes import NewRows, PointChanges, reduced
from influence.presentation import SIGNS, Presenter
from influence.scores import Scores
from influence.targets import Query


def added_scores(
    changes: PointChanges, present: Presenter, query: Query, new: NewRows, place: np.ndarray, term: str, leverage: bool
) -> Scores:
    """What each of some candidates would do if it joined the training.

    Args:
        changes: Record and curvature.
        present: Maker of scores.
        query: The quantity.
        new: Rows of the candidates.
        place: Their places, (m, d).
        term: Their term.
        leverage: Whether to correct for leverage.

    Returns:
        Scores with one column per candidate.
    """
    ids: list[np.ndarray] = []

    def change(gradient: Tensor) -> Tensor:
        values, found = changes.added(gradient, new, leverage)
        ids.append(found)
        return values

    values = reduced(query, change)
    kinds = np.full(len(place), term, dtype=object)
    return present.columns(query, values.numpy(), ids[0], place, kinds, SIGNS["add"])


def rate_scores(changes: PointChanges, present: Presenter, query: Query) -> Scores:
    """How fast a quantity changes as each point is moved.

    Args:
        changes: Record and curvature.
        present: Maker of scores.
        query: The quantity.

    Returns:
        Scores whose values are lengths of the rates in `rates`, (n_query, n, d).
    """
    rates = changes.rates(query.gradient).numpy()
    sizes = torch.tensor(np.linalg.norm(rates, axis=2))
    return replace(present.points(query, sizes, None, SIGNS["rate"]), rates=rates)


def group_scores(
    changes: PointChanges,
    present: Presenter,
    query: Query,
    index: np.ndarray,
    response: tuple[tuple[Tensor, Tensor, Tensor | None], NewRows | None],
    sign: str,
) -> Scores:
    """What rows changed together do.

    Args:
        changes: Record and curvature.
        present: Maker of scores.
        query: The quantity.
        index: Rows that were named.
        response: Rows concerned with their response, and new rows, of `group_response`.
        sign: What a positive number means.

    Returns:
        Scores of one column.
    """
    (where, z, z_new), new = response

    def change(gradient: Tensor) -> Tensor:
        moved = z @ changes.curvature.row_products(gradient.T)[where]
        if new is not None:
            assert z_new is not None
            moved = moved + z_new @ (new.matrix @ changes.curvature.factor.solve(gradient.T))
        return moved[:, None]

    return present.group(query, reduced(query, change), index, sign)


def removed_together(influence: Any, made: Scores, target: Any, at: Any, renormalise: bool) -> Scores:
    """Scores of removals that can also tell what several points do together, by forecast and by refit.

    Args:
        influence: The influence object.
        made: The scores.
        target: Their quantity.
        at: Their query points.
        renormalise: Whether terms keep the sums of their weights.

    Returns:
        The same scores with both ways.
    """
    together = {
        "group": lambda ids: influence.group(ids, target, at, renormalise=renormalise).values[:, 0],
        "refit": lambda ids: (
            influence.value(target, at, influence.refit(ids, renormalise=renormalise).theta) - made.before
        ),
    }
    return replace(made, _together=together)
