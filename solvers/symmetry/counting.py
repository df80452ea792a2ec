"""The dimension of the symmetry algebra, counted at a random point before anything is solved."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, prod

from solvers.symmetry.clock import Clock
from solvers.symmetry.determining import Column, Form, System, simplified
from solvers.symmetry.echelon import Echelon, Row
from solvers.symmetry.points import Point, random_point
from solvers.symmetry.polynomials import Polynomial, derive, support
from solvers.symmetry.ring import Index

WIDTH = 5
TAG = 12
HIGHEST = 14


def multi_indices(n: int, total: int) -> Iterator[Index]:
    """All multi-indices of length `n` with the given sum."""
    if n == 0:
        if total == 0:
            yield ()
        return
    for first in range(total, -1, -1):
        for rest in multi_indices(n - 1, total - first):
            yield (first, *rest)


class Prolonged:
    """The determining equations and their derivatives up to order N at one random point.

    Columns are the derivatives f_alpha of the unknown functions, eliminated in descending order |alpha|. Then
    D_m(N) = (columns of order at most m) - (pivots of order at most m) is the number of initial data of order
    m that the derivatives up to order N leave free (Reid 1991).

    Args:
        system: Determining equations.
        generator: Source of the point and the prime.
        clock: Time limit.
        point: Use this point instead of a random one.
    """

    def __init__(self, system: System, generator: random.Random, clock: Clock, point: Point | None = None) -> None:
        self.system, self.clock = system, clock
        self.variables = system.unknowns.variables
        self.n = len(self.variables)
        self.point = point or random_point(system.ring, generator, self._generators())
        self.echelon = Echelon(self.point.prime)
        self.order = -1
        self._terms: dict[frozenset, dict[Index, int]] = {}
        self._derivatives: dict[tuple[frozenset, Index], Polynomial] = {}
        self._free = [system.independent_of(f) for f in range(system.unknowns.count)]
        self._images = [system.ring.partial(k) for k in self.variables]

    def _generators(self) -> set[int]:
        used = support(poly for form in self.system.equations for poly in form.values())
        return used | set(self.variables)

    def key(self, column: Column) -> int:
        """The integer that stands for a derivative; larger for higher orders."""
        number, index = column
        value = sum(index)
        for exponent in index:
            value = value << WIDTH | exponent
        return value << TAG | number

    def column(self, key: int) -> Column:
        """The derivative that a key stands for."""
        number, rest = key & ((1 << TAG) - 1), key >> TAG
        index = []
        for _ in range(self.n):
            index.append(rest & (1 << WIDTH) - 1)
            rest >>= WIDTH
        return number, tuple(reversed(index))

    def order_of(self, key: int) -> int:
        """The order of the derivative that a key stands for."""
        return key >> (TAG + WIDTH * self.n)

    def extend(self, order: int) -> None:
        """Add all derivatives of the equations up to total order `order`."""
        while self.order < order:
            self.order += 1
            for form in self.system.equations:
                own = max(sum(index) for _, index in form)
                if own <= self.order:
                    for beta in multi_indices(self.n, self.order - own):
                        self.clock.check()
                        row = self.row(form, beta)
                        if row:
                            self.echelon.insert(row)

    def row(self, form: Form, beta: Index) -> Row:
        """The derivative `beta` of one equation at the point."""
        system, prime = self.system, self.point.prime
        row: Row = {}
        for (number, index), polynomial in form.items():
            for gamma, value in self._values(polynomial, beta).items():
                column = (
                    number,
                    tuple(a + b - c for a, b, c in zip(index, beta, gamma, strict=True)),
                )
                if any(column[1][j] for j in self._free[number]) or system.vanishes(column):
                    continue
                weight = prod(comb(b, c) for b, c in zip(beta, gamma, strict=True))
                key = self.key(column)
                row[key] = (row.get(key, 0) + weight * value) % prime
        return {key: value for key, value in row.items() if value}

    def _values(self, polynomial: Polynomial, beta: Index) -> dict[Index, int]:
        """Values of the derivatives of a coefficient up to `beta`."""
        name = frozenset(polynomial.items())
        zero = (0,) * self.n
        self._derivatives.setdefault((name, zero), polynomial)
        known = self._terms.setdefault(name, {})
        result: dict[Index, int] = {}
        frontier = {zero}
        while frontier:
            following = set()
            for gamma in frontier:
                derivative = self._derivatives[name, gamma]
                if gamma not in known:
                    known[gamma] = self.point.evaluate(derivative)
                if known[gamma]:
                    result[gamma] = known[gamma]
                for j in range(self.n):
                    if gamma[j] < beta[j]:
                        higher = (*gamma[:j], gamma[j] + 1, *gamma[j + 1 :])
                        if (name, higher) not in self._derivatives:
                            self._derivatives[name, higher] = derive(derivative, self._images[j])
                        if self._derivatives[name, higher]:
                            following.add(higher)
            frontier = following
        return result

    def columns(self, order: int) -> list[int]:
        """Keys of all derivatives of this order that are not known to vanish."""
        system = self.system
        return [
            self.key((f, alpha))
            for alpha in multi_indices(self.n, order)
            for f in range(system.unknowns.count)
            if not any(alpha[j] for j in self._free[f]) and not system.vanishes((f, alpha))
        ]

    def parametric(self, order: int) -> list[int]:
        """Keys of the free derivatives up to this order."""
        return [k for n in range(order + 1) for k in self.columns(n) if k not in self.echelon.rows]

    def dimensions(self) -> list[int]:
        """D_m(N) for m = 0, ..., N at the present order N."""
        result, total = [], 0
        for m in range(self.order + 1):
            total += sum(key not in self.echelon.rows for key in self.columns(m))
            result.append(total)
        return result

    def vanishing(self, order: int) -> set[Column]:
        """Derivatives up to this order that are zero and were not known to be."""
        keys = [k for n in range(order + 1) for k in self.columns(n) if k in self.echelon.rows]
        return {self.column(k) for k in keys if not self.echelon.remainder(self.echelon.rows[k])}

    def normal_form(self, column: Column) -> Row | None:
        """A derivative in terms of free ones, keys to values; None if it was not reached."""
        number, index = column
        if any(index[j] for j in self._free[number]) or self.system.vanishes(column):
            return {}
        return self.echelon.remainder({self.key(column): 1})


@dataclass(frozen=True)
class Count:
    """What the count says.

    Attributes:
        dimension: The finite dimension, or None.
        order: The jet order m of the stop rule (finite), or the highest stable order (infinite).
        prolongation: The prolongation order N.
        sequence: D_m for m = 0, 1, ... up to `order`.
        primes: The moduli that agreed.
    """

    dimension: int | None
    order: int
    prolongation: int
    sequence: tuple[int, ...]
    primes: tuple[int, ...]


class NoCountError(Exception):
    """Neither a finite dimension nor a steady growth was found."""


def finite_stop(previous: list[int], current: list[int], highest: int = 0) -> int | None:
    """The smallest m with D_m(N) = D_{m+1}(N) = D_{m+1}(N+1).

    The first equality says that all derivatives of order m + 1 are fixed by lower ones, the second that one more
    prolongation adds no condition: a flat connection of rank D_m (finite type; Reid 1991). The first alone is not
    enough: u_t = u_xx + (2k/x) u_x stands at 6 for a while and has 4. Equations of higher order than m + 1 hold on the
    connection only if they were reduced by it, so D must stand still up to the highest order of an equation.

    Args:
        previous: D_0, D_1, ... at prolongation order N.
        current: The same at N + 1.
        highest: Highest order of an equation.

    Returns:
        The order m, or None.
    """
    for m in range(len(previous) - 1):
        flat = range(m, max(m + 1, highest) + 1)
        if flat[-1] < len(previous) and all(previous[m] == previous[j] == current[j] for j in flat):
            return m
    return None


def stable_growth(history: list[list[int]], least: int = 4) -> int | None:
    """The highest order m up to which D_m stands still while growing steadily, or None.

    Args:
        history: D_m(N) for successive N.
        least: Smallest m that is believed.

    Returns:
        The order m with D_m, D_{m-1}, ... unchanged over three prolongations and steady growth: increments that
        are constant (functions of one variable) or grow linearly (functions of two).
    """
    if len(history) < 3:
        return None
    last, before, earlier = history[-1], history[-2], history[-3]
    m = 0
    while m < len(earlier) and last[m] == before[m] == earlier[m]:
        m += 1
    m -= 1
    if m < least:
        return None
    steps = [last[j + 1] - last[j] for j in range(m)]
    second = [b - a for a, b in itertools.pairwise(steps)]
    steady = len(set(steps[-3:])) == 1 or (len(second) > 3 and len(set(second[-3:])) == 1 and second[-1] > 0)
    return m if steps[-1] > 0 and steady else None


class Counter:
    """Counts the dimension and sharpens the system on the way.

    Derivatives that are found to vanish are added to the system, which then splits further and has fewer columns.

    Args:
        system: Determining equations.
        generator: Source of the points and primes.
        clock: Budget.
        highest: Largest prolongation order.
    """

    def __init__(self, system: System, generator: random.Random, clock: Clock, highest: int = HIGHEST) -> None:
        self.system, self.generator, self.clock, self.highest = system, generator, clock, highest
        self.prolonged = Prolonged(system, generator, clock)
        self.history: list[list[int]] = []

    def count(self) -> Count:
        """The dimension, agreed upon at two points modulo two primes.

        Returns:
            The count.

        Raises:
            NoCountError: If the highest order is reached first, or the points disagree.
        """
        stop, finite = self._stop()
        order = len(self.history) - 1
        sequence = self.history[-1][: stop + 1]
        primes = [self.prolonged.point.prime]
        for _ in range(4):
            other = Prolonged(self.system, self.generator, self.clock)
            other.extend(order - 1)
            before = other.dimensions()
            other.extend(order)
            now = other.dimensions()
            same = not finite or finite_stop(before, now, self.highest_equation()) == stop
            if same and now[: stop + 1] == sequence:
                primes.append(other.point.prime)
                dimension = sequence[stop] if finite else None
                return Count(dimension, stop, order, tuple(sequence), tuple(primes))
        raise NoCountError("the counts at several random points disagree")

    def _stop(self) -> tuple[int, bool]:
        while len(self.history) <= self.highest:
            if not self.advance():
                continue
            if (
                len(self.history) > 1
                and (m := finite_stop(self.history[-2], self.history[-1], self.highest_equation())) is not None
            ):
                return m, True
            if (m := stable_growth(self.history, max(4, self.highest_equation()))) is not None:
                return m, False
        raise NoCountError(f"no stop rule holds up to prolongation order {self.highest}")

    def advance(self) -> bool:
        """One more prolongation; False if it showed that more derivatives vanish, so that the count starts again."""
        self.prolonged.extend(len(self.history))
        if self._sharpen():
            return False
        self.history.append(self.prolonged.dimensions())
        return True

    def highest_equation(self) -> int:
        """Highest order of a determining equation."""
        forms = [*self.system.equations, self.system.zero]
        return max((sum(index) for form in forms for _, index in form), default=0)

    def _sharpen(self) -> bool:
        found = self.prolonged.vanishing(min(2, self.prolonged.order))
        if not found:
            return False
        equations = self.system.equations
        system = System(self.system.ring, self.system.unknowns, equations, self.system.zero | found)
        self.system = simplified(system, self.clock)
        self.prolonged = Prolonged(self.system, self.generator, self.clock)
        self.history = []
        return True
