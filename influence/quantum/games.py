"""Games: what f is worth when only some features are known, for each kind of circuit and reference."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from influence.quantum.blocks import BlockStates, block_states, observable_at_cut
from influence.quantum.explained import Explained
from influence.quantum.references import Reference
from influence.quantum.shapley_values import coalitions, shapley_from_coalitions, shapley_from_extension
from influence.quantum.spectrum import Spectrum, spectrum
from sciml.errors import SolverError

MAXIMUM_COALITIONS = 2**22
FOURIER = ("dft", "rescaled", "angles")
_NUMBERS = 2**24  # numbers held at once


class Game(Protocol):
    """Players, coalition values v(S) and exact Shapley values."""

    players: tuple[str, ...]
    route: str

    def values(self, masks: Tensor) -> Tensor:
        """Values v(S) of coalitions: (subsets, players) or (batch, subsets, players), Boolean -> (batch, subsets)."""
        ...

    def shapley(self) -> Tensor:
        """Exact Shapley values, (batch, players)."""
        ...


class PointGame:
    """v(S) = f(x on S, r elsewhere), for any model; Shapley values over all coalitions of features that differ.

    Args:
        explained: The model.
        reference: (batch, features).
    """

    route = "coalitions"

    def __init__(self, explained: Explained, reference: Tensor) -> None:
        self.explained, self.reference = explained, reference
        self.players = tuple(f"x{j}" for j in range(explained.features))

    @cached_property
    def active(self) -> list[int]:
        """Features that can matter: inside the light cone, and not equal to the reference everywhere."""
        moved = (self.explained.x != self.reference).any(dim=0).tolist()
        inside = range(self.explained.features)
        if self.explained.network is not None:
            inside = self.explained.cone.features_inside
        return [j for j in inside if moved[j]]

    @property
    def cost(self) -> float:
        """Circuit evaluations of exact Shapley values."""
        return 2.0 ** len(self.active) * len(self.explained.x)

    def values(self, masks: Tensor) -> Tensor:
        """See `Game`."""
        known = masks if masks.ndim == 3 else masks[None]
        x, r = self.explained.x[:, None], self.reference[:, None]
        size = max(1, _NUMBERS // max(1, known.shape[-2] * known.shape[-1]))
        parts = []
        for i in range(0, len(x), size):
            piece = known if len(known) == 1 else known[i : i + size]
            parts.append(self.explained.values(torch.where(piece, x[i : i + size], r[i : i + size])))
        return torch.cat(parts) if parts else torch.zeros(0, known.shape[-2], dtype=torch.float64)

    def shapley(self) -> Tensor:
        """See `Game`."""
        if self.cost > MAXIMUM_COALITIONS:
            raise SolverError(
                f"at most {MAXIMUM_COALITIONS} evaluations over all coalitions",
                f"{len(self.explained.x)} samples, 2^{len(self.active)} coalitions each",
                "fewer samples, shapley_shots or sampled_shapley",
            )
        masks = torch.zeros(2 ** len(self.active), self.explained.features, dtype=torch.bool)
        masks[:, self.active] = coalitions(len(self.active))
        result = torch.zeros_like(self.explained.x)
        result[:, self.active] = shapley_from_coalitions(self.values(masks), len(self.active))
        return result


class BlockGame:
    """Encoding-first circuits: F(λ) = Tr[M ⊗_B Σ_{S⊆B} w_S(λ) ρ_B(S)] with M = W†M_0W at the cut.

    Args:
        explained: The model.
        reference: Point, root, erasure or uniform.

    Raises:
        SolverError: If the circuit is not encoding-first, or has too many qubits.
    """

    route = "nodes"

    def __init__(self, explained: Explained, reference: Reference) -> None:
        self.explained = explained
        self.observable = observable_at_cut(explained)
        self.blocks = block_states(explained, reference, self.observable)
        named = {player for block in self.blocks for player in block.players}
        lonely = [(j,) for j in range(explained.features) if not any(j in player for player in named)]
        order = sorted([*named, *lonely])
        self.players = tuple("+".join(f"x{j}" for j in player) for player in order)
        self._place = {player: k for k, player in enumerate(order)}
        self.degree = sum(len(block.players) for block in self.blocks if block.active)

    def extension(self, share: Tensor, rows: slice = slice(None)) -> Tensor:
        """F(λ) of some samples: (batch, players) -> (batch,)."""
        tensor = self.observable.coordinates  # (4^|B_1| ... 4^|B_k|,)
        value = tensor[:, None]
        for block in reversed(self.blocks):
            if not block.active:
                continue
            weights = _subset_weights([share[:, self._place[player]] for player in block.players])
            states = block.coordinates if len(block.coordinates) == 1 else block.coordinates[rows]
            mixed = torch.einsum("bs,bsp->bp", weights, states.expand(len(weights), -1, -1))
            value = value.reshape(-1, mixed.shape[1], value.shape[-1])
            value = value[..., 0] @ mixed.T if value.shape[-1] == 1 else torch.einsum("rpb,bp->rb", value, mixed)
        return value.reshape(-1).expand(len(share)) if value.shape[-1] == 1 else value.reshape(-1)

    @cached_property
    def _pieces(self) -> list[slice]:
        size = max(1, _NUMBERS // max(1, self.observable.coordinates.numel() // 2))
        return [slice(i, i + size) for i in range(0, len(self.explained.x), size)]

    def shapley(self, nodes: int | None = None) -> Tensor:
        """See `Game`; by default as many nodes as are exact."""
        count = math.ceil(self.degree / 2) if nodes is None else nodes
        parts = []
        for rows in self._pieces:
            size = len(self.explained.x[rows])
            self.explained.evaluations += size * max(count, 1)
            parts.append(
                shapley_from_extension(
                    lambda share, rows=rows: self.extension(share, rows), size, len(self.players), count  # type: ignore[misc]
                )
            )  # fmt: skip
        return torch.cat(parts) if parts else torch.zeros(0, len(self.players), dtype=torch.float64)

    def values(self, masks: Tensor) -> Tensor:
        """See `Game`."""
        batch = len(self.explained.x)
        known = (masks if masks.ndim == 3 else masks[None]).expand(batch, -1, -1).to(torch.float64)
        columns = []
        for k in range(known.shape[1]):
            columns.append(torch.cat([self.extension(known[rows, k], rows) for rows in self._pieces]))
            self.explained.evaluations += batch
        return torch.stack(columns, dim=1)


class SpectrumGame:
    """Any circuit whose Fourier coefficients can be had: F(λ) = Re Σ_ω c_ω Π_j ((1-λ_j) a_j + λ_j e^{iω_j z_j}).

    a_j is e^{iω_j r_j} for a reference point, and [ω_j = 0] for the uniform reference.

    Args:
        explained: The model.
        reference: Point, root or uniform.
        route: "dft", "rescaled", "angles" or "auto".
    """

    def __init__(self, explained: Explained, reference: Reference, route: str = "auto") -> None:
        self.explained = explained
        self.spectrum: Spectrum = spectrum(explained, route)
        self.route = self.spectrum.route
        self.players = tuple(f"x{j}" for j in range(explained.features))
        z = explained.encoded(explained.x)
        self._waves = torch.polar(torch.ones(()).double(), z[:, None] * self.spectrum.frequencies)
        if reference.points is None:
            self._absent = self.spectrum.silent.to(torch.complex128)[None]
        else:
            r = explained.encoded(reference.points)
            self._absent = torch.polar(torch.ones(()).double(), r[:, None] * self.spectrum.frequencies)

    def extension(self, share: Tensor) -> Tensor:
        """F(λ): (..., batch, players) -> (..., batch)."""
        mixed = self._absent + share[..., None, :] * (self._waves - self._absent)
        return (mixed.prod(dim=-1) @ self.spectrum.coefficients).real

    def shapley(self) -> Tensor:
        """See `Game`."""
        nodes = math.ceil(int((~self.spectrum.silent).any(dim=0).sum()) / 2)
        return shapley_from_extension(self.extension, len(self.explained.x), len(self.players), nodes)

    def values(self, masks: Tensor) -> Tensor:
        """See `Game`."""
        known = (masks if masks.ndim == 3 else masks[None]).expand(len(self.explained.x), -1, -1).to(torch.float64)
        return torch.stack([self.extension(known[:, k]) for k in range(known.shape[1])], dim=1)


def _subset_weights(shares: list[Tensor]) -> Tensor:
    """Π_{i∈S} λ_i Π_{i∉S} (1-λ_i) for all subsets in the order of `coalitions`, (batch, 2^m)."""
    weights = torch.ones(len(shares[0]), 1, dtype=torch.float64)
    for share in shares:  # a new player is the highest bit so far
        weights = torch.cat([weights * (1 - share)[:, None], weights * share[:, None]], dim=1)
    return weights


def make_game(explained: Explained, reference: Reference, route: str = "auto") -> Game:
    """The cheapest exact game.

    Args:
        explained: The model.
        reference: The reference.
        route: "auto", "nodes", "coalitions", "dft", "rescaled" or "angles".

    Returns:
        The game.

    Raises:
        SolverError: If the route does not fit model and reference.
    """
    if route not in {"auto", "nodes", "coalitions", *FOURIER}:
        raise SolverError("a route auto, nodes, coalitions, dft, rescaled or angles", repr(route), "")
    if reference.name == "erasure" or route == "nodes":
        explained.needed_network("Pauli coordinates")
        if route not in {"auto", "nodes"}:
            raise SolverError('route "nodes" for reference="erasure"', repr(route), "")
        return BlockGame(explained, reference)
    if reference.points is None or route in FOURIER:
        if route == "coalitions":
            raise SolverError('route "nodes" or a Fourier route for reference="uniform"', repr(route), "")
        if route == "auto" and _encoding_first(explained):
            return BlockGame(explained, reference)
        return SpectrumGame(explained, reference, route)
    game = PointGame(explained, reference.points)
    if route == "coalitions" or explained.network is None or game.cost <= 16:
        return game
    if _encoding_first(explained):
        return BlockGame(explained, reference)
    if game.cost > MAXIMUM_COALITIONS:
        try:
            return SpectrumGame(explained, reference)
        except SolverError:
            return game
    return game


def _encoding_first(explained: Explained) -> bool:
    try:
        explained.circuit.encoding_blocks()
    except SolverError:
        return False
    return explained.circuit.qubits <= 10


__all__ = ["BlockGame", "BlockStates", "Game", "PointGame", "SpectrumGame", "make_game"]
