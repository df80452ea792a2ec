"""How a problem is solved."""

from solvers.pinn import PINN, RAD, Fixed, RandomResample
from solvers.reference import FiniteElement
from solvers.symmetry.entry import point_symmetries

__all__ = ["PINN", "RAD", "FiniteElement", "Fixed", "RandomResample", "point_symmetries"]
