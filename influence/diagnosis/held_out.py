"""Held-out residual: rows of the objective at points that were never trained on, beside those that were.

Three numbers per component: the ratio of held-out to training residual with its permutation band; the ratio that
leaving one point out predicts from leverage alone, r/(1 - h) (Allen 1974), which needs no new points; and the
share of the equation that is left unexplained, the residual over the size of its largest summand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.ticker import NullFormatter

from influence.changes import rows_at
from influence.diagnosis.pictured import COLOURS, Pictured
from influence.diagnosis.scales import field_scales, summand_sizes
from influence.functions import Influence
from sciml.points import PointSet, sample
from sciml.record import RowMap

_MOST = 2000  # held-out points of a term


@dataclass(frozen=True, eq=False)
class HeldOut(Pictured):
    """Residuals on training and on held-out points, component by component; NaN where there is no such number.

    Attributes:
        names: Components.
        training: Root mean square on the training points, (components,).
        held_out: The same on held-out points.
        band: Largest ratio of both that 97.5 % of exchanges of the points give.
        left_out: Root mean square of the residual of each training point once it is left out.
        unexplained: Larger of both residuals over the size of the largest summand.
        points: Held-out points; None where new points cannot be drawn.
        step: Change of θ when the held-out rows join the objective, (P,); None without them.
    """

    names: tuple[str, ...]
    training: np.ndarray
    held_out: np.ndarray
    band: np.ndarray
    left_out: np.ndarray
    unexplained: np.ndarray
    points: PointSet | None
    step: torch.Tensor | None

    @property
    def ratio(self) -> np.ndarray:
        """Held-out over training residual; the one of leaving out where no new points can be drawn."""
        best = np.where(np.isnan(self.held_out), self.left_out, self.held_out)
        return np.where(self.training > 0, best / np.where(self.training > 0, self.training, 1.0), 1.0)

    def __str__(self) -> str:
        """One line per component."""
        lines = ["held-out residual: component, training, held out, ratio (band), unexplained share"]
        for i, name in enumerate(self.names):
            lines.append(f"  {name:20s} {self.training[i]:.1e}  {self.held_out[i]:.1e}  {self.ratio[i]:6.2f} "
                         f"({self.band[i]:.2f})  {self.unexplained[i]:.1e}")  # fmt: skip
        return "\n".join(lines)

    def draw(self, axis: Any) -> None:
        """Both residuals of every component on a logarithmic axis.

        Args:
            axis: Matplotlib axes.
        """
        place = np.arange(len(self.names))
        for values, mark, colour, label in (
            (self.training, "o", COLOURS[0], "training"), (self.held_out, "s", COLOURS[1], "held out"),
        ):  # fmt: skip
            axis.plot(np.where(values > 0, values, np.nan), place, mark, color=colour, label=label, alpha=0.8)
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())  # within one decade its labels would overlap
        low, high = axis.get_xlim()
        if high < 10 * low:
            axis.set_xlim(low / 3, high * 3)  # at least one labelled tick
        axis.set_yticks(place, self.names)
        axis.set_ylim(len(self.names) - 0.4, -0.6)
        axis.set_xlabel("root mean square residual")
        axis.grid(visible=True, axis="x", alpha=0.3)
        axis.legend(fontsize="small")
        axis.set_title("training and held-out residual", fontsize="medium")


def held_out_residual(influence: Influence, permutations: int = 499, seed: int = 0) -> HeldOut:
    """Residuals of all components on training points and on as many new ones.

    Args:
        influence: Influence of the solution.
        permutations: Exchanges of training and held-out points for the band.
        seed: Seed of points and exchanges.

    Returns:
        The residuals.
    """
    labels, weight, residual, left = _trained(influence)
    names = tuple(dict.fromkeys(labels.tolist()))
    fresh, made = _fresh(influence, seed)
    rows, step = _joined(influence, made) if made is not None else ({}, None)
    scales = field_scales(influence)
    sizes = {} if scales is None or fresh is None else summand_sizes(influence, fresh, scales.fields)
    rng = np.random.default_rng(seed)
    table = []
    for name in names:
        own = labels == name
        share = weight[own] / max(weight[own].sum(), 1e-300)
        squares, new = residual[own] ** 2, rows.get(name, np.zeros(0)) ** 2
        trained, other = float(np.sqrt(share @ squares)), float(np.sqrt(new.mean())) if len(new) else np.nan
        size = sizes.get(name, np.nan)
        table.append((
            trained, other, _band(squares, share, new, permutations, rng),
            float(np.sqrt(share @ left[own] ** 2)), np.fmax(trained, other) / size,
        ))  # fmt: skip
    training, held_out, band, left_out, unexplained = np.array(table).T
    return HeldOut(names, training, held_out, band, left_out, unexplained, fresh, step)


def _trained(influence: Influence) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, weights, residuals, and residuals once the row is left out."""
    curvature = influence.curvature
    weight = influence.record.weights.to(torch.float64).numpy()
    with torch.no_grad():
        residual = influence.record.rows.residual(curvature.theta).detach().numpy()
    kept = np.clip(1 - influence.leverage, 1e-12, None)
    return influence.record.rows.labels.astype(str), weight, residual, residual / kept


