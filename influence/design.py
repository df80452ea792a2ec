"""Optimal design: what adding or dropping points does to a quantity, with updates after every choice.

With scaled rows A_c of a point, residual ρ, G = AᵀA + δI of the present points and the gradients J_Q of quantities of
interest, the point has leverage H = A_c G⁻¹A_cᵀ and propagation B = J_Q G⁻¹A_cᵀ. Adding it moves Q by -B (I + H)⁻¹ρ and
lowers its variance by s² tr(B (I + H)⁻¹Bᵀ), s² the level of ρ² (V-optimal design; Fedorov 1972); for dropping it, I - H
stands in place of I + H (Cook 1977).
"""

from __future__ import annotations

import torch
from torch import Tensor


class Candidates:
    """Points that may be added (sign +1) or dropped (sign -1), each with k rows (zero rows where it has fewer).

    Args:
        rows: A_c, (n, k, P).
        solved: G⁻¹A_cᵀ transposed, (n, k, P).
        residual: ρ, (n, k).
        spread: Bᵀ, propagation to the quantities, (n, k, m).
        level: s².
        sign: +1 or -1.
    """

    def __init__(self, rows: Tensor, solved: Tensor, residual: Tensor, spread: Tensor, level: float, sign: int) -> None:
        self.rows, self.solved, self.level, self.sign = rows, solved, level, sign
        self.residual, self.spread = residual, spread
        self.leverage = rows @ solved.transpose(1, 2)
        self._past: list[tuple[Tensor, Tensor]] = []

    def _inverse(self, leverage: Tensor) -> Tensor:
        """(I ± H)⁻¹; a point that alone fixes a direction has H = 1, and rounding may say more."""
        eye = torch.eye(leverage.shape[-1], dtype=leverage.dtype)
        return torch.linalg.inv(eye + leverage if self.sign > 0 else (1 + 1e-12) * eye - leverage)

    def scores(self) -> Tensor:
        """|B (I ± H)⁻¹ρ|² + s² tr(B (I ± H)⁻¹Bᵀ), (n,)."""
        weighted = self._inverse(self.leverage) @ torch.cat([self.residual[:, :, None], self.spread], dim=2)
        bias = (self.spread.transpose(1, 2) @ weighted[:, :, :1])[:, :, 0].square().sum(dim=1)
        return bias + self.level * (self.spread * weighted[:, :, 1:]).sum(dim=(1, 2))

    def choose(self, index: int) -> None:
        """Take one candidate, and update all others to the model refitted with (or without) it.

        Args:
            index: Its number.
        """
        cross = self.rows @ self.solved[index].T  # A_c G⁻¹A_*ᵀ with the first G, (n, k, k)
        for kernel, gain in self._past:
            cross = cross - self.sign * kernel @ (gain @ kernel[index].T)
        gain = self._inverse(self.leverage[index])
        moved, spread = gain @ self.residual[index], gain @ self.spread[index]
        self.leverage = self.leverage - self.sign * cross @ gain @ cross.transpose(1, 2)
        self.residual = self.residual - self.sign * cross @ moved
        self.spread = self.spread - self.sign * cross @ spread
        self._past.append((cross, gain))


def greedy(candidates: Candidates, count: int, kinds: Tensor | None = None, allowed: Tensor | None = None) -> list[int]:
    """Choose one candidate after the other: of the largest score for adding, of the smallest for dropping.

    Args:
        candidates: The candidates; changed on the way.
        count: How many.
        kinds: Type of each candidate, (n,).
        allowed: How many of each type may be chosen at most, (types,).

    Returns:
        Their numbers, in the order of the choice.
    """
    free = torch.ones(len(candidates.residual), dtype=torch.bool)
    left = None if allowed is None else allowed.clone()
    if left is not None and kinds is not None:
        free &= left[kinds] > 0
    chosen: list[int] = []
    while len(chosen) < count and bool(free.any()):
        score = candidates.sign * candidates.scores()
        index = int(torch.where(free, score, torch.full_like(score, -torch.inf)).argmax())
        chosen.append(index)
        free[index] = False
        if left is not None and kinds is not None:
            left[kinds[index]] -= 1
            free &= left[kinds] > 0
        candidates.choose(index)
    return chosen
