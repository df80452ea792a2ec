"""PINN: fits a network to a problem by least squares on its residual rows."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sciml.arguments import explained, require_path
from sciml.errors import CheckpointError, SolverError, SolverWarning
from sciml.ibvp import IBVP, require_ibvp
from sciml.jumps import warn_of_jumps
from sciml.resampling import Resampler
from sciml.solution import Callback, require_callbacks
from solvers.pinn.checkpointing import problem_digest, restore
from solvers.pinn.faults import Trouble, unsolved
from solvers.pinn.fitting import Fit
from solvers.pinn.marching import MarchedSolution, march
from solvers.pinn.monitor import Budget
from solvers.pinn.placement import Counts
from solvers.pinn.settings import Settings
from solvers.pinn.solution import PINNSolution
from solvers.pinn.weighting import Weighting, weighting_for


@explained("PINN(MLP(width=32, depth=3), seed=0)")
class PINN:
    """Physics-informed network: min_θ Σ_i w_i r_i(θ)² over the rows of equations, conditions and observations.

    Every component of the objective is divided by its size at the start, soft conditions then weigh 10 times
    an equation; quadrature weights sum to 1 per term. Dirichlet and initial data are met exactly where
    their form allows it. Networks of up to some thousand parameters are trained by Levenberg-Marquardt
    steps with points drawn anew (Raissi, Perdikaris & Karniadakis 2019; Jnini et al. 2024, arXiv 2402.10680).

    Args:
        network: A network of `sciml`, whose inputs and outputs are taken from the problem, or a module
            from (n, d) to (n, m) in float64. None chooses: random features whose spreads are found by trial fits, and
            a tanh network of 3 layers of 20 where these do not resolve the solution.
        seed: Seed of weights and points.
        seconds: Budget of process CPU time; the best state by then is returned.
        steps: Most steps; chosen by the optimiser when None.
        tolerance: Root mean square of the scaled residual on held-out points at which to stop.
        points: `Counts`, or None for about two rows per parameter.
        resampler: Chooses points during training; by default `RAD`, with weights that keep the integral.
        constraints: "hard" meets data exactly or refuses, "soft" never does; "auto" meets them exactly where
            possible, and changes sides once where a training gets stuck.
        weights: λ by name of term or component, instead of the automatic ones.
        weighting: Scheme that changes the weights during the training: a `Weighting` or its name, as "ntk" or "causal".
        optimiser: "auto", a name ("lm", "adam", "lbfgs"), or a list of `(name, steps)`.
        slabs: Number of time slabs that are solved one after the other, each from the end of the one before.
        progress: Whether to show a bar; None for "only on a terminal".
        device: Where to train, as "cuda"; None for the CPU, or where a module of the user's own is. The solution comes
            back to the CPU.

    Raises:
        SolverError: If an argument is out of range.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> solution = PINN(MLP(width=8, depth=1), seed=0).solve(problem)
        >>> solution.error(sp.sin(x)).relative_l2["u"] < 1e-5
        True
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        seed: int = 0,
        seconds: float | None = None,
        steps: int | None = None,
        tolerance: float = 1e-7,
        points: Counts | None = None,
        resampler: Resampler | None = None,
        constraints: str = "auto",
        weights: Mapping[str, float] | None = None,
        weighting: Weighting | str | None = None,
        optimiser: Any = "auto",
        slabs: int = 1,
        progress: bool | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        if not isinstance(weights or {}, Mapping):
            raise SolverError("weights by name", repr(weights)[:80], 'PINN(..., weights={"pde": 1.0})')
        self.settings = _checked(Settings(
            network, seed, steps, tolerance, points, resampler, constraints, dict(weights or {}),
            weighting_for(weighting), optimiser, progress, _device(device),
        ))  # fmt: skip
        self.seconds, self.slabs = _seconds(seconds), _slabs(slabs)

    def member(self, number: int, of: int) -> PINN:
        """The same solver with another seed and its share of the time, for an ensemble.

        Args:
            number: Number of the member, from 0.
            of: Size of the ensemble.

        Returns:
            A new solver.
        """
        other = copy.copy(self)
        other.settings = replace(self.settings, seed=self.settings.seed + number)
        other.seconds = None if self.seconds is None else self.seconds / of
        return other

    def solve(
        self, problem: IBVP, callbacks: Sequence[Callback] = (), resume: str | Path | None = None
    ) -> PINNSolution | MarchedSolution:
        """Fit the network.

        Ctrl-C, a callback's answer, the time budget and numbers that are not finite stop the training; the best state
        by then is returned and its status says why. A `SolverWarning` says that more than 3e-3 of the equations is
        left unexplained, unless `steps` was given or the training was stopped by hand; another one that the coefficient
        of a second or higher derivative jumps, where a flux that was meant to be continuous would be lost.

        Args:
            problem: The problem.
            callbacks: Called as `callback(step, total, values)`; a true answer stops the training. Objects may have
                methods `begin(run)` and `finish()`, as `Checkpoint`, `EarlyStopping`, `LivePlot` have.
            resume: Path of a `Checkpoint` of the same training, to go on from there bit by bit.

        Returns:
            The best state by the residual on held-out points.

        Raises:
            ConvergenceError: If the loss is not finite from the start.
            SolverError: If the network does not fit the problem.
            CheckpointError: If there is nothing to resume from, or it belongs to another training.
        """
        require_ibvp(problem)
        require_callbacks(callbacks)
        warn_of_jumps(problem)
        described = {"problem": problem_digest(problem), "slabs": self.slabs, **self.settings.described()}
        restored = None if resume is None else restore(require_path(resume, CheckpointError), described)
        budget = Budget(self.seconds, restored.used if restored else 0.0)
        if self.slabs > 1:
            return march(self.settings, problem, self.slabs, budget, callbacks, described, restored)
        fit = Fit(self.settings, problem, budget, callbacks, outer=lambda: ({"settings": described}, {}))
        best = fit.run(restored)
        if isinstance(best.reason, Trouble):
            warnings.warn(best.reason, SolverWarning, stacklevel=2)
        if left := best.unsolved(self.settings):
            warnings.warn(unsolved(left), SolverWarning, stacklevel=2)
        return best.solution(problem, best.status(budget))


