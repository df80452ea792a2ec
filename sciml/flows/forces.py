r"""Forces of a flow on a face, by its traction or by the balance of momentum in the volume, with quadrature errors.

The force on the solid behind a face S is F = -∮_S σ n ds with σ = -p I + ν (∇u + ∇u^T) and n out of the fluid. With a
function w that is 1 on S and 0 on all other faces, the balance of momentum div σ = R (the inertia) gives

    F_k = -∫ (R_k w + σ_kj ∂_j w) dx,

which needs no derivatives on S; for finite elements it converges twice as fast (Babuska & Miller 1984; John & Matthies
2001, Int. J. Numer. Meth. Fluids 37, 885).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from sciml.errors import ProblemError
from sciml.flows.places import volume_rules, with_time
from sciml.flows.recognition import flow_of
from sciml.geometry.quadrature import face_rule


@dataclass(frozen=True)
class Force:
    """Force of a flow on a face.

    Attributes:
        value: Components (d,), in the unit of the pressure times an area (a length in the plane).
        quadrature_error: Difference between a coarse and a fine rule, (d,); it says nothing of the flow's own error.
        method: "line" or "volume".
    """

    value: np.ndarray
    quadrature_error: np.ndarray
    method: str


def force(
    solution: Any, face: str | tuple[str, ...], method: str = "line", time: float | None = None, nodes: int = 48,
    width: float | None = None,
) -> Force:  # fmt: skip
    """Force of a flow on the solid behind faces.

    Args:
        solution: A solution of a flow, from any solver.
        face: A face, or several that form one body.
        method: "line" integrates the traction; "volume" uses the balance of momentum, where the faces touch no other.
        time: The instant, where the problem has a time.
        nodes: Gauss points per direction and piece of the finer of two rules.
        width: Width of the layer around the faces in which "volume" integrates; half the gap to other faces if omitted.

    Returns:
        The force with its quadrature error.

    Raises:
        ProblemError: If the method is unknown, or the volume method has no room around the faces.

    Example:
        >>> from sciml.problems import poiseuille
        >>> flow = poiseuille.channel().reference
        >>> force(flow, ("bottom", "top")).value.round(9)  # walls of length 1 at y = 0 and 1, ν = 1/10, U = 1
        array([0.8, 0. ])
    """
    faces = (face,) if isinstance(face, str) else tuple(face)
    if method == "line":
        values = [_line(solution, faces, time, count) for count in (max(nodes // 2, 4), nodes)]
    elif method == "volume":
        values = [_volume(solution, layer, time) for layer in _layers(solution, faces, width, nodes)]
    else:
        raise ProblemError('the method "line" or "volume"', repr(method), "")
    return Force(values[1], np.abs(values[1] - values[0]), method)


def traction(solution: Any, face: str, points: np.ndarray, time: float | None = None) -> np.ndarray:
    """σ n on a face with n out of the fluid, (n, d): the stress that the solid exerts on the fluid."""
    problem = solution.problem
    flow, at = flow_of(problem), with_time(problem, points, time)
    normals, d = problem.domain.normals(face, points), len(problem.space)
    result = np.zeros((len(points), d))
    for i in range(d):
        for j in range(d):
            result[:, i] += solution.derivative(flow.stress(i, j, problem.space), at) * normals[:, j]
    return result


def _line(solution: Any, faces: tuple[str, ...], time: float | None, nodes: int) -> np.ndarray:
    total = np.zeros(len(solution.problem.space))
    for face in faces:
        points, weights = face_rule(solution.problem.domain, face, nodes)
        total -= weights @ traction(solution, face, points, time)
    return total


def _layers(solution: Any, faces: tuple[str, ...], width: float | None, nodes: int) -> list[tuple[np.ndarray, ...]]:
    """Points, weights, w and ∇w of a coarse and a fine rule; w from the solution's own space where it has one."""
    lift = _cut_off(solution.problem.domain, faces, width)
    own = getattr(solution, "layer_rule", None)
    if own is not None:
        return [own(faces, order) for order in (4, 6)]
    layers: list[tuple[np.ndarray, ...]] = []
    for points, weights in volume_rules(solution, nodes):
        w, slope = lift(points)
        near = (w != 0) | (slope != 0).any(axis=1)
        layers.append((points[near], weights[near], w[near], slope[near]))
    return layers


def _volume(solution: Any, layer: tuple[np.ndarray, ...], time: float | None) -> np.ndarray:
    problem = solution.problem
    flow, (points, weights, w, slope) = flow_of(problem), layer
    at, total = with_time(problem, points, time), []
    for i, inertia in enumerate(flow.inertia):
        density = solution.derivative(inertia, at) * w if inertia != 0 else np.zeros(len(at))
        for j in range(len(problem.space)):
            density = density + solution.derivative(flow.stress(i, j, problem.space), at) * slope[:, j]
        total.append(-float(weights @ density))
    return np.array(total)


