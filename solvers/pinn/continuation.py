"""Parameter continuation: a family of problems solved one after the other, each from the network of the one before.

Flows at a high Reynolds number, or thin fronts, have valleys of the loss far from any random start; the solution at a
milder value of the parameter is a start next to the wanted one (Allgower & Georg 1990, Numerical Continuation Methods).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from sciml.errors import SolverError
from sciml.ibvp import IBVP
from solvers.pinn.pinn import PINN
from solvers.pinn.solution import PINNSolution


class TrainedStart(nn.Module):
    """A trained network as the start of another training, in place of fresh weights.

    Args:
        network: The network, bound to a problem with the same coordinates and number of fields.

    Raises:
        SolverError: If it cannot be bound to a problem, as a module of a user's own.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def bind(self, bounds: Sequence[tuple[float, float]], outputs: int, **scaling: Any) -> nn.Module:
        """A copy with its weights and scaling as they are.

        Args:
            bounds: Range of each coordinate.
            outputs: Number of fields.
            **scaling: Sizes, offsets and seed for a fresh start; not used.

        Returns:
            The copy.

        Raises:
            SolverError: If the problem has other numbers of coordinates or fields.
        """
        sizes = tuple(getattr(self.network, name, None) for name in ("inputs", "outputs"))
        if sizes not in {(len(bounds), outputs), (None, None)}:
            raise SolverError(f"a network with {len(bounds)} inputs and {outputs} outputs",
                              f"{sizes[0]} and {sizes[1]}", "continue in problems with the same fields")  # fmt: skip
        return copy.deepcopy(self.network)

    def config(self) -> dict[str, Any]:
        """What the network was made of."""
        inner: Callable[[], dict[str, Any]] | None = getattr(self.network, "config", None)
        return {"kind": "TrainedStart", "network": inner() if inner else type(self.network).__name__}

    def forward(self, x: Any) -> Any:
        """The network's values.

        Args:
            x: (n, d).

        Returns:
            (n, m).
        """
        return self.network(x)


def continuation(
    solver: PINN, problems: Sequence[IBVP], shares: Sequence[float] | None = None, tolerance: float | None = 1e-2
) -> list[PINNSolution]:
    """Solve problems in order, each from the network of the one before.

    Args:
        solver: The solver; its `seconds` are spent on all of them together.
        problems: Problems with the same coordinates and fields, from the mildest to the wanted one.
        shares: Part of `seconds` for each problem; by default an equal part for each up to the last one, which gets as
            much as all others together.
        tolerance: Held-out residual at which to go on to the next problem; the last keeps the solver's own.

    Returns:
        A solution per problem, in the same order.

    Raises:
        SolverError: If there is no problem, or shares do not fit.

    Example:
        >>> import sympy as sp
        >>> from sciml import MLP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> def layer(nu):
        ...     return IBVP(sp.Eq(u * u.diff(x), sp.Rational(nu) * u.diff(x, 2)), Interval(x, -1, 1),
        ...                 boundary=[Dirichlet(u, -x)])
        >>> solver = PINN(MLP(width=8, depth=1), seed=0, steps=30, tolerance=1e-4, progress=False)
        >>> mild, thin = continuation(solver, [layer("1"), layer("1/3")])
        >>> len(thin.history["step"]) < 8  # it starts close
        True
    """
    count = len(problems)
    parts = [1.0 / max(2 * (count - 1), 1)] * (count - 1) + [0.5 if count > 1 else 1.0] if shares is None else shares
    if not count or len(parts) != count or not all(part > 0 for part in parts):
        raise SolverError("at least one problem, and one positive share for each", f"{count} and {shares}", "")
    solutions: list[PINNSolution] = []
    left = solver.seconds
    for number, (problem, part) in enumerate(zip(problems, parts, strict=True)):
        own = copy.copy(solver)
        last = number == count - 1
        if left is not None and solver.seconds is not None:  # what a problem leaves over goes to the last
            own.seconds = left if last else solver.seconds * part / sum(parts)
        changes: dict[str, Any] = {} if last or tolerance is None else {"tolerance": tolerance}
        if solutions:
            changes["network"] = TrainedStart(solutions[-1].model)
        own.settings = replace(solver.settings, **changes)
        found = own.solve(problem)
        if not isinstance(found, PINNSolution):
            raise SolverError("a problem solved in one piece", "time slabs", "PINN(..., slabs=1)")
        solutions.append(found)
        if left is not None:
            left -= found.history["seconds"][-1] if found.history.get("seconds") else 0.0
    return solutions
