"""Atoms: exact solutions of the equations, many at a time, from which a solution is summed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import sympy as sp
import torch

from sciml.expression_json import from_json, to_json
from sciml.expressions.compiler import Program
from sciml.jets import Jet
from sciml.terms import rationalise

Needed = Sequence[Jet]


class Atoms(ABC):
    """A family of n solutions of the same linear equations.

    Attributes:
        name: What they are: "exponential", "mode", "heat kernel", ...
        generators: The derived symmetries that made them, as text.
    """

    kind: ClassVar[str] = ""
    name: str
    generators: tuple[str, ...]

    @abstractmethod
    def __len__(self) -> int:
        """How many."""

    @abstractmethod
    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Values and derivatives.

        Args:
            points: (N, d), time last.
            needed: k jets.

        Returns:
            (N, k, n).
        """

    @abstractmethod
    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """One atom in closed form, an expression per field, numbers by `exact_number`."""

    @abstractmethod
    def parameters(self, index: int) -> dict[str, Any]:
        """The group parameters of one atom, by name."""

    @abstractmethod
    def take(self, keep: np.ndarray) -> Atoms:
        """Some of them, by index."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-able values and arrays, from which `from_state` rebuilds the atoms bit by bit."""


def exact_number(value: float) -> sp.Expr:
    """The number that a float stands for: its shortest decimal, or a multiple of π; half a unit in the last place off.

    Args:
        value: A float.

    Returns:
        An exact number.

    Example:
        >>> exact_number(0.1), exact_number(4 * np.pi)
        (1/10, 4*pi)
    """
    return rationalise(sp.Float(float(value)))


class ExponentialAtoms(Atoms):
    r"""Re Σ_r v_r exp(κ_r · (X - O_r)): the solutions invariant under ∂_i - κ_i u ∂_u for every coordinate.

    Constant coefficients turn the equations into P(κ) v = 0 on the characteristic variety det P(κ) = 0
    (Ehrenpreis 1970; Härkönen et al. 2022, arXiv 2212.14319).

    Args:
        vectors: v, (n, R, m) complex.
        exponents: κ, (n, R, d) complex.
        origins: O, (n, R, d).
        name: What they are.
        generators: The symmetries.
    """

    kind = "exponential"

    def __init__(
        self,
        vectors: np.ndarray,
        exponents: np.ndarray,
        origins: np.ndarray,
        name: str = "exponential",
        generators: Sequence[str] = (),
    ) -> None:
        self.vectors, self.exponents, self.origins = vectors, exponents, origins
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.vectors)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Values and derivatives: a derivative multiplies by κ^orders."""
        result = np.zeros((len(points), len(needed), len(self)))
        for r in range(self.vectors.shape[1]):
            exponent, origin = self.exponents[:, r], self.origins[:, r]
            wave = np.exp(points @ exponent.T - (exponent * origin).sum(axis=1))
            for column, (field, orders) in enumerate(needed):
                factor = self.vectors[:, r, field] * np.prod(exponent ** np.asarray(orders), axis=1)
                if np.any(factor):
                    result[:, column] += wave.real * factor.real - wave.imag * factor.imag
        return result

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """exp(Re κ·(X - O)) [Re v cos(Im κ·(X - O)) - Im v sin(Im κ·(X - O))], summed over r."""
        totals = [sp.S.Zero] * self.vectors.shape[2]
        for vector, exponent, origin in zip(
            self.vectors[index], self.exponents[index], self.origins[index], strict=True
        ):
            shifted = [s - exact_number(o) if o else s for s, o in zip(coordinates, origin, strict=True)]
            grow, turn = (
                sp.Add(*[exact_number(k) * s for k, s in zip(part, shifted, strict=True) if k])
                for part in (exponent.real, exponent.imag)
            )
            for field, v in enumerate(vector):
                swing = sp.S.Zero
                if v.real:
                    swing += exact_number(v.real) * sp.cos(turn)
                if v.imag and turn != 0:
                    swing -= exact_number(v.imag) * sp.sin(turn)
                totals[field] += sp.exp(grow) * swing
        return tuple(totals)

    def parameters(self, index: int) -> dict[str, Any]:
        """κ and v."""
        return {"exponents": self.exponents[index].tolist(), "vectors": self.vectors[index].tolist()}

    def take(self, keep: np.ndarray) -> ExponentialAtoms:
        """Some of them."""
        return ExponentialAtoms(
            self.vectors[keep], self.exponents[keep], self.origins[keep], self.name, self.generators
        )

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Real and imaginary parts."""
        arrays = {"origins": self.origins}
        for name, array in (("vectors", self.vectors), ("exponents", self.exponents)):
            arrays |= {f"{name}.re": array.real.copy(), f"{name}.im": array.imag.copy()}
        return {"name": self.name, "generators": list(self.generators)}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> ExponentialAtoms:
        """Rebuild from `state()`."""
        vectors, exponents = (arrays[f"{name}.re"] + 1j * arrays[f"{name}.im"] for name in ("vectors", "exponents"))
        return cls(vectors, exponents, arrays["origins"], meta["name"], meta["generators"])


