"""From a target to a query: the one place where kinds of targets are told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from influence.curvature import Curvature
from influence.fitting_memory import check_queries
from influence.integrals import Integral
from influence.modules import ModuleFunction
from influence.targets import Expression, MeanSquare, Query, Residual, SmoothMax, callable_gradient, point_array
from sciml.errors import PointsError, ProblemError, SolverError
from sciml.ibvp import IBVP
from sciml.record import TrainingRecord


class Asker:
    """Makes queries about one record.

    Args:
        record: The record.
        problem: Its problem, or None.
        curvature: Its linearisation, whose rows serve targets on training points.
        model: A user's own module, of which callable targets (model, points) are functions; None for (θ, point).
    """

    def __init__(
        self, record: TrainingRecord, problem: IBVP | None, curvature: Curvature, model: nn.Module | None = None
    ) -> None:
        self.record, self.problem, self.curvature, self.model = record, problem, curvature, model

    def query(self, target: Any, at: Any = None) -> Query:
        """Values and gradients of a target.

        Args:
            target: See the module `targets`.
            at: Points (n, d) where the target needs them.

        Returns:
            The query.

        Raises:
            SolverError: If the target is of no known kind or does not depend on the parameters.
        """
        check_queries(len(at) if hasattr(at, "__len__") else 1, len(self.curvature.residual), len(self.curvature.theta))
        made = self._made(target, at)
        slopes = made.gradient if made.jacobian is None else made.jacobian
        if not bool(torch.isfinite(slopes).all()):
            raise SolverError("finite gradients of the target", made.name, "it may have a kink or pole there")
        if not bool(slopes.any()):
            raise SolverError(
                "a target that depends on the parameters",
                f"{made.name}, whose gradient vanishes everywhere asked",
                "data met exactly by a hard constraint, or a quantity that was detached, cannot be influenced",
            )
        return made

    def default(self) -> tuple[Any, Any]:
        """The first field at points all over the domain, for whoever names no target.

        Returns:
            Target and points.

        Raises:
            SolverError: If the record has no problem.
        """
        if self.problem is None:
            raise SolverError("a target to compare", "none asked yet", "check(k, target, at)")
        end = None if self.problem.time is None else self.problem.bounds[-1]
        return self.problem.fields[0], self.problem.domain.sample(32, "sobol", 0, end)

    def value(self, target: Any, at: Any, theta: Tensor) -> np.ndarray:
        """A target at other parameters.

        Args:
            target: See the module `targets`.
            at: Points.
            theta: θ, (P,).

        Returns:
            (q,).
        """
        if isinstance(target, SmoothMax):  # the same quantity, whatever the values spread there
            target = replace(target, sharpness=self._sharpness(target))
        residual = self.record.rows.residual(theta).detach()
        moved = replace(self.curvature, theta=theta, residual=self.curvature.root * residual)
        return Asker(self.record, self.problem, moved, self.model)._made(target, at).value.numpy()

    def _made(self, target: Any, at: Any) -> Query:
        if isinstance(target, MeanSquare):
            return self._mean_square(target, at)
        if isinstance(target, SmoothMax):
            return self._smooth_max(target)
        if isinstance(target, Integral):
            return self._integral(target)
        if isinstance(target, Residual):
            return self._residual(target)
        if isinstance(target, str):
            return self._named(target)
        if isinstance(target, (sp.Expr, int, float)):
            return self._expression(sp.sympify(target), at)
        if callable(target):
            points = None if at is None else point_array(at, None)
            where = None if points is None else torch.tensor(points)
            values, slopes = self._called(target, where)
            located = points if points is not None and len(points) == len(values) else None
            return Query(values, slopes, located, getattr(target, "__name__", "target"))
        raise SolverError(
            "an expression, the name of a term, Integral, MeanSquare, SmoothMax, Residual or a callable",
            repr(target)[:80],
            "",
        )

    def _called(self, function: Any, points: Tensor | None) -> tuple[Tensor, Tensor]:
        """Values and gradients of a callable."""
        if self.model is None or points is None:
            return callable_gradient(function, self.curvature.theta, points)
        bound = ModuleFunction(function, self.model, getattr(function, "__name__", "target"))
        values, slopes = bound.jacobian(self.curvature.theta, points)
        if values.shape[1] != 1:
            raise SolverError("one number per point from the target", f"{values.shape[1]}", "one target per number")
        return values[:, 0], slopes[:, 0]

    def _expressions(self, expression: sp.Expr) -> Expression:
        if self.problem is None:
            raise ProblemError(
                "a record with a problem for SymPy targets", str(expression), "use a callable (θ, point)"
            )
        return Expression(expression, self.record, self.problem)

    def inside(self, at: Any) -> np.ndarray:
        """Query points, refused outside the problem's domain.

        Args:
            at: Points.

        Returns:
            (n, d).

        Raises:
            PointsError: If a point lies outside.
        """
        if self.problem is None:
            return point_array(at, None)
        points = point_array(at, len(self.problem.coordinates))
        space = len(self.problem.space)
        outside = ~self.problem.domain.contains(points[:, :space], tolerance=1e-9)
        if self.problem.time is not None:
            start, end = self.problem.bounds[-1]
            slack = 1e-9 * (end - start)
            outside |= (points[:, -1] < start - slack) | (points[:, -1] > end + slack)
        if outside.any():
            first = tuple(map(float, points[outside][0]))
            raise PointsError("query points inside the domain", f"{int(outside.sum())} outside, first {first}", "")
        return points

    def _expression(self, expression: sp.Expr, at: Any) -> Query:
        made = self._expressions(expression)
        theta = self.curvature.theta
        if not made.has_fields and at is None:  # a function of coefficients
            place = torch.zeros(1, len(made.problem.coordinates), dtype=torch.float64)
            return Query(*made.gradient(theta, place), None, str(expression))
        if at is None:
            raise PointsError("points at which to ask", f"{expression} without at", "scores(u, at=points)")
        points = self.inside(at)
        return Query(*made.gradient(theta, torch.tensor(points)), points, str(expression))

    def _pointwise(self, of: Any, at: Any) -> tuple[Tensor, Tensor, np.ndarray]:
        """Values, gradients and points of an expression or callable."""
        if at is None:
            raise PointsError("points of the quantity", f"{of} without at", "MeanSquare(u - exact, at=points)")
        if isinstance(of, (sp.Expr, int, float)):
            query = self._expression(sp.sympify(of), at)
            assert query.points is not None
            return query.value, query.gradient, query.points
        points = point_array(at, None)
        return *self._called(of, torch.tensor(points)), points

    def rows_of(self, name: str) -> np.ndarray:
        """Indices of the rows of a term or component.

        Args:
            name: Its name.

        Returns:
            Indices.

        Raises:
            SolverError: If there is none of that name.
        """
        labels, points = self.record.rows.labels.astype(str), self.record.points
        found = labels == name
        if not found.any():
            found = np.isin(labels, self._components(name))
        if not found.any():
            names = [n for n in points.terms if points.mask(n).any()]
            unknowns = f"; unknown coefficients {', '.join(self.record.unknowns)}" if self.record.unknowns else ""
            fields = () if self.problem is None else self.problem.field_names
            fix = f"the field itself, {name}, not its name" if name in fields else "see record.points.terms"
            raise SolverError(f"a term with rows: {', '.join(names)}{unknowns}", repr(name), fix)
        return np.flatnonzero(found)

    def _components(self, name: str) -> list[str]:
        if self.problem is not None:
            return [part for term in self.problem.terms if term.name == name for part in term.components]
        labels = set(self.record.rows.labels.astype(str))
        return [label for label in labels if label.startswith(f"{name}[")]

    def _training_rows(self, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Residuals, Jacobian and weights of training rows."""
        curvature, where = self.curvature, torch.tensor(index)
        if curvature.rows is None:
            raise SolverError("a factor that holds its rows", "the iterative solver", "ask at points instead")
        if bool((curvature.root[where] == 0).any()):
            raise SolverError("rows of positive weight", "weight 0", "such rows had no part in the training")
        root = curvature.root[where]
        return curvature.residual[where] / root, curvature.rows[where] / root[:, None], root**2 / 2

    def _named(self, name: str) -> Query:
        if name in self.record.unknowns:
            position = len(self.curvature.theta) - len(self.record.unknowns) + self.record.unknowns.index(name)
            slope = torch.zeros(1, len(self.curvature.theta), dtype=torch.float64)
            slope[0, position] = 1.0
            return Query(self.curvature.theta[position : position + 1], slope, None, name)
        return self._quadratic(*self._training_rows(self.rows_of(name)), f"loss of {name}")

    def _quadratic(self, rows: Tensor, jacobian: Tensor, weights: Tensor, name: str) -> Query:
        value = (weights * rows**2).sum()[None]
        slope = (2 * weights * rows) @ jacobian
        return Query(value, slope[None], None, name, rows, jacobian, weights)

    def _mean_square(self, target: MeanSquare, at: Any) -> Query:
        if isinstance(target.of, str):
            rows, jacobian, weights = self._training_rows(self.rows_of(target.of))
            if target.weights is not None:
                weights = torch.as_tensor(target.weights, dtype=torch.float64).expand(len(rows))
            return self._quadratic(rows, jacobian, weights, f"mean square of {target.of}")
        rows, jacobian, points = self._pointwise(target.of, at if target.at is None else target.at)
        given = 1 / len(points) if target.weights is None else target.weights
        weights = torch.as_tensor(given, dtype=torch.float64).expand(len(rows))
        return self._quadratic(rows, jacobian, weights, f"mean square of {target.of}")

    def _sharpness(self, target: SmoothMax, values: Tensor | None = None) -> float:
        if target.sharpness is not None:
            return target.sharpness
        values = self._pointwise(target.of, target.at)[0] if values is None else values
        return 40.0 / max(float(values.max() - values.min()), 1e-300)

    def _smooth_max(self, target: SmoothMax) -> Query:
        values, slopes, _ = self._pointwise(target.of, target.at)
        beta = self._sharpness(target, values)
        share = torch.softmax(beta * values, dim=0)
        value = (torch.logsumexp(beta * values, dim=0) - np.log(len(values))) / beta
        return Query(value[None], (share @ slopes)[None], None, f"smooth maximum of {target.of}")

    def _integral(self, target: Integral) -> Query:
        made = self._expressions(target.of)
        value, slope = target.evaluate(made, self.curvature.theta)
        return Query(value[None], slope[None], None, str(target))

    def _residual(self, target: Residual) -> Query:
        index = self.rows_of(target.term)
        ids = self.record.rows.ids[index]
        if target.ids is not None:
            wanted = np.atleast_1d(np.asarray(target.ids))
            missing = np.setdiff1d(wanted, ids)
            if missing.size:
                raise PointsError(
                    f"ids of {target.term!r}", f"unknown: {missing[:8].tolist()}", "see record.points.ids"
                )
            index = index[np.isin(ids, wanted)]
        rows, jacobian, _ = self._training_rows(index)
        points = self.record.points.locate(self.record.rows.ids[index])
        return Query(rows, jacobian, points, f"residual of {target.term}")
