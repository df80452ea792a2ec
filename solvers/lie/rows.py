"""Rows of the conditions, linear in the amplitudes: A a = y, from the compiled rows of `sciml.residuals`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.points import PointSet
from sciml.residuals import ResidualSystem
from solvers.lie.atoms import Atoms


@dataclass(frozen=True, eq=False)
class Place:
    """Coefficients of the jets at points."""

    points: np.ndarray
    needed: tuple[Jet, ...]
    coefficients: np.ndarray  # (n, c, k)
    sign: float


@dataclass(frozen=True, eq=False)
class TermRows:
    """The rows of one term: two places for a periodic condition."""

    places: tuple[Place, ...]
    data: np.ndarray  # (n, c), the rows of u = 0
    weight: np.ndarray  # (n,)
    unit: float  # sqrt(λ)


class Jets(Protocol):
    """What has values and derivatives at points."""

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """(N, k), or (N, k, n) for n of them."""


class ConditionRows:
    """The terms of a problem at points, as affine functions of the jets.

    A row r(jets) = Σ_k c_k jet_k + r(0) is affine, so its coefficients are c_k = r(e_k) - r(0).

    Args:
        problem: A problem with linear terms.
        points: Points of its terms.
        scale: λ by name of term; rows are multiplied by sqrt(λ · quadrature weight).
        level: Whether points of small weight count less where rows are judged: slopes near a corner.
    """

    def __init__(self, problem: IBVP, points: PointSet, scale: dict[str, float], level: bool = False) -> None:
        self.problem, self.points, self.scale, self.level = problem, points, scale, level
        self._last: tuple[tuple[Atoms, ...], np.ndarray] = ((), np.zeros((0, 0)))
        system = ResidualSystem(problem)
        unknowns = system.unknown_values(())
        self._terms, self.ids, self.labels, self.locations = [], [], [], []
        for item in system.prepare(points):
            program, places, data = item.program, [], None
            for sign, place in zip((1.0, -1.0), item.places, strict=False):
                n, k = len(place.points), len(program.needed)
                zero = program.residual(place.state, torch.zeros(n, max(k, 1), dtype=torch.float64)[:, :k], unknowns)
                ones = torch.eye(k, dtype=torch.float64)
                columns = [program.residual(place.state, ones[i].expand(n, k), unknowns) - zero for i in range(k)]
                coefficients = torch.stack(columns, dim=2).numpy()
                places.append(Place(place.points.numpy(), program.needed, coefficients, sign))
                data = sign * zero.numpy() + (0.0 if data is None else data)
            lam = scale.get(program.term.name, 1.0)
            weight = np.sqrt(lam * item.weight.numpy())
            assert data is not None
            self._terms.append(TermRows(tuple(places), data, weight, float(np.sqrt(lam))))
            components = program.term.components
            self.ids.append(np.repeat(item.ids, len(components)))
            self.labels.append(np.tile(np.array(components, dtype=object), len(item.ids)))
            self.locations.append(np.repeat(places[0].points, len(components), axis=0))

    @property
    def parts(self) -> tuple[TermRows, ...]:
        """The rows of every term that has points."""
        return tuple(self._terms)

    @property
    def row_weights(self) -> np.ndarray:
        """sqrt(λ w) of every row, (N,)."""
        return np.concatenate([np.repeat(t.weight, t.data.shape[1]) for t in self._terms])

    @property
    def severity(self) -> np.ndarray:
        """Factor that turns a mismatch into the unit of the field, (N,)."""
        parts = []
        for term in self._terms:
            relative = term.weight / term.weight.max() if self.level else np.ones(len(term.weight))
            parts.append(np.repeat(relative * term.unit, term.data.shape[1]))
        return np.concatenate(parts)

    def target(self) -> np.ndarray:
        """Y = -r(0), unweighted, (N,)."""
        return -np.concatenate([term.data.reshape(-1) for term in self._terms])

    def matrix(self, families: Sequence[Atoms]) -> np.ndarray:
        """A, unweighted, (N, number of atoms); that of the last families is kept."""
        known, matrix = self._last
        if not known or len(known) != len(families) or any(a is not b for a, b in zip(known, families, strict=True)):
            matrix = self._applied(
                lambda place: np.concatenate([family.jets(place.points, place.needed) for family in families], axis=2)
            )
            self._last = (tuple(families), matrix)
        return matrix

    def values(self, solution: Jets) -> np.ndarray:
        """The left-hand sides for one solution, unweighted, (N,)."""
        return self._applied(lambda place: solution.jets(place.points, place.needed)[:, :, None])[:, 0]

    def _applied(self, jets_at: Callable[[Place], np.ndarray]) -> np.ndarray:
        blocks = []
        for term in self._terms:
            total: np.ndarray | None = None
            for place in term.places:
                part = place.sign * np.einsum("nck,nkj->ncj", place.coefficients, jets_at(place))
                total = part if total is None else total + part
            assert total is not None
            blocks.append(total.reshape(-1, total.shape[2]))
        return np.concatenate(blocks)
