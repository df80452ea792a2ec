"""Linear algebra on scaled rows, shared by training and influence."""

from sciml.least_squares.factor import DampedFactor, NormalMatrix, damped_factor
from sciml.least_squares.iterative import conjugate_gradient
from sciml.least_squares.nystroem import IterativeFactor, NystroemApproximation, SketchedHat, nystroem
from sciml.least_squares.orthogonal import orthogonal_solution
from sciml.least_squares.sharded import ShardedMatrix, gathered
from sciml.least_squares.spectrum import Spectrum
from sciml.least_squares.step import ScaledRows, gauss_newton_step, scale_rows

__all__ = [
    "DampedFactor",
    "IterativeFactor",
    "NormalMatrix",
    "NystroemApproximation",
    "ScaledRows",
    "ShardedMatrix",
    "SketchedHat",
    "Spectrum",
    "conjugate_gradient",
    "damped_factor",
    "gathered",
    "gauss_newton_step",
    "nystroem",
    "orthogonal_solution",
    "scale_rows",
]
