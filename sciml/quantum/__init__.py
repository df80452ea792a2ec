"""Parametrised quantum circuits: description, batched simulator, networks, light cone."""

from sciml.quantum.builders import encoding_first, reuploading
from sciml.quantum.circuit import Block, Circuit
from sciml.quantum.gates import EncodingGate, FixedGate, TrainableGate
from sciml.quantum.light_cone import LightCone, light_cone
from sciml.quantum.network import QuantumNetwork
from sciml.quantum.observables import PauliSum
from sciml.quantum.simulator import Program, compiled

__all__ = [
    "Block",
    "Circuit",
    "EncodingGate",
    "FixedGate",
    "LightCone",
    "PauliSum",
    "Program",
    "QuantumNetwork",
    "TrainableGate",
    "compiled",
    "encoding_first",
    "light_cone",
    "reuploading",
]
