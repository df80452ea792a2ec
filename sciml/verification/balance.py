"""Balance: what flows through the faces, what is stored and what is made must add up over domain and time.

∫ e = 0 for e = Σ_i ∂_i F_i + ∂_t F_t + S becomes [∫ F_t] + ∫∮ F·n + ∫∫ S = 0 by Gauss's theorem: a drift of mass,
momentum or heat shows although each residual is small, and so does a flux that jumps where a coefficient does.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.flows.places import volume_rules
from sciml.geometry.quadrature import Rule, face_rule, unit_rule
from sciml.solution import Solution
from sciml.verification.certificate import Check
from sciml.verification.divergence import DivergenceForm, divergence_form

_NODES = {1: 96, 2: 64, 3: 20, 4: 8}  # per direction, by number of coordinates
_TIMES = 16
_LEAST = 0.1
_QUADRATURE = 10.0  # a balance counts where it is so many times as large as the error of its quadrature


def balance_check(solution: Solution, number: int, term: float, tolerance: float) -> Check | None:
    """The balance of one equation over the largest of its parts.

    Parts may be small because they cancel inside, or because a rule misses a narrow peak; a tenth of the equation's
    largest term, times volume and duration, is the least that they are compared with.

    Args:
        solution: The solution.
        number: Number of the equation.
        term: Root mean square of its largest term.
        tolerance: Largest share, to which ten times the error of the quadrature is added.

    Returns:
        The check; None for an equation without fluxes.
    """
    problem = solution.problem
    name, equation = problem.equation_names[number], problem.substitute(problem.equations[number])
    form = divergence_form(equation, problem.fields, problem.coordinates)
    if all(form.fluxes[axis] == 0 for axis in problem.space):
        return None
    coarse, fine = (_Parts(solution, form, half).total() for half in (True, False))
    start, end = (0.0, 1.0) if problem.time is None else problem.bounds[-1]
    size = max(fine[1], _LEAST * term * problem.domain.measure * (end - start))
    value, doubt = abs(fine[0]) / size, abs(fine[0] - coarse[0]) / size
    note = "stored + through faces + made, over the largest of them"
    if not np.isfinite(value):
        return Check("balance", name, float("nan"), tolerance, f"{note}: not finite")
    return Check("balance", name, value, tolerance + _QUADRATURE * doubt, note)


class _Parts:
    """The integrals of one balance by one rule."""

    def __init__(self, solution: Solution, form: DivergenceForm, half: bool) -> None:
        self.solution, self.problem, self.form = solution, solution.problem, form
        nodes = _NODES[len(self.problem.coordinates)]
        self.nodes = nodes // 2 if half else nodes
        self.region: Rule = volume_rules(solution, nodes)[0 if half else 1]
        self.time = None if self.problem.time is None else self.problem.bounds[-1]
        self.count = _TIMES // 2 if half else _TIMES

    def total(self) -> tuple[float, float]:
        """The sum that should vanish, and the largest of the integrals of sizes that it is made of."""
        net, sizes = 0.0, [0.0]
        for found in (self._made(), self._through(), self._stored()):
            net += found[0]
            sizes.append(found[1])
        return net, max(sizes)

    def _instants(self) -> Rule:
        if self.time is None:
            return np.zeros((1, 0)), np.ones(1)
        place, weight = unit_rule(self.count, 1)
        start, end = self.time
        return start + (end - start) * place, (end - start) * weight

    def _during(self, rule: Rule) -> Rule:
        """A rule in space, times time."""
        (points, weights), (times, shares) = rule, self._instants()
        repeated = np.column_stack([np.tile(points, (len(times), 1)), np.repeat(times, len(points), axis=0)])
        return repeated, np.outer(shares, weights).ravel()

    def _made(self) -> tuple[float, float]:
        if self.form.rest == 0:
            return 0.0, 0.0
        points, weights = self._during(self.region)
        values = self.solution._expressions([self.form.rest], points)[:, 0]
        return float(weights @ values), float(weights @ np.abs(values))

    def _through(self) -> tuple[float, float]:
        net = size = 0.0
        axes = [axis for axis in self.problem.space if self.form.fluxes[axis] != 0]
        columns = [self.problem.space.index(axis) for axis in axes]
        for face in self.problem.faces:
            points, weights = self._during(face_rule(self.problem.domain, face, self.nodes))
            normals = self.problem.domain.normals(face, points[:, : len(self.problem.space)])[:, columns]
            flow = (self.solution._expressions([self.form.fluxes[axis] for axis in axes], points) * normals).sum(axis=1)
            net += float(weights @ flow)
            size += float(weights @ np.abs(flow))
        return net, size

    def _stored(self) -> tuple[float, float]:
        if self.time is None:
            return 0.0, 0.0
        density = self.form.fluxes[self.problem.coordinates[-1]]
        if density == 0:
            return 0.0, 0.0
        points, weights = self.region
        amounts, sizes = [], []
        for moment in self.time:
            values = self._at(density, np.column_stack([points, np.full(len(points), moment)]))
            amounts.append(float(weights @ values))
            sizes.append(float(weights @ np.abs(values)))
        return amounts[1] - amounts[0], max(sizes)

    def _at(self, density: sp.Expr, points: np.ndarray) -> np.ndarray:
        return self.solution._expressions([density], points)[:, 0]
