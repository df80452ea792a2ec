"""Physics-informed networks."""

from solvers.pinn.callbacks import EarlyStopping, LivePlot, Recorder, TensorBoard
from solvers.pinn.checkpointing import Checkpoint
from solvers.pinn.marched import MarchedSolution
from solvers.pinn.pinn import PINN
from solvers.pinn.placement import Counts
from solvers.pinn.samplers import RAD, Fixed, RandomResample
from solvers.pinn.solution import PINNSolution

__all__ = [
    "PINN",
    "RAD",
    "Checkpoint",
    "Counts",
    "EarlyStopping",
    "Fixed",
    "LivePlot",
    "MarchedSolution",
    "PINNSolution",
    "RandomResample",
    "Recorder",
    "TensorBoard",
]
