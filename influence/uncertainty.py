"""Standard errors by propagation of errors from the data.

The estimate is θ̂ = argmin Σ w_i r_i² + (λ/2)|θ - θ_ref|². Only measured rows carry noise; equations and conditions are
deterministic. With y -> y + ε in the rows O of the data, the implicit function theorem gives Δθ = B⁻¹A_Oᵀ√(2w)ε, hence
the sandwich cov θ̂ = B⁻¹A_Oᵀ(2W_O Σ_O)A_O B⁻¹ (Huber 1967; Seber & Wild 1989, sections 2.1 and 5.6), Σ_O = diag(σ²).
B = AᵀA + λI holds nothing that was not minimised: the proximal δ, which influences need, would freeze directions that
data of little weight alone determine, and hide their errors. A is therefore factored itself, by singular values:
products AᵀA would lose such directions to rounding.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from influence.asking import Asker
from influence.targets import Query
from sciml.errors import SolverError, SolverWarning
from sciml.least_squares import DampedFactor, NormalMatrix, gathered

Noise = Mapping[str, float] | Sequence[str] | None

_ROUNDING = 1e-10  # singular values of A, relative to the largest, whose directions rounding leaves as they are
_FREE = 0.01  # share of a gradient that no row determines
_LEFT = 0.5  # standard errors that one more step may move an estimate
_ROWS = 2000  # rows of the hat matrix at a time


def standard_errors(asker: Asker, query: Query, noise: Noise) -> np.ndarray:
    """√ Σ_i (qᵀB⁻¹a_i)² 2w_i σ_i²: every datum moves Q by √(2w_i) qᵀB⁻¹a_i per unit.

    Args:
        asker: Knows record and curvature.
        query: The quantity.
        noise: See `Influence.standard_error`.

    Returns:
        (n_query,).

    Raises:
        SolverError: If a σ is negative, there is nothing to estimate it from, or no rows are held.

    Example:
        >>> import torch
        >>> from influence import Influence, RowBlock
        >>> data = torch.tensor([[0, 1], [0, 2], [0, 6]], dtype=torch.float64)
        >>> block = RowBlock("y", data, lambda p, z: p[0] - z[1])
        >>> mean = Influence.from_rows(torch.tensor([3.0]).double(), [block])
        >>> mean.standard_error(lambda p: p[0]).round(6)  # s/√n with s² = Σ(y - 3)²/(n - 1) = 7
        array([1.527525])
    """
    matrix, residual, length = _scaled(asker)
    factor = NormalMatrix(matrix, "svd").factor(0.0)  # without what is zero but for rounding
    assert factor.eigenvalues is not None
    factor = replace(factor, damping=_ROUNDING**2 * float(factor.eigenvalues.max()))
    gradient = query.gradient.T / length[:, None]
    response = factor.row_products(gradient)
    scaled = asker.curvature.root * _sigma(asker, factor, noise)
    error = (response[: len(scaled)] * scaled[:, None]).norm(dim=0)
    pulls = response * residual[:, None]
    unmet = pulls[: len(scaled)][scaled == 0].norm(dim=0)
    _warn(query, gradient, matrix.T @ response, pulls.sum(dim=0).abs(), unmet, error)
    return error.numpy()


def _scaled(asker: Asker) -> tuple[Tensor, Tensor, Tensor]:
    """A and ρ with the rows √λ_p e_p of the regularisation, columns of A of length one, and those lengths."""
    curvature, record = asker.curvature, asker.record
    if curvature.rows is None:
        raise SolverError(
            "a factor that holds its rows", "the iterative solver, whose damping would hide errors",
            "a model whose rows fit into memory, or the spread of several trainings with other noise",
        )  # fmt: skip
    decay = torch.as_tensor(record.regularisation, dtype=torch.float64).expand(len(curvature.theta))
    root = torch.sqrt(decay)[decay > 0]
    extra = torch.diag(torch.sqrt(decay))[decay > 0]
    away = (curvature.theta - record.reference).to(torch.float64)[decay > 0]
    matrix = torch.cat([curvature.rows, extra])
    length = matrix.norm(dim=0)
    length[length == 0] = 1.0
    return matrix / length, torch.cat([curvature.residual, root * away]), length


def _warn(query: Query, gradient: Tensor, seen: Tensor, left: Tensor, unmet: Tensor, error: Tensor) -> None:
    """Say where the error is larger: directions that nothing determines, a fit on its way, equations that are not met.

    The last is the part of White's covariance Σ (qᵀB⁻¹a_i)² ρ_i² (White 1980) that rows without noise make up.
    """
    free = (gradient - seen).norm(dim=0) / gradient.norm(dim=0).clamp(min=1e-300)
    if bool((free > _FREE).any()):
        warnings.warn(
            f"{query.name} is not determined by the objective: {float(free.max()):.0%} of its gradient lies where no "
            "row answers. The standard error counts the noise of the data alone and is too small: more data, or fewer "
            "parameters than rows",
            SolverWarning, stacklevel=4,
        )  # fmt: skip
    if bool((left > _LEFT * error).any()):
        worst = int((left / error.clamp(min=1e-300)).argmax())
        warnings.warn(
            f"training has not ended for {query.name}: one more Gauss-Newton step would move it by "
            f"{float(left[worst]):.2g}, its standard error being {float(error[worst]):.2g}; train longer on fixed "
            "points",
            SolverWarning, stacklevel=4,
        )  # fmt: skip
    if bool((unmet > error).any()):
        worst = int((unmet / error.clamp(min=1e-300)).argmax())
        warnings.warn(
            f"equations and conditions are met only so far that residuals move {query.name} by about "
            f"{float(unmet[worst]):.2g}, more than its standard error of {float(error[worst]):.2g}: train "
            "longer, a larger network, or data that determine it better",
            SolverWarning, stacklevel=4,
        )  # fmt: skip


def _sigma(asker: Asker, factor: DampedFactor, noise: Noise) -> Tensor:
    """σ of every row, (N,), 0 for rows without noise."""
    sources = _sources(asker, noise)
    owner = np.full(len(asker.curvature.residual), -1)
    for k, name in enumerate(sources):
        owner[asker.rows_of(name)] = k
    values = np.array(list(sources.values()))
    if np.isnan(values).any():
        values = _estimated(asker, factor, owner, values, list(sources))
    return torch.tensor(np.append(values, 0.0)[owner])


def _sources(asker: Asker, noise: Noise) -> dict[str, float]:
    """Terms and components with noise, and their σ; nan where it is to be estimated."""
    problem, names = asker.problem, asker.record.points.terms
    measured = [] if problem is None else [term for term in problem.terms if term.observation is not None]
    found = {
        term.name: float(term.observation.sigma or np.nan)
        for term in measured
        if term.observation is not None and term.name in names
    }
    if isinstance(noise, str):
        noise = [noise]
    found |= {name: float(value) for name, value in noise.items()} if isinstance(noise, Mapping) else {}
    found |= dict.fromkeys(noise, np.nan) if noise is not None and not isinstance(noise, Mapping) else {}
    if noise is None and problem is None and len(names) == 1:
        found = {names[0]: np.nan}
    if not found:
        raise SolverError(
            "terms whose data carry noise", "no observations" if problem is not None else f"blocks {', '.join(names)}",
            f'noise={{"{names[-1]}": 0.01}}, or noise=["{names[-1]}"] to estimate σ from its residuals',
        )  # fmt: skip
    for name, value in found.items():
        if not (np.isnan(value) or (np.isfinite(value) and value >= 0)):
            raise SolverError("finite σ of 0 or more", f"{name!r}: {value}", "")
    return found


def _estimated(
    asker: Asker, factor: DampedFactor, owner: np.ndarray, values: np.ndarray, names: list[str]
) -> np.ndarray:
    """σ by the method of moments: E Σ_{i in a} r_i² = Σ_b K_ab σ_b², r = (I - D⁻¹HD)ε, K_ab = Σ (I - D⁻¹HD)²_ij.

    H is the hat matrix and D = diag √(2w). For one source of even weights whose hat matrix is a projection K is n - p.

    Args:
        asker: Knows the residuals.
        factor: Factor of B.
        owner: Source of every row, -1 for none.
        values: σ of the sources, nan where unknown.
        names: Their names.

    Returns:
        σ of all sources.

    Raises:
        SolverError: If a source is met almost exactly.
    """
    root = asker.curvature.root
    rows = np.flatnonzero((owner >= 0) & (root > 0).numpy())
    member = torch.nn.functional.one_hot(torch.tensor(owner[rows]), len(values)).to(torch.float64)
    table, scale = torch.zeros(len(values), len(values), dtype=torch.float64), root[rows]
    for start in range(0, len(rows), _ROWS):
        piece = np.arange(start, min(start + _ROWS, len(rows)))
        hat = factor.row_products(gathered(factor.rows)[rows[piece]].T)[rows]
        change = -hat * scale[piece] / scale[:, None]
        change[piece, piece - start] += 1
        table += member.T @ change**2 @ member[piece]
    moments = (member.T @ (asker.curvature.residual[rows] / scale) ** 2).numpy()
    unknown, counts = np.isnan(values), member.sum(dim=0).numpy()
    expected, free = table.numpy(), table.diagonal().numpy()
    if (free[unknown] < 0.5).any():
        worst = names[int(np.flatnonzero(unknown)[free[unknown].argmin()])]
        given = f"{int(counts[names.index(worst)])} in {worst!r}, met almost exactly"
        raise SolverError("more measurements than they determine parameters", given, f"noise={{{worst!r}: 0.01}}")
    right = moments - expected[:, ~unknown] @ values[~unknown] ** 2
    squares = values**2
    squares[unknown] = nnls(expected[np.ix_(unknown, unknown)] / free[unknown, None], right[unknown] / free[unknown])[0]
    return np.sqrt(squares)
