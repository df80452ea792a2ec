"""Physics-informed networks."""

from solvers.pinn.pinn import PINN
from solvers.pinn.placement import Counts
from solvers.pinn.samplers import RAD, Fixed, RandomResample
from solvers.pinn.solution import PINNSolution

__all__ = ["PINN", "RAD", "Counts", "Fixed", "PINNSolution", "RandomResample"]
