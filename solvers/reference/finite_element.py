"""FiniteElement: linear and nonlinear problems, and flows, by continuous piecewise polynomials."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.arguments import explained, require_number
from sciml.errors import ConvergenceError, SolverError, SolverWarning
from sciml.ibvp import IBVP, require_forward, require_ibvp
from sciml.solution import Callback, require_callbacks
from sciml.verification import unmet_equations
from solvers.reference.data import sampled
from solvers.reference.mesh import default_size, fem
from solvers.reference.newton import Newton
from solvers.reference.solution import FiniteElementSolution
from solvers.reference.space import build_space
from solvers.reference.system import System
from solvers.reference.time_stepping import initial_state, march, time_grid
from solvers.reference.weak_form import WeakForm, weak_form

_FIRST_STEPS, _MOST_STEPS = 64, 2048


_MOST_STEPS = 10**7  # more would not fit into memory


@explained("FiniteElement(mesh_size=0.05)")
class FiniteElement:
    """Solve problems by the finite element method.

    Covers one equation or several coupled ones, of second order in space with variable coefficients, steady or
    of first or second order in time, on intervals, planar regions with curved sides and holes, and boxes, with
    Dirichlet, Neumann, Robin, periodic and linear free-form conditions (see `solvers.reference.weak_form`). Terms may
    be nonlinear in values and first derivatives; second derivatives may have coefficients that depend on values.

    Incompressible flows (Stokes, Navier-Stokes, with buoyancy, drag or any other coupling) are recognised by their
    pressure, a field that occurs only by its gradient while its own equation is a constraint. It gets elements of
    degree 1 beside degree 2 for the velocity (Taylor & Hood 1973), which are stable (Boffi, Brezzi & Fortin 2013,
    ch. 8), of third order in the velocity and second in the pressure. A pressure that is free up to a constant gets
    mean zero at every time, or the value that a `Condition` at a point states. Nonlinear steady problems are solved by
    damped Newton steps with continuation in the size of the nonlinear terms (`solvers.reference.newton`).

    For degree 2 the error in the mean square is of third order in the mesh size where the solution is smooth,
    also at curved sides, whose edges are parabolas through points of the side (isoparametric elements, Ciarlet &
    Raviart 1972). Steps in time are of second order (`solvers.reference.time_stepping`). A jump of data, a
    re-entrant corner or a layer thinner than the mesh limits the accuracy near it. Fields of which only derivatives
    are given get mean zero.

    Args:
        mesh_size: Edge length; made from the measure of the domain when omitted.
        steps: Number of equal steps in time; when omitted, doubled until two runs agree to `tolerance`.
        degree: Polynomial degree, 1 or 2.
        tolerance: Relative error in time, root mean square over nodes and steps, for automatic steps.
        refine: Face name -> edge length there, from which edges grow into the interior.
        refinements: How often all edges of that mesh are halved: meshes for a study of convergence, whose errors fall
            regularly.

    Raises:
        SolverError: If an option is out of range.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Disk, coordinates, field
        >>> x, y = coordinates("x y")
        >>> u = field("u", x, y)
        >>> poisson = IBVP(sp.Eq(u.diff(x, 2) + u.diff(y, 2), -4), Disk((x, y)), boundary=[Dirichlet(u, 0)])
        >>> solution = FiniteElement(mesh_size=0.2).solve(poisson)
        >>> float(abs(solution(x=0.5, y=0.0) - 0.75)) < 1e-4
        True
    """

    def __init__(
        self,
        mesh_size: float | None = None,
        steps: int | None = None,
        degree: int = 2,
        tolerance: float = 1e-5,
        refine: Mapping[str, float] | None = None,
        refinements: int = 0,
    ) -> None:
        """Check the options."""
        fix = "an edge length in the unit of the coordinates"
        require_number(mesh_size, "mesh_size", above=0, optional=True, fix=fix)
        require_number(steps, "steps", least=1, most=_MOST_STEPS, whole=True, optional=True, fix="steps=200")
        if degree not in {1, 2}:
            raise SolverError("degree 1 or 2", repr(degree), "degree=2 and a smaller mesh_size")
        require_number(tolerance, "tolerance", above=0, most=1, fix="tolerance=1e-5")
        if not isinstance(refine or {}, Mapping):
            raise SolverError("refine: face name -> edge length", repr(refine)[:80], 'refine={"top": 0.01}')
        for face, length in (refine or {}).items():
            require_number(length, f"edge length at {face}", above=0, fix='refine={"top": 0.01}')
        self.mesh_size, self.steps, self.degree, self.tolerance = mesh_size, steps, degree, tolerance
        require_number(refinements, "refinements", least=0, most=20, whole=True, fix="refinements=1")
        self.refine, self.refinements = dict(refine or {}), int(refinements)

    def solve(self, problem: IBVP, callbacks: Sequence[Callback] = ()) -> FiniteElementSolution:
        """Solve a problem.

        A `SolverWarning` says where the equations are not met on a mesh that nobody chose, and where drift makes layers
        that are thinner than the elements; `solution.certificate()` looks more closely.

        Args:
            problem: The problem.
            callbacks: Called as callback(step, total, {"time": t}) after every step in time; a true answer stops.

        Returns:
            The solution.

        Raises:
            SolverError: If the problem is not covered, with the reason.
            ConvergenceError: If the discrete problem is singular, or was stopped before a first run ended.
            MissingExtraError: If scikit-fem is not installed.
        """
        require_forward(require_ibvp(problem))
        require_callbacks(callbacks)
        fem()
        started = time.process_time()
        form = weak_form(problem)
        if form.multipliers and self.degree != 2:
            raise SolverError("degree 2 for a flow, whose pressure gets degree 1", f"degree {self.degree}", "degree=2")
        strange = set(self.refine) - set(problem.faces)
        if strange:
            raise SolverError(
                f"faces among {', '.join(problem.faces)} in refine", ", ".join(sorted(strange)), "check the spelling"
            )
        size = self.mesh_size or default_size(problem.domain)
        space = build_space(problem.domain, float(size), self.degree, self.refine, self.refinements)
        system = System(problem, form, space)
        layers = _warn_of_layers(system)
        shape = (-1, len(problem.fields), system.size)
        history: dict[str, Any] = {}
        if problem.time is None:
            times, (values, text) = np.zeros(0), self._steady(system, history, callbacks)
        else:
            times, values, text = self._evolution(system, history, callbacks)
        if not np.isfinite(values).all():
            raise ConvergenceError("finite values", "overflow", "check the signs: the problem may be ill-posed")
        history |= {"dofs": len(system.constraints.free), "seconds": time.process_time() - started}
        status = (
            f"mesh size {size / 2**self.refinements:.3g}, {len(space.elements)} elements of degree {self.degree}, "
            f"{len(system.constraints.free)} degrees of freedom; {text}"
        )
        solution = FiniteElementSolution(
            problem, space.nodes, space.elements, self.degree, times, values.reshape(shape), status, history
        )
        _set_levels(solution, form)
        if self.mesh_size is None:
            _say_unmet_equations(solution, warn=not layers)
        return solution

    def _steady(self, system: System, history: dict[str, Any], callbacks: Sequence[Callback]) -> tuple[np.ndarray, str]:
        c = system.constraints
        lift, load = c.spread @ c.data(None), system.load(None)
        if system.nonlinear is None:
            return c.projection @ self._linear(system, load, lift) + lift, "steady"

        def report(step: int, part: float) -> bool:
            return any([bool(callback(step, step, {"part": part})) for callback in callbacks])

        newton = Newton(system, report)
        try:
            start = self._linear(system, load, lift)
        except ConvergenceError:  # the linear terms alone have no unique solution
            start = np.ones(len(c.free))
        z = newton.steady(load, lift, start)
        history |= {"newton_steps": newton.steps, "continuation": newton.parts}
        return c.projection @ z + lift, f"steady, {newton.steps} Newton steps"

    @staticmethod
    def _linear(system: System, load: np.ndarray, lift: np.ndarray) -> np.ndarray:
        return system.factor(0.0, None).solve(load - system.matrix(0, None) @ lift)

    def _evolution(
        self, system: System, history: dict[str, Any], callbacks: Sequence[Callback]
    ) -> tuple[np.ndarray, np.ndarray, str]:
        _check_orders(system.problem, system.form)
        start, end = system.problem.bounds[-1]
        graded = initial_state(system)[2] and min(system.form.time_order) < 2
        steps = self.steps or _FIRST_STEPS
        times = time_grid(start, end, steps, graded)
        values = march(system, times, _reporter(callbacks))
        if values is None:
            raise ConvergenceError("a run to the end of the time interval", "a callback stopped it", "let it run")
        error = np.inf
        errors: list[float] = []
        while self.steps is None and error > self.tolerance and steps < _MOST_STEPS:
            finer = np.sort(np.concatenate([times, 0.5 * (times[1:] + times[:-1])]))
            again = march(system, finer, _reporter(callbacks))
            if again is None:
                return times, values, f"{len(times) - 1} steps in time, stopped before the error in time was small"
            # the difference of second-order results is three times the error of the finer one
            error = float(np.linalg.norm(again[::2] - values) / (3 * max(float(np.linalg.norm(again[::2])), 1e-300)))
            steps, times, values = 2 * steps, finer, again
            errors.append(error)
        history["time_error"] = errors
        text = f"{len(times) - 1} steps in time"
        if errors:
            text += f", relative error of the steps about {error:.1g}"
            if error > self.tolerance:
                warnings.warn(f"{text}: above the tolerance {self.tolerance:g}", SolverWarning, stacklevel=3)
        return times, values, text


def _say_unmet_equations(solution: FiniteElementSolution, warn: bool) -> None:
    """Where nobody chose the mesh: whether the equations hold on it when they are tested with smooth functions."""
    for check in unmet_equations(solution):
        place = ", ".join(f"{name}={value:.3g}" for name, value in check.where)
        text = f"equation '{check.name}' is missed by {check.value:.1e} of its largest term"
        advice = "the solution varies faster than the elements, or is none: compare with a smaller mesh_size"
        solution.status += f"; {text}"
        if warn:
            warnings.warn(f"{text}, most of all near {place}: {advice}", SolverWarning, stacklevel=3)


def _set_levels(solution: FiniteElementSolution, form: WeakForm) -> None:
    """Shift fields that are free up to a constant to their stated values at points."""
    problem = solution.problem
    for gauge in form.gauges:
        zero = (0,) * len(problem.coordinates)
        place = np.array([gauge.place])
        times = [None] if problem.time is None else list(solution.times)
        for k, t in enumerate(times):
            point = place if t is None else np.column_stack([place, [[t]]])
            wanted = sampled(gauge.value, problem, place, t)[0]
            solution.values[k, gauge.field] += wanted - solution.jets(point, [(gauge.field, zero)])[0, 0]


def _reporter(callbacks: Sequence[Callback]) -> Any:
    def report(step: int, total: int, t: float) -> bool:
        return any([bool(callback(step, total, {"time": t})) for callback in callbacks])

    return report


def _check_orders(problem: IBVP, form: WeakForm) -> None:
    if max(form.time_order) == 0:
        raise SolverError("a time derivative in a problem with time", "none", "drop time=, or solve at fixed times")


def _warn_of_layers(system: System) -> bool:
    """Oscillations are possible where the mesh Péclet number |b| h / (2 a p) exceeds 1 (Quarteroni & Valli 1994)."""
    told = False
    q, t = system.space.cells, system.inner_time()
    for field, equation in enumerate(system.form.equations):
        matrix = equation.principal.get(field)
        own = [e for e in equation.entries if (e.field, e.order, e.test) == (field, 0, None)]
        axes = range(len(system.problem.space))
        drift = [sp.Add(*[e.coefficient for e in own if e.trial == axis]) for axis in axes]
        if matrix is None or not any(drift):
            continue
        stack = np.array([[sampled(sp.sympify(c), system.problem, q.points, t) for c in line] for line in matrix])
        diffusion = np.abs(np.linalg.eigvalsh(np.moveaxis(stack, -1, 0))).min(axis=1)
        speed = np.linalg.norm([sampled(b, system.problem, q.points, t) for b in drift], axis=0)
        peclet = (speed * q.size / (2 * np.maximum(diffusion, 1e-300))).max()
        if peclet > 2.0:
            told = True
            warnings.warn(
                f"{system.problem.field_names[field]}: drift dominates diffusion in a cell (mesh Péclet number "
                f"{peclet:.3g}); layers thinner than the mesh would oscillate. A mesh_size below "
                f"{q.size.max() * 2 / peclet:.2g} resolves them",
                SolverWarning,
                stacklevel=3,
            )
    return told
