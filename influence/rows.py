"""RowBlock: residual rows of a user's own loop, and the training record made of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import jacrev, vmap

from sciml.arguments import real_array
from sciml.errors import PointsError, SolverError, SolverWarning
from sciml.point_set import PointSet
from sciml.record import RowMap, TrainingRecord
from sciml.terms import Term

PointFunction = Callable[[Tensor, Tensor], Tensor]
_CHUNK_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Rows of one term: r(θ, point) for every point.

    Args:
        name: Name of the term.
        points: (n, d) NumPy or torch; columns beyond the coordinates carry data.
        residual: (θ (P,), point (d,)) -> () or (m,), composable with `torch.func`.
        weight: w_i of Σ w_i r_i²: a number, (n,), or (n, m).
        ids: Point IDs (n,); equal ids in different blocks are one point. Numbered when None.

    Raises:
        PointsError: If shapes disagree or numbers are not finite.
        SolverError: If the residual is no function.
    """

    name: str
    points: Any
    residual: PointFunction
    weight: Any = 1.0
    ids: Any = None

    def __post_init__(self) -> None:
        """Turn everything into arrays.

        Raises:
            PointsError: If shapes disagree or numbers are not finite.
            SolverError: If the residual is no function.
        """
        if not callable(self.residual):
            given = f"{type(self.residual).__name__} as residual of {self.name!r}"
            raise SolverError("a function residual(theta, point)", given, "RowBlock(name, points, residual, weight)")
        points = _numbers(self.points)
        points = points[:, None] if points.ndim == 1 else points
        ids = None if self.ids is None else np.asarray(self.ids)
        if points.ndim != 2 or not len(points) or not np.isfinite(points).all():
            raise PointsError(f"points (n, d) of block {self.name!r}, finite", f"shape {points.shape}", "")
        whole = ids is None or (ids.shape == (len(points),) and ids.dtype.kind in "iu")
        if not whole or (ids is not None and len(np.unique(ids)) < len(ids)):
            raise PointsError(f"{len(points)} different whole numbers as ids of {self.name!r}", repr(self.ids)[:80], "")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "ids", ids)


