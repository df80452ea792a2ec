"""Closed-form solutions of reduced ordinary differential equations, by formulas that end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.change_of_variables import normal_form
from solvers.symmetry.characteristics import characteristic
from solvers.symmetry.linear_odes import linear_solutions
from solvers.symmetry.quadrature import primitive
from solvers.symmetry.total_derivatives import first_integral

LARGE = 400


def solve_reduced(
    equations: Sequence[sp.Equality], functions: Sequence[AppliedUndef], coordinates: Sequence[sp.Symbol]
) -> tuple[list[dict[AppliedUndef, sp.Expr]], str]:
    """Solutions of a reduced system, function by function: each step uses an equation with one unknown left.

    Args:
        equations: `Eq(residual, 0)`.
        functions: Unknown functions of one coordinate.
        coordinates: The coordinate.

    Returns:
        Candidate solutions with constants C1, C2, ..., not yet checked, and why there are none.
    """
    if len(coordinates) != 1:
        return [], "the reduced system is a system of PDEs: reduce it again"
    z = sp.Dummy("z", positive=True)
    frame = {f: sp.Function(f.func.__name__, positive=True)(z) for f in functions}
    shown = {f.func: g.func for f, g in frame.items()}
    system = []
    for equation in equations:
        moved = equation.lhs.replace(lambda n: n.func in shown, lambda n: shown[n.func](*n.args))
        system.append(moved.xreplace({coordinates[0]: z}))
    used = {s.name for e in equations for s in e.free_symbols}
    constants = (sp.Symbol(f"C{k}", real=True) for k in range(1, 100) if f"C{k}" not in used)
    found = [solution for solution in _stepwise(system, list(frame.values()), z, _Constants(constants))]
    if not found:
        return [], "no closed form of the reduced equation was found"
    return [{f: s[g].xreplace({z: coordinates[0]}) for f, g in frame.items()} for s in found], ""


class _Constants:
    """The same names in every branch, one after the other."""

    def __init__(self, names: Iterator[sp.Symbol]) -> None:
        self.names = names
        self.known: list[sp.Symbol] = []

    def __call__(self, number: int) -> sp.Symbol:
        while len(self.known) <= number:
            self.known.append(next(self.names))
        return self.known[number]


def _stepwise(system: list, unknown: list, z: sp.Symbol, constants: _Constants, used: int = 0) -> Iterator[dict]:
    if not unknown:
        if all(sp.simplify(e) == 0 for e in system if e.count_ops() < LARGE):
            yield {}
        return
    for equation in sorted(system, key=sp.count_ops):
        present = [f for f in unknown if equation.has(f)]
        if len(present) != 1:
            continue
        (f,) = present
        rest = [e for e in system if e is not equation]
        for formula in OrdinaryEquation(equation, f, z, constants, used).solutions():
            count = used + len({c for c in constants.known if formula.has(c)} - {constants(k) for k in range(used)})
            inserted = [_insert(e, f, formula) for e in rest]
            left = [g for g in unknown if g != f]
            inserted = [normal_form(e, left) if left else e for e in inserted]
            for others in _stepwise([e for e in inserted if e != 0], left, z, constants, count):
                yield {f: formula, **others}
        return
    if len(unknown) == 1 and not system:
        return


def _insert(expression: sp.Expr, f: AppliedUndef, formula: sp.Expr) -> sp.Expr:
    return expression.replace(f.func, sp.Lambda(f.args, formula)).doit()


class OrdinaryEquation:
    """One ODE for one function; its jets are symbols y0, y1, ..., taken as positive.

    Args:
        residual: Expression that vanishes.
        f: Unknown function of z.
        z: Variable.
        constants: Names of the constants of integration.
        used: How many of them are taken.
    """

    def __init__(self, residual: sp.Expr, f: AppliedUndef, z: sp.Symbol, constants: _Constants, used: int) -> None:
        self.z, self.constants, self.used = z, constants, used
        order = max((d.derivative_count for d in residual.atoms(sp.Derivative)), default=0)
        self.jets = [sp.Dummy(f"y{k}", positive=True) for k in range(order + 1)]
        table = {f.diff(z, k) if k else f: y for k, y in enumerate(self.jets)}
        self.residual = sp.expand(residual.xreplace(table))

    def solutions(self) -> list[sp.Expr]:
        """Families of solutions: the general one where a rule applies, else particular ones."""
        return list(self._solve(self.residual, self.jets, self.used))

    def _solve(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        while len(jets) > 1 and not residual.has(jets[-1]):
            jets = jets[:-1]
        if residual.count_ops() > LARGE:
            return []
        order = len(jets) - 1
        rules = [self._linear, self._first_order] if order <= 1 else [self._linear, self._missing, self._exact]
        rules += [self._energy, self._monomial] if order > 1 else [self._monomial]
        for rule in rules:
            found = rule(residual, jets, used)
            if found:
                return found
        return []

    def _linear(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        slopes = [sp.cancel(residual.diff(y)) for y in jets]
        if len(jets) < 2 or any(s.has(*jets) for s in slopes):
            return []
        basis = linear_solutions(slopes, self.z)
        if basis is None:
            return []
        source = residual.subs(dict.fromkeys(jets, 0))
        special = sp.S.Zero if source == 0 else self._particular(slopes, source, basis)
        if special is None:
            return []
        return [special + sum(self.constants(used + k) * y for k, y in enumerate(basis))]

    def _particular(self, slopes: list[sp.Expr], source: sp.Expr, basis: list[sp.Expr]) -> sp.Expr | None:
        """Variation of constants with the Wronskian of the basis (Ince 1926, section 5.23)."""
        z, n = self.z, len(basis)
        wronskian = sp.Matrix(n, n, lambda i, j: basis[j].diff(z, i) if i else basis[j])
        if n > 3 or wronskian.has(sp.hyper):
            return None
        last = sp.Matrix([*[0] * (n - 1), -source / slopes[-1]])
        weights = [sp.trigsimp(sp.powsimp(sp.cancel(w))) for w in wronskian.LUsolve(last)]
        integrals = [primitive(sp.expand(w), z) if w != 0 else sp.S.Zero for w in weights]
        if any(i is None for i in integrals):
            return None
        return sp.expand(sum(i * y for i, y in zip(integrals, basis, strict=True)))

    def _first_order(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        if len(jets) != 2:
            return []
        y, slope = jets
        lead = residual.diff(slope)
        if lead.has(slope):
            return []
        rate = sp.expand(sp.cancel(sp.powsimp(sp.expand((lead * slope - residual) / lead))))
        level = characteristic(rate, y, self.z)
        if level is not None:
            return [level.solution.subs(level.symbol, self.constants(used))]
        return self._riccati(rate, y, used)

    def _riccati(self, rate: sp.Expr, y: sp.Symbol, used: int) -> list[sp.Expr]:
        """y′ = r + p y + q y²: y = −w′/(q w), w″ − (p + q′/q) w′ + q r w = 0."""
        if not rate.is_polynomial(y) or sp.degree(rate, y) != 2:
            return []
        r, p, q = (rate.coeff(y, k) for k in range(3))
        basis = linear_solutions([sp.cancel(q * r), sp.cancel(-p - q.diff(self.z) / q), sp.S.One], self.z)
        if basis is None:
            return []
        w = basis[0] + self.constants(used) * basis[1]
        return [-w.diff(self.z) / (q * w)]

    def _missing(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        """No y0: an equation for y′."""
        if residual.has(jets[0]):
            return []
        found = []
        for slope in self._solve(residual, jets[1:], used):
            integral = primitive(slope, self.z)
            if integral is not None:
                found.append(integral + self.constants(used + len(jets) - 2))
        return found

    def _exact(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        """A total derivative: integrate once; the constant is kept if that can be solved, else zero."""
        integral = first_integral(residual, jets, self.z)
        if integral is None:
            return []
        constant = self.constants(used)
        lower = jets[:-1]
        return self._solve(sp.expand(integral - constant), lower, used + 1) or self._solve(integral, lower, used)

    def _energy(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        """y″ = h(y): y′² = 2∫h; solitary waves where the right side is y²(a + b y^m)."""
        if len(jets) != 3 or residual.has(self.z, jets[1]):
            return []
        y, lead = jets[0], residual.diff(jets[2])
        if lead.has(*jets):
            return []
        energy = primitive(sp.expand(-2 * (residual - lead * jets[2]) / lead), y)
        if energy is None:
            return []
        inside = sp.powsimp(sp.expand(energy / y**2))
        a, moving = inside.as_independent(y, as_Add=True)
        b, power = moving.as_independent(y, as_Add=False)
        base, m = power.as_base_exp()
        if base != y or m.has(y) or a == 0:
            return []
        phase = sp.sqrt(a) * m / 2 * (self.z - self.constants(used))
        return [(-a / b / sp.cosh(phase) ** 2) ** (1 / m)]

    def _monomial(self, residual: sp.Expr, jets: list[sp.Symbol], used: int) -> list[sp.Expr]:
        """Y = c z^m for small m, where all terms get the same power."""
        z, c = self.z, sp.Dummy("c", positive=True)
        found = []
        for m in (sp.Integer(k) for k in (-3, -2, -1, 1, 2, 3)):
            table = {y: c * (z**m).diff(z, k) if k else c * z**m for k, y in enumerate(jets)}
            value = sp.factor(sp.powsimp(sp.expand(residual.subs(table, simultaneous=True))))
            left = [f for f in sp.Mul.make_args(value) if f.has(c) and f.as_base_exp()[0] != c]
            if value == 0 or len(left) != 1 or left[0].has(z) or not left[0].is_polynomial(c):
                continue
            if sp.degree(left[0], c) <= 2:
                found += [root * z**m for root in sp.roots(sp.Poly(left[0], c)) if root != 0 and not root.has(sp.I)]
        return found
