"""Rigorous error bounds of approximations in closed form."""

from solvers.lie.bounds.entry import error_bound
from solvers.lie.bounds.result import Bound

__all__ = ["Bound", "error_bound"]
