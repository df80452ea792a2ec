"""Picture: an interactive picture in a notebook, with a static figure where it cannot run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sciml.notebook.availability import pictures_available
from sciml.notebook.page import source, write_page
from sciml.plotting.figure import DPI, Figure

if TYPE_CHECKING or pictures_available():
    import traitlets
    from anywidget import AnyWidget
else:
    from sciml.notebook import stand_ins as traitlets
    from sciml.notebook.stand_ins import AnyWidget

HINT = 'static figure; for the interactive one: pip install "sciml[notebook]"'


class Picture(AnyWidget):
    """An interactive picture: data, one JavaScript module, and a static figure for where it cannot run.

    Without the extra `notebook` a notebook shows the static figure, which names the extra; everything else works,
    also the exported page.

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
        held["state"] = {**held["state"], "can_group": False, "can_refit": False, "can_stop": False}
        return write_page(path, self.title, str(self._esm), str(self._css), held)

    def __repr__(self) -> str:
        """What it is; where the extra is missing, how to get the interactive one."""
        text = f"{type(self).__name__}({self.state.get('title', self.title)})"
        return text if pictures_available() else f"{text}: {HINT}; see also .figure() and .html(path)"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        figure, sheet = self.figure(), io.BytesIO()
        if not pictures_available():
            figure.text(0.0, -0.01, HINT, va="top", fontsize="small")
            figure.savefig(sheet, format="png", dpi=DPI, bbox_inches="tight")
            return {"image/png": sheet.getvalue(), "text/plain": repr(self)}, {}
        made = super()._repr_mimebundle_(**options)
        if made is None:
            return None
        data, extra = made if isinstance(made, tuple) else (made, {})
        figure.savefig(sheet, format="png", dpi=DPI)
        return {**data, "image/png": sheet.getvalue()}, extra
