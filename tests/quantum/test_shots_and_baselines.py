"""Sampled explanations cover the exact ones; baselines by hand; attributions say and draw what they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from influence.quantum import (
    exact_shapley,
    gradient,
    gradient_input,
    integrated_gradients,
    occlusion,
    qlrp,
    sampled_shapley,
    shapley,
    shapley_shots,
    smoothgrad,
    surrogate,
    taylor_infinity,
)
from sciml.errors import SolverError
from sciml.quantum import QuantumNetwork, encoding_first, reuploading

BLOCKED = encoding_first(2, 3, layers=2, axis="YX", observables=[{"Z0": 1.0, "X1": 0.5, "": 0.3}])


def points(batch: int, features: int, seed: int = 0) -> Tensor:
    return 2 * torch.rand(batch, features, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.mark.parametrize(
    ("network", "reference"),
    [(QuantumNetwork(reuploading(2, layers=2), seed=0), 0.3), (QuantumNetwork(BLOCKED, seed=1), "erasure")],
)
def test_shots_cover_the_exact_values(network: QuantumNetwork, reference: Any) -> None:
    x = points(40, network.circuit.features)
    exact = shapley(network, x, reference)
    norm = network.observable().norm
    deviations = {}
    for shots in (200, 3200):
        drawn = shapley_shots(network, x, shots, reference, seed=1)
        assert drawn.players == exact.players
        assert drawn.standard_error is not None
        inside = (drawn.values - exact.values).abs() < 1.96 * drawn.standard_error
        assert 0.86 < float(inside.double().mean()) <= 1
        assert bool((drawn.standard_error <= 2 * norm / (shots - 1) ** 0.5).all())
        deviations[shots] = float((drawn.values - exact.values).square().mean().sqrt())
    assert 2.8 < deviations[200] / deviations[3200] < 5.6


def test_sampled_shapley_covers_and_conserves() -> None:
    network = QuantumNetwork(reuploading(4, layers=2), seed=0)
    x = points(10, 4)
    drawn = sampled_shapley(network, x, 100, seed=3)
    exact = exact_shapley(network, x)
    assert drawn.standard_error is not None
    assert float(drawn.conservation_gap.abs().max()) < 1e-13
    assert bool(((drawn.values - exact.values).abs() <= 4 * drawn.standard_error + 1e-12).all())
    assert torch.allclose(exact.values, shapley(network, x).values, atol=1e-13)


def polynomial(x: Tensor) -> Tensor:
    return (x[:, 0] ** 2 * x[:, 1] + 3 * x[:, 2])[:, None]


def test_baselines_by_hand() -> None:
    x = torch.tensor([[2.0, 3.0, -1.0]], dtype=torch.float64)
    table = {
        gradient: [12.0, 4.0, 3.0], gradient_input: [24.0, 12.0, -3.0], occlusion: [12.0, 12.0, -3.0],
        exact_shapley: [6.0, 6.0, -3.0],
    }  # fmt: skip
    for method, values in table.items():
        assert method(polynomial, x).values[0].tolist() == pytest.approx(values, rel=1e-12)
    path = integrated_gradients(polynomial, x, steps=200)
    assert torch.allclose(path.values, torch.tensor([[8.0, 4.0, -3.0]]).double(), atol=1e-3)
    assert 1e-9 < float(path.conservation_gap.abs()) < 1e-3
    assert torch.allclose(taylor_infinity(polynomial, x, split="degree").values, path.values, atol=1e-3)
    assert torch.allclose(taylor_infinity(polynomial, x).values, exact_shapley(polynomial, x).values, rtol=1e-12)
    noisy = smoothgrad(polynomial, x, samples=400, width=0.1)
    assert noisy.standard_error is not None
    difference = (noisy.values - torch.tensor([[12.0, 4.01, 3.0]]).double()).abs()
    assert bool((difference <= 4 * noisy.standard_error + 1e-9).all())


def test_surrogate_recovers_a_linear_model() -> None:
    x = points(3, 4)
    weights = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
    result = surrogate(lambda z: z @ weights + 7, x, samples=300, ridge=1e-9, reference=0.25)
    assert torch.allclose(result.values, weights * (x - 0.25), atol=1e-8)


@pytest.mark.parametrize("method", [smoothgrad, sampled_shapley, surrogate, shapley_shots])
def test_seeded(method: Any) -> None:
    network, x = QuantumNetwork(reuploading(2, layers=1), seed=0), points(2, 2)
    assert torch.equal(method(network, x, seed=4).values, method(network, x, seed=4).values)
    assert not torch.equal(method(network, x, seed=4).values, method(network, x, seed=5).values)


def test_refused() -> None:
    network, x = QuantumNetwork(reuploading(2, layers=1), seed=0), points(2, 2)
    with pytest.raises(SolverError, match="reference point for a baseline"):
        occlusion(QuantumNetwork(BLOCKED), points(1, 3), reference="erasure")
    with pytest.raises(SolverError, match="shots >= 2"):
        shapley_shots(network, x, shots=1)
    with pytest.raises(SolverError, match="for shots"):
        shapley_shots(network, x, reference="uniform")
    with pytest.raises(SolverError, match="steps"):
        integrated_gradients(network, x, steps=0)
    with pytest.raises(SolverError, match="differentiate"):
        gradient(lambda z: z.detach(), x)


def test_attributions_say_and_draw_what_they_are() -> None:
    network, x = QuantumNetwork(reuploading(2, 4, layers=2, assignment=(0, 3)), seed=0), points(2, 4)
    result = shapley_shots(network, x, 50)
    text = str(result)
    assert "Shapley by shots(reference='point', shots=50" in text
    assert "conservation gap" in text
    assert "f(reference)" in text
    bars = result.plot(sample=1)
    assert "reference" in bars.axes[0].get_title()
    assert [label.get_text() for label in bars.axes[0].get_yticklabels()] == ["x0", "x1", "x2", "x3"]
    widths = [patch.get_width() for patch in bars.axes[0].patches]
    assert widths == pytest.approx(result.values[1].tolist())
    image = result.plot(shape=(2, 2))
    assert image.axes[0].images[0].get_array().tolist() == result.values[0].reshape(2, 2).tolist()
    assert result.plot("circuit").axes
    gates = qlrp(network, x, rule="gate")
    assert len(gates.gates) == len(gates.players) == 4
    assert gates.plot().axes
    assert qlrp(QuantumNetwork(BLOCKED), points(1, 3)).plot("circuit").axes
    with pytest.raises(SolverError, match="rows, columns"):
        result.plot(shape=(3, 2))
    with pytest.raises(SolverError, match="a model with a circuit"):
        occlusion(polynomial, points(1, 3)).plot("circuit")
