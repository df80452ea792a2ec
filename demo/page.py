"""One self-contained HTML page: no scripts, no fonts, no files beside it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from sciml.plotting.figure import Figure

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d0d7de; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; color: #57606a; }
th, td { padding: .3rem .9rem; border-bottom: 1px solid #d0d7de; text-align: left; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font-size: 13px; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; } figcaption { color: #57606a; }
"""


@dataclass
class Section:
    """One section of the page."""

    title: str
    parts: list[str] = field(default_factory=list)

    def text(self, words: str) -> None:
        """A paragraph."""
        self.parts.append(f"<p>{html.escape(words)}</p>")

    def code(self, words: str) -> None:
        """Preformatted text."""
        self.parts.append(f"<pre>{html.escape(words)}</pre>")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> None:
        """A table of strings."""
        cells = [
            "<tr>" + "".join(f"<td{_kind(cell)}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        ]
        header = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
        note = f"<caption>{html.escape(caption)}</caption>" if caption else ""
        self.parts.append(f"<table>{note}<thead><tr>{header}</tr></thead><tbody>{''.join(cells)}</tbody></table>")

    def figure(self, figure: Figure, caption: str, width: int = 1000) -> None:
        """A figure, stored inside the page."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        data = base64.b64encode(buffer.getvalue()).decode()
        text = html.escape(caption)
        self.parts.append(
            f'<figure><img alt="{text}" width="{width}" src="data:image/png;base64,{data}">'
            f"<figcaption>{text}</figcaption></figure>"
        )


def _kind(cell: str) -> str:
    try:
        float(cell)
    except ValueError:
        return ""
    return ' class="number"'


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page.

    Args:
        title: Heading.
        lead: First paragraph.
        sections: Sections in order.

    Returns:
        HTML text.
    """
    body = "".join(f"<section><h2>{html.escape(s.title)}</h2>{''.join(s.parts)}</section>" for s in sections)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(lead)}</p>{body}</body></html>"
    )