class FormulaAtoms(Atoms):
    """A template in coordinates and parameters, one row of parameter values per atom.

    Args:
        coordinates: Coordinates, time last.
        template: An expression per field.
        symbols: The parameters of the template.
        values: (n, p) their values.
        name: What they are.
        generators: The symmetries.
    """

    kind = "formula"

    def __init__(
        self,
        coordinates: Sequence[sp.Symbol],
        template: Sequence[sp.Expr],
        symbols: Sequence[sp.Symbol] = (),
        values: np.ndarray | None = None,
        name: str = "formula",
        generators: Sequence[str] = (),
    ) -> None:
        self.coordinates, self.template, self.symbols = tuple(coordinates), tuple(template), tuple(symbols)
        self.values = np.zeros((1, 0)) if values is None else np.asarray(values, dtype=float)
        self.name, self.generators = name, tuple(generators)
        self._programs: dict[Jet, Program] = {}

    def __len__(self) -> int:
        """How many."""
        return len(self.values)

    def _program(self, jet: Jet) -> Program:
        if jet not in self._programs:
            field, orders = jet
            pairs = [(s, k) for s, k in zip(self.coordinates, orders, strict=True) if k]
            expression = self.template[field].diff(*pairs) if pairs else self.template[field]
            self._programs[jet] = Program([expression], [*self.coordinates, *self.symbols])
        return self._programs[jet]

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Derivatives of the template by SymPy; values that overflow or have no limit stay NaN."""
        shape = (len(points), len(self))
        columns = [torch.from_numpy(np.ascontiguousarray(c))[:, None].expand(shape) for c in points.T]
        columns += [torch.from_numpy(np.ascontiguousarray(v))[None, :].expand(shape) for v in self.values.T]
        result = np.empty((len(points), len(needed), len(self)))
        with torch.no_grad():
            for column, (field, orders) in enumerate(needed):
                result[:, column] = self._program((field, tuple(orders)))(*columns)[0].numpy()
        return result

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """The template with the parameters put in."""
        numbers = {s: exact_number(v) for s, v in zip(self.symbols, self.values[index], strict=True)}
        return tuple(expression.xreplace(numbers) for expression in self.template)

    def parameters(self, index: int) -> dict[str, Any]:
        """By symbol."""
        return {str(s): float(v) for s, v in zip(self.symbols, self.values[index], strict=True)}

    def take(self, keep: np.ndarray) -> FormulaAtoms:
        """Some of them."""
        return FormulaAtoms(
            self.coordinates, self.template, self.symbols, self.values[keep], self.name, self.generators
        )

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The template and the values."""
        meta = {
            "name": self.name,
            "generators": list(self.generators),
            "coordinates": [to_json(s) for s in self.coordinates],
            "template": [to_json(e) for e in self.template],
            "symbols": [to_json(s) for s in self.symbols],
            "count": len(self),
        }
        return meta, {"values": self.values} if self.values.size else {}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> FormulaAtoms:
        """Rebuild from `state()`."""
        parts = [[from_json(e) for e in meta[key]] for key in ("coordinates", "template", "symbols")]
        values = arrays.get("values", np.zeros((meta["count"], 0)))
        return cls(parts[0], parts[1], parts[2], values, meta["name"], meta["generators"])
