"""Symmetries of initial-boundary value problems: what survives, what is dropped and why."""

from types import SimpleNamespace

import pytest
import sympy as sp

from sciml import (
    IBVP,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Periodic,
    Polygon,
    ProblemError,
    Rectangle,
    Robin,
    coordinates,
    field,
)
from solvers import ibvp_symmetries
from solvers.symmetry.generator import Generator
from solvers.symmetry.invariance import Face, Requirement, requirement_rows
from solvers.symmetry.structure import expand_in

x, y, t = coordinates("x y t")
u, U, W = field("u", x, t), field("u", x, y), field("u", x, y, t)
heat = sp.Eq(u.diff(t), u.diff(x, 2))
modified = U.diff(x, 2) + U.diff(y, 2) - U
rotation = Generator((x, y), (U,), {x: y, y: -x})


def spans(found, *expected):
    return len(found) == len(expected) and all(row is not None for row in expand_in(list(found.generators), expected))


def test_periodic_heat_keeps_translations():
    found = ibvp_symmetries(IBVP(heat, Interval(x, 0, 1), (t, 0, 1), {u: 1}, [Periodic(u)]))
    shift = Generator((x, t), (u,), {x: 1})
    exact = Generator((x, t), (u,), {u: u - 1})  # u = 1 is the solution: it is kept by (u - 1) d/du
    assert spans(found, shift, exact)
    scaling = next(why for g, why in found.dropped.items() if g[x].has(x) and not g[u].has(u))
    assert "periodic" in scaling


@pytest.mark.parametrize("condition", [Dirichlet(u, 0), Neumann(u, 0), Robin(u, 2, 0)], ids=["D", "N", "R"])
def test_homogeneous_heat_keeps_the_scaling_of_u(condition):
    found = ibvp_symmetries(IBVP(heat, Interval(x, 0, 1), (t, 0, 1), {u: 0}, [condition]))
    assert spans(found, Generator((x, t), (u,), {u: u}))
    moves = found.dropped[next(g for g in found.algebra.generators if g == Generator((x, t), (u,), {t: 1}))]
    assert "initial line" in moves


def test_data_decide():
    found = ibvp_symmetries(IBVP(heat, Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)]))
    assert not found
    assert all(found.dropped[g] for g in found.algebra.generators)


@pytest.mark.parametrize("centre", [(0, 0), (1, 2)], ids=["origin", "shifted"])
def test_disk_keeps_the_rotation_about_its_centre(centre):
    disk = Disk((x, y), center=centre, radius=3)
    found = ibvp_symmetries(IBVP(modified, disk, boundary=[Neumann(U, 4)]))
    about = Generator((x, y), (U,), {x: y - centre[1], y: centre[0] - x})
    assert spans(found, about)


def test_only_a_combination_survives():
    angle = sp.atan2(y, x)
    found = ibvp_symmetries(IBVP(modified, Disk((x, y), radius=1), boundary=[Dirichlet(U, sp.exp(3 * angle))]))
    assert spans(found, Generator((x, y), (U,), {x: -y, y: x, U: 3 * U}))
    assert rotation in found.dropped or -rotation in found.dropped


@pytest.mark.parametrize(("centre", "count"), [((0, 0), 1), ((sp.Rational(1, 2), 0), 0)], ids=["annulus", "eccentric"])
def test_holes(centre, count):
    ring = Disk((x, y), radius=2, name="outer") - Disk((x, y), center=centre, radius=1, name="inner")
    conditions = [Dirichlet(U, 1, on="outer"), Dirichlet(U, 0, on="inner")]
    assert len(ibvp_symmetries(IBVP(modified, ring, boundary=conditions))) == count


def test_poisson_disk_finds_the_rotation_inside_the_conformal_family():
    poisson = U.diff(x, 2) + U.diff(y, 2) + 1
    found = ibvp_symmetries(IBVP(poisson, Disk((x, y), radius=1), boundary=[Dirichlet(U, 0)]))
    exact = Generator((x, y), (U,), {U: U + (x**2 + y**2 - 1) / 4})
    assert spans(found, rotation, exact)
    assert any("families" in note for note in found.notes)


def test_oblique_faces():
    triangle = Polygon((x, y), [(0, 0), (1, 0), (0, 1)])
    found = ibvp_symmetries(IBVP(modified, triangle, boundary=[Dirichlet(U, 0)]))
    assert spans(found, Generator((x, y), (U,), {U: U}))


def test_waves_with_velocity_and_translation_along_a_channel():
    wave = W.diff(t, 2) - W.diff(x, 2) - W.diff(y, 2)
    channel = Rectangle((x, 0, 1), (y, 0, 2))
    conditions = [Periodic(W, on=("left", "right")), Neumann(W, 0, on=["bottom", "top"])]
    found = ibvp_symmetries(IBVP(wave, channel, (t, 0, 1), {W: sp.cos(sp.pi * y / 2), W.diff(t): y}, conditions))
    assert any(g == Generator((x, y, t), (W,), {x: 1}) for g in found)
    assert not any(g[t] != 0 or g[y] != 0 for g in found)


def test_survivors_map_the_solution_to_itself():
    ring = Disk((x, y), radius=1)
    exact = sp.exp(x)
    problem = IBVP(U.diff(x, 2) + U.diff(y, 2) - U, ring, boundary=[Dirichlet(U, exact)])
    for generator in ibvp_symmetries(problem):
        change = generator.characteristic()[U].subs(U, exact).doit()
        assert sp.simplify(change) == 0


def test_equations_alone_are_refused():
    with pytest.raises(ProblemError):
        ibvp_symmetries(heat)


def test_derivatives_along_the_face_are_used():
    # u = 1 on x = 0 gives u_t = 0 there; without it u_t + u_x = 0 would not be kept by the dilation.
    problem = SimpleNamespace(coordinates=(x, t), fields=(u,))
    dilation = Generator((x, t), (u,), {x: x, t: 2 * t})
    both = Requirement(Face("left", x), (u - 1, u.diff(t) + u.diff(x)))
    alone = Requirement(Face("left", x), (u.diff(t) + u.diff(x),))
    assert not any(row.breaks(0) for row in requirement_rows(both, [dilation], problem))
    assert any(row.breaks(0) for row in requirement_rows(alone, [dilation], problem))
