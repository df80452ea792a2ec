"""Figure: a matplotlib figure that a notebook shows, also where pyplot was never imported."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import figure

DPI = 90


class Figure(figure.Figure):
    """A matplotlib figure that draws itself as the last line of a notebook cell.

    Matplotlib teaches a notebook to show figures when pyplot is imported; the figures of this package are made
    without it, because it keeps global state.

    Example:
        >>> sheet = Figure(figsize=(2, 1)); _ = sheet.subplots().plot([0, 1])
        >>> sheet._repr_png_()[1:4]
        b'PNG'
    """

    def _repr_png_(self) -> bytes:
        sheet = io.BytesIO()
        self.savefig(sheet, format="png", dpi=DPI)
        return sheet.getvalue()


def colour_bar(sheet: figure.Figure, picture: Any, axis: Any, label: str, **style: Any) -> Any:
    """A colour bar as high as its map, also where equal scales make the map flat.

    Args:
        sheet: The figure.
        picture: What was drawn.
        axis: Where.
        label: Of the bar.
        style: For matplotlib's `colorbar`.

    Returns:
        The bar.
    """
    return sheet.colorbar(picture, cax=axis.inset_axes((1.03, 0.0, 0.045, 1.0)), label=label, **style)
