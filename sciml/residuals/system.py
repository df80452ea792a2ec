"""The residual system: every term of a problem compiled to rows over the jets of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from sciml.conditions import normal
from sciml.errors import PointsError
from sciml.expressions.compiler import Program
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import Jet, field_atoms, jet_atoms
from sciml.points import PointSet
from sciml.residuals.engines import Engine, choose_engine
from sciml.residuals.grouping import Group, group_places
from sciml.residuals.lift import HardConstraint
from sciml.residuals.merging import Merged, merged_second_derivatives
from sciml.residuals.rows import Rows, TermRows
from sciml.terms import Term


class RowProgram:
    """One term compiled: residual components as functions of coordinates, normals, unknowns and jets.

    The part of each component without fields (the data g) is split off and evaluated as one-sided
    limits; the rest is compiled. Equations are evaluated inside the domain, so they are compiled whole.

    Args:
        term: The term.
        problem: Its problem.
    """

    def __init__(self, term: Term, problem: IBVP) -> None:
        self.term = term
        self.unknowns = tuple(problem.unknowns)
        components = normal(*problem.space)
        self.normals = components if isinstance(components, tuple) else (components,)
        expressions = [problem.substitute(expression) for expression in term.expressions]
        self.data: list[sp.Expr] = []
        if term.kind != "interior":
            parts = [e.as_independent(*field_atoms(e), *self.unknowns, as_Add=True) for e in expressions]
            self.data = [fixed for fixed, _ in parts]
            self._slots = [sp.Dummy(f"data{i}") for i in range(len(parts))]
            expressions = [moving + slot for (_, moving), slot in zip(parts, self._slots, strict=True)]
        else:
            self._slots = []
        atoms: dict[sp.Expr, Jet] = {}
        for expression in expressions:
            atoms |= jet_atoms(expression, problem.fields, problem.coordinates)
        self.needed: tuple[Jet, ...] = tuple(dict.fromkeys(atoms.values()))
        representative = {jet: atom for atom, jet in atoms.items()}
        canonical = {atom: representative[jet] for atom, jet in atoms.items()}
        dynamic = [*self.unknowns, *(representative[jet] for jet in self.needed)]
        expressions = [expression.xreplace(canonical) for expression in expressions]
        self.merged = merged_second_derivatives(expressions, representative)
        self.program = Program(
            expressions,
            [*problem.coordinates, *self.normals, *self._slots, *dynamic],
            dynamic,
        )
        self._static_count = len(problem.coordinates) + len(self.normals) + len(self._slots)

    def prepare(self, problem: IBVP, points: np.ndarray, values: np.ndarray, device: torch.device) -> list:
        """Everything that stays while the points stay."""
        space = points[:, : len(problem.space)]
        normals = (
            problem.domain.normals(self.term.faces, space)
            if self.term.kind == "boundary"
            else np.full((len(points), len(problem.space)), np.nan)
        )
        columns = [*points.T, *normals.T]
        for expression in self.data:
            if expression.has(*self.normals):
                data = evaluate_data(
                    expression, (*problem.coordinates, *self.normals), np.column_stack([points, normals])
                )
            else:
                data = evaluate_data(expression, problem.coordinates, points, problem.bounds)
            columns.append(data - values if self.term.kind == "observation" else data)
        static: list[Tensor | None] = [torch.tensor(column, device=device) for column in columns]
        return self.program.prepare([*static, *[None] * (len(self.unknowns) + len(self.needed))])

    def residual(self, state: list, jets: Tensor, unknowns: Sequence[Tensor]) -> Tensor:
        """Components at the points of a state, (n, c)."""
        dynamic = [value.expand(len(jets)) for value in unknowns] + list(jets.unbind(dim=1))
        return torch.stack(self.program.finish(state, [*[None] * self._static_count, *dynamic]), dim=1)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a term is evaluated: points as a tensor, the network's jets, the program's state, the constraint."""

    points: Tensor
    inner: tuple[Jet, ...]
    merged: Merged | None
    state: list
    lifts: list


@dataclass(frozen=True, eq=False)
class TermBatch:
    """Points of one term made ready; `partner` holds the opposite points of a periodic condition."""

    program: RowProgram
    ids: np.ndarray
    weight: Tensor
    place: Place
    partner: Place | None

    @property
    def places(self) -> tuple[Place, ...]:
        """The places at which the network is evaluated."""
        return (self.place,) if self.partner is None else (self.place, self.partner)


@dataclass(frozen=True, eq=False)
class Batch:
    """Points of all terms made ready, and the groups in which the network is evaluated on them."""

    terms: tuple[TermBatch, ...]
    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[TermBatch]:
        """Term by term."""
        return iter(self.terms)

    def __len__(self) -> int:
        """Number of terms."""
        return len(self.terms)


