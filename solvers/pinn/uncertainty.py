"""Standard deviations of a trained network by Laplace's approximation: the Gauss-Newton matrix as inverse covariance.

Near its minimum the posterior of θ is Gaussian with precision JᵀPJ + S⁻² (MacKay 1992; Daxberger et al. 2021, arXiv
2106.14806), with P the precision of the rows and S the spread of a prior, and a quantity with gradient q has the
variance qᵀ(JᵀPJ + S⁻²)⁻¹q. Rows of observations have the precision 1/σ² of their noise; the rows of every other
term are believed as far as the fit meets them, 1/mean(r²).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.expressions.compiler import Program
from sciml.ibvp import IBVP
from sciml.jets import Jet, jet_atoms
from sciml.least_squares import damped_factor
from sciml.record import TrainingRecord
from sciml.terms import rationalise

_FLAT = 1e4  # prior spread of an unknown coefficient relative to its value: as good as none
_LEAST = 1e-12  # smallest σ relative to the largest, so that rows met to rounding do not hide all others
Noise = Mapping[str, float] | None


def standard_deviation(
    problem: IBVP, record: TrainingRecord, expression: sp.Expr, points: np.ndarray, noise: Noise = None
) -> np.ndarray:
    """Standard deviation of an expression of fields, derivatives and unknown coefficients.

    Args:
        problem: The problem.
        record: What was minimised.
        expression: The quantity.
        points: (n, d).
        noise: σ by name of observations; those of the `Observations` where omitted, else estimated from residuals.

    Returns:
        (n,).

    Raises:
        SolverError: If a σ is not positive, or a name is unknown.
    """
    theta = record.parameters
    residual, jacobian = record.rows.jacobian(theta)
    sigma = row_noise(problem, record, residual, jacobian, noise)
    spread = _prior_spread(record)
    factor = damped_factor(jacobian / sigma[:, None] * spread, 1.0)
    gradient = quantity_gradient(problem, record, expression, points) * spread
    return torch.sqrt((gradient * factor.solve(gradient.T).T).sum(dim=1).clamp(min=0)).numpy()


def row_noise(problem: IBVP, record: TrainingRecord, residual: Tensor, jacobian: Tensor, noise: Noise = None) -> Tensor:
    """σ of every row, (N,): given, or of its term's residuals with the degrees of freedom that the fit used.

    Args:
        problem: The problem.
        record: What was minimised.
        residual: r, (N,).
        jacobian: J, (N, P).
        noise: σ by name of observations.

    Returns:
        (N,).

    Raises:
        SolverError: If a σ is not positive, or a name is unknown.
    """
    given = {t.name: t.observation.sigma for t in problem.terms if t.observation is not None and t.observation.sigma}
    wrong = set(noise or {}) - {term.name for term in problem.terms if term.observation is not None}
    given |= noise or {}
    if wrong or not all(np.isfinite(value) and value > 0 for value in given.values()):
        raise SolverError("finite and positive σ by names of observations", repr(noise), 'noise={"probe": 0.01}')
    root = torch.sqrt(2 * record.weights)
    rows = root[:, None] * jacobian
    used = damped_factor(rows, 1e-12 * float((rows**2).sum()) / rows.shape[1]).leverage()
    sigma = torch.zeros_like(residual)
    for name in dict.fromkeys(record.rows.labels):
        mine = torch.tensor(record.rows.labels == name)
        if name in given:
            sigma[mine] = float(given[name])
            continue
        weight = record.weights[mine] / record.weights[mine].sum()
        count = int(mine.sum())
        free = max(count - float(used[mine].sum()), 1.0)
        sigma[mine] = torch.sqrt((weight * residual[mine] ** 2).sum() * count / free)
    return sigma.clamp(min=float(sigma.max()) * _LEAST or 1.0)


def _prior_spread(record: TrainingRecord) -> Tensor:
    """S: the network's parameters are of the size that they have; unknown coefficients may be anything."""
    theta, count = record.parameters, len(record.unknowns)
    network, unknowns = theta[: len(theta) - count], theta[len(theta) - count :]
    size = float((network**2).mean()) ** 0.5 or 1.0
    return torch.cat([torch.full_like(network, size), _FLAT * unknowns.abs().clamp(min=1e-8)])


def quantity_gradient(problem: IBVP, record: TrainingRecord, expression: sp.Expr, points: np.ndarray) -> Tensor:
    """Gradient of an expression in the parameters, at every point.

    Args:
        problem: The problem.
        record: What was minimised; it knows the derivatives of the solved fields.
        expression: Expression of fields, derivatives, coordinates and unknown coefficients.
        points: (n, d).

    Returns:
        (n, P), unknown coefficients last.
    """
    flat = problem.substitute(rationalise(sp.sympify(expression)).doit())
    atoms = jet_atoms(flat, problem.fields, problem.coordinates)
    needed: list[Jet] = list(dict.fromkeys(atoms.values()))
    theta, where = record.parameters, torch.tensor(points)
    assert record.quantity is not None
    assert record.pullback is not None
    jets = (
        record.quantity(theta, where, needed).detach().requires_grad_(True) if needed else torch.zeros(len(points), 0)
    )
    values = theta[len(theta) - len(record.unknowns) :].unbind()
    unknowns = [value.expand(len(points)).clone().requires_grad_(True) for value in values]
    program = Program([flat], [*problem.coordinates, *problem.unknowns, *atoms])
    with torch.enable_grad():
        columns = [jets[:, needed.index(jet)] for jet in atoms.values()]
        result = program(*where.unbind(dim=1), *unknowns, *columns)[0]
        if not result.requires_grad:
            return torch.zeros(len(points), len(theta), dtype=torch.float64)
        inputs = [*([jets] if needed else []), *unknowns]
        slopes = list(torch.autograd.grad(result.sum(), inputs, allow_unused=True, materialize_grads=True))
    gradient = torch.zeros(len(points), len(theta), dtype=torch.float64)
    if needed:
        gradient += record.pullback(theta, where, needed, slopes.pop(0)[:, None, :])[:, 0]
    for k, slope in enumerate(slopes):
        gradient[:, len(theta) - len(slopes) + k] += slope
    return gradient
