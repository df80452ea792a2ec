"""Sums of exact solutions made by symmetries."""

from solvers.lie.solution import LieSolution, LieTerm
from solvers.lie.solver import LieSolver

__all__ = ["LieSolution", "LieSolver", "LieTerm"]