def _numbers(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return real_array(values, "numbers", PointsError)


class _ModuleBlock:
    """A block whose residual takes (θ, points) at once and brings its Jacobian with it."""

    def __init__(self, name: str, residual: Any, points: np.ndarray, theta: Tensor) -> None:
        self.name, self.function, self.points = name, residual, torch.tensor(points)
        self.components = residual(theta, self.points[:1]).shape[1]
        self.labels = [name] if self.components == 1 else [f"{name}[{c}]" for c in range(self.components)]

    def values(self, theta: Tensor) -> Tensor:
        """Residuals, (n · m,)."""
        return self.function(theta, self.points).reshape(-1)

    def jacobian(self, theta: Tensor) -> Tensor:
        """Jacobian, (n · m, P)."""
        return self.function.jacobian(theta, self.points)[1].reshape(-1, len(theta))


class _Block:
    """A block evaluated at points: residuals and Jacobian, batched by `vmap` where the residual allows it."""

    def __init__(self, name: str, residual: PointFunction, points: np.ndarray, theta: Tensor) -> None:
        self.name, self.function, self.points = name, residual, torch.tensor(points)
        first = residual(theta, self.points[0])
        if not isinstance(first, Tensor) or first.ndim > 1:
            given = f"shape {tuple(first.shape)}" if isinstance(first, Tensor) else type(first).__name__
            raise SolverError(f"a residual of shape () or (m,) in block {name!r}", given, "residual(theta, point)")
        self.components = 1 if first.ndim == 0 else len(first)
        self.labels = [name] if self.components == 1 else [f"{name}[{c}]" for c in range(self.components)]
        self._batched = True

    def _mapped(self, function: PointFunction, theta: Tensor, chunk: int | None) -> Tensor:
        if self._batched:
            try:
                return vmap(function, in_dims=(None, 0), chunk_size=chunk)(theta, self.points)
            except RuntimeError as error:
                if "random" in str(error):
                    given = f"random numbers inside the residual of {self.name!r}"
                    fix = "draw the noise once, outside the residual"
                    raise SolverError("a residual that is the same at every evaluation", given, fix) from None
                self._batched = False
                warnings.warn(
                    f"the residual of {self.name!r} cannot be batched ({str(error).splitlines()[0]}): evaluated point "
                    "by point, which is slow",
                    SolverWarning,
                    stacklevel=2,
                )
        return torch.stack([function(theta, point) for point in self.points])

    def values(self, theta: Tensor) -> Tensor:
        """Residuals, (n · m,)."""
        return self._mapped(lambda t, z: self.function(t, z).reshape(-1), theta, None).reshape(-1)

    def jacobian(self, theta: Tensor) -> Tensor:
        """Jacobian, (n · m, P)."""
        chunk = max(1, _CHUNK_BYTES // (8 * len(theta) * self.components * 4))
        rows = self._mapped(jacrev(lambda t, z: self.function(t, z).reshape(-1)), theta, chunk)
        return rows.reshape(-1, len(theta)).detach()


def _block(name: str, residual: Any, points: np.ndarray, theta: Tensor) -> _Block | _ModuleBlock:
    return (_ModuleBlock if hasattr(residual, "jacobian") else _Block)(name, residual, points, theta)


def record_of_blocks(theta: Any, blocks: Sequence[RowBlock], regularisation: Any, reference: Any) -> TrainingRecord:
    """The objective Σ w r² + (λ/2)|θ - θ_ref|² of a user's own loop.

    Args:
        theta: Final parameters, flat, float64.
        blocks: The rows.
        regularisation: λ, a number or (P,).
        reference: θ_ref, a number or (P,).

    Returns:
        The record.

    Raises:
        SolverError: If names repeat, nothing is given, or θ is no flat float64 vector.
    """
    if not isinstance(theta, Tensor):
        theta = torch.as_tensor(real_array(theta, "parameters θ (P,)", SolverError))
    theta = theta.detach().clone()
    strange = [type(block).__name__ for block in blocks if not isinstance(block, RowBlock)]
    if strange:
        raise SolverError("blocks of rows", ", ".join(strange), "[RowBlock(name, points, residual, weight)]")
    names = [block.name for block in blocks]
    if not blocks or len(set(names)) < len(names) or theta.ndim != 1 or not len(theta):
        raise SolverError(
            "a flat θ and blocks of different names", f"θ {tuple(theta.shape)}, blocks {names}", "[RowBlock(...)]"
        )
    if theta.dtype != torch.float64:
        warnings.warn(f"parameters in {theta.dtype} are converted to float64", SolverWarning, stacklevel=3)
        theta = theta.double()
    points = _point_set(blocks)
    functions = {block.name: block.residual for block in blocks}
    home = {block.name: (points.ids_of(block.name), block.points) for block in blocks}
    rows, evaluated = _row_map(functions, points, home, theta)
    weights = []
    for block, made in zip(blocks, evaluated, strict=True):
        weight = torch.tensor(_numbers(block.weight))
        shape = (len(block.points), made.components)
        if weight.ndim == 1:
            weight = weight[:, None]
        try:
            weights.append(weight.expand(shape).reshape(-1))
        except RuntimeError:
            given = tuple(np.shape(block.weight))
            raise SolverError(f"weights of {block.name!r}: a number, (n,) or {shape}", f"{given}", "") from None
    weight = torch.cat(weights)
    if not bool(torch.isfinite(weight).all()) or bool((weight < 0).any()):
        raise SolverError("finite weights, 0 or more", f"min {float(weight.min())}", "the w of Σ w r²")
    penalty, centre = (torch.tensor(_numbers(value)) for value in (regularisation, reference))
    for name, part in (("regularisation", penalty), ("reference", centre)):
        if part.shape not in {(), (1,), theta.shape}:
            raise SolverError(f"{name}: a number or one per parameter, ({len(theta)},)", f"{tuple(part.shape)}", "")
    return TrainingRecord(theta, points, rows, weight, penalty, centre)


def _point_set(blocks: Sequence[RowBlock]) -> PointSet:
    """Points of all blocks; coordinates are the leading columns on which blocks agree wherever they share an ID."""
    start = max([0, *(int(block.ids.max()) + 1 for block in blocks if block.ids is not None)])
    ids = []
    for block in blocks:
        ids.append(block.ids if block.ids is not None else np.arange(start, start + len(block.points)))
        start += len(block.points) if block.ids is None else 0
    width = _common_columns(blocks, ids)
    return PointSet(
        np.concatenate([block.points[:, :width] for block in blocks]),
        np.concatenate(ids),
        np.repeat(np.arange(len(blocks)), [len(block.points) for block in blocks]),
        tuple(block.name for block in blocks),
        term_kinds=("interior",) * len(blocks),
    )


def _common_columns(blocks: Sequence[RowBlock], ids: Sequence[np.ndarray]) -> int:
    """Number of leading columns that are coordinates rather than data of one block."""
    width = min(block.points.shape[1] for block in blocks)
    seen: dict[int, np.ndarray] = {}
    for block, own in zip(blocks, ids, strict=True):
        for identity, point in zip(own.tolist(), block.points, strict=True):
            other = seen.setdefault(identity, point)
            unequal = np.flatnonzero(other[:width] != point[:width])
            width = int(unequal[0]) if len(unequal) else width
            if width == 0:
                raise PointsError("one place for each id", f"id {identity} at two places", "coordinates come first")
    return width


def _row_map(
    functions: dict[str, PointFunction], points: PointSet, home: dict[str, tuple[np.ndarray, np.ndarray]], theta: Tensor
) -> tuple[RowMap, list[_Block | _ModuleBlock]]:
    """Rows of points; `home` holds IDs and full columns of every block, from which data columns are taken."""
    present = [name for name in points.terms if points.mask(name).any()]
    blocks = [_block(name, functions[name], _filled(points.of(name), *home[name]), theta) for name in present]

    def at(other: PointSet, terms: Sequence[Term] | None = None) -> RowMap:
        return _row_map(functions, other, home, theta)[0]

    def jacobian(theta: Tensor) -> tuple[Tensor, Tensor]:
        values = [block.values(theta).detach() for block in blocks]
        return torch.cat(values), torch.cat([block.jacobian(theta) for block in blocks])

    ids = [np.repeat(points.ids_of(name), block.components) for name, block in zip(present, blocks, strict=True)]
    labels = [np.tile(np.array(block.labels, dtype=object), len(block.points)) for block in blocks]
    return RowMap(
        residual=lambda t: torch.cat([block.values(t) for block in blocks]),
        jacobian=jacobian,
        ids=np.concatenate(ids),
        labels=np.concatenate(labels),
        at=at,
        again=(_rows_again, (functions, points, home, theta)),
    ), blocks


def _rows_again(*arguments: Any) -> RowMap:
    return _row_map(*arguments)[0]


def _filled(points: PointSet, ids: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Coordinates of points followed by the data columns of their block."""
    data = full[:, points.coordinates.shape[1] :]
    if not data.shape[1]:
        return points.coordinates
    row = {identity: i for i, identity in enumerate(ids.tolist())}
    if any(identity not in row for identity in points.ids.tolist()):
        raise SolverError(
            "blocks whose columns are all coordinates, to add new points",
            f"{data.shape[1]} data column(s) that are known for the block's own points only",
            "give the data as a function of the coordinates inside the residual",
        )
    return np.column_stack([points.coordinates, data[[row[identity] for identity in points.ids.tolist()]]])
