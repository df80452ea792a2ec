"""Networks: plain torch modules from coordinates to fields."""

from sciml.networks.gated import ModifiedMLP, PirateNet
from sciml.networks.mlp import MLP, FourierMLP, PeriodicMLP, SineNetwork
from sciml.networks.obstacle import ObstacleMLP
from sciml.networks.parameters import call_with, flat_parameters, load_parameters, parameter_views
from sciml.networks.random_features import RandomFeatures
from sciml.networks.rebuilding import NETWORKS, network_from_config

__all__ = [
    "MLP",
    "NETWORKS",
    "FourierMLP",
    "ModifiedMLP",
    "ObstacleMLP",
    "PeriodicMLP",
    "PirateNet",
    "RandomFeatures",
    "SineNetwork",
    "call_with",
    "flat_parameters",
    "load_parameters",
    "network_from_config",
    "parameter_views",
]
