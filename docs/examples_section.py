"""Docstring sections named "Example" are read like "Examples", so that doctests become code blocks."""

import re
from typing import Any

import griffe


class ExamplesSection(griffe.Extension):
    """Renames the section while a docstring is loaded."""

    def on_instance(self, *, obj: griffe.Object, **options: Any) -> None:
        """Called for every object."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
