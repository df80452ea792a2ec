"""Faults of the data: points, faces or observations that contradict the rest of the objective."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from influence.diagnosis.conflict import Structure
from influence.diagnosis.findings import Finding
from influence.diagnosis.indicators import Indicators
from influence.diagnosis.missing import missing_terms
from influence.diagnosis.places import describe
from influence.diagnosis.signs import faint, pointed, stopped

_LEFT, _COOK = "share of the loss left without them", "share of Cook's distance"
_OF_DATA = ("suspect data", "noisy data")
Evidence = dict[str, float | str]


def contradiction(found: Indicators) -> list[Finding]:
    """A group of rows contradicts the rest: points, a face, or observations against the equation."""
    named = [] if faint(found) or stopped(found) else _beyond_sigma(found)
    return named + [other for other in _against(found) if not named or other.name not in _OF_DATA]


def _against(found: Indicators) -> list[Finding]:
    """What the group says that contradicts the rest most, for its size."""
    clash, i = found.conflict, pointed(found)
    if i is None:
        return []
    name, rows, left = clash.names[i], clash.indices[i], float(clash.left[i])
    cook = found.self_influence.cook
    evidence: Evidence = {
        "rows": float(len(rows)),
        _LEFT: left,
        _COOK: float(cook[rows].sum() / cook.sum()),
        "tension (spreads)": found.tension,
    }
    if left > 0.5 or faint(found):
        return []
    if name.startswith("outlying rows of "):
        return _points(found, rows, evidence)
    if stopped(found) or found.exam.influence.problem is None:
        return []
    if found.tension <= found.exam.accuracy and not _denied(found, name):
        return []
    if found.kinds[found.self_influence.labels[rows[0]]] != "condition":
        return _data(found, name, rows, evidence)
    observed = any(kind not in ("condition", "equation") for kind in found.kinds.values())
    return [_face(found, name, rows, evidence)] if observed else []


def _points(found: Indicators, rows: np.ndarray, evidence: Evidence) -> list[Finding]:
    """Points that contradict all others, where predictions feel it or their own residual is large."""
    influence, student = found.exam.influence, found.self_influence.student
    labels = found.self_influence.labels[rows]
    concerned = ", ".join(repr(str(label)) for label in dict.fromkeys(labels.tolist()))
    kind, ids = found.kinds[labels[0]], influence.record.rows.ids[rows]
    points = tuple(sorted(set(ids.tolist())))
    evidence["largest studentised residual"] = float(student[rows].max())
    evidence["ids"] = ", ".join(map(str, dict.fromkeys(ids[np.argsort(-student[rows])][:8].tolist())))
    words = (
        f"{len(points)} points of {concerned} contradict the rest: without them {evidence[_LEFT]:.1%} of "
        f"the loss is left, and they hold {evidence[_COOK]:.0%} of Cook's distance"
    )
    where = describe(influence, rows)
    matters = found.tension > found.exam.accuracy
    if not matters and not found.unexplained.get(str(labels[0]), 0.0) > found.exam.accuracy:
        return []
    peers = {str(label): (found.self_influence.labels == label).sum() for label in labels}
    if any((labels == label).sum() > 0.5 * count for label, count in peers.items()):
        return []  # not a few of its rows: the component as a whole is not met
    if kind == "equation":
        made = replace(_sources(found, rows, evidence, words, where), ids=points)
        return [made] if matters or made.name != "under-resolved region" else []
    advice = (
        "check the data there: wrong values, wrong units, a wrong place",
        "if the data are right they jump or form a layer: add points there, or take a larger network",
        "influence.group(finding.ids, u, at=...) shows what the solution would be without them",
    )
    title = "suspect boundary or initial values" if kind == "condition" else "suspect data"
    return [Finding(title, "fault", words, evidence, advice, where, points)]


def _sources(found: Indicators, rows: np.ndarray, evidence: Evidence, words: str, where: str) -> Finding:
    """Rows of an equation: faulty by themselves, or in a region that is not resolved."""
    beside = _beside(found, rows)
    evidence["residual of new points beside them, over theirs"] = beside
    if not beside < 1 / 3:
        words += "; new points beside them have large residuals too: the region is not resolved"
        advice: tuple[str, ...] = ("add points there, or resample by residual", "a larger network, or Fourier features")
        return Finding("under-resolved region", "fault", words, evidence, advice, where)
    words += "; new points beside them have small residuals: the source values at these points are suspect"
    advice = (
        "check source and coefficient values at these points",
        "remove them and refit: influence.refit(finding.ids)",
    )
    return Finding("suspect source values", "fault", words, evidence, advice, where)


def _beside(found: Indicators, rows: np.ndarray) -> float:
    """Median residual of the nearest held-out points over that of the rows themselves."""
    influence, fresh = found.exam.influence, found.held_out.points
    if fresh is None or influence.record.rows.at is None:
        return float("nan")
    made = influence.record.rows.at(fresh, None)
    values = np.abs(made.residual(influence.curvature.theta).detach().numpy())
    place = fresh.locate(made.ids)
    extent = np.ptp(place, axis=0)
    extent = np.where(extent > 0, extent, 1.0)
    own = np.abs((influence.curvature.residual / influence.curvature.root).numpy())
    centres = influence.record.points.locate(influence.record.rows.ids[rows])
    ratios = []
    for row, centre in zip(rows, centres, strict=True):
        like = np.flatnonzero(made.labels == influence.record.rows.labels[row])
        distance = (((place[like] - centre) / extent) ** 2).sum(axis=1)
        near = like[np.argsort(distance)[:3]]
        ratios.append(float(np.median(values[near])) / max(own[row], 1e-300))
    return float(np.median(ratios))


def _data(found: Indicators, name: str, rows: np.ndarray, evidence: Evidence) -> list[Finding]:
    pattern = next((one for one in found.structures if one.name == name), None)
    if pattern is None:
        return []
    if pattern.p_value >= 0.01:
        return [_noisy(found, name, pattern)]
    shares = {n: found.unexplained[n] for n, kind in found.kinds.items() if kind == "equation"}
    strongest = max(shares, key=lambda n: shares[n])
    evidence |= {
        "correlation of neighbouring residuals": pattern.correlation,
        "p of no pattern": pattern.p_value,
        "residual of the data": pattern.level,
        f"unexplained share of {strongest!r}": shares[strongest],
    }
    words = (
        f"the observations {name!r} contradict the equations: their residuals are no noise "
        f"(p = {pattern.p_value:.3f}), "
        f"and without them {evidence[_LEFT]:.1%} of the loss is left; a term is missing or wrong, most likely in "
        f"{strongest!r}"
    )
    advice = (
        *_suspects(found, strongest),
        f"check the terms and coefficients of {strongest!r}",
        "make a doubtful coefficient an unknown of the problem and let the data decide",
        *(("state a larger sigma in Observations(...), if the data are less precise",) if pattern.too_large else ()),
    )
    where = describe(found.exam.influence, rows)
    return [Finding("equation contradicts data", "fault", words, evidence, advice, where)]


def _denied(found: Indicators, name: str) -> bool:
    """Whether observations of stated σ are missed by more than σ allows and more than the accuracy asked for.

    A large σ gives them little weight, so that they contradict the equations without moving predictions.

    Returns:
        The answer; false where σ is not stated.
    """
    size = found.unexplained.get(name, 0.0)
    return size > found.exam.accuracy and any(one.name == name and one.too_large for one in found.structures)


def _beyond_sigma(found: Indicators) -> list[Finding]:
    """Single observations that no noise of the stated σ explains, where the others of their set agree with it.

    What they weigh in the loss plays no part: a large σ gives them little, so that the loss hardly notices them.

    Returns:
        One finding per set of observations.
    """
    made, own = [], found.self_influence
    curvature, ids = found.exam.influence.curvature, found.exam.influence.record.rows.ids
    for one in found.structures:
        mine = own.labels == one.name
        if one.sigma is None or one.too_large or not found.unexplained.get(one.name, 0.0) > found.exam.accuracy:
            continue
        times = np.abs((curvature.residual / curvature.root).numpy()) / one.sigma
        rows = np.flatnonzero(mine & own.outlying & (times > np.sqrt(2 * np.log(200 * mine.sum()))))
        if not 0 < len(rows) < 0.2 * mine.sum():
            continue
        order = rows[np.argsort(-times[rows])]
        evidence: Evidence = {
            "largest residual (sigma)": float(times[rows].max()),
            "ids": ", ".join(map(str, ids[order][:8])),
        }
        words = (
            f"{len(rows)} points of {one.name!r} are missed by up to {times[rows].max():.1f} times the stated sigma of "
            f"{one.sigma:.2g}, while the others agree with it"
        )
        advice = (
            "check the data there: wrong values, wrong units, a wrong place",
            "influence.group(finding.ids, u, at=...) shows what the solution would be without them",
        )
        where = describe(found.exam.influence, rows)
        made.append(Finding("suspect data", "fault", words, evidence, advice, where, tuple(sorted(ids[rows].tolist()))))
    return made


def missed_sigma(found: Indicators) -> list[Finding]:
    """Observations that are missed by more than their stated σ while nothing contradicts them: they are not followed.

    Args:
        found: The indicators.

    Returns:
        One finding per such set of observations.
    """
    made = []
    for one in found.structures:
        if not _denied(found, one.name):
            continue
        evidence: Evidence = {"residual of the data": one.level, "unexplained share": found.unexplained[one.name]}
        words = (
            f"observations {one.name!r} are missed by {one.level:.2g} at root mean square, more than the stated sigma "
            f"of {one.sigma:.2g} allows, although no row contradicts them: coefficients or predictions do not follow"
        )
        advice = (
            "train longer, or take a larger network, until equation and data are met together",
            f"weights={{{one.name!r}: ...}}: data of little weight are followed last",
            "state a larger sigma in Observations(...), if the data are less precise",
        )
        made.append(Finding("data missed", "fault", words, evidence, advice))
    return made


def _noisy(found: Indicators, name: str, pattern: Structure) -> Finding:
    """Residuals like noise, which no model can fit: how noisy the data are, and how far that moves predictions."""
    evidence: Evidence = {
        "residual of the data": pattern.level,
        "tension (spreads)": found.tension,
        "p of no pattern": pattern.p_value,
    }
    words = f"residuals of {name!r} look like noise of standard deviation {pattern.level:.2g}"
    words += "" if pattern.sigma is None else f", as the stated sigma of {pattern.sigma:.2g} allows,"
    words += f" and pull predictions by {found.tension:.1%} of their spread"
    if pattern.sigma is not None:
        return Finding("noisy data", "note", words, evidence, ("more data",))
    words += "; if the data are more precise than that, equation and data disagree"
    advice = ("state sigma in Observations(...): the size of the residuals is then tested", "more data")
    return Finding("noisy data", "note", words, evidence, advice)


def _suspects(found: Indicators, equation: str) -> tuple[str, ...]:
    """A sentence about terms that the residual looks like; none where they explain less than a third of it."""
    terms = missing_terms(found.exam.influence, equation)[:3]
    good = [term for term in terms if term.explained > max(1 / 3, 0.9 * terms[0].explained)]
    if not good:
        return ()
    text = " or ".join(map(str, good))
    return (f"with the data trusted, {equation!r} looks as if this were missing on its left side, or had a wrong "
            f"coefficient: {text}",)  # fmt: skip


def _face(found: Indicators, name: str, rows: np.ndarray, evidence: Evidence) -> Finding:
    words = (
        f"{name!r} contradicts all other rows: without its {len(rows)} rows {evidence[_LEFT]:.1%} of the loss is left, "
        "while equations, other conditions and observations agree"
    )
    advice = (
        f"check the data of {name!r}: value, sign, unit, face",
        "drop the condition and let the observations decide",
    )
    where = describe(found.exam.influence, rows)
    return Finding("suspect boundary or initial values", "fault", words, evidence, advice, where)
