"""Linearisation by a change of the field alone: w = φ(x, u), read off from the infinite abelian ideal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.change_of_variables import normal_form, pulled_back
from solvers.symmetry.characteristics import exponential, positive_inverse
from solvers.symmetry.quadrature import primitive

Orders = tuple[int, ...]


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
    linear = _linear_equation(frame, inverse, unknown)
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
    return moving if rest.is_Add or factor.has(sp.Add) else sp.sign(factor) * rest if factor.is_number else rest


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
        self.residual = equation.xreplace(stand_in).xreplace(self.positive)
        self.order = max((sum(k) for k in self.jets), default=0)

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
        on_shell = {self.jets[leader]: solved}
        ratios = {}
        for k in top:
            ratio = self._short((self.residual.diff(self.jets[k]) / lead).xreplace(on_shell))
            if ratio.has(*self.jets.values(), self.value):
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
            weight = self._short(-change / ((low[i] + 1) * ratios[raised]))
            return None if weight.has(*self.jets.values()) else weight
        return sp.S.Zero

    def _first_orders(self) -> dict[int, sp.Symbol]:
        unit = lambda i: tuple(int(i == j) for j in range(len(self.coordinates)))  # ruff: ignore[lambda-assignment]
        return {i: self.jets[unit(i)] for i in range(len(self.coordinates)) if unit(i) in self.jets}

    def _lower(self) -> list[Orders]:
        n = len(self.coordinates)
        return [k for k in itertools.product(range(self.order), repeat=n) if sum(k) == self.order - 1]

    def _short(self, expression: sp.Expr) -> sp.Expr:
        result = sp.cancel(sp.powsimp(sp.expand(expression)))
        if result.has(sp.sin, sp.tan, sp.exp, sp.sinh) and result.count_ops() < 200:
            result = sp.simplify(result)
        return result


def _linear_equation(frame: _Frame, inverse: sp.Expr, unknown: sp.Symbol):
    """Substitute u = ψ(x, w) and read off the coefficients, if they are free of w."""
    w = sp.Function("w", positive=True)(*frame.coordinates)
    residual = frame.residual.xreplace({s: _derivative(frame, k) for k, s in frame.jets.items()})
    residual = residual.xreplace({frame.value: frame.field})
    images = {x: x for x in frame.coordinates} | {frame.field: inverse.subs(unknown, w)}
    [pulled] = pulled_back([residual], frame.coordinates, images, frame.coordinates)
    flat = normal_form(sp.powdenest(pulled, force=True), [w])
    jets = {k: (w.diff(*[p for x, c in zip(frame.coordinates, k, strict=True) for p in [(x, c)] if c]) if any(k) else w)
            for k in {*frame.jets, (0,) * len(frame.coordinates)}}  # fmt: skip
    names = {node: sp.Dummy(f"w{k}", positive=True) for k, node in jets.items()}
    flat = flat.xreplace({n: names[n] for n in names if n != w}).xreplace({w: names[w]})
    if flat.has(AppliedUndef, sp.Derivative):
        return None
    slopes = {k: flat.diff(names[node]) for k, node in jets.items()}
    lead = next(s for k, s in sorted(slopes.items(), key=lambda item: -sum(item[0])) if s != 0)
    coefficients = {k: frame._short(s / lead) for k, s in slopes.items() if s != 0}
    if any(c.has(*names.values()) for c in coefficients.values()):
        # A common factor: divide the equation itself.
        flat = frame._short(flat / lead)
        coefficients = {k: frame._short(flat.diff(names[node])) for k, node in jets.items()}
        coefficients = {k: c for k, c in coefficients.items() if c != 0}
    else:
        flat = frame._short(flat / lead)
    if any(c.has(*names.values()) for c in coefficients.values()):
        return None
    source = frame._short(flat.subs(dict.fromkeys(names.values(), 0)))
    return coefficients, source


def _derivative(frame: _Frame, orders: Orders) -> sp.Expr:
    pairs = [(x, c) for x, c in zip(frame.coordinates, orders, strict=True) if c]
    return frame.field.diff(*pairs)
