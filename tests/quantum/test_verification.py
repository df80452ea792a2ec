"""The verification table: values from brute force over all coalitions, reproduced to 1e-11."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from influence.quantum import Attribution, qlrp, shapley, taylor_infinity
from influence.quantum.explained import Explained
from influence.quantum.games import BlockGame
from influence.quantum.qlrp import _GateGame
from influence.quantum.references import Reference
from influence.quantum.shapley_values import shapley_from_extension
from sciml.quantum import QuantumNetwork

POINT = {"a": [0.8, -1.2], "b": [0.4, -0.9, 1.3, 0.7], "c": [0.8, -1.2]}


def case(dense: SimpleNamespace, name: str) -> tuple[QuantumNetwork, Tensor]:
    circuit = getattr(dense, name)()
    network = QuantumNetwork(circuit, parameters=torch.tensor(dense.theta(circuit)))
    return network, torch.tensor([POINT[name]], dtype=torch.float64)


def same(values: Tensor, table: str) -> None:
    expected = torch.tensor([float(v) for v in table.split()], dtype=torch.float64)
    assert float((values.reshape(-1) - expected).abs().max()) < 1e-11


def taylor(dense: SimpleNamespace, name: str, **options: Any) -> Attribution:
    return taylor_infinity(*case(dense, name), **options)


B_ERASED = "0.031815867105 -0.041923376080 -0.147916283562 -0.034606482439"


@pytest.mark.parametrize(
    ("name", "options", "table"),
    [
        ("a", {}, "-0.206596983201 -0.540945938071"),
        ("a", {"split": "degree"}, "-0.204290361312 -0.543252559960"),
        ("a", {"reference": "erasure"}, "0.126228539364 0.126228539364"),
        ("a", {"reference": "uniform"}, "0.126228539364 0.126228539364"),
        ("b", {}, "0.037494860869 -0.042813328867 0.001127050635 -0.046777432386"),
        ("b", {"split": "degree"}, "0.040256018473 -0.048034313037 0.011020219492 -0.054210774677"),
        ("b", {"reference": "erasure"}, B_ERASED),
        ("b", {"reference": "uniform"}, "0.035056527202 -0.132093725061 -0.008826241025 0.004667873791"),
        ("c", {}, "0.364777772237 -0.164007437191"),
        ("c", {"split": "degree"}, "0.426747715384 -0.225977380339"),
        ("c", {"reference": "uniform"}, "-0.015463454470 0.273946936642"),
    ],
)
def test_taylor(dense: SimpleNamespace, name: str, options: dict, table: str) -> None:
    result = taylor(dense, name, **options)
    same(result.values, table)
    assert float(result.conservation_gap.abs().max()) < 1e-12


@pytest.mark.parametrize(
    ("name", "route"),
    [("b", "nodes"), ("b", "coalitions"), ("b", "dft"), ("b", "angles"), ("c", "coalitions"), ("c", "angles")],
)
def test_every_route_gives_the_same(dense: SimpleNamespace, name: str, route: str) -> None:
    exact = taylor(dense, name)
    assert float((shapley(*case(dense, name), route=route).values - exact.values).abs().max()) < 1e-13
    if route in {"nodes", "dft", "angles"}:
        uniform = taylor(dense, name, reference="uniform")
        assert (
            float((taylor(dense, name, reference="uniform", route=route).values - uniform.values).abs().max()) < 1e-13
        )


def test_pure_terms(dense: SimpleNamespace) -> None:
    result = taylor(dense, "a", split="none")
    assert float((result.values - torch.cos(torch.tensor([POINT["a"]], dtype=torch.float64)) + 1).abs().max()) < 1e-14
    interaction = float(torch.prod(1 - torch.cos(torch.tensor(POINT["a"], dtype=torch.float64))))
    assert abs(float(result.conservation_gap) + interaction) < 1e-14


def test_values_of_f_and_of_the_references(dense: SimpleNamespace) -> None:
    results = [taylor(dense, "b", reference=r) for r in (0.0, "erasure", "uniform")]
    same(results[0].output, "-0.092630274977")
    same(torch.cat([r.reference_output for r in results]), "-0.041661425228 0.1 0.008565290116")
    results = [taylor(dense, "c", reference=r) for r in (0.0, "uniform")]
    same(results[0].output, "0.306820973732")
    same(torch.cat([r.reference_output for r in results]), "0.106050638687 0.048337491560")
    dephased = qlrp(*case(dense, "c"), rule="gate", gate_reference="dephased")
    assert abs(float(dephased.reference_output)) < 1e-14


def test_rule_e(dense: SimpleNamespace) -> None:
    same(qlrp(*case(dense, "b")).values, B_ERASED)


@pytest.mark.parametrize(
    ("options", "table"),
    [
        ({}, "0.335550788360 0.010268503527 0.059271585922 -0.204320542765"),
        ({"gate_reference": "dephased"}, "0.222262584947 0.150381870175 -0.051889510761 -0.013933970629"),
        ({"gate_rule": "telescoping"}, "0.374781012825 0.060340429330 -0.048909199403 -0.185441907707"),
    ],
)
def test_rule_g(dense: SimpleNamespace, options: dict, table: str) -> None:
    result = qlrp(*case(dense, "c"), rule="gate", **options)
    same(result.values, table)
    assert float(result.conservation_gap.abs().max()) < 1e-13


def test_two_nodes_are_exact_and_one_is_not(dense: SimpleNamespace) -> None:
    network, x = case(dense, "b")
    game = BlockGame(Explained(network, x), Reference("point", torch.zeros_like(x)))
    exact = taylor(dense, "b", route="coalitions").values
    assert abs(float((game.shapley(1) - exact).abs().max()) - 1.6e-3) < 1e-4
    assert float((game.shapley(2) - exact).abs().max()) < 1e-13
    network, x = case(dense, "c")
    gates = _GateGame(Explained(network, x), torch.zeros_like(x), "angle", False)
    many = shapley_from_extension(gates.value, 1, 4, 8)
    assert abs(float((shapley_from_extension(gates.value, 1, 4, 1) - many).abs().max()) - 1.6e-2) < 1e-3
    assert float((gates.mixed() - many).abs().max()) < 1e-13


@pytest.mark.parametrize(
    ("order", "error"), [(1, 4.0e-2), (2, 3.8e-2), (4, 9.8e-3), (8, 1.9e-4), (12, 1.5e-6), (16, 3.1e-9)]
)
def test_truncation(dense: SimpleNamespace, order: int, error: float) -> None:
    gap = taylor(dense, "b", order=order).values - taylor(dense, "b").values
    assert 0.95 * error < float(gap.abs().max()) < 1.05 * error
