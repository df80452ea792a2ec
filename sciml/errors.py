"""Errors and warnings: each says what was expected, what was given and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence


class ScimlError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        expected: What the call needs.
        given: What it got.
        fix: What the user can do about it.
    """

    def __init__(self, expected: str, given: str = "", fix: str = "") -> None:
        self.expected, self.given, self.fix = expected, given, fix
        parts = [f"expected: {expected}"]
        if given:
            parts.append(f"given: {given}")
        if fix:
            parts.append(f"fix: {fix}")
        super().__init__("\n  ".join(parts))

    def __reduce__(self) -> tuple:
        """Rebuild from the three parts, so that errors cross process borders."""
        return type(self), (self.expected, self.given, self.fix)


class ProblemError(ScimlError, ValueError):
    """A problem that is not well stated; `findings` holds every fault that was found.

    Args:
        expected: What was expected, or the whole text when `findings` is given.
        given: What was given.
        fix: How to mend it.
        findings: All faults found at once.
    """

    def __init__(self, expected: str, given: str = "", fix: str = "", findings: Sequence = ()) -> None:
        super().__init__(expected, given, fix)
        self.findings = tuple(findings)


class ArgumentsError(ScimlError, TypeError):
    """A call with missing, unknown or too many arguments."""


class NotSymbolicError(ScimlError, TypeError):
    """An operation needs SymPy expressions, but a numeric-only function was given."""


class UnsupportedFunctionError(ScimlError, NotImplementedError):
    """A SymPy function has no numerical counterpart in the compiler."""


class GeometryError(ScimlError, ValueError):
    """A geometry that is empty, degenerate, or has no such face."""


class PointsError(ScimlError, ValueError):
    """Points of the wrong shape, outside the domain, or with unknown IDs."""


class SolverError(ScimlError, ValueError):
    """A solver was asked for a problem or an option that it does not cover."""


class ConvergenceError(ScimlError, RuntimeError):
    """An iteration ended without an answer that can be trusted."""


class CheckpointError(ScimlError, ValueError):
    """A file that is damaged, of another kind, or of another problem."""


class TeamError(ScimlError, RuntimeError):
    """A process of a distributed job is gone, so that the others cannot go on."""


class MissingExtraError(ScimlError, ImportError):
    """An optional dependency is not installed."""


class ProblemWarning(UserWarning):
    """A problem that can be solved, but has a property its author should know of."""


class SolverWarning(UserWarning):
    """A solution that should be looked at before it is trusted."""
