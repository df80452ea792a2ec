"""The result of a derivation: a Lie algebra of point symmetries with its certificate."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml import expression_json as tree
from sciml.errors import CheckpointError
from solvers.symmetry.generator import Generator
from solvers.symmetry.structure import LeviData, expand_in, levi_data, structure_constants

FORMAT = "symmetry algebra 1"
PLAIN = ("dimension", "infinite", "certified", "reason", "notes", "seconds")


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

    @cached_property
    def _constants(self) -> sp.ImmutableDenseNDimArray:
        return structure_constants(self.generators)

    def structure_constants(self) -> sp.ImmutableDenseNDimArray:
        """The numbers c with [X_i, X_j] = sum_k c[i, j, k] X_k, exact in the parameters.

        Returns:
            Array of shape (r, r, r).

        Raises:
            SolverError: If a bracket is outside the span of the generators.
        """
        return self._constants

    def levi(self) -> LeviData:
        """Derived and central series, Killing form, solvable radical, centre.

        Returns:
            The data of the algebra that the generators span.

        Raises:
            SolverError: If a bracket is outside the span of the generators.
        """
        return self._levi

    @cached_property
    def _levi(self) -> LeviData:
        return levi_data(self._constants)

    def contains(self, generator: Generator) -> bool:
        """Is a vector field in the span of the generators?

        Args:
            generator: On the same variables.

        Returns:
            True if it is a combination with constant coefficients.
        """
        return expand_in(self.generators, [generator])[0] is not None

    def commutator_table(self) -> str:
        """The brackets as a text table, in terms of the generators.

        Returns:
            One line per generator.

        Raises:
            SolverError: If a bracket is outside the span of the generators.
        """
        r, c = len(self.generators), self._constants
        cells = [["", *(f"X{j + 1}" for j in range(r))]]
        cells += [[f"X{i + 1}", *(_combination([c[i, j, k] for k in range(r)]) for j in range(r))] for i in range(r)]
        widths = [max(len(row[j]) for row in cells) for j in range(r + 1)]
        return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in cells)

    def to_json(self) -> str:
        """The algebra as JSON text; expressions are stored as trees, never as code.

        Returns:
            The text.
        """
        return algebra_to_json(self)

    @classmethod
    def from_json(cls, text: str) -> SymmetryAlgebra:
        """Rebuild an algebra; nothing in the text is evaluated.

        Args:
            text: From `to_json`.

        Returns:
            The algebra.

        Raises:
            CheckpointError: If the text is malformed.
        """
        return cls(**algebra_from_json(text))

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


def _combination(coefficients: list[sp.Expr]) -> str:
    terms = sum(c * sp.Symbol(f"X{k + 1}") for k, c in enumerate(coefficients))
    return str(terms)


def algebra_to_json(algebra: SymmetryAlgebra) -> str:
    """The JSON text of an algebra."""

    def vector(generator: Generator) -> list:
        return [tree.to_json(c) for c in generator.components]

    data = {
        "format": FORMAT,
        "equations": [tree.to_json(e) for e in algebra.equations],
        "fields": [tree.to_json(u) for u in algebra.fields],
        "coordinates": [tree.to_json(x) for x in algebra.coordinates],
        "generators": [vector(x) for x in algebra.generators],
        "families": [
            {
                "name": f.name,
                "generator": vector(f.generator),
                "functions": [tree.to_json(a) for a in f.functions],
                "constraints": [tree.to_json(c) for c in f.constraints],
            }
            for f in algebra.families
        ],
        "certificate": None if algebra.certificate is None else asdict(algebra.certificate),
        **{key: getattr(algebra, key) for key in PLAIN},
    }
    return json.dumps(data)


def algebra_from_json(text: str) -> dict:
    """The attributes of an algebra from its JSON text."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise CheckpointError(f"format {FORMAT!r}", repr(data["format"]), "write the file again")
        fields = tuple(tree.from_json(u) for u in data["fields"])
        coordinates = tuple(tree.from_json(x) for x in data["coordinates"])

        def vector(components: list) -> Generator:
            values = [tree.from_json(c) for c in components]
            return Generator(coordinates, fields, dict(zip((*coordinates, *fields), values, strict=True)))

        families = tuple(
            Family(
                str(f["name"]),
                vector(f["generator"]),
                tuple(tree.from_json(a) for a in f["functions"]),
                tuple(tree.from_json(c) for c in f["constraints"]),
            )
            for f in data["families"]
        )
        certificate: Any = data["certificate"]
        if certificate is not None:
            plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in certificate.items()}
            certificate = Certificate(**plain)
        known = {key: tuple(data[key]) if isinstance(data[key], list) else data[key] for key in PLAIN}
        return {
            "equations": tuple(tree.from_json(e) for e in data["equations"]),
            "fields": fields,
            "coordinates": coordinates,
            "generators": tuple(vector(x) for x in data["generators"]),
            "families": families,
            "certificate": certificate,
            **known,
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError("JSON of a symmetry algebra", f"{type(error).__name__}: {error}", "") from None
