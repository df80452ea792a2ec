"""Bound: what is known of the error of an approximation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_LONGEST = 400  # characters of a reason


@dataclass(frozen=True)
class Bound:
    """Rigorous bounds of the error u_h - u.

    Attributes:
        sup: Not below |u_h - u| anywhere in the domain (for a system: of any field), or None.
        l2: Not below the L2 norm over the space domain at any time, or None.
        reason: How it was found, or why there is none.
        details: The parts: norms of the mismatch, stability constants, the rounding.
    """

    sup: float | None
    l2: float | None
    reason: str
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the reason readable where it quotes a long formula."""
        if len(self.reason) > _LONGEST:
            half = _LONGEST // 2
            object.__setattr__(self, "reason", f"{self.reason[:half]} ... {self.reason[-half + 5 :]}")
