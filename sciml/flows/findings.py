"""What is wrong with the statement of an incompressible flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.expressions.data import evaluate_data
from sciml.findings import Finding
from sciml.flows.recognition import Flow, find_flow
from sciml.geometry.quadrature import face_rule, region_rule
from sciml.jets import field_atoms

_SMALL = 1e-6  # of the flux through the boundary


def flow_findings(problem: Any) -> Iterator[Finding]:
    """Open faces without a condition, outflows without the pressure, net flux of given velocities, too many pressures.

    Args:
        problem: A problem whose terms are built.

    Yields:
        The findings.
    """
    flow = find_flow(problem)
    if flow is None or problem.unknowns or problem.observations:
        return
    yield from _open_faces(problem, flow)
    yield from _net_flux(problem, flow)
    yield from _pressures(problem, flow)


def _here(problem: Any, face: str) -> list[Any]:
    return [term for term in problem.terms if term.kind == "boundary" and face in term.faces]


def _open_faces(problem: Any, flow: Flow) -> Iterator[Finding]:
    for face in problem.faces:
        terms = _here(problem, face)
        used = {atom for term in terms for expression in term.expressions for atom in field_atoms(expression)}
        if not used & set(flow.velocity):
            u, nu, p = flow.velocity[0], flow.viscosity, flow.pressure.func.__name__
            yield Finding("error", f"no condition for the velocity on {face!r}: Dirichlet at a wall or an inflow; a "
                                   f"free outflow is ({nu}) d{u.func.__name__}/dn = {p} n for each component, "
                                   "Condition(Eq(...), on=...)")  # fmt: skip
            continue
        if any(term.periodic for term in terms) or flow.pressure in used:
            continue
        if not _normal_given(problem, flow, face):
            yield Finding("warning", f"the velocity through {face!r} is not given and no condition there holds the "
                                     f"pressure {flow.pressure.func.__name__}: its level is neither fixed nor free; a "
                                     "free outflow is ν ∂u/∂n = p n, Condition(Eq(...), on=...)")  # fmt: skip


def _given(problem: Any, component: sp.Expr, face: str) -> sp.Expr | None:
    """The value of a component on a face."""
    for term in _here(problem, face):
        if isinstance(term.condition, Dirichlet) and term.condition.field == component:
            return problem.substitute(component - term.expressions[0])
    return None


def _normal_given(problem: Any, flow: Flow, face: str) -> bool:
    normals = np.abs(problem.domain.normals(face, problem.domain.sample_face(face, 8))).max(axis=0)
    return all(_given(problem, c, face) is not None for c, n in zip(flow.velocity, normals, strict=True) if n > 1e-9)


def _holds(term: Any, field: sp.Expr) -> bool:
    return any(field in field_atoms(expression) for expression in term.expressions)


def _pressures(problem: Any, flow: Flow) -> Iterator[Finding]:
    """The pressure given where the velocity is, and its level more than once."""
    p = flow.pressure.func.__name__
    fixed = [term for term in problem.terms if term.kind == "point" and _holds(term, flow.pressure)]
    free = []
    for face in problem.faces:
        held = [term for term in _here(problem, face) if not term.periodic and _holds(term, flow.pressure)]
        if held and all(_given(problem, component, face) is not None for component in flow.velocity):
            yield Finding("warning", f"every component of the velocity is given on {face!r}, and {held[0].name!r} "
                                     f"gives the pressure {p} there too: one condition too many; drop it")  # fmt: skip
        elif held:
            free.append(face)
    if len(fixed) + bool(free) > 1:
        places = [*(f"an outflow on {face!r}" for face in free[:1]), *(repr(term.name) for term in fixed)]
        yield Finding("warning", f"the level of the pressure {p} is given more than once, by {', '.join(places)}: one "
                                 "is enough, and where they disagree no flow meets both; keep one")  # fmt: skip


def _net_flux(problem: Any, flow: Flow) -> Iterator[Finding]:
    """∮ u·n of the data, where the normal velocity is given everywhere: it must vanish at all times."""
    paired = {face for term in problem.terms if term.periodic and term.condition.field in flow.velocity
              for face in term.faces}  # fmt: skip
    faces = [face for face in problem.faces if face not in paired]
    if not faces or not all(_normal_given(problem, flow, face) for face in faces):
        return
    start, end = (0.0, 0.0) if problem.time is None else problem.bounds[-1]
    times = [None] if problem.time is None else [start, (start + end) / 2, end]
    for t in times:
        coarse, fine = (_through(problem, flow, faces, t, nodes) for nodes in (12, 24))
        net, size = fine
        if size > 0 and abs(net) > _SMALL * size and abs(net) > 10 * abs(net - coarse[0]):
            when = "" if t is None else f" at {problem.time[0]} = {t:.4g}"
            yield Finding("error", f"the given velocities have a net flux of {net:.6g} out of the domain{when} "
                                   f"({abs(net) / size:.2g} of the flux through its boundary), which an incompressible "
                                   "flow cannot have: correct the inflow, or leave one face open")  # fmt: skip
            return


def _through(problem: Any, flow: Flow, faces: list[str], t: float | None, nodes: int) -> tuple[float, float]:
    """∮ u·n and ∮ |u·n|."""
    net = size = 0.0
    if flow.divergence != 0:
        if not flow.divergence.free_symbols <= set(problem.coordinates):
            return 0.0, 0.0
        points, weights = region_rule(problem.domain, nodes)
        columns = points if t is None else np.column_stack([points, np.full(len(points), t)])
        net = -float(weights @ evaluate_data(flow.divergence, problem.coordinates, columns, problem.bounds))
    for face in faces:
        points, weights = face_rule(problem.domain, face, nodes)
        normals = problem.domain.normals(face, points)
        columns = points if t is None else np.column_stack([points, np.full(len(points), t)])
        speed = np.zeros(len(points))
        for component, n in zip(flow.velocity, normals.T, strict=True):
            value = _given(problem, component, face)
            if value is not None and not value.free_symbols <= set(problem.coordinates):
                return 0.0, 0.0
            if value is not None:
                speed += n * evaluate_data(value, problem.coordinates, columns, problem.bounds)
        net += float(weights @ speed)
        size += float(weights @ np.abs(speed))
    return net, size
