"""Stand-ins for traitlets and anywidget where the extra `notebook` is missing: values, checks and observers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class TraitError(Exception):
    """A value that a check refused."""


class Trait:
    """A value of an object, which can be checked and observed.

    Args:
        default: The value before one is set.
    """

    def __init__(self, default: Any = None) -> None:
        self.default, self.name = default, ""

    def tag(self, **_: Any) -> Trait:
        """Metadata tell widgets what to send; here nothing is sent."""
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember under which name."""
        self.name = name

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """The value."""
        return self if owner is None else owner.__dict__.get(self.name, self.default)

    def __set__(self, owner: Any, value: Any) -> None:
        """Check the value, keep it, and tell the observers if it is another one."""
        for part in vars(type(owner)).values():
            if self.name in getattr(part, "checked", ()):
                value = part(owner, {"trait": self, "value": value, "owner": owner})
        old = self.__get__(owner)
        owner.__dict__[self.name] = value
        if value != old:
            for call in owner.observers.get(self.name, ()):
                call({"name": self.name, "old": old, "new": value, "owner": owner, "type": "change"})


def Bool(default: bool = False) -> Any:
    """A truth value."""
    return Trait(default)


def Int(default: int = 0) -> Any:
    """An integer."""
    return Trait(default)


def Float(default: float = 0.0) -> Any:
    """A number."""
    return Trait(default)


def Unicode(default: str = "") -> Any:
    """A text."""
    return Trait(default)


def List(of: Any = None) -> Any:
    """A list, empty at first; replaced, not changed, when it is set."""
    return Trait([])


def Dict() -> Any:
    """A dictionary, empty at first; replaced, not changed, when it is set."""
    return Trait({})


def validate(*names: str) -> Any:
    """Mark a method as the check of some values."""

    def marked(method: Callable[..., Any]) -> Callable[..., Any]:
        method.checked = names  # type: ignore[attr-defined]
        return method

    return marked


class AnyWidget:
    """An object with traits that no page shows."""

    def __init__(self, **traits: Any) -> None:
        self.observers: dict[str, list[Callable[..., Any]]] = {}
        for name, value in traits.items():
            setattr(self, name, value)

    def observe(self, handler: Callable[..., Any], names: str | list[str]) -> None:
        """Call a function with {"name", "old", "new", "owner"} whenever one of the traits takes another value."""
        for name in [names] if isinstance(names, str) else names:
            self.observers.setdefault(name, []).append(handler)

    def on_msg(self, handler: Callable[..., Any]) -> None:
        """No page sends messages."""

    def send(self, content: Any, buffers: Any = None) -> None:
        """No page hears messages."""
