"""Networks by name, to rebuild them from checkpoints; never an import path read from a file."""

from __future__ import annotations

from typing import Any

from torch import nn

from sciml.errors import CheckpointError
from sciml.networks.gated import ModifiedMLP, PirateNet
from sciml.networks.mlp import MLP, FourierMLP, PeriodicMLP, RandomFeatures, SineNetwork
from sciml.quantum.network import QuantumNetwork

NETWORKS: dict[str, type[nn.Module]] = {
    kind.__name__: kind for kind in (MLP, FourierMLP, PeriodicMLP, SineNetwork, RandomFeatures, ModifiedMLP, PirateNet)
}


def network_from_config(config: dict[str, Any]) -> nn.Module:
    """A network of this package from its `config()`; parameters are fresh.

    Args:
        config: Arguments by name, and "kind", the name of the class.

    Returns:
        The network.

    Raises:
        CheckpointError: If the kind is unknown.
    """
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if kind == "QuantumNetwork":
        return QuantumNetwork.from_config(**arguments)
    if kind not in NETWORKS:
        raise CheckpointError("a network of kind " + ", ".join(NETWORKS), repr(kind), "the file is of another version")
    return NETWORKS[kind](**arguments)
