"""Two-phase drawing: candidates are scored in two phases, the second where the first found large scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.drawing import curve_order, inclusion, systematic


@dataclass(frozen=True, eq=False)
class Scored:
    """Candidates with their scores.

    Attributes:
        index: Which of the places they are, increasing, (m,).
        score: Their scores, (m,).
        probability: With which each was drawn, (m,).
    """

    index: np.ndarray
    score: np.ndarray
    probability: np.ndarray

    def mean(self, values: np.ndarray) -> float:
        """Mean over all places, estimated from values at the candidates (Hajek 1971)."""
        return float((values / self.probability).sum() / (1.0 / self.probability).sum())


def two_phase(
    places: np.ndarray,
    even: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    counts: tuple[int, int],
    uniform: float,
    generator: np.random.Generator,
) -> Scored:
    """Score some of many places: first evenly, then by the scores of the neighbours (two-phase sampling; Neyman 1938).

    A layer thinner than the spacing of the first candidates gets as many as its score deserves, at the cost of
    coordinates alone. Neighbours are those along a Morton curve. What is drawn with probability π stands for 1/π
    places, so that sums over all places can be estimated without bias.

    Args:
        places: Coordinates of the places, (n, d).
        even: Density of evenly drawn points relative to that of the places, (n,).
        score: Indices (m,) to non-negative scores (m,).
        counts: Numbers of candidates of both phases, n at most together; the second may be 0.
        uniform: Share of evenly drawn candidates in the second phase.
        generator: Source of the draws.

    Returns:
        The candidates.

    Example:
        >>> import numpy as np
        >>> places = np.random.default_rng(0).random((8000, 2))
        >>> layer = lambda index: np.exp(-((places[index, 0] - 0.5) ** 2) / 2e-6)
        >>> found = two_phase(places, np.ones(8000), layer, (500, 500), 0.25, np.random.default_rng(1))
        >>> len(found.index), bool((found.score > 0.1).sum() > 20), bool(0.5 < found.mean(found.score) / 0.0025 < 2)
        (1000, True, True)
    """
    count, order = len(places), curve_order(places)
    early = systematic(np.ones(count), counts[0], generator)
    known = score(order[early])
    if not counts[1] or not np.isfinite(known).all():
        return _sorted(order[early], known, np.full(len(early), len(early) / count))
    after = np.searchsorted(early, np.arange(count))
    guess = np.maximum(known[np.maximum(after - 1, 0)], known[np.minimum(after, len(early) - 1)])
    mean = float(guess.mean())
    density = even[order] * (uniform if mean > 0 else 1.0) + ((1 - uniform) * guess / mean if mean > 0 else 0.0)
    free = np.ones(count, dtype=bool)
    free[early] = False
    share = inclusion(density[free], counts[1])
    late = np.flatnonzero(free)[systematic(share, counts[1], generator)]
    # what a place of the first phase would have been drawn with counts too: it could have come in either phase
    below = share < 1
    factor = (share[below] / density[free][below]).max() if below.any() else np.inf
    first = len(early) / count
    probability = first + (1 - first) * np.minimum(factor * density, 1.0)
    chosen = np.concatenate([early, late])
    return _sorted(order[chosen], np.concatenate([known, score(order[late])]), probability[chosen])


def _sorted(index: np.ndarray, score: np.ndarray, probability: np.ndarray) -> Scored:
    rank = np.argsort(index)
    return Scored(index[rank], score[rank], probability[rank])
