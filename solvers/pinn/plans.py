"""What a fit tries, in order: the ladder of networks where none is given, and the other kind of constraint.

Where the user gives no network, random features come first: linear in what is trained, they solve smooth problems to
many digits in seconds (Dong & Li 2021, arXiv 2012.02895). Twice as many follow while that pays; where they do not
resolve the solution, as with layers and fronts, a tanh network is trained by second-order steps. Where it comes to rest
and much of a time budget is left, it goes on as a wider one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

from sciml.networks import MLP, RandomFeatures, network_from_config
from solvers.pinn.packing import belonging

YARDSTICK = MLP(width=20, depth=3)  # the network of the second rung; its start tells the sizes of the equations
WIDER = MLP(width=32, depth=3)  # the network of the third
SIZES = (400, 800, 1600)  # trained parameters of the random features, rung by rung
RESOLVED = 1e-5  # residual below which a nonlinear network has little to add
PROMISING = 0.1  # residual of the first features above which more of them are not tried
STEP = 2.0  # CPU seconds of a step with the most features, on a machine of 2024 with other work
PAYS = 3.0  # least fall of the residual by doubling that is worth another doubling


@dataclass(frozen=True, eq=False)
class Plan:
    """One attempt.

    Attributes:
        network: The network, not bound yet.
        constraint: Number of the constraint among those to try.
        optimiser: As `phases_for` takes it.
        fixed: Whether the points stay, however the resampler was set.
        after: Number of the attempt whose network this one continues with more units; None for a fresh start.
    """

    network: nn.Module
    constraint: int
    optimiser: Any = "auto"
    fixed: bool = False
    after: int | None = None

    @property
    def linear(self) -> bool:
        """Whether this is a rung of random features."""
        return self.fixed

    def first_step(self, fields: int) -> float:
        """CPU seconds that its first step may take, which no look at the clock can end."""
        return STEP * (_width(self) * fields / SIZES[-1]) ** 3 if self.linear else 0.0

    def packed(self) -> list[Any] | None:
        """JSON-able, where the network is the ladder's own."""
        if not isinstance(self.network, RandomFeatures):
            return None
        return [self.network.config(), self.constraint, self.optimiser, self.fixed] if self.fixed else None


@belonging()
def unpacked(packed: Sequence[Any]) -> Plan:
    """A plan from `packed`."""
    config, constraint, optimiser, fixed = packed
    return Plan(network_from_config(config), constraint, optimiser, fixed)


class Ended(Protocol):
    """What is asked of an attempt that has ended."""

    @property
    def hopeless(self) -> bool:
        """Stalled in a wrong valley."""
        ...

    @property
    def residual(self) -> float:
        """Held-out residual of its best state."""
        ...


def next_plan(
    done: Sequence[tuple[Plan, Ended]],
    network: nn.Module | None,
    optimiser: Any,
    constraints: int,
    fields: int,
    tolerance: float,
    linear: bool,
    features: Callable[[int], RandomFeatures],
    wider: bool = False,
) -> Plan | None:
    """What to try next: a function of what has ended alone, so that a resumed fit takes the same way.

    Args:
        done: Plans and how they ended.
        network: The user's network, None to choose.
        optimiser: The user's choice.
        constraints: Number of constraints to try, the preferred one first.
        fields: Number of fields.
        tolerance: Residual wanted.
        linear: Whether to begin with random features.
        features: Constraint -> features with the spread that suits the problem.
        wider: Whether there is time for a wider network.

    Returns:
        The plan; None where nothing promises more.
    """
    first = [pair for pair in done if pair[0].linear]
    trained = [pair for pair in done if not pair[0].linear]
    order = list(range(constraints))
    if linear and network is None and not trained:
        plan = _next_features(first, constraints, fields, tolerance, features)
        if plan is not None:
            return plan
        best, ended = min(first, key=lambda pair: pair[1].residual)
        if ended.residual <= max(tolerance, RESOLVED):
            return None
        if ended.residual < PROMISING:  # they tell which constraint the problem likes
            order.sort(key=lambda number: number != best.constraint)
    if not trained:
        return Plan(network or YARDSTICK, order[0], optimiser)
    left = [number for number in order if number not in [plan.constraint for plan, _ in trained]]
    if trained[-1][1].hopeless and left:
        return Plan(network or YARDSTICK, left[0], optimiser)
    return _wider(done, tolerance) if wider and network is None else None


def _wider(done: Sequence[tuple[Plan, Ended]], tolerance: float) -> Plan | None:
    """The best tanh network with more units, once, unless it solved the problem, was lost, or features did better."""
    number, (plan, ended) = min(enumerate(done), key=lambda pair: pair[1][1].residual)
    grown = any(one.after is not None for one, _ in done)
    if plan.linear or grown or ended.hopeless or ended.residual <= tolerance:
        return None
    return Plan(WIDER, plan.constraint, plan.optimiser, after=number)


def _next_features(
    done: Sequence[tuple[Plan, Ended]],
    constraints: int,
    fields: int,
    tolerance: float,
    features: Callable[[int], RandomFeatures],
) -> Plan | None:
    """The next rung of random features: every constraint once, then more of the better ones while that pays."""
    if len(done) < constraints and not (done and done[-1][1].residual <= max(tolerance, RESOLVED)):
        found = features(len(done))
        size = max(SIZES[0], found.width * fields)
        return Plan(_sized(found, size, fields), len(done), "gauss-newton", True)
    plan, ended = min(done, key=lambda pair: pair[1].residual)
    now = _width(plan)
    larger = [size // fields for size in SIZES if size // fields > now]
    smaller = [other.residual for earlier, other in done if _width(earlier) < now]
    grown = any(_width(earlier) > min(map(_width, [pair[0] for pair in done])) for earlier, _ in done)
    if ended.residual <= tolerance or ended.residual > PROMISING or not larger:
        return None
    if grown and (done[-1][0] is not plan or ended.residual > min(smaller) / PAYS):
        return None
    return Plan(_sized(plan.network, larger[0] * fields, fields), plan.constraint, "gauss-newton", True)


def _width(plan: Plan) -> int:
    assert isinstance(plan.network, RandomFeatures)
    return plan.network.width


def _sized(features: Any, size: int, fields: int) -> RandomFeatures:
    return RandomFeatures(size // fields, features.activation, features.spread)
