"""Random features that suit a problem: their activation and their spread in every coordinate, by trial fits.

The spread of the features sets the frequencies that they resolve, and what is right differs by orders of magnitude
between problems and between coordinates. A trial is one least-squares fit of a small model: what its residual is
between the points tells, without any knowledge of the solution, how well such features span it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from torch import nn

from sciml.networks import RandomFeatures
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import GaussNewton

TRIALS = (300, 1000)  # trained parameters of a trial; the second size where the first does not tell
TELLS = 1e-2  # residual of a trial below which it tells how well such features suit
ACTIVATIONS = ("sin", "tanh")
ISOTROPIC = (1.0, 2.0, 4.0, 8.0, 16.0)
HIGHER = (4.0, 8.0, 16.0, 32.0)
MOST = 60  # trials
GAIN = 0.8  # residual over the one before that makes a change worth while
Choice = tuple[str, tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Bench:
    """Rows on which features of one size are tried.

    Attributes:
        width: Number of features.
        objective: Rows to fit.
        held_out: Rows between them.
        bind: Makes a network ready for the problem.
        steps: Gauss-Newton steps of a trial.
    """

    width: int
    objective: Objective
    held_out: Objective
    bind: Callable[[RandomFeatures], nn.Module]
    steps: int

    def residual(self, kind: str, spread: Sequence[float]) -> float:
        """Held-out residual of a fit."""
        model = self.bind(RandomFeatures(self.width, kind, list(spread)))
        return _trial(self.objective.with_model(model), self.held_out.with_model(model), self.steps)


def suitable_features(
    benches: Iterable[Bench], dimension: int, enough: float, allowed: Callable[[], bool]
) -> RandomFeatures:
    """Activation and spreads with the smallest held-out residual: equal spreads first, then axis by axis.

    Features too few for the frequencies of a solution fit it equally badly with any spread; then the search is
    repeated with more of them.

    Args:
        benches: Where to try, few features first; made when needed.
        dimension: Number of coordinates.
        enough: Residual at which to stop searching.
        allowed: Whether there is time for another trial.

    Returns:
        The features.
    """
    kinds: tuple[str, ...] = ACTIVATIONS
    sizes: tuple[float, ...] = ISOTROPIC
    choice: Choice = ("sin", (2.0,) * dimension)
    best = math.inf
    for bench in benches:
        found: dict[Choice, float] = {}
        for kind, size in product(kinds, sizes):
            _try(bench, found, (kind, (size,) * dimension), allowed)
        if found:
            choice, best = _along_axes(bench, found, enough, allowed)
        if best < TELLS or not allowed():
            break
        kinds, sizes = ("sin",), HIGHER
    return RandomFeatures(bench.width, choice[0], list(choice[1]))


def _try(bench: Bench, found: dict[Choice, float], choice: Choice, allowed: Callable[[], bool]) -> float:
    if choice not in found:
        if len(found) >= MOST or not allowed():
            return math.inf
        found[choice] = bench.residual(*choice)
    return found[choice]


def _along_axes(
    bench: Bench, found: dict[Choice, float], enough: float, allowed: Callable[[], bool]
) -> tuple[Choice, float]:
    """Double or halve single spreads while that helps."""
    (kind, spread), best = min(found.items(), key=lambda item: item[1])
    moved = True
    while moved and best > enough:
        moved = False
        for axis, factor in product(range(len(spread)), (2.0, 0.5)):
            other = tuple(s * factor if i == axis else s for i, s in enumerate(spread))
            reached = _try(bench, found, (kind, other), allowed)
            if reached < GAIN * best:
                spread, best, moved = other, reached, True
    return (kind, spread), best


def _trial(objective: Objective, held_out: Objective, steps: int) -> float:
    optimiser, theta = GaussNewton(), objective.start()
    for _ in range(steps):
        step = optimiser.step(objective, theta)
        if not math.isfinite(step.loss):
            return math.inf
        theta = step.theta
        if step.stuck:
            break
    loss = held_out.evaluate(theta, False).loss
    return math.sqrt(loss) if math.isfinite(loss) else math.inf
