"""Fixed Gauss points that crowd at the walls of a rectangle, with their weights: a resampler that acts once."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml import IBVP, PointSet
from sciml.references.quadrature import gauss_legendre


class GradedGauss:
    """Gauss points of both axes under x = (1 + sin(πs/2))/2, with their weights.

    Fixed points do not disturb the damping of a second-order training, and their weights make the sum an integral.
    There must be about three rows per parameter from the start: fewer are fitted with a flow that is wrong between.

    Args:
        inside: Points per axis inside.
        side: Points per face.
    """

    every: int | None = 1

    def __init__(self, inside: int, side: int) -> None:
        self.inside, self.side = inside, side
        self.made: PointSet | None = None

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The points, made at the first call."""
        if self.made is None:
            self.made = self._points(problem, points, self.inside, self.side)
        return self.made

    def _points(self, problem: IBVP, points: PointSet, inside: int, side: int) -> PointSet:
        node, weight = graded(inside)
        low, high = np.array(problem.domain.bounds).T
        grid = np.stack(np.meshgrid(node, node, indexing="ij"), axis=-1).reshape(-1, 2)
        made = points
        for name, kind in zip(points.terms, points.term_kinds, strict=True):
            if kind == "interior":
                place, share = low + (high - low) * grid, np.outer(weight, weight).ravel()
            elif kind == "boundary":
                place, share = _sides(problem, problem.term(name).faces, side)
            else:
                continue
            old = made.ids_of(name)
            made = made.add(place, name, weight=share * made.of(name).weight.sum() / share.sum())
            made = made.remove([i for i in old if i in set(made.ids.tolist())]) if len(old) else made
        return made


def _sides(problem: IBVP, faces: tuple[str, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    node, weight = graded(count)
    (x0, x1), (y0, y1) = problem.domain.bounds
    along = {"left": (x0, None), "right": (x1, None), "bottom": (None, y0), "top": (None, y1)}
    places = []
    for face in faces:
        x, y = along[face]
        column = [np.full(count, x) if x is not None else x0 + (x1 - x0) * node,
                  np.full(count, y) if y is not None else y0 + (y1 - y0) * node]  # fmt: skip
        places.append(np.stack(column, axis=1))
    return np.concatenate(places), np.tile(weight, len(faces))


def graded(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss points and weights of [0, 1] under x = (1 + sin(πs/2))/2."""
    s, w = gauss_legendre(count)
    return (1 + np.sin(np.pi * s / 2)) / 2, np.pi / 4 * np.cos(np.pi * s / 2) * w
