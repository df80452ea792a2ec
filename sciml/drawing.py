"""Drawing of points in proportion to a density."""

from __future__ import annotations

import numpy as np


def inclusion(density: np.ndarray, count: int) -> np.ndarray:
    """Probabilities with which `systematic` and `stratified` draw: in proportion to the density, and at most 1.

    What would be drawn more than once is certain, and the others share the rest. One over the probability is the
    weight that makes sums over the draws unbiased (Horvitz and Thompson 1952).

    Args:
        density: Non-negative numbers, (n,), at least `count` of them positive.
        count: How many are drawn, at most n.

    Returns:
        (n,) numbers with the sum `count`.

    Example:
        >>> import numpy as np
        >>> inclusion(np.array([1.0, 1.0, 2.0, 8.0]), 2)
        array([0.25, 0.25, 0.5 , 1.  ])
    """
    share = count * density / density.sum()
    while (share > 1).any():
        certain = share >= 1
        rest = density * ~certain
        share = np.where(certain, 1.0, (count - certain.sum()) * rest / max(rest.sum(), 1e-300))
    return share


def systematic(density: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Different indices drawn in proportion to a density with little variance (systematic sampling).

    Args:
        density: Positive numbers, (n,).
        count: How many, at most n.
        generator: Source of the random offset.

    Returns:
        Increasing indices, (count,).

    Example:
        >>> import numpy as np
        >>> systematic(np.array([1.0, 1.0, 2.0, 4.0]), 2, np.random.default_rng(0))
        array([2, 3])
    """
    ends = np.cumsum(inclusion(density, count))
    marks = np.arange(count) + generator.random()
    return np.unique(np.minimum(np.searchsorted(ends, marks), len(density) - 1))


def by_score(scores: np.ndarray, power: float, floor: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Different indices drawn with density score^power / mean + floor (Wu et al. 2023, arXiv 2207.10289).

    Args:
        scores: Non-negative numbers, (n,); evenly where all are 0.
        power: k.
        floor: c.
        count: How many, at most n.
        generator: Source of the random offset.

    Returns:
        Increasing indices, (count,).

    Example:
        >>> import numpy as np
        >>> by_score(np.array([0.0, 0.0, 0.0, 3.0]), 1.0, 0.0, 1, np.random.default_rng(0))
        array([3])
    """
    powered = scores**power
    mean = powered.mean()
    return systematic(powered / mean + floor if mean > 0 else np.ones_like(scores), count, generator)


def stratified(places: np.ndarray, density: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Different points drawn in proportion to a density, spread evenly over space: systematic along a Morton curve.

    Neighbours on the curve (Morton 1966) are neighbours in space, so that every region gets its share of the draws;
    sums over the points vary less than with independent draws (Gerber, Chopin and Whiteley 2019, arXiv 1707.04470).

    Args:
        places: Coordinates, (n, d).
        density: Positive numbers, (n,).
        count: How many, at most n.
        generator: Source of the random offset.

    Returns:
        Increasing indices, (count,).

    Example:
        >>> import numpy as np
        >>> places = np.random.default_rng(0).random((1000, 2))
        >>> chosen = stratified(places, np.ones(1000), 100, np.random.default_rng(1))
        >>> bool(abs(places[chosen].mean(axis=0) - places.mean(axis=0)).max() < 0.01)
        True
    """
    order = curve_order(places)
    return np.sort(order[systematic(density[order], count, generator)])


def curve_order(places: np.ndarray) -> np.ndarray:
    """The order of points along a Morton curve through their box.

    Args:
        places: Coordinates, (n, d).

    Returns:
        (n,) indices.

    Example:
        >>> import numpy as np
        >>> curve_order(np.array([[0.0, 0.0], [1.0, 1.0], [0.1, 0.2]]))
        array([0, 2, 1])
    """
    size = np.ptp(places, axis=0)
    unit = (places - places.min(axis=0)) / np.where(size > 0, size, 1.0)
    bits = min(16, 62 // places.shape[1])
    cells = np.minimum((unit * 2**bits).astype(np.uint64), 2**bits - 1)
    code = np.zeros(len(places), dtype=np.uint64)
    for bit in range(bits):
        for axis in range(places.shape[1]):
            code |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(bit * places.shape[1] + axis)
    return np.argsort(code, kind="stable")
