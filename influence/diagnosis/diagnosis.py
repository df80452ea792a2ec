"""diagnose: the health card of a solution, with a verdict in words and the numbers behind it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from influence.diagnosis.card import document, draw_card, page, text_table
from influence.diagnosis.exam import examine
from influence.diagnosis.findings import Finding
from influence.diagnosis.indicators import Indicators
from influence.diagnosis.rules import judged
from influence.diagnosis.signs import moving, unmet
from influence.diagnosis.training_faults import UNRESOLVED
from sciml.errors import SolverWarning
from sciml.plotting.figure import Figure

_HEAD = ("component", "rows", "influence", "loss", "determines", "training", "held out", "ratio", "unexplained")


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What is wrong with a solution, or that nothing is.

    Attributes:
        title: What was diagnosed.
        findings: Faults first, then notes.
        indicators: The numbers behind them.
    """

    title: str
    findings: tuple[Finding, ...]
    indicators: Indicators

    @property
    def healthy(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Findings that matter at the accuracy asked for."""
        return tuple(finding for finding in self.findings if finding.level == "fault")

    @property
    def estimated_error(self) -> float:
        """Estimate of the error of predictions in units of their spread: the largest of five signs.

        The tension ½ Σ|I| between rows, the change when held-out points join, that of going on with the training; the
        largest share of a condition that is not met; and, where the rows hold one pattern far less than all others, the
        scatter along it, at most the spread.
        """
        free = self.indicators.free
        scatter = min(free.size, 1.0) if free is not None and free.alone else 0.0
        return max(moving(self.indicators), *unmet(self.indicators, "condition").values(), scatter)

    @property
    def verdict(self) -> str:
        """One sentence."""
        accuracy = self.indicators.exam.accuracy
        error = f"estimated error {self.estimated_error:.1e} of the spread, asked for {accuracy:.0e}"
        if self.healthy:
            left = [f"but {note.words.split(',')[0]}" for note in self.findings if note.name == UNRESOLVED]
            return f"healthy: {error}; {left[0] if left else 'nothing stands out'}"
        return f"{', '.join(dict.fromkeys(finding.name for finding in self.faults))} ({error})"

    def __contains__(self, name: str) -> bool:
        """Whether a fault of that name was found."""
        return any(name == finding.name for finding in self.faults)

    @cached_property
    def _rows(self) -> list[tuple[str, ...]]:
        found = self.indicators
        influence, held = found.exam.influence, found.held_out
        labels = influence.record.rows.labels.astype(str)
        square = influence.curvature.residual.numpy() ** 2
        total = float(square.sum()) or 1.0
        shares = dict(zip(found.ratio.names, found.ratio.mean.tolist(), strict=True))
        lines: list[tuple[str, ...]] = []
        for i, name in enumerate(held.names):
            own = labels == name
            lines.append((
                name, f"{int(own.sum())}", f"{shares[name]:.1%}", f"{square[own].sum() / total:.1%}",
                f"{found.determined[name]:.1f}", f"{held.training[i]:.1e}", _number(held.held_out[i], ".1e"),
                _number(held.ratio[i], ".2f" if held.ratio[i] < 1e4 else ".0e"), _number(held.unexplained[i], ".1e"),
            ))  # fmt: skip
        return lines

    def _details(self) -> str:
        found, trust = self.indicators, self.indicators.exam.influence.reliability
        lines = [
            f"tension {found.tension:.1e}, change with fresh points {found.fresh:.1e}, with further steps "
            f"{found.further:.1e} (in units of the spread)",
            f"{found.unfinished}; |grad L| = {trust.gradient_norm:.1e}",
            *(str(one).splitlines()[0] for one in (
                found.sensitivity, found.causality, found.initial, found.proximity, found.cancellation,
                found.self_influence, found.conflict, found.clusters, found.free) if one is not None),
            *map(str, found.structures),
            *str(trust).splitlines()[1:3],
        ]  # fmt: skip
        return "\n".join(lines)

    def __str__(self) -> str:
        """Verdict, findings, table of components, indicators."""
        table = text_table(_HEAD, self._rows)
        return "\n\n".join([f"{self.title}\n{self.verdict}", *map(str, self.findings), table, self._details()])

    def __repr__(self) -> str:
        """The verdict."""
        return f"Diagnosis({self.verdict})"

    def plot(self) -> Figure:
        """All indicators on one sheet.

        Returns:
            A matplotlib figure.
        """
        return draw_card(self.title, self.verdict, self.healthy, list(self.indicators.pictures()))

    def _repr_html_(self) -> str:
        table = (_HEAD, self._rows)
        return page(self.title, self.verdict, self.healthy, self.findings, table, self.plot(), self._details())

    def html(self, path: str | Path | None = None) -> str:
        """The card as one self-contained page.

        Args:
            path: Where to write it; None only returns it.

        Returns:
            HTML without scripts or references to other files.
        """
        text = document(self.title, self._repr_html_())
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def diagnose(
    solution: Any,
    target: Any = None,
    at: Any = None,
    *,
    accuracy: float = 0.01,
    queries: int = 256,
    permutations: int = 499,
    seed: int = 0,
) -> Diagnosis:
    """The health card of a solution: is it to be trusted, what is wrong if not, where, and what to try.

    Influence functions are asked how training points shape predictions inside the domain (Krasowski, Naujoks et
    al. 2026, arXiv 2409.08958). A sign becomes a fault only where it could move predictions by more than `accuracy` of
    the spread of their field, or leaves more than that of a condition unexplained. Which fault it is follows from
    permutation bands, leverage and the information criterion, not from constants tuned on examples.

    Args:
        solution: Anything with a training record, a record, or an `Influence` (for instance of `from_rows`).
        target: What to ask instead of all fields: see `Influence.scores`.
        at: Where to ask, (n, d); interior Sobol points when None.
        accuracy: Change of a prediction that matters, as a share of the spread of its field.
        queries: Number of interior points.
        permutations: Draws of permutation tests.
        seed: Seed of held-out points and permutations.

    Returns:
        The diagnosis: `print(report)`, `report.plot()`, `report.html("card.html")`, `report.findings`.

    Raises:
        SolverError: If there is no training record, or an argument is out of range.

    Example:
        >>> import torch
        >>> from influence import Influence, RowBlock
        >>> x = torch.linspace(0, 1, 20, dtype=torch.float64)
        >>> line = RowBlock("fit", torch.stack([x, 2 * x + 1], dim=1), lambda p, z: p[0] + p[1] * z[0] - z[1], 0.05)
        >>> diagnose(Influence.from_rows(torch.tensor([1.0, 2.0]).double(), [line])).healthy
        True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)  # the card says what they say
        exam = examine(solution, target, at, accuracy, queries, permutations, seed)
        indicators = Indicators(exam)
        findings = tuple(judged(indicators))
    problem = exam.influence.problem
    name = "" if problem is None else problem.name or ", ".join(map(str, problem.fields))
    size = f"{len(exam.influence.ids)} points, {len(exam.influence.record.parameters)} parameters"
    return Diagnosis(f"{name or 'fit'} ({size})", findings, indicators)
