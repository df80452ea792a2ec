"""How a problem is solved."""

from solvers.lie import LieSolver
from solvers.pinn import PINN, RAD, Fixed, RandomResample
from solvers.reference import FiniteElement
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.parameters import special_parameters

__all__ = [
    "PINN",
    "RAD",
    "FiniteElement",
    "Fixed",
    "LieSolver",
    "RandomResample",
    "point_symmetries",
    "special_parameters",
]
