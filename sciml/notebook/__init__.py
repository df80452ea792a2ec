"""Interactive pictures for notebooks: linked influence maps, field viewer, training dashboard, families."""

from sciml.notebook.availability import pictures_available

__all__ = ["pictures_available"]
