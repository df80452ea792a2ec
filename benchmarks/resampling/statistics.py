"""Medians, spread, failures, paired tests and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, wilcoxon

from benchmarks.resampling.store import Outcome

FAILED = 0.1  # relative error from which a run counts as a failure


@dataclass(frozen=True)
class Line:
    """One sampler on one problem: median and quartiles of the error, worst seed, failures, cost, R."""

    problem: str
    sampler: str
    runs: int
    median: float
    low: float
    high: float
    worst: float
    failures: int
    share: float
    ratio: float


@dataclass(frozen=True)
class Comparison:
    """Ours against another sampler on one problem, paired by seed; p after Holm over all comparisons."""

    problem: str
    sampler: str
    pairs: int
    ratio: float
    p: float
    holm: float

    @property
    def verdict(self) -> str:
        """Better and worse need both a significant test and a factor of 0.8."""
        if self.holm < 0.05 and self.ratio <= 0.8:
            return "better"
        return "worse" if self.holm < 0.05 and self.ratio >= 1.25 else ""


def logs(outcomes: Sequence[Outcome], problem: str, sampler: str) -> dict[int, float]:
    """log10 error by seed; a run without a finite error counts as 1000 %."""
    own = [o for o in outcomes if (o.problem, o.sampler) == (problem, sampler)]
    return {o.seed: float(np.log10(max(o.error, 1e-16))) if np.isfinite(o.error) else 1.0 for o in own}


def table(outcomes: Sequence[Outcome]) -> list[Line]:
    """One line per problem and sampler, in the order of the file."""
    lines = []
    for problem, sampler in dict.fromkeys((o.problem, o.sampler) for o in outcomes):
        own = [o for o in outcomes if (o.problem, o.sampler) == (problem, sampler)]
        values = np.array(list(logs(outcomes, problem, sampler).values()))
        low, median, high = 10 ** np.percentile(values, [25, 50, 75])
        lines.append(
            Line(
                problem, sampler, len(own), float(median), float(low), float(high), float(10 ** values.max()),
                int((values > np.log10(FAILED)).sum()), float(np.median([o.share for o in own])),
                float(np.nanmedian([o.ratio for o in own])),
            )
        )  # fmt: skip
    return lines


def holm(p: Sequence[float]) -> np.ndarray:
    """Adjusted p-values (Holm 1979).

    Args:
        p: p-values, (n,).

    Returns:
        (n,).

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    adjusted = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    out = np.empty_like(values)
    out[order] = np.minimum(adjusted, 1.0)
    return out


def compared(outcomes: Sequence[Outcome], ours: str = "ours") -> list[Comparison]:
    """Ours against every other sampler on every problem (Wilcoxon's signed-rank test on log errors).

    Args:
        outcomes: Runs.
        ours: Name of the sampler.

    Returns:
        One comparison per problem and other sampler.
    """
    made = []
    for problem in dict.fromkeys(o.problem for o in outcomes):
        mine = logs(outcomes, problem, ours)
        for sampler in dict.fromkeys(o.sampler for o in outcomes if o.sampler != ours):
            theirs = logs(outcomes, problem, sampler)
            seeds = sorted(mine.keys() & theirs.keys())
            if not seeds:
                continue
            difference = np.array([mine[s] - theirs[s] for s in seeds])
            p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
            made.append((problem, sampler, len(seeds), float(10 ** np.median(difference)), p))
    adjusted = holm([p for *_, p in made])
    return [Comparison(*one, float(h)) for one, h in zip(made, adjusted, strict=True)]


def ranks(outcomes: Sequence[Outcome]) -> tuple[dict[str, float], float]:
    """Mean rank of every sampler over problems and seeds that all have, and Friedman's p.

    Args:
        outcomes: Runs.

    Returns:
        Mean ranks (1 is best) and the p-value; NaN where there are too few.
    """
    samplers = list(dict.fromkeys(o.sampler for o in outcomes))
    rows = []
    for problem in dict.fromkeys(o.problem for o in outcomes):
        found = [logs(outcomes, problem, sampler) for sampler in samplers]
        for seed in sorted(set.intersection(*(set(f) for f in found))):
            rows.append([f[seed] for f in found])
    if not rows:
        return {}, float("nan")
    mean = rankdata(np.array(rows), axis=1).mean(axis=0)
    enough = len(samplers) > 2 and len(rows) > 1
    p = float(friedmanchisquare(*np.array(rows).T).pvalue) if enough else float("nan")
    return dict(zip(samplers, map(float, mean), strict=True)), p
