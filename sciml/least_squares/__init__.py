"""Linear algebra on scaled rows, shared by training and influence."""

from sciml.least_squares.factor import DampedFactor, NormalMatrix, damped_factor
from sciml.least_squares.iterative import conjugate_gradient
from sciml.least_squares.step import ScaledRows, gauss_newton_step, scale_rows

__all__ = [
    "DampedFactor",
    "NormalMatrix",
    "ScaledRows",
    "conjugate_gradient",
    "damped_factor",
    "gauss_newton_step",
    "scale_rows",
]
