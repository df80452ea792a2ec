"""The state of a training as JSON-able values and arrays, and back: bit by bit, memory order included."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sciml.errors import CheckpointError, NotSymbolicError
from sciml.points import PointSet
from solvers.pinn.monitor import History
from solvers.pinn.training import Training, TrainingState

Tables = tuple[dict[str, Any], dict[str, np.ndarray]]
_COLUMNS = ("coordinates", "ids", "term", "weight", "value")
_COUNTERS = ("phase", "step", "phase_step", "stuck")


@contextlib.contextmanager
def belonging() -> Generator[None, None, None]:
    """Turn whatever fails while a checkpoint is read into a CheckpointError: a file may hold anything.

    Yields:
        Nothing.

    Raises:
        CheckpointError: If the content does not belong to the training.
        NotSymbolicError: If the problem needs a Python function, which files never hold.
    """
    try:
        yield
    except (CheckpointError, NotSymbolicError):
        raise
    except Exception as error:
        given, fix = f"{type(error).__name__}: {error}", "use the settings and version that wrote it"
        raise CheckpointError("the state of this training", given, fix) from error


def pack_points(points: PointSet) -> Tables:
    """A point set.

    Args:
        points: The points.

    Returns:
        Names and counters, and one array per column.
    """
    meta = {"terms": list(points.terms), "term_kinds": list(points.term_kinds), "next_id": points.next_id}
    return meta, {name: getattr(points, name) for name in _COLUMNS}


def unpack_points(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PointSet:
    """A point set from `pack_points`."""
    coordinates, ids, term, weight, value = (arrays[name].copy() for name in _COLUMNS)
    terms, kinds = tuple(meta["terms"]), tuple(meta["term_kinds"])
    return PointSet(coordinates, ids, term, terms, weight, value, int(meta["next_id"]), kinds)


def pack_values(values: Mapping[str, Any]) -> Tables:
    """Numbers, texts, tensors, arrays and random generators by name.

    Sums depend on the order in which memory is read, so matrices stored by columns come back by columns.

    Args:
        values: What to pack.

    Returns:
        JSON-able values and arrays.

    Raises:
        CheckpointError: If a value is of another kind.

    Example:
        >>> import torch
        >>> content, arrays = pack_values({"count": 3, "matrix": torch.ones(2, 3).T})
        >>> content["numbers"], unpack_values(content, arrays)["matrix"].stride()
        ({'count': 3}, (1, 3))
    """
    numbers: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in values.items():
        if isinstance(value, Tensor):
            turned = value.ndim == 2 and not value.is_contiguous() and value.T.is_contiguous()
            kinds[name] = "tensor by columns" if turned else "tensor"
            arrays[name] = np.ascontiguousarray((value.T if turned else value).detach().cpu().numpy())
        elif isinstance(value, np.ndarray):
            kinds[name], arrays[name] = "array", np.ascontiguousarray(value)
        elif isinstance(value, np.random.Generator):
            kinds[name], numbers[name] = "generator", value.bit_generator.state
        elif value is None or isinstance(value, (bool, int, float, str)):
            numbers[name] = value
        else:
            raise CheckpointError(
                "state of numbers, texts, tensors, arrays and NumPy generators",
                f"{name}: {type(value).__name__}",
                "give the object state() and load_state() methods",
            )
    return {"numbers": numbers, "kinds": kinds}, arrays


def unpack_values(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Values from `pack_values`.

    Args:
        content: JSON-able values.
        arrays: Arrays.

    Returns:
        The values by name.
    """
    values = dict(content["numbers"])
    for name, kind in content["kinds"].items():
        if kind == "generator":
            state = values[name]
            bits = getattr(
                np.random, {"PCG64": "PCG64", "MT19937": "MT19937", "Philox": "Philox"}[state["bit_generator"]]
            )
            values[name] = np.random.Generator(bits())
            values[name].bit_generator.state = state
        else:
            array = arrays[name].copy()
            values[name] = array if kind == "array" else torch.tensor(array)
            if kind == "tensor by columns":
                values[name] = values[name].T
    return values


def pack_state(state: TrainingState) -> Tables:
    """Iterates, points, counters and history."""
    content = {name: getattr(state, name) for name in (*_COUNTERS, "best_held_out", "used", "best_scale")}
    arrays = {"theta": state.theta.cpu().numpy(), "best": state.best.cpu().numpy()}
    for name in ("points", "best_points"):
        content[name], columns = pack_points(getattr(state, name))
        arrays |= {f"{name}.{column}": array for column, array in columns.items()}
    content["history"] = list(state.history.series)
    arrays |= {f"history.{i}": np.array(series, dtype=float) for i, series in enumerate(state.history.series.values())}
    return content, arrays


