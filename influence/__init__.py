"""Influence functions: which points, conditions and terms shaped an answer, exact, fast and checked."""

from influence.explanation import Explanation
from influence.functions import Influence
from influence.integrals import Integral
from influence.refits import Agreement, Refit
from influence.reliability import Reliability
from influence.rows import RowBlock
from influence.scores import Scores
from influence.sweep import Sweep
from influence.targets import MeanSquare, Residual, SmoothMax

__all__ = [
    "Agreement",
    "Explanation",
    "Influence",
    "Integral",
    "MeanSquare",
    "Refit",
    "Reliability",
    "Residual",
    "RowBlock",
    "Scores",
    "SmoothMax",
    "Sweep",
]
