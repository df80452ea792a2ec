"""Faults of balance: initial data that do not propagate, terms that outweigh others, trivial states."""

from __future__ import annotations

import numpy as np

from influence.diagnosis.findings import Finding
from influence.diagnosis.indicators import Indicators
from influence.diagnosis.shares import InitialShare
from influence.diagnosis.signs import largest, moving, outweighed, stands_out, troubled, unmet

_CAUSAL = "train causally: march in time, or weight early residuals first (Wang, Sankaran & Perdikaris 2022)"


def propagation(found: Indicators) -> list[Finding]:
    """The initial condition outweighs everything else at late times, and the past has more weight than its points."""
    share, eta = found.initial, found.causality
    if share is None or eta is None or not eta.below or not troubled(found) or stands_out(found):
        return []
    dominates = share.late > 0.5
    if not dominates and share.p_value < 0.01:
        return []
    if moving(found) <= found.exam.accuracy and not set(share.labels) & set(unmet(found, "condition")):
        return []
    evidence: dict[str, float | str] = {
        "η": eta.eta,
        "lower end of the band": eta.band[0],
        "share early": share.early,
        "share late": share.late,
        "share of the rows": share.uniform,
        "tension (spreads)": found.tension,
    }
    what = _when(share) if dominates else f"keeps its share along {share.along}"
    words = (
        f"the initial condition {what} ({share.late:.0%} of the influence late, {share.uniform:.0%} of the rows) and "
        f"η = {eta.eta:.2f} lies below its permutation band [{eta.band[0]:.2f}, {eta.band[1]:.2f}]: later predictions "
        "do not rest on the equation between, the solution does not propagate"
    )
    names = ", ".join(map(repr, share.labels))
    advice = (
        f"add points where the solution leaves the initial data, for small {share.along}",
        f"raise the weight of {names}, or meet the data by a hard constraint",
        _CAUSAL,
    )
    return [Finding("propagation failure", "fault", words, evidence, advice)]


def _when(share: InitialShare) -> str:
    """From where on the share stays above one half."""
    below = np.flatnonzero(np.nan_to_num(share.values, nan=1.0) < 0.5)
    if not len(below):
        return f"dominates at all {share.along}"
    start = share.edges[min(below[-1] + 1, len(share.edges) - 2)]
    return f"dominates after {share.along} = {start:.2g}"


def ignored(found: Indicators) -> list[Finding]:
    """Conditions that are not met and determine next to nothing, because another term outweighs them."""
    out, missed, total = outweighed(found), unmet(found, "condition"), sum(found.determined.values())
    if not out:
        return []
    heavy = largest(found.determined)
    weights, labels = found.exam.influence.record.weights, found.exam.influence.record.rows.labels.astype(str)
    sums = {name: float(weights[labels == name].sum()) for name in (*out, heavy)}
    evidence: dict[str, float | str] = {}
    for name in out[:3]:
        evidence[f"unexplained share of {name!r}"] = missed[name]
        evidence[f"parameters that {name!r} determines"] = found.determined[name]
        evidence[f"weight of {name!r} over that of {heavy!r}"] = sums[name] / sums[heavy]
    evidence[f"parameters that {heavy!r} determines"] = found.determined[heavy]
    names, first = ", ".join(map(repr, out[:3])), out[0]
    words = (
        f"{heavy!r} dominates the loss: {names} hardly counts (it determines {found.determined[first]:.2g} of "
        f"{total:.3g} parameters) and {missed[first]:.0%} of its data remain unexplained"
    )
    factor = 10.0 ** np.ceil(np.log10(max(found.determined[heavy] / max(found.determined[first], 1e-12), 10.0)))
    advice = (
        f"raise the weight of {names}, for instance {min(factor, 1e6):.0e} times, or balance weights automatically",
        "meet the data exactly by a hard constraint",
    )
    return [Finding("one term dominates", "fault", words, evidence, advice)]


def at_rest(found: Indicators) -> list[Finding]:
    """Fields that are constant over most of the domain although their data vary."""
    scales, exam = found.exam.scales, found.exam
    if scales is None or exam.at is None or not troubled(found) or len(scales.given) != len(exam.targets):
        return []
    still, evidence = [], dict[str, float | str]()
    for k, (query, (_, name, _)) in enumerate(zip(exam.queries, exam.targets, strict=True)):
        values = query.value.numpy()
        share = float((np.abs(values - np.median(values)) < 2 * exam.accuracy).mean())
        if scales.given[k] > 0 and share > 0.5:
            still.append(name)
            evidence[f"share of the domain where {name} is constant"] = share
            evidence[f"spread of {name} inside over that of its data"] = scales.inside[k] / scales.given[k]
    if not still:
        return []
    fields, missed = ", ".join(still), unmet(found, "condition")
    if found.timed and not found.initial_labels and not missed:
        return [_left_behind(found, fields, evidence)]
    worst = largest(missed)
    if worst:
        evidence[f"unexplained share of {worst!r}"] = missed[worst]
    words = (
        f"{fields} {'is' if len(still) == 1 else 'are'} constant over most of the domain while the data vary: the "
        "trivial state satisfies the equations and is a false minimum of the loss"
    )
    advice = (
        "raise the weight of the conditions that drive the solution" + (f" ({worst!r})" if worst else ""),
        "continuation: solve an easier problem first (lower Reynolds number, larger diffusion) and go on from there",
        "another seed, or a hard constraint for the driving data",
    )
    return [Finding("rest state", "fault", words, evidence, advice)]


def _left_behind(found: Indicators, fields: str, evidence: dict[str, float | str]) -> Finding:
    """The same where a hard constraint meets the initial data: they are left for a constant."""
    problem = found.exam.influence.problem
    assert problem is not None
    assert problem.time is not None
    if found.causality is not None:
        evidence["η"] = found.causality.eta
    evidence["tension (spreads)"] = found.tension
    words = (
        f"{fields} leaves its initial data, which a hard constraint meets, for a constant state: the trivial solution "
        "takes over, the initial condition does not propagate"
    )
    advice = (f"add points for small {problem.time[0]}", _CAUSAL, 'constraints="soft", or another seed')
    return Finding("propagation failure", "fault", words, evidence, advice)


def nearly_singular(found: Indicators) -> list[Finding]:
    """The rows hold one pattern of the fields far less than all others, and the residual left allows much of it."""
    free = found.free
    if free is None or not free.alone or not free.size > found.exam.accuracy:
        return []
    evidence: dict[str, float | str] = {
        "scatter along the pattern (spreads)": free.size,
        "along the next one": free.following,
        "residual of the mean row": found.exam.influence.reliability.residual_level,
    }
    words = (
        f"one pattern of {free.target} costs hardly any residual, {free.size / free.following:.0f} times less than the "
        f"next one: the residual that is left allows an error of {free.size:.1%} of the spread along it, as near a "
        "resonance, an eigenvalue, or where conditions do not fix the solution"
    )
    advice = (
        "train until the residual is smaller by that factor: a second-order optimiser, hard constraints",
        "check whether a coefficient lies at an eigenvalue, and whether the conditions determine the solution",
        "a measurement or an integral condition fixes the pattern (report.plot() shows it)",
    )
    return [Finding("nearly singular", "fault", words, evidence, advice)]
