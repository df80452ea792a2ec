"""The benchmark's truths are those of the mathematics, its page has a place for every table, failures are counted."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks import quantum, quantum_explanations
from benchmarks.quantum_pinn import decay_truth, grid, heat_truth
from benchmarks.quantum_tasks import TASKS
from influence.quantum import exact_shapley, shapley
from sciml.quantum import QuantumNetwork


def test_truths_of_the_equations() -> None:
    decay, heat = grid(((0, 2), (0, 1)), 4), grid(((0, 1), (0, 1)), 4)
    exact = exact_shapley(lambda z: torch.exp(-z[:, 0] * z[:, 1]), decay)
    assert torch.allclose(decay_truth(decay), exact.values, rtol=0, atol=1e-13)
    cooling = exact_shapley(lambda z: torch.exp(-(math.pi**2) * z[:, 1] / 5) * torch.sin(math.pi * z[:, 0]), heat)
    assert torch.allclose(heat_truth(heat), cooling.values, rtol=0, atol=1e-13)


def test_truths_of_the_tasks() -> None:
    additive, teacher = TASKS["additive"](3), TASKS["teacher"](3)
    assert additive.truth is not None
    assert torch.allclose(additive.truth.sum(dim=1), additive.test_y, rtol=0, atol=1e-13)
    slope = additive.truth / torch.sin(additive.test_x)
    assert torch.allclose(slope, slope[:1].expand_as(slope), rtol=0, atol=1e-10)
    assert teacher.truth is not None
    assert not bool(teacher.truth[:, 3:].any())
    drop = teacher.truth.sum(dim=1) - teacher.test_y  # minus the same f(0) everywhere
    assert float((drop - drop[0]).abs().max()) < 1e-12
    selector = TASKS["selector"](3)
    assert selector.mask is not None
    assert bool((selector.mask[:, :5].sum(dim=1) == 2).all())
    assert bool(selector.mask[:, 5].isnan().all())


def test_failed_trainings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(task: quantum_explanations.Task, seed: int) -> tuple[QuantumNetwork, float]:
        return QuantumNetwork(task.circuit, "affine", seed=seed), (0.5, 0.9, 0.95)[seed]

    methods = {"Taylor support": shapley, "occlusion": quantum_explanations.METHODS["occlusion"]}
    monkeypatch.setattr(quantum_explanations, "METHODS", methods)
    monkeypatch.setattr(quantum_explanations, "train", train)
    lines = quantum_explanations.scores_of("product", 3, 2)
    assert "R² 0.925, failed trainings 1 of 3" in lines[0]
    assert any(line.startswith("| random order |") for line in lines)
    assert any("paired over seeds: " in line and "occlusion" in line for line in lines)


def test_every_table_has_its_place_on_the_page() -> None:
    text = quantum.PAGE.read_text(encoding="utf-8")
    for name in quantum.sections(quick=True):
        made = quantum.put(text, name, ["new"])
        assert f"<!-- {name}: begin -->\nnew\n<!-- {name}: end -->" in made
        assert made.count("begin -->") == text.count("begin -->")
