"""Findings: what is wrong with a solution, in words, with the numbers that say so and what to try.

A number becomes a fault only where it matters: it must move predictions by more than the accuracy asked for, in units
of the spread of their field, or leave more than that share of a condition or equation unexplained. Which fault it is
follows from statistics of the problem itself: permutation bands, shares of rows, the information criterion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LEVELS = ("fault", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a reader should know.

    Attributes:
        name: What it is, in one or two words.
        level: "fault", or "note" for what does not harm.
        words: What was found.
        evidence: The numbers behind it.
        advice: What to try, the best first.
        where: Places concerned, in words.
        ids: Points concerned, for `influence.group(finding.ids, ...)` and `influence.refit(finding.ids)`; empty where
            the fault is not one of single points.
    """

    name: str
    level: str
    words: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    where: str = ""
    ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        """A short paragraph."""
        lines = [f"{self.name.upper() if self.level == 'fault' else self.name}: {self.words}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.evidence:
            numbers = ", ".join(f"{name} {shown(value)}" for name, value in self.evidence.items())
            lines.append(f"  evidence: {numbers}")
        lines += [f"  try: {text}" for text in self.advice]
        return "\n".join(lines)


def shown(value: float | str) -> str:
    """A number with three digits."""
    return value if isinstance(value, str) else f"{value:.3g}"
