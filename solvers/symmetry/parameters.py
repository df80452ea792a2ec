"""Values of a symbolic parameter at which the symmetry algebra grows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.polys.domains import ZZ
from sympy.polys.galoistools import gf_factor_sqf, gf_gcd, gf_monic, gf_sqf_part

from sciml.errors import ProblemError, ScimlError
from solvers.symmetry.algebra import SymmetryAlgebra
from solvers.symmetry.clock import BudgetError, Clock
from solvers.symmetry.counting import Counter, Prolonged
from solvers.symmetry.derivation import Derivation
from solvers.symmetry.determining import System
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.equations import read_equations
from solvers.symmetry.lifting import rational
from solvers.symmetry.points import NoPointError, Point, random_point
from solvers.symmetry.polynomials import Polynomial, support

HIGHEST_DEGREE = 1200
LARGEST_HEIGHT = 10**4


@dataclass(frozen=True)
class SpecialParameters:
    """What happens to the algebra when one parameter takes special values.

    Attributes:
        parameter: The symbol.
        generic: The algebra for generic values.
        special: Value to the algebra there, for every value found at which it is larger.
        candidates: All values that were tried.
        complete: Whether the search covered all rational and quadratic values, in the sense of the count.
        reason: Why it did not, or empty.
    """

    parameter: sp.Symbol
    generic: SymmetryAlgebra
    special: dict[sp.Expr, SymmetryAlgebra]
    candidates: tuple[sp.Expr, ...]
    complete: bool
    reason: str = ""

    def __str__(self) -> str:
        """One line per value."""
        lines = [f"generic {self.parameter}: {_size(self.generic)}"]
        lines += [f"{self.parameter} = {value}: {_size(algebra)}" for value, algebra in self.special.items()]
        return "\n".join(lines + ([f"not complete: {self.reason}"] if self.reason else []))

    __repr__ = __str__


def special_parameters(
    problem: Any,
    parameter: sp.Symbol,
    fields: AppliedUndef | Sequence[AppliedUndef] | None = None,
    *,
    seconds: float | None = None,
    seed: int = 0,
) -> SpecialParameters:
    """Values of one parameter at which there are more point symmetries than for generic values.

    The rank of the prolonged determining equations at a point drops only where a minor that is not zero generically
    vanishes. One such minor is computed as a polynomial in the parameter modulo a prime (by interpolation), at several
    points; its roots that do not depend on the point are lifted to rational or quadratic numbers, and at each of them
    the symmetries are derived again. Values that were excluded on the way (vanishing denominators and coefficients
    that were divided by) are tried too. Compare the group classification of Ovsiannikov (1959).

    Args:
        problem: As in `point_symmetries`.
        parameter: The symbol; other parameters stay generic.
        fields: The unknowns, where they cannot be read off.
        seconds: Budget of processor time.
        seed: Seed of all random points.

    Returns:
        The special values with their algebras.

    Raises:
        ProblemError: If the parameter does not occur.

    Example:
        >>> import sympy as sp
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u, n = field("u", x, t), sp.Symbol("n", real=True)
        >>> found = special_parameters(sp.Eq(u.diff(t), (u**n * u.diff(x)).diff(x)), n)
        >>> found.generic.dimension, found.special[sp.Rational(-4, 3)].dimension
        (4, 5)
    """
    statement = read_equations(problem, fields)
    if parameter not in statement.parameters:
        shown = ", ".join(map(str, statement.parameters)) or "none"
        raise ProblemError(
            f"a parameter of the equations: {shown}", str(parameter), "take the symbol that is used there"
        )
    clock = Clock(seconds)
    generic = point_symmetries(statement.residuals, statement.fields, seconds=seconds, seed=seed)
    candidates: list[sp.Expr] = []
    special: dict[sp.Expr, SymmetryAlgebra] = {}
    reason = ""
    try:
        search = _Search(Derivation(statement, clock, seed), parameter, clock, seed)
        candidates = search.candidates()
        reason = search.reason
        for value in candidates:
            clock.check()
            algebra = _at(statement, parameter, value, clock, seed)
            if algebra is not None and _is_larger(algebra, generic):
                special[value] = algebra
    except BudgetError as spent:
        reason = f"{spent}; values found by then"
    return SpecialParameters(parameter, generic, special, tuple(candidates), not reason, reason)


def _at(statement, parameter: sp.Symbol, value: sp.Expr, clock: Clock, seed: int) -> SymmetryAlgebra | None:
    residuals = [e.xreplace({parameter: value}).doit() for e in statement.residuals]
    if any(e.has(sp.zoo, sp.nan, sp.oo) for e in residuals):
        return None
    remaining = None if clock.seconds is None else clock.remaining()
    try:
        return point_symmetries(residuals, statement.fields, seconds=remaining, seed=seed)
    except ScimlError:
        return None


def _is_larger(special: SymmetryAlgebra, generic: SymmetryAlgebra) -> bool:
    """Compare jet dimensions: they also tell infinite algebras apart."""
    if special.infinite and not generic.infinite:
        return True
    if special.dimension is not None and generic.dimension is not None and special.dimension != generic.dimension:
        return special.dimension > generic.dimension
    if special.certificate is None or generic.certificate is None:
        return False
    pairs = zip(special.certificate.jet_dimensions, generic.certificate.jet_dimensions, strict=False)
    return any(a > b for a, b in pairs)


def _size(algebra: SymmetryAlgebra) -> str:
    finite = "unknown" if algebra.dimension is None else str(algebra.dimension)
    return f"dimension {finite}{' + infinite part' if algebra.infinite else ''}"


class _Search:
    """Candidates from one minor of the prolonged determining equations, as a polynomial in the parameter."""

    def __init__(self, derivation: Derivation, parameter: sp.Symbol, clock: Clock, seed: int) -> None:
        self.derivation, self.clock, self.random = derivation, clock, random.Random(seed)
        self.symbol, self.ring = parameter, derivation.ring
        self.k = self.ring.known.get(parameter, -1)
        self.reason = ""

    def candidates(self) -> list[sp.Expr]:
        self.derivation.determine()
        system = self.derivation.system
        assert system is not None
        found = {sp.Integer(0)}
        for polynomial in [*self.ring.inverted.values(), *system.divided]:
            found |= self._roots_over_rationals(polynomial)
        counter = Counter(system, self.random, self.clock)
        counter.count()
        # The sharpened system has used coefficients that may vanish: the minor is that of the system itself.
        order = self._order(system, counter)
        try:
            found |= set(self._roots_of_minors(system, order))
        except NoPointError:
            self.reason = "functions of the parameter in exponents or roots: only excluded values were tried"
        allowed = [value for value in found if _is_allowed(value, self.symbol)]
        return sorted(allowed, key=lambda v: (not v.is_rational, abs(v), sp.default_sort_key(v)))

    def _roots_over_rationals(self, polynomial: Polynomial) -> set[sp.Expr]:
        """Roots in the parameter of every factor that contains nothing else."""
        if self.k not in support([polynomial]):
            return set()
        _, parts = sp.factor_list(self.ring.expression(polynomial))
        free = [p for p, _ in parts if p.free_symbols == {self.symbol}]
        return {root for p in free for root in sp.roots(sp.Poly(p, self.symbol)) if root.is_real}

    def _order(self, system: System, counter: Counter) -> int:
        """The prolongation order at which the system itself shows its generic dimension up to two orders above."""
        target = counter.history[-1]
        prolonged = Prolonged(system, self.random, self.clock)
        least = len(counter.history) - 1
        for order in range(least, counter.highest + 1):
            prolonged.extend(order)
            if prolonged.dimensions()[:least] == target[:least]:
                return order
        return counter.highest

    def _roots_of_minors(self, system: System, order: int) -> Iterator[sp.Expr]:
        common, prime = None, None
        for _ in range(2):
            minor, prime = self._minor(system, order, prime)
            if minor is None:
                self.reason = "the minor is of too high a degree, or no polynomial in the parameter"
                return
            common = minor if common is None else gf_gcd(common, minor, prime, ZZ)
        assert common is not None
        assert prime is not None
        if len(common) < 2:
            return
        square_free = gf_sqf_part(gf_monic(common, prime, ZZ)[1], prime, ZZ)
        _, parts = gf_factor_sqf(square_free, prime, ZZ)
        linear = [-part[1] % prime for part in parts if len(part) == 2]
        quadratic = [(part[1], part[2]) for part in parts if len(part) == 3]
        irrational = []
        for root in linear:
            value = _small(root, prime)
            if value is None:
                irrational.append(root)
            else:
                yield value
        quadratic += [(-(a + b) % prime, a * b % prime) for i, a in enumerate(irrational) for b in irrational[:i]]
        for first, second in quadratic:
            p, q = _small(first, prime), _small(second, prime)
            if p is not None and q is not None:
                yield from (root for root in sp.roots(sp.Poly([1, p, q], self.symbol)) if root.is_real)

    def _minor(self, system: System, order: int, prime: int | None) -> tuple[list[int] | None, int]:
        """A minor of full generic rank as a polynomial in the parameter, highest coefficient first."""
        ring = self.ring
        used = support(poly for form in system.equations for poly in form.values()) | set(system.unknowns.variables)
        while True:
            start = random_point(ring, self.random, used)
            if prime is None or start.prime == prime:
                break
            start = Point(ring, prime, self.random)
            for k in sorted(used):
                start.value(k)
            break
        prime = start.prime
        moving = {k for k in range(len(ring.expressions)) if self.k in ring.base_of(k) and k in ring.relations}
        if moving & used:
            raise NoPointError
        # Independent functions such as u**n keep their value while n moves: at a generic point they are unrelated.
        fixed = {k: v for k, v in start.values.items() if k != self.k and k not in ring.inverted}
        shared: dict = {}
        pivots: tuple[int, ...] | None = None
        nodes: list[int] = []
        newton: list[int] = []
        zeros = 0
        while zeros < 3:
            self.clock.check()
            if len(nodes) > HIGHEST_DEGREE:
                return None, prime
            node = self.random.randrange(2, prime)
            point = Point(ring, prime, self.random, {**fixed, self.k: node})
            prolonged = Prolonged(system, self.random, self.clock, point)
            prolonged._derivatives = shared
            prolonged.extend(order)
            fixed = {**fixed, **{k: v for k, v in point.values.items() if k != self.k and k not in ring.inverted}}
            columns = tuple(prolonged.echelon.rows)
            if pivots is None:
                pivots = columns
            elif columns != pivots:
                continue
            value = _divided(nodes, newton, node, prolonged.echelon.determinant, prime)
            nodes.append(node)
            newton.append(value)
            zeros = zeros + 1 if value == 0 else 0
        return _expanded(nodes, newton, prime), prime


def _is_allowed(value: sp.Expr, symbol: sp.Symbol) -> bool:
    """Does a value agree with what was assumed of the symbol?"""
    flags = ("positive", "negative", "nonnegative", "nonpositive", "nonzero", "integer")
    return all(getattr(value, f"is_{flag}") is not False for flag in flags if symbol.assumptions0.get(flag))


def _divided(nodes: Sequence[int], newton: Sequence[int], node: int, value: int, prime: int) -> int:
    """The next coefficient of Newton's interpolation."""
    total, product = 0, 1
    for known, coefficient in zip(nodes, newton, strict=True):
        total = (total + coefficient * product) % prime
        product = product * (node - known) % prime
    return (value - total) * pow(product, -1, prime) % prime


def _expanded(nodes: Sequence[int], newton: Sequence[int], prime: int) -> list[int]:
    """Newton's form as coefficients, the highest first."""
    result: list[int] = []
    for node, coefficient in zip(reversed(nodes), reversed(newton), strict=True):
        shifted = [*result, 0]
        for i, c in enumerate(result):
            shifted[i + 1] = (shifted[i + 1] - node * c) % prime
        shifted[-1] = (shifted[-1] + coefficient) % prime if shifted else coefficient
        result = shifted
        while result and not result[0]:
            result.pop(0)
    return result


def _small(value: int, prime: int) -> sp.Rational | None:
    fraction = rational(value, prime)
    if fraction is None or abs(fraction[0]) > LARGEST_HEIGHT or fraction[1] > LARGEST_HEIGHT:
        return None
    return sp.Rational(*fraction)
