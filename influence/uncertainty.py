"""Standard errors by propagation of errors from the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from influence.asking import Asker
from influence.targets import Query
from sciml.errors import SolverError


def standard_errors(asker: Asker, query: Query, noise: Mapping[str, float] | None) -> np.ndarray:
    """√ Σ_i (qᵀB⁻¹a_i)² 2w_i σ_i²: every datum moves Q by √(2w_i) qᵀB⁻¹a_i per unit.

    Args:
        asker: Knows record and curvature.
        query: The quantity.
        noise: σ by term or component; None estimates it, term by term, from the residuals of observations (of all
            blocks where there is no problem), with the degrees of freedom that the fit used.

    Returns:
        (n_query,).

    Raises:
        SolverError: If a σ is negative, or there is nothing to estimate it from.
    """
    curvature = asker.curvature
    sigma = torch.zeros(len(curvature.residual), dtype=torch.float64)
    if noise is None:
        for name in _measured(asker):
            index = torch.tensor(asker.rows_of(name))
            rows = curvature.residual[index] / curvature.root[index]
            free = len(index) - float(curvature.leverage()[index].sum())
            if not free > 0.5:
                raise SolverError(
                    "more measurements than they determine parameters", f"{len(index)} in {name!r}", "noise={...}"
                )
            sigma[index] = float((rows @ rows / free) ** 0.5)
    else:
        for name, value in noise.items():
            if not (np.isfinite(value) and value >= 0):
                raise SolverError("finite σ of 0 or more", f"{name!r}: {value}", "")
            sigma[torch.tensor(asker.rows_of(name))] = float(value)
    response = curvature.row_products(query.gradient.T) * (curvature.root * sigma)[:, None]
    return response.norm(dim=0).numpy()


def _measured(asker: Asker) -> list[str]:
    points = asker.record.points
    pairs = list(zip(points.terms, points.term_kinds, strict=True))
    names = [
        name for name, kind in pairs if (kind == "observation" or asker.problem is None) and points.mask(name).any()
    ]
    if not names:
        raise SolverError("observations to estimate their noise from", "a problem without", 'noise={"initial u": 0.01}')
    return names
