"""What the approximation misses: at the start, on the sides, and in the equations, as expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.classification import linear_form
from sciml.conditions import Condition, Dirichlet, Neumann, Periodic, Robin
from sciml.terms import Term
from solvers.lie.bounds.patches import Enclosure, Patch, domain_patches, exact, face_patches
from solvers.lie.bounds.regularity import require_smooth
from solvers.lie.bounds.residuals import residual_expressions
from solvers.lie.bounds.rounding import UNIT, rounding_error
from solvers.lie.bounds.start import at_start, joined_exponentials
from solvers.lie.bounds.sup import NotEnclosed, size_by_cells
from solvers.lie.bounds.zeros import vanishes


@dataclass(frozen=True)
class Side:
    """A condition on one face: e = g (beta None), or e_n + beta e = g.

    Attributes:
        field: Index of the field.
        face: Name of the face.
        beta: None for Dirichlet, 0 for Neumann.
        gap: g, the mismatch, in the coordinates and the components of the normal.
        patches: The face, times the time interval.
    """

    field: int
    face: str
    beta: sp.Expr | None
    gap: sp.Expr
    patches: tuple[Patch, ...]


@dataclass(frozen=True)
class Jump:
    """A periodic condition: what u (and its normal derivative) on the upper face exceeds that on the lower by.

    Attributes:
        field: Index of the field.
        axis: The coordinate across.
        gaps: Mismatch of the value, and of the derivative.
        faces: Both faces.
    """

    field: int
    axis: sp.Symbol
    gaps: tuple[sp.Expr, ...]
    faces: tuple[str, ...]


class Mismatch:
    """Mismatch of an approximation of a problem.

    Args:
        problem: The problem.
        expressions: Field -> approximation.
        enclosure: Norms over patches.
        terms: None, or (amplitude, atom per field, accuracy of the atom in units of rounding) of every term.
        rounding: None, or a bound of the rounding of the evaluation that the caller has proven.
        promised: Whether the caller has proven that the approximation is smooth inside or a weak solution there, up to
            the residual of its formula.
        solved: Parts of the approximation that solve the equations without their sources exactly, or miss them by
            no more than the slack.
        slack: Bound of the residual of those parts.
    """

    def __init__(
        self,
        problem: Any,
        expressions: Mapping[AppliedUndef, sp.Expr],
        enclosure: Enclosure,
        terms: Sequence[tuple[float, tuple[sp.Expr, ...], float]] | None = None,
        rounding: float | None = None,
        promised: bool = False,
        solved: Mapping[AppliedUndef, sp.Expr] | None = None,
        slack: float = 0.0,
    ) -> None:
        self.terms, self._promised, self.promised, self._solved = terms, rounding, promised, solved or {}
        self._slack = slack
        self.problem, self.enclosure = problem, enclosure
        self.expressions = {known: joined_exponentials(sp.sympify(expressions[known])) for known in problem.fields}
        self.space = tuple(problem.space)
        self.time = problem.time[0] if problem.time else None
        ends: tuple[Any, Any] = tuple(exact(t) for t in problem.time[1:]) if problem.time else (None, None)
        self.start, self.end = ends

    @property
    def duration(self) -> float:
        """T, rounded up."""
        return float(self.end - self.start) * (1 + 1e-15) if self.time is not None else 0.0

    @cached_property
    def inside(self) -> list[Patch]:
        """The domain."""
        return domain_patches(self.problem.domain)

    @cached_property
    def everywhere(self) -> list[Patch]:
        """The domain times the time interval."""
        return [self._timed(patch) for patch in self.inside]

    def face(self, name: str) -> tuple[Patch, ...]:
        """A face times the time interval."""
        return tuple(self._timed(patch) for patch in face_patches(self.problem.domain, name))

    def _timed(self, patch: Patch) -> Patch:
        return patch if self.time is None else patch.times(self.time, self.start, self.end)

    @cached_property
    def ends(self) -> list[tuple[sp.Rational, sp.Rational]]:
        """Rational ends of a box around the domain, and of the time interval."""
        known = self.problem.domain.symbolic_bounds or self.problem.domain.bounds
        ends = [(exact(low), exact(high)) for low, high in known]
        if self.time is not None:
            ends.append((self.start, self.end))
        return [(_outwards(low, -1), _outwards(high, 1)) for low, high in ends]

    def require_smooth(self, branches: bool = False) -> None:
        """The approximation must be smooth inside, so that its residual is what the formula says.

        Args:
            branches: Whether kinks and jumps have been dealt with.

        Raises:
            NotEnclosed: If that is not proven.
        """
        for expression in self.expressions.values():
            if not self.promised:
                require_smooth(expression, self.problem.domain, self.ends, self.problem.coordinates, branches)

    def require_agreement(self, field: int = 0) -> None:
        """Initial data must agree with Dirichlet and periodic sides, so that an error with exact sides starts so too.

        Args:
            field: Index of the field.

        Raises:
            NotEnclosed: If they do not, or that is not proven.
        """
        known = self.problem.fields[field]
        start = self.problem.substitute(self.problem.initial[known])
        for term in self._boundary_terms():
            gaps = []
            if term.periodic:
                if term.condition.field == known:
                    axis = self.problem.face_axis(term.faces[0])
                    low, high = (start.xreplace({axis: _plane(self.problem.domain, f, axis)}) for f in term.faces)
                    gaps = [high - low]
            elif (kind := self._kind(term))[0] == field and kind[1] is None:
                at_rest = dict.fromkeys(self.problem.fields, sp.S.Zero) | {known: start}
                gap = self.problem.substitute(term.expressions[0]).subs(at_rest).doit() / kind[2]
                gaps = [p.pull(gap.xreplace({self.time: self.start}), self.space)
                        for face in term.faces for p in face_patches(self.problem.domain, face)]  # fmt: skip
            if not all(vanishes(gap) for gap in gaps):
                raise NotEnclosed("initial and side data do not agree where they meet: no bound is known")

    def put(self, expression: sp.Expr) -> sp.Expr:
        """The approximation in place of the fields."""
        return self.problem.substitute(expression).subs(self.expressions).doit()

    @cached_property
    def residuals(self) -> list[sp.Expr]:
        """Left minus right side of every equation."""
        rest = {known: value - self._solved.get(known, 0) for known, value in self.expressions.items()}
        return residual_expressions(self.problem, rest)

    def initial(self, field: int, order: int = 0) -> sp.Expr:
        """∂_t^order of the approximation at the start minus the data.

        Args:
            field: Index of the field.
            order: 0 for the value, 1 for the velocity.

        Returns:
            An expression of the space coordinates.

        Raises:
            NotEnclosed: If there are no such data.
        """
        known = self.problem.fields[field]
        key = known.diff(self.time, order) if order else known
        if key not in self.problem.initial:
            raise NotEnclosed(f"no initial data for {key}")
        value = self.expressions[known].diff(self.time, order) if order else self.expressions[known]
        data = self.problem.substitute(self.problem.initial[key])
        return at_start(value, self.time, self.start, self._sign) - data

    def _sign(self, expression: sp.Expr) -> int:
        exact = sp.factor(expression.xreplace({f: sp.Rational(f) for f in expression.atoms(sp.Float)}))
        if exact.is_nonpositive and not exact.is_negative and not exact.free_symbols:
            return 0
        if self.enclosure.range(exact, self.inside)[1] < 0:
            return -1
        return 0 if exact.is_nonpositive else 1

    def _boundary_terms(self) -> list[Term]:
        return [term for term in self.problem.terms if term.kind == "boundary"]

    @cached_property
    def sides(self) -> list[Side]:
        """Every condition on every face, periodic ones left out.

        Raises:
            NotEnclosed: If a condition is of another kind.
        """
        found = []
        for term in self._boundary_terms():
            if term.periodic:
                continue
            field, beta, scale = self._kind(term)
            gap = self.put(term.expressions[0]) / scale
            found += [Side(field, face, beta, gap, self.face(face)) for face in term.faces]
        if any(term.kind in {"point", "observation"} for term in self.problem.terms):
            raise NotEnclosed("conditions at single points and observations carry no error bound")
        return found

    def _kind(self, term: Term) -> tuple[int, sp.Expr | None, sp.Expr]:
        """Field, beta, and the factor by which the condition is divided."""
        condition = term.condition
        if isinstance(condition, (Dirichlet, Neumann, Robin)):
            field = list(self.problem.fields).index(condition.field)
            if isinstance(condition, Dirichlet):
                return field, None, sp.S.One
            beta = self.problem.substitute(condition.beta) if isinstance(condition, Robin) else sp.S.Zero
            return field, sp.sympify(beta), sp.S.One
        assert isinstance(condition, Condition)
        form = linear_form(self.problem.substitute(term.expressions[0]), self.problem.fields, self.problem.coordinates)
        if form is not None and len({jet[0] for jet in form.coefficients}) == 1:
            (field,) = {jet[0] for jet in form.coefficients}
            coefficients = {jet[1]: c for jet, c in form.coefficients.items()}
            value = coefficients.pop((0,) * len(self.problem.coordinates), sp.S.Zero)
            if not coefficients and value.is_number and value != 0:
                return field, None, value
        raise NotEnclosed(f"the condition {term.name!r} is of a kind without a known bound")

    @cached_property
    def jumps(self) -> list[Jump]:
        """Every periodic condition."""
        found = []
        for term in self._boundary_terms():
            if not term.periodic:
                continue
            assert isinstance(term.condition, Periodic)
            axis = self.problem.face_axis(term.faces[0])
            ends = [_plane(self.problem.domain, face, axis) for face in term.faces]
            low, high = sorted(ends, key=float)
            values = [self.put(e) for e in term.expressions]
            gaps = tuple(v.xreplace({axis: high}) - v.xreplace({axis: low}) for v in values)
            found.append(Jump(list(self.problem.fields).index(term.condition.field), axis, gaps, term.faces))
        return found

    def require_all_sides(self) -> None:
        """Every face must carry a condition on every field: an open side would leave the error free.

        Raises:
            NotEnclosed: If one does not.
        """
        for field in range(len(self.problem.fields)):
            given = {side.face for side in self.sides if side.field == field}
            given |= {face for jump in self.jumps if jump.field == field for face in jump.faces}
            missing = [face for face in self.problem.faces if face not in given]
            if missing:
                raise NotEnclosed(f"no condition on {', '.join(missing)}")

    @cached_property
    def rounding(self) -> tuple[float, list]:
        """Rounding of the evaluation of all fields over the domain and all times, and the boxes it leaves out."""
        worst, left = 0.0, list[Any]()
        if self._promised is not None:
            return self._promised, left
        if self.terms is not None:
            return self._rounding_by_terms(), left
        for expression in self.expressions.values():
            for patch in self.everywhere:
                axes, box = patch.axes, patch.box
                if patch.place:  # the user's coordinates are floats, not polar ones
                    axes = self.problem.coordinates
                    box = tuple((sp.Rational(low), sp.Rational(high)) for low, high in self.problem.bounds)
                found, rest = rounding_error(expression, axes, box, self.enclosure.deadline)
                worst, left = max(worst, found), left + rest
        return worst, left

    def _rounding_by_terms(self) -> float:
        """Worst field of u Σ_j (units_j + n) |a_j| sup|φ_j|: n - 1 additions in any order, and the amplitudes."""
        assert self.terms is not None
        totals = [0.0] * len(self.expressions)
        for amplitude, atom, units in self.terms:
            for field, part in enumerate(atom):
                size = 0.0 if part == 0 else self._size(joined_exponentials(part))
                totals[field] += (units + len(self.terms) + 2) * UNIT * abs(amplitude) * size
        return max(totals) * (1 + 1e-9)

    def _size(self, atom: sp.Expr) -> float:
        """Rough bound of |φ|."""
        return max(size_by_cells(patch.pull(atom), patch.axes, patch.box, self.enclosure.deadline)
                   for patch in self.everywhere)  # fmt: skip

    def norms(self, expression: sp.Expr, patches: Sequence[Patch], target: float = 0.0) -> Any:
        """Norms of an expression over patches."""
        return self.enclosure.norms(expression, patches, target)

    def sup(self, expression: sp.Expr, patches: Sequence[Patch], target: float = 0.0) -> float:
        """Sup norm of an expression over patches."""
        if expression == 0:
            return 0.0
        return self.enclosure.norms(expression, patches, max(target, self.noise)).sup

    @property
    def noise(self) -> float:
        """A part of the rounding: what is smaller need not be enclosed sharply."""
        return 0.1 * self.rounding[0]

    def source(self, residual: sp.Expr, target: float = 0.0) -> tuple[float, float]:
        """∫ sup_x |f(x, t)| dt, and |f| itself.

        Terms with negative powers of t - t0 (derivatives of atoms like √t erfc(x/√t), times the rounding of their
        coefficients) are bounded by 2 √T sup |√(t - t0) f|.

        Args:
            residual: f.
            target: A sup below this is as good as 0.

        Returns:
            Both bounds; the second is infinite where such terms are present.
        """
        since = self.time - self.start if self.time is not None else sp.S.One
        terms = sp.Add.make_args(sp.sympify(residual))
        singular = [term for term in terms if _negative_power(term, since)]
        regular = sp.Add(*[term for term in terms if term not in singular])
        target = max(target, self.noise / self.duration) if self.duration else target
        size = self.residual_sup(regular, target)
        if not singular:
            return self.duration * size, size
        weighted = sp.Add(*[sp.sqrt(since) * term for term in singular])
        rest = self._enclosed_residual(weighted, target * self.duration**0.5)
        return self.duration * size + 2 * self.duration**0.5 * rest * (1 + 1e-12), float("inf")

    def residual_sup(self, expression: sp.Expr, target: float) -> float:
        """|f| over everything: by coarse cells where that is a fraction of what else there is (25 targets)."""
        return self._slack + self._enclosed_residual(expression, target)

    def _enclosed_residual(self, expression: sp.Expr, target: float) -> float:
        if expression == 0:
            return 0.0
        cells = [size_by_cells(p.pull(expression), p.axes, p.box, self.enclosure.deadline) for p in self.everywhere]
        if max(cells) <= 25 * target:
            return max(cells)
        return self.enclosure.norms(expression, self.everywhere, target, 0.3).sup

    def side_sup(self, side: Side, target: float = 0.0) -> float:
        """|g| of a side."""
        return self.sup(side.gap, side.patches, max(target, self.noise))


def _negative_power(term: sp.Expr, base: sp.Expr) -> bool:
    return any(f.as_base_exp()[0] == base and f.as_base_exp()[1].is_negative for f in sp.Mul.make_args(term))


def _outwards(end: sp.Expr, way: int) -> sp.Rational:
    """A rational end as it is, an irrational one moved out by a little."""
    if end.is_Rational:
        return end
    return sp.Rational(float(end)) + way * sp.Rational(1, 10**14) * (1 + abs(sp.Rational(float(end))))


def _plane(domain: Any, face: str, axis: sp.Symbol) -> sp.Expr:
    (patch,) = face_patches(domain, face)[:1]
    return patch.place[axis]
