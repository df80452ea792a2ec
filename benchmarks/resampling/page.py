"""The tables as text, and a page with a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.resampling.statistics import FAILED, compared, logs, ranks, table
from benchmarks.resampling.store import Outcome
from demo.page import Section, page
from sciml.plotting.figure import Figure

HEAD = ("problem", "sampler", "runs", "median", "quartiles", "worst", "failed", "time for points", "R")
TESTS = ("problem", "ours against", "pairs", "ratio of errors", "p", "p after Holm", "verdict")


def lines_of(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The main table as texts."""
    return [
        (
            line.problem, line.sampler, str(line.runs), f"{line.median:.1e}", f"{line.low:.1e} to {line.high:.1e}",
            f"{line.worst:.1e}", str(line.failures), f"{100 * line.share:.0f} %", f"{line.ratio:.2g}",
        )
        for line in table(outcomes)
    ]  # fmt: skip


def comparisons_of(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The comparisons as texts."""
    return [
        (c.problem, c.sampler, str(c.pairs), f"{c.ratio:.2f}", f"{c.p:.3f}", f"{c.holm:.3f}", c.verdict)
        for c in compared(outcomes)
    ]


def ranking(outcomes: Sequence[Outcome]) -> str:
    """Mean ranks in words."""
    mean, p = ranks(outcomes)
    order = sorted(mean, key=mean.__getitem__)
    return ", ".join(f"{name} {mean[name]:.1f}" for name in order) + f"; Friedman p = {p:.2g}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for the documentation and the terminal."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def picture(outcomes: Sequence[Outcome]) -> Figure:
    """Errors of every run, one panel per problem, medians as bars."""
    problems = list(dict.fromkeys(o.problem for o in outcomes))
    samplers = list(dict.fromkeys(o.sampler for o in outcomes))
    figure = Figure(figsize=(2.6 * len(problems) + 1, 0.32 * len(samplers) + 1.6), layout="constrained")
    axes = figure.subplots(1, len(problems), sharey=True, squeeze=False)[0]
    for axis, problem in zip(axes, problems, strict=True):
        for place, sampler in enumerate(samplers):
            errors = 10 ** np.array(list(logs(outcomes, problem, sampler).values()))
            axis.plot(errors, np.full(len(errors), place), "o", color="0.6", markersize=4)
            axis.plot(np.median(errors), place, "|", color="tab:blue", markersize=16, markeredgewidth=2.5)
        axis.axvline(FAILED, color="0.85", linewidth=1, zorder=0)
        axis.set_xscale("log")
        axis.set_title(problem)
        axis.set_xlabel("relative L2 error")
    axes[0].set_yticks(range(len(samplers)), samplers)
    axes[0].invert_yaxis()
    return figure


def write_page(outcomes: Sequence[Outcome], path: Path, how: str) -> None:
    """Write the page.

    Args:
        outcomes: Runs.
        path: HTML file.
        how: How they were made.
    """
    section = Section("Errors")
    section.text(how)
    section.figure(picture(outcomes), "dots: seeds; bars: medians; to the right of the grey line a run has failed")
    section.table(HEAD, lines_of(outcomes), "R is the held-out loss over the training loss at the end")
    tests = Section("Ours against the others")
    tests.table(TESTS, comparisons_of(outcomes), "Wilcoxon's signed-rank test on log errors, paired by seed")
    tests.text(f"Mean ranks over problems and seeds: {ranking(outcomes)}")
    path.write_text(page("Where to put training points", "", [section, tests]), encoding="utf-8")
