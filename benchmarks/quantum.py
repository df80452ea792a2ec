"""Quantum networks: speed beside PennyLane, exact Shapley values, equations, classifier, scores of explanations."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.quantum_explanations import scores_of
from benchmarks.quantum_iris import classifier
from benchmarks.quantum_pinn import collocation, decay, heat, spectrum
from benchmarks.quantum_tasks import TASKS
from influence.quantum import shapley
from sciml.errors import MissingExtraError
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, encoding_first, reuploading
from sciml.quantum.pennylane import to_pennylane

SIZES = ((4, 4), (6, 6), (8, 4), (10, 4))
PAGE = Path(__file__).resolve().parent.parent / "docs" / "quantum.md"


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


def sections(quick: bool) -> dict[str, Callable[[], list[str]]]:
    """What is measured, by name; a task of `TASKS` is a section of its own.

    Args:
        quick: Few repeats, seeds and samples.
    """
    seeds, samples = (2, 6) if quick else (5, 12)
    return {
        "speed": lambda: speed(3 if quick else 7),
        "shapley": lambda: shapley_seconds(2 if quick else 3),
        "decay": lambda: decay(1 if quick else 5),
        "spectrum": spectrum,
        "heat": lambda: heat(1 if quick else 5),
        "collocation": lambda: collocation(*((1, 4) if quick else (3, 8))),
        "classifier": lambda: classifier(*((1, 6) if quick else (3, 15))),
        **{name: partial(scores_of, name, seeds, samples) for name in TASKS},
    }


def put(text: str, name: str, lines: Sequence[str]) -> str:
    """The page with one section replaced.

    Args:
        text: The page.
        name: Name of the section.
        lines: Its new lines.
    """
    begin, end = (f"<!-- {name}: {edge} -->" for edge in ("begin", "end"))
    head, rest = text.split(begin)
    return "\n".join([head + begin, *lines, end]) + rest.split(end)[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; with --write also into docs/quantum.md.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few seeds and samples, no tasks of attribution")
    parser.add_argument("--only", nargs="*", default=None, help=f"sections: {', '.join(sections(True))}")
    parser.add_argument("--write", action="store_true", help="replace these sections of docs/quantum.md")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    work = sections(options.quick)
    unknown = [name for name in options.only or () if name not in work]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; sections are {', '.join(work)}")
    left_out = set(TASKS) if options.quick else set()
    for name in options.only or [name for name in work if name not in left_out]:
        try:
            lines = [*work[name](), "", f"Measured {date.today().isoformat()}."]
        except ModuleNotFoundError as error:  # data sets come with scikit-learn
            print(f"## {name}\n\n{error.name} is not installed\n", flush=True)
            continue
        print("\n".join([f"## {name}", "", *lines, ""]), flush=True)
        if options.write:
            PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), name, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
