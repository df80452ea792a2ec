"""The result of a derivation: a Lie algebra of point symmetries with its certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.generator import Generator


@dataclass(frozen=True)
class Family:
    """Infinitely many symmetries: a generator that contains arbitrary functions.

    Attributes:
        name: What kind it is: "superposition", "arbitrary function", "conformal", "linearising".
        generator: The vector field; its coefficients contain the functions.
        functions: The arbitrary functions.
        constraints: Expressions in the functions that must vanish; empty if they are entirely free.
    """

    name: str
    generator: Generator
    functions: tuple[AppliedUndef, ...]
    constraints: tuple[sp.Expr, ...] = ()

    def __str__(self) -> str:
        """The field, then the conditions on its functions."""
        conditions = ", ".join(f"{c} = 0" for c in self.constraints)
        return f"{self.generator}" + (f"  with {conditions}" if conditions else "") + f"  ({self.name})"

    __repr__ = __str__

    def latex(self) -> str:
        """LaTeX code of the field and its conditions."""
        conditions = r",\ ".join(sp.latex(sp.Eq(c, 0)) for c in self.constraints)
        return self.generator.latex() + (r"\quad\text{with }" + conditions if conditions else "")


@dataclass(frozen=True)
class Certificate:
    """What the claim of completeness rests on.

    The lower bound is exact: every generator satisfies the determining equations identically and they are
    independent. The upper bound is a count at random points modulo primes near 2**61 (Reid 1991; the stop rule is
    in `counting`): wrong with a probability of the order degree / 2**61 per point.

    Attributes:
        generators: Number of generators that satisfy the determining equations and are independent.
        counted: The dimension that was counted: D_m minus what the families explain.
        jet_order: The order m of the stop rule.
        prolongation_order: The order N of the prolonged determining equations.
        jet_dimensions: D_0, D_1, ... at generic points.
        family_dimensions: How much of them the families explain.
        primes: One modulus per random point.
        equations: Number of determining equations.
        verified: Whether every generator and family passed the independent check on the solution manifold.
    """

    generators: int
    counted: int | None
    jet_order: int
    prolongation_order: int
    jet_dimensions: tuple[int, ...]
    family_dimensions: tuple[int, ...]
    primes: tuple[int, ...]
    equations: int
    verified: bool

    @property
    def points(self) -> int:
        """Number of random points that agreed."""
        return len(self.primes)

    def __str__(self) -> str:
        """One line."""
        what = "verified" if self.verified else "exact, not independently verified,"
        counted = "an unknown number" if self.counted is None else str(self.counted)
        sign = "=" if self.counted == self.generators else "of"
        return (
            f"{self.generators} {what} generators {sign} {counted} counted "
            f"({self.points} points, m = {self.jet_order}, N = {self.prolongation_order})"
        )


@dataclass(frozen=True, eq=False)
class SymmetryAlgebra:
    """Lie point symmetries of a system of PDEs.

    Attributes:
        equations: The system as residuals.
        fields: The unknowns.
        coordinates: The independent variables.
        generators: A basis of the finite part.
        families: What makes the algebra infinite-dimensional, named.
        dimension: Dimension of the finite part: modulo the families, which absorb what they contain for
            special functions; None where it is not known.
        infinite: Whether the algebra is infinite-dimensional; None where it is not known.
        certified: Whether the generators and families were proved to be all, in the sense of `Certificate`.
        certificate: The numbers behind it, or None.
        reason: Why it is not certified, or empty.
        notes: What was changed or assumed: integrability conditions, floats made rational, ...
        seconds: Processor time of the derivation.
    """

    equations: tuple[sp.Expr, ...]
    fields: tuple[AppliedUndef, ...]
    coordinates: tuple[sp.Symbol, ...]
    generators: tuple[Generator, ...] = ()
    families: tuple[Family, ...] = ()
    dimension: int | None = None
    infinite: bool | None = None
    certified: bool = False
    certificate: Certificate | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def __len__(self) -> int:
        """The number of generators found."""
        return len(self.generators)

    def __iter__(self):
        """The generators."""
        return iter(self.generators)

    @cached_property
    def _brackets(self) -> tuple[tuple[Generator, ...], ...]:
        return tuple(tuple(x.commutator(y) for y in self.generators) for x in self.generators)

    def commutators(self) -> tuple[tuple[Generator, ...], ...]:
        """The table of Lie brackets.

        Returns:
            `table[i][j]` is [X_i, X_j] as a generator.
        """
        return self._brackets

    def __str__(self) -> str:
        """Dimension, certificate, generators, families."""
        size = "unknown" if self.dimension is None else str(self.dimension)
        kind = " + infinite part" if self.infinite else ""
        lines = [f"Lie point symmetries of {', '.join(f'{e} = 0' for e in self.equations)}"]
        lines.append(f"dimension {size}{kind}; " + ("certified: " if self.certified else "not certified: ")
                     + (self.reason or str(self.certificate)))  # fmt: skip
        lines += [f"  X{k} = {x}" for k, x in enumerate(self.generators, 1)]
        lines += [f"  X∞ = {family}" for family in self.families]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    __repr__ = __str__

    def latex(self) -> str:
        """LaTeX code of the generators and families, aligned."""
        rows = [f"X_{{{k}}} &= {x.latex()}" for k, x in enumerate(self.generators, 1)]
        rows += [rf"X_\infty &= {family.latex()}" for family in self.families]
        return r"\begin{aligned}" + r"\\".join(rows) + r"\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"
