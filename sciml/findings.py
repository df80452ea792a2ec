"""Finding: one fault or remark about a problem."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding: severity "error", "warning" or "note", and what to do about it."""

    severity: str
    message: str
