"""Independent check of symmetries: the prolonged field at random jets on the solution manifold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, DecimalException, localcontext
from functools import lru_cache

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.generator import Generator
from solvers.symmetry.manifold import Jet, JetPoint, SolutionManifold
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, TaylorRing, Value

TOLERANCE = Decimal("1e-30")


class Verifier:
    """Check of generators of one system, prepared once and reused.

    The infinitesimal criterion (Olver 1993, theorem 2.31) is evaluated as D_F[Q] + ξⁱ D_i F, with the
    Fréchet derivative D_F and the characteristic Q, at random jets that satisfy the system and its
    differential consequences up to one order above its own. All derivatives come from power series with 60
    digits; parameters and arbitrary functions take random values. Nothing is shared with the derivation.

    Args:
        equations: Residual expressions or `Eq`, in any solved or unsolved form.
        fields: Unknowns; default: every applied undefined function whose derivatives occur.
        coordinates: Independent variables; default: the arguments of the fields.
        points: Number of random points.
        seed: Seed of all random numbers.

    Raises:
        ProblemError: If there is no unknown.
        SolverError: If no random jet satisfies the equations.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> verifier = Verifier([u.diff(t) - u.diff(x, 2)], [u])
        >>> verifier.check(Generator((x, t), (u,), {x: 2 * t, u: -x * u}))
        True
        >>> verifier.check(Generator((x, t), (u,), {x: 2 * t, u: -x * u / 2}))
        False
    """

    def __init__(
        self,
        equations: Iterable[sp.Expr],
        fields: Sequence[AppliedUndef] | None = None,
        coordinates: Sequence[sp.Symbol] | None = None,
        points: int = 2,
        seed: int = 0,
    ) -> None:
        """Prepare the points."""
        self._manifold = SolutionManifold(equations, fields, coordinates, points, seed)
        self.fields, self.coordinates = self._manifold.fields, self._manifold.coordinates
        self._ring = TaylorRing(len(self.coordinates), self._manifold.ring.order - 1)

    def defect(self, generator: Generator) -> float:
        """Largest |D_F[Q] + ξⁱ D_i F|, relative to the sizes of its terms.

        Args:
            generator: Vector field on the same coordinates and fields.

        Returns:
            About 1e-55 for a symmetry, a number of order one otherwise.

        Raises:
            ProblemError: If the generator has other variables.
            SolverError: If its coefficients have no real value at the points of the check.
        """
        if set(generator.dependent) != set(self.fields) or set(generator.independent) != set(self.coordinates):
            raise ProblemError(f"a generator in {self.coordinates + self.fields}", str(generator.variables))
        full = self._manifold.full
        symbols = {u: sp.Dummy() for u in full.values()}
        concrete = self._manifold.concrete
        coefficients = {z: concrete(c.xreplace(full).xreplace(symbols)) for z, c in generator.coefficients.items()}
        with localcontext() as context:
            context.prec = DIGITS
            try:
                return float(
                    max(self._defect(coefficients, list(symbols.values()), point) for point in self._manifold.points)
                )
            except (SeriesDomainError, DecimalException) as error:
                raise SolverError(
                    "coefficients that are real near positive coordinates and fields", str(error)
                ) from error

    def _defect(self, coefficients: Mapping, symbols: list[sp.Dummy], point: JetPoint) -> Decimal:
        ring, low = self._ring, len(self._ring.indices)
        for c in coefficients.values():
            self._manifold.add_parameters(c.free_symbols - set(symbols), point.values)
        # One order less than the jets: a shorter list is the truncated series.
        short = {k: v if isinstance(v, Decimal) else v[:low] for k, v in point.values.items()}
        table = short | {s: f[:low] for s, f in zip(symbols, point.fields, strict=True)}
        memo: dict = {}
        shift = {z: ring.evaluate(c, table, memo) for z, c in coefficients.items()}
        characteristic: list[Value] = []
        for u, series in zip(self.fields, point.fields, strict=True):
            total = shift.get(u, Decimal(0))
            for axis, x in enumerate(self.coordinates):
                if x in shift:
                    unit = tuple(int(k == axis) for k in range(len(self.coordinates)))
                    slope = [-c for c in self._manifold.shift(series, unit)[:low]]
                    total = ring.add(total, ring.multiply(shift[x], slope))
            characteristic.append(total)
        return max(
            self._criterion(slopes, gradient, characteristic, shift)
            for slopes, gradient in zip(point.slopes, point.gradients, strict=True)
        )

    def _criterion(
        self, slopes: dict[Jet, Decimal], gradient: list[Decimal], q: list[Value], shift: Mapping
    ) -> Decimal:
        terms = []
        for (a, jet), slope in slopes.items():
            series = q[a]
            if isinstance(series, list):
                terms.append(slope * series[self._ring.position[jet]] * math.prod(map(math.factorial, jet)))
            elif not any(jet):
                terms.append(slope * series)
        for x, partial in zip(self.coordinates, gradient, strict=True):
            value = shift.get(x, Decimal(0))
            terms.append((value if isinstance(value, Decimal) else value[0]) * partial)
        return abs(sum(terms, Decimal(0))) / (1 + sum(map(abs, terms)))

    def check_family(
        self, generator: Generator, functions: Sequence[AppliedUndef], constraints: Sequence[sp.Expr] = ()
    ) -> bool:
        """Whether a generator with arbitrary functions is a symmetry for all of them.

        Free functions are replaced by random polynomials. Functions with constraints are replaced by random Taylor
        polynomials about the values of their arguments at the point of the check, whose coefficients satisfy the
        constraints: the criterion sees no more than these jets.

        Args:
            generator: Vector field whose coefficients contain the functions.
            functions: The arbitrary functions, applied to their arguments.
            constraints: Expressions in them that vanish.

        Returns:
            True if the criterion holds at every point.
        """
        if not constraints:
            return self.check(generator)
        arguments = tuple(dict.fromkeys(a for f in functions for a in f.args))
        names = {a: sp.Dummy(f"s{k}", real=True) for k, a in enumerate(arguments)}
        equations = [self._manifold.concrete(c, functions).xreplace(names) for c in constraints]
        slopes = [d.derivative_count for c in generator.components for d in c.atoms(sp.Derivative)]
        order = self._manifold.ring.order + max(slopes, default=0)
        worst = Decimal(0)
        with localcontext() as context:
            context.prec = DIGITS
            for number, point in enumerate(self._manifold.points):
                symbols = {u: sp.Dummy() for u in self.fields}
                values = self._values(arguments, point)
                at = {names[a]: v for a, v in zip(arguments, values, strict=True)}
                at |= {s: v for s, v in point.values.items() if isinstance(v, Decimal)}
                inner = [f.xreplace(names) for f in functions]
                jets = SolutionManifold(equations, inner, tuple(names.values()), 1, number, order, at)
                concrete = jets.polynomials()
                coefficients = {}
                for z, c in generator.coefficients.items():
                    for f, body in zip(functions, concrete, strict=True):
                        c = c.replace(f.func, body)
                    coefficients[z] = c.doit().xreplace(self._manifold.full).xreplace(symbols)
                worst = max(worst, self._defect(coefficients, list(symbols.values()), point))
        return worst < TOLERANCE

    def _values(self, arguments: Sequence[sp.Expr], point: JetPoint) -> list[Decimal]:
        result = []
        for a in arguments:
            series = point.fields[self.fields.index(a)] if a in self.fields else point.values[a]
            result.append(series if isinstance(series, Decimal) else series[0])
        return result

    def check(self, generator: Generator) -> bool:
        """Whether the generator is a point symmetry of the system.

        Args:
            generator: Vector field on the same coordinates and fields.

        Returns:
            True if the criterion holds to 30 digits at every point.
        """
        return self.defect(generator) < TOLERANCE


@lru_cache(maxsize=32)
def _verifier(equations: tuple, fields: tuple, coordinates: tuple, seed: int) -> Verifier:
    return Verifier(equations, fields, coordinates, seed=seed)


def verify_generator(generator: Generator, equations: sp.Expr | Iterable[sp.Expr], seed: int = 0) -> bool:
    """Whether a vector field is a point symmetry, checked apart from any derivation.

    Evaluates D_F[Q] + ξⁱ D_i F at random jets on the solution manifold (Olver 1993, theorem 2.31); see
    `Verifier`, which is kept and reused for the same equations.

    Args:
        generator: The vector field.
        equations: One equation or several, in any form.
        seed: Seed of the random points and parameters.

    Returns:
        True if the criterion holds to 30 digits.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> burgers = sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2))
        >>> verify_generator(Generator((x, t), (u,), {x: t, u: 1}), burgers)
        True
    """
    several = [equations] if isinstance(equations, sp.Basic) else list(itertools.chain(equations))
    return _verifier(tuple(map(sp.sympify, several)), generator.dependent, generator.independent, seed).check(generator)
