"""Conflict: whether parts of the objective contradict each other, and which group of rows reconciles the rest.

Without a group C of rows the linearised loss falls from ρᵀρ by ρ_Cᵀ(I - H_CC)⁻¹ρ_C: the sum of squares of a
mean-shift for every row of C (Cook & Weisberg 1982, section 2.2). Among groups, the Bayesian information criterion
(Schwarz 1978) weighs what is left against the rows given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import chi2

from influence.diagnosis.pictured import Pictured, bars
from influence.diagnosis.self_influence import row_kinds, self_influence, term_of
from influence.functions import Influence

_LARGEST = 3000  # rows of a group up to which its matrix is formed
_ALONE = 0.01  # share of a direction that rows outside the group see
_TRUST = 100.0  # weight of the data over their own in a test for structure
_NEAR = 4  # neighbours in a test for structure


@dataclass(frozen=True, eq=False)
class Conflict(Pictured):
    """Groups of rows, and the share of the loss that is left without each of them.

    Attributes:
        names: Groups: components, components on one face, or rows that stand out.
        sizes: Rows of each group.
        left: Share of the loss left without the group.
        criterion: Bayesian information criterion without it, minus that with all rows; the lowest reconciles best.
        indices: Rows of each group.
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    left: np.ndarray
    criterion: np.ndarray
    indices: tuple[np.ndarray, ...]

    @property
    def best(self) -> int | None:
        """Index of the group whose absence explains most for its size; None where no group is worth its rows."""
        if not len(self.names) or self.criterion.min() >= 0:
            return None
        return int(self.criterion.argmin())

    def __str__(self) -> str:
        """The best group."""
        if self.best is None:
            return "conflict: no group of conditions or data stands against the rest"
        i = self.best
        return f"conflict: without {self.names[i]} ({self.sizes[i]} rows) {self.left[i]:.1%} of the loss is left"

    def draw(self, axis: Any) -> None:
        """Loss left without each group.

        Args:
            axis: Matplotlib axes.
        """
        bars(axis, self.names, self.left, "share of the loss left without the group")
        axis.set_xlim(0, 1)
        axis.set_title("who contradicts the rest?", fontsize="medium")


def conflict(influence: Influence) -> Conflict:
    """What is left of the loss without each condition, each of its faces, each set of data, and the outlying rows.

    Args:
        influence: Influence of the solution.

    Returns:
        The groups. The equations themselves are none: without them everything can be fitted.
    """
    groups = _groups(influence)
    residual = influence.curvature.residual
    total = float(residual @ residual)
    made = []
    for name, rows in groups.items():
        if 0 < len(rows) <= min(_LARGEST, len(residual) - 1) and total > 0:
            left = float(np.clip(1 - _mean_shift(influence, rows) / total, 1e-12, 1.0))
            made.append((name, rows, left, len(residual) * np.log(left) + len(rows) * np.log(len(residual))))
    return Conflict(
        tuple(line[0] for line in made), np.array([len(line[1]) for line in made], dtype=int),
        np.array([line[2] for line in made]), np.array([line[3] for line in made]), tuple(line[1] for line in made),
    )  # fmt: skip


def _mean_shift(influence: Influence, rows: np.ndarray) -> float:
    index = torch.tensor(rows)
    own = influence.curvature.residual[index]
    complement = influence.curvature.factor.complement(index)
    values, vectors = torch.linalg.eigh((complement + complement.T) / 2)
    seen = values > _ALONE  # what the group alone determines cannot contradict the rest
    return float(((vectors[:, seen].T @ own) ** 2 / values[seen]).sum())


