"""Tasks with known or plausible explanations for quantum networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from influence.quantum import shapley
from sciml.quantum import Circuit, QuantumNetwork, encoding_first, reuploading


@dataclass(frozen=True, eq=False)
class Task:
    """Data, a circuit, and what is known about the explanation.

    Attributes:
        x: Training inputs (n, features).
        y: Training targets (n,); ±1 for classes.
        test_x: Test inputs.
        test_y: Test targets.
        circuit: The circuit to train, with an affine readout.
        classes: Whether targets are classes.
        mask: Relevant features of the test inputs, nan where left out.
        truth: Known attributions of the test inputs for the reference 0.
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    circuit: Circuit
    classes: bool = False
    mask: Tensor | None = None
    truth: Tensor | None = None


def mean_z(qubits: int) -> list[dict[str, float]]:
    """The mean of Z over the qubits: no qubit is outside the light cone."""
    return [{f"Z{q}": 1 / qubits for q in range(qubits)}]


def _uniform(rng: np.random.Generator, count: int, features: int) -> Tensor:
    return torch.tensor(rng.uniform(-1.5, 1.5, (count, features)))


def additive(seed: int) -> Task:
    """Σ a_j sin x_j: attributions are the terms."""
    rng = np.random.default_rng(seed)
    a = torch.tensor(rng.uniform(0.3, 1.0, 4) * rng.choice([-1, 1], 4))
    x = _uniform(rng, 160, 4)
    y = torch.sin(x) @ a
    truth = torch.sin(x[120:]) * a
    circuit = reuploading(4, layers=2, observables=mean_z(4))
    return Task(x[:120], y[:120], x[120:], y[120:], circuit, truth=truth)


def product(seed: int) -> Task:
    """The product sin x0 sin x1 beside two idle features: the continuous XOR."""
    rng = np.random.default_rng(seed)
    x = _uniform(rng, 200, 4)
    y = torch.sin(x[:, 0]) * torch.sin(x[:, 1])
    mask = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64).expand(40, 4)
    circuit = encoding_first(4, layers=3, axis="X", observables=[{"Z0 Z1": 1.0}])
    return Task(x[:160], y[:160], x[160:], y[160:], circuit, mask=mask)


def selector(seed: int) -> Task:
    """½(1 + sin x5) sin x0 sin x1 + ½(1 - sin x5) sin x2 sin x3: the sign of x5 chooses the relevant pair."""
    rng = np.random.default_rng(seed)
    size = np.column_stack([rng.uniform(0.5, 2.6, (400, 5)), rng.uniform(0.9, 2.2, 400)])
    x = torch.tensor(size * rng.choice([-1, 1], size.shape))
    s = torch.sin(x)
    y = (1 + s[:, 5]) / 2 * s[:, 0] * s[:, 1] + (1 - s[:, 5]) / 2 * s[:, 2] * s[:, 3]
    mask = torch.zeros(40, 6, dtype=torch.float64)
    mask[:, :2] = (x[360:, 5:] > 0).double()
    mask[:, 2:4] = (x[360:, 5:] < 0).double()
    mask[:, 5] = math.nan
    terms = [{"Z0 Z1": 0.5, "Z2 Z3": 0.5, "Z0 Z1 Z5": 0.5, "Z2 Z3 Z5": -0.5}]
    circuit = encoding_first(6, layers=0, axis="X", trailing="XY", observables=terms)
    return Task(x[:360], y[:360], x[360:], y[360:], circuit, mask=mask)


