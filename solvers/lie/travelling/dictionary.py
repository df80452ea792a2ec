"""Dictionary of the wave equation on an interval: d'Alembert's solution, made of the data."""

from __future__ import annotations

import dataclasses

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only
from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from solvers.lie.atoms import Atoms, FormulaAtoms
from solvers.lie.interval_dictionary import Evolution
from solvers.lie.statement import Side, Statement
from solvers.lie.travelling.profile import Profile
from solvers.lie.travelling.profile_atoms import ProfileAtoms


class TravellingDictionary:
    """A polynomial that meets the data at the start of both ends, and travelling profiles of what is left.

    Args:
        statement: The problem.
        speed: c.
    """

    def __init__(self, statement: Statement, speed: float) -> None:
        self.statement, self.speed = statement, speed
        (self.a, self.b), (self.start, self.end) = statement.bounds.tolist()
        self.x, self.t = statement.coordinates

    def levels(self) -> list[int]:
        """One size: the solution is closed."""
        return [1]

    def build(self, count: int) -> list[Atoms]:
        """The polynomial and the profiles.

        Args:
            count: Not used.

        Returns:
            Families.
        """
        u0, u1 = self._initial()
        names = self.statement.generators("homogeneity", f"translation {self.x}", f"translation {self.t}")
        interval, clock = (self.a, self.b), (self.start, self.end)
        if self.statement.periodic:
            profiles = self._profiles({"displacement": u0, "velocity": u1})
            return [ProfileAtoms(profiles, interval, clock, self.speed, (0, 0), generators=names)]
        left, right = self._sides()
        lift = self._lift(left, right)
        at = {self.t: sp.nsimplify(self.start)}
        data = {"displacement": u0 - lift.xreplace(at), "velocity": u1 - lift.diff(self.t).xreplace(at)}
        for role, side, place, outward in (("left", left, self.a, -1), ("right", right, self.b, 1)):
            there = {self.x: sp.nsimplify(place, rational=True)}
            met = outward * lift.diff(self.x) if side.slope else lift
            data[role] = _scaled(side) - met.xreplace(there)
        slopes = {role for role, side in (("left", left), ("right", right)) if side.slope}
        parity = (1 if left.slope else -1, 1 if right.slope else -1)
        profiles = self._profiles(data, slopes)
        found: list[Atoms] = [ProfileAtoms(profiles, interval, clock, self.speed, parity, generators=names)]
        if lift != 0:
            found.append(FormulaAtoms(self.statement.coordinates, [lift], name="polynomial", generators=names))
        return [family for family in found if len(family)]

    def _profiles(self, data: dict[str, sp.Expr], slopes: set[str] = frozenset()) -> dict[str, Profile]:  # type: ignore[assignment]
        found, scale = {}, self._size()
        for role, expression in data.items():
            inside = role in {"displacement", "velocity"}
            symbol, low, high = (self.x, self.a, self.b) if inside else (self.t, self.start, self.end)
            grid = np.linspace(low, high, 67)[:, None]
            size = np.abs(evaluate_data(expression, [symbol], grid, ((low, high),)))
            if not np.nanmax(size) > 1e-15 * scale:
                continue
            found[role] = Profile(expression, symbol, low, high, role == "velocity" or role in slopes)
        return found

    def _size(self) -> float:
        """Size of the data, below whose rounding a profile is 0."""
        u0, u1 = self._initial()
        grid = np.linspace(self.a, self.b, 67)[:, None]
        size = [np.abs(evaluate_data(d, [self.x], grid, ((self.a, self.b),))).max() for d in (u0, u1)]
        return float(size[0] + (self.b - self.a) / self.speed * size[1])

    def _initial(self) -> tuple[sp.Expr, sp.Expr]:
        found = [sp.S.Zero, sp.S.Zero]
        for term in self.statement.problem.terms:
            if term.kind == "initial":
                (data,) = term_data(term, self.statement.problem)
                found[
                    1 if " t" in term.name or "_t" in term.name or term.expressions[0].atoms(sp.Derivative) else 0
                ] = -data
        return found[0], found[1]

    def _sides(self) -> tuple[Side, Side]:
        sides = self.statement.sides
        assert sides is not None
        places = {face: self.statement.problem.domain.sample_face(face, 1)[0, 0] for face in sides}
        there = [{self.x: sp.nsimplify(end, rational=True)} for end in (self.a, self.b)]
        left, right = (dataclasses.replace(sides[face], data=sp.sympify(sides[face].data).xreplace(place))
                       for face, place in zip(sorted(places, key=lambda f: places[f]), there, strict=True))  # fmt: skip
        return left, right

    def _lift(self, left: Side, right: Side) -> sp.Expr:
        """A polynomial solution with the values and rates of the data on the sides at the start."""
        tau, y = self.t - sp.nsimplify(self.start), self.x - sp.nsimplify(self.a, rational=True)
        length = sp.nsimplify(self.b, rational=True) - sp.nsimplify(self.a, rational=True)
        ends = [self._first_order(_scaled(side)) for side in (left, right)]
        total = sp.S.Zero
        for power, (p, q) in enumerate(zip(*ends, strict=True)):
            clock = tau**power
            if not left.slope and not right.slope:
                total += clock * (p + (q - p) * y / length)
            elif not left.slope:
                total += clock * (p + q * y)
            elif not right.slope:
                total += clock * (q + p * (length - y))
            else:
                bend = (q + p) / (2 * length)
                square = sp.nsimplify(self.speed**2, rational=True)
                total += clock * (-p * y + bend * y**2) + bend * square * 2 * tau ** (power + 2) / (
                    (power + 1) * (power + 2)
                )
        return total

    def _first_order(self, data: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """Value and rate at the start, 0 where they are not finite numbers."""
        found = []
        for expression in (data, data.diff(self.t)):
            value = expression.subs(self.t, sp.nsimplify(self.start))
            found.append(value if value.is_number and value.is_finite else sp.S.Zero)
        return found[0], found[1]


def _scaled(side: Side) -> sp.Expr:
    return side.data / sp.nsimplify(side.slope or side.value, rational=True)


def travelling_speed(statement: Statement, evolution: Evolution) -> float | None:
    """The speed c where d'Alembert's solution applies; None otherwise.

    Args:
        statement: The problem.
        evolution: Its equation.

    Returns:
        c, if the equation is u_tt = c² u_xx and each end carries a value or a slope, or both a period.
    """
    rates = evolution.in_time
    if len(rates) != 3 or rates[1] or evolution.b or evolution.c or evolution.a * rates[2] >= 0:
        return None
    problem = statement.problem
    sides = statement.sides
    reflecting = sides is not None and not any(side.value and side.slope for side in sides.values())
    plain = all(term.kind in {"interior", "initial", "boundary"} for term in problem.terms)
    data = [d for term in problem.terms if term.kind in {"initial", "boundary"} for d in term_data(term, problem)]
    if not plain or not (reflecting or statement.periodic) or any(is_numeric_only(d) for d in data):
        return None
    return float(np.sqrt(-evolution.a / rates[2]))
