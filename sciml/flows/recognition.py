"""Incompressible flows recognised in the statement of a problem, whatever the names and scalings."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from sciml.classification import linear_form
from sciml.errors import ProblemError
from sciml.jets import Jet, jet_atoms


@dataclass(frozen=True, eq=False)
class Flow:
    """An incompressible flow ∇·u = 0, R + ∇p = ∇·(2 ν D(u)), with all forces in the unit of the pressure.

    Attributes:
        velocity: Components in the order of the space coordinates.
        pressure: p.
        viscosity: ν, where the momentum equations are divided by their factor of ∇p.
        inertia: R per component, of first order: convection, change in time, sources, all that is no stress.
        divergence: ∇·u, zero unless the equation has a source.
    """

    velocity: tuple[sp.Expr, ...]
    pressure: sp.Expr
    viscosity: sp.Expr
    inertia: tuple[sp.Expr, ...]
    divergence: sp.Expr = sp.S.Zero

    def stress(self, i: int, j: int, space: tuple[sp.Symbol, ...]) -> sp.Expr:
        """σ_ij = -p δ_ij + ν (∂_j u_i + ∂_i u_j)."""
        friction = self.viscosity * (self.velocity[i].diff(space[j]) + self.velocity[j].diff(space[i]))
        return friction - (self.pressure if i == j else 0)


def flow_of(problem: Any) -> Flow:
    """The incompressible flow that a problem states.

    Args:
        problem: A problem.

    Returns:
        Velocity, pressure, viscosity and inertia.

    Raises:
        ProblemError: If there is none.

    Example:
        >>> from sciml.problems import navier_stokes
        >>> flow = flow_of(navier_stokes.kovasznay().problem)
        >>> flow.velocity, flow.viscosity
        ((u(x, y), v(x, y)), 1/20)
    """
    flow = find_flow(problem)
    if flow is None:
        raise ProblemError(
            "an incompressible flow: an equation for the divergence of a velocity, and one of momentum per component "
            "with the gradient of a pressure and constant or varying viscosity",
            f"the equations {', '.join(problem.equation_names)}",
            "",
        )
    return flow


@functools.lru_cache(maxsize=32)
def find_flow(problem: Any) -> Flow | None:
    """The flow that a problem states, or None.

    Args:
        problem: A problem.

    Returns:
        The flow.
    """
    equations = [problem.substitute(equation) for equation in problem.equations]
    for k, equation in enumerate(equations):
        found = _divergence(equation, problem)
        if found is None:
            continue
        velocity, source = found
        rest = equations[:k] + equations[k + 1 :]
        for pressure in problem.fields:
            if pressure not in velocity:
                flow = _momentum(rest, velocity, pressure, problem)
                if flow is not None:
                    return replace(flow, divergence=source)
    return None


def _divergence(equation: sp.Expr, problem: Any) -> tuple[tuple[sp.Expr, ...], sp.Expr] | None:
    """Fields u_k in the order of space, and the source, where the equation is c (∇·u - source) = 0."""
    d = len(problem.space)
    if d < 2 or len(equation.atoms(sp.Derivative)) != d:
        return None
    form = linear_form(equation, problem.fields, problem.coordinates)
    if form is None:
        return None
    found = {jet: c for jet, c in form.coefficients.items() if c != 0}
    owners = {orders.index(1): field for field, orders in found if sum(orders) == 1 and sum(orders[:d]) == 1}
    if len(found) != d or len(owners) != d or len(set(owners.values())) != d:
        return None
    first = next(iter(found.values()))
    if first.free_symbols & set(problem.coordinates) or any(sp.simplify(c - first) != 0 for c in found.values()):
        return None
    return tuple(problem.fields[owners[axis]] for axis in range(d)), -form.source / first


def _momentum(equations: list[sp.Expr], velocity: tuple[sp.Expr, ...], pressure: sp.Expr, problem: Any) -> Flow | None:
    space = problem.space
    viscosities, inertia = [], []
    for k, component in enumerate(velocity):
        across = space[(k + 1) % len(space)]
        for equation in equations:
            atoms = jet_atoms(equation, problem.fields, problem.coordinates)
            friction = component.diff(across, 2)
            if friction not in atoms or pressure.diff(space[k]) not in atoms:
                continue
            parts = _coefficients(equation, atoms, [pressure.diff(space[k]), friction])
            if parts is None:
                continue
            push, drag = parts
            viscosities.append(sp.cancel(-drag / push))
            inertia.append(
                _inertia(equation / push - pressure.diff(space[k]), atoms, k, velocity, viscosities[-1], space)
            )
            break
    if len(viscosities) != len(space) or any(sp.simplify(nu - viscosities[0]) != 0 for nu in viscosities):
        return None
    return Flow(velocity, pressure, viscosities[0], tuple(inertia))


def _coefficients(equation: sp.Expr, atoms: dict[sp.Expr, Jet], wanted: list[sp.Expr]) -> list[sp.Expr] | None:
    symbols = {atom: sp.Dummy(real=True) for atom in atoms}
    flat = equation.xreplace(symbols)
    found = [sp.expand(flat.diff(symbols[atom])) for atom in wanted]
    back = {symbol: atom for atom, symbol in symbols.items()}
    if found[0].has(*back) or found[0] == 0 or found[1] == 0:
        return None
    return [part.xreplace(back) for part in found]


def _inertia(
    rest: sp.Expr, atoms: dict[sp.Expr, Jet], k: int, velocity: tuple[sp.Expr, ...], nu: sp.Expr, space: tuple
) -> sp.Expr:
    """What is left without second derivatives, and with the slope of ν that the divergence of the stress holds."""
    second = {atom: sp.S.Zero for atom, (_, orders) in atoms.items() if sum(orders[: len(space)]) == 2}
    rest = sp.expand(rest).xreplace(second)
    slopes = [nu.diff(s) * (velocity[k].diff(s) + c.diff(space[k])) for s, c in zip(space, velocity, strict=True)]
    return rest + sp.Add(*slopes)
