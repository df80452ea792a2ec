"""Residual rows of a solution at points that no solver has seen, beside the size of their terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sciml.errors import ScimlError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.points import PointSet, sample
from sciml.residuals import ResidualSystem
from sciml.scales import Labelled, Scales, summand_sizes
from sciml.solution import Solution
from sciml.terms import Term
from sciml.verification.certificate import Check

SEED = 3_000_017  # far from the seeds of solvers and of the diagnosis
_COUNTS = {"interior": 1024, "boundary": 512, "initial": 512}
_WORST = 30.0  # how far one point may lie above the tolerance of the root mean square
_SIGMAS = 3.0


class SolutionJets:
    """The derivatives of a solution, as the residual rows ask for those of a network.

    Args:
        solution: The solution.
    """

    def __init__(self, solution: Solution) -> None:
        self.solution = solution

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        """Jets of the solution.

        Args:
            model: Not looked at.
            points: (n, d).
            needed: Jets.
            parameters: Not looked at: nothing is differentiated.

        Returns:
            (n, len(needed)).
        """
        return torch.tensor(self.solution.jets(points.numpy(), list(needed)), dtype=torch.float64)

    def pullback(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], cotangent: Tensor) -> Tensor:
        """There are no parameters.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError

    def tangent_map(self, model: nn.Module, points: Tensor, needed: Sequence[Jet]) -> Callable[[Tensor], Tensor]:
        """There are no parameters.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError


def rows_of(solution: Solution, points: PointSet, terms: Sequence[Term]) -> Labelled:
    """Residuals of a solution.

    Args:
        solution: The solution.
        points: Points of the terms.
        terms: The terms.

    Returns:
        Components (N,) and residuals (N,).
    """
    system = ResidualSystem(solution.problem, engine=SolutionJets(solution), terms=terms)
    estimates = [torch.tensor(value, dtype=torch.float64) for value in solution.unknown_values().values()]
    names = {term.name for term in terms}
    own = points.take(np.isin(points.term, [i for i, name in enumerate(points.terms) if name in names]))
    with torch.no_grad():
        rows = system.rows(nn.Identity(), own, estimates, parameters=False)
    return rows.labels.astype(str), rows.flat().numpy()


def fresh_points(problem: IBVP) -> PointSet:
    """Points of all terms that belong to no training."""
    return sample(problem, **_COUNTS, method="sobol", seed=SEED)


def component_sizes(solution: Solution, points: PointSet, scales: Scales) -> dict[str, float]:
    """Root mean square of the largest term of every component.

    Args:
        solution: The solution.
        points: Points.
        scales: Sizes of the fields.

    Returns:
        Component -> size.
    """
    return summand_sizes(
        solution.problem, lambda places, terms: rows_of(solution, places, terms), points, scales.fields,
        solution.unknown_values(),
    )  # fmt: skip


def value_checks(solution: Solution, points: PointSet) -> list[Check]:
    """Fields that are not finite inside the domain; an equation without the field itself would not show them.

    Args:
        solution: The solution.
        points: Points.

    Returns:
        One check per field that is not finite somewhere; none for sound fields.
    """
    inside = points.of(solution.problem.terms[0].name).coordinates
    finite = np.isfinite(solution.evaluate(inside))
    return [
        Check("values", name, float("nan"), 0.0, f"{int((~own).sum())} of {len(own)} values are not finite",
              located(solution.problem, inside[int(np.argmin(own))]))
        for name, own in zip(solution.problem.field_names, finite.T, strict=True) if not own.all()
    ]  # fmt: skip


def row_checks(solution: Solution, points: PointSet, sizes: dict[str, float], tolerance: float) -> list[Check]:
    """One check per component: root mean square of the residual over that of its largest term.

    Args:
        solution: The solution.
        points: Points.
        sizes: Sizes of the components.
        tolerance: Largest share.

    Returns:
        The checks; an equation whose derivatives the solution cannot give has the value NaN and says why.
    """
    found: list[Check] = []
    problem = solution.problem
    for term in problem.terms:
        kind = {"interior": "equation", "observation": "observation"}.get(term.kind, "condition")
        place = points.of(term.name)
        try:
            labels, values = rows_of(solution, points, [term])
        except ScimlError as error:
            why = f"not checked: {error.expected}" if error.expected else "not checked"
            found += [Check(kind, name, float("nan"), tolerance, why) for name in term.components]
            continue
        for name in term.components:
            own = np.abs(values[labels == name])
            found.append(_check(problem, kind, name, own, sizes[name], term, place, tolerance))
    return found


def _check(
    problem: IBVP, kind: str, name: str, own: np.ndarray, size: float, term: Term, place: PointSet, tolerance: float
) -> Check:
    if not np.isfinite(own).all():
        bad = int(np.flatnonzero(~np.isfinite(own))[0])
        return Check(kind, name, float("nan"), tolerance, f"{int((~np.isfinite(own)).sum())} values are not finite",
                     located(problem, place.coordinates[bad]))  # fmt: skip
    worst = int(own.argmax())
    where = located(problem, place.coordinates[worst])
    share = float(np.sqrt(np.mean(own**2)))
    if kind == "observation":
        sigma = term.observation.sigma if term.observation is not None else None
        if sigma is None:
            return Check(kind, name, share / size, None, "mismatch over the size of the data, noise unknown", where)
        return Check(kind, name, share / sigma, _SIGMAS, "mismatch in units of sigma", where)
    # a fault in a small place hides in a mean: one point counts where it is far above the tolerance
    value = max(share, float(own[worst]) / _WORST) / size
    note = "residual over its largest term" if kind == "equation" else "mismatch over the size of its terms"
    if float(own[worst]) / _WORST > share:
        note += f", one point {own[worst] / size:.1e}"
    return Check(kind, name, value, tolerance, note, where)


def located(problem: IBVP, point: np.ndarray) -> tuple[tuple[str, float], ...]:
    """A place, by names of coordinates."""
    return tuple((symbol.name, float(value)) for symbol, value in zip(problem.coordinates, point, strict=True))
