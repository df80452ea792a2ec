"""Shapley values from single shots of a quantum computer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from influence.quantum.attribution import Attribution
from influence.quantum.explained import Explained
from influence.quantum.references import Reference, resolve
from influence.quantum.taylor import finish
from sciml.errors import SolverError
from sciml.quantum.network import sample_means

_DRAWS = 2**16  # coalitions held at once


@torch.no_grad()
def shapley_shots(
    model: Any, x: Any, shots: int = 1000, reference: Any = 0.0, output: int = 0, seed: int = 0
) -> Attribution:
    """Unbiased Shapley values from shots, two per player and draw.

    φ_i = ∫_0^1 E_{S∼t} [v(S ∪ i) - v(S)] dt, where S contains each other player with probability t (Owen 1972):
    draw t uniform in [0, 1], draw S, take one shot at S ∪ i and one at S. The variance is at most 4‖c‖₁²/N.
    Weights 1/t would have infinite variance. A feature is toggled at all of its uploads; with reference
    "erasure" an absent block starts in a random basis state, which gates inside the block leave fully mixed.

    Args:
        model: A `QuantumNetwork`.
        x: (batch, features).
        shots: Draws N per player.
        reference: Point, "root" or "erasure".
        output: Number of the output.
        seed: Seed of coalitions and shots.

    Returns:
        The attribution with standard errors. `conservation_gap` is a random number of mean zero.

    Raises:
        SolverError: If `shots` is below 2, or the reference is "uniform".

    Example:
        >>> import torch
        >>> from sciml.quantum import QuantumNetwork, encoding_first
        >>> result = shapley_shots(QuantumNetwork(encoding_first(2)), torch.tensor([[0.8, -1.2]]), shots=100)
        >>> result.standard_error.shape
        torch.Size([1, 2])
    """
    explained = Explained(model, x, output)
    explained.needed_network("shots")
    if isinstance(shots, bool) or not isinstance(shots, int) or shots < 2:
        raise SolverError("a whole number of shots >= 2 per player", repr(shots), "shots=1000")
    where = resolve(explained, reference)
    if where.name == "uniform":
        raise SolverError('a reference point, "root" or "erasure" for shots', "'uniform'", "shapley(...) is exact")
    players = _players(explained, where)
    generator = torch.Generator().manual_seed(seed)
    batch = len(explained.x)
    total = torch.zeros(2, batch, len(players), dtype=torch.float64)
    size = max(1, _DRAWS // max(1, batch * explained.circuit.qubits))
    inside = set(explained.cone.features_inside)
    for i, player in enumerate(players):
        if not inside & set(player):
            continue
        for begin in range(0, shots, size):
            gain = _gains(explained, where, players, i, min(size, shots - begin), generator)
            total[0, :, i] += gain.sum(dim=1)
            total[1, :, i] += (gain**2).sum(dim=1)
    mean = total[0] / shots
    error = ((total[1] / shots - mean**2).clamp(min=0) / (shots - 1)).sqrt()
    names = tuple("+".join(f"x{j}" for j in player) for player in players)
    made = finish(explained, where, mean, "Shapley by shots", {"reference": where.name, "shots": shots, "seed": seed},
                  names)  # fmt: skip
    return Attribution(**{**vars(made), "standard_error": error})


def _players(explained: Explained, where: Reference) -> list[tuple[int, ...]]:
    if where.name != "erasure":
        return [(j,) for j in range(explained.features)]
    blocks = [block.features for block in explained.circuit.encoding_blocks()]
    named = {j for features in blocks for j in features}
    return sorted([*blocks, *((j,) for j in range(explained.features) if j not in named)])


def _gains(
    explained: Explained, where: Reference, players: list[tuple[int, ...]], i: int, draws: int, source: torch.Generator
) -> Tensor:
    """One shot at S ∪ i minus one at S, (batch, draws)."""
    batch, count = len(explained.x), len(players)
    t = torch.rand(batch, draws, 1, generator=source, dtype=torch.float64)
    known = torch.rand(batch, draws, count, generator=source, dtype=torch.float64) < t
    outcomes = []
    for present in (True, False):
        known[..., i] = present
        exact = _values(explained, where, players, known, source)
        outcomes.append(sample_means(exact, explained.observable.identity, explained.observable.norm, 1, source))
    return outcomes[0] - outcomes[1]


def _values(
    explained: Explained, where: Reference, players: list[tuple[int, ...]], known: Tensor, source: torch.Generator
) -> Tensor:
    now = explained.angles(explained.x)[:, None]
    if where.points is not None:
        then = explained.angles(where.points)[:, None]
        return explained.of_angles(torch.where(known[..., explained.gate_features], now, then))
    n = explained.circuit.qubits
    bits = torch.zeros(known.shape[:2], dtype=torch.long)
    for block in explained.circuit.encoding_blocks():
        absent = ~known[..., players.index(block.features)]
        for qubit in block.qubits:
            coin = torch.rand(known.shape[:2], generator=source, dtype=torch.float64) < 0.5
            bits += (coin & absent).long() << (n - 1 - qubit)
    return explained.of_angles(now.expand(-1, known.shape[1], -1), bits)
