"""Optimisers of the objective behind one small protocol."""

from solvers.pinn.optimisers.adam import Adam
from solvers.pinn.optimisers.gauss_newton import GaussNewton
from solvers.pinn.optimisers.levenberg_marquardt import LevenbergMarquardt
from solvers.pinn.optimisers.protocol import Optimiser, Step
from solvers.pinn.optimisers.quasi_newton import LBFGS, SSBroyden
from solvers.pinn.optimisers.soap import SOAP

__all__ = ["LBFGS", "SOAP", "Adam", "GaussNewton", "LevenbergMarquardt", "Optimiser", "SSBroyden", "Step"]
