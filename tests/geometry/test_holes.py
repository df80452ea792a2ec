"""Holes of planar regions: found by the direction of their boundary, with a centre inside."""

import numpy as np
import pytest

from sciml import Box, Disk, Interval, Polygon, Rectangle, coordinates
from sciml.geometry.holes import holes

x, y, z = coordinates("x y z")
PLATE = Rectangle((x, 0, 5), (y, 0, 4))
BRACKET = Polygon((x, y), [(1, 1), (2, 1), (2, 1.2), (1.2, 1.2), (1.2, 2), (1, 2)], name="bracket")
WIRE = Disk((x, y), center=(1.6, 1.6), radius=0.2, name="wire")


def test_regions_without_holes():
    dent = PLATE - Disk((x, y), center=(0, 2), radius=1, name="dent")
    for domain in (PLATE, Disk((x, y)), dent, Interval(x, 0, 1), Box((x, 0, 1), (y, 0, 1), (z, 0, 1))):
        assert holes(domain) == ()


def test_centre_and_size():
    (square,) = holes(PLATE - Rectangle((x, 1, 2), (y, 1, 2)).rename("block"))
    assert square.centre == pytest.approx((1.5, 1.5))
    assert (square.radius, square.reach) == pytest.approx((0.5, 0.5**0.5))
    (hole,) = holes(Polygon((x, y), [(0, 0), (3, 0), (3, 3), (0, 3)], holes=[[(1, 1), (2, 1), (1.5, 2)]]))
    assert hole.reach < 1
    assert hole.radius > 0.2


def test_a_hole_in_the_arm_of_another_one():
    domain = PLATE - BRACKET - WIRE  # the wire lies in the box around the bracket
    bracket, wire = sorted(holes(domain), key=lambda hole: hole.faces)
    assert (bracket.faces, wire.faces) == (("bracket",), ("wire",))
    assert wire.centre == pytest.approx((1.6, 1.6))
    assert BRACKET.contains(np.array([bracket.centre]))[0]
    assert domain.signed_distance(np.array([bracket.centre]))[0] == pytest.approx(bracket.radius)
