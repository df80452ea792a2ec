"""Two-phase drawing: candidates are drawn where a first look found large scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.drawing import curve_order, inclusion, systematic

FINE = 4  # places per scored one, among which the second phase chooses


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


def phases(count: int, two: bool) -> tuple[int, int]:
    """How many places each phase scores, of so many in all.

    Args:
        count: How many.
        two: Whether there is a second phase.

    Returns:
        The two numbers.
    """
    first = count // 4 if two and count >= 8 else count
    return first, count - first


def weighted_mean(values: np.ndarray, probability: np.ndarray) -> float:
    """Mean over a population of values at members drawn with these probabilities (Hajek 1971).

    Args:
        values: (m,).
        probability: (m,).

    Returns:
        The estimate.
    """
    return float((values / probability).sum() / (1.0 / probability).sum())


def two_phase(
    places: np.ndarray,
    even: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    counts: tuple[int, int],
    uniform: float,
    generator: np.random.Generator,
) -> Scored:
    """Draw candidates among many places by what is found at a few of them (two-phase sampling; Neyman 1938).

    A layer thinner than the spacing of evenly drawn candidates gets as many as its score deserves: the scores of the
    first phase, each taken for its neighbours along a Morton curve, are the density of the second. What the second
    draws with probability π stands for 1/π places, so that sums over all places are estimated without bias; the
    first would spoil that, as a place found large gets more beside it, and is left out.

    Args:
        places: Coordinates of the places, (n, d).
        even: Density of evenly drawn points relative to that of the places, (n,).
        score: Indices (m,) to non-negative scores (m,).
        counts: Numbers of places scored in both phases, each n at most; where the second is 0, the first are the
            candidates.
        uniform: Share of evenly drawn candidates in the second phase.
        generator: Source of the draws.

    Returns:
        The candidates of the last phase.

    Example:
        >>> import numpy as np
        >>> places = np.random.default_rng(0).random((8000, 2))
        >>> layer = lambda index: np.exp(-((places[index, 0] - 0.5) ** 2) / 2e-4)
        >>> found = two_phase(places, np.ones(8000), layer, (1000, 3000), 0.25, np.random.default_rng(1))
        >>> evenly, drawn = (layer(np.arange(8000)) > 0.1).mean(), (found.score > 0.1).mean()
        >>> len(found.index), bool(drawn > 2 * evenly)
        (3000, True)
        >>> bool(abs(weighted_mean(found.score, found.probability) / layer(np.arange(8000)).mean() - 1) < 0.2)
        True
    """
    count, order = len(places), curve_order(places)
    early = systematic(np.ones(count), counts[0], generator)
    known = _ordered(score, order[early])
    if not counts[1] or not np.isfinite(known).all():
        return _sorted(order[early], known, np.full(len(early), len(early) / count))
    after = np.searchsorted(early, np.arange(count))
    guess = np.maximum(known[np.maximum(after - 1, 0)], known[np.minimum(after, len(early) - 1)])
    mean = float(guess.mean())
    density = even[order] * (uniform if mean > 0 else 1.0) + ((1 - uniform) * guess / mean if mean > 0 else 0.0)
    share = inclusion(density, counts[1])
    late = systematic(share, counts[1], generator)
    return _sorted(order[late], _ordered(score, order[late]), share[late])


def _ordered(score: Callable[[np.ndarray], np.ndarray], index: np.ndarray) -> np.ndarray:
    """Scores, asked for in increasing order, which point sets check fastest."""
    rank = np.argsort(index)
    values = np.empty(len(index))
    values[rank] = score(index[rank])
    return values


def _sorted(index: np.ndarray, score: np.ndarray, probability: np.ndarray) -> Scored:
    rank = np.argsort(index)
    return Scored(index[rank], score[rank], probability[rank])
