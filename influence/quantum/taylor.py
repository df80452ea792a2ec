"""Taylor-infinity: the whole Taylor series of a circuit, regrouped into relevances; and exact Shapley values."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from influence.quantum.attribution import Attribution
from influence.quantum.explained import Explained
from influence.quantum.games import MAXIMUM_COALITIONS, PointGame, make_game
from influence.quantum.references import Reference, resolve
from influence.quantum.series import check_order, power_series
from influence.quantum.shapley_values import coalitions, gauss_legendre, shapley_from_coalitions
from sciml.errors import SolverError

SPLITS = ("support", "degree", "none")


def taylor_infinity(
    model: Any,
    x: Any,
    reference: Any = 0.0,
    split: str = "support",
    order: int | None = None,
    output: int = 0,
    *,
    route: str = "auto",
    candidates: Any = None,
    seed: int = 0,
) -> Attribution:
    """All Taylor terms T_κ = ∂^κ f(r) (z - r)^κ / κ!, shared among the features that they contain.

    Named after Gil-Fuster et al. 2024 (arXiv 2412.14753); the definition is this package's own: f is a finite Fourier
    sum, so the series converges absolutely and may be regrouped in any order.

    - "support": equal shares among the features of a term, R_i = Σ_{κ_i>0} T_κ / |{j: κ_j>0}|. As v(S) =
      f(z_S, r elsewhere) is the sum of the terms with support in S, the sum over one support is the Harsanyi
      dividend (1963), and R are the Shapley values.
    - "degree": shares κ_i/|κ|; as ∫_0^1 t^{|κ|-1} dt = 1/|κ|, R are the integrated gradients on the straight
      path (Sundararajan et al. 2017), here by Gauss-Legendre nodes to rounding.
    - "none": only pure terms, f(r + Δ_i e_i) - f(r); the conservation gap is what interactions make.

    References: a point; "root", the nearest zero of f towards a candidate of the other sign; "erasure" (encoding
    first): an absent block is maximally mixed; "uniform": f is averaged over the absent features.

    Args:
        model: A `QuantumNetwork`; with point references any callable from (batch, d) to (batch, m).
        x: (batch, features).
        reference: Number, (features,), (batch, features), "root", "erasure" or "uniform".
        split: "support", "degree" or "none".
        order: Only terms with |κ| <= order; point references only. 1 is gradient times Δ.
        output: Number of the output.
        route: How Shapley values are computed: "auto", "nodes", "coalitions", "dft", "rescaled" or "angles".
        candidates: Points in which "root" looks for the other sign; by default seeded random ones.
        seed: Their seed.

    Returns:
        The attribution; ΣR = f(x) - f(reference) unless `order` or split "none" leave terms out.

    Raises:
        SolverError: If split, reference, order and model do not fit together.

    Example:
        >>> import torch
        >>> from sciml.quantum import Circuit, EncodingGate, QuantumNetwork
        >>> gates = [EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1)]
        >>> network = QuantumNetwork(Circuit(2, 2, gates, [{"Z0 Z1": 1.0}]))
        >>> taylor_infinity(network, torch.tensor([[0.8, -1.2]])).values.numpy().round(4)
        array([[-0.2066, -0.5409]])
    """
    explained = Explained(model, x, output)
    where = resolve(explained, reference, candidates, seed)
    _check(where, split, order)
    if split == "support" and order is None:
        return _shapley(explained, where, route, "Taylor-infinity", {"split": split})
    values, used = _regrouped(explained, where, split, order, route)
    settings = {"reference": where.name, "split": split, "order": order, "route": used}
    return finish(explained, where, values, "Taylor-infinity", settings)


def shapley(model: Any, x: Any, reference: Any = 0.0, output: int = 0, *, route: str = "auto") -> Attribution:
    """Exact Shapley values of the features, by the cheapest exact route.

    Encoding-first circuits: ∫_0^1 ∂_i F(t, ..., t) dt with Owen's (1972) multilinear extension, which is the
    expectation in mixed states; ⌈d/2⌉ Gauss-Legendre nodes are exact. Others: all 2^d coalitions of the features
    in the light cone, or Fourier coefficients. Shapley values of circuits: Steinmüller et al. 2022, 2211.01441.

    Args:
        model: A `QuantumNetwork`; with point references any callable.
        x: (batch, features).
        reference: As for `taylor_infinity`.
        output: Number of the output.
        route: "auto", "nodes", "coalitions", "dft", "rescaled" or "angles".

    Returns:
        The attribution.

    Raises:
        SolverError: If no exact route is affordable, naming the sampled ones.
    """
    explained = Explained(model, x, output)
    return _shapley(explained, resolve(explained, reference), route, "Shapley", {})


def _shapley(explained: Explained, where: Reference, route: str, method: str, settings: dict[str, Any]) -> Attribution:
    game = make_game(explained, where, route)
    values = game.shapley()
    settings = {"reference": where.name, **settings, "route": game.route}
    return finish(explained, where, values, method, settings, game.players)


def _regrouped(explained: Explained, where: Reference, split: str, order: int | None, route: str) -> tuple[Tensor, str]:
    """Relevances that are no Shapley values, and how they were found."""
    if order is not None and where.points is not None:
        return _truncated(explained, where.points, split, order), "series"
    if split == "degree" and where.points is not None:
        return _degree(explained, where.points), "path"
    return _pure(explained, where, route)


def _check(where: Reference, split: str, order: int | None) -> None:
    if split not in SPLITS:
        raise SolverError(f"split {', '.join(SPLITS)}", repr(split), "")
    if order is not None:
        check_order(order)
    if where.points is None and (split == "degree" or order is not None):
        asked = 'split="degree"' if split == "degree" else f"order={order}"
        raise SolverError(
            f"a reference point for {asked}", f"reference={where.name!r}",
            'split="support": the game is multilinear in the states, so both splits coincide',
        )  # fmt: skip


def finish(
    explained: Explained,
    where: Reference,
    values: Tensor,
    method: str,
    settings: dict[str, Any],
    players: tuple[str, ...] | None = None,
) -> Attribution:
    """Add f(x) and the reference value.

    Args:
        explained: The model.
        where: The reference.
        values: (batch, players).
        method: Name.
        settings: Settings.
        players: Names; features by default.

    Returns:
        The attribution.
    """
    spent = explained.evaluations
    return Attribution(
        values.detach(), players or tuple(f"x{j}" for j in range(explained.features)), explained.values(explained.x),
        reference_value(explained, where), method, settings, spent,
        circuit=None if explained.network is None else explained.circuit,
    )  # fmt: skip


def reference_value(explained: Explained, where: Reference) -> Tensor:
    """Value of f with all features absent, (batch,).

    Args:
        explained: The model.
        where: The reference.

    Returns:
        (batch,).
    """
    if where.points is not None:
        return explained.values(where.points)
    game = make_game(explained, where)
    return game.values(torch.zeros(1, len(game.players), dtype=torch.bool))[:, 0]


def _degree(explained: Explained, reference: Tensor) -> Tensor:
    """∫_0^1 Δ_i ∂_i f(r + tΔ) dt: the integrand has frequencies up to Σ|s_g Δ|, which sets the number of nodes."""
    total = torch.zeros_like(explained.x)
    if explained.network is None:
        step = explained.x - reference
        for t, weight in zip(*gauss_legendre(64), strict=True):
            total += weight * step * explained.gradient(reference + t * step)
        return total
    start = explained.angles(reference)
    move = explained.angles(explained.x) - start
    reach = float(move.abs().sum(dim=1).max()) if move.numel() else 0.0
    for t, weight in zip(*gauss_legendre(math.ceil(reach / 2) + 12), strict=True):
        total += weight * explained.by_feature(move * explained.angle_gradient(start + t * move))
    return total


def _pure(explained: Explained, where: Reference, route: str) -> tuple[Tensor, str]:
    if where.points is not None:
        game: Any = PointGame(explained, where.points)
    else:
        game = make_game(explained, where, route)
    count = len(game.players)
    masks = torch.cat([torch.zeros(1, count, dtype=torch.bool), torch.eye(count, dtype=torch.bool)])
    values = game.values(masks)
    return values[:, 1:] - values[:, :1], game.route


def _truncated(explained: Explained, reference: Tensor, split: str, order: int) -> Tensor:
    if explained.network is None:
        if order == 1:
            return (explained.x - reference) * explained.gradient(reference)
        raise SolverError("a QuantumNetwork for order > 1", type(explained.model).__name__, "order=1, or order=None")
    start = explained.angles(reference)
    move = explained.angles(explained.x) - start
    if split == "degree":
        with torch.enable_grad():
            factor = torch.ones_like(explained.x, requires_grad=True)
            series = power_series(explained, start, move * factor[:, explained.gate_features], order)
            scaled = (series[:, 1:] / torch.arange(1, order + 1)).sum()
            return torch.autograd.grad(scaled, factor)[0] if scaled.requires_grad else torch.zeros_like(explained.x)
    game = PointGame(explained, reference)
    active = game.active
    if split == "support" and game.cost > MAXIMUM_COALITIONS / 16:
        raise SolverError("fewer coalitions for order with the support split", f"2^{len(active)} per sample", "fewer")
    masks = coalitions(len(active)) if split == "support" else torch.eye(len(active), dtype=torch.bool)
    columns = []
    for mask in masks:
        known = torch.zeros(explained.features, dtype=torch.float64)
        known[active] = mask.to(torch.float64)
        series = power_series(explained, start, move * known[explained.gate_features], order)
        columns.append(series[:, 1:].sum(dim=1))
    values = torch.stack(columns, dim=1) if columns else explained.x.new_zeros(len(start), 0)
    result = torch.zeros_like(explained.x)
    result[:, active] = shapley_from_coalitions(values, len(active)) if split == "support" else values
    return result
