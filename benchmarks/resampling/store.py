"""One line of a CSV file per run, appended at once, so that a killed study continues where it was."""

from __future__ import annotations

import csv
import errno
import io
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """One training.

    Attributes:
        problem: Problem.
        sampler: Sampler.
        optimiser: Optimiser.
        seed: Seed of network and points.
        budget: CPU seconds allowed.
        points: Interior points allowed.
        width: Width of the network.
        depth: Depth of the network.
        error: Relative L2 error, of the worst field.
        residual: Root mean square of the scaled residual on held-out points.
        ratio: Held-out loss over training loss at the end.
        steps: Steps.
        share: Share of the CPU time that went into choosing points.
        used: CPU seconds used.
        number: Points at the end.
        spacing: Mean distance to the nearest point over that of as many random points.
        status: Why the training ended.
    """

    problem: str
    sampler: str
    optimiser: str
    seed: int
    budget: float
    points: int
    width: int
    depth: int
    error: float
    residual: float
    ratio: float
    steps: int
    share: float
    used: float
    number: int
    spacing: float
    status: str

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two runs the same."""
        names = ("problem", "sampler", "optimiser", "seed", "budget", "points", "width", "depth")
        return tuple(str(getattr(self, name)) for name in names)


_TYPES = {"int": int, "float": float, "str": str}
HEAD = [part.name for part in fields(Outcome)]


def append(path: Path, outcome: Outcome) -> None:
    """Add one line in one write; a line that the disk has no room for is taken back.

    Args:
        path: The file; made with its header where there is none.
        outcome: The run.

    Raises:
        OSError: If the disk is full.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not path.exists() or not path.stat().st_size:
        writer.writerow(HEAD)
    elif not path.read_bytes().endswith(b"\n"):
        text.write("\n")  # a line that was cut off stays one of its own
    writer.writerow(asdict(outcome).values())
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    line, before = text.getvalue().encode(), os.fstat(handle).st_size
    try:
        if os.write(handle, line) < len(line):
            os.ftruncate(handle, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> list[Outcome]:
    """All complete lines; what was cut off or changed is no run, and is run again.

    Args:
        path: The file.

    Returns:
        The runs; none where there is no file.
    """
    if not path.exists():
        return []
    outcomes = []
    # line by line: an opened quotation mark must not swallow the lines after it; no text of ours holds a line break
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            (line,) = csv.reader([text])
            values = {part.name: _TYPES[str(part.type)](text) for part, text in zip(fields(Outcome), line, strict=True)}
        except (ValueError, csv.Error):
            continue
        outcomes.append(Outcome(**values))
    return outcomes
