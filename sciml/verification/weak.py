"""Weak residual: equations tested with smooth bumps, so that one derivative less is asked of the solution.

∫ e φ = ∫ (S φ - Σ_i F_i ∂_i φ) for e = Σ_i ∂_i F_i + S and φ = Π (1 - s_i²)³ on a box inside the domain, at an instant.
A finite element solution and the flux at a jump of a coefficient are judged by it: second derivatives inside elements
are of low order, and a strong residual does not see that a flux jumps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from sciml.geometry.quadrature import unit_rule
from sciml.ibvp import IBVP
from sciml.jets import field_atoms, jet_atoms
from sciml.sampling import unit_points
from sciml.scales import expected_size, summands
from sciml.solution import Solution
from sciml.verification.certificate import Check
from sciml.verification.divergence import divergence_form
from sciml.verification.rows import SEED, located

BUMPS = 96
_NODES = {1: 24, 2: 12, 3: 8}
_KINKED = {1: 96, 2: 32, 3: 12}  # nodes for slopes that jump between elements
_WIDTHS = (1 / 4, 1 / 24)  # half widths in units of the domain
_DETAIL = 4.0  # half width of the smallest bump in units of the solution's resolution
_WORST = 3.0  # how far one bump may lie above the tolerance of the root mean square


class Bumps:
    """Boxes inside the domain with their quadrature.

    Args:
        problem: The problem.
        resolution: Length below which the solution holds no detail.
        count: Most of them.
    """

    def __init__(self, problem: IBVP, resolution: float = 0.0, count: int = BUMPS) -> None:
        d = len(problem.space)
        self.problem, (unit, self.weight) = problem, unit_rule((_KINKED if resolution else _NODES)[d], d)
        self.place = 2 * unit - 1
        self.time = None if problem.time is None else problem.bounds[-1]
        self.smallest, self.count = _DETAIL * resolution, count
        self.boxes = list(self._boxes(d))
        shape = (1 - self.place**2) ** 3
        self.value = shape.prod(axis=1)
        slope = -6 * self.place * (1 - self.place**2) ** 2
        self.slope = np.stack([slope[:, i] * np.delete(shape, i, axis=1).prod(axis=1) for i in range(d)], axis=1)

    def _boxes(self, d: int) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Centre, half widths and instant."""
        extents = np.array([high - low for low, high in self.problem.bounds[:d]])
        centres = self.problem.domain.sample(self.count, "sobol", SEED)
        shares = unit_points(self.count, 2, "sobol", SEED + 1)
        corners = np.array(np.meshgrid(*[[-1.0, 0.0, 1.0]] * d)).reshape(d, -1).T
        low, high = np.log(_WIDTHS[1]), np.log(_WIDTHS[0])
        for centre, (size, moment) in zip(centres, shares, strict=True):
            half = np.maximum(np.exp(low + (high - low) * size) * extents, self.smallest)
            for _ in range(3):
                if (half < self.smallest).any():
                    break
                probes = np.concatenate([centre + half * corners, centre + half * self.place])
                if self.problem.domain.contains(probes).all():
                    start, end = self.time or (0.0, 0.0)
                    # one bump in eight at the very end of the time, where errors have grown
                    yield centre, half, end if size > 7 / 8 else start + (end - start) * moment
                    break
                half = half / 2

    def points(self) -> np.ndarray:
        """Quadrature points of all bumps, (bumps * nodes, d)."""
        blocks = []
        for centre, half, moment in self.boxes:
            points = centre + half * self.place
            blocks.append(points if self.time is None else np.column_stack([points, np.full(len(points), moment)]))
        return np.concatenate(blocks)

    def means(self, values: np.ndarray, axis: int | None = None) -> np.ndarray:
        """∫ v φ, or ∫ v ∂φ/∂x_axis, over ∫ φ, bump by bump.

        Args:
            values: (bumps * nodes,).
            axis: Space axis of the derivative.

        Returns:
            (bumps,).
        """
        table = values.reshape(len(self.boxes), -1)
        total = float(self.weight @ self.value)
        if axis is None:
            return table @ (self.weight * self.value) / total
        halves = np.array([half[axis] for _, half, _ in self.boxes])
        return table @ (self.weight * self.slope[:, axis]) / total / halves


def weak_check(
    solution: Solution, number: int, spreads: tuple[float, ...], tolerance: float, count: int = BUMPS
) -> Check:
    """The weak residual of one equation over the size of its terms.

    Args:
        solution: The solution.
        number: Number of the equation.
        spreads: Spread of each field.
        tolerance: Largest share.
        count: Most bumps.

    Returns:
        The check.
    """
    problem = solution.problem
    name, equation = problem.equation_names[number], problem.substitute(problem.equations[number])
    form = divergence_form(equation, problem.fields, problem.space)
    bumps = Bumps(problem, solution.resolution, count)
    if not bumps.boxes:
        return Check("weak form", name, float("nan"), tolerance, "not checked: the elements are too large to test them")
    parts: list[tuple[sp.Expr, int | None]] = [
        (part, None) for part in summands(form.rest, jet_atoms(form.rest, problem.fields, problem.coordinates))
    ]
    parts += [(-flux, axis) for axis, flux in enumerate(form.fluxes.values()) if flux != 0]
    values = solution._expressions([part for part, _ in parts], bumps.points())
    means = np.stack([bumps.means(column, axis) for column, (_, axis) in zip(values.T, parts, strict=True)])
    residual = np.abs(means.sum(axis=0))
    floor = expected_size(problem, equation, spreads, solution.unknown_values())
    size = max(floor, float(np.sqrt(np.mean(means**2, axis=1)).max())) or 1.0
    if not np.isfinite(residual).all():
        return Check("weak form", name, float("nan"), tolerance, "values are not finite")
    worst = int(residual.argmax())
    value = max(float(np.sqrt(np.mean(residual**2))), residual[worst] / _WORST) / size
    centre, _, moment = bumps.boxes[worst]
    place = centre if problem.time is None else np.append(centre, moment)
    note = f"tested with {len(bumps.boxes)} bumps, over its largest term"
    return Check("weak form", name, float(value), tolerance, note, located(problem, place))


def jumps(problem: IBVP, number: int) -> bool:
    """Whether a coefficient or source of an equation is given piecewise, so that only the weak form says what holds."""
    equation = problem.substitute(problem.equations[number])
    return any(equation.has(kind) for kind in (sp.Piecewise, sp.Heaviside, sp.sign, sp.Abs, sp.Max, sp.Min)) and bool(
        field_atoms(equation)
    )
