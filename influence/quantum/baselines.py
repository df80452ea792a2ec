"""Baselines: explanations that know nothing of circuits; they take any differentiable or plain callable."""

from __future__ import annotations

from typing import Any

import torch

from influence.quantum.attribution import Attribution
from influence.quantum.explained import Explained
from influence.quantum.games import PointGame
from influence.quantum.references import Reference, resolve
from influence.quantum.taylor import finish
from sciml.errors import SolverError
from sciml.quantum.gates import is_real


def gradient(model: Any, x: Any, output: int = 0) -> Attribution:
    """R = ∇f(x) (Simonyan et al. 2013, arXiv 1312.6034); its conservation gap is taken to the point 0.

    Args:
        model: A differentiable model.
        x: (batch, features).
        output: Number of the output.

    Returns:
        The attribution.
    """
    explained, where = _start(model, x, output)
    return finish(explained, where, explained.gradient(explained.x), "gradient", {})


def gradient_input(model: Any, x: Any, reference: Any = 0.0, output: int = 0) -> Attribution:
    """R_i = (x_i - r_i) ∂_i f(x).

    Args:
        model: A differentiable model.
        x: (batch, features).
        reference: r.
        output: Number of the output.

    Returns:
        The attribution.
    """
    explained, where = _start(model, x, output, reference)
    step = explained.x - _point(where)
    return finish(explained, where, step * explained.gradient(explained.x), "gradient x input", _named(where))


def smoothgrad(
    model: Any, x: Any, samples: int = 50, width: float = 0.15, output: int = 0, seed: int = 0
) -> Attribution:
    """Mean gradient over Gaussian noise (Smilkov et al. 2017, arXiv 1706.03825); the gap is taken to the point 0.

    Args:
        model: A differentiable model.
        x: (batch, features).
        samples: Noisy copies.
        width: Standard deviation of the noise.
        output: Number of the output.
        seed: Seed of the noise.

    Returns:
        The attribution, with standard errors over the copies.
    """
    _whole(samples, "samples", 2)
    _positive(width, "width")
    explained, where = _start(model, x, output)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((samples, *explained.x.shape), generator=generator, dtype=torch.float64)
    drawn = torch.stack([explained.gradient(explained.x + width * part) for part in noise])
    made = finish(explained, where, drawn.mean(dim=0), "SmoothGrad", {"samples": samples, "width": width, "seed": seed})
    return Attribution(**{**vars(made), "standard_error": drawn.std(dim=0) / samples**0.5})


def integrated_gradients(model: Any, x: Any, reference: Any = 0.0, steps: int = 32, output: int = 0) -> Attribution:
    """R_i = (x_i - r_i) ∫_0^1 ∂_i f(r + t(x - r)) dt by the midpoint rule (Sundararajan et al. 2017, 1703.01365).

    The gap shows the error of the rule; `taylor_infinity(split="degree")` has none.

    Args:
        model: A differentiable model.
        x: (batch, features).
        reference: r.
        steps: Points of the rule.
        output: Number of the output.

    Returns:
        The attribution.
    """
    _whole(steps, "steps")
    explained, where = _start(model, x, output, reference)
    step = explained.x - _point(where)
    total = torch.zeros_like(step)
    for k in range(steps):
        total += explained.gradient(_point(where) + (k + 0.5) / steps * step) / steps
    return finish(explained, where, step * total, "integrated gradients", {**_named(where), "steps": steps})


def occlusion(model: Any, x: Any, reference: Any = 0.0, output: int = 0) -> Attribution:
    """R_i = f(x) - f(x with x_i = r_i) (Zeiler & Fergus 2013, arXiv 1311.2901).

    Args:
        model: Any model.
        x: (batch, features).
        reference: r.
        output: Number of the output.

    Returns:
        The attribution.
    """
    explained, where = _start(model, x, output, reference)
    count = explained.features
    masks = torch.cat([torch.ones(1, count, dtype=torch.bool), ~torch.eye(count, dtype=torch.bool)])
    values = PointGame(explained, _point(where)).values(masks)
    return finish(explained, where, values[:, :1] - values[:, 1:], "occlusion", _named(where))


def exact_shapley(model: Any, x: Any, reference: Any = 0.0, output: int = 0) -> Attribution:
    """Shapley values (1953) by brute force over all coalitions of features.

    Args:
        model: Any model.
        x: (batch, features).
        reference: r.
        output: Number of the output.

    Returns:
        The attribution.
    """
    explained, where = _start(model, x, output, reference)
    return finish(explained, where, PointGame(explained, _point(where)).shapley(), "exact Shapley", _named(where))


