"""Faults of the training: parameters that do not act, steps not done, points fitted instead of the equation."""

from __future__ import annotations

import numpy as np

from influence.diagnosis.findings import Finding
from influence.diagnosis.indicators import Indicators
from influence.diagnosis.places import describe
from influence.diagnosis.signs import faint, largest, moving, outweighed, stopped, troubled, unexplained, unmet

UNRESOLVED = "equation unresolved in places"


def vanishing(found: Indicators) -> list[Finding]:
    """Most parameters do not act on the residuals while these are large."""
    sense = found.sensitivity
    if sense is None or not faint(found) or (outweighed(found) and not sense.dying):
        return []
    evidence: dict[str, float | str] = {"share of faint parameters": sense.faint}
    if len(sense.layers):
        weakest = int(sense.levels.argmin())
        evidence |= {"weakest layer": sense.layers[weakest], "its sensitivity": float(sense.levels[weakest])}
    large = unexplained(found)
    if large:
        evidence[f"unexplained share of {largest(large)!r}"] = large[largest(large)]
    words = (
        "most parameters, or all of one layer, hardly act on the residual rows although these are far from zero: "
        "units are saturated or signals die out, and no optimiser can train them"
    )
    advice = (
        "start again from smaller weights (Glorot), with inputs scaled to [-1, 1]",
        "fewer layers, residual connections, or another activation (tanh or sin instead of sigmoid)",
    )
    return [Finding("vanishing gradients", "fault", words, evidence, advice)]


def unconverged(found: Indicators) -> list[Finding]:
    """More training would change the answer."""
    if not stopped(found):
        return []
    drop, further = found.unfinished.drop, found.further
    evidence: dict[str, float | str] = {
        "loss taken away by going on": drop,
        "steps": float(found.unfinished.steps),
        "change of predictions (spreads)": further,
        "|grad L|": found.exam.influence.reliability.gradient_norm,
    }
    words = (
        f"{found.unfinished}, and predictions move by {further:.1%} of their spread: the training stopped on the way, "
        "and influences are those of an unfinished model"
    )
    advice = (
        "train longer; a second-order optimiser (Levenberg-Marquardt, L-BFGS) after Adam",
        "raise the budget of steps or seconds",
    )
    return [Finding("not converged", "fault", words, evidence, advice)]


def overfitting(found: Indicators) -> list[Finding]:
    """Residuals between the points are larger than chance allows, and it matters."""
    held, accuracy = found.held_out, found.exam.accuracy
    above = [i for i in range(len(held.names)) if held.ratio[i] > held.band[i] and not np.isnan(held.held_out[i])]
    if not above:
        return _left_out(found)
    i = max(above, key=lambda k: held.ratio[k] / held.band[k])
    name, ratio, share = held.names[i], float(held.ratio[i]), float(held.unexplained[i])
    evidence: dict[str, float | str] = {
        "held-out residual": float(held.held_out[i]),
        "training residual": float(held.training[i]),
        "ratio": ratio,
        "largest ratio by chance": float(held.band[i]),
        "change of predictions with fresh points (spreads)": found.fresh,
    }
    times = f"{ratio:.1f} times" if ratio < 1000 else f"{ratio:.0e} times"
    if found.fresh > accuracy or (share > accuracy > share / ratio and troubled(found)):
        words = (
            f"between the training points the residual of {name!r} is {times} as large as on them (chance allows "
            f"{held.band[i]:.1f}); fresh points would move predictions by {found.fresh:.1%} of their spread: the "
            "network fits the points, not the equation"
        )
        advice = (
            f"more points for {name!r}: at least two rows per parameter",
            "draw new points during training",
            "a smaller network, or weight decay",
        )
        return [Finding("overfitting to points", "fault", words, evidence, advice, peak(found, name))]
    if ratio < 2:
        return []
    words = (
        f"the residual of {name!r} is {times} as large between the points as on them, but fresh points would move "
        f"predictions by {found.fresh:.1e} of their spread only"
    )
    return [Finding("uneven residual", "note", words, evidence)]


