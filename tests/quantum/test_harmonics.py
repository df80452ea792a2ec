"""Harmonics, orders and the map of uploads by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from influence.quantum import harmonics, qlrp, shapley, taylor_orders
from sciml.errors import SolverError
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, encoding_first, reuploading


def product() -> QuantumNetwork:
    """cos x0 cos(x1/2) + 0.25."""
    gates = [EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1, scale=0.5)]
    return QuantumNetwork(Circuit(2, 2, gates, [{"Z0 Z1": 1.0, "": 0.25}]))


def test_harmonics_by_hand() -> None:
    found = harmonics(product())
    assert {key: pytest.approx(value) for key, value in found.variance.items()} == {(0, 1): 0.25}
    assert found.top(1)[0] == (pytest.approx((1.0, -0.5)), pytest.approx(0.5))
    assert "x0·x1 100.0%" in str(found)
    z = torch.tensor([[0.3, -2.0]], dtype=torch.float64)
    assert float(found(z)) == pytest.approx(math.cos(0.3) * math.cos(1.0) + 0.25, abs=1e-12)
    dots = found.plot().axes[0].collections[0]
    assert len(dots.get_offsets()) == len(found.coefficients)
    assert harmonics(QuantumNetwork(reuploading(3, layers=1), seed=0)).plot().axes[0].patches


def test_variance_is_that_over_all_phases() -> None:
    network = QuantumNetwork(reuploading(2, layers=2), seed=3)
    phases = torch.arange(6, dtype=torch.float64) * (2 * math.pi / 6)
    values = network(torch.cartesian_prod(phases, phases)).detach()
    assert sum(harmonics(network).variance.values()) == pytest.approx(float(values.var(correction=0)), rel=1e-9)


def test_a_common_unit_of_scales_saves_evaluations() -> None:
    network = QuantumNetwork(reuploading(4, 2, layers=2, assignment=(0, 0, 1, 1), scales=[0.6, 1.2]), seed=0)
    cheap, plain = harmonics(network, route="rescaled"), harmonics(network, route="angles")
    assert 10 * cheap.evaluations < plain.evaluations
    assert harmonics(network).evaluations == cheap.evaluations
    z = torch.tensor([[0.3, 1.7], [-4.0, 9.0]], dtype=torch.float64)
    assert float((cheap(z) - plain(z)).abs().max()) < 1e-12


def test_refused() -> None:
    gates = [EncodingGate("RX", (0,), 0), FixedGate("H", (0,)), EncodingGate("RX", (0,), 0, scale=math.pi / 3)]
    odd = QuantumNetwork(Circuit(1, 1, gates, [{"Z0": 1.0}]))
    with pytest.raises(SolverError, match=r"common unit(.|\n)*1.0472 x0"):
        harmonics(odd, route="rescaled")
    with pytest.raises(SolverError, match=r"integer scales(.|\n)*1.0472 x0"):
        harmonics(odd, route="dft")
    assert float((harmonics(odd)(torch.ones(1, 1)) - odd(torch.ones(1, 1))[:, 0]).detach().abs()) < 1e-12
    bent = [EncodingGate("RX", (0,), 0), EncodingGate("RY", (0,), 0, transform="arccos")]
    with pytest.raises(SolverError, match="one transform per feature"):
        harmonics(QuantumNetwork(Circuit(1, 1, bent, [{"Z0": 1.0}])))
    with pytest.raises(SolverError, match="a QuantumNetwork for harmonics"):
        harmonics(lambda z: z)  # type: ignore[arg-type]
    with pytest.raises(SolverError, match="an output 0"):
        harmonics(odd, output=1)
    for order in (0, True, 2.0):
        with pytest.raises(SolverError, match="whole number >= 1"):
            taylor_orders(odd, torch.ones(1, 1), order=order)  # type: ignore[arg-type]
    with pytest.raises(SolverError, match="a reference point"):
        taylor_orders(QuantumNetwork(encoding_first(1)), torch.ones(1, 1), "erasure")


def test_orders_of_a_cosine() -> None:
    x = torch.tensor([[0.7, 0.4]], dtype=torch.float64)
    found = taylor_orders(product(), x, order=8)
    series = [np.polynomial.Polynomial([(-1) ** (k // 2) * a**k / math.factorial(k) if k % 2 == 0 else 0.0
                                        for k in range(9)]) for a in (0.7, 0.2)]  # fmt: skip
    by_hand = (series[0] * series[1]).coef[:9]
    by_hand[0] += 0.25
    assert found.terms[0].tolist() == pytest.approx(by_hand.tolist(), abs=1e-13)
    assert float(found.remainder[0, -1].abs()) < 1e-6
    lines = found.plot().axes[0].lines
    assert lines[0].get_ydata()[2] == pytest.approx(abs(by_hand[2]))


def test_map_of_uploads() -> None:
    network = QuantumNetwork(reuploading(2, layers=3), seed=0)
    x = torch.tensor([[0.4, -0.8]], dtype=torch.float64)
    result = qlrp(network, x, rule="gate")
    axis = result.plot("uploads").axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["x0 on q0", "x1 on q1"]
    assert np.allclose(axis.images[0].get_array(), result.values[0].reshape(3, 2).T)
    with pytest.raises(SolverError, match="players are gates"):
        shapley(network, x).plot("uploads")


def test_circuits_without_data() -> None:
    network = QuantumNetwork(Circuit(1, 2, [TrainableGate("RX", (0,), 0)], [{"Z0": 1.0}]), seed=1)
    x = torch.tensor([[0.4, -0.8]], dtype=torch.float64)
    exact = network(x).item()
    for route in ("auto", "nodes", "coalitions", "dft", "rescaled", "angles"):
        result = shapley(network, x, route=route)
        assert result.values.tolist() == [[0.0, 0.0]]
        assert result.output.item() == pytest.approx(exact)
    assert harmonics(network).top()[0] == ((0.0, 0.0), pytest.approx(abs(exact)))
    assert qlrp(network, x, rule="gate", gate_reference="dephased").values.shape == (1, 0)
    assert qlrp(network, x).values.tolist() == [[0.0, 0.0]]
