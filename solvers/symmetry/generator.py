"""Infinitesimal generators: vector fields on the space of coordinates and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from sciml.errors import ProblemError
from solvers.symmetry.implicit import ImplicitSolution
from solvers.symmetry.transform import OneParameterGroup, one_parameter_group


@dataclass(frozen=True, eq=False)
class Generator:
    """A vector field X = ξⁱ(z) ∂/∂xⁱ + ηᵃ(z) ∂/∂uᵃ on z = (x, u) (Olver 1993, chapter 2).

    Args:
        independent: Coordinates x.
        dependent: Fields u as applied functions, for instance `u(x, t)`.
        coefficients: Coordinate or field to the coefficient of its derivative; what is missing is zero.
            Coefficients are expressions in the coordinates and the applied fields.

    Raises:
        ProblemError: If a key is no variable, or a coefficient contains derivatives of a field.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> galilei = Generator((x, t), (u,), {x: t, u: -x * u / 2})
        >>> print(galilei)
        t ∂_x - (u*x/2) ∂_u
        >>> galilei.characteristic()[u]
        -t*Derivative(u(x, t), x) - x*u(x, t)/2
        >>> print(Generator((x, t), (u,), {t: 1}).commutator(galilei))
        ∂_x
    """

    independent: tuple[sp.Symbol, ...]
    dependent: tuple[AppliedUndef, ...]
    coefficients: Mapping[sp.Expr, sp.Expr]

    def __post_init__(self) -> None:
        """Drop zeros, make floats rational, fix the order of the coefficients."""
        object.__setattr__(self, "independent", tuple(self.independent))
        object.__setattr__(self, "dependent", tuple(self.dependent))
        unknown = [str(key) for key in self.coefficients if key not in self.variables]
        if unknown:
            raise ProblemError(
                f"coefficients for {', '.join(map(str, self.variables))}",
                f"also for {', '.join(unknown)}",
                "use the same symbols and applied fields as in the equations",
            )
        clean = {}
        for variable in self.variables:
            coefficient = sp.sympify(self.coefficients.get(variable, 0))
            if coefficient.has(sp.Float):
                coefficient = sp.nsimplify(coefficient, rational=True)
            if any(node.expr in self.dependent for node in coefficient.atoms(sp.Derivative)):
                raise ProblemError("a point symmetry: coefficients free of derivatives of the fields", str(coefficient))
            if coefficient != 0:
                clean[variable] = coefficient
        object.__setattr__(self, "coefficients", clean)

    @property
    def variables(self) -> tuple[sp.Expr, ...]:
        """Coordinates, then fields."""
        return (*self.independent, *self.dependent)

    @property
    def components(self) -> tuple[sp.Expr, ...]:
        """One coefficient per variable, zeros included."""
        return tuple(self.coefficients.get(variable, sp.S.Zero) for variable in self.variables)

    @property
    def is_projectable(self) -> bool:
        """Whether the coordinates are transformed without the help of the fields."""
        return not any(self.coefficients.get(x, sp.S.Zero).has(*self.dependent) for x in self.independent)

    def __getitem__(self, variable: sp.Expr) -> sp.Expr:
        """The coefficient of ∂/∂variable."""
        if variable not in self.variables:
            raise ProblemError(f"one of {self.variables}", str(variable))
        return self.coefficients.get(variable, sp.S.Zero)

    def __bool__(self) -> bool:
        """False for the zero vector field."""
        return bool(self.coefficients)

    def __eq__(self, other: object) -> bool:
        """Equal variables and equal coefficients after expansion."""
        if not isinstance(other, Generator) or self.variables != other.variables:
            return False
        return all(sp.expand(a - b) == 0 for a, b in zip(self.components, other.components, strict=True))

    def __hash__(self) -> int:
        """Hash by variables; equal generators may differ in the form of their coefficients."""
        return hash(self.variables)

    def _combine(self, other: Generator, a: sp.Expr, b: sp.Expr) -> Generator:
        if not isinstance(other, Generator) or self.variables != other.variables:
            raise ProblemError("two generators on the same variables", f"{self.variables} and {other}")
        total = {z: sp.expand(a * self[z] + b * other[z]) for z in self.variables}
        return Generator(self.independent, self.dependent, total)

    def __add__(self, other: Generator) -> Generator:
        """Sum of vector fields."""
        return self._combine(other, sp.S.One, sp.S.One)

    def __sub__(self, other: Generator) -> Generator:
        """Difference of vector fields."""
        return self._combine(other, sp.S.One, sp.S.NegativeOne)

    def __neg__(self) -> Generator:
        """The opposite vector field."""
        return self * -1

    def __mul__(self, factor: sp.Expr | float) -> Generator:
        """Multiple by a constant."""
        factor = sp.sympify(factor)
        return Generator(
            self.independent, self.dependent, {z: sp.expand(factor * c) for z, c in self.coefficients.items()}
        )

    __rmul__ = __mul__

    def apply(self, function: sp.Expr) -> sp.Expr:
        """X(F) = Σ X(z) ∂F/∂z for a function F of the coordinates and the fields (no derivatives).

        Args:
            function: Expression in the coordinates and the applied fields.

        Returns:
            The derivative of `function` along X.
        """
        stand_in = {u: sp.Dummy(u.func.__name__, real=True) for u in self.dependent}
        frozen = sp.sympify(function).xreplace(stand_in)
        back = {symbol: u for u, symbol in stand_in.items()}
        return sum(
            (c * frozen.diff(stand_in.get(z, z)).xreplace(back) for z, c in self.coefficients.items()),
            sp.S.Zero,
        )

    def characteristic(self) -> dict[AppliedUndef, sp.Expr]:
        """Qᵃ = ηᵃ − ξⁱ ∂uᵃ/∂xⁱ; a solution is invariant where Q vanishes on it (Olver 1993, section 2.3).

        Returns:
            Field to its characteristic.
        """
        return {u: self[u] - sum((self[x] * u.diff(x) for x in self.independent), sp.S.Zero) for u in self.dependent}

    def prolong(self, function: sp.Expr) -> sp.Expr:
        """Prolonged action pr X(F) = Σ ∂F/∂u_J · D_J Q + ξⁱ D_i F for a differential F (Olver 1993, 2.36).

        Args:
            function: Expression in coordinates, fields and derivatives of the fields.

        Returns:
            Derivative of `function` along the prolonged vector field.
        """
        function, characteristic = sp.sympify(function), self.characteristic()
        jets = {node for node in function.atoms(sp.Derivative) if node.expr in self.dependent}
        jets |= {u for u in self.dependent if function.has(u)}
        stand_in = {jet: sp.Dummy() for jet in jets}
        frozen, back = function.xreplace(stand_in), {d: jet for jet, d in stand_in.items()}
        total = sum((self[x] * function.diff(x) for x in self.independent), sp.S.Zero)
        for jet, symbol in stand_in.items():
            field = jet.expr if isinstance(jet, sp.Derivative) else jet
            orders = jet.variables if isinstance(jet, sp.Derivative) else ()
            shift = characteristic[field].diff(*orders) if orders else characteristic[field]
            total += frozen.diff(symbol).xreplace(back) * shift
        return sp.expand(total.doit())

    def commutator(self, other: Generator) -> Generator:
        """The Lie bracket [X, Y] = X(Y(z)) ∂_z − Y(X(z)) ∂_z.

        Args:
            other: Generator Y on the same variables.

        Returns:
            The bracket.

        Raises:
            ProblemError: If the variables differ.
        """
        if self.variables != other.variables:
            raise ProblemError("two generators on the same variables", f"{self.variables}, {other.variables}")
        bracket = {z: sp.expand(self.apply(other[z]) - other.apply(self[z])) for z in self.variables}
        return Generator(self.independent, self.dependent, bracket)

    @property
    def _group(self) -> OneParameterGroup:
        return one_parameter_group(self.independent, self.dependent, self.components)

    def flow(self, eps: sp.Expr | float) -> dict[sp.Expr, sp.Expr]:
        """The finite transformation exp(εX) in closed form (Olver 1993, section 1.3).

        Args:
            eps: Group parameter: a number (floats are read as exact decimals) or a symbol.

        Returns:
            Coordinate or field to its image; `validity` says for which parameters.

        Raises:
            ProblemError: If `eps` is no real number or contains a variable.
            SolverError: If there is no closed form; `numeric_flow` follows the field numerically.

        Example:
            >>> from sciml.symbols import coordinates, field
            >>> x, t = coordinates("x t")
            >>> u, eps = field("u", x, t), sp.Symbol("eps", real=True)
            >>> Generator((x, t), (u,), {x: t * x, t: t**2, u: x - t * u}).flow(eps)[t]
            t/(-eps*t + 1)
        """
        return self._group.images(eps)

    def transform(self, solution: sp.Expr | Mapping, eps: sp.Expr | float) -> sp.Expr | dict | ImplicitSolution:
        """The solution that exp(εX) makes of a given one (Olver 1993, section 2.2).

        Where the coordinates move by themselves: ũ(x̃) = U(ε; y, f(y)) with y = X(−ε; x̃). Where ξ depends on
        the fields the graph is transformed, and its formula is known only implicitly.

        Args:
            solution: Expression, or mapping from each field to one; undefined functions such as f(x, t) allowed.
            eps: Group parameter.

        Returns:
            Expression or mapping, as given; an `ImplicitSolution` if ξ depends on the fields. The condition
            under which it holds is `validity(eps, solution)`.

        Raises:
            ProblemError: If a field has no expression.
            SolverError: If the flow has no closed form.

        Example:
            >>> from sciml.symbols import coordinates, field
            >>> x, t = coordinates("x t")
            >>> u, eps = field("u", x, t), sp.Symbol("eps", real=True)
            >>> Generator((x, t), (u,), {x: 2 * t, u: -x * u}).transform(1, eps)
            exp(-eps*(-eps*t + x))
        """
        return self._group.act(solution, eps)

    def validity(self, eps: sp.Expr | float, solution: sp.Expr | Mapping | None = None) -> Boolean:
        """Where `flow(eps)`, or with a solution `transform(solution, eps)`, is valid: poles and branch cuts.

        Args:
            eps: Group parameter.
            solution: What is transformed; None for the condition on the point that flows.

        Returns:
            SymPy condition: no singularity between the identity and `eps` (exact for the forms named in
            `validity_condition`, else necessary).

        Example:
            >>> from sciml.symbols import coordinates, field
            >>> x, t = coordinates("x t")
            >>> u, eps = field("u", x, t), sp.Symbol("eps", real=True)
            >>> projective = Generator((x, t), (u,), {x: 4 * t * x, t: 4 * t**2, u: -(x**2 + 2 * t) * u})
            >>> projective.validity(eps), projective.validity(eps, 1)
            (-4*eps*t + 1 > 0, 4*eps*t + 1 > 0)
        """
        return self._group.validity(eps, solution)

    def _terms(self, printer, times: str, mark: str) -> str:
        names = {u: sp.Symbol(u.func.__name__) for u in self.dependent}
        parts = []
        for variable, coefficient in self.coefficients.items():
            shown = coefficient.xreplace(names)
            sign = " - " if shown.could_extract_minus_sign() else " + "
            shown = -shown if sign == " - " else shown
            text = printer(shown)
            text = "" if shown == 1 else text if shown.is_Atom else f"({text})"
            parts.append(sign + (text + times if text else "") + mark.format(printer(names.get(variable, variable))))
        joined = "".join(parts)
        return "0" if not joined else ("-" if joined.startswith(" - ") else "") + joined[3:]

    def __str__(self) -> str:
        """Readable text, fields without their arguments."""
        return self._terms(str, " ", "∂_{}")

    __repr__ = __str__

    def latex(self) -> str:
        """LaTeX code of the vector field.

        Returns:
            The code, without dollar signs.
        """
        return self._terms(sp.latex, r"\,", r"\partial_{{{}}}")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"
