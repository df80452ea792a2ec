"""Metrics by hand, and the selector circuit whose scores the specification lists."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from influence.quantum import (
    Attribution,
    evaluate,
    exact_shapley,
    gradient,
    gradient_input,
    integrated_gradients,
    occlusion,
    qlrp,
    shapley,
    taylor_infinity,
)
from influence.quantum.metrics import rank_correlation, ranking
from sciml.errors import SolverError
from sciml.quantum import Circuit, EncodingGate, QuantumNetwork, encoding_first


def test_ranking_by_hand() -> None:
    nan = math.nan
    scores = torch.tensor([[0.9, 0.8, 0.1, 9.0], [0.5, 0.5, 0.2, 9.0]])
    mask = torch.tensor([[1.0, 0.0, 1.0, nan], [1.0, 0.0, 0.0, nan]])
    assert ranking(scores, mask) == pytest.approx((0.5 + 0.75) / 2)
    assert ranking(scores, mask, "ap") == pytest.approx(((1 + 2 / 3) / 2 + 0.5) / 2)
    assert math.isnan(ranking(scores, torch.ones(2, 4)))
    assert rank_correlation(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, 4.0, 9.0]])) == pytest.approx(1)


def test_metrics_of_an_additive_model() -> None:
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    x = 0.5 + torch.rand(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def model(z: Tensor) -> Tensor:
        return z @ weights

    table = evaluate(exact_shapley, model, x, mask=torch.tensor([[0.0, 1.0, 0.0, 1.0]]).expand(6, 4))
    assert table["sensitivity-n"] == pytest.approx(1)
    assert table["shapley distance"] == pytest.approx(0, abs=1e-14)
    assert table["auc"] > 0.9
    assert 0 < table["max-sensitivity"] < 0.2
    assert math.isnan(table["randomisation"])
    assert math.isnan(table["deletion erasure"])
    sign = model(x).sign()
    relevance = (x * weights) * sign[:, None]
    total = relevance.sum(dim=1)
    by_hand = torch.stack([total - relevance.sort(descending=True).values[:, :k].sum(dim=1) for k in range(5)], dim=1)
    assert table["deletion 0"] == pytest.approx(float(by_hand.mean()))
    kept = torch.stack([relevance.sort(descending=True).values[:, :k].sum(dim=1) for k in range(5)], dim=1)
    assert table["insertion 0"] == pytest.approx(float(kept.mean()))
    assert table["deletion 0"] < table["deletion 0 random"] < table["insertion 0"]


def test_metrics_of_a_network() -> None:
    network = QuantumNetwork(encoding_first(4, layers=2), seed=0)
    x = torch.rand(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    table = evaluate(occlusion, network, x)
    assert table["shot robustness 100"] < table["shot robustness 1000"] <= 1
    assert -1 <= table["randomisation"] < 0.9
    assert "deletion uniform" in str(table)
    again = ["max-sensitivity", "randomisation", "shot robustness"]
    for name, value in evaluate(occlusion, network, x, again).scores.items():
        assert value == pytest.approx(table[name], rel=1e-9)
    assert math.isnan(evaluate(qlrp, network, x, ["shot robustness"])["shot robustness 100"])
    grouped = QuantumNetwork(encoding_first(3, 6, layers=1, axis="YX"), seed=0)
    z = torch.rand(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    table = evaluate(qlrp, grouped, z, ["auc", "deletion", "sensitivity-n", "shapley distance"], mask=torch.ones(3, 6))
    assert math.isnan(table["auc"])
    assert math.isnan(table["deletion 0"])
    assert table["sensitivity-n"] <= 1
    assert table["shapley distance"] < 1e-12
    with pytest.raises(SolverError, match="metrics auc"):
        evaluate(occlusion, network, x, ["beauty"])
    with pytest.raises(SolverError, match="mask"):
        evaluate(occlusion, network, x, ["auc"])


def test_sensitivity_stays_where_features_are_defined() -> None:
    gates = [EncodingGate("RX", (0,), 0, transform="arccos"), EncodingGate("RY", (0,), 1), EncodingGate("RX", (0,), 2)]
    network = QuantumNetwork(Circuit(1, 3, gates, [{"Z0": 1.0}]))
    edge = torch.tensor([[1.0, 0.2, 0.3], [-1.0, 0.5, -0.4]], dtype=torch.float64)
    assert evaluate(occlusion, network, edge, ["max-sensitivity"])["max-sensitivity"] > 0


def selector(rng: np.random.Generator) -> tuple[QuantumNetwork, Tensor, Tensor]:
    """½(1 + sin x5) sin x0 sin x1 + ½(1 - sin x5) sin x2 sin x3 as a circuit: Y has expectation -sin after RX."""
    terms = {"Y0 Y1": 0.5, "Y0 Y1 Y5": -0.5, "Y2 Y3": 0.5, "Y2 Y3 Y5": 0.5}
    circuit = Circuit(6, 6, [EncodingGate("RX", (j,), j) for j in range(6)], [terms])
    size = np.column_stack([rng.uniform(0.5, 2.6, (200, 5)), rng.uniform(0.9, 2.2, 200)])
    x = torch.tensor(size * rng.choice([-1, 1], size.shape))
    mask = torch.zeros(200, 6, dtype=torch.float64)
    mask[:, :2] = (x[:, 5:] > 0).double()
    mask[:, 2:4] = (x[:, 5:] < 0).double()
    mask[:, 5] = math.nan
    return QuantumNetwork(circuit), x, mask


def test_selector_is_its_formula() -> None:
    network, x, _ = selector(np.random.default_rng(0))
    s = torch.sin(x)
    formula = (1 + s[:, 5]) / 2 * s[:, 0] * s[:, 1] + (1 - s[:, 5]) / 2 * s[:, 2] * s[:, 3]
    assert float((network(x)[:, 0] - formula).detach().abs().max()) < 1e-13


def background(rng: np.random.Generator) -> dict[str, float]:
    """Gaussian coefficients of Frobenius norm 0.45 on {1, sin, cos}^6: after RX, <Z> = cos and <Y> = -sin."""
    words = list(itertools.product("IYZ", repeat=6))
    values = rng.normal(size=len(words))
    values *= 0.45 / np.linalg.norm(values)
    return {" ".join(f"{p}{q}" for q, p in enumerate(w) if p != "I"): float(v)
            for w, v in zip(words, values, strict=True)}  # fmt: skip


def absolute_gradient(model: Any, x: Tensor) -> Attribution:
    """Ranked by |gradient| whatever the sign of f, which the metrics multiply by."""
    signed = gradient(model, x)
    return replace(signed, values=signed.values.abs() * signed.output.sign()[:, None])


@pytest.mark.slow
def test_the_training_free_table() -> None:
    expected = {
        "grad": (0.89, 0.09, 0.08), "grad x": (0.89, 0.14, 0.16), "IG": (0.85, 0.03, 0.06),
        "occlusion": (0.99, 0.035, 0.046), "pure": (0.48, 0.14, 0.19), "support": (0.96, 0.016, 0.042),
        "rule E": (0.995, 0.035, 0.035),
    }  # fmt: skip
    methods: dict[str, Any] = {
        "grad": absolute_gradient, "grad x": gradient_input, "IG": integrated_gradients, "occlusion": occlusion,
        "pure": lambda m, z: taylor_infinity(m, z, split="none"), "support": shapley, "rule E": qlrp,
    }  # fmt: skip
    found: dict[str, list[list[float]]] = {name: [] for name in methods}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plain, x, mask = selector(rng)
        terms = plain.circuit.observables[0].to_dict()
        for string, value in background(rng).items():
            terms[string] = terms.get(string, 0.0) + value
        network = QuantumNetwork(Circuit(6, 6, plain.circuit.gates, [terms]))
        for name, method in methods.items():
            table = evaluate(method, network, x, ["auc", "deletion"], mask=mask)
            found[name].append([table["auc"], table["deletion 0"], table["deletion erasure"]])
    for name, values in found.items():
        mean = np.mean(values, axis=0)
        assert abs(mean[0] - expected[name][0]) < (0.12 if name == "pure" else 0.02), (name, mean)
        assert np.abs(mean[1:] - expected[name][1:]).max() < 0.04, (name, mean)
