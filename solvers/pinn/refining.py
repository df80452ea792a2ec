"""Resamplers as they were published: RAR, R3, PACMANN, and the slope of the solution as a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sciml.arguments import explained, require_number
from sciml.drawing import by_score
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.placing import equal_weights, scored
from sciml.points import PointSet, sample
from sciml.resampling import check_model, check_points
from sciml.residuals import choose_engine, device_of
from solvers.pinn.samplers import residual_size


def _interior(problem: IBVP) -> str:
    return problem.terms[0].name


def _whole_numbers(sampler: Any, fix: str) -> None:
    """Numbers of points, candidates and steps of a sampler, at least 1 where it has them, and its seed."""
    for name in ("add", "candidates", "steps", "most", "every", "seed"):
        if hasattr(sampler, name):
            least, optional = 0 if name == "seed" else 1, name in ("most", "every")
            require_number(getattr(sampler, name), name, least=least, whole=True, optional=optional, fix=fix)


def _seed(seed: int, points: PointSet) -> int:
    # the first free ID differs after every draw, so that it makes a seed without any state
    return int(np.random.SeedSequence([seed, points.next_id]).generate_state(1)[0])


def _even(problem: IBVP, count: int, seed: int) -> np.ndarray:
    drawn = sample(problem, interior=count, boundary=0, initial=0, method="sobol", seed=seed)
    return drawn.of(_interior(problem)).coordinates


def _sizes(problem: IBVP, model: Any, places: np.ndarray) -> np.ndarray:
    return residual_size(problem, model, PointSet(places, terms=(_interior(problem),), term_kinds=("interior",)))


@explained("RAR(add=10)")
@dataclass
class RAR:
    """Residual-based adaptive refinement: points are added where the residual is large, none is dropped.

    `power=None` adds the candidates of the largest |r| (RAR-G; Lu et al. 2021, arXiv 1907.04502); a number draws them
    with density |r|^power / mean + floor (RAR-D; Wu et al. 2023, arXiv 2207.10289). All points weigh the same, as
    published: the minimised integral is then one that stresses where points were added.

    Args:
        add: Points per call.
        most: No more than so many interior points.
        power: None, or the power of |r|.
        floor: c.
        candidates: Number of candidates.
        every: Steps between calls; None leaves it to the optimiser.
        seed: Seed.

    Raises:
        SolverError: If a number is out of range.
    """

    add: int = 10
    most: int | None = None
    power: float | None = 2.0
    floor: float = 0.0
    candidates: int = 10_000
    every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SolverError: If one is out of range.
        """
        _whole_numbers(self, "RAR(add=10)")
        require_number(self.floor, "floor", least=0, fix="RAR(floor=0)")
        require_number(self.power, "power", least=0, optional=True, fix="RAR(power=2)")
        if self.candidates < self.add:
            raise SolverError("candidates >= add", repr(self), "RAR(add=10)")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The present points and new ones.

        Args:
            problem: The problem.
            model: The solved fields as a module.
            points: The present points.

        Returns:
            The larger set; the same object when `most` is reached.
        """
        check_points(problem, points)
        check_model(model)
        name = _interior(problem)
        free = _room(self.add, self.most, points, name)
        if free <= 0:
            return points
        seed = _seed(self.seed, points)
        pool = _even(problem, self.candidates, seed)
        size = _sizes(problem, model, pool)
        if self.power is None:
            chosen = np.sort(np.argsort(-size, kind="stable")[:free])
        else:
            chosen = by_score(size, self.power, self.floor, free, np.random.default_rng(seed))
        return equal_weights(points.add(pool[chosen], name), name)


def _room(add: int, most: int | None, points: PointSet, name: str) -> int:
    """How many points may be added to a term."""
    return add if most is None else min(add, most - int(points.mask(name).sum()))


@explained("R3()")
@dataclass
class R3:
    """Retain, resample, release: points with |r| above its mean stay, others are new (Daw et al. 2023, 2207.02338).

    With `causal`, |r| is multiplied by the gate (1 - tanh(α(t' - γ)))/2, t' from 0 to 1,
    and γ moves on from -1/2 as the gated residual falls: γ += rate · exp(-tolerance · mean square).

    Args:
        causal: Whether to gate in time.
        steepness: α.
        rate: Speed of γ per call.
        tolerance: ε in the exponent.
        every: Steps between calls; None leaves it to the optimiser.
        seed: Seed.

    Attributes:
        front: γ.

    Raises:
        SolverError: If a number is out of range.
    """

    causal: bool = False
    steepness: float = 5.0
    rate: float = 0.05
    tolerance: float = 20.0
    every: int | None = None
    seed: int = 0
    front: float = -0.5

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SolverError: If one is out of range.
        """
        _whole_numbers(self, "R3()")
        for name in ("steepness", "rate", "tolerance"):
            require_number(getattr(self, name), name, above=0, fix="R3()")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """Some present points and new ones, as many as before.

        Args:
            problem: The problem.
            model: The solved fields as a module.
            points: The present points.

        Returns:
            The new set.

        Raises:
            SolverError: If the causal form is asked for a problem without time.
        """
        check_points(problem, points)
        check_model(model)
        name = _interior(problem)
        own = points.of(name)
        size = _sizes(problem, model, own.coordinates)
        if self.causal:
            if problem.time is None:
                raise SolverError("a problem with time", "a steady one", "R3(causal=False)")
            start, end = problem.bounds[-1]
            gate = 0.5 * (1 - np.tanh(self.steepness * ((own.coordinates[:, -1] - start) / (end - start) - self.front)))
            size = size * gate
            self.front += self.rate * float(np.exp(-self.tolerance * np.mean(size**2)))
        gone = own.ids[size <= size.mean()]
        if not len(gone):
            return points
        fresh = _even(problem, len(gone), _seed(self.seed, points))
        return equal_weights(points.remove(gone).add(fresh, name), name)


@explained("PACMANN(steps=5, rate=0.01)")
@dataclass
class PACMANN:
    """Points climb the squared residual by some Adam steps (Visser et al. 2024, arXiv 2411.19632).

    Slopes of r² in the coordinates are central differences. A step that would leave the domain is not taken.

    Args:
        steps: Adam steps per call.
        rate: Length of a step, in units of the domain's sides.
        every: Steps of training between calls; None leaves it to the optimiser.

    Raises:
        SolverError: If a number is out of range.
    """

    steps: int = 5
    rate: float = 0.01
    every: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SolverError: If one is out of range.
        """
        _whole_numbers(self, "PACMANN(steps=5, rate=0.01)")
        require_number(self.rate, "rate", above=0, most=1, fix="PACMANN(steps=5, rate=0.01)")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The same points at other places.

        Args:
            problem: The problem.
            model: The solved fields as a module.
            points: The present points.

        Returns:
            The moved set, IDs and weights as before; a point that also serves another term stays.
        """
        check_points(problem, points)
        check_model(model)
        name = _interior(problem)
        free = np.setdiff1d(points.ids_of(name), points.ids[~points.mask(name)])
        low, high = np.array(problem.bounds).T
        places = points.locate(free)
        first, second = np.zeros_like(places), np.zeros_like(places)
        for step in range(1, self.steps + 1):
            slope = self._slope(problem, model, places, high - low)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-12)
            moved = places + self.rate * (high - low) * move
            places = np.where(self._inside(problem, moved)[:, None], moved, places)
        return points.move(free, places)

    @staticmethod
    def _inside(problem: IBVP, places: np.ndarray) -> np.ndarray:
        low, high = np.array(problem.bounds).T
        inside = problem.domain.contains(places[:, : len(problem.space)])
        return np.asarray(inside & ((places >= low) & (places <= high)).all(axis=1))

    def _slope(self, problem: IBVP, model: Any, places: np.ndarray, sides: np.ndarray) -> np.ndarray:
        """Slope of r² per side of the domain, 0 where a difference would leave the domain."""
        slope = np.zeros_like(places)
        for axis in range(places.shape[1]):
            shift = np.zeros(places.shape[1])
            shift[axis] = 1e-4 * sides[axis]
            ends = [places + shift, places - shift]
            fine = self._inside(problem, ends[0]) & self._inside(problem, ends[1])
            if fine.any():  # one scale of the components for both ends
                sizes = _sizes(problem, model, np.concatenate([end[fine] for end in ends])) ** 2
                slope[fine, axis] = (sizes[: fine.sum()] - sizes[fine.sum() :]) / 2e-4
        return slope


@explained("SolutionGradient()")
@dataclass
class SolutionGradient:
    """Interior points where the solution is steep: density by the norm of its gradient in all coordinates.

    Known as out-grad in Naujoks et al. 2025 (arXiv 2506.16443): "add" draws with density ∝ score², "replace" all
    anew with density score/mean + 1. Coordinates count in units of the domain's sides, fields in units of their
    root mean square. All points weigh the same, as published.

    Args:
        mode: "add" or "replace".
        add: Points per call of "add".
        most: No more than so many interior points in "add".
        candidates: Number of candidates.
        every: Steps between calls; None leaves it to the optimiser.
        seed: Seed.

    Raises:
        SolverError: If an argument is out of range.
    """

    mode: str = "replace"
    add: int = 10
    most: int | None = None
    candidates: int = 10_000
    every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            SolverError: If one is out of range.
        """
        _whole_numbers(self, "SolutionGradient()")
        if self.mode not in ("add", "replace"):
            raise SolverError('mode "add" or "replace"', repr(self.mode), "SolutionGradient()")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The points to train on from now.

        Args:
            problem: The problem.
            model: The solved fields as a module.
            points: The present points.

        Returns:
            The new set; the same object when `most` is reached.
        """
        check_points(problem, points)
        check_model(model)
        name = _interior(problem)
        free = _room(self.add, self.most, points, name)
        if self.mode == "add" and free <= 0:
            return points
        seed = _seed(self.seed, points)
        pool = _even(problem, self.candidates, seed)
        size = len(problem.coordinates)
        orders = [tuple(int(i == axis) for i in range(size)) for axis in range(size)]
        needed = [(k, order) for k in range(len(problem.fields)) for order in [(0,) * size, *orders]]
        with torch.no_grad():
            where = torch.tensor(pool, device=device_of(model))
            jets = choose_engine(model).jets(model, where, needed, parameters=False)
        values = jets.cpu().numpy().reshape(len(pool), len(problem.fields), size + 1)
        sides = np.subtract(*np.array(problem.bounds).T[::-1])
        level = np.sqrt(np.mean(values[:, :, 0] ** 2, axis=0))
        slopes = values[:, :, 1:] * sides / np.where(level > 0, level, 1.0)[:, None]
        scores = np.sqrt((slopes**2).sum(axis=(1, 2)))
        return scored(points, name, pool, scores, free if self.mode == "add" else None, np.random.default_rng(seed))
