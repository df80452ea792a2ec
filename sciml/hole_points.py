"""Points near holes: a part of the drawn points lies as densely around a small hole as its size asks for."""

from __future__ import annotations

import numpy as np

from sciml.geometry.base import Geometry
from sciml.geometry.holes import Hole, holes
from sciml.ibvp import IBVP
from sciml.point_set import PointSet
from sciml.points import proportional
from sciml.sampling import unit_points

SHARE = 0.5  # part of the points that is placed around holes
_PROBE = 8192  # points for the part of an annulus that lies in the region


def denser_near_holes(problem: IBVP, points: PointSet, seed: int) -> PointSet:
    r"""Evenly drawn points, half of which are moved towards the holes, with weights that keep the integrals.

    Around a hole of centre c the density falls as 1/r², r = |x - c|: as many points in every
    octave of r, as fields around the hole vary on the scale of r. All points together have the density
    p = (1 - s) p_even + s Σ_k p_k/K, and the weight 1/p (balance heuristic, Veach & Guibas 1995). Of the points of a
    boundary term with a hole among its faces, half are shared among the faces alike and half by length.

    Args:
        problem: The problem.
        points: Its points, drawn evenly.
        seed: Seed of the new places.

    Returns:
        The points with their IDs; where the region has no hole, the same object.

    Example:
        >>> from sciml import sample
        >>> from sciml.problems import cylinder
        >>> problem = cylinder.dfg_steady().problem
        >>> even = sample(problem, interior=1000)
        >>> points = denser_near_holes(problem, even, seed=0).of(problem.terms[0].name)
        >>> near = ((points.coordinates - [2, 2]) ** 2).sum(axis=1) < 1
        >>> bool(near.sum() > 100), round(float(points.weight[near].sum() * problem.domain.measure / 2.356), 1)
        (True, 1.0)
    """
    found = holes(problem.domain)
    if not found:
        return points
    weight = points.weight.copy()
    moved: dict[object, tuple[np.ndarray, np.ndarray]] = {}
    for name, kind in zip(points.terms, points.term_kinds, strict=True):
        entries, ids = points.mask(name), points.ids_of(name)
        if not len(ids) or kind not in ("interior", "initial", "boundary"):
            continue
        key = (kind, *ids.tolist())  # terms that share their points keep sharing them
        if key not in moved:
            number = seed + 31 * len(moved)
            place = points.coordinates[entries]
            moved[key] = (
                _on_faces(problem, found, name, place, number)
                if kind == "boundary"
                else _around(problem, found, place, number)
            )
            points = points.move(ids, moved[key][0])
        weight[entries] *= moved[key][1]
    return points.with_weight(weight)


def _around(problem: IBVP, found: tuple[Hole, ...], place: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The first points as they are, the others around the holes; 1/p."""
    domain, count = problem.domain, len(place)
    shares = proportional(round(SHARE * count), np.ones(len(found)))
    timed = place.shape[1] > 2 and np.ptp(place[:, 2]) > 0
    density = np.full(count, (1 - SHARE) / domain.measure)
    parts = [place[: count - int(shares.sum())]]
    rings = [_Ring(domain, hole, seed + 7 * k) for k, hole in enumerate(found)]
    for ring, share in zip(rings, shares, strict=True):
        new = ring.points(int(share), 3 if timed else 2)
        rest = place[len(place) - len(new) :, 2:]  # initial points keep their time
        if timed:
            start, end = problem.bounds[-1]
            rest = start + new[:, 2:] * (end - start)
        parts.append(np.column_stack([new[:, :2], rest]))
    places = np.concatenate(parts)
    for ring in rings:
        density += SHARE / len(rings) * ring.density(places[:, :2])
    return places, 1 / density


class _Ring:
    """Density ∝ 1/r² in the part of an annulus around a hole that lies in the region."""

    def __init__(self, domain: Geometry, hole: Hole, seed: int) -> None:
        self.domain, self.hole, self.seed = domain, hole, seed
        corners = np.stack(np.meshgrid(*domain.bounds), axis=-1).reshape(-1, 2)
        self.octaves = float(np.log(np.linalg.norm(corners - hole.centre, axis=1).max() / hole.radius))
        unit = unit_points(_PROBE, 2, seed=0)
        self.part = float(self._inside(self._place(unit)).mean())

    def _place(self, unit: np.ndarray) -> np.ndarray:
        r, angle = self.hole.radius * np.exp(self.octaves * unit[:, 0]), 2 * np.pi * unit[:, 1]
        return self.hole.centre + r[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def _inside(self, places: np.ndarray) -> np.ndarray:
        return self.domain.signed_distance(places) < -1e-12 * self.domain.size

    def points(self, count: int, columns: int) -> np.ndarray:
        """So many points (count, columns); what follows the two coordinates is in (0, 1)."""
        wanted = int(1.2 * count / self.part) + 64
        while True:
            unit = unit_points(wanted, columns, seed=self.seed)
            places = self._place(unit)
            inside = self._inside(places)
            if inside.sum() >= count:
                return np.column_stack([places, unit[:, 2:]])[inside][:count]
            wanted *= 2

    def density(self, places: np.ndarray) -> np.ndarray:
        """Per area, with integral 1 over the region."""
        square = ((places - self.hole.centre) ** 2).sum(axis=1)
        return 1 / (2 * np.pi * self.octaves * self.part * square)


def _on_faces(
    problem: IBVP, found: tuple[Hole, ...], name: str, place: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Half of the points shared among the faces alike, where a hole's is among them; length per point."""
    term, domain = problem.term(name), problem.domain
    faces = tuple(face for face in domain.faces if face in term.faces)
    small = {face for hole in found for face in hole.faces}
    if term.periodic or len(faces) < 2 or not small & set(faces):
        return place, np.ones(len(place))
    lengths = np.array([domain.face_measure(face) for face in faces])
    counts = proportional(len(place), 0.5 * lengths / lengths.sum() + 0.5 / len(faces))
    time = None if problem.time is None else problem.bounds[-1]
    drawn = [
        domain.sample_face(face, int(count), "sobol", seed + 104729 * i, time)
        for i, (face, count) in enumerate(zip(faces, counts, strict=True))
    ]
    return np.concatenate(drawn)[: len(place)], np.repeat(lengths / counts, counts)[: len(place)]