def _groups(influence: Influence) -> dict[str, np.ndarray]:
    kinds, labels = row_kinds(influence), influence.record.rows.labels.astype(str)
    points, problem = influence.record.points, influence.problem
    groups: dict[str, np.ndarray] = {}
    for label in dict.fromkeys(labels.tolist()):
        rows = np.flatnonzero(labels == label)
        if kinds[rows[0]] == "equation":
            continue
        groups[label] = rows
        faces = () if problem is None else _faces(influence, label)
        if problem is not None and len(faces) > 1:
            space = points.locate(influence.record.rows.ids[rows])[:, : len(problem.space)]
            for face in faces:
                on = rows[problem.domain.on_face(face, space)]
                groups[f"{label} on {face}"] = on
    found = self_influence(influence)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(found.outlying & (kinds == kind))
        if len(rows) and len(rows) < (kinds == kind).sum():
            groups[f"outlying rows of {'the conditions' if kind == 'condition' else kind}"] = rows
    return groups


def _faces(influence: Influence, label: str) -> tuple[str, ...]:
    problem = influence.problem
    assert problem is not None
    term = next((term for term in problem.terms if label in term.components), None)
    return () if term is None or term.kind != "boundary" or term.periodic else term.faces


@dataclass(frozen=True)
class Structure:
    """Whether residuals of data are noise or follow a pattern.

    Attributes:
        name: The data.
        correlation: Mean correlation of each residual with its nearest neighbours (Moran 1950).
        p_value: Probability of so much correlation without a pattern, by permutation.
        level: Root mean square residual.
        too_large: Whether the residuals are larger than the stated σ allows (χ², p < 0.01).
        sigma: The stated σ, or None.
    """

    name: str
    correlation: float
    p_value: float
    level: float
    too_large: bool = False
    sigma: float | None = None

    def __str__(self) -> str:
        """Correlation and probability."""
        word = "a pattern" if self.p_value < 0.01 else "noise"
        numbers = f"neighbours correlate {self.correlation:+.2f}, p = {self.p_value:.3f}"
        return f"residuals of {self.name}: {word} ({numbers})"


def structure_of_data(influence: Influence, permutations: int = 999, seed: int = 0) -> list[Structure]:
    """Test the residuals of every set of observations, those that stand out left aside, for a pattern.

    Tests: correlation of ranks with the nearest neighbours (Moran 1950), and how
    much of the residuals the model could follow if the data weighed more; where σ is given also their size (χ²). The
    smallest probability counts, times the number of tests.

    Args:
        influence: Influence of the solution.
        permutations: Draws of the permutation test.
        seed: Their seed.

    Returns:
        One entry per set of at least 8 observations.
    """
    kinds, labels = row_kinds(influence), influence.record.rows.labels.astype(str)
    outlying = self_influence(influence).outlying
    found = []
    for label in dict.fromkeys(labels.tolist()):
        own = np.flatnonzero(labels == label)
        rows = own[~outlying[own]]
        if influence.problem is None or kinds[own[0]] in ("equation", "condition") or len(rows) < 8:
            continue
        scaled, kept = _left_aside(influence, rows, own[outlying[own]])
        residual, rng = scaled / influence.curvature.root[torch.tensor(rows)].numpy(), np.random.default_rng(seed)
        value, alike = _alike(influence, rows, residual, permutations, rng)
        chances = [alike, 1.0 if kept is None else _followed(scaled, kept, permutations, rng)]
        term = influence.problem.term(term_of(influence, label)).observation
        sigma = None if term is None else term.sigma
        if sigma is not None:
            free = max(len(rows) - float(influence.leverage[rows].sum()), 1.0)
            chances.append(float(chi2.sf(float(np.sum(residual**2)) / sigma**2, free)))
        p_value = min(1.0, len(chances) * min(chances))
        large = sigma is not None and len(chances) * chances[-1] < 0.01
        found.append(Structure(label, value, p_value, float(np.sqrt(np.mean(residual**2))), large, sigma))
    return found


