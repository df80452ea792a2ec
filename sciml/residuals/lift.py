"""Hard constraints: u = G + φN with G meeting the data and φ vanishing where data are given.

Derivatives of u follow from those of the network N by the Leibniz rule,
D^α u = D^α G + Σ_{β≤α} C(α,β) D^{α-β}φ D^β N, so every derivative engine serves constrained fields.
(Lagaris, Likas & Fotiadis 1998; Sukumar & Srivastava 2022, arXiv 2104.08426.)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from sciml.errors import NotSymbolicError, SolverError
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.residuals.blending import FieldForm, field_form
from sciml.residuals.levels import Levels


@dataclass(frozen=True, eq=False)
class HardConstraint:
    """u_i = G_i + φ_i N_i for every field.

    Attributes:
        problem: The problem.
        particular: G per field.
        factor: φ per field; 1 for a free field.
        satisfied: Names of the terms that hold exactly, whatever the network.
        reasons: Term name -> why it could not be made exact.
    """

    problem: IBVP
    particular: tuple[sp.Expr, ...]
    factor: tuple[sp.Expr, ...]
    satisfied: frozenset[str]
    reasons: Mapping[str, str]

    def network_jets(self, needed: Sequence[Jet]) -> tuple[Jet, ...]:
        """Jets of the network from which the fields' jets follow."""
        inner: dict[Jet, None] = {}
        for index, orders in needed:
            free = self.factor[index] == 1
            for lower in [orders] if free else itertools.product(*(range(order + 1) for order in orders)):
                inner[index, tuple(lower)] = None
        return tuple(inner)

    def prepare(self, points: np.ndarray, needed: Sequence[Jet], device: torch.device | str = "cpu") -> list[Tensor]:
        """Offset (n, k) and matrix (n, k, k') of the map from the network's jets to the fields'.

        Args:
            points: (n, d).
            needed: Jets of the fields.
            device: Where the tensors live.

        Returns:
            `[offset, matrix]` for `apply` and `transpose`.
        """
        inner = {jet: i for i, jet in enumerate(self.network_jets(needed))}
        offset = np.zeros((len(points), len(needed)))
        matrix = np.zeros((len(points), len(needed), len(inner)))
        cache: dict[sp.Expr, np.ndarray] = {}
        for k, (index, orders) in enumerate(needed):
            offset[:, k] = self._values(self.particular[index], orders, points, cache)
            if self.factor[index] == 1:
                matrix[:, k, inner[index, orders]] = 1.0
                continue
            for lower in itertools.product(*(range(order + 1) for order in orders)):
                binomial = math.prod(math.comb(a, b) for a, b in zip(orders, lower, strict=True))
                rest = tuple(a - b for a, b in zip(orders, lower, strict=True))
                matrix[:, k, inner[index, lower]] = binomial * self._values(self.factor[index], rest, points, cache)
        return [torch.tensor(offset, device=device), torch.tensor(matrix, device=device)]

    def _values(
        self, expression: sp.Expr, orders: Sequence[int], points: np.ndarray, cache: dict[sp.Expr, np.ndarray]
    ) -> np.ndarray:
        pairs = [(symbol, order) for symbol, order in zip(self.problem.coordinates, orders, strict=True) if order]
        derivative = expression.diff(*pairs, simplify=False) if pairs else expression  # factoring takes minutes
        if derivative not in cache:
            cache[derivative] = evaluate_data(derivative, self.problem.coordinates, points, self.problem.bounds)
        return cache[derivative]

    def apply(self, lifts: list[Tensor], inner: Tensor, homogeneous: bool = False) -> Tensor:
        """Jets of the fields from jets of the network; `homogeneous` for changes, without G."""
        offset, matrix = lifts
        moved = torch.einsum("nkl,nl->nk", matrix.to(inner.dtype), inner)
        return moved if homogeneous else offset.to(inner.dtype) + moved

    def transpose(self, lifts: list[Tensor], cotangent: Tensor) -> Tensor:
        """Cotangent of the network's jets, (n, k') or (n, c, k'), from one of the fields' jets."""
        return torch.einsum("nkl,n...k->n...l", lifts[1].to(cotangent.dtype), cotangent)


def hard_constraint(problem: IBVP, require: bool = False, trimmed: bool = True) -> HardConstraint | None:
    """Build G and φ for all Dirichlet and initial data of a problem that allow it.

    Args:
        problem: The problem.
        require: Raise where some Dirichlet or initial term cannot be made exact.
        trimmed: Whether faces whose line or circle enters the domain, as at a re-entrant corner, are met too: by
            functions that are not smooth at the ends of the face.

    Returns:
        The constraint, or None where no term can be made exact.

    Raises:
        SolverError: If `require` is set and a term resists, with its reason.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 1), Interval(x, 0, 1), boundary=[Dirichlet(u, x)])
        >>> made = hard_constraint(problem)
        >>> sp.simplify(made.particular[0]), sp.factor(made.factor[0])
        (x, -4*x*(x - 1))
    """
    forms: list[FieldForm] = []
    levels = Levels(problem.domain, trimmed)
    for known in problem.fields:
        try:
            forms.append(field_form(problem, known, levels))
        except NotSymbolicError as error:
            forms.append(FieldForm.free({f"data of {known}": str(error)}))
    satisfied = frozenset(itertools.chain.from_iterable(form.satisfied for form in forms))
    reasons = {name: reason for form in forms for name, reason in form.reasons.items()}
    if require and reasons:
        raise SolverError(
            "Dirichlet and initial data that can be met exactly",
            "; ".join(f"{name}: {reason}" for name, reason in reasons.items()),
            'constraints="auto" keeps such terms as soft rows',
        )
    if not satisfied:
        return None
    return HardConstraint(
        problem,
        tuple(form.particular for form in forms),
        tuple(form.factor for form in forms),
        satisfied,
        reasons,
    )
