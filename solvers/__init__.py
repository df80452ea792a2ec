"""How a problem is solved."""

from solvers.pinn import PINN, Fixed, RandomResample

__all__ = ["PINN", "Fixed", "RandomResample"]
