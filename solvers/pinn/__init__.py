"""Physics-informed networks."""

from solvers.pinn.callbacks import EarlyStopping, LivePlot, Recorder, TensorBoard
from solvers.pinn.checkpointing import Checkpoint
from solvers.pinn.ensemble import Ensemble, EnsembleSolution
from solvers.pinn.marched import MarchedSolution
from solvers.pinn.pinn import PINN
from solvers.pinn.placement import Counts
from solvers.pinn.refining import PACMANN, R3, RAR, SolutionGradient
from solvers.pinn.samplers import RAD, Fixed, RandomResample
from solvers.pinn.solution import PINNSolution

__all__ = [
    "PACMANN",
    "PINN",
    "R3",
    "RAD",
    "RAR",
    "Checkpoint",
    "Counts",
    "EarlyStopping",
    "Ensemble",
    "EnsembleSolution",
    "Fixed",
    "LivePlot",
    "MarchedSolution",
    "PINNSolution",
    "RandomResample",
    "Recorder",
    "SolutionGradient",
    "TensorBoard",
]
