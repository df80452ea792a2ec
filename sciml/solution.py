"""Solution: what every solver returns, with one way to evaluate, compare, plot and save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import sympy as sp
import torch

from sciml.arguments import real_array
from sciml.comparison import ErrorReport, compare_values, comparison_points, reference_values, without_constant
from sciml.errors import PointsError, ProblemError, SolverError
from sciml.expressions.compiler import Program
from sciml.ibvp import IBVP
from sciml.jets import Jet, field_atoms, jet_atoms
from sciml.point_arrays import row_advice
from sciml.record import TrainingRecord
from sciml.terms import rationalise
from sciml.validation import outside_of

Callback = Callable[[int, int, Mapping[str, float]], Any]
"""Called as callback(step, total, values) while a solver works; a true answer asks it to stop."""


def require_callbacks(callbacks: Any) -> None:
    """A clear error where callbacks are no list of things that can be called.

    Args:
        callbacks: What a solver was given.

    Raises:
        SolverError: If it is none.
    """
    fix = "solver.solve(problem, [callback]) with callback(step, total, values)"
    if not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
        raise SolverError("a list of callbacks", repr(callbacks)[:80], fix)
    wrong = [item for item in callbacks if not callable(item)]
    if wrong:
        raise SolverError("callbacks that can be called", repr(wrong[0])[:80], fix)


class Solver(Protocol):
    """Anything with `solve(problem, callbacks=()) -> Solution`."""

    def solve(self, problem: IBVP, callbacks: Sequence[Callback] = ()) -> Solution:
        """Solve a problem."""
        ...


def require_solution(solution: Any, example: str) -> Solution:
    """The solution itself, or a clear error where something else was given.

    Args:
        solution: What was given.
        example: The call as it should be.

    Returns:
        The solution.

    Raises:
        SolverError: If it is no `Solution`.
    """
    if not isinstance(solution, Solution):
        raise SolverError("a solution, what solver.solve(problem) returns", type(solution).__name__, example)
    return solution


class Solution(ABC):
    """A solution of an IBVP.

    A subclass gives `jets`, field values and derivatives at points; everything else follows.

    Args:
        problem: The problem that was solved.
        status: What to think of it, in words.
        history: Named series recorded on the way.
        record: The objective that was minimised, or None.
    """

    kind: ClassVar[str] = ""
    continuous_derivatives: ClassVar[int | None] = None
    """Order up to which space derivatives are those of a solution everywhere; None for all orders."""
    resolution: float = 0.0
    """Length below which the solution holds no detail, such as the size of elements; 0 where there is none."""

    def __init__(
        self,
        problem: IBVP,
        status: str = "",
        history: Mapping[str, Any] | None = None,
        record: TrainingRecord | None = None,
    ) -> None:
        self.problem, self.status, self.record = problem, status, record
        self.history: dict[str, Any] = dict(history or {})

    @abstractmethod
    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives.

        Args:
            points: (n, d), time last, inside the domain.
            needed: Jets wanted.

        Returns:
            (n, len(needed)).
        """

    def __call__(self, *unnamed: Any, **coordinates: Any) -> Any:
        """Evaluate with NumPy broadcasting over named coordinates.

        Args:
            *unnamed: Refused, coordinates are given by name.
            **coordinates: One array or number per coordinate, by name.

        Returns:
            An array of the broadcast shape for one field, else {field name: array}.

        Raises:
            PointsError: If a coordinate is missing or unknown, or shapes do not broadcast.

        Example:
            >>> from sciml import IBVP, Dirichlet, ExactSolution, Interval, coordinates, field
            >>> x = coordinates("x"); u = field("u", x)
            >>> problem = IBVP(u.diff(x) - 2 * x, Interval(x, 0, 1), boundary=[Dirichlet(u, 0, on="left")])
            >>> ExactSolution(problem, x**2)(x=[0.0, 0.5])
            array([0.  , 0.25])
        """
        names = [symbol.name for symbol in self.problem.coordinates]
        if unnamed or set(coordinates) != set(names):
            given = [*coordinates, *[f"{len(unnamed)} without a name"] * bool(unnamed)]
            raise PointsError(
                f"the coordinates {', '.join(names)} by name",
                ", ".join(given) or "none",
                f"solution({', '.join(f'{name}=...' for name in names)})",
            )
        arrays = [real_array(coordinates[name], f"numbers as {name}", PointsError) for name in names]
        try:
            broadcast = np.broadcast_arrays(*arrays)
        except ValueError:
            raise PointsError("shapes that broadcast", ", ".join(str(a.shape) for a in arrays), "") from None
        values = self.evaluate(np.stack([array.ravel() for array in broadcast], axis=1))
        shape = broadcast[0].shape
        if len(self.problem.fields) == 1:
            return values[:, 0].reshape(shape)
        return {name: values[:, i].reshape(shape) for i, name in enumerate(self.problem.field_names)}

    def evaluate(self, points: Any) -> np.ndarray:
        """Field values at points.

        Args:
            points: (n, d) in coordinate order, time last.

        Returns:
            (n, m), columns in the order of `problem.fields`.

        Raises:
            PointsError: If shapes are wrong or points lie outside.
        """
        zero = (0,) * len(self.problem.coordinates)
        return self.jets(self.check_points(points), [(i, zero) for i in range(len(self.problem.fields))])

    def check_points(self, points: Any) -> np.ndarray:
        """Points as a float64 array, refused outside the domain.

        Args:
            points: (n, d) NumPy, torch or nested lists.

        Returns:
            (n, d) float64.

        Raises:
            PointsError: If the shape is wrong, a value is not finite or a point lies outside.
        """
        if isinstance(points, torch.Tensor):
            points = points.detach().cpu().numpy()
        array = real_array(points, f"points of shape (n, {len(self.problem.coordinates)})", PointsError)
        names = ", ".join(map(str, self.problem.coordinates))
        if array.ndim != 2 or array.shape[1] != len(self.problem.coordinates):
            raise PointsError(
                f"points of shape (n, {len(self.problem.coordinates)}): {names}", f"shape {array.shape}",
                row_advice(array.shape, len(self.problem.coordinates)),
            )  # fmt: skip
        inside = np.atleast_1d(np.isfinite(array).all(axis=1))
        inside[inside] = ~outside_of(self.problem, array[inside])
        if not inside.all():
            place = array[~inside][0]
            raise PointsError(
                f"points inside the domain {self.problem.domain!r}"
                + (
                    f" and {self.problem.time[1]} <= {self.problem.time[0]} <= {self.problem.time[2]}"
                    if self.problem.time
                    else ""
                ),
                f"{int((~inside).sum())} of {len(array)} outside, the first at ({names}) = {tuple(map(float, place))}",
                "a solution is known on its domain only",
            )
        return array

    def derivative(self, expression: sp.Expr, points: Any) -> np.ndarray:
        """Any expression of fields, derivatives and coordinates, at points.

        Args:
            expression: For instance `u.diff(x)` or `u * u.diff(x)`.
            points: (n, d).

        Returns:
            (n,).

        Raises:
            ProblemError: If a field or symbol of the expression is not the problem's.
        """
        array = self.check_points(points)
        if not isinstance(expression, (sp.Expr, int, float)):
            raise ProblemError("an expression of fields and derivatives", repr(expression), "for instance u.diff(x)")
        flat = self.problem.substitute(rationalise(sp.sympify(expression)).doit())
        known = {*self.problem.fields, *self.problem.coordinates, *self.problem.unknowns}
        foreign = (field_atoms(flat) | flat.free_symbols) - known
        if foreign:
            raise ProblemError(
                f"fields, coordinates and parameters of the problem: {', '.join(map(str, known))}",
                ", ".join(sorted(map(str, foreign))),
                "use the objects with which the problem was stated",
            )
        return self._expressions([flat], array)[:, 0]

    def residual(self, points: Any) -> np.ndarray:
        """Residuals of the equations, left side minus right side.

        Args:
            points: (n, d).

        Returns:
            (n, number of equations).
        """
        expressions = [self.problem.substitute(equation) for equation in self.problem.equations]
        return self._expressions(expressions, self.check_points(points))

    def unknown_values(self) -> dict[sp.Symbol, float]:
        """Estimated unknown coefficients; their starts where nothing was estimated."""
        return {symbol: unknown.start for symbol, unknown in self.problem.unknowns.items()}

    def _expressions(self, expressions: Sequence[sp.Expr], points: np.ndarray) -> np.ndarray:
        unknowns = {symbol: sp.Float(value, 17) for symbol, value in self.unknown_values().items()}
        flat = [expression.xreplace(unknowns) for expression in expressions]
        atoms: dict[sp.Expr, Jet] = {}
        for expression in flat:
            atoms |= jet_atoms(expression, self.problem.fields, self.problem.coordinates)
        needed = list(dict.fromkeys(atoms.values()))
        values = self.jets(points, needed) if needed else np.zeros((len(points), 0))
        columns = [*points.T, *(values[:, needed.index(jet)] for jet in atoms.values())]
        program = Program(flat, [*self.problem.coordinates, *atoms])
        with torch.no_grad():
            results = program(*[torch.tensor(column) for column in columns])
        return np.stack([result.numpy() for result in results], axis=1)

    def error(self, reference: Any, points: Any = None) -> ErrorReport:
        """Error against a reference.

        A field that the equations fix only up to a constant (a pressure) is compared after removing its mean.

        Args:
            reference: A `Solution`, an expression, or {field: expression}.
            points: (n, d); 4096 Sobol points of the domain when omitted.

        Returns:
            Relative L2 and maximum error per field.
        """
        array = comparison_points(self.problem) if points is None else self.check_points(points)
        mine = without_constant(self.problem, self.evaluate, array)
        theirs = without_constant(self.problem, lambda p: reference_values(self.problem, reference, p), array)
        return compare_values(self.problem, mine, theirs)

    def certificate(self, tolerance: float = 0.01, reference: Any = None, bound: bool = True) -> Any:
        """What is known of this solution without trusting its solver (see `sciml.verify`).

        Args:
            tolerance: Share of its largest term up to which an equation or condition may be left unsolved.
            reference: A solution, an expression, {field: expression} or a solver to compare with.
            bound: Whether to state the rigorous error bound of solutions that have one.

        Returns:
            A `Certificate`: checks with figures, limits and places, and a verdict.
        """
        from sciml.verification import verify

        return verify(self.problem, self, tolerance, reference, bound)

    def plot(self, compare: Any = None, **options: Any) -> Any:
        """Draw the solution, and its difference from another one.

        Args:
            compare: A `Solution` to compare with.
            **options: Passed to `sciml.plotting.plot_solution`.

        Returns:
            A matplotlib figure.
        """
        from sciml.plotting import plot_solution

        return plot_solution(self, compare, **options)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What a checkpoint stores: JSON-able values and arrays.

        Raises:
            NotImplementedError: If this kind of solution cannot be saved.
        """
        raise NotImplementedError(f"a {type(self).__name__} cannot be saved")

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Solution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Raises:
            NotImplementedError: If this kind of solution cannot be loaded.
        """
        raise NotImplementedError(f"a {cls.__name__} cannot be loaded")

    def save(self, path: str | Path) -> Path:
        """Write `path.json` and its arrays; nothing is left half-written.

        Args:
            path: Path without suffix.

        Returns:
            The path of the JSON file.
        """
        from sciml.checkpoint import save_solution

        return save_solution(self, path)

    def __repr__(self) -> str:
        """Kind, problem, estimated coefficients, status."""
        title = self.problem.name or ", ".join(map(str, self.problem.fields))
        values = "".join(f"; {symbol} = {value:.6g}" for symbol, value in self.unknown_values().items())
        return f"{type(self).__name__}({title}{values}; {self.status or 'no status'})"
