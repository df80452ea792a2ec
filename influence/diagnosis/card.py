"""The health card as a figure and as a self-contained page."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence
from typing import Any

from influence.diagnosis.findings import Finding, shown
from influence.diagnosis.pictured import Pictured
from sciml.plotting.figure import Figure

_STYLE = """
.card { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; max-width: 1080px; padding: 1rem; }
.card h2 { margin: 0 0 .3rem; } .card h3 { margin: 1.2rem 0 .2rem; }
.card .verdict { border-left: 6px solid; padding: .4rem .8rem; background: #f6f8fa; }
.card .healthy { border-color: #009E73; } .card .ill { border-color: #D55E00; }
.card table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; }
.card th, .card td { padding: .2rem .7rem; border-bottom: 1px solid #d0d7de; text-align: right; }
.card th:first-child, .card td:first-child { text-align: left; }
.card ul { margin: .2rem 0; } .card img { max-width: 100%; height: auto; } .card .where { color: #57606a; }
.card pre { background: #f6f8fa; padding: .6rem; overflow-x: auto; font-size: 12.5px; }
"""


def draw_card(title: str, verdict: str, healthy: bool, parts: Sequence[Pictured]) -> Figure:
    """All indicators on one sheet, the verdict above them.

    Args:
        title: What was diagnosed.
        verdict: In one sentence.
        healthy: Whether nothing is wrong.
        parts: The indicators.

    Returns:
        A matplotlib figure.
    """
    columns = 3
    rows = max(1, math.ceil(len(parts) / columns))
    figure = Figure(figsize=(4.6 * columns, 3.5 * rows + 0.9), layout="constrained")
    colour = "#007A5A" if healthy else "#B34700"
    figure.suptitle(f"{title}\n{_wrapped(verdict, 130)}", color=colour, fontsize="large")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, part in zip(axes, parts, strict=False):
        part.draw(axis)
    for axis in axes[len(parts) :]:
        axis.set_axis_off()
    return figure


def _wrapped(text: str, width: int) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def page(
    title: str,
    verdict: str,
    healthy: bool,
    findings: Sequence[Finding],
    table: tuple[Sequence[str], Sequence[Sequence[str]]],
    figure: Figure,
    details: str,
) -> str:
    """The card as HTML: no scripts, no fonts, no files beside it.

    Args:
        title: What was diagnosed.
        verdict: In one sentence.
        healthy: Whether nothing is wrong.
        findings: What was found.
        table: Head and rows of the table of components.
        figure: The card's figure.
        details: Indicators as text.

    Returns:
        HTML for a notebook cell or a file.
    """
    mood = "healthy" if healthy else "ill"
    head, rows = table
    header = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    picture = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<style>{_STYLE}</style><article class="card" lang="en"><h2>{html.escape(title)}</h2>'
        f'<p class="verdict {mood}">{html.escape(verdict)}</p>{"".join(map(_section, findings))}'
        f"<h3>Components</h3><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
        f'<img alt="indicators of {html.escape(title)}: {html.escape(verdict)}" src="data:image/png;base64,{picture}">'
        f"<details><summary>all indicators</summary><pre>{html.escape(details)}</pre></details></article>"
    )


def document(title: str, body: str) -> str:
    """A whole file around the card.

    Args:
        title: Title of the page.
        body: The card.

    Returns:
        HTML.
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>{body}</body></html>'
    )


def _section(finding: Finding) -> str:
    advice = "".join(f"<li>{html.escape(text)}</li>" for text in finding.advice)
    numbers = "; ".join(f"{name}: {shown(value)}" for name, value in finding.evidence.items())
    parts = [f"<h3>{html.escape(finding.name)}</h3><p>{html.escape(finding.words)}</p>"]
    parts.append(f'<p class="where">where: {html.escape(finding.where)}</p>' if finding.where else "")
    parts.append(f"<p>Evidence: {html.escape(numbers)}</p>" if numbers else "")
    parts.append(f"<p>Try:</p><ul>{advice}</ul>" if advice else "")
    return f"<section>{''.join(parts)}</section>"


def text_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in plain text, the first column left, the others right.

    Args:
        head: Names of the columns.
        rows: Cells.

    Returns:
        Lines.
    """
    lines = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )  # fmt: skip
