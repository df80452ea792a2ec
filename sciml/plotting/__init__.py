"""Figures of solutions, trainings and points; nothing here changes matplotlib's global state."""

from sciml.plotting.fields import plot_solution
from sciml.plotting.histories import plot_history
from sciml.plotting.placement import plot_points

__all__ = ["plot_history", "plot_points", "plot_solution"]
