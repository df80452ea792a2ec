"""Checks of a user's own module: its sizes, its number type, and that a row depends on its own point alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.networks.staged import StagedNetwork

_PLAIN = "no dropout, noise, batch statistics, counters or means over points inside; model.eval() where layers do that"


def check_module(model: nn.Module, points: Tensor, coordinates: Sequence[Any], fields: int) -> None:
    """Refuse a module that is no function from one point to the fields there.

    Residuals are differentiated point by point, so that a value may depend neither on chance nor on the other points
    of the same call, as it does with dropout or batch normalisation.

    Args:
        model: The module.
        points: A few different points, (n, d), float64, n > 1.
        coordinates: Names of the columns, for the message.
        fields: Number of columns of its values.

    Raises:
        SolverError: If sizes or number type are others, or two calls or other companions change a value.

    Example:
        >>> points = torch.rand(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> check_module(nn.Linear(2, 1, dtype=torch.float64), points, ("x", "t"), 1)
        >>> noisy = nn.Sequential(nn.Linear(2, 64, dtype=torch.float64), nn.Dropout(0.5))
        >>> try:
        ...     check_module(noisy, points, ("x", "t"), 64)
        ... except SolverError as error:
        ...     print(error.given)
        Sequential, of which two calls differ
    """
    names = ", ".join(map(str, coordinates))
    wanted = f"a module from points with {points.shape[1]} columns ({names}) to values of shape (n, {fields})"
    points = points.to(next((p.dtype for p in model.parameters()), points.dtype))
    try:
        with torch.no_grad():
            values, again = model(points), model(points)
    except (RuntimeError, IndexError, ValueError) as error:
        raise SolverError(wanted, f"{type(error).__name__}: {error}", "change the sizes of its layers") from error
    if not isinstance(values, Tensor) or values.shape != (len(points), fields):
        given = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise SolverError(wanted, f"{given} from {len(points)} points", "change the sizes of its layers")
    if values.is_complex() or not values.is_floating_point():
        raise SolverError("a module with real values", f"{values.dtype}", "return the real part")
    if not isinstance(model, StagedNetwork):  # whose rows are apart by construction, however they cancel
        _check_rows(model, points, values, again)


def _check_rows(model: nn.Module, points: Tensor, values: Tensor, again: Tensor) -> None:
    name = type(model).__name__
    expected = "a module whose value at a point depends on that point alone"
    if not _equal(values, again):
        raise SolverError(expected, f"{name}, of which two calls differ", _PLAIN)
    try:
        with torch.no_grad():
            alone = torch.cat([model(point[None]) for point in points])
    except (RuntimeError, IndexError, ValueError) as error:
        raise SolverError(expected, f"{name} called with one point: {error}", _PLAIN) from error
    if not _equal(values, alone):
        raise SolverError(expected, f"{name}, whose values change with the other points of a call", _PLAIN)


def _equal(one: Tensor, other: Tensor) -> bool:
    """Equal but for sums in another order, also where terms of 1e8 times the size cancel."""
    size, share = float(one.abs().nan_to_num(0.0, 0.0, 0.0).max()), 100 * torch.finfo(one.dtype).eps ** 0.5
    return one.shape == other.shape and torch.allclose(one, other, rtol=share, atol=share * size, equal_nan=True)
