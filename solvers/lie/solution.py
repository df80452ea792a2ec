"""LieSolution: a sum of atoms, exact in the equations, with its terms, formula and error bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from sciml.errors import CheckpointError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.record import TrainingRecord
from sciml.solution import Solution
from solvers.lie.atoms import Atoms, ExponentialAtoms, FormulaAtoms
from solvers.lie.certificate import certify
from solvers.lie.formulas import long_product, long_sum, readable
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.plane_atoms import PowerAtoms
from solvers.lie.planar.sine_series import SineSeriesAtoms
from solvers.lie.polar.polar_atoms import PolarAtoms
from solvers.lie.separated.separated_atoms import SeparatedAtoms
from solvers.lie.similarity_atoms import SimilarityAtoms
from solvers.lie.spectral_atoms import ChebyshevAtoms
from solvers.lie.tensor.tensor_atoms import TensorAtoms
from solvers.lie.travelling.profile_atoms import ProfileAtoms

_ATOMS = (
    ExponentialAtoms, FormulaAtoms, SimilarityAtoms, ChebyshevAtoms,
    PowerAtoms, ArnoldiAtoms, BesselAtoms, SeparatedAtoms, ProfileAtoms,
    TensorAtoms, PolarAtoms, SineSeriesAtoms,
)  # fmt: skip
KINDS: dict[str, Any] = {kind.kind: kind for kind in _ATOMS}
_CHUNK = 2048


@dataclass(frozen=True, eq=False)
class LieTerm:
    """One term of a solution; its formula is made when it is asked for.

    Args:
        family: The atoms that it belongs to.
        index: Which of them.
        coordinates: The coordinates of the problem.
        amplitude: Its factor.
    """

    family: Atoms
    index: int
    coordinates: tuple[sp.Symbol, ...]
    amplitude: float

    @property
    def name(self) -> str:
        """What the atom is."""
        return self.family.name

    @property
    def generators(self) -> tuple[str, ...]:
        """The derived symmetries that made it."""
        return self.family.generators

    @property
    def parameters(self) -> dict[str, Any]:
        """Group parameters by name."""
        return self.family.parameters(self.index)

    @cached_property
    def formulas(self) -> tuple[sp.Expr, ...]:
        """The atom as an expression per field."""
        return tuple(readable(part) for part in self.family.formula(self.index, self.coordinates))

    @property
    def atom(self) -> Any:
        """Its formula, a tuple of expressions for a system."""
        return self.formulas[0] if len(self.formulas) == 1 else self.formulas


class LieSolution(Solution):
    """u = Σ_j a_j φ_j with atoms φ_j that solve the equations.

    Args:
        problem: The problem.
        families: The atoms.
        amplitudes: a, over all families.
        status: What to think of it.
        history: Named series.
        record: The objective.
    """

    kind = "lie"

    def __init__(
        self,
        problem: IBVP,
        families: Sequence[Atoms],
        amplitudes: np.ndarray,
        status: str = "",
        history: Mapping[str, Any] | None = None,
        record: TrainingRecord | None = None,
    ) -> None:
        super().__init__(problem, status, history, record)
        self.families, self.amplitudes = tuple(families), amplitudes
        self._bound: Any = None

    def _split(self) -> list[np.ndarray]:
        ends = np.cumsum([len(family) for family in self.families])[:-1]
        return np.split(self.amplitudes, ends)

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Values and derivatives, atom by atom.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        result = np.zeros((len(points), len(needed)))
        for low in range(0, len(points) if needed else 0, _CHUNK):
            piece = points[low : low + _CHUNK]
            for family, amplitudes in zip(self.families, self._split(), strict=True):
                result[low : low + _CHUNK] += family.jets(piece, list(needed)) @ amplitudes
        return result

    @cached_property
    def terms(self) -> tuple[LieTerm, ...]:
        """The terms, the largest amplitude first within each family."""
        return tuple(
            LieTerm(family, int(j), self.problem.coordinates, float(amplitudes[j]))
            for family, amplitudes in zip(self.families, self._split(), strict=True)
            for j in np.argsort(-np.abs(amplitudes), kind="stable")
            if amplitudes[j]
        )

    @cached_property
    def expr(self) -> Any:
        """The solution as a SymPy expression; {field: expression} for a system. The terms stay in their order."""
        totals: list[list[sp.Expr]] = [[] for _ in self.problem.fields]
        for term in self.terms:
            for total, part in zip(totals, term.formulas, strict=True):
                total.append(long_product(sp.Float(term.amplitude), part) if term.amplitude != 1 else part)
        sums = [long_sum(total) for total in totals]
        return sums[0] if len(sums) == 1 else dict(zip(self.problem.fields, sums, strict=True))

    def _certificate(self) -> Any:
        if self._bound is None:
            self._bound = certify(self.problem, self.families, self.amplitudes)
        return self._bound

    @property
    def error_bound(self) -> float | None:
        """Rigorous bound of the largest error over the domain, or None; computed on first use."""
        return self._certificate().sup

    @property
    def l2_bound(self) -> float | None:
        """Bound of the error in L2, or None."""
        return self._certificate().l2

    @property
    def error_bound_reason(self) -> str:
        """How the bound was found, or why there is none."""
        return self._certificate().reason

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Families and amplitudes."""
        metas, arrays = [], {"amplitudes": self.amplitudes}
        for number, family in enumerate(self.families):
            meta, own = family.state()
            metas.append({"kind": family.kind, **meta})
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
        return {"families": metas}, arrays

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> LieSolution:
        """Rebuild from `state()`.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: Arrays.

        Returns:
            The solution.

        Raises:
            CheckpointError: If a kind of atoms is unknown.
        """
        families = []
        for number, entry in enumerate(meta["families"]):
            if entry["kind"] not in KINDS:
                raise CheckpointError(
                    f"atoms of kind {', '.join(KINDS)}", entry["kind"], "use the version that wrote it"
                )
            prefix = f"{number}."
            own = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
            families.append(KINDS[entry["kind"]].from_state(entry, own))
        return cls(problem, families, arrays["amplitudes"])
