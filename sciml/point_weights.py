"""Quadrature weights of the entries of a point set, term by term."""

from __future__ import annotations

import numpy as np

from sciml.errors import PointsError


def uniform_weights(term: np.ndarray) -> np.ndarray:
    """Weights `1/(entries of the term)`.

    Args:
        term: Index of the term of each entry, `(n,)`.

    Returns:
        Weights `(n,)`.
    """
    return 1.0 / np.bincount(term)[term] if term.size else np.empty(0)


def term_sums(weight: np.ndarray, term: np.ndarray, count: int) -> np.ndarray:
    """Sum of the weights of each term.

    Args:
        weight: Weight of each entry, `(n,)`.
        term: Index of the term of each entry, `(n,)`.
        count: Number of terms.

    Returns:
        Sums `(count,)`.
    """
    return np.bincount(term, weights=weight, minlength=count)


def scaled_weights(
    weight: np.ndarray, term: np.ndarray, terms: tuple[str, ...], total: float | np.ndarray
) -> np.ndarray:
    """Weights scaled so that those of each term have a given sum.

    Args:
        weight: Weight of each entry, 0 or more, `(n,)`.
        term: Index of the term of each entry, `(n,)`.
        terms: Names of the terms.
        total: The sum, one number or one per term.

    Returns:
        Weights `(n,)`.

    Raises:
        PointsError: If all weights of a term are 0.

    Example:
        >>> scaled_weights(np.array([1.0, 3.0]), np.array([0, 0]), ("pde",), 1.0)
        array([0.25, 0.75])
    """
    sums, entries = term_sums(weight, term, len(terms)), np.bincount(term, minlength=len(terms))
    lost = (entries > 0) & ~(sums > 0.0) & (np.asarray(total) > 0.0)
    if lost.any():
        raise PointsError(
            "a positive weight in every term that has points",
            f"only zeros in {terms[int(np.argmax(lost))]!r}",
            "remove the points, or use total=None to keep the zeros",
        )
    return weight * np.divide(total, sums, out=np.ones(len(sums)), where=sums > 0.0)[term]
