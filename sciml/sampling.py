"""Points of the open unit cube: quasi-random, stratified, random, or on a grid."""

from __future__ import annotations

import math
from numbers import Integral

import numpy as np
from scipy.stats import qmc

from sciml.errors import PointsError

METHODS = ("sobol", "hammersley", "latin", "uniform", "grid")
_MOST = 2**30  # as many as Sobol numbers of 30 bits can tell apart
_EDGE = 2.0**-40  # sequences may contain 0 exactly, the open cube does not


def check_count(value: object, name: str = "n") -> int:
    """A number of points, checked.

    Args:
        value: What the caller gave.
        name: Its name in the message.

    Returns:
        The number as `int`.

    Raises:
        PointsError: If it is not a whole number, or negative.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise PointsError(f"{name}: a whole number of points, 0 or more", repr(value), f"for instance {name}=200")
    if int(value) > _MOST:
        raise PointsError(
            f"{name}: at most {_MOST} points at once", repr(value), "draw them in parts, each with its seed"
        )
    return int(value)


def _check(n: object, d: object, method: object, seed: object) -> tuple[int, int]:
    count, columns = check_count(n), check_count(d, "d")
    if method not in METHODS:
        raise PointsError("a method among " + ", ".join(METHODS), repr(method), 'for instance method="sobol"')
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise PointsError("seed: a whole number, 0 or more", repr(seed), "for instance seed=0")
    return count, columns


def _sobol(n: int, d: int, seed: int) -> np.ndarray:
    # whole powers of two keep the balance of the sequence (and scipy silent); a prefix is returned
    return qmc.Sobol(d, scramble=True, seed=np.random.default_rng(seed)).random_base2((n - 1).bit_length())[:n]


def _hammersley(n: int, d: int, seed: int) -> np.ndarray:
    first = (np.arange(n)[:, None] + 0.5) / n
    if d == 1:
        return first
    rest = qmc.Halton(d - 1, scramble=True, seed=np.random.default_rng(seed)).random(n)
    return np.hstack([first, rest])


def _grid(n: int, d: int) -> np.ndarray:
    side = max(1, round(n ** (1.0 / d)))
    side += side**d < n
    sides = [side] * d
    for axis in range(d):  # one cell less along an axis where the rest still suffices: 2 points need no 2 × 2 cells
        sides[axis] -= side > 1 and math.prod(sides) // side * (side - 1) >= n
    axes = np.meshgrid(*[(np.arange(k) + 0.5) / k for k in sides], indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)[spread(math.prod(sides), n)]


def spread(available: int, wanted: int) -> np.ndarray:
    """Indices that keep `wanted` of `available` items, evenly over their order.

    Args:
        available: How many there are.
        wanted: How many to keep, at most `available`.

    Returns:
        Increasing indices, shape `(wanted,)`.

    Example:
        >>> spread(6, 3)
        array([1, 3, 5])
    """
    return ((np.arange(wanted) + 0.5) * available / max(wanted, 1)).astype(int)


def unit_points(n: int, d: int, method: str = "sobol", seed: int = 0) -> np.ndarray:
    """`n` points of the open unit cube `(0, 1)^d`.

    `"sobol"`: Owen-scrambled Sobol sequence; `"hammersley"`: first coordinate `(i + 1/2)/n`, the others a
    scrambled Halton sequence; `"latin"`: Latin hypercube; `"uniform"`: independent; `"grid"`: cell centres
    of the smallest almost cubic grid with at least `n` cells, thinned evenly where it has more (Owen, *Monte Carlo
    theory, methods and examples*, ch. 15 to 17). No global random state is read or changed.

    Args:
        n: Number of points.
        d: Dimension.
        method: One of `METHODS`.
        seed: Seed of the scrambling or of the random numbers; the grid has none.

    Returns:
        Array of shape `(n, d)`.

    Raises:
        PointsError: If an argument is out of range.

    Example:
        >>> unit_points(3, 1, "grid").ravel()
        array([0.16666667, 0.5       , 0.83333333])
        >>> points = unit_points(100, 2, "sobol", seed=1)
        >>> points.shape, bool(abs(points.mean() - 0.5) < 0.01)
        ((100, 2), True)
    """
    n, d = _check(n, d, method, seed)
    if n == 0 or d == 0:
        return np.empty((n, d))
    if method == "sobol":
        points = _sobol(n, d, int(seed))
    elif method == "hammersley":
        points = _hammersley(n, d, int(seed))
    elif method == "latin":
        points = qmc.LatinHypercube(d, seed=np.random.default_rng(seed)).random(n)
    elif method == "uniform":
        points = np.random.default_rng(seed).random((n, d))
    else:
        points = _grid(n, d)
    return np.clip(points, _EDGE, 1.0 - _EDGE)


def choose(weights: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distribute numbers of (0, 1) over parts in proportion to `weights`.

    The map is monotone and preserves the uniform density: a number picks its part, and its place within the
    part is again uniform.

    Args:
        weights: Positive weights, shape `(k,)`.
        unit: Numbers in (0, 1), shape `(n,)`.

    Returns:
        Index of the part and the remainder in (0, 1), both of shape `(n,)`.

    Example:
        >>> choose(np.array([1.0, 3.0]), np.array([0.125, 0.25 + 0.375]))
        (array([0, 1]), array([0.5, 0.5]))
    """
    share = weights / weights.sum()
    ends = np.cumsum(share)
    index = np.minimum(np.searchsorted(ends, unit, side="right"), len(weights) - 1)
    remainder = (unit - (ends - share)[index]) / share[index]
    return index, np.clip(remainder, _EDGE, 1.0 - _EDGE)


