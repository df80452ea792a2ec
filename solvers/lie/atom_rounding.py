"""How far the float64 values of atoms may be from the exact ones, family by family.

The exact atom has parameters by `exact_number`, half a unit from the floats; what is bounded is that difference and
the rounding of the way in which its class evaluates it (Higham 2002, Accuracy and Stability of Numerical Algorithms,
chapters 2 to 4).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.atoms import Atoms, ExponentialAtoms, FormulaAtoms
from solvers.lie.bounds.rounding import rounding_error
from solvers.lie.bounds.sup import NotEnclosed, size_by_cells
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.enclosure import is_plain
from solvers.lie.planar.plane_atoms import PowerAtoms
from solvers.lie.planar.rounding import bessel_rounding, polynomial_rounding, power_rounding
from solvers.lie.similarity_atoms import SimilarityAtoms
from solvers.lie.spectral_atoms import ChebyshevAtoms
from solvers.lie.travelling.certificate import profile_rounding
from solvers.lie.travelling.profile_atoms import ProfileAtoms

UNIT = 2.0**-53
_SLACK = 1 + 1e-6
_FUNCTION = 4  # units in the last place granted to exp, sin, cos, erfc


@functools.singledispatch
def atom_rounding(family: Atoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """Bounds of |computed - exact| and of |exact| of every atom over a box.

    Args:
        family: Atoms.
        bounds: (d, 2), time last.
        domain: The region, for atoms that are singular beside it.

    Returns:
        Two arrays (n, m), or None for a kind of atoms that is not analysed here.

    Example:
        >>> one = ExponentialAtoms(np.ones((1, 1, 1)), np.array([[[1j, -1.0]]]), np.zeros((1, 1, 2)))
        >>> error, size = atom_rounding(one, np.array([[0.0, 1.0], [0.0, 1.0]]))
        >>> bool(size[0, 0] < 1.001), bool(error[0, 0] < 1e-14)
        (True, True)
    """
    return None


@atom_rounding.register
def _exponential(family: ExponentialAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """exp(z) is off by exp(Re z) times the error of z, whose terms κ_i X_i are bounded coordinate by coordinate.

    With X* the end where exp(ρ X) is largest, ρ = Re κ_i, and Y = |X - X*|: |X| <= |X*| + Y and Y exp(-|ρ| Y) is at
    most 1/(e|ρ|), so that fast decay costs nothing.

    Returns:
        Errors and sizes, (n, m).
    """
    copies = family.vectors.shape[1]
    shape = (len(family), family.vectors.shape[2])
    errors, sizes = np.zeros(shape), np.zeros(shape)
    for r in range(copies):
        kappa, origin = family.exponents[:, r], family.origins[:, r]
        top = np.where(kappa.real > 0, bounds[:, 1], bounds[:, 0])
        with np.errstate(over="ignore"):
            size = np.exp((kappa.real * (top - origin)).sum(axis=1))
        decay = np.minimum(bounds[:, 1] - bounds[:, 0], 1 / (math.e * np.maximum(np.abs(kappa.real), 1e-300)))
        reach = np.where(kappa.real == 0, np.abs(bounds).max(axis=1), np.abs(top) + decay) + np.abs(origin)
        drift = np.hypot(*[_dot_units(part, origin) * (np.abs(part) * reach).sum(axis=1)
                           for part in (kappa.real, kappa.imag)])  # fmt: skip
        relative = UNIT * (drift + 2 * _FUNCTION + copies)
        relative = np.where(relative < 1e-3, relative * (1 + relative), np.inf)
        amplitude = np.abs(family.vectors[:, r]) * size[:, None] * _SLACK
        errors += np.where(amplitude > 0, relative[:, None], 0.0) * amplitude
        sizes += amplitude
    return errors * _SLACK, sizes


def _dot_units(part: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Units per term of κ·X - κ·O: products, sums of the terms that are not 0, the difference, κ and O themselves."""
    return np.count_nonzero(part, axis=1) + 1 + 2 * (origin != 0).any(axis=1)


