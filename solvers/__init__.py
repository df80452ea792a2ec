"""How a problem is solved."""

from solvers.choice import solve
from solvers.lie import LieSolver
from solvers.pinn import PACMANN, PINN, R3, RAD, RAR, Checkpoint, Fixed, RandomResample, SolutionGradient
from solvers.reference import FiniteElement
from solvers.study import study
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.ibvp_symmetries import ibvp_symmetries
from solvers.symmetry.linearisation import linearising_map
from solvers.symmetry.parameters import special_parameters
from solvers.symmetry.similarity import similarity_reductions

__all__ = [
    "PACMANN",
    "PINN",
    "R3",
    "RAD",
    "RAR",
    "Checkpoint",
    "FiniteElement",
    "Fixed",
    "LieSolver",
    "RandomResample",
    "SolutionGradient",
    "ibvp_symmetries",
    "linearising_map",
    "point_symmetries",
    "similarity_reductions",
    "solve",
    "special_parameters",
    "study",
]
