"""Flows: recognition of incompressible flows, and what a fluid dynamicist asks of a solution, from any solver."""

from sciml.flows.fields import profile, stream_function, streamlines, velocity, vorticity
from sciml.flows.forces import Force, MassBalance, force, mass_balance, reattachment, traction, wall_shear
from sciml.flows.recognition import Flow, flow_of

__all__ = [
    "Flow", "Force", "MassBalance", "flow_of", "force", "mass_balance", "profile",
    "reattachment", "stream_function", "streamlines", "traction", "velocity", "vorticity", "wall_shear",
]  # fmt: skip
