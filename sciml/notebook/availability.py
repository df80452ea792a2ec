"""Whether interactive pictures can be made here."""

from importlib.util import find_spec

from sciml.errors import MissingExtraError


def pictures_available() -> bool:
    """Whether anywidget and ipywidgets are installed (extra `notebook`).

    Returns:
        True where interactive pictures can be made; elsewhere static figures take their place.
    """
    return find_spec("anywidget") is not None and find_spec("ipywidgets") is not None


def need_pictures() -> None:
    """Refuse where the extra is missing.

    Raises:
        MissingExtraError: With the command that installs it.
    """
    if not pictures_available():
        raise MissingExtraError("anywidget and ipywidgets", "not installed", 'pip install "sciml[notebook]"')
