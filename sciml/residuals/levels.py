"""Functions that vanish on faces with unit slope and are positive inside: distances for hard constraints.

A line or circle that does not enter the domain serves as it is. Where it does, as at a re-entrant corner, only its
piece may count: with f the level of the carrier and t > 0 on the part that bears the piece, the R-disjunction
f ∨ (-t) = f - t + √(f² + t²) vanishes on the piece with unit slope, and is smooth but at its ends (Rvachev & Sheiko
1995). It is negative in {f < 0, t > 0} behind the piece, where {t > 0} is a disk through its ends, chosen so that
this part of it lies outside of the domain. Several pieces are joined by (Σ 1/φ_i)⁻¹, which keeps the
unit slope (Sukumar & Srivastava 2022, arXiv 2104.08426).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.expressions.data import evaluate_data

_INSIDE, _ON_FACE = 2048, 64
_FEW = 8  # pieces up to which a product of analytic levels is better than their join
_DEPTHS = tuple(sp.Rational(1, n) for n in (2, 6, 20, 60))  # of the disk behind a segment, in lengths of it
_Found = dict[tuple[str, int], tuple[sp.Expr | None, bool]]


class Levels:
    """Level functions of the faces of a domain.

    Args:
        domain: The geometry.
        trimmed: Whether carriers that enter the domain may be trimmed to their pieces; else their faces have none.
    """

    def __init__(self, domain: Any, trimmed: bool = True) -> None:
        self.domain, self.trimmed = domain, trimmed
        self._known: dict[tuple[str, ...], _Found] = {}

    @functools.cached_property
    def _inside(self) -> np.ndarray:
        return self.domain.sample(_INSIDE)

    def of(self, faces: Collection[str]) -> sp.Expr | None:
        """A function that vanishes on some faces alone, and is positive elsewhere.

        Args:
            faces: Their names.

        Returns:
            The expression, of unit slope on the faces where these are not a few lines or circles in whole; None where
            there is none.
        """
        found = self._pieces(tuple(faces))
        if not found or any(level is None for level, _ in found.values()):
            return None
        plain, cut = (self._different([level for level, plain in found.values() if plain is kind])
                      for kind in (True, False))  # fmt: skip
        if len(plain) > _FEW:
            return _joined([*plain, *cut])
        return _joined([*plain[:1], *cut]) * sp.Mul(*(level / self._extent for level in plain[1:]))

    def missing(self, faces: Collection[str]) -> list[str]:
        """Those of some faces that keep `of` from finding a function.

        Args:
            faces: Their names.

        Returns:
            Some of them.
        """
        found = self._pieces(tuple(faces))
        return list(dict.fromkeys(face for (face, _), (level, _) in found.items() if level is None))

    def _different(self, levels: Sequence[sp.Expr | None]) -> list[sp.Expr]:
        """One of each line or circle, whose pieces may give it in different words."""
        kept: dict[tuple[float, ...], sp.Expr] = {}
        for level in levels:
            if level is not None:
                values = evaluate_data(level, self.domain.coordinates, self._inside[:8]) / self.domain.size
                kept.setdefault(tuple(values.round(9)), level)
        return list(kept.values())

    def _pieces(self, faces: tuple[str, ...]) -> _Found:
        """(face, number of the piece) -> its level, and whether that is the whole carrier."""
        if faces not in self._known:
            self._known[faces] = self._sought(faces)
        return self._known[faces]

    def _sought(self, faces: tuple[str, ...]) -> _Found:
        others = [face for face in self.domain.faces if face not in faces]
        away = np.concatenate([self._inside, *(self._on(face) for face in others)])
        own = np.concatenate([self._on(face) for face in faces])
        found: _Found = {}
        for number, (face, kind, data) in enumerate(self.domain.primitives()):
            if face not in faces:
                continue
            carrier, trims = _carrier(self.domain, kind, data)
            plain = self._fits(carrier, away, own)
            levels = (functools.reduce(_either, (-t for t in trim), carrier) for trim in trims if self.trimmed)
            level = next((one for one in levels if self._fits(one, away, own)), None) if not plain else carrier
            found[face, number] = level, plain
        return found

    def _on(self, face: str) -> np.ndarray:
        count = sum(name == face for name, _, _ in self.domain.primitives())
        return self.domain.sample_face(face, _ON_FACE * count)

    @functools.cached_property
    def _extent(self) -> sp.Expr:
        return sp.nsimplify(self.domain.size)

    def _fits(self, level: sp.Expr, away: np.ndarray, own: np.ndarray) -> bool:
        """Whether a level is positive away from the faces, and not negative on them."""
        least, values = 1e-12 * self.domain.size, evaluate_data(level, self.domain.coordinates, away)
        return bool((values > least).all() and (evaluate_data(level, self.domain.coordinates, own) > -least).all())


def _either(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return a + b + sp.sqrt(a**2 + b**2)


def _joined(levels: Sequence[sp.Expr]) -> sp.Expr:
    """(Σ 1/φ_i)⁻¹; of few by halves, a b / (a + b), which divide by zero at common ends of pieces only."""
    if len(levels) == 1:
        return levels[0]
    if len(levels) > 3:  # derivatives on the faces are then limits, which takes longer
        return 1 / sp.Add(*(1 / level for level in levels))
    a, b = _joined(levels[: len(levels) // 2]), _joined(levels[len(levels) // 2 :])
    return a * b / (a + b)


def _number(value: float) -> sp.Expr:
    return sp.Rational(repr(float(value)))


def _carrier(domain: Any, kind: str, data: Any) -> tuple[sp.Expr, list[list[sp.Expr]]]:
    """The level of a piece's carrier, positive on the side of the domain, and choices of t, deep ones first."""
    symbols = domain.coordinates
    if kind == "point":
        return -data[1] * (symbols[0] - _number(data[0])), []
    if kind == "facet":
        low, high, axis, sign = data
        trim = []
        for i, symbol in enumerate(symbols):
            if i != axis:
                a, b = _number(low[i]), _number(high[i])
                trim.append((symbol - a) * (b - symbol) / (b - a))
        return -sign * (symbols[axis] - _number(low[axis])), [trim]
    (ax, ay), (bx, by) = ([*map(_number, end)] for end in data[:2])
    x, y = symbols
    length = sp.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
    left = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length
    if kind == "segment":
        along = ((x - ax) * (bx - x) + (y - ay) * (by - y)) / length  # (L²/4 - |x - middle|²)/L
        return left, [[2 * along * depth + left * (1 - 4 * depth**2)] for depth in _DEPTHS]
    (cx, cy), radius, turn = map(_number, data[2]), _number(data[3]), data[4]
    return -turn * ((x - cx) ** 2 + (y - cy) ** 2 - radius**2) / (2 * radius), [[-turn * left]]
