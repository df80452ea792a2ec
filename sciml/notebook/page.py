"""Page: an interactive picture as one HTML file that needs no kernel and no network."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

_START = """
const held = JSON.parse(document.getElementById("held").textContent), heard = {};
const model = {
  get: key => held[key],
  set: (key, value) => { held[key] = value; (heard["change:" + key] || []).forEach(call => call()); },
  save_changes: () => {}, send: () => {},
  on: (event, call) => { (heard[event] ||= []).push(call); },
};
render({ model, el: document.getElementById("picture") });
"""


def source(*names: str) -> str:
    """The files of a picture, one after the other.

    Args:
        *names: File names in `sciml/notebook/js`.

    Returns:
        Their text.
    """
    return "\n".join(files("sciml.notebook").joinpath("js", name).read_text(encoding="utf-8") for name in names)


def write_page(path: str | Path, title: str, script: str, style: str, held: dict[str, Any]) -> Path:
    """Write a page.

    Args:
        path: Where to, with suffix `.html`.
        title: Title of the page.
        script: JavaScript module that defines `render`.
        style: CSS.
        held: What the picture shows: values of its traits.

    Returns:
        The path.
    """
    data = json.dumps(held, allow_nan=False).replace("<", "\\u003c")
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f'<style>{style}</style></head>\n<body><div id="picture"></div>\n'
        f'<script type="application/json" id="held">{data}</script>\n'
        f'<script type="module">\n{script}\n{_START}</script></body></html>\n'
    )
    target = Path(path)
    target.write_text(text, encoding="utf-8")
    return target