def _cut_off(domain: Any, faces: tuple[str, ...], width: float | None) -> Callable:
    """A function that falls from 1 on the faces to 0 at a distance, twice differentiable, with its gradient."""
    others = tuple(face for face in domain.faces if face not in faces)
    touching = any((first in faces) != (second in faces) for _, first, second in domain.corner_faces())
    if touching:
        room = 0.0
    elif others:
        places = np.concatenate([domain.sample_face(face, 400, "grid") for face in others])
        room = float(domain._distance(places, faces).min())
    else:
        room = domain.size
    reach = room / 2 if width is None else float(width)
    if not 1e-9 * domain.size < reach <= room:
        raise ProblemError(
            "room between the faces and all others for the volume method",
            f"{', '.join(faces)}: a gap of {room:.3g}, width {reach:.3g}",
            'method="line", or a smaller width',
        )

    def lift(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = np.clip(domain._distance(points, faces) / reach, 0.0, 1.0)
        step = 1e-6 * reach
        slope = np.zeros_like(points)
        for axis in range(points.shape[1]):
            shift = np.zeros(points.shape[1])
            shift[axis] = step
            ahead, behind = (domain._distance(points + sign * shift, faces) for sign in (1, -1))
            slope[:, axis] = (ahead - behind) / (2 * step * reach)
        fall = -30 * s**2 * (1 - s) ** 2
        return 1 - s**3 * (10 - 15 * s + 6 * s**2), fall[:, None] * slope

    return lift


@dataclass(frozen=True)
class MassBalance:
    """How well a flow conserves mass.

    Attributes:
        faces: Face -> ∫ u·n, n outward.
        net: Their sum.
        largest: Largest modulus of the fluxes.
        divergence: Root mean square of ∇·u over the domain.
    """

    faces: dict[str, float]
    net: float
    largest: float
    divergence: float


def mass_balance(solution: Any, time: float | None = None, nodes: int = 48) -> MassBalance:
    """Fluxes through all faces, and the divergence.

    Args:
        solution: A solution of a flow.
        time: The instant.
        nodes: Gauss points per direction and piece.

    Returns:
        The balance.
    """
    problem = solution.problem
    u = flow_of(problem).velocity
    columns, fluxes = [problem.fields.index(component) for component in u], {}
    for face in problem.faces:
        points, weights = face_rule(problem.domain, face, nodes)
        speed = solution.evaluate(with_time(problem, points, time))[:, columns]
        fluxes[face] = float(weights @ (speed * problem.domain.normals(face, points)).sum(axis=1))
    points, weights = volume_rules(solution, 24)[1]
    leak = solution.derivative(sp.Add(*[c.diff(s) for c, s in zip(u, problem.space, strict=True)]),
                               with_time(problem, points, time))  # fmt: skip
    divergence = float(np.sqrt(weights @ leak**2 / weights.sum()))
    return MassBalance(fluxes, sum(fluxes.values()), max(abs(f) for f in fluxes.values()), divergence)


def wall_shear(solution: Any, face: str, count: int = 400, time: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Shear stress that the flow exerts on a plane wall face, along the tangent (n_y, -n_x) turned to growing x or y.

    Args:
        solution: A solution of a plane flow.
        face: The wall.
        count: Number of points.
        time: The instant.

    Returns:
        Points (count, 2), and τ (count,) in the unit of the pressure: positive where the flow along the wall goes to
        growing x (growing y on a wall x = const).

    Raises:
        ProblemError: If the problem is not plane.
    """
    domain = solution.problem.domain
    if domain.dimension != 2:
        raise ProblemError("a flow in the plane for the wall shear", f"{domain.dimension} dimensions", "use traction")
    points = domain.sample_face(face, count, "grid")
    n = domain.normals(face, points)
    tangent = np.column_stack([-n[:, 1], n[:, 0]])
    towards = np.where(np.abs(tangent[:, 0]) > 1e-9, tangent[:, 0], tangent[:, 1])
    tangent *= np.sign(towards)[:, None]
    return points, -(traction(solution, face, points, time) * tangent).sum(axis=1)


def reattachment(solution: Any, face: str, count: int = 2000, time: float | None = None) -> np.ndarray:
    """Places on a straight wall where the wall shear changes sign: separation and reattachment points.

    Args:
        solution: A solution of a plane flow.
        face: A straight wall, parallel to an axis.
        count: Number of points.
        time: The instant.

    Returns:
        Coordinate along the wall of each change, in growing order, by linear interpolation.
    """
    points, shear = wall_shear(solution, face, count, time)
    axis = int(np.ptp(points, axis=0).argmax())
    order = np.argsort(points[:, axis])
    s, tau = points[order, axis], shear[order]
    change = np.flatnonzero(tau[:-1] * tau[1:] < 0)
    return s[change] - tau[change] * (s[change + 1] - s[change]) / (tau[change + 1] - tau[change])
