"""The circuit view: what it holds, and what clicks, keys and the slider do in a browser without a kernel."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("anywidget", reason="anywidget is not installed (extra notebook)")

import traitlets

from influence.quantum import exact_shapley, qlrp, shapley, shapley_shots
from sciml.errors import SolverError
from sciml.notebook.circuit_view import CircuitView
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, encoding_first, reuploading

X = torch.tensor([[0.4, -0.9], [1.2, 0.3], [-0.5, 0.8]], dtype=torch.float64)


def network() -> QuantumNetwork:
    """Two uploads of two features, entanglers of all kinds, and a last gate that can't matter."""
    data = [EncodingGate("RX", (q,), q) for q in range(2)]
    turns = [TrainableGate("RY", (q,), q) for q in range(2)]
    middle = [FixedGate("CZ", (0, 1)), FixedGate("CNOT", (1, 0)), FixedGate("SWAP", (0, 1)), FixedGate("H", (0,))]
    gates = [*data, *turns, *middle, *data, *turns, FixedGate("Z", (0,))]
    return QuantumNetwork(Circuit(2, 2, gates, [{"Z0": 1.0, "Z0 Z1": 0.5}]), seed=3)


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f8")


def view() -> CircuitView:
    return CircuitView([shapley(network(), X), qlrp(network(), X, rule="gate")], X)


def test_state_holds_the_numbers() -> None:
    made, exact = view(), shapley(network(), X)
    features, gates = made.state["explanations"]
    assert np.array_equal(decoded(features["values"]).reshape(3, 2), exact.values)
    assert features["player_of"] == [0, 1, -1, -1, -1, -1, -1, -1, 0, 1, -1, -1, -1]
    assert gates["player_of"] == [0, 1, -1, -1, -1, -1, -1, -1, 2, 3, -1, -1, -1]
    assert [gate["inside"] for gate in made.state["gates"]][-1] is False
    assert made.state["points"] == X.tolist()
    sampled = CircuitView(shapley_shots(network(), X, 50))
    assert decoded(sampled.state["explanations"][0]["error"]).min() > 0


def test_players_that_are_groups_of_features() -> None:
    wide = QuantumNetwork(encoding_first(2, 4, layers=1, axis="YX"), seed=0)
    made = CircuitView(qlrp(wide, torch.ones(2, 4)))
    assert made.state["explanations"][0]["player_of"][:4] == [0, 1, 0, 1]
    made.select("x0+x2")
    assert made.relevance() is not None


def test_selection_is_a_traitlet_and_checked() -> None:
    made, seen = view(), []
    made.observe(lambda change: seen.append(change["new"]), names="selection")
    made.select("x1")
    made.sample = 2
    assert (seen, made.relevance()) == (["x1"], pytest.approx(float(shapley(network(), X).values[2, 1])))
    made.explanation = 1
    assert made.relevance() is None
    with pytest.raises(SolverError, match="a player among RX"):
        made.select("x1")
    with pytest.raises(traitlets.TraitError, match=r"sample 0 ... 2"):
        made.sample = 3


def test_refused() -> None:
    exact = shapley(network(), X)
    for bad in ([], exact_shapley(lambda z: z, X), [exact, shapley(network(), X[:2])],
                [exact, shapley(QuantumNetwork(reuploading(2)), X)]):  # fmt: skip
        with pytest.raises(SolverError, match="explanations of"):
            CircuitView(bad)
    with pytest.raises(SolverError, match=r"points \(3, 2\)"):
        CircuitView(exact, X[:, :1])


def test_explore_and_its_static_figure() -> None:
    exact = shapley(network(), X)
    made = exact.explore(qlrp(network(), X, rule="gate"), points=X)
    assert isinstance(made, CircuitView)
    assert made.figure().axes


def picture(page: Any) -> Any:
    return page.locator(".sciml-view")


def told(page: Any) -> str:
    return str(page.locator(".sciml-told").inner_text())


def test_click_on_a_gate_shows_its_relevance(show: Any) -> None:
    made = view()
    page = show(made)
    page.locator("[data-gate='8'] [data-box]").click()
    assert picture(page).get_attribute("data-selection") == "x0"
    relevance = float(made.attributions[0].values[0, 0])
    assert f"x0: relevance {relevance:.3g}" in told(page)
    assert "(2 gates); sample 0: x = (0.4, -0.9)" in told(page)
    pressed = [page.locator(f"[data-gate='{k}']").get_attribute("aria-pressed") for k in (0, 1, 8)]
    assert pressed == ["true", "false", "true"]
    assert "relevance" in page.locator("[data-gate='0']").get_attribute("aria-label")
    page.locator("[data-gate='4']").click(position={"x": 14, "y": 14})
    assert "CZ on q0, q1: no player" in told(page)
    page.locator("tr[data-player=x1] button").click()
    assert picture(page).get_attribute("data-selection") == "x1"
    page.locator("button[data-action=clear]").click()
    assert picture(page).get_attribute("data-selection") == ""


def test_slider_and_explanations_change_colours_and_numbers(show: Any) -> None:
    made = view()
    page = show(made)
    box = page.locator("[data-gate='0'] [data-box]")
    before = box.get_attribute("fill")
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert picture(page).get_attribute("data-sample") == "1"
    assert box.get_attribute("fill") != before
    assert "x = (1.2, 0.3)" in told(page)
    page.locator("select").select_option("1")
    assert picture(page).get_attribute("data-explanation") == "1"
    page.locator("[data-gate='9'] [data-box]").click()
    assert picture(page).get_attribute("data-selection") == "RX(x1) q1 #9"
    assert f"relevance {float(made.attributions[1].values[1, 3]):.3g}" in told(page)


def test_keyboard_alone_is_enough(show: Any) -> None:
    page = show(view())
    page.locator("[data-gate='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert picture(page).get_attribute("data-selection") == "x1"
    page.keyboard.press("Escape")
    assert picture(page).get_attribute("data-selection") == ""
    for key in ("End", "PageDown", "ArrowRight", "ArrowRight", "PageUp", "PageUp", "Home", "Enter"):
        page.keyboard.press(key)
    assert picture(page).get_attribute("data-selection") == "x0"
    assert page.evaluate("document.activeElement.dataset.gate") == "0"
    assert "outside the light cone" in page.locator("[data-gate='12']").get_attribute("aria-label")
