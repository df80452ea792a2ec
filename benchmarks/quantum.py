"""Quantum networks: speed beside PennyLane, time of exact Shapley values, and scores of explanations."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.quantum_explanations import run
from benchmarks.quantum_tasks import TASKS
from influence.quantum import shapley
from sciml.errors import MissingExtraError
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, encoding_first, reuploading
from sciml.quantum.pennylane import to_pennylane

SIZES = ((4, 4), (6, 6), (8, 4), (10, 4))
PAGE = Path(__file__).resolve().parent.parent / "docs" / "quantum.md"
MARKS = ("<!-- benchmark: begin -->", "<!-- benchmark: end -->")


def layers(qubits: int, count: int) -> Circuit:
    """L x [RX(x_q) RY RZ on every qubit; CZ ring], measured by Z on the first.

    Args:
        qubits: Qubits and features.
        count: Layers.
    """
    number, gates = itertools.count(), []
    for _ in range(count):
        for q in range(qubits):
            turns = [TrainableGate(axis, (q,), next(number)) for axis in ("RY", "RZ")]
            gates += [EncodingGate("RX", (q,), q), *turns]
        gates += [FixedGate("CZ", (q, (q + 1) % qubits)) for q in range(qubits)]
    return Circuit(qubits, qubits, gates, [{"Z0": 1.0}])  # type: ignore[arg-type]


def seconds(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Shortest CPU time of each, taken in turn.

    Args:
        work: Name -> function.
        repeats: Rounds after one that warms up.
    """
    best = dict.fromkeys(work, float("inf"))
    for turn in range(repeats + 1):
        for name, function in work.items():
            start = time.process_time()
            function()
            if turn:
                best[name] = min(best[name], time.process_time() - start)
    return best


def gradients(values: Tensor, x: Tensor, network: QuantumNetwork) -> tuple[Tensor, ...]:
    """Gradients of the sum in points and angles.

    Args:
        values: Outputs.
        x: Points.
        network: Its angles.
    """
    return torch.autograd.grad(values.sum(), (x, network.angles))


def speed(repeats: int) -> list[str]:
    """Forward and gradients in x and angles, batch 256, beside default.qubit with torch back-propagation.

    Args:
        repeats: Rounds.
    """
    lines = ["| qubits, layers | this package / ms | PennyLane / ms | ratio | largest difference |",
             "|---|---|---|---|---|"]  # fmt: skip
    for qubits, count in SIZES:
        circuit = layers(qubits, count)
        network = QuantumNetwork(circuit, seed=0)
        x = torch.rand(256, qubits, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()

        def mine(network: QuantumNetwork = network, x: Tensor = x) -> tuple[Tensor, ...]:
            return gradients(network(x), x, network)

        work: dict[str, Callable[[], Any]] = {"mine": mine}
        try:
            node = to_pennylane(circuit)
        except MissingExtraError:
            best = seconds(work, repeats)
            lines.append(f"| {qubits}, {count} | {1e3 * best['mine']:.1f} | not installed | | |")
            continue

        def peer(node: Any = node, network: QuantumNetwork = network, x: Tensor = x) -> tuple[Tensor, ...]:
            return gradients(node(x, network.angles), x, network)

        work["peer"] = peer
        gap = max(float((a - b).abs().max()) for a, b in zip(work["mine"](), work["peer"](), strict=True))
        gap = max(gap, (network(x)[:, 0] - node(x, network.angles)).abs().max().item())
        best = seconds(work, repeats)
        lines.append(
            f"| {qubits}, {count} | {1e3 * best['mine']:.1f} | {1e3 * best['peer']:.1f} | "
            f"{best['peer'] / best['mine']:.1f} | {gap:.1e} |"
        )
    return lines


def shapley_seconds(repeats: int) -> list[str]:
    """Exact feature Shapley values of 64 samples, 8 qubits.

    Args:
        repeats: Rounds.
    """
    every = [{f"Z{q}": 1.0 for q in range(8)}]
    cases = {
        "encoding first, 8 features": encoding_first(8, layers=3, observables=every),
        "encoding first, 16 features": encoding_first(8, 16, layers=3, axis="YX", observables=every),
        "4 uploads, 8 features": reuploading(8, layers=4, observables=every),
    }
    lines = ["| 8 qubits, batch 64 | route | CPU seconds | largest conservation gap |", "|---|---|---|---|"]
    for name, circuit in cases.items():
        network = QuantumNetwork(circuit, seed=0)
        x = torch.rand(64, circuit.features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        best = seconds({"exact": partial(shapley, network, x)}, repeats)["exact"]
        result = shapley(network, x)
        gap = float(result.conservation_gap.abs().max())
        lines.append(f"| {name} | {result.settings['route']} | {best:.2f} | {gap:.1e} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; with --write also into docs/quantum.md.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 seeds, three tasks, few samples")
    parser.add_argument("--only", nargs="*", default=None, help=f"tasks: {', '.join(TASKS)}")
    parser.add_argument("--write", action="store_true", help="replace the tables of docs/quantum.md")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    names = options.only or (["additive", "product", "iris"] if options.quick else list(TASKS))
    lines = ["### Forward and gradients, batch 256", "", *speed(3 if options.quick else 7), ""]
    lines += ["### Exact Shapley values", "", *shapley_seconds(2 if options.quick else 3), ""]
    print("\n".join(lines), flush=True)
    scores = run(names, 2 if options.quick else 5, 6 if options.quick else 12)
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        head, rest = text.split(MARKS[0])
        whole = [MARKS[0], "", *lines, "### Scores of explanations", "", *scores, MARKS[1]]
        PAGE.write_text(head + "\n".join(whole) + rest.split(MARKS[1])[1], encoding="utf-8")


if __name__ == "__main__":
    main()