def _left_out(found: Indicators) -> list[Finding]:
    """The same from leverage alone, for models whose terms cannot be evaluated at new points."""
    held, labels = found.held_out, found.exam.influence.record.rows.labels.astype(str)
    if held.step is not None:
        return []
    spread = {name.removeprefix("residual of "): size for _, name, size in found.exam.targets}
    bad = []
    for i, name in enumerate(held.names):
        crowded = found.determined[name] > 0.5 * (labels == name).sum()
        if crowded and held.ratio[i] > 3 and held.left_out[i] > found.exam.accuracy * spread.get(name, np.inf):
            bad.append(i)
    if not bad:
        return []
    i = max(bad, key=lambda k: held.ratio[k])
    evidence: dict[str, float | str] = {
        "residual": float(held.training[i]),
        "residual once left out": float(held.left_out[i]),
        "parameters determined": found.determined[held.names[i]],
    }
    words = (
        f"points of {held.names[i]!r} are predicted {held.ratio[i]:.1f} times worse once they are left out: nearly "
        "every point has a parameter of its own"
    )
    advice = ("more points", "a smaller model, or weight decay")
    return [Finding("overfitting to points", "fault", words, evidence, advice)]


def peak(found: Indicators, name: str) -> str:
    """Where the rows of a component have most influence on themselves."""
    own = np.flatnonzero(found.self_influence.labels == name)
    order = np.argsort(-found.self_influence.cook[own])
    return describe(found.exam.influence, own[order[: max(3, len(own) // 10)]])


def cancelling(found: Indicators) -> list[Finding]:
    """Components at one point work against each other."""
    median = found.cancellation.median
    if not median > 0.5 or not troubled(found):
        return []
    words = f"rows of one point cancel each other (median κ {median:.2f}): their weights conflict"
    return [Finding("cancellation", "note", words, {"median κ": median}, ("balance the weights of the equations",))]


def leftover(found: Indicators) -> list[Finding]:
    """Predictions are compromises, and none of the known faults explains it."""
    uncertain = moving(found) > found.exam.accuracy
    if not uncertain and not unmet(found, "condition"):
        return _unresolved(found, unmet(found, "equation"))
    missed = {**unmet(found, "condition"), **(unmet(found, "equation") if uncertain else {})}
    if not missed and not (uncertain and found.exam.scales is None):
        return []
    if _noise_explains(found, missed):
        return []
    worst = largest(missed)
    evidence: dict[str, float | str] = {f"unexplained share of {name!r}": share for name, share in missed.items()}
    evidence |= {"tension (spreads)": found.tension, "change with fresh points (spreads)": found.fresh}
    if missed:
        words = f"the training has come to an end with {missed[worst]:.0%} of {worst!r} unexplained"
    else:
        words = f"predictions are compromises between rows that pull by {found.tension:.1%} of their spread"
    words += ": the network is too small for the solution, or stuck in a wrong valley"
    advice = ("a wider or deeper network, or Fourier features", "another seed", "more points near the places named")
    return [Finding("residual left", "fault", words, evidence, advice, peak(found, worst) if missed else "")]


def _unresolved(found: Indicators, missed: dict[str, float]) -> list[Finding]:
    """An equation is not met in places, and yet the rows agree on the predictions."""
    if not missed or _noise_explains(found, missed):
        return []
    worst = largest(missed)
    words = (
        f"{missed[worst]:.1%} of {worst!r} is left unexplained, although the rows agree on the predictions: a corner, "
        "kink or layer that the network does not resolve, which the estimated error does not see"
    )
    evidence: dict[str, float | str] = {f"unexplained share of {name!r}": share for name, share in missed.items()}
    advice = ("compare with another solver, or a larger network", "more points near the places named")
    return [Finding(UNRESOLVED, "note", words, evidence, advice, peak(found, worst))]


def _noise_explains(found: Indicators, missed: dict[str, float]) -> bool:
    """Whether noise of the observations, of no pattern, causes residuals of that size elsewhere."""
    if not found.structures or any(one.p_value < 0.01 for one in found.structures):
        return False
    return all(name in found.excess and found.excess[name][0] <= 2 * found.excess[name][1] for name in missed)