def _left_aside(influence: Influence, rows: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """ρ of some rows once outlying ones are taken from the objective, and I - H of those that stay.

    Outlying rows pull the model, and leave the pattern of that pull in the rows beside them.

    Returns:
        ρ (m,), and I - H (m, m), or None where that would be too large.
    """
    scaled = influence.curvature.residual.numpy()
    if len(rows) + len(out) > _LARGEST:
        return scaled[rows], None
    both = influence.curvature.factor.complement(torch.tensor(np.concatenate([rows, out]))).numpy()
    count = len(rows)
    if not len(out):
        return scaled[rows], both
    gain = np.linalg.lstsq(both[count:, count:], both[count:, :count], rcond=None)[0].T
    return scaled[rows] - gain @ scaled[out], both[:count, :count] - gain @ both[count:, :count]


def _alike(
    influence: Influence, rows: np.ndarray, residual: np.ndarray, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Mean correlation of residuals with their nearest neighbours, and the probability of so much by chance."""
    place = influence.record.points.locate(influence.record.rows.ids[rows])
    extent = np.ptp(place, axis=0)
    place = place / np.where(extent > 0, extent, 1.0)
    square = ((place[:, None] - place) ** 2).sum(axis=2)
    np.fill_diagonal(square, np.inf)
    near = np.argsort(square, axis=1)[:, :_NEAR]
    # ranks: a few outliers are no pattern
    ranks = np.argsort(np.argsort(residual)).astype(float)
    centred = (ranks - ranks.mean()) / ranks.std()
    value = float((centred[near].mean(axis=1) * centred).mean())
    shuffled = (rng.permutation(centred) for _ in range(permutations))
    drawn = np.array([(one[near].mean(axis=1) * one).mean() for one in shuffled])
    return value, float((1 + (drawn >= value).sum()) / (1 + permutations))


def _followed(scaled: np.ndarray, kept: np.ndarray, draws: int, rng: np.random.Generator) -> float:
    """Probability that so much of white noise would go if the data weighed 100 times more.

    With weights F the residual is (I + (F - 1)H)⁻¹ρ, and under noise ε it is ρ = (I - H)ε: the model can follow a
    pattern that its equation forbids, but not noise. The ratio of sizes does not depend on the noise's level.

    Returns:
        A probability.
    """
    values, vectors = np.linalg.eigh((kept + kept.T) / 2)
    values = np.clip(values, 0.0, 1.0)
    shrink = 1 / (1 + (_TRUST - 1) * (1 - values))
    own = vectors.T @ scaled
    noise = values[:, None] * rng.standard_normal((len(scaled), draws))
    ratio = np.square(shrink * own).sum() / max(np.square(own).sum(), 1e-300)
    drawn = np.square(shrink[:, None] * noise).sum(axis=0) / np.square(noise).sum(axis=0)
    return float((1 + (drawn <= ratio).sum()) / (1 + draws))


def excess_over_noise(influence: Influence, draws: int = 199, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Residuals of equations and conditions against what noise of the observations would cause.

    At a minimum ρ = (I - H)ε + bias: noise ε of the data leaves -H_{r,o}ε in the other rows.

    Args:
        influence: Influence of the solution.
        draws: Draws of the noise.
        seed: Their seed.

    Returns:
        Component -> (root mean square scaled residual, 99 % quantile of the same under noise alone).
    """
    kinds, curvature = row_kinds(influence), influence.curvature
    data = np.flatnonzero(~np.isin(kinds, ["equation", "condition"]))
    if influence.problem is None or not len(data) or curvature.rows is None or len(data) > _LARGEST:
        return {}
    index = torch.tensor(data)
    cross = curvature.row_products(curvature.rows[index].T).numpy()
    rho, labels = curvature.residual.numpy(), influence.record.rows.labels.astype(str)
    sigma = np.empty(len(data))
    for kind in np.unique(kinds[data]):
        own = kinds[data] == kind
        free = max(own.sum() - influence.leverage[data][own].sum(), 1.0)
        sigma[own] = np.sqrt((rho[data][own] ** 2).sum() / free)
    noise = sigma[:, None] * np.random.default_rng(seed).standard_normal((len(data), draws))
    caused = cross @ noise
    found = {}
    for label in dict.fromkeys(labels.tolist()):
        rows = labels == label
        if not rows[data].any():
            level = np.sqrt((caused[rows] ** 2).mean(axis=0))
            found[label] = (float(np.sqrt(np.mean(rho[rows] ** 2))), float(np.quantile(level, 0.99)))
    return found
