"""Hook of mkdocs: TeX between dollar signs becomes MathML, which browsers show without scripts or other fonts."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

# displayed formulas first; code, fenced or inline, is left as it is
_PARTS = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]+`)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+(?:\n[^$\n]+)?)\$", re.S | re.M
)


def formulas(text: str) -> tuple[str, list[str]]:
    """Markdown with a mark in place of every formula, and the formulas as MathML.

    Args:
        text: Markdown.

    Returns:
        The text and the formulas in the order of their marks.

    Example:
        >>> formulas("the sum $a + b$, not `$HOME`")[0]
        'the sum FORMULA0END, not `$HOME`'
    """
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        display = match["display"] is not None
        found.append(convert(match["display"] or match["inline"], display="block" if display else "inline"))
        return f"FORMULA{len(found) - 1}END"

    return _PARTS.sub(mark, text), found


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Marks instead of formulas, so that Markdown does not read their underscores."""
    text, page.formulas = formulas(markdown)
    return text


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Formulas instead of marks."""
    for number, formula in enumerate(page.formulas):
        html = html.replace(f"FORMULA{number}END", formula, 1)
    return html
