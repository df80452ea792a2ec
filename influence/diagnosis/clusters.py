"""Clusters of influence maps: predictions that rest on the same points, and points that act alike.

Spectral clustering of unit-normalised rows of the signed influence matrix: k-nearest-neighbour graph of their cosines,
normalised Laplacian, eigengap, k-means on the leading eigenvectors (SpRAy: Lapuschkin et al. 2019, arXiv 1902.10178;
Anders et al. 2022, arXiv 1912.11425).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from influence.diagnosis.pictured import COLOURS, Pictured, map_axes
from influence.scores import Scores
from sciml.errors import SolverError

_MOST = 600  # maps: beyond, a random choice stands for all


@dataclass(frozen=True, eq=False)
class InfluenceClusters(Pictured):
    """Groups of predictions (or training points) of alike influence maps.

    Attributes:
        labels: Cluster of each map, (n,).
        places: Where its prediction or point lies, (n, d), or None.
        medoids: Index of the most typical map of each cluster, (k,).
        shares: Share of the maps, (k,).
        stability: Mean agreement (adjusted Rand index) with clusters of resampled maps; 1 is perfect.
        eigenvalues: Smallest of the normalised Laplacian.
        coordinates: Names of the coordinates.
    """

    labels: np.ndarray
    places: np.ndarray | None
    medoids: np.ndarray
    shares: np.ndarray
    stability: float
    eigenvalues: np.ndarray
    coordinates: tuple[str, ...]

    def __str__(self) -> str:
        """Shares and stability."""
        shares = ", ".join(f"{share:.0%}" for share in self.shares)
        return f"clusters of influence maps: {len(self.shares)} ({shares}), stability {self.stability:.2f}"

    def draw(self, axis: Any) -> None:
        """Maps at their places, coloured by cluster; stars are the most typical ones.

        Args:
            axis: Matplotlib axes.
        """
        count = len(self.labels)
        places = np.arange(count)[:, None] if self.places is None else self.places
        names = self.coordinates if len(self.coordinates) == places.shape[1] else ("map",) * places.shape[1]
        first, second = map_axes(places.shape[1], names[-1] == "t")
        vertical = places[:, second] if places.shape[1] > 1 else self.labels
        colours = np.array(COLOURS, dtype=object)[self.labels % len(COLOURS)]
        axis.scatter(places[:, first], vertical, c=list(colours), s=16)
        axis.plot(places[self.medoids, first], vertical[self.medoids], "k*", markersize=10)
        axis.set_xlabel(names[first])
        axis.set_ylabel(names[second] if places.shape[1] > 1 else "cluster")
        title = f"{len(self.shares)} kinds of influence maps, stability {self.stability:.2f}"
        axis.set_title(title, fontsize="medium")


def influence_clusters(
    scores: Scores, side: str = "query", k: int | None = None, neighbours: int = 10, bootstrap: int = 5, seed: int = 0
) -> InfluenceClusters:
    """Cluster predictions by what they rest on, or training points by what they act on.

    Args:
        scores: Influences.
        side: "query" or "train".
        k: Number of clusters; by the largest relative gap of the first eigenvalues when None (2 to 7).
        neighbours: Neighbours in the graph.
        bootstrap: Repetitions on four fifths of the maps, for the stability.
        seed: Seed.

    Returns:
        The clusters.

    Raises:
        SolverError: If the side is unknown or there are too few maps.
    """
    if side not in ("query", "train"):
        raise SolverError('side "query" or "train"', repr(side), "")
    maps = scores.values if side == "query" else scores.values.T
    places = scores.query if side == "query" else scores.train
    size = np.linalg.norm(maps, axis=1)
    kept = np.flatnonzero(size > 0)
    rng = np.random.default_rng(seed)
    if len(kept) > _MOST:
        kept = np.sort(rng.choice(kept, _MOST, replace=False))
    if len(kept) < 8:
        raise SolverError("at least 8 influence maps that do not vanish", f"{len(kept)}", "ask at more points")
    unit = maps[kept] / size[kept, None]
    values, vectors = _spectrum(unit, neighbours)
    few = np.maximum(values[: min(9, len(values))], 1e-12)
    count = k or 2 + int(np.argmax(1 - few[1:-1] / few[2:]))  # relative gap: absolute ones grow along a continuum
    labels = _k_means(vectors[:, :count], count, rng)
    medoids = np.array([own[np.argmax((unit[own] @ unit[own].T).sum(axis=1))]
                        for c in range(labels.max() + 1) for own in [np.flatnonzero(labels == c)]])  # fmt: skip
    agreement = []
    for _ in range(bootstrap):
        part = np.sort(rng.choice(len(unit), max(8, 4 * len(unit) // 5), replace=False))
        again = _k_means(_spectrum(unit[part], neighbours)[1][:, :count], count, rng)
        agreement.append(_rand_index(labels[part], again))
    where = None if places is None else places[kept]
    shares = np.bincount(labels) / len(labels)
    return InfluenceClusters(labels, where, medoids, shares, float(np.mean(agreement)), values[:10], scores.coordinates)


def _spectrum(unit: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the normalised Laplacian of the neighbour graph, and its row-normalised eigenvectors."""
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -2.0)
    near = np.argsort(-cosine, axis=1)[:, : min(neighbours, len(unit) - 1)]
    graph = np.zeros_like(cosine)
    np.put_along_axis(graph, near, np.clip((1 + np.take_along_axis(cosine, near, axis=1)) / 2, 1e-9, 1.0), axis=1)
    graph = np.maximum(graph, graph.T)
    degree = 1 / np.sqrt(graph.sum(axis=1))
    values, vectors = np.linalg.eigh(np.eye(len(unit)) - degree[:, None] * graph * degree)
    return values, vectors


def _k_means(vectors: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Lloyd's iteration on unit rows from k-means++ starts; the best of five."""
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    best, best_cost = np.zeros(len(rows), dtype=int), np.inf
    for _ in range(5):
        centres = rows[rng.integers(len(rows))][None]
        while len(centres) < count:
            gap = ((rows[:, None] - centres) ** 2).sum(axis=2).min(axis=1) + 1e-15
            centres = np.vstack([centres, rows[rng.choice(len(rows), p=gap / gap.sum())]])
        for _ in range(50):
            labels = ((rows[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
            moved = centres.copy()
            for c in np.unique(labels):
                moved[c] = rows[labels == c].mean(axis=0)
            if np.allclose(moved, centres):
                break
            centres = moved
        cost = float(((rows - centres[labels]) ** 2).sum())
        if cost < best_cost:
            best, best_cost = labels, cost
    used, best = np.unique(best, return_inverse=True)
    order = np.argsort(-np.bincount(best, minlength=len(used)), kind="stable")
    return np.argsort(order)[best]


def _rand_index(first: np.ndarray, second: np.ndarray) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985)."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    total = pairs(np.array([len(first)]))
    rows, columns, both = pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), pairs(table)
    chance = rows * columns / total
    largest = (rows + columns) / 2
    return 1.0 if largest == chance else (both - chance) / (largest - chance)
