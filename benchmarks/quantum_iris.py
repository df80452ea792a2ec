"""Which flowers shaped a quantum classifier: influence of training points beside leaving them out, and explanations."""

from __future__ import annotations

import time

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.func import functional_call, hessian
from torch.nn.functional import softplus

from benchmarks.quantum_tasks import Task, iris
from influence import Influence, RowBlock
from influence.quantum import qlrp, shapley
from sciml.quantum import QuantumNetwork

DECAY = 4e-4  # (λ/2)|θ|² with λ/2 = 2e-4
FEATURES = ("sepal length", "sepal width", "petal length", "petal width")


def loss(model: nn.Module, rows: Tensor) -> Tensor:
    """Cross-entropy log(1 + exp(-y f(x))) of rows (x, y) with y = ±1, (n,)."""
    return softplus(-rows[:, -1] * model(rows[:, :-1])[:, 0])


def trained(rows: Tensor, task: Task, seed: int, starts: int = 5) -> QuantumNetwork:
    """The best of several starts by mean cross-entropy + (λ/2)|θ|², then to a stationary point.

    Args:
        rows: x and y of the training points.
        task: The circuit.
        seed: Seeds of the starts.
        starts: How many.
    """
    networks = [QuantumNetwork(task.circuit, "affine", seed=100 * seed + k) for k in range(starts)]
    reached = [_descend(network, rows, 60) for network in networks]
    best = networks[int(np.argmin(reached))]
    _descend(best, rows, 500)
    return best


def _descend(network: QuantumNetwork, rows: Tensor, steps: int) -> float:
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=steps, line_search_fn="strong_wolfe", history_size=40,
                                  tolerance_grad=1e-9, tolerance_change=1e-14)  # fmt: skip

    def objective() -> Tensor:
        optimiser.zero_grad()
        decay = torch.stack([(p**2).sum() for p in network.parameters()]).sum()
        value = loss(network, rows).mean() + DECAY / 2 * decay
        value.backward()
        return value

    optimiser.step(objective)  # type: ignore[no-untyped-call]
    return float(objective().detach())


def null_directions(network: QuantumNetwork, rows: Tensor) -> int:
    """Eigenvalues of the Hessian of the data's part below 1e-6 of the largest: dead and gauge-like angles.

    Args:
        network: Trained.
        rows: Training rows.
    """
    names, sizes = zip(*((name, p.numel()) for name, p in network.named_parameters()), strict=True)

    def value(theta: Tensor) -> Tensor:
        parts = dict(zip(names, theta.split(list(sizes)), strict=True))
        return softplus(-rows[:, -1] * functional_call(network, parts, (rows[:, :-1],))[:, 0]).mean()

    theta = torch.cat([p.detach().reshape(-1) for p in network.parameters()])
    sizes_of = torch.linalg.eigvalsh(hessian(value)(theta)).abs()
    return int((sizes_of < 1e-6 * sizes_of.max()).sum())


def classifier(seeds: int, refits: int = 15) -> list[str]:
    """Iris, versicolor against virginica: predicted and true change of the mean test loss without a flower.

    Args:
        seeds: Splits and trainings.
        refits: Flowers of every size of influence that are left out in turn.
    """
    lines = ["| seed | test accuracy | Spearman, mean test loss | Spearman, mean over test flowers | slope | "
             "null directions | share of absolute Shapley values | share of gates, by upload | CPU s |",
             "|---" * 9 + "|"]  # fmt: skip
    for seed in range(seeds):
        start, task = time.process_time(), iris(seed)
        rows, test = (torch.cat([x, y[:, None]], dim=1) for x, y in ((task.x, task.y), (task.test_x, task.test_y)))
        network = trained(rows, task, seed)
        block = RowBlock("flower", rows, lambda model, z: loss(model, z).sqrt(), 1 / len(rows))
        influence = Influence.from_module(network, [block], regularisation=DECAY, curvature="hessian")
        found = influence.check(refits, loss, test, quiet=True)
        predicted, true = found.predicted.mean(axis=0), found.true.mean(axis=0)
        rank = spearmanr(predicted, true).statistic
        right = float((network(task.test_x)[:, 0].sign() == task.test_y).double().mean())
        slope = float((predicted * true).sum() / (predicted**2).sum())
        lines.append(f"| {seed} | {right:.3f} | {rank:.3f} | {found.spearman:.3f} | {slope:.2f} | "
                     f"{null_directions(network, rows)} of {len(influence.record.parameters)} | "
                     f"{explained(network, task.test_x)} | {time.process_time() - start:.1f} |")  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def explained(network: QuantumNetwork, x: Tensor) -> str:
    """Shares of the features in absolute Shapley values, and of the uploads in absolute gate Shapley values.

    Args:
        network: Trained.
        x: Flowers.
    """
    by_feature = shapley(network, x).values.abs().sum(dim=0)
    by_gate = qlrp(network, x, rule="gate").values.abs().sum(dim=0)
    uploads = by_gate.reshape(-1, len(FEATURES)).sum(dim=1)
    shares = [f"{name} {float(v):.0%}" for name, v in zip(FEATURES, by_feature / by_feature.sum(), strict=True)]
    return ", ".join(shares) + " | " + ", ".join(f"{float(v):.0%}" for v in uploads / uploads.sum())
