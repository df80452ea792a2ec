"""Names of faces and formulas after set operations."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sciml.errors import GeometryError
from sciml.geometry.base import Geometry

SIGNS = {"union": "|", "intersection": "&", "difference": "-"}
CUT = "cut"


def operation_text(operation: str, first: Geometry, second: Geometry) -> str:
    """The formula of a set operation.

    Args:
        operation: "union", "intersection" or "difference".
        first: First operand.
        second: Second operand.

    Returns:
        For instance `Rectangle(...) - Disk(...)`, nested operations in parentheses.
    """
    texts = [f"({shape!r})" if shape.to_dict()["kind"] in SIGNS else repr(shape) for shape in (first, second)]
    return f"{texts[0]} {SIGNS[operation]} {texts[1]}"


def subtracted_names(second: Geometry, from_first: AbstractSet[str], from_second: AbstractSet[str]) -> dict[str, str]:
    """Names that the faces of B get in A - B.

    B's names are kept. The sides of a plain interval, rectangle or box whose names clash with A's (its `left`
    would face the other way than A's) become one face `cut`, or `cut_2` and so on.

    Args:
        second: B.
        from_first: Names of A's faces that remain.
        from_second: Names of B's faces that remain.

    Returns:
        `{face of B: name in the result}`.

    Raises:
        GeometryError: If another shape's name clashes.
    """
    clash = sorted(from_first & from_second)
    if not clash:
        return {face: face for face in second.faces}
    if second._side_names == second.faces:
        number, name = 1, CUT
        while name in from_first:
            number, name = number + 1, f"{CUT}_{number + 1}"
        return dict.fromkeys(second.faces, name)
    raise GeometryError(
        "different names for the faces of A and B in A - B",
        f"both have {', '.join(clash)}",
        'name B: Disk(..., name="hole"), Polygon(..., name="hole") or B.rename("hole")',
    )
