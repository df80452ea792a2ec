"""The reference systems of tests/data/symmetries.json as SymPy objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.symbols import coordinates, field
from solvers.symmetry.generator import Generator

PATH = Path(__file__).parents[1] / "tests" / "data" / "symmetries.json"


@dataclass(frozen=True)
class ReferenceSystem:
    """One entry of the file.

    Attributes:
        name: Its key.
        coordinates: Independent variables.
        fields: Unknowns.
        equations: `Eq` objects.
        dimension: Expected finite dimension, None for a first-order scalar PDE.
        infinite: Whether there is an infinite part.
        linear: Whether the dimension is meant modulo superposition.
        jet_dimensions: m -> D_m for infinite algebras.
        generators: Basis of the finite part, then families with arbitrary functions, then samples of families.
    """

    name: str
    coordinates: tuple[sp.Symbol, ...]
    fields: tuple[AppliedUndef, ...]
    equations: tuple[sp.Equality, ...]
    dimension: int | None
    infinite: bool
    linear: bool
    jet_dimensions: dict[int, int]
    generators: tuple[Generator, ...]


def reference_systems() -> list[ReferenceSystem]:
    """All entries, in the order of the file."""
    return [_system(entry) for entry in json.loads(PATH.read_text(encoding="utf8"))["entries"]]


def _system(entry: dict) -> ReferenceSystem:
    symbols = coordinates(" ".join(entry["independent"]))
    fields = tuple(field(name, *symbols) for name in entry["dependent"])
    known: dict = {s.name: s for s in symbols} | {u.func.__name__: u.func for u in fields}
    known |= {name: sp.Symbol(name, positive=True) for name in entry["parameters"]}
    equations = tuple(sp.sympify(text, locals=known) for text in entry["equation_sympy"])
    # In the generators a field stands without its arguments; letters not in use are arbitrary functions.
    inside = {name: sp.Function(name, real=True) for name in "abfgh"} | known
    inside |= {u.func.__name__: u for u in fields} | {"k0": sp.Symbol("k0", real=True)}
    generators = tuple(
        Generator(symbols, fields, {inside[z]: sp.sympify(text, locals=inside) for z, text in item.items()})
        for item in entry["generators"]
    )
    infinite = entry["infinite_part"]["present"]
    return ReferenceSystem(
        entry["name"], symbols, fields, equations, entry["finite_dim"], infinite, bool(entry["linear"]),
        dict(map(tuple, entry["jet_dims"])), generators,
    )  # fmt: skip
