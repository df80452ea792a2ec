"""Checkpoints of a running training: written in turns into several slots, so that one is always whole."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from sciml.checkpoint import read_tables, write_tables
from sciml.errors import CheckpointError, SolverWarning
from sciml.ibvp import IBVP
from sciml.problem_json import fingerprint
from solvers.pinn.monitor import Run
from solvers.pinn.packing import Restored

KIND = "training"


class Checkpoint:
    """Callback that saves a training every so many seconds; `PINN.solve(resume=...)` goes on bit by bit.

    Files `path.1`, `path.2`, ... are written in turns, each atomically and under checksums, so that a crash, a full
    disk or a damaged file costs at most the time since the checkpoint before. The first one is written before the
    first step: a folder that cannot be written to is an error at once. Later failures are warnings.

    Args:
        path: Path without suffix.
        seconds: Wall-clock seconds between checkpoints.
        steps: Steps between checkpoints, in place of seconds.
        slots: Number of generations kept.

    Raises:
        CheckpointError: If an argument is out of range.

    Example:
        >>> import sympy as sp, tempfile
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> from solvers import PINN
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> path = tempfile.mkdtemp() + "/run"
        >>> first = PINN(MLP(width=4, depth=1), steps=6).solve(problem, [Checkpoint(path, steps=5)])
        >>> more = PINN(MLP(width=4, depth=1), steps=12).solve(problem, resume=path)
        >>> whole = PINN(MLP(width=4, depth=1), steps=12).solve(problem)
        >>> bool((more.record.parameters == whole.record.parameters).all())
        True
    """

    def __init__(self, path: str | Path, seconds: float = 60.0, steps: int | None = None, slots: int = 2) -> None:
        if not seconds >= 0 or (steps is not None and steps < 1) or slots < 2:
            given = f"seconds={seconds}, steps={steps}, slots={slots}"
            raise CheckpointError(
                "seconds >= 0, steps >= 1 or None, slots >= 2", given, 'Checkpoint("run", seconds=60)'
            )
        self.path, self.seconds, self.steps, self.slots = Path(path), seconds, steps, slots
        self._run: Run | None = None
        self._number, self._last, self._failing = 0, 0.0, False

    @property
    def found(self) -> Path | None:
        """The path where there is something to resume from, else None: `solve(..., resume=checkpoint.found)`."""
        return self.path if _slots(self.path) else None

    def begin(self, run: Run) -> None:
        """Write the first checkpoint; a path that cannot be used is an error, unless slabs of time lie behind it."""
        going_on, self._run = self._run is not None and self._number > 0, run
        if going_on:
            self._try()
        else:
            self._number = _newest_number(self.path)
            self._write()

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Write where one is due."""
        due = step % self.steps == 0 if self.steps else time.monotonic() - self._last >= self.seconds
        if due:
            self._try()

    def finish(self) -> None:
        """Write the last state."""
        self._try()

    def _try(self) -> None:
        try:
            self._write()
            self._failing = False
        except CheckpointError as error:
            self._last = time.monotonic()
            if not self._failing:  # once, until it works again
                self._failing = True
                text = f"no checkpoint could be written to {self.path} ({error.given}); the previous one is kept"
                warnings.warn(text, SolverWarning, stacklevel=4)

    def _write(self) -> None:
        assert self._run is not None
        content, arrays = self._run.snapshot()
        slot = self.path.with_name(f"{self.path.name}.{(self._number + 1) % self.slots + 1}")
        for stray in slot.parent.glob(f".{slot.name}.*"):  # left by a process that was killed while writing
            stray.unlink(missing_ok=True)
        write_tables(slot, KIND, {**content, "number": self._number + 1}, arrays)
        self._number, self._last = self._number + 1, time.monotonic()


def _slots(path: Path) -> list[Path]:
    found = path.parent.glob(f"{path.name}.*.json") if path.parent.is_dir() else ()
    return sorted(slot.with_suffix("") for slot in found if slot.name[len(path.name) + 1 : -5].isdigit())


def _newest_number(path: Path) -> int:
    return max((number for number, *_ in _intact(path, [])), default=0)


def _intact(path: Path, faults: list[str]) -> list[tuple[int, dict[str, Any], dict[str, np.ndarray]]]:
    """Number, content and arrays of the slots that can be read; the others leave a line in `faults`."""
    found = []
    for slot in _slots(path):
        try:
            content, arrays = read_tables(slot, KIND)
            found.append((int(content["number"]), content, arrays))
        except (CheckpointError, KeyError, TypeError, ValueError) as error:
            faults.append(error.given if isinstance(error, CheckpointError) else f"{slot}: no number")
    return found


def restore(path: str | Path, settings: Mapping[str, Any]) -> Restored:
    """The newest checkpoint that is whole.

    Args:
        path: The path that was given to `Checkpoint`.
        settings: What it has to agree with.

    Returns:
        Its content.

    Raises:
        CheckpointError: If there is none, all are damaged, or it belongs to another training.
    """
    faults: list[str] = []
    found = _intact(Path(path), faults)
    if not found:
        given = "; ".join(faults) or f"no file {path}.1.json"
        raise CheckpointError("a checkpoint of a training", given, "give the path that Checkpoint(path) was given")
    if faults:
        text = f"a checkpoint is damaged ({'; '.join(faults)}); the training goes on from the one before"
        warnings.warn(text, SolverWarning, stacklevel=4)
    _, content, arrays = max(found, key=lambda item: item[0])
    stored = content.get("settings", {})
    other = [name for name, value in settings.items() if stored.get(name) != value]
    if other:
        raise CheckpointError(
            "a checkpoint of the same training",
            "; ".join(f"{name} was {stored.get(name)!r} and is {settings[name]!r}" for name in other),
            "steps, seconds and tolerance may change, the rest may not",
        )
    return Restored(content, arrays)


def describe(value: Any) -> Any:
    """A setting as something that JSON keeps and that can be compared.

    Args:
        value: A number, a text, a list, or an object with plain attributes.

    Returns:
        The description.

    Example:
        >>> from solvers import RAD
        >>> describe(RAD(seed=3))["seed"]
        3
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [describe(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): describe(part) for name, part in value.items()}
    if isinstance(value, nn.Module):
        return _network(value)
    plain = (
        {name: part for name, part in vars(value).items() if not name.startswith("_")}
        if hasattr(value, "__dict__")
        else {}
    )
    kept = {n: describe(p) for n, p in plain.items() if p is None or isinstance(p, (bool, int, float, str, tuple))}
    return {"kind": type(value).__name__, **kept}


def _network(network: nn.Module) -> Any:
    """Its configuration; for a module of the user's own a digest of what a training does not change."""
    config = getattr(network, "config", None)
    if config is not None:
        return describe(config())
    digest = hashlib.sha256()
    trainable = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        if name not in trainable:
            digest.update(tensor.detach().cpu().numpy().tobytes())
    return [type(network).__name__, digest.hexdigest()]


def problem_digest(problem: IBVP) -> str:
    """Fingerprint of a problem; of its printed form where it holds what files cannot."""
    try:
        return fingerprint(problem)
    except CheckpointError:
        return hashlib.sha256(repr(problem).encode()).hexdigest()
