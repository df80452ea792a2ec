"""Random features that suit a problem: their activation and their spread in every coordinate, by trial fits.

The spread of the features sets the frequencies that they resolve, and what is right differs by orders of magnitude
between problems and between coordinates. A trial is one least-squares fit of a small model: what its residual is
between the points tells, without any knowledge of the solution, how well such features span it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

from torch import nn

from sciml.networks import RandomFeatures
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import GaussNewton

TRIAL = 300  # trained parameters of a trial
ACTIVATIONS = ("sin", "tanh")
ISOTROPIC = (1.0, 2.0, 4.0, 8.0, 16.0)
MOST = 60  # trials
GAIN = 0.8  # residual over the one before that makes a change worth while


def suitable_features(
    objective: Objective,
    held_out: Objective,
    bind: Callable[[RandomFeatures], nn.Module],
    dimension: int,
    fields: int,
    steps: int,
    enough: float,
    allowed: Callable[[], bool],
) -> RandomFeatures:
    """Activation and spreads with the smallest held-out residual: equal spreads first, then axis by axis.

    Args:
        objective: Rows to fit.
        held_out: Rows between them.
        bind: Makes a network ready for the problem.
        dimension: Number of coordinates.
        fields: Number of fields.
        steps: Gauss-Newton steps of a trial.
        enough: Residual at which to stop searching.
        allowed: Whether there is time for another trial.

    Returns:
        The features.
    """
    found: dict[tuple[str, tuple[float, ...]], float] = {}

    def residual(kind: str, spread: tuple[float, ...]) -> float:
        if (kind, spread) not in found:
            if found and (len(found) >= MOST or not allowed()):
                return math.inf
            model = bind(RandomFeatures(max(1, TRIAL // fields), kind, spread))
            found[kind, spread] = _trial(objective.with_model(model), held_out.with_model(model), steps)
        return found[kind, spread]

    for kind, size in product(ACTIVATIONS, ISOTROPIC):
        residual(kind, (size,) * dimension)
    (kind, spread), best = min(found.items(), key=lambda item: item[1])
    moved = True
    while moved and best > enough:
        moved = False
        for axis, factor in product(range(dimension), (2.0, 0.5)):
            other = tuple(s * factor if i == axis else s for i, s in enumerate(spread))
            if residual(kind, other) < GAIN * best:
                spread, best, moved = other, found[kind, other], True
    return RandomFeatures(max(1, TRIAL // fields), kind, spread)


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