def _fresh(influence: Influence, seed: int) -> tuple[PointSet | None, RowMap | None]:
    problem, own = influence.problem, influence.record.points
    if problem is None or influence.record.rows.at is None:
        return None, None
    counts = {}
    for kind in ("interior", "boundary", "initial"):
        sizes = [int((own.term == i).sum()) for i, known in enumerate(own.term_kinds) if known == kind]
        counts[kind] = int(np.clip(max(sizes, default=0), 64, _MOST)) if max(sizes, default=0) else 0
    drawn = sample(problem, **counts, method="sobol", seed=2_000_003 + seed)
    present = {name for name in own.terms if own.mask(name).any()}
    wanted = [i for i, (name, kind) in enumerate(zip(drawn.terms, drawn.term_kinds, strict=True))
              if name in present and kind in ("interior", "boundary", "initial")]  # fmt: skip
    points = drawn.take(np.isin(drawn.term, wanted))
    if not len(points):
        return None, None
    return points, rows_at(influence.record, points)


def _joined(influence: Influence, made: RowMap) -> tuple[dict[str, np.ndarray], torch.Tensor]:
    """Held-out residuals, and the step of θ when they join with the weight of their component's training rows."""
    curvature = influence.curvature
    residual, jacobian = made.jacobian(curvature.theta)
    residual = residual.detach()
    labels, own = made.labels.astype(str), influence.record.rows.labels.astype(str)
    weight = torch.zeros(len(residual), dtype=torch.float64)
    for name in np.unique(labels):
        total = influence.record.weights.to(torch.float64)[torch.tensor(own == name)].sum()
        weight[torch.tensor(labels == name)] = total / int((labels == name).sum())
    root = torch.sqrt(2 * weight)
    matrix, rho = root[:, None] * jacobian, root * residual
    solved = curvature.factor.solve(matrix.T)
    kernel = matrix @ solved
    kernel.diagonal().add_(1.0)
    step = -solved @ torch.linalg.solve(kernel, rho)
    return {str(name): residual.numpy()[labels == name] for name in np.unique(labels)}, step


def _band(
    squares: np.ndarray, share: np.ndarray, new: np.ndarray, permutations: int, rng: np.random.Generator
) -> float:
    """97.5 % quantile of the ratio when training and held-out squares are exchanged."""
    if not len(new) or not squares.any():
        return float("nan")
    pool = np.concatenate([squares, new])
    drawn = np.empty(permutations)
    for k in range(permutations):
        mixed = rng.permutation(pool)
        drawn[k] = mixed[len(squares) :].mean() / max(share @ mixed[: len(squares)], 1e-300)
    return float(np.sqrt(np.quantile(drawn, 0.975)))
