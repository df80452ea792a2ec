"""Residual-based resamplers: fixed points, new points, points by the size of the residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import explained, require_number
from sciml.drawing import inclusion, stratified
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.points import PointSet, sample
from sciml.resampling import check_model, check_points
from sciml.residuals import ResidualSystem
from sciml.sampling import METHODS
from solvers.pinn.placement import Counts, counts_of, draw, keep_terms, renewed


@explained("Fixed()")
@dataclass
class Fixed:
    """The points stay; with a method they are drawn by it once, in the first call.

    Args:
        method: "sobol", "hammersley", "latin", "uniform" or "grid"; None keeps the points of the trainer, which are
            Sobol points denser at the edges.
        every: Steps between calls.
        seed: Seed of the draw.
        drawn: Whether that was done.

    Raises:
        SolverError: If the method is unknown.
    """

    method: str | None = None
    every: int | None = None
    seed: int = 0
    drawn: bool = False

    def __post_init__(self) -> None:
        """Check the method.

        Raises:
            SolverError: If it is unknown.
        """
        if self.method is not None and self.method not in METHODS:
            raise SolverError(f"a method among {', '.join(METHODS)}", repr(self.method), 'Fixed("hammersley")')
        if self.every is None:
            self.every = 10**9 if self.method is None else 1

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The same points, or the first draw.

        Args:
            problem: The problem.
            model: Not used.
            points: The present points.

        Returns:
            `points`, but for the first call with a method.
        """
        check_points(problem, points)
        if self.method is None or self.drawn:
            return points
        self.drawn, counts = True, counts_of(points)
        present = [name for name in points.terms if points.mask(name).any()]
        numbers = (counts.interior, counts.boundary, counts.initial)
        return renewed(points, keep_terms(sample(problem, *numbers, method=self.method, seed=self.seed), present))


@explained("RandomResample(every=10)")
@dataclass
class RandomResample:
    """New Sobol points, as many as there are, every so many steps.

    Args:
        every: Steps between draws; None leaves it to the optimiser.
        seed: Seed of the first draw.

    Raises:
        SolverError: If `every` is not a positive whole number.
    """

    every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check `every`.

        Raises:
            SolverError: If it is not a positive whole number.
        """
        require_number(self.every, "every", least=1, whole=True, optional=True, fix="RandomResample(every=10)")
        require_number(self.seed, "seed", least=0, whole=True, fix="RandomResample(seed=0)")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """New points with new IDs; measured and fixed points stay.

        Args:
            problem: The problem.
            model: Not used.
            points: The present points.

        Returns:
            The new set.
        """
        check_points(problem, points)
        present = [name for name in points.terms if points.mask(name).any()]
        absent = [name for name in points.terms if name not in present]
        numbers = counts_of(points)
        # the first free ID differs after every draw, so that it makes a seed without any state
        seed = int(np.random.SeedSequence([self.seed, points.next_id]).generate_state(1)[0])
        return renewed(points, draw(problem, absent, numbers, seed))


@explained("RAD(power=1, floor=1)")
@dataclass
class RAD:
    """Residual-based adaptive distribution (Wu et al. 2023, arXiv 2207.10289).

    Interior points are drawn from candidates with density p ∝ |r|^k / mean|r|^k + c. Their weights are one over the
    probability of being drawn (1/p, but where fewer candidates lie than p asks for), so that the integral that is
    minimised stays the same; `weighted=False` gives equal weights, as published.

    Args:
        power: k.
        floor: c.
        candidates: Number of candidates, as a multiple of the points.
        every: Steps between draws; None leaves it to the optimiser.
        weighted: Whether weights compensate the density.
        seed: Seed.

    Raises:
        SolverError: If a number is out of range.
    """

    power: float = 1.0
    floor: float = 1.0
    candidates: int = 10
    every: int | None = None
    weighted: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SolverError: If one is out of range.
        """
        fix = "RAD(power=1, floor=1)"
        for name in ("power", "floor"):
            require_number(getattr(self, name), name, least=0, fix=fix)
        for name, least in (("candidates", 1), ("every", 1), ("seed", 0)):
            require_number(getattr(self, name), name, least=least, whole=True, optional=name == "every", fix=fix)

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """Interior points by the residual, others drawn anew evenly.

        Args:
            problem: The problem.
            model: The solved fields as a module.
            points: The present points.

        Returns:
            The new set.
        """
        check_model(model)
        fresh = RandomResample(seed=self.seed).resample(problem, model, points)
        name = problem.terms[0].name
        count = int(fresh.mask(name).sum())
        seed = int(np.random.SeedSequence([self.seed, points.next_id, 1]).generate_state(1)[0])
        absent = [term.name for term in problem.terms[1:]]
        pool = draw(problem, absent, Counts(self.candidates * count, 0, 0), seed)
        density = self._density(residual_size(problem, model, pool))
        shape = density if self.weighted else density * pool.weight  # published: relative to even candidates
        share = inclusion(shape, count)
        chosen = stratified(pool.coordinates, share, count, np.random.default_rng(seed))
        weight = pool.weight[chosen] / share[chosen] if self.weighted else None
        rest = keep_terms(fresh, [other for other in fresh.terms if other != name])
        return rest.add(pool.coordinates[chosen], name, weight=weight)

    def _density(self, size: np.ndarray) -> np.ndarray:
        """Density relative to the uniform one, mean 1."""
        powered = size**self.power
        mean = powered.mean()
        density = (powered / mean if mean > 0 else np.zeros_like(size)) + self.floor
        return density / density.mean() if density.mean() > 0 else np.ones_like(size)


def residual_size(problem: IBVP, model: Any, points: PointSet) -> np.ndarray:
    """|r| at interior points; components are made comparable by their root mean squares.

    Args:
        problem: The problem.
        model: The solved fields as a module.
        points: Interior points.

    Returns:
        (n,) non-negative numbers.

    Raises:
        SolverError: If a residual is not finite.
    """
    rows = ResidualSystem(problem).rows(model, points, parameters=False).terms[0]
    squares = rows.values.detach().cpu().numpy() ** 2
    if not np.isfinite(squares).all():
        raise SolverError(
            "finite residuals at the candidates", f"{np.count_nonzero(~np.isfinite(squares))} are not", ""
        )
    mean = squares.mean(axis=0)
    return np.sqrt((squares / np.where(mean > 0, mean, 1.0)).sum(axis=1))
