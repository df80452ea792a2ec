"""Weighting schemes by name."""

from __future__ import annotations

from typing import Any

from sciml.errors import SolverError
from solvers.pinn.weighting.attention import ResidualAttention, SelfAdaptive
from solvers.pinn.weighting.balance import GradientNorm, NeuralTangentKernel
from solvers.pinn.weighting.causal import Causal
from solvers.pinn.weighting.conflict_free import ConflictFree
from solvers.pinn.weighting.scheme import Weighting

SCHEMES: dict[str, type[Weighting]] = {
    "fixed": Weighting,
    "gradient norm": GradientNorm,
    "ntk": NeuralTangentKernel,
    "self-adaptive": SelfAdaptive,
    "residual attention": ResidualAttention,
    "conflict-free": ConflictFree,
    "causal": Causal,
}


def weighting_for(choice: Any) -> Weighting:
    """A scheme from its name, or the scheme itself.

    Args:
        choice: A name of `SCHEMES`, a `Weighting`, or None for fixed weights.

    Returns:
        The scheme.

    Raises:
        SolverError: If the name is unknown.

    Example:
        >>> type(weighting_for("ntk")).__name__
        'NeuralTangentKernel'
    """
    if choice is None or isinstance(choice, Weighting):
        return choice or Weighting()
    if isinstance(choice, str) and choice in SCHEMES:
        return SCHEMES[choice]()
    raise SolverError(f"a weighting: {', '.join(SCHEMES)}", repr(choice), 'PINN(..., weighting="ntk")')
