"""Metrics of explanations; conservation is a test, never a score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from influence.quantum.attribution import Attribution
from influence.quantum.explained import Explained
from influence.quantum.games import Game, make_game
from influence.quantum.references import resolve
from influence.quantum.taylor import shapley
from sciml.errors import SolverError
from sciml.quantum import QuantumNetwork

Explainer = Callable[[Any, Tensor], Attribution]
REFERENCES = (0.0, "erasure", "uniform")
METRICS = (
    "auc", "ap", "deletion", "insertion", "sensitivity-n", "max-sensitivity", "randomisation", "shapley distance",
    "shot robustness",
)  # fmt: skip
_SHOTS = (100, 1000)


@dataclass(frozen=True)
class ScoreTable:
    """Scores by name, means over the samples; nan where a metric does not apply.

    Attributes:
        scores: Name -> value. Deletion and insertion stand per reference, beside a random order.
        evaluations: Circuit evaluations of one explanation of all samples.
    """

    scores: dict[str, float]
    evaluations: int

    def __getitem__(self, name: str) -> float:
        """One score."""
        return self.scores[name]

    def __str__(self) -> str:
        """One line per score."""
        width = max(map(len, self.scores), default=0)
        return "\n".join(f"{name:{width}}  {value:8.4f}" for name, value in self.scores.items())


def evaluate(
    explainer: Explainer,
    model: Any,
    X: Any,
    metrics: Sequence[str] | None = None,
    seed: int = 0,
    *,
    mask: Any = None,
    reference: Any = 0.0,
) -> ScoreTable:
    """Score an explainer on samples.

    - "auc", "ap": |R| against an instance-wise mask of relevant features (nan entries are left out).
    - "deletion", "insertion" (Samek et al. 2015, arXiv 1509.06321; Petsiuk et al. 2018, arXiv 1806.07421): features
      are removed (kept) by decreasing R · sign f(x); mean of f · sign f(x) over the d + 1 points, for the references
      0, erasure and uniform, since each favours the method that shares it.
    - "sensitivity-n" (Ancona et al. 2017, arXiv 1711.06104): correlation of Σ_S R with f(x) - f(S at reference).
    - "max-sensitivity" (Yeh et al. 2019, arXiv 1901.09392): largest |R(x + δ) - R(x)|/|R(x)|, |δ_i| <= 0.05.
    - "randomisation" (Adebayo et al. 2018, arXiv 1810.03292): rank correlation with R after redrawing the angles.
    - "shapley distance": relative L2 distance to exact Shapley values with the same reference.
    - "shot robustness": rank correlation of R with R from a model that answers with finitely many shots; only for
      explainers that take such a black box.

    Args:
        explainer: (model, x) -> Attribution.
        model: The model.
        X: Samples (batch, features).
        metrics: Names; by default all that apply.
        seed: Seed of everything random.
        mask: (batch, features), 1 relevant, 0 not, nan left out; for "auc" and "ap".
        reference: Reference point of sensitivity-n and of the Shapley distance where the explainer names none.

    Returns:
        The table.

    Raises:
        SolverError: If a metric is unknown or needs a mask that is missing.

    Example:
        >>> from influence.quantum import shapley
        >>> from sciml.quantum import QuantumNetwork, reuploading
        >>> network, x = QuantumNetwork(reuploading(2, layers=1), seed=0), torch.rand(4, 2).double()
        >>> evaluate(shapley, network, x, ["shapley distance"])["shapley distance"]
        0.0
    """
    names = _wanted(metrics, mask)
    scorer = _Scorer(explainer, model, torch.as_tensor(X, dtype=torch.float64), seed, reference)
    scores: dict[str, float] = {}
    for name in names:
        scores |= scorer.score(name, mask)
    return ScoreTable(scores, scorer.base.evaluations)


def _wanted(metrics: Sequence[str] | None, mask: Any) -> list[str]:
    """Names in the order of `METRICS`."""
    masked = {"auc", "ap"}
    if metrics is None:
        return [name for name in METRICS if mask is not None or name not in masked]
    unknown = set(metrics) - set(METRICS)
    if unknown:
        raise SolverError(f"metrics {', '.join(METRICS)}", ", ".join(sorted(unknown)), "")
    if mask is None and masked & set(metrics):
        raise SolverError('a mask for "auc" and "ap"', "mask=None", "evaluate(..., mask=truth)")
    return [name for name in METRICS if name in metrics]


class _Scorer:
    def __init__(self, explainer: Explainer, model: Any, x: Tensor, seed: int, reference: Any) -> None:
        self.explainer, self.model, self.x, self.seed = explainer, model, x, seed
        self.base = explainer(model, x)
        if not isinstance(self.base, Attribution):
            raise SolverError(
                "an explainer (model, x) -> Attribution", type(self.base).__name__, "evaluate(shapley, ...)"
            )
        named = self.base.settings.get("reference")
        self.reference = named if named in {"erasure", "uniform"} else reference

    def score(self, name: str, mask: Any) -> dict[str, float]:
        """One metric; several values where it has variants."""
        if name in {"auc", "ap"}:
            truth = torch.as_tensor(mask, dtype=torch.float64)
            alike = self.base.values.shape == self.x.shape  # players may be groups of features
            return {name: ranking(self.base.values.abs(), truth, name) if alike else float("nan")}
        if name in {"deletion", "insertion"}:
            return self.removal(name)
        if name == "shot robustness":
            return self.shot_robustness()
        return {name: getattr(self, name.replace("-", "_").replace(" ", "_"))()}

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def _game(self, reference: Any) -> Game | None:
        """The game with this reference, where it exists and has the players of the explanation."""
        try:
            explained = Explained(self.model, self.x)
            game = make_game(explained, resolve(explained, reference))
        except SolverError:
            return None
        return game if game.players == self.base.players else None

    def removal(self, name: str) -> dict[str, float]:
        """Deletion or insertion per reference, and for a random order."""
        scores = {}
        sign = self.base.output.sign()
        noise = torch.rand(self.base.values.shape, generator=self._generator(), dtype=torch.float64)
        for reference in REFERENCES:
            game = self._game(reference)
            label = f"{name} {reference if isinstance(reference, str) else '0'}"
            for suffix, relevance in (("", self.base.values * sign[:, None]), (" random", noise)):
                scores[label + suffix] = float("nan")
                if game is not None:
                    values = game.values(_nested(relevance, name == "deletion")) * sign[:, None]
                    scores[label + suffix] = float(values.mean())
        return scores

    def sensitivity_n(self, subsets: int = 60) -> float:
        """Correlation over random subsets of half of the features."""
        game = self._game(self.reference)
        count = len(self.base.players)
        if game is None or count < 3:
            return float("nan")
        order = torch.rand(subsets, count, generator=self._generator()).argsort(dim=1)
        removed = order < count // 2
        drop = self.base.output[:, None] - game.values(~removed)
        claimed = self.base.values @ removed.T.to(torch.float64)
        return _mean_correlation(claimed, drop)

    def max_sensitivity(self, draws: int = 8, radius: float = 0.05) -> float:
        """Largest relative change of R near the samples."""
        generator, size = self._generator(), self.base.values.norm(dim=1).clamp(min=1e-12)
        worst = torch.zeros(len(self.x), dtype=torch.float64)
        bent = sorted(Explained(self.model, self.x).bent)
        for _ in range(draws):
            near = self.x + radius * (2 * torch.rand(self.x.shape, generator=generator, dtype=torch.float64) - 1)
            near[:, bent] = near[:, bent].clamp(-1, 1)
            change = self.explainer(self.model, near).values - self.base.values
            worst = torch.maximum(worst, change.norm(dim=1) / size)
        return float(worst.mean())

    def randomisation(self) -> float:
        """Rank correlation with R of a network with other angles; low is right."""
        if not isinstance(self.model, QuantumNetwork):
            return float("nan")
        other = QuantumNetwork(self.model.circuit, self.model.readout, seed=self.seed + 1)
        return rank_correlation(self.base.values, self.explainer(other, self.x).values)

    def shapley_distance(self) -> float:
        """Relative L2 distance to exact Shapley values."""
        try:
            exact = shapley(self.model, self.x, self.reference)
        except SolverError:
            return float("nan")
        if exact.values.shape != self.base.values.shape:
            return float("nan")
        return float((self.base.values - exact.values).norm() / exact.values.norm().clamp(min=1e-300))

    def shot_robustness(self) -> dict[str, float]:
        """Rank correlation with R of the same model read through shots."""
        scores = {f"shot robustness {shots}": float("nan") for shots in _SHOTS}
        if not isinstance(self.model, QuantumNetwork):
            return scores
        network = self.model
        for shots in _SHOTS:
            generator = self._generator()

            def noisy(z: Tensor, shots: int = shots, generator: torch.Generator = generator) -> Tensor:
                return network.sample(z, shots, generator)

            try:
                seen = self.explainer(noisy, self.x).values
            except SolverError:  # the explainer needs the circuit or gradients
                continue
            scores[f"shot robustness {shots}"] = rank_correlation(self.base.values, seen)
        return scores


def _nested(relevance: Tensor, deletion: bool) -> Tensor:
    """Masks of known features while the most relevant are removed (or added) one by one, (batch, d + 1, d)."""
    place = relevance.argsort(dim=1, descending=True).argsort(dim=1)
    step = torch.arange(relevance.shape[1] + 1)[:, None]
    gone = place[:, None, :] < step
    return ~gone if deletion else gone


def ranking(scores: Tensor, mask: Tensor, kind: str = "auc") -> float:
    """Mean over samples of the area under the ROC curve, or of the average precision.

    Args:
        scores: (batch, features).
        mask: (batch, features), 1, 0 or nan (left out).
        kind: "auc" or "ap".

    Returns:
        The mean over the samples that have both kinds of features.

    Raises:
        SolverError: If the shapes differ.
    """
    if mask.shape != scores.shape:
        raise SolverError(f"a mask of shape {tuple(scores.shape)}", str(tuple(mask.shape)), "")
    if not bool(((mask == 0) | (mask == 1) | mask.isnan()).all()):
        raise SolverError("a mask of 1 (relevant), 0 (not) and NaN (left out)", "other numbers", "")
    found = []
    for score, truth in zip(scores.numpy(), mask.numpy(), strict=True):
        used = ~np.isnan(truth)
        right, wrong = score[used & (truth == 1)], score[used & (truth == 0)]
        if not len(right) or not len(wrong):
            continue
        if kind == "auc":
            difference = right[:, None] - wrong[None]
            found.append(float(((difference > 0) + 0.5 * (difference == 0)).mean()))
        else:
            # ties share their rank: every threshold takes all features at or above it
            above = [(np.sum(right >= s), np.sum(wrong >= s)) for s in right]
            found.append(float(np.mean([r / (r + w) for r, w in above])))
    return float(np.mean(found)) if found else float("nan")


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Mean over samples of Spearman's rank correlation; samples with constant ranks are left out.

    Args:
        a: (batch, players).
        b: (batch, players).

    Returns:
        The mean, nan if no sample has one.
    """
    found = [spearmanr(p, q).statistic for p, q in zip(a.numpy(), b.numpy(), strict=True) if np.ptp(p) and np.ptp(q)]
    return float(np.mean(np.clip(found, -1, 1))) if found else float("nan")  # rounding passes 1 on some machines


def _mean_correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    size = a.norm(dim=1) * b.norm(dim=1)
    kept = size > 1e-12
    found = ((a * b).sum(dim=1)[kept] / size[kept]).clamp(-1, 1)  # rounding passes 1 on some machines
    return float(found.mean()) if bool(kept.any()) else float("nan")
