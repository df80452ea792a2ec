"""A function of one variable given by an expression, with derivatives and its integral."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import sympy as sp
from numpy.polynomial import chebyshev

from sciml.expressions.data import evaluate_data
from solvers.lie.breaks import kinks, panels

_ORDER = 24


class Profile:
    """f(s) on [low, high], or its integral from low.

    Args:
        expression: f.
        symbol: s.
        low: Start.
        high: End.
        integrated: Whether the profile is ∫f.
    """

    def __init__(self, expression: sp.Expr, symbol: sp.Symbol, low: float, high: float, integrated: bool) -> None:
        self.expression, self.symbol = expression, symbol
        self.low, self.high, self.integrated = float(low), float(high), integrated

    def __call__(self, places: np.ndarray, order: int = 0) -> np.ndarray:
        """Values, or derivatives, at places in the range; jumps are averaged, their derivatives left out."""
        order -= self.integrated
        if order < 0:
            return self._integral(places)
        return self._values(self._derivatives[order] if order < 3 else self._derivative(order), places)

    def _values(self, expression: sp.Expr, places: np.ndarray) -> np.ndarray:
        bounds = ((self.low, self.high),)
        return np.asarray(evaluate_data(expression, [self.symbol], places.reshape(-1, 1), bounds)).reshape(places.shape)

    def _derivative(self, order: int) -> sp.Expr:
        found = self.expression.diff((self.symbol, order)) if order else self.expression
        return found.replace(sp.DiracDelta, lambda *_: sp.S.Zero)

    @functools.cached_property
    def _derivatives(self) -> list[sp.Expr]:
        return [self._derivative(order) for order in range(3)]

    @functools.cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of panels, and Chebyshev series of the integral on each, continuous across them."""
        marks = [self.low, *kinks(self.expression, self.symbol, self.low, self.high), self.high]
        ends = panels(lambda s: self._values(self.expression, s)[:, None], marks, 1e-15, most=400, order=_ORDER)
        series, total = [], 0.0
        nodes = np.cos(np.pi * (np.arange(_ORDER) + 0.5) / _ORDER)
        fitted = np.linalg.inv(chebyshev.chebvander(nodes, _ORDER - 1))
        for low, high in itertools.pairwise(ends):
            values = self._values(self.expression, (low + high) / 2 + (high - low) / 2 * nodes)
            part = chebyshev.chebint((high - low) / 2 * (fitted @ values), lbnd=-1, k=total)
            series.append(part)
            total = float(part.sum())
        return ends, np.array(series)

    def _integral(self, places: np.ndarray) -> np.ndarray:
        ends, series = self._pieces
        flat = places.ravel()
        index = np.clip(np.searchsorted(ends, flat, side="right") - 1, 0, len(series) - 1)
        low, high = ends[index], ends[index + 1]
        table = chebyshev.chebvander((2 * flat - low - high) / (high - low), _ORDER)
        return np.einsum("ij,ij->i", table, series[index]).reshape(places.shape)

    def formula(self, place: sp.Expr, order: int = 0) -> sp.Expr:
        """As an expression; an integral that is no polynomial stays one."""
        if not self.integrated:
            return self._derivative(order).xreplace({self.symbol: place})
        if self.expression.is_polynomial(self.symbol):
            primitive = sp.integrate(self.expression, self.symbol)
            return primitive.xreplace({self.symbol: place}) - primitive.xreplace({self.symbol: sp.nsimplify(self.low)})
        return sp.Integral(self.expression, (self.symbol, sp.nsimplify(self.low), place))
