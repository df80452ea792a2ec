"""Signs: whether a number matters at the accuracy asked for."""

from __future__ import annotations

import numpy as np

from influence.diagnosis.indicators import Indicators


def moving(found: Indicators) -> float:
    """The largest of three estimates of how uncertain predictions are, in units of the spread."""
    return max(found.tension, found.fresh, found.further)


def unmet(found: Indicators, kind: str) -> dict[str, float]:
    """Conditions (or equations) that are left unexplained by more than the accuracy asked for."""
    accuracy = found.exam.accuracy
    return {name: share for name, share in found.unexplained.items() if found.kinds[name] == kind and share > accuracy}


def troubled(found: Indicators) -> bool:
    """Whether anything matters: predictions are uncertain, or a condition is not met."""
    return moving(found) > found.exam.accuracy or bool(unmet(found, "condition"))


def unexplained(found: Indicators) -> dict[str, float]:
    """Conditions and equations that are left unexplained."""
    return {**unmet(found, "condition"), **unmet(found, "equation")}


def largest(values: dict[str, float]) -> str:
    """Name of the largest entry; empty where there is none."""
    return max(values, key=lambda name: values[name]) if values else ""


def stopped(found: Indicators) -> bool:
    """Whether a few more steps of training would change the answer."""
    accuracy, drop, held = found.exam.accuracy, found.unfinished.drop, found.held_out
    moved = found.further > accuracy and drop > accuracy
    worse = np.fmax(held.training, held.held_out)
    on_points = held.unexplained * held.training / np.where(worse > 0, worse, 1.0)  # there alone steps can help
    return moved or (drop > 0.5 and bool((on_points > accuracy).any()) and troubled(found))


def faint(found: Indicators) -> bool:
    """Whether most parameters hardly act on residuals that are large."""
    sense = found.sensitivity
    return sense is not None and sense.vanishing and (bool(unexplained(found)) or troubled(found))


def outweighed(found: Indicators) -> list[str]:
    """Conditions that are not met and that other terms outweigh: they determine under 1 % of what is determined.

    Where parameters are faint this is their fault, unless the training is at an end all the same.

    Returns:
        Their names.
    """
    total, missed = sum(found.determined.values()), unmet(found, "condition")
    shares = dict(zip(found.ratio.names, found.ratio.mean.tolist(), strict=True))
    out = [name for name in missed if found.determined[name] < 0.01 * total or shares[name] < 0.01]
    return [] if faint(found) and found.unfinished.drop > found.exam.accuracy else out


def pointed(found: Indicators) -> int | None:
    """Group that contradicts the rest: rows that stand out in it, where they alone explain nearly as much."""
    clash = found.conflict
    best = clash.best
    if best is None:
        return None
    for i, name in enumerate(clash.names):
        inside = (set(clash.indices[i].tolist()) - set(clash.indices[best].tolist())) or ()
        few = len(inside) < 0.2 * len(clash.indices[i])
        if name.startswith("outlying rows of ") and few and clash.left[i] < max(2 * clash.left[best], 0.1):
            return i
    return best


def stands_out(found: Indicators) -> bool:
    """Whether a few rows explain most of what contradicts."""
    i = pointed(found)
    return i is not None and found.conflict.names[i].startswith("outlying rows of ") and found.conflict.left[i] <= 0.5
