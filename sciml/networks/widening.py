"""A trained network made wider without a change of what it computes."""

from __future__ import annotations

import torch
from torch import nn

from sciml.errors import SolverError
from sciml.networks.mlp import MLP


def widen(network: MLP, narrow: MLP) -> MLP:
    """Let a wider network compute what a narrow one does; its further units are heard by no other yet.

    Function-preserving growth (Chen, Goodfellow & Shlens 2016, arXiv 1511.05641), with outgoing weights of 0 instead of
    copied units: two equal units have equal gradients and would stay equal. Incoming weights are those that `network`
    has, so that the further units differ from each other.

    Args:
        network: The wider one, bound to the same problem; its parameters and scales are overwritten.
        narrow: The narrow one, of the same depth.

    Returns:
        `network`.

    Raises:
        SolverError: If the two differ in more than their width, or the first is not wider.

    Example:
        >>> narrow, wide = (MLP(width, 2, inputs=1, outputs=1, seed=0) for width in (4, 6))
        >>> x = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
        >>> bool(torch.allclose(widen(wide, narrow)(x), narrow(x)))
        True
    """
    mine, theirs = ({**one.config(), "width": 0} for one in (network, narrow))
    if mine != theirs or not network.bound or network.width < narrow.width:
        raise SolverError("two bound networks that differ in their width alone", f"{network.config()}, "
                          f"{narrow.config()}", "give both the same depth, activation, inputs and outputs")  # fmt: skip
    pairs = list(zip(network.layers, narrow.layers, strict=True))
    with torch.no_grad():
        for number, (layer, old) in enumerate(pairs):
            assert isinstance(layer, nn.Linear)
            assert isinstance(old, nn.Linear)
            rows, columns = old.weight.shape
            layer.weight[:rows, :columns] = old.weight
            layer.bias[:rows] = old.bias
            if number:
                layer.weight[:rows, columns:] = 0.0
        for buffer, old_buffer in zip(network.buffers(), narrow.buffers(), strict=True):
            buffer.copy_(old_buffer)
    return network
