"""Weights that change during a training."""

from solvers.pinn.weighting.attention import ResidualAttention, SelfAdaptive
from solvers.pinn.weighting.balance import GradientNorm, NeuralTangentKernel
from solvers.pinn.weighting.causal import Causal
from solvers.pinn.weighting.choice import SCHEMES, weighting_for
from solvers.pinn.weighting.conflict_free import ConflictFree
from solvers.pinn.weighting.scheme import Weighting

__all__ = [
    "SCHEMES",
    "Causal",
    "ConflictFree",
    "GradientNorm",
    "NeuralTangentKernel",
    "ResidualAttention",
    "SelfAdaptive",
    "Weighting",
    "weighting_for",
]
