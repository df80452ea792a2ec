"""How a problem is solved."""

from solvers.pinn import PINN, Fixed, RandomResample
from solvers.reference import FiniteElement
from solvers.symmetry.entry import point_symmetries

__all__ = ["PINN", "FiniteElement", "Fixed", "RandomResample", "point_symmetries"]
