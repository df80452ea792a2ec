"""Pictured: what every indicator can do besides holding its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.plotting.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#666666")


class Pictured:
    """A result that draws itself."""

    def draw(self, axis: Any) -> None:
        """Draw into matplotlib axes.

        Args:
            axis: The axes.

        Raises:
            NotImplementedError: On the bare base class.
        """
        raise NotImplementedError

    def plot(self) -> Figure:
        """The indicator as a figure of its own.

        Returns:
            A matplotlib figure; pyplot is not involved.
        """
        figure = Figure(figsize=(6.0, 3.8), layout="constrained")
        self.draw(figure.subplots())
        return figure


def bars(axis: Any, names: tuple[str, ...], values: np.ndarray, label: str, marks: np.ndarray | None = None) -> None:
    """Horizontal bars by name, the first on top.

    Args:
        axis: Matplotlib axes.
        names: Names.
        values: (n,).
        label: Of the horizontal axis.
        marks: A second number per bar, drawn as a line across it.
    """
    place = np.arange(len(names))
    axis.barh(place, values, color=COLOURS[0], height=0.6)
    if marks is not None:
        axis.plot(marks, place, "|", color="black", markersize=18, markeredgewidth=2)
    axis.set_yticks(place, names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlabel(label)
    axis.grid(visible=True, axis="x", alpha=0.3)


def map_axes(columns: int, time: bool) -> tuple[int, int]:
    """Which coordinates a map of points shows: time horizontal in one space dimension.

    Args:
        columns: Number of coordinates.
        time: Whether the last one is time.

    Returns:
        Indices of the horizontal and the vertical coordinate.
    """
    return (1, 0) if columns == 2 and time else (0, min(1, columns - 1))
