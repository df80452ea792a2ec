"""Networks by name, to rebuild them from checkpoints; never an import path read from a file."""

from __future__ import annotations

from typing import Any

from torch import nn

from sciml.errors import CheckpointError
from sciml.networks.gated import ModifiedMLP, PirateNet
from sciml.networks.mlp import MLP, FourierMLP, PeriodicMLP, SineNetwork
from sciml.networks.obstacle import ObstacleMLP
from sciml.networks.random_features import RandomFeatures
from sciml.quantum.network import QuantumNetwork

NETWORKS: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (MLP, FourierMLP, PeriodicMLP, SineNetwork, ObstacleMLP, RandomFeatures, ModifiedMLP, PirateNet)
}


def network_from_config(config: dict[str, Any], stored: int | None = None) -> nn.Module:
    """A network of this package from its `config()`; parameters are fresh.

    Args:
        config: Arguments by name, and "kind", the name of the class.
        stored: How many numbers the file holds: sizes that need more are refused before memory is taken.

    Returns:
        The network.

    Raises:
        CheckpointError: If the kind is unknown, or the sizes belong to other numbers.
    """
    if stored is not None:
        sizes = {name: size for name, size in config.items() if isinstance(size, int) and not isinstance(size, bool)}
        hidden = sizes.get("width", 0) ** 2 * (sizes.get("depth", 1) - 1)
        large = [f"{name}={size}" for name, size in sizes.items() if name != "seed" and size > stored]
        if large or hidden > stored:
            given = ", ".join(large) or f"width={sizes['width']}, depth={sizes['depth']}"
            raise CheckpointError(f"a network of at most {stored} stored numbers", given, "the file is damaged")
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if kind == "QuantumNetwork":
        return QuantumNetwork.from_config(**arguments)
    if kind not in NETWORKS:
        raise CheckpointError("a network of kind " + ", ".join(NETWORKS), repr(kind), "the file is of another version")
    return NETWORKS[kind](**arguments)