def unpack_state(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray], state: TrainingState) -> None:
    """Overwrite a fresh state by a packed one.

    Args:
        content: JSON-able values.
        arrays: Arrays.
        state: A state of the same training.

    Raises:
        CheckpointError: If the number of parameters differs.
    """
    theta, best = (torch.tensor(arrays[name], device=state.theta.device) for name in ("theta", "best"))
    if theta.shape != state.theta.shape or best.shape != state.theta.shape:
        raise CheckpointError(
            f"{len(state.theta)} parameters", f"{len(theta)}", "resume with the network that was saved"
        )
    state.theta, state.best = theta, best
    for name in _COUNTERS:
        setattr(state, name, int(content[name]))
    state.best_held_out, state.used = float(content["best_held_out"]), float(content["used"])
    state.best_scale = {name: float(value) for name, value in content["best_scale"].items()}
    for name in ("points", "best_points"):
        setattr(state, name, unpack_points(content[name], chosen(arrays, name)))
    state.history = History({name: arrays[f"history.{i}"].tolist() for i, name in enumerate(content["history"])})


def pack_training(training: Training, state: TrainingState, earlier: Sequence[tuple[TrainingState, str]]) -> Tables:
    """A running training and the attempts before it.

    Args:
        training: The training, between two steps.
        state: Its state.
        earlier: States and reasons of attempts that have ended.

    Returns:
        JSON-able values and arrays.
    """
    packed: dict[str, Tables] = {"state": pack_state(state), "weighting": pack_values(training.weighting.state())}
    packed["scale"] = pack_values(training.scale)
    packed["resampler"] = pack_values(resampler_state(training.resampler))
    for i, phase in enumerate(training.phases):
        packed[f"optimiser {i}"] = pack_values(phase.optimiser.state())
    for i, (ended, _) in enumerate(earlier):
        packed[f"earlier {i}"] = pack_state(ended)
    content: dict[str, Any] = {name: part for name, (part, _) in packed.items()}
    content["reasons"] = [str(reason) for _, reason in earlier]
    arrays = {f"{name}.{key}": array for name, (_, tables) in packed.items() for key, array in tables.items()}
    return {"training": content}, arrays


@dataclasses.dataclass(frozen=True)
class Restored:
    """What a checkpoint holds.

    Attributes:
        content: JSON-able values.
        arrays: Arrays.
    """

    content: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    @belonging()
    def attempt(self) -> int:
        """Number of the attempt that was running."""
        return len(self.content["training"]["reasons"])

    @property
    @belonging()
    def plans(self) -> list[Any]:
        """Plans of its attempts that were the ladder's own; they come before all others."""
        return list(self.content["training"].get("plans", ()))

    @property
    @belonging()
    def step(self) -> int:
        """Steps done in it."""
        return int(self.content["training"]["state"]["step"])

    @property
    @belonging()
    def used(self) -> float:
        """CPU seconds used."""
        return float(self.content["training"]["state"]["used"])

    @belonging()
    def earlier(self, number: int, state: TrainingState) -> tuple[TrainingState, str]:
        """State and reason of an attempt that has ended.

        Args:
            number: Its number.
            state: A fresh state of the same size, which is overwritten.

        Returns:
            The state and the reason.
        """
        training = self.content["training"]
        unpack_state(training[f"earlier {number}"], chosen(self.arrays, f"earlier {number}"), state)
        return state, training["reasons"][number]


@belonging()
def put_back(restored: Restored, training: Training, state: TrainingState) -> None:
    """Bring a fresh training to where a checkpoint was written.

    Args:
        restored: The checkpoint.
        training: A fresh training of the same settings.
        state: Its fresh state.

    Raises:
        CheckpointError: If the parts do not fit.
    """
    content = restored.content["training"]
    values = {
        name: unpack_values(content[name], chosen(restored.arrays, name))
        for name in content
        if name not in ("state", "reasons", "plans") and not name.startswith("earlier ")
    }
    unpack_state(content["state"], chosen(restored.arrays, "state"), state)
    for i, phase in enumerate(training.phases):
        memory = values[f"optimiser {i}"]
        phase.optimiser.load_state({k: _moved(v, state.theta.device) for k, v in memory.items()})
    load_resampler(training.resampler, values["resampler"])
    training.scale = values["scale"]
    training.objective.scale, training.held_out.scale = dict(training.scale), dict(training.scale)
    training.objective.set_points(state.points)
    training.held_out.reweight(training.held_out.points, training.scale)
    training.weighting.load_state(values["weighting"], training.objective)


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def resampler_state(resampler: Any) -> dict[str, Any]:
    """What a resampler remembers: its own `state()`, else its plain attributes."""
    if hasattr(resampler, "state"):
        return dict(resampler.state())
    return {name: value for name, value in vars(resampler).items() if not callable(value) or isinstance(value, Tensor)}


def load_resampler(resampler: Any, values: dict[str, Any]) -> None:
    """Give a resampler back what it remembered."""
    if hasattr(resampler, "load_state"):
        resampler.load_state(values)
    else:
        vars(resampler).update(values)


def chosen(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with a prefix and a dot, without it."""
    return {name[len(prefix) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}
