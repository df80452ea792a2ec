"""Figure: a matplotlib figure that a notebook shows, also where pyplot was never imported."""

from __future__ import annotations

import io

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
