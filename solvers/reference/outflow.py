"""Faces on which the weak form would take a condition for granted that nobody stated."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.errors import SolverError
from sciml.ibvp import IBVP
from solvers.reference.data import sampled
from solvers.reference.weak_form import FaceRow, WeakForm


def check_outflow(problem: IBVP, form: WeakForm) -> None:
    """Refuse open faces without a condition on the pressure, and ones with a flux of a quasilinear equation.

    On a face where the velocity is not given, two conditions are needed that hold pressure and friction together,
    as ν ∂u/∂n = p n (Heywood, Rannacher & Turek 1996); derivatives of the velocity alone leave the pressure free.

    Args:
        problem: The problem.
        form: Its weak form.

    Raises:
        SolverError: If such a face is found.
    """
    for row, equation in enumerate(form.equations):
        periodic = {face for index, *faces in form.periodic if index == row for face in faces}
        for face in problem.faces:
            own = [r for r in form.rows if r.field == row and face in r.faces]
            if face in periodic or any(r.gradient is None for r in own):
                continue
            if row in equation.quasilinear and not all(r.data == 0 and not r.values for r in own):
                given = f"a flux of {problem.field_names[row]} on {face}"
                raise SolverError("values, or fluxes that vanish, where second derivatives have coefficients that "
                                  "depend on the fields", given, "use a PINN for this problem")  # fmt: skip
            for multiplier in form.multipliers:
                _check_pressure(problem, form, row, multiplier, face, own)


def _check_pressure(problem: IBVP, form: WeakForm, row: int, multiplier: int, face: str, own: list[FaceRow]) -> None:
    given = any(r.field == multiplier and r.gradient is None and face in r.faces for r in form.rows)
    if given or any(multiplier in r.values for r in own):
        return
    force: list[sp.Expr] = [sp.Integer(0)] * len(problem.space)
    for entry in form.equations[row].entries:
        if entry.field == multiplier and entry.trial is not None:
            force[entry.trial] += entry.coefficient
    points = problem.domain.sample_face(face, 16)
    normals = problem.domain.normals(face, points)
    t = None if problem.time is None else float(np.mean(problem.bounds[-1]))
    through = sum(sampled(f, problem, points, t) * n for f, n in zip(force, normals.T, strict=True) if f != 0)
    if np.abs(through).max() > 1e-9:
        known, pressure = problem.field_names[row], problem.field_names[multiplier]
        what = "derivatives only" if own else "nothing"
        raise SolverError(
            f"{known} or a condition with {pressure} on the face {face!r}",
            f"{what} for {known}, and {pressure} is not in it",
            f"a free outflow is Condition(Eq(nu * (normal derivative of {known}), {pressure} * normal), on={face!r})",
        )