@atom_rounding.register
def _similarity(family: SimilarityAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The recursion 2k I_k = -2z I_(k-1) + w² I_(k-2) with all signs positive carries sizes M and errors E."""
    alpha, beta, a, diffusivity, start = family.constants
    (low, high), (_, end) = bounds
    factor = math.exp(max(alpha * (low - a), alpha * (high - a)) + max(0.0, beta * (end - start)))
    drift = abs(alpha) * (max(abs(low), abs(high)) + abs(a)) + abs(beta) * (abs(end) + abs(start))
    width = math.sqrt(4 * diffusivity * (end - start)) * _SLACK
    # 4D(t - t0) is off by the rounding of D, two products, and t - t0 where t0 is not 0
    clock = 3 + (2 * max(abs(start), abs(end)) / max(end - start, 1e-300) if start else 0.0)
    errors, sizes = np.zeros((len(family), 1)), np.zeros((len(family), 1))
    for j, order in enumerate(family.order):
        for c, s, d in zip(family.centres[j], family.signs[j], family.directions[j], strict=True):
            if s:
                near, far = sorted(((low - c) * d, (high - c) * d))
                error, size = _repeated(int(order), near, max(abs(near), far), width, clock)
                # a centre that is off by u |c| moves the atom by that times its slope, w^(k-1) i^(k-1)
                slope = _repeated(int(order) - 1, near, max(abs(near), far), width, clock)[1] if order else 0.0
                errors[j] += abs(s) * (error + UNIT * abs(c) * slope + 2 * UNIT * size)
                sizes[j] += abs(s) * size
    relative = UNIT * (8 * drift + 2 * _FUNCTION + family.centres.shape[1])
    return factor * (errors + relative * sizes) * _SLACK, factor * sizes * _SLACK


def _repeated(order: int, near: float, far: float, width: float, clock: float) -> tuple[float, float]:
    """Error and size of w^k iᵏerfc(ξ/w) for near <= ξ, |ξ| <= far and all widths up to the given one."""
    if near >= 0:
        return _decaying(order, near, width, clock)
    # i⁻¹erfc = 2/√π exp(-z²) <= 1.13, i⁰erfc <= 2; 2z² exp(-z²) <= 0.74 and z exp(-z²) <= 0.43 are the sensitivities
    size, below = 2.0, 1.13 / width
    error, lost = (2 * _FUNCTION + clock) * UNIT, 1.13 / width * (_FUNCTION + 2 + clock) * UNIT
    for k in range(1, order + 1):
        own = (far * size + width**2 / 2 * below) / k
        new = (far * error + width**2 / 2 * lost) / k + (5 + clock) * UNIT * own
        size, below, error, lost = own, size, new, error
    return error * _SLACK, size * _SLACK


def _decaying(order: int, near: float, width: float, clock: float) -> tuple[float, float]:
    """For z >= 0 the recursion with positive signs gives w^k exp(-z²) q_k(z), 2k q_k = 2z q_(k-1) + q_(k-2).

    A relative error of z costs 2z² of it in erfc and exp. iᵏerfc(z) <= exp(-z²) iᵏerfc(0), iᵏerfc(0) =
    1/(2^k Γ(k/2 + 1)) (DLMF 7.18.9).

    Returns:
        Error and size.
    """
    below, now = np.array([1.13]), np.array([1.0])
    for k in range(1, order + 1):
        below, now = now, np.polynomial.polynomial.polyadd(np.append(0.0, now) / k, below / (2 * k))
    start = near / width
    largest = [max(start, math.sqrt(m / 2)) ** m * math.exp(-max(start**2, m / 2)) for m in range(len(now) + 2)]
    plain, turned = _FUNCTION + 2 + (5 + clock) * order, 2 * (2 + clock)
    growth = sum(c * (plain * largest[m] + turned * largest[m + 2]) for m, c in enumerate(now))
    size = width**order * math.exp(-(start**2)) / (2.0**order * math.gamma(order / 2 + 1))
    return UNIT * width**order * float(growth) * _SLACK, size * _SLACK


@atom_rounding.register
def _formula(family: FormulaAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """The template is evaluated as it stands; a parameter half a unit off costs no more than its own rounding."""
    errors, sizes = np.full((2, len(family), len(family.template)), np.inf)
    box = tuple((sp.Rational(low), sp.Rational(high)) for low, high in bounds.tolist())
    for j in range(len(family)):
        for field, expression in enumerate(family.formula(j, family.coordinates)):
            try:
                error, left = rounding_error(expression, family.coordinates, box)
                sizes[j, field] = size_by_cells(expression, family.coordinates, box)
            except (NotEnclosed, UnsupportedFunctionError):
                return None
            if left:
                return None
            errors[j, field] = 2 * error
    return errors, sizes


@atom_rounding.register
def _chebyshev(family: ChebyshevAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """T_k is computed by its recursion, off by at most k² times the error of its argument plus k² units."""
    table = np.abs(family.coefficients)
    weight = np.zeros(table.shape[2:])
    for axis, (low, high) in enumerate(family.bounds):
        count = table.shape[2 + axis]
        argument = 4 * (abs(low) + abs(high)) / (high - low) + 4
        shape = [1] * (table.ndim - 2)
        shape[axis] = count
        weight = weight + (np.arange(count) ** 2.0 * (argument + 4) + count + 4).reshape(shape)
    axes = tuple(range(2, table.ndim))
    errors, sizes = (table * weight).sum(axis=axes) * UNIT, table.sum(axis=axes)
    return errors * _SLACK, sizes * _SLACK


@atom_rounding.register
def _profile(family: ProfileAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """By the slopes of the profiles."""
    return profile_rounding(family)


@atom_rounding.register
def _power(family: PowerAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """By the distance of their centres."""
    return power_rounding(family, bounds, domain) if is_plain(family) and domain is not None else None


@atom_rounding.register
def _polynomial(family: ArnoldiAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """By the recurrence."""
    return polynomial_rounding(family, domain) if is_plain(family) and domain is not None else None


@atom_rounding.register
def _bessel(family: BesselAtoms, bounds: np.ndarray, domain: Any = None) -> tuple[np.ndarray, np.ndarray] | None:
    """By their envelopes."""
    return bessel_rounding(family, bounds, domain) if is_plain(family) and domain is not None else None
