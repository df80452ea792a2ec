"""Typed, weighted residual rows of a problem and their Jacobian: the one implementation of both."""

from sciml.residuals.constrained import ConstrainedNetwork
from sciml.residuals.engines import AutogradEngine, Engine, choose_engine
from sciml.residuals.jacobian import RowProducts, row_jacobian
from sciml.residuals.lift import HardConstraint, hard_constraint
from sciml.residuals.rows import Rows, TermRows
from sciml.residuals.stream_engine import StreamEngine
from sciml.residuals.system import Batch, ResidualSystem, device_of

__all__ = [
    "AutogradEngine",
    "Batch",
    "ConstrainedNetwork",
    "Engine",
    "HardConstraint",
    "ResidualSystem",
    "RowProducts",
    "Rows",
    "StreamEngine",
    "TermRows",
    "choose_engine",
    "device_of",
    "hard_constraint",
    "row_jacobian",
]
