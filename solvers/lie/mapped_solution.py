"""MappedSolution: a solution of a linear problem carried back by a change of variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
import torch

from sciml.expressions.compiler import Program
from sciml.ibvp import IBVP
from sciml.jets import Jet, jet_atoms
from sciml.references.cole_hopf import ColeHopf
from sciml.solution import Solution
from solvers.lie.bounds import Bound, error_bound
from solvers.lie.bounds.balls import available
from solvers.lie.bounds.budget import OutOfTime, cpu_limit
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.mapped_rounding import mapped_rounding
from solvers.lie.maps import MappedProblem, mapped_problem
from solvers.lie.solution import LieSolution, LieTerm

_SECONDS = 10.0
_MOST_CERTIFIED = 30


class MappedSolution(Solution):
    """u = Φ(x, t, w, w_x, ...) with a sum of exact solutions w.

    Args:
        mapped: The change of variables and the problem for w.
        inner: Its solution.
        problem: The problem for u.
        status: What to think of it.
        history: Named series.
    """

    kind = "mapped lie"

    def __init__(
        self,
        problem: IBVP,
        mapped: MappedProblem,
        inner: LieSolution,
        status: str = "",
        history: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem, status, history)
        self.mapped, self.inner = mapped, inner
        self._programs: dict[Jet, tuple[Program, list[Jet]]] = {}

    @property
    def inner_error(self) -> float:
        """Largest mismatch of w on held-out rows, relative to its data."""
        return float(self.inner.history.get("reached", min(self.inner.history["error"])))

    @property
    def terms(self) -> tuple[LieTerm, ...]:
        """The terms of w."""
        return self.inner.terms

    @cached_property
    def expr(self) -> sp.Expr:
        """The solution as a SymPy expression."""
        new = self.mapped.map.new_coordinates
        formula = self.problem.substitute(self.mapped.map.formula)
        moved = sp.sympify(self.inner.expr).xreplace(self.mapped.places)
        assert len(new) == 2
        return formula.replace(self.mapped.map.pulled.func, sp.Lambda(self.mapped.map.coordinates, moved)).doit()

    def _program(self, jet: Jet) -> tuple[Program, list[Jet]]:
        """A derivative of Φ as a function of the old coordinates and of jets of w."""
        if jet not in self._programs:
            old, new = self.problem.coordinates, self.mapped.map.new_coordinates
            stand_in = sp.Function("w", real=True)(*old)
            formula = self.problem.substitute(self.mapped.map.formula).replace(
                self.mapped.map.pulled.func, sp.Lambda(old, stand_in)
            )
            pairs = [(s, k) for s, k in zip(old, jet[1], strict=True) if k]
            expression = formula.doit().diff(*pairs) if pairs else formula.doit()
            slopes = [self.mapped.places[y].diff(s) for y, s in zip(new, old, strict=True)]
            table: dict[sp.Expr, sp.Expr] = {}
            needed: list[Jet] = []
            atoms = jet_atoms(expression, [stand_in], old)
            for atom, (_, orders) in sorted(atoms.items(), key=lambda item: -sum(item[1][1])):
                table[atom] = self._chain(orders, slopes, needed)
            flat = expression.xreplace(table)
            symbols = [self._symbol(known) for known in needed]
            self._programs[jet] = Program([flat], [*old, *symbols]), needed
        return self._programs[jet]

    @staticmethod
    def _symbol(jet: Jet) -> sp.Symbol:
        return sp.Symbol(f"w_{jet[1][0]}_{jet[1][1]}", real=True)

    def _chain(self, orders: tuple[int, ...], slopes: list[sp.Expr], needed: list[Jet]) -> sp.Expr:
        """∂_x^m ∂_t^n of W(y(x), s(t)) in jets of W."""
        total: dict[Jet, sp.Expr] = {(0, (0, 0)): sp.S.One}
        for axis, (symbol, count) in enumerate(zip(self.problem.coordinates, orders, strict=True)):
            for _ in range(count):
                following: dict[Jet, sp.Expr] = {}
                for (field, known), factor in total.items():
                    raised = (field, tuple(k + (i == axis) for i, k in enumerate(known)))
                    for jet, value in (((field, known), factor.diff(symbol)), (raised, factor * slopes[axis])):
                        following[jet] = following.get(jet, sp.S.Zero) + value
                total = {jet: value for jet, value in following.items() if value != 0}
        for jet in total:
            if jet not in needed:
                needed.append(jet)
        return sp.Add(*[value * self._symbol(jet) for jet, value in total.items()])

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Values and derivatives by the chain rule.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        old = [torch.from_numpy(np.ascontiguousarray(c)) for c in points.T]
        places = Program([self.mapped.places[y] for y in self.mapped.map.new_coordinates], self.problem.coordinates)
        moved = np.stack([np.broadcast_to(c.numpy(), len(points)) for c in places(*old)], axis=1)
        bounds = np.array(self.mapped.problem.bounds)
        moved = np.clip(moved, bounds[:, 0], bounds[:, 1])
        result = np.empty((len(points), len(needed)))
        for column, jet in enumerate(needed):
            program, inner = self._program((jet[0], tuple(jet[1])))
            values = self.inner.jets(moved, inner)
            columns = [torch.from_numpy(np.ascontiguousarray(v)) for v in values.T]
            result[:, column] = program(*old, *columns)[0].numpy()
        return result

    @cached_property
    def _certificate(self) -> Any:
        count = int(np.count_nonzero(self.inner.amplitudes))
        if count > _MOST_CERTIFIED:
            return Bound(None, None, f"a change of variables of {count} atoms is not enclosed in reasonable time; the "
                         "solution w of the linear problem has its own bound, inner.error_bound")  # fmt: skip
        if not available():
            return error_bound(self.problem, self)
        try:
            with cpu_limit(_SECONDS):
                rounding = mapped_rounding(self.problem, self.mapped, self.inner)
        except NotEnclosed as refusal:
            return Bound(None, None, str(refusal))
        except OutOfTime:
            return Bound(None, None, f"not finished within {_SECONDS:.3g} s of CPU time")
        return error_bound(self.problem, self, seconds=_SECONDS, regular=True, rounding=rounding)

    @property
    def error_bound(self) -> float | None:
        """Rigorous bound of the largest error over the domain, or None; computed on first use."""
        return self._certificate.sup

    @property
    def l2_bound(self) -> float | None:
        """Bound of the error in L2, or None."""
        return self._certificate.l2

    @property
    def error_bound_reason(self) -> str:
        """How the bound was found, or why there is none."""
        return self._certificate.reason

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The state of w; the map is derived again."""
        return self.inner.state()

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> MappedSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Returns:
            The solution.
        """
        mapped = mapped_problem(problem)
        return cls(problem, mapped, LieSolution.from_state(mapped.problem, meta, arrays))


class KernelSolution(Solution):
    """u = -2ν w_x/w, w the heat kernel applied to exp(-∫u0/(2ν)), as a log-scaled integral without overflow.

    Args:
        problem: Burgers' equation.
        kernel: The integral.
        status: What to think of it.
    """

    kind = "kernel"

    def __init__(self, problem: IBVP, kernel: ColeHopf, status: str = "") -> None:
        super().__init__(problem, status)
        self.kernel = kernel
        self.error_bound: float | None = None
        self.error_bound_reason = "the solution is an integral, no closed form: judge it by its residual"

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """u, u_x, u_xx and u_t.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        start = self.problem.bounds[-1][0]
        columns = [self.kernel.derivative(points[:, 0], points[:, 1] - start, (o[0], o[1])) for _, o in needed]
        return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Nothing but how the data continue: the integral is made again from the problem."""
        return {"extension": self.kernel.extension, "viscosity": self.kernel.viscosity.hex()}, {}

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> KernelSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Returns:
            The solution.
        """
        data = problem.substitute(problem.initial[problem.fields[0]])
        viscosity = float.fromhex(meta["viscosity"])
        ends = problem.domain.symbolic_bounds[0]  # type: ignore[index]
        return cls(problem, ColeHopf(data, problem.space[0], ends, viscosity, meta["extension"]))
