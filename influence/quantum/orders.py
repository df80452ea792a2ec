"""Orders: how much of an explanation each order of the Taylor series brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from influence.quantum.explained import Explained
from influence.quantum.references import resolve
from influence.quantum.series import check_order, power_series
from sciml.errors import SolverError
from sciml.plotting.figure import Figure


@dataclass(frozen=True, eq=False)
class Orders:
    """Sums of the Taylor terms of each order.

    Attributes:
        terms: Σ_{|κ|=k} T_κ for k = 0 ... K, (batch, K + 1); column 0 is f(r).
        output: f(x), (batch,).
    """

    terms: Tensor
    output: Tensor

    @property
    def remainder(self) -> Tensor:
        """f(x) minus the sum up to each order, (batch, K + 1)."""
        return self.output[:, None] - self.terms.cumsum(dim=1)

    def plot(self, sample: int = 0) -> Figure:
        """Sizes of the terms and of what is still missing, by order.

        Args:
            sample: Row.

        Returns:
            A matplotlib figure.
        """
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axis = figure.subplots()
        order = np.arange(self.terms.shape[1])
        for values, label, mark in ((self.terms, "terms of this order", "o"), (self.remainder, "still missing", "s")):
            axis.semilogy(order, np.maximum(values[sample].abs().numpy(), 1e-17), marker=mark, label=label)
        axis.set_xlabel("order of the Taylor terms")
        axis.set_ylabel("absolute value")
        axis.legend(fontsize="small")
        return figure


def taylor_orders(model: Any, x: Any, reference: Any = 0.0, order: int = 12, output: int = 0) -> Orders:
    """p_k = Σ_{|κ|=k} ∂^κ f(r) (x - r)^κ / κ!, the coefficient of t^k in f(r + t(x - r)).

    `taylor_infinity(order=K)` shares p_1 + ... + p_K among the features; here is what K it takes.

    Args:
        model: A `QuantumNetwork`.
        x: (batch, features).
        reference: A point r or "root".
        order: The last order K.
        output: Number of the output.

    Returns:
        The sums by order.

    Raises:
        SolverError: If the order is no whole number >= 1, or the reference is no point.

    Example:
        >>> import torch
        >>> from sciml.quantum import Circuit, EncodingGate, QuantumNetwork
        >>> cosine = QuantumNetwork(Circuit(1, 1, [EncodingGate("RX", (0,), 0)], [{"Z0": 1.0}]))
        >>> taylor_orders(cosine, torch.ones(1, 1), order=4).terms[0, [0, 2, 4]].numpy().round(4)
        array([ 1.    , -0.5   ,  0.0417])
    """
    explained = Explained(model, x, output)
    explained.needed_network("taylor_orders")
    check_order(order)
    where = resolve(explained, reference)
    if where.points is None:
        raise SolverError("a reference point for a Taylor series", f"reference={where.name!r}", "reference=0.0")
    start = explained.angles(where.points)
    terms = power_series(explained, start, explained.angles(explained.x) - start, order).detach()
    return Orders(terms, explained.values(explained.x))