def apportion(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to weights that sum to `total`, by largest remainder.

    Args:
        total: How many to share out.
        weights: Weights, 0 or more and not all 0, shape `(k,)`.

    Returns:
        Numbers `(k,)`; equal remainders go to the first.

    Example:
        >>> apportion(5, np.array([1.0, 1.0, 0.5]))
        array([2, 2, 1])
    """
    ideal = total * weights / weights.sum()
    shares = np.floor(ideal).astype(int)
    shares[np.argsort(shares - ideal, kind="stable")[: total - shares.sum()]] += 1
    return shares


def part_points(
    weights: np.ndarray, n: int, columns: int, further: int, method: str = "sobol", seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a shape that has several parts, each the image of a unit cube: uniform over all of them.

    Args:
        weights: Measures of the parts, shape `(k,)`.
        n: Number of points.
        columns: Dimension of the unit cubes.
        further: Number of further columns, which the parts share.
        method: One of `METHODS`.
        seed: Seed of the method.

    Returns:
        Index of the part of each point, `(n,)`, and its place `(n, columns + further)`.

    Raises:
        PointsError: If an argument is out of range.

    Example:
        >>> part_points(np.array([1.0, 3.0]), 4, 1, 0, "grid")[0]
        array([0, 1, 1, 1])
    """
    if method == "grid" and len(weights) > 1 and columns > 1:
        # a grid has few different first coordinates: they would miss parts, so each part gets its own grid
        check_count(n)
        counts = apportion(n, weights)
        grids = [unit_points(int(count), columns + further, method, seed) for count in counts]
        return np.repeat(np.arange(len(weights)), counts), np.concatenate(grids)
    unit = unit_points(n, columns + further, method, seed)
    index = np.zeros(len(unit), dtype=int)
    if len(weights) > 1:
        index, unit[:, 0] = choose(weights, unit[:, 0])
    return index, unit


def lattice(boxes: np.ndarray, side: int) -> np.ndarray:
    """Cell centres of a grid over several boxes: those of a `side × side × ...` grid of their bounding box.

    Args:
        boxes: Lower and upper corners of boxes without common interior, `(k, 2, d)`.
        side: Cells along each axis of the bounding box.

    Returns:
        The centres that lie in one of the boxes, `(n, d)`, in row-major order.

    Example:
        >>> lattice(np.array([[[0.0], [1.0]], [[2.0], [3.0]]]), 3).ravel()
        array([0.5, 2.5])
    """
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    step = (high - low) / side
    first, stop = (np.ceil((boxes[:, k] - low) / step - 0.5 + shift) for k, shift in ((0, -1e-9), (1, 1e-9)))
    first, stop = (np.clip(index, 0, side).astype(int) for index in (first, stop))
    counts = stop - first
    total = counts.prod(axis=1)
    owner = np.repeat(np.arange(len(boxes)), total)
    rest = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
    index = np.empty((len(owner), len(low)), dtype=int)
    for axis in range(len(low)):
        rest, digit = np.divmod(rest, counts[owner, axis])
        index[:, axis] = first[owner, axis] + digit
    # a centre on the common wall of two boxes counts once
    return low + (np.unique(index, axis=0) + 0.5) * step
