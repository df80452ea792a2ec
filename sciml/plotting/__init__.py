"""Figures of solutions, trainings and points; nothing here changes matplotlib's global state."""

from sciml.plotting.fields import plot_solution
from sciml.plotting.flows import plot_flow, plot_profiles
from sciml.plotting.histories import plot_history
from sciml.plotting.placement import plot_points

__all__ = ["plot_flow", "plot_history", "plot_points", "plot_profiles", "plot_solution"]
