"""Advice on a face that a geometry does not have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any


def face_advice(shape: Any, face: Any) -> str:
    """The name that was probably meant, or how faces get names.

    Args:
        shape: The geometry.
        face: The name that was given.

    Returns:
        What to do, in words.

    Example:
        >>> from sciml import Polygon, Rectangle, coordinates
        >>> x, y = coordinates("x y")
        >>> face_advice(Rectangle((x, 0, 1), (y, 0, 1)), "rihgt")
        "did you mean 'right'?"
        >>> face_advice(Polygon((x, y), [(0, 0), (4, 0), (0, 3)]), "bottom")[:75]
        'the edges of a polygon are named by Polygon(..., name=[...]), one name per '
    """
    near = get_close_matches(str(face), shape.faces, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if "Polygon(" in repr(shape):
        return (
            "the edges of a polygon are named by Polygon(..., name=[...]), one name per edge, edge i from vertex i "
            "to vertex i + 1; edges of equal name are one face"
        )
    return 'use its name; .rename({"old": "new"}) changes names'
