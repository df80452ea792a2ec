"""State an initial-boundary value problem once in SymPy."""

from sciml.checkpoint import load_solution
from sciml.citations import cite
from sciml.comparison import ErrorReport
from sciml.conditions import Condition, Dirichlet, Neumann, Observations, Periodic, Robin, normal
from sciml.errors import (
    CheckpointError,
    ConvergenceError,
    GeometryError,
    MissingExtraError,
    NotSymbolicError,
    PointsError,
    ProblemError,
    ProblemWarning,
    ScimlError,
    SolverError,
    SolverWarning,
    UnsupportedFunctionError,
)
from sciml.exact import ExactSolution
from sciml.geometry import Box, Disk, Geometry, Interval, Polygon, Rectangle
from sciml.ibvp import IBVP
from sciml.networks import MLP
from sciml.points import PointSet, sample
from sciml.record import RowMap, TrainingRecord
from sciml.recording import record_of
from sciml.residuals import ResidualSystem
from sciml.solution import Solution, Solver
from sciml.symbols import coordinates, field
from sciml.unknowns import Unknown
from sciml.verification import Certificate, verify

__all__ = [
    "IBVP", "MLP", "Box", "Certificate", "CheckpointError", "Condition", "ConvergenceError", "Dirichlet", "Disk",
    "ErrorReport", "ExactSolution", "Geometry", "GeometryError", "Interval", "MissingExtraError", "Neumann",
    "NotSymbolicError", "Observations", "Periodic", "PointSet", "PointsError", "Polygon", "ProblemError",
    "ProblemWarning", "Rectangle", "ResidualSystem", "Robin", "RowMap", "ScimlError", "Solution", "Solver",
    "SolverError", "SolverWarning", "TrainingRecord", "Unknown", "UnsupportedFunctionError", "cite", "coordinates",
    "field", "load_solution", "normal", "record_of", "sample", "verify",
]  # fmt: skip