class ResidualSystem:
    """Rows of a problem for any module from coordinates to fields.

    Args:
        problem: The problem.
        constraint: Hard constraint u = G + φN through which the module's output passes, or None.
        engine: Derivative engine; chosen by the module when None.
        terms: Terms to compile instead of the problem's, for instance single summands of them.

    Example:
        >>> import sympy as sp, torch
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field, sample
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> class Square(torch.nn.Module):
        ...     def forward(self, x):
        ...         return x**2
        >>> rows = ResidualSystem(problem).rows(Square(), sample(problem, interior=4, boundary=2))
        >>> bool(rows.flat().abs().max() < 1e-12)
        True
    """

    def __init__(
        self,
        problem: IBVP,
        constraint: HardConstraint | None = None,
        engine: Engine | None = None,
        terms: Sequence[Term] | None = None,
    ) -> None:
        self.problem, self.constraint, self.engine = problem, constraint, engine
        self._programs = {term.name: RowProgram(term, problem) for term in terms or problem.terms}

    def prepare(self, points: PointSet, device: torch.device | str = "cpu") -> Batch:
        """Evaluate data, normals and constraint factors once for a set of points.

        Args:
            points: Points of the problem's terms.
            device: Where the tensors live.

        Returns:
            A batch for `rows` and `row_jacobian`.

        Raises:
            PointsError: If a term is unknown or the points have another dimension.
        """
        if points.coordinates.shape[1] != len(self.problem.coordinates):
            raise PointsError(
                f"points with columns {self.problem.coordinates}",
                f"{points.coordinates.shape[1]} columns",
                "time goes last",
            )
        where = torch.device(device)
        batch = []
        for name in points.terms:
            piece = points.of(name)
            if not len(piece):
                continue
            if name not in self._programs:
                raise PointsError("terms " + ", ".join(map(repr, self._programs)), repr(name), "sample(problem, ...)")
            batch.append(self._term_batch(self._programs[name], piece, where))
        places = [place for item in batch for place in item.places]
        return Batch(tuple(batch), group_places([(place.points, place.inner, place.merged) for place in places]))

    def _term_batch(self, program: RowProgram, piece: PointSet, device: torch.device) -> TermBatch:
        place = self._place(program, piece.coordinates, piece.value, device)
        partner = None
        if program.term.periodic:
            partner = self._place(program, self._opposite(program.term, piece.coordinates), piece.value, device)
        return TermBatch(program, piece.ids, torch.tensor(piece.weight, device=device), place, partner)

    def _place(self, program: RowProgram, points: np.ndarray, values: np.ndarray, device: torch.device) -> Place:
        state = program.prepare(self.problem, points, values, device)
        lifts = self.constraint.prepare(points, program.needed, device) if self.constraint else []
        inner = self.constraint.network_jets(program.needed) if self.constraint else program.needed
        return Place(torch.tensor(points, device=device), inner, program.merged, state, lifts)

    def _opposite(self, term: Term, points: np.ndarray) -> np.ndarray:
        domain = self.problem.domain
        normals = domain.normals(term.faces[0], points[:1, : len(self.problem.space)])
        axis = int(np.abs(normals[0]).argmax())
        ends = [domain.sample_face(face, 2)[0, axis] for face in term.faces]
        shifted = points.copy()
        shifted[:, axis] += ends[1] - ends[0]
        return shifted

    def batch_jets(self, model: nn.Module, batch: Batch, parameters: bool = True) -> list[Tensor]:
        """Jets of the fields (constraint applied) at every place, the network evaluated once per group.

        Second derivatives that enter a term only as one sum may come as that sum and zeros (`merging`).

        Args:
            model: Module from (n, d) to (n, m).
            batch: Prepared points.
            parameters: Whether they must be differentiable in the parameters.

        Returns:
            (n, k) for each place, term by term.
        """
        engine = self.engine or choose_engine(model)
        inner = [group.evaluate(engine, model, parameters) for group in batch.groups]
        return self.place_jets(batch, inner)

    def place_jets(self, batch: Batch, inner: Sequence[Tensor], homogeneous: bool = False) -> list[Tensor]:
        """Jets of the fields at every place from those of the network at every group.

        Args:
            batch: Prepared points.
            inner: Jets of the network for each group, (n, k).
            homogeneous: Leave the constraint's offset out, as for changes of the network.

        Returns:
            (n, k) for each place, term by term.
        """
        places = [place for item in batch for place in item.places]
        found: dict[int, Tensor] = {}
        for group, jets in zip(batch.groups, inner, strict=True):
            for member in group.members:
                place = places[member.place]
                own = group.share(jets, member)
                if self.constraint is not None:
                    own = self.constraint.apply(place.lifts, own, homogeneous)
                found[member.place] = own
        return [found[number] for number in range(len(places))]

    def rows(
        self,
        model: nn.Module,
        points: PointSet | Batch,
        unknowns: Sequence[Tensor] = (),
        parameters: bool = True,
    ) -> Rows:
        """All rows of the given points.

        Args:
            model: Module from (n, d) to (n, m).
            points: A point set, or a batch from `prepare`.
            unknowns: Values of the problem's unknown coefficients, in order; their starts when omitted.
            parameters: Whether rows must be differentiable in the parameters.

        Returns:
            The rows, term by term in the order of the points' terms.
        """
        device = device_of(model)
        batch = self.prepare(points, device) if isinstance(points, PointSet) else points
        values = self.unknown_values(unknowns, device)
        jets = iter(self.batch_jets(model, batch, parameters))
        result = []
        for item in batch:
            program = item.program
            residual = program.residual(item.place.state, next(jets), values)
            if item.partner is not None:
                residual = residual - program.residual(item.partner.state, next(jets), values)
            result.append(TermRows(program.term.name, program.term.components, item.ids, residual, item.weight))
        return Rows(tuple(result))

    def unknown_values(self, unknowns: Sequence[Tensor], device: torch.device | str = "cpu") -> list[Tensor]:
        """Unknown coefficients as tensors; the starts of the problem, on a device, when none are given."""
        if len(unknowns):
            return list(unknowns)
        starts = [unknown.start for unknown in self.problem.unknowns.values()]
        return [torch.tensor(start, dtype=torch.float64, device=device) for start in starts]


def device_of(model: nn.Module | None) -> torch.device:
    """Where the parameters of a module live; the CPU for engines that need no module."""
    parameters = iter(()) if model is None else model.parameters()
    return next((parameter.device for parameter in parameters), torch.device("cpu"))
