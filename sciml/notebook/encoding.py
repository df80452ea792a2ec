"""Encoding: arrays and colour tables as text that a page can read."""

from __future__ import annotations

import base64
from typing import Any

import matplotlib
import numpy as np

from sciml.plotting.fields import DIFFERENCE_COLOURS, FIELD_COLOURS


def encoded(values: Any, kind: str = "<f4") -> str:
    """An array as base64 of its little-endian bytes in C order.

    Args:
        values: The array.
        kind: NumPy type of the stored numbers.

    Returns:
        The text.
    """
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


def colour_tables() -> dict[str, str]:
    """The colour maps of the static figures as tables of 256 colours.

    Returns:
        "field" and "difference", (256, 3) bytes each, encoded.
    """
    steps = np.arange(256)
    names = {"field": FIELD_COLOURS, "difference": DIFFERENCE_COLOURS}
    return {key: encoded(matplotlib.colormaps[name](steps, bytes=True)[:, :3], "u1") for key, name in names.items()}
