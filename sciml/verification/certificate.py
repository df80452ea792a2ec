"""Certificate: what was checked of a solution, how large it may be, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One figure of a certificate.

    Attributes:
        kind: "values", "equation", "weak form", "condition", "observation", "balance", "reference" or "bound".
        name: Component, field, or what else was looked at.
        value: The figure; NaN where it could not be had.
        limit: Largest value that passes; None where the figure is told only.
        note: What the figure is, or why there is none.
        where: Coordinates of the largest contribution, by name; empty where there is no such place.
    """

    kind: str
    name: str
    value: float
    limit: float | None
    note: str = ""
    where: tuple[tuple[str, float], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the figure is within its limit; NaN is not."""
        return self.limit is None or self.value <= self.limit

    def __str__(self) -> str:
        """One line."""
        limit = "" if self.limit is None else f" (at most {self.limit:.1e})"
        place = ", ".join(f"{name}={value:.4g}" for name, value in self.where)
        tail = "; ".join(part for part in (self.note, f"largest at {place}" if place else "") if part)
        mark = " " if self.passed else "!"
        return f"{mark} {self.kind:11s} {self.name:24s} {self.value:.1e}{limit}{': ' if tail else ''}{tail}"


@dataclass(frozen=True)
class Certificate:
    """What is known of a solution without trusting the solver that made it.

    A small residual does not bound the error by itself: an ill-conditioned problem turns a small residual into a
    large error. A rigorous bound, where there is one, stands among the checks.

    Attributes:
        subject: What was checked.
        tolerance: Share of the size of its terms up to which an equation or condition may be left unsolved.
        checks: All figures.
    """

    subject: str
    tolerance: float
    checks: tuple[Check, ...]

    @property
    def suspects(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def verified(self) -> bool:
        """Whether every check passed."""
        return not self.suspects

    @property
    def verdict(self) -> str:
        """Either "verified" or "suspect"."""
        return "verified" if self.verified else "suspect"

    def of(self, kind: str) -> tuple[Check, ...]:
        """The checks of one kind."""
        return tuple(check for check in self.checks if check.kind == kind)

    def __repr__(self) -> str:
        """The verdict, and one line per check; `!` marks those that did not pass."""
        head = f"{self.subject}: {self.verdict} (tolerance {self.tolerance:g})"
        return "\n".join([head, *map(str, self.checks)])