def _checked(settings: Settings) -> Settings:
    """Settings whose values are in range.

    Args:
        settings: The settings.

    Returns:
        The same.

    Raises:
        SolverError: If one is out of range.
    """
    if settings.network is not None and not isinstance(settings.network, nn.Module):
        raise SolverError("a torch module as network, or None", repr(settings.network), "PINN(MLP(width=32, depth=3))")
    if settings.points is not None and not isinstance(settings.points, Counts):
        raise SolverError("Counts as points, or None", repr(settings.points)[:80],
                          "PINN(..., points=Counts(interior=1000, boundary=200, initial=200))")  # fmt: skip
    sampler = settings.resampler
    if sampler is not None and (isinstance(sampler, type) or not callable(getattr(sampler, "resample", None))):
        raise SolverError("a resampler object, or None", repr(sampler)[:80], "PINN(..., resampler=RAD(every=10))")
    if settings.constraints not in ("auto", "hard", "soft"):
        raise SolverError('constraints "auto", "hard" or "soft"', repr(settings.constraints), "")
    if settings.steps is not None and not _whole(settings.steps, 0):
        raise SolverError("a whole number of steps >= 0, or None", repr(settings.steps), "PINN(..., steps=200)")
    if not _number(settings.tolerance) or not 0 <= settings.tolerance < math.inf:
        raise SolverError("tolerance >= 0, finite", repr(settings.tolerance), "PINN(..., tolerance=1e-7)")
    if not _whole(settings.seed, 0) or settings.seed >= 2**63:
        raise SolverError("a whole number as seed, 0 or more and below 2^63", repr(settings.seed), "PINN(..., seed=0)")
    wrong = [name for name, weight in settings.weights.items() if not _number(weight) or not 0 <= weight < math.inf]
    if wrong:
        given = ", ".join(f"{name!r}: {settings.weights[name]!r}" for name in wrong)
        raise SolverError("finite weights, 0 or more", given, 'PINN(..., weights={"pde": 1.0})')
    _check_optimiser(settings.optimiser)
    return settings


def _check_optimiser(optimiser: Any) -> None:
    """Refuse a list that is none of pairs (optimiser, steps)."""
    if not isinstance(optimiser, (list, tuple)):
        return
    fine = [isinstance(pair, (list, tuple)) and len(pair) == 2 and _whole(pair[1], 0) for pair in optimiser]
    if not fine or not all(fine):
        raise SolverError("pairs (optimiser, steps)", repr(optimiser)[:80], '[("adam", 2000), ("lbfgs", 500)]')


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _whole(value: Any, lowest: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= lowest


def _seconds(seconds: Any) -> float | None:
    if seconds is not None and (not _number(seconds) or not seconds >= 0):
        raise SolverError("seconds >= 0, or None", repr(seconds), "PINN(..., seconds=30)")
    return None if seconds is None else float(seconds)


def _slabs(slabs: Any) -> int:
    if not _whole(slabs, 1):
        raise SolverError("a whole number of slabs in time, 1 or more", repr(slabs), "PINN(..., slabs=4)")
    return int(slabs)


def _device(device: Any) -> torch.device | None:
    if device is None:
        return None
    try:
        made = torch.device(device)
        works = bool(torch.ones(1, dtype=torch.float64, device=made).cpu() == 1)
    except (RuntimeError, TypeError, ValueError, NotImplementedError, AssertionError):  # meta, an absent GPU, MPS
        works = False
    if not works:
        raise SolverError('a device that computes in float64, as "cpu" or "cuda"', repr(device),
                          'PINN(..., device="cuda") where torch.cuda.is_available()')  # fmt: skip
    return made
