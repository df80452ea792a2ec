"""MarchedSolution: networks of consecutive slabs of time as one solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sciml.errors import CheckpointError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.points import PointSet
from sciml.record import RowMap, TrainingRecord
from sciml.solution import Solution
from solvers.pinn.packing import belonging, chosen
from solvers.pinn.slabs import slab_edges, slab_problem
from solvers.pinn.solution import PINNSolution


class MarchedSolution(Solution):
    """One network per slab of time; a time on an edge belongs to the earlier slab.

    Args:
        problem: The problem over all slabs.
        slabs: Their solutions, in order of time, slabs of equal length.
        status: In words.
        history: Series.
    """

    kind = "marched pinn"

    def __init__(
        self,
        problem: IBVP,
        slabs: Sequence[PINNSolution],
        status: str = "",
        history: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem, status, history)
        self.slabs = tuple(slabs)
        self._inner = np.array([slab.problem.bounds[-1][1] for slab in self.slabs[:-1]])
        self._record: TrainingRecord | None = None

    @property
    def record(self) -> TrainingRecord:
        """The objectives of all slabs as they were minimised: each with those before it held fixed.

        Parameters, points and rows follow each other slab by slab, the Jacobian is block diagonal, and terms are
        named "slab 1: pde". What an early slab hands on to later ones is not part of the objective: influences do
        not cross slabs.
        """
        if self._record is None:
            self._record = _joint_record([slab.record for slab in self.slabs], self._slab_of)
        return self._record

    @record.setter
    def record(self, value: TrainingRecord | None) -> None:
        self._record = value

    def _slab_of(self, times: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._inner, times, side="left")

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives, each point by the network of its slab.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        owner = self._slab_of(points[:, -1])
        values = np.zeros((len(points), len(needed)))
        for number in np.unique(owner):
            values[owner == number] = self.slabs[number].jets(points[owner == number], needed)
        return values

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """States of all slabs.

        Returns:
            JSON-able values and arrays.
        """
        return pack_slabs(self.slabs)

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> MarchedSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Returns:
            The solution.

        Raises:
            CheckpointError: If the parts do not belong together.
        """
        try:
            edges = slab_edges(problem, len(meta["slabs"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError("slabs of one problem", f"{type(error).__name__}: {error}", "") from error
        return cls(problem, unpack_slabs(problem, edges, meta, arrays))


def pack_slabs(slabs: Sequence[PINNSolution]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """States of solved slabs under the names "slabs" and "slab 0.", "slab 1.", ...

    Args:
        slabs: The solutions.

    Returns:
        JSON-able values and arrays.
    """
    states = [slab.state() for slab in slabs]
    arrays = {f"slab {i}.{name}": array for i, (_, own) in enumerate(states) for name, array in own.items()}
    return {"slabs": [meta for meta, _ in states], "statuses": [slab.status for slab in slabs]}, arrays


@belonging()
def unpack_slabs(
    problem: IBVP, edges: Sequence[Any], meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> list[PINNSolution]:
    """Solved slabs from `pack_slabs`, each with the final values of the one before as its initial data.

    Args:
        problem: The whole problem.
        edges: Times at which slabs begin and end.
        meta: JSON-able values.
        arrays: Arrays.

    Returns:
        The solutions.
    """
    slabs: list[PINNSolution] = []
    for number, own in enumerate(meta["slabs"]):
        piece = slab_problem(problem, edges, number, slabs[-1] if slabs else None)
        slabs.append(PINNSolution.from_state(piece, own, chosen(arrays, f"slab {number}")))
        slabs[-1].status = meta["statuses"][number]
    return slabs


def _joint_record(records: Sequence[TrainingRecord], slab_of: Any) -> TrainingRecord:
    sizes = [len(record.parameters) for record in records]

    def residual(theta: Tensor) -> Tensor:
        parts = zip(records, theta.split(sizes), strict=True)
        return torch.cat([record.rows.residual(part) for record, part in parts])

    def jacobian(theta: Tensor) -> tuple[Tensor, Tensor]:
        parts = zip(records, theta.split(sizes), strict=True)
        pairs = [record.rows.jacobian(part) for record, part in parts]
        return torch.cat([r for r, _ in pairs]), torch.block_diag(*[j for _, j in pairs])

    def quantity(theta: Tensor, where: Tensor, needed: Sequence[Jet]) -> Tensor:
        owner = torch.tensor(slab_of(where[:, -1].detach().numpy()))
        order = torch.argsort(owner, stable=True)
        parts = []
        for number, (record, part) in enumerate(zip(records, theta.split(sizes), strict=True)):
            mine = torch.nonzero(owner == number)[:, 0]
            if len(mine):
                assert record.quantity is not None
                parts.append(record.quantity(part, where[mine], needed))
        return torch.cat(parts)[torch.argsort(order, stable=True)] if parts else theta.new_zeros(0, len(needed))

    points = _renamed(records[0].points, 0, 0)
    ids, labels = [records[0].rows.ids], [_names(0, records[0].rows.labels)]
    for number, record in enumerate(records[1:], 1):
        shift = points.next_id
        points = points.merge(_renamed(record.points, number, shift))
        ids.append(record.rows.ids + shift)
        labels.append(_names(number, record.rows.labels))
    return TrainingRecord(
        parameters=torch.cat([record.parameters for record in records]),
        points=points,
        rows=RowMap(residual, jacobian, np.concatenate(ids), np.concatenate(labels)),
        weights=torch.cat([record.weights for record in records]),
        quantity=quantity,
    )


def _names(number: int, labels: np.ndarray) -> np.ndarray:
    return np.array([f"slab {number + 1}: {label}" for label in labels], dtype=object)


def _renamed(points: PointSet, number: int, shift: int) -> PointSet:
    terms = tuple(_names(number, np.array(points.terms, dtype=object)))
    return PointSet(
        points.coordinates, points.ids + shift, points.term, terms, points.weight, points.value,
        points.next_id + shift, points.term_kinds,
    )  # fmt: skip
