"""PINNSolution: a trained network as a solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import nn

from sciml.errors import CheckpointError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.networks import network_from_config
from sciml.points import PointSet
from sciml.record import TrainingRecord
from sciml.recording import record_of
from sciml.residuals import HardConstraint, choose_engine, hard_constraint
from sciml.solution import Solution
from solvers.pinn.gauge import gauged
from solvers.pinn.packing import chosen, pack_points, unpack_points
from solvers.pinn.uncertainty import standard_deviation

_CHUNK = 4096


class PINNSolution(Solution):
    """A trained network u = G + φN (or u = N) with the objective that it minimises.

    Args:
        problem: The problem.
        model: The network N.
        constraint: Hard constraint, or None.
        points: Points of the final objective.
        scale: λ by component name.
        coefficients: Values of the unknown coefficients.
        status: In words.
        history: Series.
    """

    kind = "pinn"

    def __init__(
        self,
        problem: IBVP,
        model: nn.Module,
        constraint: HardConstraint | None,
        points: PointSet,
        scale: Mapping[str, float],
        coefficients: Mapping[sp.Symbol, float],
        status: str = "",
        history: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem, status, history)
        self.model, self.constraint, self.points, self.scale = model, constraint, points, dict(scale)
        self.coefficients = dict(coefficients)
        self._record: TrainingRecord | None = None

    @property
    def record(self) -> TrainingRecord:
        """The objective exactly as it was minimised, on the final points; built when first asked for."""
        if self._record is None:
            problem = gauged(self.problem)
            self._record = record_of(problem, self.model, self.points, self.scale, self.constraint, self.coefficients)
        return self._record

    @record.setter
    def record(self, value: TrainingRecord | None) -> None:
        self._record = value

    def __getstate__(self) -> dict[str, Any]:
        """For copies and other processes: without the record, which is built again from the rest."""
        return {**vars(self), "_record": None}

    def unknown_values(self) -> dict[sp.Symbol, float]:
        """Estimated unknown coefficients."""
        return dict(self.coefficients)

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives of the network, through the hard constraint.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        engine = choose_engine(self.model)
        blocks = [np.zeros((0, len(needed)))]
        for start in range(0, len(points), _CHUNK):
            piece = points[start : start + _CHUNK]
            where = torch.tensor(piece)
            if self.constraint is None:
                values = engine.jets(self.model, where, needed, False)
            else:
                inner = engine.jets(self.model, where, self.constraint.network_jets(needed), False)
                values = self.constraint.apply(self.constraint.prepare(piece, needed), inner)
            blocks.append(values.detach().numpy())
        return np.concatenate(blocks)

    def std(self, expression: sp.Expr, points: Any = None, noise: Mapping[str, float] | None = None) -> np.ndarray:
        """Standard deviation by Laplace's approximation (see `solvers.pinn.uncertainty`).

        Args:
            expression: A field, a derivative, an unknown coefficient, or any expression of them.
            points: (n, d); not needed for coefficients.
            noise: σ by name of observations; those of the `Observations` where omitted, else estimated from residuals.

        Returns:
            (n,), or (1,) without points.
        """
        if points is None:
            points = self.points.coordinates[:1]
        self.derivative(expression, points)  # says what is wrong with the expression or the points
        return standard_deviation(self.problem, self.record, expression, self.check_points(points), noise)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Configuration and parameters of the network, points and weights of the objective.

        Returns:
            JSON-able values and arrays.

        Raises:
            CheckpointError: If the network is a module of the user's own.
        """
        config = getattr(self.model, "config", None)
        if config is None:
            raise CheckpointError(
                "a network of this package",
                type(self.model).__name__,
                "save solution.model.state_dict() yourself; files never hold code",
            )
        arrays = {f"network.{name}": value.detach().cpu().numpy() for name, value in self.model.state_dict().items()}
        named, columns = pack_points(self.points)
        arrays |= {f"points.{name}": column for name, column in columns.items()}
        meta = {
            "network": config(),
            "satisfied": sorted(self.constraint.satisfied) if self.constraint else [],
            "scale": self.scale,
            "coefficients": [float(self.coefficients[symbol]).hex() for symbol in self.problem.unknowns],
            **named,
        }
        return meta, arrays

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> PINNSolution:
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
            return cls._rebuilt(problem, meta, arrays)
        except CheckpointError:
            raise
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError("a saved PINN", f"{type(error).__name__}: {error}", "the file is damaged") from error

    @classmethod
    def _rebuilt(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> PINNSolution:
        prefix = "network."
        stored = sum(array.size for name, array in arrays.items() if name.startswith(prefix))
        model = network_from_config(meta["network"], stored)
        model.load_state_dict({
            k.removeprefix(prefix): torch.tensor(v) for k, v in arrays.items() if k.startswith(prefix)
        })
        constraint = None
        for trimmed in (False, True) if meta["satisfied"] else ():
            if constraint is None or sorted(constraint.satisfied) != meta["satisfied"]:
                constraint = hard_constraint(problem, trimmed=trimmed)
        if sorted(constraint.satisfied if constraint else []) != meta["satisfied"]:
            raise CheckpointError("the hard constraint that was trained", str(meta["satisfied"]), "another version?")
        points = unpack_points(meta, chosen(arrays, "points"))
        values = [float.fromhex(text) for text in meta["coefficients"]]
        return cls(problem, model, constraint, points, meta["scale"], dict(zip(problem.unknowns, values, strict=True)))
