r"""The nonlinear part of an equation, told apart from its linear part.

An equation is cut into its additive terms. Those affine in the fields go to the linear weak form; of the others,
a term a(x, t, u) ∂_kl u_j is integrated by parts like a linear one (the flux a ∂_l u_j meets ∂_k v), and what is left
is a function of values and first derivatives, tested with v. Newton's method needs the derivatives of these functions
with respect to values and first derivatives, which SymPy gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from sciml.callables import is_numeric_only
from sciml.classification import LinearForm, linear_form
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.jets import Jet, jet_atoms

_PINN = "use a PINN for this problem"


@dataclass(frozen=True)
class Nonlinear:
    """One term ∫ expression · (v or ∂v), nonlinear in values and first space derivatives.

    Attributes:
        test: Axis of the derivative of v, None for v itself.
        expression: Expression of coordinates, fields and their first space derivatives.
    """

    test: int | None
    expression: sp.Expr


@dataclass(frozen=True)
class Split:
    """An equation as linear form + Σ quasilinear[jet] · jet + remainder.

    Attributes:
        linear: The affine terms.
        quasilinear: Second derivatives in space whose coefficients depend on the fields.
        remainder: The rest, of first order.
    """

    linear: LinearForm
    quasilinear: dict[Jet, sp.Expr]
    remainder: sp.Expr


def split_equation(name: str, equation: sp.Expr, problem: IBVP) -> Split:
    """Tell the linear terms of an equation from the others.

    Args:
        name: Name of the equation, for messages.
        equation: Its residual, parameters put in.
        problem: The problem.

    Returns:
        The parts.

    Raises:
        SolverError: If the nonlinear part is opaque, or nonlinear in derivatives of second order or in time.
    """
    form = linear_form(equation, problem.fields, problem.coordinates)
    if form is not None:
        return Split(form, {}, sp.Integer(0))
    if is_numeric_only(equation):
        raise SolverError("equations in SymPy for finite elements", f"{name!r} is an opaque function", _PINN)
    linear: list[sp.Expr] = []
    other: list[sp.Expr] = []
    for term in sp.Add.make_args(sp.expand(equation)):
        affine = linear_form(term, problem.fields, problem.coordinates) is not None
        (linear if affine else other).append(term)
    form = linear_form(sp.Add(*linear), problem.fields, problem.coordinates)
    assert form is not None
    quasilinear, remainder = _highest(name, sp.Add(*other), problem)
    return Split(form, quasilinear, remainder)


def _highest(name: str, rest: sp.Expr, problem: IBVP) -> tuple[dict[Jet, sp.Expr], sp.Expr]:
    """Second derivatives with their coefficients, and what is left without them."""
    d = len(problem.space)
    atoms = jet_atoms(rest, problem.fields, problem.coordinates)
    high = {atom: jet for atom, jet in atoms.items() if sum(jet[1]) > 1 or any(jet[1][d:])}
    symbols = {atom: sp.Dummy(real=True) for atom in high}
    flat = rest.xreplace(symbols)
    coefficients: dict[Jet, sp.Expr] = {}
    for atom, jet in high.items():
        coefficient = flat.diff(symbols[atom])
        slopes = coefficient.atoms(sp.Derivative)
        if sum(jet[1][:d]) != 2 or any(jet[1][d:]) or coefficient.has(*symbols.values()) or slopes:
            raise SolverError(
                "nonlinear terms in values and first derivatives, or second space derivatives times a function of "
                "values, for finite elements",
                f"{atom} in {name!r}",
                "divide the equation by the factor of its time derivative, or use a PINN",
            )
        coefficients[jet] = coefficient
    return coefficients, flat.xreplace(dict.fromkeys(symbols.values(), sp.Integer(0)))


def by_parts(quasilinear: dict[Jet, sp.Expr], remainder: sp.Expr, problem: IBVP) -> tuple[Nonlinear, ...]:
    """The nonlinear terms of the weak form: a ∂_kl u v becomes -a ∂_l u ∂_k v - (∂_k a) ∂_l u v.

    Args:
        quasilinear: Coefficients of second derivatives.
        remainder: Terms of first order.
        problem: The problem.

    Returns:
        Terms tested with v or its derivatives; the boundary term is left out.
    """
    fluxes: dict[int, sp.Expr] = {}
    for (field, orders), coefficient in quasilinear.items():
        axes = [axis for axis in range(len(problem.space)) for _ in range(orders[axis])]
        pairs = {(axes[0], axes[1]), (axes[1], axes[0])}
        for k, j in sorted(pairs):
            share, slope = coefficient / len(pairs), problem.fields[field].diff(problem.space[j])
            fluxes[k] = fluxes.get(k, sp.Integer(0)) - share * slope
            remainder -= share.diff(problem.space[k]) * slope
    terms = [Nonlinear(k, flux) for k, flux in sorted(fluxes.items())]
    return (*terms, *([Nonlinear(None, remainder)] if remainder != 0 else []))


def first_order_jets(terms: Sequence[Nonlinear], problem: IBVP) -> dict[sp.Expr, tuple[int, int | None]]:
    """The values and first derivatives in nonlinear terms.

    Args:
        terms: Nonlinear terms.
        problem: The problem.

    Returns:
        Atom -> field and axis of its derivative, None for the value.
    """
    atoms: dict[sp.Expr, Jet] = {}
    for term in terms:
        atoms |= jet_atoms(term.expression, problem.fields, problem.coordinates)
    return {atom: (field, orders.index(1) if any(orders) else None) for atom, (field, orders) in atoms.items()}
