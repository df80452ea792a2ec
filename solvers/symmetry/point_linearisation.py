"""Linearisation by a change of the field alone: w = φ(x, u), read off from the infinite abelian ideal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.hyperbolic import HyperbolicFunction

from solvers.symmetry.characteristics import exponential, positive_inverse
from solvers.symmetry.parabolic import vanishes
from solvers.symmetry.quadrature import primitive

Orders = tuple[int, ...]
LARGE = 400


@dataclass(frozen=True)
class LinearForm:
    """Σ ℓ_J(x) w_J + source = 0, and how w and u are related.

    Attributes:
        coefficients: Orders to coefficient.
        source: What is free of w.
        forward: w as a function of x and u.
        inverse: u as a function of x and w (the symbol `unknown`).
        unknown: Stands for w in `inverse`.
    """

    coefficients: dict[Orders, sp.Expr]
    source: sp.Expr
    forward: sp.Expr
    inverse: sp.Expr
    unknown: sp.Symbol


def field_linearisation(equation: sp.Expr, u: AppliedUndef, coordinates: Sequence[sp.Symbol]) -> LinearForm | None:
    """Find w = φ(x, u) that satisfies a linear PDE, for a scalar PDE of any order n ≥ 2.

    If F α ∂_u with arbitrary solutions α of a linear PDE Σ ℓ_K α_K = 0 is a symmetry (Bluman and Kumei 1989,
    section 6.4), the coefficients M_K of α_K in the linearised equation are λ ℓ_K with one factor λ. For
    |K| = n these are F ∂E/∂u_K; for |K| = n − 1 with G = log F and e_K = ratio of the leading ones,
    ∂E/∂u_K / ∂E/∂u_L + Σ (K_i + 1) e_{K+i} D_i G is a function of x; its derivative by u_i gives G_u, and
    φ = ∫ exp(−G) du. A factor of F that depends on x alone is absorbed by α. Necessary, then tested by substitution.

    Args:
        equation: Residual.
        u: The field.
        coordinates: Its arguments.

    Returns:
        The linear equation and the map, or None if there is no such map.
    """
    frame = _Frame(equation, u, coordinates)
    weight = frame.logarithmic_slope()
    if weight is None:
        return None
    unknown = sp.Dummy("w", positive=True)
    forward, inverse = _field_map(weight, frame.value, unknown)
    if forward is None or inverse is None:
        return None
    linear = _linear_equation(frame, frame.solved, forward)
    if linear is None:
        return None
    back = frame.back
    coefficients = {k: c.xreplace(back) for k, c in linear[0].items()}
    return LinearForm(coefficients, linear[1].xreplace(back), forward.xreplace(back), inverse.xreplace(back), unknown)


def _field_map(weight: sp.Expr, u: sp.Symbol, w: sp.Symbol) -> tuple[sp.Expr | None, sp.Expr | None]:
    """φ = ∫ exp(−∫ G_u) and its inverse; tangents are tried as ratios too, other primitives come out."""
    forward = None
    for form in dict.fromkeys((weight, _ratios(weight))):
        growth = primitive(form, u) if form != 0 else sp.S.Zero
        found = None if growth is None else primitive(sp.powsimp(exponential(-growth)), u)
        if found is None:
            continue
        forward = _plain(found.replace(lambda e: isinstance(e, sp.atan) and isinstance(e.args[0], sp.tan),
                                       lambda e: e.args[0].args[0]), u)  # fmt: skip
        inverse = positive_inverse(forward, u, w)
        if inverse is not None:
            return forward, inverse
    return forward, None


def _ratios(expression: sp.Expr) -> sp.Expr:
    return expression.replace(sp.tan, lambda a: sp.sin(a) / sp.cos(a)).replace(
        sp.tanh, lambda a: sp.sinh(a) / sp.cosh(a)
    )


def _plain(forward: sp.Expr, u: sp.Symbol) -> sp.Expr:
    """Without constant factors and terms, which only scale the linear field."""
    moving = sp.expand(forward).as_independent(u, as_Add=True)[1]
    factor, rest = moving.as_independent(u, as_Add=False)
    return moving if factor.has(sp.Add) else rest


class _Frame:
    """The equation with positive symbols, solved for a leading derivative."""

    def __init__(self, equation: sp.Expr, u: AppliedUndef, coordinates: Sequence[sp.Symbol]) -> None:
        nodes = [d for d in equation.atoms(sp.Derivative) if d.expr == u]
        index = {x: k for k, x in enumerate(coordinates)}
        self.jets: dict[Orders, sp.Symbol] = {}
        stand_in: dict[sp.Expr, sp.Symbol] = {}
        for node in sorted(nodes, key=str):
            orders = [0] * len(coordinates)
            for x, count in node.variable_count:
                orders[index[x]] += int(count)
            stand_in[node] = self.jets[tuple(orders)] = sp.Dummy("u" + "".join(map(str, orders)), real=True)
        self.value = stand_in[u] = sp.Dummy("u", positive=True)
        free = sorted(equation.free_symbols | set(coordinates), key=str)
        self.positive = {s: sp.Dummy(s.name, positive=True) for s in free}
        self.coordinates = [self.positive[x] for x in coordinates]
        self.field = sp.Function("u", positive=True)(*self.coordinates)
        self.back = {d: s for s, d in self.positive.items()} | {self.value: u}
        residual = equation.xreplace(stand_in).xreplace(self.positive)
        self.residual = residual.replace(lambda e: isinstance(e, HyperbolicFunction), lambda e: e.rewrite(sp.exp))
        self.order = max((sum(k) for k in self.jets), default=0)
        self.solved = sp.S.Zero

    def logarithmic_slope(self) -> sp.Expr | None:
        """G_u, a function of x and u; None if the equation cannot be linearised by w = φ(x, u)."""
        top = sorted((k for k in self.jets if sum(k) == self.order), reverse=True)
        if self.order < 2:
            return None
        leader = next((k for k in top if not self.residual.diff(self.jets[k]).has(self.jets[k])), None)
        if leader is None:
            return None
        lead = self.residual.diff(self.jets[leader])
        solved = sp.cancel(sp.powsimp(sp.expand((lead * self.jets[leader] - self.residual) / lead)))
        self.solved = self.jets[leader] - solved
        on_shell = {self.jets[leader]: solved}
        every, ratios = list(self.jets.values()), {}
        for k in top:
            ratio = self.free_of((self.residual.diff(self.jets[k]) / lead).xreplace(on_shell), *every, self.value)
            if ratio is None:
                return None
            ratios[k] = ratio
        first = self._first_orders()
        for low, i in itertools.product(self._lower(), range(len(self.coordinates))):
            raised = tuple(c + (j == i) for j, c in enumerate(low))
            if raised not in ratios:
                continue
            slope = first.get(i)
            if slope is None:
                continue
            symbol = self.jets.get(low)
            change = (self.residual.diff(symbol) / lead).xreplace(on_shell).diff(slope) if symbol else sp.S.Zero
            return self.free_of(-change / ((low[i] + 1) * ratios[raised]), *every)
        return sp.S.Zero

    def _first_orders(self) -> dict[int, sp.Symbol]:
        unit = lambda i: tuple(int(i == j) for j in range(len(self.coordinates)))  # ruff: ignore[lambda-assignment]
        return {i: self.jets[unit(i)] for i in range(len(self.coordinates)) if unit(i) in self.jets}

    def _lower(self) -> list[Orders]:
        n = len(self.coordinates)
        return [k for k in itertools.product(range(self.order), repeat=n) if sum(k) == self.order - 1]

    def _short(self, expression: sp.Expr) -> sp.Expr:
        result = sp.powsimp(sp.expand(expression))
        return sp.cancel(result) if result.count_ops() < LARGE else result

    def free_of(self, expression: sp.Expr, *symbols: sp.Symbol) -> sp.Expr | None:
        """The expression without symbols on which it does not depend; None if it depends on one of them."""
        short = self._short(expression)
        if vanishes(short):
            return sp.S.Zero
        present = [s for s in symbols if short.has(s)]
        if not present:
            return short
        if not all(vanishes(short.diff(s)) for s in present):
            return None
        for value in (1, 2, 3):
            there = sp.simplify(short.subs(dict.fromkeys(present, value)))
            if not there.has(sp.zoo, sp.nan, sp.oo):
                return there
        return None

    def derivative(self, orders: Orders) -> sp.Expr:
        """The derivative of the field as a function."""
        pairs = [(x, c) for x, c in zip(self.coordinates, orders, strict=True) if c]
        return self.field.diff(*pairs) if pairs else self.field

    def jet(self, orders: Orders) -> sp.Symbol:
        """The symbol of a derivative."""
        if not any(orders):
            return self.value
        if orders not in self.jets:
            self.jets[orders] = sp.Dummy("u" + "".join(map(str, orders)), real=True)
        return self.jets[orders]

    def total(self, function: sp.Expr, orders: Orders) -> sp.Expr:
        """D_J of a function of the coordinates and the field, in jet symbols."""
        moved = function.xreplace({self.value: self.field})
        pairs = [(x, c) for x, c in zip(self.coordinates, orders, strict=True) if c]
        result = moved.diff(*pairs) if pairs else moved
        every = itertools.product(*(range(c + 1) for c in orders))
        table = {self.derivative(k): self.jet(k) for k in every if any(k)}
        return sp.expand(result.xreplace(table).xreplace({self.field: self.value}))


def _linear_equation(frame: _Frame, solved: sp.Expr, forward: sp.Expr):
    """φ_u (u_L + f) as Σ ℓ_K D_K φ + ℓ_0 φ + source: the coefficients from the highest order down."""
    slope = forward.diff(frame.value)
    rest = sp.expand(slope * solved)
    coefficients: dict[Orders, sp.Expr] = {}
    n = len(frame.coordinates)
    for order in range(frame.order, 0, -1):
        for k in (k for k in itertools.product(range(order + 1), repeat=n) if sum(k) == order):
            symbol = frame.jets.get(k)
            weight = rest.diff(symbol) / slope if symbol is not None else sp.S.Zero
            every = [*frame.jets.values(), frame.value]
            weight = frame.free_of(weight, *every)
            if weight is None:
                return None
            if weight != 0:
                coefficients[k] = weight
                rest = frame._short(rest - weight * frame.total(forward, k))
    rest = frame.free_of(rest, *frame.jets.values())
    if rest is None:
        return None
    constant = frame.free_of(rest.diff(frame.value) / slope, frame.value)
    source = None if constant is None else frame.free_of(rest - constant * forward, frame.value)
    if constant is None or source is None:
        return None
    return coefficients | ({(0,) * n: constant} if constant != 0 else {}), source
