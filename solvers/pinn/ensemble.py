"""Ensembles: several networks of other seeds, and of other noise in the data; their spread is the uncertainty."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Observations
from sciml.errors import CheckpointError, ProblemWarning, SolverError
from sciml.executors import check_executor, run_tasks
from sciml.ibvp import IBVP, require_ibvp
from sciml.jets import Jet
from sciml.solution import Callback, Solution
from solvers.pinn.packing import chosen
from solvers.pinn.pinn import PINN
from solvers.pinn.solution import PINNSolution


class Ensemble:
    """Trains one network several times (Lakshminarayanan, Pritzel & Blundell 2017, arXiv 1612.01474).

    Members differ in weights and points. Observations with a σ are perturbed by noise of that size in every member
    but the first ("randomise, then optimise", Bardsley et al. 2014), so that the spread also holds what noise does;
    without a σ the spread is that of the trainings only.

    Args:
        solver: The solver; its time budget is shared by all members.
        members: How many.

    Raises:
        SolverError: If there are fewer than two.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> from solvers import PINN
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> solution = Ensemble(PINN(MLP(width=4, depth=1), steps=20), members=3).solve(problem)
        >>> spread = solution.std(u, [[1.0]])
        >>> bool(0 < spread[0] < 0.01)
        True
    """

    def __init__(self, solver: PINN, members: int = 5) -> None:
        if not isinstance(solver, PINN) or isinstance(members, bool) or not isinstance(members, int) or members < 2:
            given = f"{type(solver).__name__}, members={members!r}"
            raise SolverError("a PINN and two or more members", given, "Ensemble(PINN(MLP()), members=5)")
        self.solver, self.members = solver, members

    def solve(self, problem: IBVP, callbacks: Sequence[Callback] = (), executor: Any = None) -> EnsembleSolution:
        """Train all members.

        Args:
            problem: The problem.
            callbacks: Called in every member.
            executor: None for one member after the other, a number of processes, or anything with `submit` (see
                `sciml.executors`); the members are the same.

        Returns:
            Their mean, which knows its spread.

        Raises:
            SolverError: If there are callbacks and an executor: callbacks see trainings of this process only.
        """
        require_ibvp(problem)
        if executor is not None:
            check_executor(executor)
            if callbacks:
                raise SolverError("no callbacks with an executor", f"{len(callbacks)}", "leave one of them out")
            tasks = {f"member {k}": (self.solver.member(k, self.members), self._piece(problem, k))
                     for k in range(self.members)}  # fmt: skip
            trained = run_tasks(_trained, tasks, executor)
            return EnsembleSolution(problem, trained, _status(trained, self.members))
        solutions: list[Solution] = []
        for number in range(self.members):
            piece = self._piece(problem, number)
            solutions.append(self.solver.member(number, self.members).solve(piece, callbacks))
            if "interrupted" in solutions[-1].status and number > 0:
                break
        return EnsembleSolution(problem, solutions, _status(solutions, self.members))

    def _piece(self, problem: IBVP, number: int) -> IBVP:
        return problem if number == 0 else _perturbed(problem, [self.solver.settings.seed, number])


def _trained(solver: PINN, problem: IBVP) -> Solution:
    return solver.solve(problem)


def _status(solutions: Sequence[Solution], wanted: int) -> str:
    return f"{len(solutions)} of {wanted} members: " + "; ".join(dict.fromkeys(s.status for s in solutions))


def _perturbed(problem: IBVP, seed: Sequence[int]) -> IBVP:
    """The problem with other noise in its observations; IDs and places stay."""
    if not any(observed.sigma for observed in problem.observations):
        return problem
    generator = np.random.default_rng(seed)
    changed = [_shifted(observed, generator) for observed in problem.observations]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # said when the user built the problem
        return problem.replace(observations=changed)


def _shifted(observed: Observations, generator: np.random.Generator) -> Observations:
    noise = (observed.sigma or 0.0) * generator.standard_normal(len(observed.values))
    return dataclasses.replace(observed, values=observed.values + noise)


class EnsembleSolution(Solution):
    """The mean of several solutions; `std` is their spread.

    Args:
        problem: The problem.
        members: Solutions of it.
        status: In words.
        history: Series.
    """

    kind = "ensemble"

    def __init__(
        self,
        problem: IBVP,
        members: Sequence[Solution],
        status: str = "",
        history: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem, status, history)
        self.members = tuple(members)

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Mean of the members' field values and derivatives.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        return np.mean([member.jets(points, needed) for member in self.members], axis=0)

    def unknown_values(self) -> dict[sp.Symbol, float]:
        """Means of the estimated unknown coefficients."""
        each = [member.unknown_values() for member in self.members]
        return {symbol: float(np.mean([values[symbol] for values in each])) for symbol in self.problem.unknowns}

    def std(self, expression: sp.Expr, points: Any = None) -> np.ndarray:
        """Spread of the members, with one degree of freedom for the mean.

        Args:
            expression: A field, a derivative, an unknown coefficient, or any expression of them.
            points: (n, d); not needed for coefficients.

        Returns:
            (n,), or (1,) without points.
        """
        if points is None:
            points = np.array([np.mean(self.problem.bounds, axis=1)])
            if not self.problem.domain.contains(points[:, : len(self.problem.space)]).all():
                points[:, : len(self.problem.space)] = self.problem.domain.sample(1, seed=0)
        return np.std([member.derivative(expression, points) for member in self.members], axis=0, ddof=1)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """States of all members.

        Returns:
            JSON-able values and arrays.

        Raises:
            CheckpointError: If a member is of a kind that is no single network.
        """
        if not all(isinstance(member, PINNSolution) for member in self.members):
            raise CheckpointError("members that are single networks", "slabs of time", "save the members one by one")
        states = [member.state() for member in self.members]
        arrays = {f"member {i}.{name}": array for i, (_, own) in enumerate(states) for name, array in own.items()}
        return {"members": [meta for meta, _ in states]}, arrays

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> EnsembleSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Returns:
            The solution.
        """
        return cls(
            problem,
            [
                PINNSolution.from_state(problem, own, chosen(arrays, f"member {i}"))
                for i, own in enumerate(meta["members"])
            ],
        )
