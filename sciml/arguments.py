"""Arguments of public calls: missing or misspelt names, and numbers that are none, as errors that say how to fix it."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from sciml.errors import ArgumentsError, ScimlError, SolverError

Target = TypeVar("Target", bound=Callable[..., Any])
_LONGEST_NAME = 200  # file systems take 255 bytes, and suffixes are added


def explained(example: str) -> Callable[[Target], Target]:
    """Decorator of a function or class: a call with missing or unknown arguments says what was expected.

    It adds one frame: warnings of the function itself need `stacklevel=3` to point at its caller.

    Args:
        example: A call that works.

    Returns:
        The decorator; it changes nothing else.

    Example:
        >>> @explained("area(width=2, height=3)")
        ... def area(width, height):
        ...     return width * height
        >>> area(2, heigth=3)
        Traceback (most recent call last):
        sciml.errors.ArgumentsError: expected: area(width, height)
          given: got an unexpected keyword argument 'heigth'
          fix: did you mean height? For instance area(width=2, height=3)
    """

    def decorate(target: Target) -> Target:
        if inspect.isclass(target):
            target.__init__ = _guarded(target.__init__, target.__name__, example, True)  # type: ignore[method-assign]
            return target
        return cast(Target, _guarded(target, getattr(target, "__name__", "call"), example, False))

    return decorate


def _guarded(function: Callable[..., Any], name: str, example: str, method: bool) -> Callable[..., Any]:
    signature = inspect.signature(function)
    names = [parameter for parameter in signature.parameters][int(method) :]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        try:
            signature.bind(*given, **named)
        except TypeError as error:
            strange = [] if takes_any else [word for word in named if word not in names]
            near = [match for word in strange for match in difflib.get_close_matches(word, names, 1)]
            fix = f"did you mean {', '.join(near)}? For instance {example}" if near else f"for instance {example}"
            # a misspelt name may leave a required one missing: which of both `bind` tells depends on the Python
            fault = f"got an unexpected keyword argument {strange[0]!r}" if strange else str(error)
            raise ArgumentsError(f"{name}({', '.join(names)})", fault, fix) from None
        return function(*given, **named)

    return call


def require_number(
    value: Any,
    name: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    whole: bool = False,
    optional: bool = False,
    fix: str = "",
    error: type[ScimlError] = SolverError,
) -> None:
    """Refuse what is no finite number within limits: words, booleans, NaN, arrays, fractions of whole numbers.

    Args:
        value: What was given.
        name: Name of the argument.
        least: Smallest allowed.
        above: Must be larger.
        most: Largest allowed.
        whole: Whether it must be a whole number.
        optional: Whether None is allowed.
        fix: A call that works.
        error: Kind of error.

    Raises:
        ScimlError: Of the kind asked for.
    """
    if optional and value is None:
        return
    fine = isinstance(value, Integral if whole else Real) and not isinstance(value, (bool, np.bool_))
    if fine:
        fine = math.isfinite(value) and not (
            (least is not None and value < least)
            or (above is not None and value <= above)
            or (most is not None and value > most)
        )
    if not fine:
        limits = [f"> {above}" if above is not None else "", f">= {least}" if least is not None else "",
                  f"<= {most}" if most is not None else ""]  # fmt: skip
        kind = "a whole number" if whole else "a number"
        wanted = " and ".join(part for part in limits if part)
        expected = f"{name}: {kind}{f' {wanted}' if wanted else ''}{', or None' if optional else ''}"
        raise error(expected, repr(value)[:80], fix)


def require_path(path: Any, error: type[ScimlError]) -> Path:
    """A path from text or a path object.

    Args:
        path: What was given.
        error: Kind of error.

    Returns:
        The path.

    Raises:
        ScimlError: Of the kind asked for, if it is neither.
    """
    try:
        made = Path(path)
        if "\0" not in str(made) and len(made.name) <= _LONGEST_NAME:
            return made
    except TypeError:
        pass
    expected = f"a path, whose last part has at most {_LONGEST_NAME} characters"
    raise error(expected, f"{type(path).__name__}: {path!r}"[:80], '"results/heat"') from None


def real_array(values: Any, expected: str, error: type[ScimlError]) -> np.ndarray:
    """Numbers as float64; words, ragged lists and complex numbers are refused.

    Args:
        values: NumPy array or nested lists.
        expected: What is wanted, for the message.
        error: Kind of error.

    Returns:
        The array.

    Raises:
        ScimlError: Of the kind asked for.
    """
    try:
        array = np.asarray(values)
        if np.ma.is_masked(values):
            fault = "masked entries would count as values: drop their rows"
        elif values is not None and not np.iscomplexobj(array):
            return array.astype(np.float64, copy=False)
        else:
            fault = "nothing and complex numbers are no real ones"
    except (TypeError, ValueError) as raised:
        fault = str(raised).split(". ")[0]
    raise error(expected, f"{type(values).__name__} {values!r}"[:100], fault)
