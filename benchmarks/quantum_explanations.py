"""Train on the tasks, explain by every method, score; failed trainings are counted, not hidden."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.quantum_tasks import TASKS, Task
from influence.quantum import (
    Attribution,
    evaluate,
    gradient,
    gradient_input,
    integrated_gradients,
    occlusion,
    qlrp,
    sampled_shapley,
    shapley,
    smoothgrad,
    surrogate,
    taylor_infinity,
)
from sciml.errors import SolverError
from sciml.quantum import QuantumNetwork

METHODS: dict[str, Callable[[Any, Tensor], Attribution]] = {
    "gradient": gradient,
    "gradient x input": gradient_input,
    "SmoothGrad": lambda m, x: smoothgrad(m, x, samples=20),
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
    "LIME type": lambda m, x: surrogate(m, x, samples=100),
    "sampled Shapley": lambda m, x: sampled_shapley(m, x, permutations=16),
    "Taylor none": lambda m, x: taylor_infinity(m, x, split="none"),
    "Taylor degree": lambda m, x: taylor_infinity(m, x, split="degree"),
    "Taylor support": shapley,
    "Taylor uniform": lambda m, x: taylor_infinity(m, x, reference="uniform"),
    "QLRP rule E": qlrp,
    "QLRP rule G": lambda m, x: qlrp(m, x, rule="gate", reduce="feature"),
}
COLUMNS = (
    "auc", "ap", "truth", "deletion 0", "deletion erasure", "deletion uniform", "insertion 0", "sensitivity-n",
    "max-sensitivity", "randomisation", "shapley distance", "shot robustness 100", "shot robustness 1000", "cost",
)  # fmt: skip
BAR = 0.85
RANDOM, BASE = "random order", "Taylor support"
_GATE_BUDGET = 4**6  # rule G carries all Pauli strings through every gate


def train(task: Task, seed: int, steps: int = 60) -> tuple[QuantumNetwork, float]:
    """Least squares by L-BFGS; test accuracy of classes, 1 - (residual / variance) of values.

    Args:
        task: The task.
        seed: Seed of the angles.
        steps: Most iterations.
    """
    network = QuantumNetwork(task.circuit, "affine", seed=seed)
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = ((network(task.x)[:, 0] - task.y) ** 2).mean()
        value = value + 1e-4 * (network.gain**2).sum()  # the readout would grow without bound on separable classes
        value.backward()
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        seen = network(task.test_x)[:, 0]
    if task.classes:
        return network, float((seen.sign() == task.test_y).double().mean())
    return network, float(1 - ((seen - task.test_y) ** 2).mean() / task.test_y.var())


def score(task: Task, network: QuantumNetwork, samples: int, seed: int) -> dict[str, dict[str, float]]:
    """Scores of every method that applies.

    Args:
        task: The task.
        network: Trained.
        samples: Test inputs explained.
        seed: Seed of the metrics.
    """
    x = task.test_x[:samples]
    mask = None if task.mask is None else task.mask[:samples]
    table: dict[str, dict[str, float]] = {}
    for name, method in METHODS.items():
        if name == "QLRP rule G" and 4**network.circuit.qubits > _GATE_BUDGET:
            continue
        try:
            result = evaluate(method, network, x, mask=mask, seed=seed)
        except SolverError:  # rule E and the like on circuits of another kind
            continue
        scores = dict(result.scores)
        scores["cost"] = result.evaluations / len(x)
        if task.truth is not None:
            truth = task.truth[:samples]
            scores["truth"] = float((method(network, x).values - truth).norm() / truth.norm())
        table[name] = {column: scores.get(column, float("nan")) for column in COLUMNS}
        # players may be groups of features: each method knows the random orders of its own players
        chance = table.setdefault(RANDOM, dict.fromkeys(COLUMNS, float("nan")))
        known = {column: scores.get(f"{column} random", float("nan")) for column in COLUMNS}
        chance |= {column: value for column, value in known.items() if not np.isnan(value)}
        if mask is not None:
            chance["auc"] = 0.5
    return table


def scores_of(name: str, seeds: int, samples: int) -> list[str]:
    """Lines of the Markdown table of one task.

    Args:
        name: The task.
        seeds: Trainings.
        samples: Test inputs explained per training.
    """
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    qualities, failed = [], 0
    for seed in range(seeds):
        try:
            task = TASKS[name](seed)
        except ImportError:
            return [f"{name}: scikit-learn is not installed"]
        network, quality = train(task, seed)
        if quality < BAR:
            failed += 1
            continue
        qualities.append(quality)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for method, scores in score(task, network, samples, seed).items():
                found[method].append(scores)
    if not qualities:
        return [f"**{name}**: no training of {seeds} reached {BAR}."]
    kind = "test accuracy" if task.classes else "R²"
    circuit = task.circuit
    title = (
        f"**{name}** ({circuit.qubits} qubits, {circuit.features} features, {circuit.parameters} angles): {kind} "
        f"{np.mean(qualities):.3f}, failed trainings {failed} of {seeds}."
    )
    return [title, "", *_table(found), "", *_paired(found)]


def _table(found: dict[str, list[dict[str, float]]]) -> list[str]:
    used = [c for c in COLUMNS if any(not np.isnan(s[c]) for rows in found.values() for s in rows)]
    lines = ["| method | " + " | ".join(used) + " |", "|---" * (len(used) + 1) + "|"]
    for method, rows in found.items():
        lines.append(f"| {method} | " + " | ".join(_cell([row[c] for row in rows]) for c in used) + " |")
    return lines


def _paired(found: dict[str, list[dict[str, float]]]) -> list[str]:
    """Differences to exact Shapley values with the reference 0, seed by seed: what all trainings share drops out."""
    lines = []
    for column in ("auc", "truth", "deletion 0"):
        base = [row[column] for row in found[BASE]]
        cells = []
        for method, rows in found.items():
            gaps = [row[column] - known for row, known in zip(rows, base, strict=True)]
            cell = _cell(gaps)
            if cell and method != BASE:
                cells.append(f"{method} {cell}")
        if cells:
            lines.append(f"- {column}, minus that of {BASE}, paired over seeds: {'; '.join(cells)}")
    return lines


def _cell(values: list[float]) -> str:
    known = np.array([v for v in values if not np.isnan(v)])
    if not len(known):
        return ""
    error = f" ± {known.std(ddof=1) / len(known) ** 0.5:.2f}" if len(known) > 1 else ""
    return f"{known.mean():.3g}" if known.mean() >= 10 else f"{known.mean():.2f}{error}"
