"""Physics-informed networks."""

from solvers.pinn.pinn import PINN
from solvers.pinn.placement import Counts
from solvers.pinn.samplers import Fixed, RandomResample
from solvers.pinn.solution import PINNSolution

__all__ = ["PINN", "Counts", "Fixed", "PINNSolution", "RandomResample"]
