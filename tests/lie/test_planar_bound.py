"""Bounds of harmonic sums: corners, holes, re-entrant angles; the rounding of their atoms against 60 digits."""

import mpmath
import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Disk, Robin, coordinates, field
from sciml.problems import library
from solvers.lie import LieSolver
from solvers.lie.atom_rounding import atom_rounding
from solvers.lie.certificate import certify
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms

pytest.importorskip("flint")
x, y = coordinates("x y")
u = field("u", x, y)


def dense(problem, count=3000):
    parts = [problem.domain.sample(count, seed=3)]
    parts += [problem.domain.sample_face(face, 400, seed=4) for face in problem.faces]
    return np.concatenate(parts)


@pytest.mark.parametrize("name", ["laplace.square", "laplace.reentrant_corner", "poisson.square", "poisson.annulus"])
def test_library(name: str) -> None:
    case = library()[name]()
    lie = LieSolver().solve(case.problem)
    points = dense(case.problem)
    error = np.abs(lie.evaluate(points) - case.reference.evaluate(points)).max()
    assert lie.error_bound is not None, lie.error_bound_reason
    assert error <= lie.error_bound <= 10 * error + 1e-13


def test_l_shape() -> None:
    case = library()["laplace.l_shape"]()
    lie = LieSolver().solve(case.problem)
    edge = np.concatenate([case.problem.domain.sample_face(face, 3000, seed=4) for face in case.problem.faces])
    mismatch = np.abs(lie.evaluate(edge)[:, 0] - edge[:, 0] ** 2).max()
    assert mismatch <= lie.error_bound <= 1e-9
    assert abs(lie(x=0.99, y=0.99) - 1.0267919261) <= lie.error_bound + 1e-10


def test_fluxes() -> None:
    """A flux needs a derivative of the sum."""
    exact = sp.exp(x) * sp.cos(y)
    flux = x * exact.diff(x) + y * exact.diff(y) + 2 * exact
    laplace = sp.Eq(u.diff(x, 2) + u.diff(y, 2), 0)
    problem = IBVP(pde=laplace, domain=Disk((x, y)), boundary=[Robin(u, 2, flux)])
    lie = LieSolver().solve(problem)
    points = dense(problem)
    error = np.abs(lie.evaluate(points)[:, 0] - np.exp(points[:, 0]) * np.cos(points[:, 1])).max()
    assert lie.error_bound is not None, lie.error_bound_reason
    assert error <= lie.error_bound <= 1e-8


def test_a_wrong_amplitude_is_seen() -> None:
    case = library()["laplace.square"]()
    lie = LieSolver().solve(case.problem)
    moved = lie.amplitudes.copy()
    moved[0] += 1e-5  # the constant
    bound = certify(case.problem, lie.families, moved)
    assert bound.sup is not None
    assert 0.99e-5 <= bound.sup <= 1.1e-5


def _exact(atoms, j, place):
    z = mpmath.mpc(place) - mpmath.mpc(complex(*atoms.frame.origin))
    k = int(atoms.function[j])
    if isinstance(atoms, ArnoldiAtoms):
        w = (z - mpmath.mpc(atoms.centre)) / atoms.scale
        h, values = atoms.recurrence, [mpmath.mpc(1)]
        for i in range(k):
            rest = sum(mpmath.mpc(complex(h[m, i])) * values[m] for m in range(i + 1))
            values.append((w * values[i] - rest) / mpmath.mpc(complex(h[i + 1, i])))
        value = values[k]
    else:
        w = (z - mpmath.mpc(complex(atoms.centres[k]))) / mpmath.mpc(complex(atoms.directions[k]))
        value = w ** mpmath.mpf(float(atoms.powers[k])) * (mpmath.log(w) if atoms.logs[k] else 1)
    return value.imag if atoms.part[j] else value.real


@pytest.mark.parametrize("name", ["laplace.l_shape", "laplace.square"])
def test_rounding_of_atoms_near_corners(name: str) -> None:
    problem = library()[name]().problem
    lie = LieSolver().solve(problem)
    points = [problem.domain.sample(8, seed=1)]
    for corner in ([1.0, 1.0], [0.0, 0.0]):
        near = np.array([corner]) + np.array([[0, -s] for s in (1e-3, 1e-9, 1e-16)] + [[s, s] for s in (1e-7, 1e-17)])
        points.append(near[problem.domain.contains(near, 0.0)])
    points = np.concatenate(points)
    with mpmath.workdps(60):
        for atoms in lie.families:
            errors, sizes = atom_rounding(atoms, np.array(problem.bounds), problem.domain)
            values = atoms.jets(points, [(0, (0, 0))])[:, 0]
            for j in range(0, len(atoms), 7):
                exact = [_exact(atoms, j, complex(*p)) for p in points]
                off = max(abs(float(mpmath.mpf(float(v)) - e)) for v, e in zip(values[:, j], exact, strict=True))
                assert off <= errors[j, 0]
                assert max(abs(float(e)) for e in exact) <= sizes[j, 0]


def test_fourier_bessel_functions() -> None:
    """The sum without its derivatives in the order, which have no enclosure: it misses 1e-8, and the bound tells."""
    case = library()["helmholtz.plane_wave"]()
    lie = LieSolver().solve(case.problem)
    pairs = [(f, a) for f, a in zip(lie.families, lie._split(), strict=True) if f.letter[0] != "d"]
    families, own = [f for f, _ in pairs], [a for _, a in pairs]
    points = dense(case.problem)
    values = sum(f.jets(points, [(0, (0, 0))])[:, 0] @ a for f, a in pairs)
    error = np.abs(values - case.reference.evaluate(points)[:, 0]).max()
    bound = certify(case.problem, families, np.concatenate(own))
    assert bound.sup is not None, bound.reason
    assert error <= bound.sup <= 10 * error + 1e-11
