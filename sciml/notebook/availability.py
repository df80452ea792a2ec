"""Whether interactive pictures can be made here."""

from importlib.util import find_spec


def pictures_available() -> bool:
    """Whether anywidget and ipywidgets are installed (extra `notebook`).

    Returns:
        True where interactive pictures can be made; elsewhere static figures take their place.
    """
    return find_spec("anywidget") is not None and find_spec("ipywidgets") is not None
