"""SymPy expressions as numbers: compiler to torch, one-sided limits of data."""

from sciml.expressions.compiler import Program
from sciml.expressions.data import evaluate_data

__all__ = ["Program", "evaluate_data"]
