"""Integral: functionals of a solution over its region or faces, such as flux, drag, lift, energy and mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.targets import Expression
from sciml.errors import ConvergenceError, GeometryError, ProblemError
from sciml.geometry.quadrature import Rule, face_rule, region_rule, unit_rule
from sciml.ibvp import IBVP

_REFINEMENTS = (8, 12, 18, 27, 40, 60, 90)
_MOST = 400_000  # nodes


@dataclass(frozen=True, eq=False)
class Integral:
    """∫ e dx over the region, or ∫ e ds over faces, and over time.

    Nodes are added until two rules agree; the normal of a face is `normal(x, y)`, outward from the region.

    Args:
        of: Expression e of fields, derivatives and, on faces, normals.
        on: None for the region, the name of a face, or several names.
        time: An instant, an interval (a, b), or None for the whole time of the problem.
        mean: Divide by the measure, of time too.
        tolerance: Agreement of two rules, relative to ∫|e|.

    Example:
        >>> from sciml import coordinates, field
        >>> from sciml.conditions import normal
        >>> x, y = coordinates("x y"); u = field("u", x, y)
        >>> print(Integral(u.diff(x) * normal(x, y)[0], on="left"))
        integral of n_x*Derivative(u(x, y), x) on left
    """

    of: Any
    on: str | tuple[str, ...] | list[str] | None = None
    time: Any = None
    mean: bool = False
    tolerance: float = 1e-6

    def __str__(self) -> str:
        """In words."""
        where = "" if self.on is None else f" on {self.on if isinstance(self.on, str) else ', '.join(self.on)}"
        when = "" if self.time is None else f" at time {self.time}"
        return f"{'mean' if self.mean else 'integral'} of {self.of}{where}{when}"

    def evaluate(self, expression: Expression, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Value and gradient.

        Args:
            expression: e over the record.
            theta: θ.

        Returns:
            () and (P,).

        Raises:
            ConvergenceError: If no two rules agree.
        """
        before, error = torch.inf, torch.inf
        for nodes in _REFINEMENTS:
            points, normals, weight = self.rule(expression.problem, nodes)
            with torch.no_grad():
                values = expression.values(theta, points, normals)
            total = float(weight @ values)
            error, before = abs(total - before) / max(float(weight @ values.abs()), 1e-300), total
            if error <= self.tolerance or len(points) > _MOST:
                break
        if not error <= self.tolerance:
            raise ConvergenceError(
                f"two rules that agree to {self.tolerance:g}", f"{error:.1e} at {nodes} nodes per direction",
                "give a larger tolerance, or split the region where the integrand is rough",
            )  # fmt: skip
        values, slopes = expression.gradient(theta, points, normals)
        return weight @ values, weight @ slopes

    def rule(self, problem: IBVP, nodes: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """Points (n, d), normals (n, space) on faces, and weights (n,).

        Args:
            problem: The problem.
            nodes: Nodes per direction and piece.

        Returns:
            The rule.

        Raises:
            GeometryError: If a face is unknown.
            ProblemError: If a time lies outside, or the problem has none.
        """
        points, weight, normals = self._space(problem, nodes)
        if problem.time is not None:
            instants, lengths = self._time(problem, nodes)
            count = len(points)
            points = np.column_stack([
                np.repeat(points, len(instants), axis=0), np.tile(instants, count)
            ])  # fmt: skip
            weight = np.outer(weight, lengths).ravel()
            normals = None if normals is None else np.repeat(normals, len(instants), axis=0)
        elif self.time is not None:
            raise ProblemError("a problem with time", f"time={self.time} in a steady problem", "leave time out")
        weight = weight / weight.sum() if self.mean else weight
        return torch.tensor(points), None if normals is None else torch.tensor(normals), torch.tensor(weight)

    def _space(self, problem: IBVP, nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        domain = problem.domain
        if self.on is None:
            return *region_rule(domain, nodes), None
        faces = (self.on,) if isinstance(self.on, str) else tuple(self.on)
        unknown = [face for face in faces if face not in domain.faces]
        if unknown or not faces:
            raise GeometryError(f"a face among {', '.join(domain.faces)}", ", ".join(unknown) or "nothing", "")
        rules = [face_rule(domain, face, nodes) for face in faces]
        normals = [domain.normals(face, points) for face, (points, _) in zip(faces, rules, strict=True)]
        points, weights = (np.concatenate(parts) for parts in zip(*rules, strict=True))
        return points, weights, np.concatenate(normals)

    def _time(self, problem: IBVP, nodes: int) -> Rule:
        start, end = problem.bounds[-1]
        chosen = (start, end) if self.time is None else self.time
        if not isinstance(chosen, (tuple, list)):
            instants, lengths = np.array([float(chosen)]), np.ones(1)
        else:
            a, b = map(float, chosen)
            unit, lengths = unit_rule(nodes, 1)
            instants, lengths = a + (b - a) * unit[:, 0], (b - a) * lengths
        slack = 1e-9 * (end - start)
        if not len(instants) or instants.min() < start - slack or instants.max() > end + slack or lengths.min() <= 0:
            raise ProblemError(f"a time between {start:g} and {end:g}", repr(self.time), "")
        return instants, lengths
