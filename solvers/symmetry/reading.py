"""From SymPy expressions to the differential ring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import lcm

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError, UnsupportedFunctionError
from solvers.symmetry.polynomials import (
    ONE,
    Polynomial,
    accumulate,
    constant,
    multiply,
    power,
    scale,
    support,
    variable,
)
from solvers.symmetry.ring import Ring

REFUSED: tuple[type, ...] = (
    sp.Abs,
    sp.sign,
    sp.Piecewise,
    sp.Heaviside,
    sp.DiracDelta,
    sp.Max,
    sp.Min,
    sp.floor,
    sp.ceiling,
)
REFUSED += (sp.conjugate, sp.re, sp.im, sp.arg, sp.Integral)
HYPERBOLIC = (sp.sinh, sp.cosh, sp.tanh, sp.coth, sp.sech, sp.csch)
TRIGONOMETRIC = (sp.tan, sp.cot, sp.sec, sp.csc)
DEEPEST = 12


class Reader:
    """Converts expressions into polynomials of a ring, making thetas as they are met.

    Powers, exponentials and angles of the same base are brought to one common root before reading, so that
    `exp(u)` and `exp(-u/2)` are powers of one generator and remain algebraically independent of everything else.

    Args:
        ring: The ring that receives the generators.
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.roots: dict[tuple[str, sp.Expr], int] = {}
        self.made: dict[tuple[str, sp.Expr], list[tuple[int, int]]] = {}
        self.depth = 0

    def read(self, expression: sp.Expr) -> Polynomial:
        """The ring element of an expression; call `survey` on all expressions first."""
        ring = self.ring
        if expression in ring.known:
            return variable(ring.known[expression])
        if expression in ring.fields:
            return variable(ring.jet(ring.fields.index(expression), (0,) * len(ring.coordinates)))
        if isinstance(expression, sp.Add):
            total: Polynomial = {}
            for term in expression.args:
                accumulate(total, self.read(term))
            return total
        if isinstance(expression, sp.Mul):
            product = ONE
            for factor in expression.args:
                product = multiply(product, self.read(factor))
            return product
        if isinstance(expression, sp.Rational):
            return scale(ring.inverse(constant(int(expression.q))), int(expression.p))
        if expression.is_Symbol or isinstance(expression, sp.NumberSymbol):
            return ring.parameter(expression)
        if isinstance(expression, sp.Derivative):
            return self._derivative(expression)
        if isinstance(expression, sp.Subs) and isinstance(expression.expr, sp.Derivative):
            return self._evaluated_slope(expression)
        if isinstance(expression, sp.Pow | sp.exp):
            return self._power(expression)
        return self._function(expression)

    def survey(self, expressions: list[sp.Expr]) -> None:
        """Find the common denominators of exponents and angles before anything is read."""
        for expression in expressions:
            for node in expression.atoms(sp.Pow, sp.exp, sp.sin, sp.cos):
                for kind, base, ratio in self._ratios(node):
                    key = (kind, base)
                    self.roots[key] = lcm(self.roots.get(key, 1), int(ratio.q))

    def _ratios(self, node: sp.Expr) -> list[tuple[str, sp.Expr, sp.Rational]]:
        if isinstance(node, sp.exp | sp.sin | sp.cos):
            kind = "exp" if isinstance(node, sp.exp) else "angle"
            return [(kind, term, ratio) for ratio, term in _terms(node.args[0])]
        base, exponent = node.as_base_exp()
        if exponent.is_Integer:
            return []
        if not exponent.is_Rational:
            pieces = [(f"power {e}", ratio) for ratio, e in _terms(exponent) if e != 1]
        else:
            pieces = [("root", exponent)]
        return [
            (kind, b, r)
            for b, multiple in _bases(base)
            for kind, r in [(kind, ratio * multiple) for kind, ratio in pieces]
        ]

    def _derivative(self, expression: sp.Derivative) -> Polynomial:
        ring = self.ring
        inner = expression.expr
        if inner in ring.fields:
            index = [0] * len(ring.coordinates)
            for symbol, order in expression.variable_count:
                if symbol not in ring.coordinates or not order.is_Integer:
                    raise ProblemError(
                        "derivatives by the coordinates, of integer order",
                        str(expression),
                        f"differentiate by one of {', '.join(map(str, ring.coordinates))}",
                    )
                index[ring.coordinates.index(symbol)] += int(order)
            return variable(ring.jet(ring.fields.index(inner), tuple(index)))
        if isinstance(inner, AppliedUndef):
            return self._arbitrary(inner, expression)
        evaluated = expression.doit()
        if evaluated == expression:
            raise ProblemError("derivatives of the unknown fields", str(expression), "evaluate it first")
        self.survey([evaluated])
        return self.read(evaluated)

    def _evaluated_slope(self, expression: sp.Subs) -> Polynomial:
        """A partial derivative of an arbitrary function at a point that is no symbol."""
        inner = expression.expr
        if not isinstance(inner.expr, AppliedUndef) or inner.expr.func in {f.func for f in self.ring.fields}:
            raise ProblemError("derivatives of the fields at the coordinates", str(expression), "evaluate it first")
        orders = [0] * len(inner.expr.args)
        for symbol, count in inner.variable_count:
            orders[inner.expr.args.index(symbol)] += int(count)
        places = dict(zip(expression.variables, expression.point, strict=True))
        return variable(self.arbitrary_jet(inner.expr.xreplace(places), tuple(orders)))

    def _power(self, expression: sp.Expr) -> Polynomial:
        if isinstance(expression, sp.exp):
            return self._exponential(expression.args[0])
        base, exponent = expression.base, expression.exp
        if exponent.is_Integer:
            value = self.read(base)
            return power(value if exponent > 0 else self.ring.inverse(value), abs(int(exponent)))
        if self._is_constant(exponent):
            return self._root_product(base, exponent)
        return self._exponential(sp.expand_log(exponent * sp.log(base), force=True))

    def _is_constant(self, expression: sp.Expr) -> bool:
        return not expression.has(*self.ring.coordinates, *self.ring.fields)

    def _root_product(self, base: sp.Expr, exponent: sp.Expr) -> Polynomial:
        result = ONE
        for b, multiple in _bases(base):
            for ratio, part in _terms(sp.expand(exponent * multiple)):
                whole, kind = ratio, "root" if part == 1 else f"power {part}"
                degree = self.roots.setdefault((kind, b), int(ratio.q))
                if part == 1:
                    element = self._algebraic(b, degree) if degree > 1 else self.read(b)
                else:
                    element = self._symbolic_power(b, part, degree)
                steps = int(whole * degree)
                result = multiply(result, power(element if steps > 0 else self.ring.inverse(element), abs(steps)))
        return result

    def _algebraic(self, base: sp.Expr, degree: int) -> Polynomial:
        if base == -1 or base.is_negative:
            raise ProblemError("real coefficients", f"a root of {base}", "write real and imaginary parts as two fields")
        ring, key = self.ring, ("root", base)
        [numerator], denominator = ring.cleared([self.read(base)])
        coarser = self._coarser(key, degree)
        if coarser is None:
            numerator = multiply(numerator, power(denominator, degree - 1))
            root = ring.root(ring.expression(numerator) ** sp.Rational(1, degree), degree, numerator)
        elif denominator == ONE:
            root = ring.root(ring.expression(numerator) ** sp.Rational(1, degree), degree, numerator)
            ring.relations[next(iter(support([root])))] = coarser
        else:
            raise self._too_late(base)
        self._remember(key, degree, next(iter(support([root]))))
        return multiply(root, ring.inverse(denominator))

    def _coarser(self, key: tuple[str, sp.Expr], degree: int) -> tuple[int, Polynomial] | None:
        """The relation of a finer root or power to the finest one that was made before it."""
        finest = max((pair for pair in self.made.get(key, []) if pair[0] < degree), default=None)
        return None if finest is None else (degree // finest[0], variable(finest[1]))

    def _remember(self, key: tuple[str, sp.Expr], degree: int, k: int) -> None:
        if (degree, k) not in self.made.setdefault(key, []):
            self.made[key].append((degree, k))

    @staticmethod
    def _too_late(expression: sp.Expr) -> UnsupportedFunctionError:
        return UnsupportedFunctionError(
            "functions whose fractions were known before the equations were read", str(expression)
        )

    def _finer(self, key: tuple[str, sp.Expr], degree: int, expression: sp.Expr) -> tuple[int, bool]:
        """The generator of a function, related to a power of it that may exist already; is it new?"""
        ring = self.ring
        new = expression not in ring.known
        k = ring.theta(expression, [])
        if new:
            coarser = self._coarser(key, degree)
            if coarser is not None:
                ring.relations[k] = coarser
            self._remember(key, degree, k)
        return k, new

    def _symbolic_power(self, base: sp.Expr, part: sp.Expr, degree: int) -> Polynomial:
        ring, argument = self.ring, self.read(base)
        k, new = self._finer((f"power {part}", base), degree, base ** (part / degree))
        if new:
            rate = multiply(self.read(part / degree), ring.inverse(argument))
            ring.rules[k] = [(lambda: multiply(variable(k), rate), argument)]
        return variable(k)

    def _exponential(self, argument: sp.Expr) -> Polynomial:
        result, ring = ONE, self.ring
        for ratio, term in _terms(argument):
            if isinstance(term, sp.log):
                result = multiply(result, self._root_product(term.args[0], ratio))
                continue
            degree = self.roots.setdefault(("exp", term), int(ratio.q))
            inner = self.read(term / degree)
            k, new = self._finer(("exp", term), degree, sp.exp(term / degree))
            if new:
                ring.rules[k] = [(partial(variable, k), inner)]
            element, steps = variable(k), int(ratio * degree)
            result = multiply(result, power(element if steps > 0 else ring.inverse(element), abs(steps)))
        return result

    def _function(self, expression: sp.Expr) -> Polynomial:
        if isinstance(expression, REFUSED) or expression is sp.I or expression.has(sp.I):
            raise ProblemError(
                "real, smooth functions",
                str(expression),
                "write real and imaginary parts as two fields and choose one branch of piecewise functions",
            )
        if isinstance(expression, AppliedUndef):
            return self._arbitrary(expression, expression)
        if isinstance(expression, HYPERBOLIC):
            return self._again(expression.rewrite(sp.exp))
        if isinstance(expression, TRIGONOMETRIC):
            return self._again(_ratio_of_circles(expression))
        if isinstance(expression, sp.sin | sp.cos):
            return self._circular(expression)
        if isinstance(expression, sp.log):
            return self._logarithm(expression.args[0])
        return self._special(expression)

    def _again(self, expression: sp.Expr) -> Polynomial:
        self.survey([expression])
        return self.read(expression)

    def _circular(self, expression: sp.Expr) -> Polynomial:
        pieces = [(ratio, term) for ratio, term in _terms(expression.args[0])]
        sine: Polynomial = {}
        cosine = ONE
        for ratio, term in pieces:
            degree = self.roots.setdefault(("angle", term), int(ratio.q))
            angle = term / degree
            if any(d != degree for d, _ in self.made.get(("angle", term), [])):
                raise self._too_late(expression)
            self._remember(("angle", term), degree, 0)
            self.ring.circle(sp.sin(angle), sp.cos(angle), self.read(angle))
            s, c = variable(self.ring.known[sp.sin(angle)]), variable(self.ring.known[sp.cos(angle)])
            steps = int(ratio * degree)
            if steps < 0:
                s, steps = scale(s, -1), -steps
            for _ in range(steps):
                rotated = multiply(sine, c)
                accumulate(rotated, multiply(cosine, s))
                turned = multiply(cosine, c)
                accumulate(turned, multiply(sine, s), -1)
                sine, cosine = rotated, turned
        return sine if isinstance(expression, sp.sin) else cosine

    def _logarithm(self, argument: sp.Expr) -> Polynomial:
        total: Polynomial = {}
        for base, multiple in _bases(argument):
            inner = self.read(base)
            if self._is_constant(base):
                value = self.ring.parameter(sp.log(base))
            else:
                inverse = self.ring.inverse(inner)
                value = variable(self.ring.theta(sp.log(base), [(partial(dict, inverse), inner)]))
            accumulate(total, multiply(value, self.read(sp.sympify(multiple))))
        return total

    def _special(self, expression: sp.Expr) -> Polynomial:
        if len(expression.args) != 1 or self.depth > DEEPEST:
            raise UnsupportedFunctionError(
                "elementary functions, or functions whose derivatives close",
                str(expression),
                "replace it by an arbitrary function of the coordinates, sp.Function('F')(x)",
            )
        argument = self.read(expression.args[0])
        if self._is_constant(expression.args[0]):
            return self.ring.parameter(expression)
        k = self.ring.theta(expression, [])
        if not self.ring.rules[k]:
            self.depth += 1
            self.ring.rules[k] = [(lambda: {}, argument)]
            slope = self._again(expression.fdiff(1))
            self.ring.rules[k] = [(lambda: slope, argument)]
            self.depth -= 1
        return variable(k)

    def _arbitrary(self, function: AppliedUndef, expression: sp.Expr) -> Polynomial:
        for argument in function.args:
            if argument.has(sp.Derivative) and argument.atoms(*(type(f) for f in self.ring.fields)):
                raise ProblemError(
                    "functions of the coordinates and the fields",
                    f"{function}, an arbitrary function of derivatives",
                    "give the function in closed form: an arbitrary one cannot be split",
                )
        if any(function.func == f.func for f in self.ring.fields):
            raise ProblemError(
                "every field with the same arguments everywhere",
                str(function),
                f"use {', '.join(map(str, self.ring.fields))} inside the equations; conditions are separate",
            )
        orders = [0] * len(function.args)
        for symbol, order in getattr(expression, "variable_count", ()):
            orders[function.args.index(symbol)] += int(order)
        return variable(self.arbitrary_jet(function, tuple(orders)))

    def arbitrary_jet(self, function: AppliedUndef, orders: tuple[int, ...]) -> int:
        """The generator of a derivative of an arbitrary function, with all higher ones as its rule."""
        ring, places = self.ring, [sp.Dummy(f"s{j}") for j in range(len(orders))]
        key = (function, orders)
        if key in ring.known:
            return ring.known[key]
        pairs: Mapping = {p: a for p, a in zip(places, function.args, strict=True)}
        chosen = [(p, n) for p, n in zip(places, orders, strict=True) if n]
        body = sp.Derivative(function.func(*places), *chosen) if chosen else function.func(*places)
        plain = all(a.is_Symbol for a in function.args)
        shown = body.subs(pairs) if plain else sp.Subs(body, tuple(pairs), tuple(pairs.values()))
        k = ring.generator(key, shown if chosen else function)

        def outer(j: int) -> Polynomial:
            raised = tuple(n + (i == j) for i, n in enumerate(orders))
            return variable(self.arbitrary_jet(function, raised))

        ring.rules[k] = [(partial(outer, j), self.read(a)) for j, a in enumerate(function.args)]
        return k


def _ratio_of_circles(expression: sp.Expr) -> sp.Expr:
    sine, cosine = sp.sin(expression.args[0]), sp.cos(expression.args[0])
    return {sp.tan: sine / cosine, sp.cot: cosine / sine, sp.sec: 1 / cosine, sp.csc: 1 / sine}[expression.func]


def _terms(argument: sp.Expr) -> list[tuple[sp.Rational, sp.Expr]]:
    """The terms of an argument as rational number times the rest."""
    collected: dict[sp.Expr, sp.Rational] = {}
    for term in sp.Add.make_args(sp.expand(argument)):
        ratio, rest = term.as_coeff_Mul(rational=True)
        collected[rest] = collected.get(rest, sp.Integer(0)) + ratio
    return [(ratio, rest) for rest, ratio in collected.items() if ratio]


def _bases(base: sp.Expr) -> list[tuple[sp.Expr, sp.Expr]]:
    """Irreducible factors of a base with their exponents; integers by primes."""
    if base.is_Rational and base > 0:
        return [(sp.Integer(prime), sp.Integer(e)) for prime, e in sp.factorrat(base).items()]
    result = []
    for factor in sp.Mul.make_args(sp.factor(base) if isinstance(base, sp.Add | sp.Mul) else base):
        inner, exponent = factor.as_base_exp()
        if inner.is_Rational and inner > 0 and inner != base:
            result += [(b, e * exponent) for b, e in _bases(inner)]
        else:
            result.append((inner, exponent))
    return result
