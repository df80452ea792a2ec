"""Optimisers of the objective behind one small protocol."""

from solvers.pinn.optimisers.levenberg_marquardt import LevenbergMarquardt
from solvers.pinn.optimisers.protocol import Optimiser, Step

__all__ = ["LevenbergMarquardt", "Optimiser", "Step"]