def bars_and_stripes(seed: int) -> Task:
    """4x4 images with one line and noise pixels: horizontal or vertical? The line is the mask."""
    rng = np.random.default_rng(seed)
    images = (rng.random((240, 4, 4)) < 0.1).astype(float)
    mask = np.zeros_like(images)
    across = rng.random(240) < 0.5
    for k, place in enumerate(rng.integers(0, 4, 240)):
        line = (k, place) if across[k] else (k, slice(None), place)
        images[line], mask[line] = 1.0, 1.0
    x = torch.tensor(images.reshape(240, 16))
    y = torch.tensor(np.where(across, 1.0, -1.0))
    circuit = encoding_first(8, 16, layers=2, axis="YX", scales=math.pi / 2, observables=mean_z(8))
    relevant = torch.tensor(mask.reshape(240, 16))[200:]
    return Task(x[:200], y[:200], x[200:], y[200:], circuit, classes=True, mask=relevant)


def teacher(seed: int) -> Task:
    """A circuit on three of five features, all inside the student's light cone: its attributions are the truth."""
    rng = np.random.default_rng(seed)
    x = _uniform(rng, 200, 5)
    known = QuantumNetwork(reuploading(3, layers=1, observables=mean_z(3)), "affine", seed=seed)
    with torch.no_grad():
        y = 2 * known(x[:, :3])[:, 0]
    truth = torch.zeros(40, 5, dtype=torch.float64)
    truth[:, :3] = 2 * shapley(known, x[160:, :3]).values
    mask = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0], dtype=torch.float64).expand(40, 5)
    circuit = reuploading(5, layers=2, observables=mean_z(5))
    return Task(x[:160], y[:160], x[160:], y[160:], circuit, mask=mask, truth=truth)


def _classes(data: np.ndarray, labels: np.ndarray, seed: int, circuit: Circuit, reduce: int | None) -> Task:
    """Standardised, optionally projected on principal components of the training part, and scaled to about ±1.5."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data))[:240]
    cut = int(0.75 * len(order))
    data, y = data[order], torch.tensor(np.where(labels[order] == labels.max(), 1.0, -1.0))
    mean, spread = data[:cut].mean(axis=0), data[:cut].std(axis=0) + 1e-9
    data = (data - mean) / spread
    if reduce:
        _, _, axes = np.linalg.svd(data[:cut], full_matrices=False)
        data = data @ axes[:reduce].T
        data = data / (data[:cut].std(axis=0) + 1e-9)
    x = torch.tensor(np.clip(data * 0.7, -2, 2))
    return Task(x[:cut], y[:cut], x[cut:], y[cut:], circuit, classes=True)


def iris(seed: int) -> Task:
    """Versicolor against virginica, re-uploaded."""
    from sklearn.datasets import load_iris

    data, labels = load_iris(return_X_y=True)
    keep = labels > 0
    return _classes(data[keep], labels[keep], seed, reuploading(4, layers=3, observables=mean_z(4)), None)


def wine(seed: int) -> Task:
    """Two cultivars by six principal components, encoding first."""
    from sklearn.datasets import load_wine

    data, labels = load_wine(return_X_y=True)
    keep = labels > 0
    return _classes(data[keep], labels[keep], seed, encoding_first(6, layers=2, observables=mean_z(6)), 6)


def breast_cancer(seed: int) -> Task:
    """Benign or malignant by six principal components, encoding first."""
    from sklearn.datasets import load_breast_cancer

    data, labels = load_breast_cancer(return_X_y=True)
    return _classes(data, labels, seed, encoding_first(6, layers=2, observables=mean_z(6)), 6)


def digits(seed: int) -> Task:
    """Zero or one, pooled to 4x4 pixels, two per qubit."""
    from sklearn.datasets import load_digits

    data, labels = load_digits(return_X_y=True)
    keep = labels < 2
    pooled = data[keep].reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    circuit = encoding_first(8, 16, layers=2, axis="YX", observables=mean_z(8))
    return _classes(pooled, labels[keep], seed, circuit, None)


TASKS: dict[str, Callable[[int], Task]] = {
    "additive": additive, "product": product, "selector": selector, "bars and stripes": bars_and_stripes,
    "teacher": teacher, "iris": iris, "wine": wine, "breast cancer": breast_cancer, "digits": digits,
}  # fmt: skip
