"""How a training went: losses and the held-out residual over CPU time."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.errors import ProblemError
from sciml.plotting.figure import Figure


def plot_history(solution: Any) -> Figure:
    """Losses per term, total and held out, against CPU seconds (or steps).

    Args:
        solution: A solution with a history.

    Returns:
        A matplotlib figure.

    Raises:
        ProblemError: If the solution has no recorded losses.
    """
    series = {name: np.asarray(values, dtype=float) for name, values in solution.history.items()}
    losses = [name for name in series if name == "loss" or name == "held out" or name.startswith("loss ")]
    if not losses:
        raise ProblemError("a solution with a history of losses", repr(solution), "solve it with PINN")
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axis = figure.subplots()
    clock = "seconds" if "seconds" in series else "step"
    time = series.get(clock, np.arange(len(series[losses[0]]), dtype=float))
    for name in losses:
        style: dict[str, Any] = {"linewidth": 1.0, "alpha": 0.8}
        if name in ("loss", "held out"):
            style = {"linewidth": 2.0, "color": "black", "linestyle": "-" if name == "loss" else "--"}
        good = series[name] > 0
        axis.semilogy(time[good], series[name][good], label=name.removeprefix("loss ") or name, **style)
    axis.set_xlabel("CPU time / s" if clock == "seconds" else "step")
    axis.set_ylabel("weighted mean square residual")
    axis.set_title(solution.problem.name or "training")
    axis.grid(visible=True, which="major", alpha=0.3)
    axis.legend(fontsize="small")
    return figure
