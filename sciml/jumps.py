"""Coefficients that jump: SymPy drops what a jump adds to a derivative, and equations hold only away from it.

(a u_x)_x with a piecewise is differentiated piece by piece into a u_xx + a' u_x: that the flux a u_x is continuous is
lost, and a solution with continuous u_x is found instead, which solves another problem.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only
from sciml.errors import SolverWarning
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import jet_atoms

_STEPPED = (sp.Piecewise, sp.Heaviside, sp.sign, sp.floor, sp.ceiling, sp.Mod)
_PAIRS, _HALVINGS = 256, 50
_JUMP = 1e-6  # of the coefficient's range
_LARGEST = 1e4  # of fields and derivatives in a coefficient


def warn_of_jumps(problem: IBVP) -> None:
    """Warn where what multiplies a second or higher derivative in space jumps inside the domain.

    First derivatives may jump with their coefficients as they like: with q = a u_x as a field of its own, q is the
    continuous one.

    Args:
        problem: The problem.
    """
    width = len(problem.space)
    for name, equation in zip(problem.equation_names, problem.equations, strict=True):
        stated = problem.substitute(equation)
        if not stated.has(*_STEPPED) or is_numeric_only(stated):
            continue
        atoms = jet_atoms(stated, problem.fields, problem.coordinates)
        unknowns = {symbol: sp.Float(known.start) for symbol, known in problem.unknowns.items()}
        for atom, (_, orders) in atoms.items():
            if sum(orders[:width]) > 1:
                place = _jump(problem, stated.diff(atom).xreplace(unknowns), list(atoms))
                if place is not None:
                    warnings.warn(_text(name, atom, place), SolverWarning, stacklevel=3)


def _text(name: str, atom: sp.Expr, place: Mapping[sp.Expr, float]) -> str:
    where = ", ".join(f"{symbol}={value:.4g}" for symbol, value in place.items())
    return (
        f"{name}: the coefficient of {atom} jumps at {where}; the equation is taken as written on both sides, with "
        "continuous first derivatives. If a flux a*u_x is to be continuous there, SymPy has lost it on "
        "differentiating: make the flux a field, Eq(q, a*u.diff(x)) and Eq(q.diff(x), f), or smooth the coefficient"
    )


def _jump(problem: IBVP, coefficient: sp.Expr, atoms: Sequence[sp.Expr]) -> dict[sp.Expr, float] | None:
    """A place where an expression jumps, found by halving the distance of pairs of places of unlike values.

    Fields and derivatives in it take values of all sizes.

    Args:
        problem: The problem.
        coefficient: An expression of coordinates, fields and derivatives.
        atoms: These fields and derivatives.

    Returns:
        Values of what it depends on; None where it does not jump.
    """
    stepped = coefficient.atoms(*_STEPPED)
    inner = [atom for atom in atoms if any(part.has(atom) for part in stepped)]
    if not any(part.free_symbols & set(problem.coordinates) for part in stepped):
        return None  # where it has no coordinates, it has no fields either
    free = {atom: sp.Dummy(f"j{i}", real=True) for i, atom in enumerate(atoms)}
    symbols = [*problem.coordinates, *(free[atom] for atom in inner)]
    bounds = [*problem.bounds, *[(-_LARGEST, _LARGEST)] * len(inner)]
    flat = coefficient.xreplace(free).xreplace({free[atom]: sp.Rational(7, 10) for atom in atoms if atom not in inner})
    low, high = np.split(_places(problem, len(inner)), 2)

    def values(places: np.ndarray) -> np.ndarray:
        return evaluate_data(flat, symbols, places, bounds)

    first, last = values(low), values(high)
    spread = float(np.ptp(np.concatenate([first, last])))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        between = values(middle)
        left = np.abs(between - first) > np.abs(last - between)
        low, high = np.where(left[:, None], low, middle), np.where(left[:, None], middle, high)
        first, last = np.where(left, first, between), np.where(left, between, last)
    jump = np.abs(last - first) * problem.domain.contains(low[:, : len(problem.space)])
    if not jump.max() > _JUMP * spread:
        return None
    return dict(zip([*problem.coordinates, *inner], map(float, low[int(jump.argmax())]), strict=True))


def _places(problem: IBVP, more: int) -> np.ndarray:
    """Random places of the domain and values of so many fields or derivatives."""
    time = problem.bounds[-1] if problem.time is not None else None
    points = problem.domain.sample(2 * _PAIRS, method="uniform", seed=0, time=time)
    generator = np.random.default_rng(0)
    size = np.log10(_LARGEST) * (2 * generator.random((len(points), more)) - 1)
    return np.hstack([points, np.sign(generator.random(size.shape) - 0.5) * 10**size])
