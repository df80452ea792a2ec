"""Influence as a picture: training points coloured by what they do."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.colors import SymLogNorm

from sciml.plotting.fields import DIFFERENCE_COLOURS, FIELD_COLOURS
from sciml.plotting.figure import Figure, colour_bar

MOST_MARKED = 20


def plot_scores(scores: Any, query: int | None = None, how: str = "mean absolute") -> Figure:
    """Points in the first two coordinates (time horizontal in one space dimension), coloured by influence.

    Args:
        scores: A `Scores`.
        query: Index of the query; None aggregates over all, where there are several. Up to `MOST_MARKED` places of
            queries are marked.
        how: See `Scores.aggregate`.

    Returns:
        A matplotlib figure.
    """
    query = 0 if query is None and len(scores.values) == 1 and how == "mean absolute" else query
    values = scores.aggregate(how) if query is None else scores.values[query]
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    columns = scores.train.shape[1]
    names = [*scores.coordinates, *(f"column {i}" for i in range(len(scores.coordinates), columns))]
    first, second = (1, 0) if columns == 2 and names[1] == "t" else (0, min(1, columns - 1))
    signed = bool((values < 0).any())
    size = float(np.abs(values).max(initial=0.0)) or 1.0
    style: dict[str, Any] = {"cmap": DIFFERENCE_COLOURS, "s": 14} if signed else {"cmap": f"{FIELD_COLOURS}_r"}
    if signed:
        style["norm"] = SymLogNorm(1e-3 * size, vmin=-size, vmax=size)
    vertical = scores.train[:, second] if columns > 1 else values
    order = np.argsort(np.abs(values), kind="stable")  # the strong ones on top
    if not signed:
        style["s"] = 6 + 40 * np.abs(values[order]) / size  # and large: most points hardly matter
    picture = axis.scatter(scores.train[order, first], vertical[order], c=values[order], **style)
    bar = colour_bar(figure, picture, axis, textwrap.fill(scores.unit, 45))
    if signed:  # two decades on each side; all of them would run into each other at 0
        decade = 10.0 ** np.floor(np.log10(size))
        bar.set_ticks([-decade, -decade / 10, 0.0, decade / 10, decade])
    asked = np.zeros((0, columns)) if scores.query is None else scores.query
    places = asked if query is None else asked[query : query + 1]
    if 0 < len(places) <= MOST_MARKED and columns > 1:
        axis.plot(*places[:, [first, second]].T, "k*", markersize=12, label="asked about")
        axis.legend(loc="upper right", fontsize="small")
    if columns > 1 and _two_lengths(scores, [first, second]):
        axis.set_aspect("equal")
    axis.set_xlabel(names[first])
    axis.set_ylabel(names[second] if columns > 1 else "influence")
    axis.set_title(f"influence on {scores.target}" + ("" if query is not None else f", {how}"), fontsize="medium")
    return figure


def _two_lengths(scores: Any, axes: list[int]) -> bool:
    """Whether both axes are coordinates of space, and neither so much longer that the other would be a line."""
    known = all(axis < len(scores.coordinates) and scores.coordinates[axis] != "t" for axis in axes)
    extents = np.ptp(scores.train[:, axes], axis=0)
    return bool(known and extents.max() < 5 * extents.min())
