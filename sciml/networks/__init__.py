"""Networks: plain torch modules from coordinates to fields."""

from sciml.networks.mlp import MLP

__all__ = ["MLP"]
