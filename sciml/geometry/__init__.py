"""Regions with named faces in one, two and three coordinates."""

from sciml.geometry.base import Geometry
from sciml.geometry.box import Box, Interval
from sciml.geometry.disk import Disk
from sciml.geometry.polygon import Polygon
from sciml.geometry.records import geometry_from_dict
from sciml.geometry.rectangle import Rectangle

__all__ = ["Box", "Disk", "Geometry", "Interval", "Polygon", "Rectangle", "geometry_from_dict"]
