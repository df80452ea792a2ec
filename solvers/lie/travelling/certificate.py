"""What is certified of travelling profiles: each solves the problem with its own data exactly; and their rounding."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet, Neumann
from sciml.errors import ProblemWarning, UnsupportedFunctionError
from sciml.ibvp import IBVP
from solvers.lie.bounds.balls import precision
from solvers.lie.bounds.chebyshev import RATIOS, ellipse_bound, remainder
from solvers.lie.bounds.kinks import smooth_pieces
from solvers.lie.bounds.program import Program
from solvers.lie.bounds.regularity import has_branches
from solvers.lie.bounds.rounding import UNIT, rounding_error
from solvers.lie.bounds.sup import NotEnclosed, norms
from solvers.lie.travelling.profile import Profile
from solvers.lie.travelling.profile_atoms import ProfileAtoms


def without_profiles(problem: IBVP, family: ProfileAtoms, amplitudes: np.ndarray) -> IBVP:
    """The problem that the rest of a sum must solve: the same equation, the data less those of the profiles.

    Args:
        problem: A wave equation on an interval.
        family: Its profiles.
        amplitudes: Their amplitudes.

    Returns:
        The problem; its data are 0 where the amplitudes are 1 and the profiles are all there is.
    """
    known = problem.fields[0]
    taken = {role: sp.Rational(float(a)) * p.expression
             for (role, p), a in zip(family.profiles.items(), amplitudes, strict=True)}  # fmt: skip
    initial = {}
    for key, data in problem.initial.items():
        role = "velocity" if key.has(sp.Derivative) else "displacement"
        initial[key] = _left(problem.substitute(sp.sympify(data)) - taken.get(role, 0))
    boundary: list[Any] = []
    for condition, faces in ((term.condition, term.faces) for term in problem.terms if term.kind == "boundary"):
        if family.parity == (0, 0):
            boundary.append(condition)
            continue
        for face in faces:
            role = "left" if face == problem.faces[0] else "right"
            kind = Dirichlet if family.parity[0 if role == "left" else 1] < 0 else Neumann
            there = {problem.space[0]: sp.nsimplify(family.interval[role == "right"], rational=True)}
            data = problem.substitute(sp.sympify(condition.value)).xreplace(there) - taken.get(role, 0)
            boundary.append(kind(known, _left(data), on=face))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        return problem.replace(initial=initial, boundary=boundary)


def _left(data: sp.Expr) -> sp.Expr:
    """0 where that is what the difference is; exponentials stay in one piece."""
    return sp.S.Zero if sp.expand(data) == 0 else data


def profile_rounding(family: ProfileAtoms) -> tuple[np.ndarray, np.ndarray] | None:
    """Bounds of |computed - exact| and of |exact| of every profile; None where an integral is not enclosed.

    A place ξ = x ± ct is off by a few units of the reach |a| + |b| + c(|t0| + |t1|), which the slope of the profile
    turns into a value. Within that distance of a jump the value may be that of the other side: not counted here.

    Args:
        family: Profiles.

    Returns:
        Two arrays (n, 1), or None.
    """
    (a, b), clock, speed = family.interval, family.clock, family.speed
    images = 1 + speed * (clock[1] - clock[0]) / (b - a)
    inside, beside = _drift(family)
    errors, sizes = np.zeros((2, len(family), 1))
    for j, (role, profile) in enumerate(family.profiles.items()):
        try:
            error, size, slope = _profile(profile)
        except (NotEnclosed, UnsupportedFunctionError):
            return None
        side = role in {"left", "right"}
        drift = beside if side else inside
        copies = images * (speed if profile.integrated and side else 1.0) if side else 1.0
        if role == "velocity":
            # the integral of the continued data gathers up to one whole profile per fold
            copies = (1 + images) / speed
        errors[j] = copies * (error + slope * drift + (8 + images) * UNIT * size)
        sizes[j] = copies * size
    return errors * (1 + 1e-9), sizes * (1 + 1e-9)


def _drift(family: ProfileAtoms) -> tuple[float, float]:
    """How far the computed places of initial data, and the computed times of arrival, are from the exact ones."""
    (a, b), (start, end), c = family.interval, family.clock, family.speed
    length, run = b - a, c * (end - start)
    low, high = a - run, b + run
    folds = math.ceil(run / length) + 1
    plain = math.frexp(length)[0] <= 0.5  # multiples of a power of two are exact
    clock = run * (2 if start else 0) + run * (0 if c == 1 else 2)  # t - t0 and t0 itself; ct, and c itself
    ends = 0.0 if a == 0 else 2 * max(abs(low - a), abs(high - a), abs(a), abs(b))
    fold = 0.0 if plain else 2 * folds * length
    inside = clock + max(abs(low), abs(high)) + ends + fold + 3 * length + (abs(a) + abs(b) if a else 0.0)
    travelled = 2 * (folds + 1) * length + abs(a) + abs(b)
    beside = (clock + 4 * travelled) / c + 2 * (abs(start) + abs(end))
    return inside * UNIT * (1 + 1e-9), beside * UNIT * (1 + 1e-9)


def _profile(profile: Profile) -> tuple[float, float, float]:
    """Error of the computed values, their size and the size of the slope."""
    axes, box = (profile.symbol,), ((sp.Rational(profile.low), sp.Rational(profile.high)),)
    error, left = rounding_error(profile.expression, axes, box)
    if left:
        raise NotEnclosed("the profile is singular")
    size = norms(profile.expression, axes, box).sup
    if profile.integrated:
        length = (profile.high - profile.low) * (1 + 1e-15)
        return _integral_error(profile, error, size), length * size, size
    slope = profile.expression.diff(profile.symbol).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    return error, size, norms(slope, axes, box, accuracy=0.5).sup


def _integral_error(profile: Profile, rounding: float, size: float) -> float:
    """Interpolation error of each panel times its length; rounding of values (Lebesgue constant below 3) and sums."""
    ends, series = profile._pieces
    degree = series.shape[1] - 2
    total = 0.0
    for low, high in itertools.pairwise(ends):
        box = ((sp.Rational(float(low)), sp.Rational(float(high))),)
        pieces = list(smooth_pieces(profile.expression, (profile.symbol,), box))
        if len(pieces) != 1 or pieces[0].origin is not None:
            raise NotEnclosed("a panel of the integral holds a kink")
        program, best = Program(pieces[0].expression, (profile.symbol,)), math.inf
        with precision(64):
            for ratio in RATIOS:
                largest = ellipse_bound(program, box, ratio, 4)
                if not math.isfinite(largest):
                    break
                best = min(best, remainder(largest, ratio, degree, 1))
        total += float(high - low) * (best + 3 * rounding)
    if not math.isfinite(total):
        raise NotEnclosed("the integral of a profile is not enclosed")
    # T_k is off by some k units; a panel starts from the sum of those before it; the matrix has entries up to 1
    weights = 4 * np.arange(series.shape[1]) + 8.0
    gathered = 28 * np.abs(series[:, 1:]).sum() + np.abs(series[:, 0]).sum()
    own = float((np.abs(series) @ weights).max() + gathered)
    return (total + UNIT * own + 100 * UNIT * (profile.high - profile.low) * size) * (1 + 1e-9)


def may_jump(family: ProfileAtoms) -> bool:
    """Whether values may jump: data with branches, or data that an odd reflection does not continue."""
    for role, profile in family.profiles.items():
        if profile.integrated:
            continue
        if has_branches(profile.expression):
            return True
        ends: tuple[float, ...] = (profile.low,) if role in {"left", "right"} else family.interval
        odd = [True] if len(ends) == 1 else [parity <= 0 for parity in family.parity]
        values = [profile.expression.subs(profile.symbol, sp.nsimplify(end)) for end in ends]
        if family.parity == (0, 0):
            if values[0] != values[-1]:
                return True
        elif any(o and value != 0 for o, value in zip(odd, values, strict=True)):
            return True
    return False