@torch.no_grad()
def sampled_shapley(
    model: Any, x: Any, permutations: int = 32, reference: Any = 0.0, output: int = 0, seed: int = 0
) -> Attribution:
    """Shapley values from random orders of the features (Castro et al. 2009): each order conserves exactly.

    Args:
        model: Any model.
        x: (batch, features).
        permutations: Orders, the same for all samples.
        reference: r.
        output: Number of the output.
        seed: Seed of the orders.

    Returns:
        The attribution, with standard errors over the orders.
    """
    _whole(permutations, "permutations", 2)
    explained, where = _start(model, x, output, reference)
    count = explained.features
    generator = torch.Generator().manual_seed(seed)
    game = PointGame(explained, _point(where))
    drawn = torch.zeros(permutations, len(explained.x), count, dtype=torch.float64)
    for k in range(permutations):
        order = torch.randperm(count, generator=generator)
        masks = torch.zeros(count + 1, count, dtype=torch.bool)
        for place, feature in enumerate(order.tolist()):
            masks[place + 1 :, feature] = True
        drawn[k][:, order] = game.values(masks).diff(dim=1)
    settings = {**_named(where), "permutations": permutations, "seed": seed}
    made = finish(explained, where, drawn.mean(dim=0), "sampled Shapley", settings)
    return Attribution(**{**vars(made), "standard_error": drawn.std(dim=0) / permutations**0.5})


@torch.no_grad()
def surrogate(
    model: Any,
    x: Any,
    samples: int = 200,
    width: float = 0.75,
    ridge: float = 1e-3,
    reference: Any = 0.0,
    output: int = 0,
    seed: int = 0,
) -> Attribution:
    """Coefficients of a local linear model on random coalitions, weighted by nearness (LIME type, Ribeiro et al. 2016).

    Weights are exp(-(1 - √(|S|/d))²/width²), as in arXiv 1602.04938 for the cosine distance of a coalition.

    Args:
        model: Any model.
        x: (batch, features).
        samples: Random coalitions, besides the full one.
        width: Kernel width.
        ridge: Penalty of the coefficients.
        reference: r.
        output: Number of the output.
        seed: Seed of the coalitions.

    Returns:
        The attribution.
    """
    _whole(samples, "samples")
    _positive(width, "width")
    _positive(ridge, "ridge")
    explained, where = _start(model, x, output, reference)
    count = explained.features
    generator = torch.Generator().manual_seed(seed)
    masks = torch.rand(samples + 1, count, generator=generator) < 0.5
    masks[0] = True
    values = PointGame(explained, _point(where)).values(masks)
    share = masks.to(torch.float64)
    weight = torch.exp(-((1 - (share.mean(dim=1)).sqrt()) ** 2) / width**2)
    design = torch.cat([torch.ones(samples + 1, 1, dtype=torch.float64), share], dim=1)
    penalty = ridge * torch.eye(count + 1, dtype=torch.float64)
    penalty[0, 0] = 1e-12
    normal = design.T @ (weight[:, None] * design) + penalty
    coefficients = torch.linalg.solve(normal, design.T @ (weight[:, None] * values.T))
    settings = {**_named(where), "samples": samples, "width": width, "ridge": ridge, "seed": seed}
    return finish(explained, where, coefficients[1:].T, "linear surrogate", settings)


def _start(model: Any, x: Any, output: int, reference: Any = 0.0) -> tuple[Explained, Reference]:
    explained = Explained(model, x, output)
    where = resolve(explained, reference)
    if where.points is None:
        raise SolverError(
            "a reference point for a baseline", f"reference={where.name!r}",
            "taylor_infinity, shapley and qlrp know erasure and uniform references",
        )  # fmt: skip
    return explained, where


def _point(where: Reference) -> torch.Tensor:
    assert where.points is not None
    return where.points


def _named(where: Reference) -> dict[str, Any]:
    return {"reference": where.name}


def _whole(value: Any, name: str, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SolverError(f"{name}: a whole number >= {least}", repr(value), "")


def _positive(value: Any, name: str) -> None:
    if not is_real(value) or value <= 0:
        raise SolverError(f"{name}: a finite number > 0", repr(value), "")
