"""Symmetries of an initial-boundary value problem: those of the equations that also keep domain and data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sympy as sp

from sciml.callables import is_numeric_only
from sciml.conditions import Periodic, normal
from sciml.errors import ProblemError, SolverError
from sciml.ibvp import IBVP
from sciml.terms import Term
from solvers.symmetry.algebra import SymmetryAlgebra
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.family_members import polynomial_members
from solvers.symmetry.generator import Generator
from solvers.symmetry.invariance import Face, Requirement, independent, null_combinations, requirement_rows


@dataclass(frozen=True, eq=False)
class IBVPSymmetries:
    """The subalgebra that keeps an initial-boundary value problem.

    Attributes:
        problem: The problem.
        algebra: The algebra of its equations, parameters at their values.
        generators: A basis of the combinations that keep everything.
        dropped: Generator of the algebra to the first thing that it changes; combinations of dropped
            generators may survive.
        notes: What is not covered.
    """

    problem: IBVP
    algebra: SymmetryAlgebra
    generators: tuple[Generator, ...]
    dropped: dict[Generator, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def dimension(self) -> int:
        """Number of independent generators that survive."""
        return len(self.generators)

    def __len__(self) -> int:
        """Number of generators."""
        return len(self.generators)

    def __iter__(self) -> Iterator[Generator]:
        """The generators."""
        return iter(self.generators)

    def __bool__(self) -> bool:
        """Whether anything survives."""
        return bool(self.generators)

    def __str__(self) -> str:
        """Survivors, then what was dropped and why."""
        lines = [f"{len(self.generators)} generators survive"]
        lines += [f"  {g}" for g in self.generators]
        lines += [f"  dropped {g}: {why}" for g, why in self.dropped.items()]
        return "\n".join(lines + [f"  ({note})" for note in self.notes])

    __repr__ = __str__


def ibvp_symmetries(problem: IBVP, algebra: SymmetryAlgebra | None = None) -> IBVPSymmetries:
    """Point symmetries that leave domain, boundary, initial line and data invariant (Bluman, 1974).

    For X = Σ c_k X_k of the algebra of the equations: X ω = 0 on every boundary surface ω = 0 and on the initial
    line; pr X(B) = 0 on B = 0 for every condition, which for data u = g is X(u − g) = 0 on u = g. Tangential
    derivatives of the conditions on the same face are used too. Everything is linear in c, so the result is one
    null space. The final time is no boundary: X may move it. (G. W. Bluman, Q. Appl. Math. 31, 1974, 403-415.)

    Args:
        problem: The problem.
        algebra: Symmetries of its equations, if known; default: `point_symmetries`.

    Returns:
        The subalgebra with the reasons for what was dropped.

    Raises:
        ProblemError: If the argument is no IBVP or its data are numeric-only.

    Example:
        >>> from sciml import IBVP, Dirichlet, Disk, coordinates, field
        >>> x, y = coordinates("x y")
        >>> u = field("u", x, y)
        >>> poisson = IBVP(u.diff(x, 2) + u.diff(y, 2) + 1, Disk((x, y), radius=1), boundary=[Dirichlet(u, 0)])
        >>> rotation = Generator((x, y), (u,), {x: y, y: -x})
        >>> scaling = Generator((x, y), (u,), {x: x, y: y, u: 2 * u})
        >>> from dataclasses import replace
        >>> algebra = SymmetryAlgebra(poisson.equations, (u,), (x, y), (rotation, scaling))
        >>> ibvp_symmetries(poisson, algebra).generators
        (y ∂_x - x ∂_y,)
    """
    if not isinstance(problem, IBVP):
        raise ProblemError("an IBVP", repr(problem), "equations alone have no data: use point_symmetries")
    if algebra is None:
        algebra = point_symmetries([problem.substitute(e) for e in problem.equations], problem.fields)
    requirements, notes = _requirements(problem)
    members = [m for family in algebra.families for m in polynomial_members(family)]
    generators = independent([*algebra.generators, *members])
    blocks = [(r, requirement_rows(r, generators, problem)) for r in requirements]
    combinations = null_combinations([row for _, rows in blocks for row in rows], generators)
    dropped = {}
    for k, generator in enumerate(generators):
        broken = next((r for r, rows in blocks if any(row.breaks(k) for row in rows)), None)
        if broken is not None and generator in algebra.generators:
            dropped[generator] = broken.reason(generator)
    if algebra.families:
        shown = "; ".join(str(f) for f in algebra.families)
        notes.append(f"of the infinite families only members with polynomials of degree two are searched: {shown}")
    if not algebra.certified:
        notes.append(f"the algebra of the equations is not certified: {algebra.reason}")
    return IBVPSymmetries(problem, algebra, tuple(combinations), dropped, tuple(notes))


def _requirements(problem: IBVP) -> tuple[list[Requirement], list[str]]:
    """Every surface first, then the conditions: so a reason names the plainest fault."""
    surfaces, data, notes = [], [], []
    periodic = {face for term in problem.terms if term.periodic for face in term.faces}
    for name in problem.faces:
        if name in periodic:
            continue
        terms = [t for t in problem.terms if t.kind == "boundary" and name in t.faces and not t.periodic]
        for level in _levels(problem, name):
            face = Face(name, level)
            surfaces.append(Requirement(face, ()))
            data.append(Requirement(face, _conditions(terms, problem, name, level)))
    if problem.time is not None:
        t, start, _ = problem.time
        initial = Face("the initial line", t - start)
        surfaces.append(Requirement(initial, ()))
        terms = [term for term in problem.terms if term.kind == "initial"]
        data.append(Requirement(initial, _conditions(terms, problem, None, initial.level)))
    requirements = surfaces + [r for r in data if r.conditions]
    for term in problem.terms:
        if term.periodic:
            requirements.append(_periodic(term, problem))
        elif term.kind == "point":
            notes.append(f"{term.name}: a condition at one point is not used")
        elif term.kind == "observation":
            notes.append(f"{term.name}: observations are not used")
    return requirements, notes


def _conditions(terms: Sequence[Term], problem: IBVP, face: str | None, level: sp.Expr) -> tuple[sp.Expr, ...]:
    expressions = [problem.substitute(e) for term in terms for e in term.expressions]
    if any(is_numeric_only(e) for e in expressions):
        raise ProblemError("data in SymPy", "numeric-only data", "give the data as expressions")
    if face is None:
        return tuple(expressions)
    components = _normal(problem, face, level)
    return tuple(e.xreplace(components) for e in expressions)


def _normal(problem: IBVP, face: str, level: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """Components of the outward normal: the gradient of the level, whose length is constant on lines and circles."""
    gradient = [level.diff(x) for x in problem.space]
    point = problem.domain.sample_face(face, 64)
    values = {x: point[:, k] for k, x in enumerate(problem.space)}
    on_piece = abs(sp.lambdify(problem.space, level, "numpy")(*values.values())) < 1e-9 * max(1.0, problem.domain.size)
    place = point[on_piece][0] if on_piece.any() else point[0]
    exact = {x: sp.Float(v) for x, v in zip(problem.space, place, strict=True)}
    outward = problem.domain.normals(face, place[None, :])[0]
    along = sum(float(g.xreplace(exact)) * n for g, n in zip(gradient, outward, strict=True))
    length = sp.sqrt(sp.expand(sum(g**2 for g in gradient)))
    if length.free_symbols:
        present = [x for x in problem.space if level.has(x)]
        half = [sp.expand(level).coeff(x, 1) / 2 for x in present]
        length = 2 * sp.sqrt(sp.expand(sum(h**2 for h in half) - level.subs(dict.fromkeys(present, 0))))
    sign = 1 if along > 0 else -1
    symbols = [normal(x) for x in problem.space]
    return {n: sign * g / length for n, g in zip(symbols, gradient, strict=True)}


def _levels(problem: IBVP, face: str) -> list[sp.Expr]:
    """Expressions that vanish on the pieces of a face."""
    single = problem.domain.face_expression(face)
    if single is not None:
        return [single]
    found = []
    space = problem.space
    for name, kind, data in problem.domain.primitives():
        if name != face:
            continue
        if kind == "facet":
            low, _, axis, _ = data
            found.append(space[axis] - sp.Rational(repr(low[axis])))
        elif kind == "point":
            found.append(space[0] - sp.Rational(repr(data[0])))
        elif kind == "segment":
            (ax, ay), (bx, by) = (tuple(sp.Rational(repr(float(c))) for c in point) for point in data)
            found.append((space[0] - ax) * (by - ay) - (space[1] - ay) * (bx - ax))
        elif kind == "arc":
            centre, radius = data[2], data[3]
            found.append(sum((x - sp.Rational(repr(float(c)))) ** 2 for x, c in zip(space, centre, strict=True))
                         - sp.Rational(repr(float(radius))) ** 2)  # fmt: skip
        else:
            raise SolverError("faces made of lines, circles and planes", kind)
    return list(dict.fromkeys(found))


def _periodic(term: Term, problem: IBVP) -> Requirement:
    assert isinstance(term.condition, Periodic)
    first, second = term.faces
    low, high = problem.domain.face_expression(first), problem.domain.face_expression(second)
    if low is None or high is None:
        raise SolverError("periodic faces that are one plane each", f"{first}, {second}")
    return Requirement(Face(f"{first} and {second}", low), (), (problem.face_axis(first), sp.expand(low - high)))
