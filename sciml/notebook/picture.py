"""Picture: an interactive picture in a notebook, with a static figure where it cannot run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from sciml.notebook.page import source, write_page
from sciml.plotting.figure import Figure


class Picture(anywidget.AnyWidget):
    """An interactive picture: data, one JavaScript module, and a static figure for where it cannot run.

    Attributes:
        state: What the picture shows, as text and numbers.
    """

    state = traitlets.Dict().tag(sync=True)
    title: ClassVar[str] = "picture"
    exported: ClassVar[tuple[str, ...]] = ("state",)
    _css = source("style.css")

    def __init__(self, static: Callable[[], Figure], **traits: Any) -> None:
        super().__init__(**traits)
        self._static = static

    def figure(self) -> Figure:
        """The static figure that stands for the picture in a printed notebook or a preview."""
        return self._static()

    def html(self, path: str | Path) -> Path:
        """Write the picture as one HTML file that works without kernel and network.

        Args:
            path: Where to, with suffix `.html`.

        Returns:
            The path.
        """
        held = {name: getattr(self, name) for name in self.exported}
        held["state"] = {**held["state"], "can_group": False, "can_refit": False}
        return write_page(path, self.title, str(self._esm), str(self._css), held)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        made = super()._repr_mimebundle_(**options)
        if made is None:
            return None
        data, extra = made if isinstance(made, tuple) else (made, {})
        sheet = io.BytesIO()
        self.figure().savefig(sheet, format="png", dpi=90)
        return {**data, "image/png": sheet.getvalue()}, extra
