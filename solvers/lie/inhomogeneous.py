"""Particular solutions: by undetermined coefficients where the source allows it, else by polynomials or sines."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass

import sympy as sp

from sciml.classification import LinearForm
from sciml.conditions import Dirichlet, Neumann, Robin
from sciml.errors import ProblemWarning
from sciml.ibvp import IBVP
from solvers.lie.atoms import Atoms, FormulaAtoms
from solvers.lie.bounds.patches import exact, face_patches
from solvers.lie.evolution.collocation import is_evolution
from solvers.lie.planar.sine_series import sine_series
from solvers.lie.spectral import spectral_fit

_MOST = 60  # functions that span the source and its derivatives
_LEVELS = 5  # powers of coordinates by which they are multiplied
_FEW = 256  # Chebyshev polynomials in the plane before sines are tried
_UNRESOLVED = 1e-4  # relative residual above which there is no particular solution


@dataclass(frozen=True, eq=False)
class Particular:
    """One solution of the inhomogeneous equations.

    Attributes:
        atom: A family of one.
        error: Residual of the equations relative to the source, root mean square or largest; 0 for a closed form.
        moving: Whether it changes in time.
    """

    atom: Atoms
    error: float
    moving: bool


def particular_solution(problem: IBVP, forms: list[LinearForm], tol: float) -> Particular | None:
    """A solution of the equations alone.

    The source and its derivatives span a space of functions; where it is finite (sums of products of polynomials,
    exponentials, sines), the ansatz of all of them, times powers of a coordinate for resonance, is put into the
    equations and solved exactly. Otherwise Chebyshev polynomials of least norm, or for sharp sources of elliptic
    equations in the plane a double sine series.

    Args:
        problem: A linear problem.
        forms: Its equations.
        tol: Wanted residual.

    Returns:
        The particular solution; None for homogeneous equations, or where no polynomial reaches the tolerance.
    """
    if problem.classification.homogeneous:
        return None
    found = undetermined(problem, forms)
    if found is not None:
        atom = FormulaAtoms(problem.coordinates, found, name="particular solution")
        moving = problem.time is not None and any(e.has(problem.time[0]) for e in found)
        return Particular(atom, 0.0, moving)
    moving = problem.time is not None
    if moving and len(problem.space) > 1 and is_evolution(problem, forms):
        return None  # collocation takes the source and all data at once
    planar = not moving and len(problem.coordinates) == 2 and len(forms) == 1
    series: tuple[Atoms, float] | None = None
    if planar:  # a polynomial is compact where the source is smooth; a sharp one wants many sines
        polynomial, error = spectral_fit(problem, 10 * tol, equations_only=True, most=_FEW)
        series = sine_series(problem, forms[0]) if error > tol else None
    if series is None:
        polynomial, error = spectral_fit(problem, 10 * tol, equations_only=True)
    elif series[1] < error:
        return Particular(*series, moving) if series[1] < _UNRESOLVED else None
    polynomial.name = "particular solution"
    return Particular(polynomial, error, moving) if error < _UNRESOLVED else None


def homogeneous(problem: IBVP, forms: list[LinearForm]) -> IBVP:
    """The problem without its sources.

    Args:
        problem: A linear problem.
        forms: Its equations.

    Returns:
        The same conditions on the homogeneous equations.
    """
    equations = [problem.substitute(e) - form.source for e, form in zip(problem.equations, forms, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the user has seen them
        return problem.replace(pde=dict(zip(problem.equation_names, [sp.expand(e) for e in equations], strict=True)))


def reduced(problem: IBVP, forms: list[LinearForm], particular: Particular) -> IBVP | None:
    """The homogeneous equations with the data less those of a particular solution in closed form.

    Atoms that are made of the data (travelling profiles, products of modes) need what is left of them.

    Args:
        problem: A linear problem in time.
        forms: Its equations.
        particular: One solution.

    Returns:
        The problem for what is left; None where it is no formula, or the conditions are of another kind.
    """
    kinds = (Dirichlet, Neumann, Robin)
    sides = [term for term in problem.terms if term.kind == "boundary"]
    plain = problem.time is not None and problem.domain.symbolic_bounds is not None and not particular.error
    if not plain or not all(isinstance(term.condition, kinds) for term in sides):
        return None
    known = dict(zip(problem.fields, particular.atom.formula(0, problem.coordinates), strict=True))
    assert problem.time is not None
    at = {problem.time[0]: exact(problem.time[1])}
    initial = {key: sp.simplify(problem.substitute(sp.sympify(data)) - key.subs(known).doit().xreplace(at))
               for key, data in problem.initial.items()}  # fmt: skip
    boundary = []
    for term, face in [(side, face) for side in sides for face in side.faces]:
        (patch,) = face_patches(problem.domain, face)
        left = term.condition.operator(problem.space).subs(known).doit()
        data = sp.simplify(patch.pull(problem.substitute(sp.sympify(term.condition.value) - left), problem.space))
        robin = (term.condition.beta,) if isinstance(term.condition, Robin) else ()
        boundary.append(type(term.condition)(term.condition.field, *robin, data, on=face))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the user has seen them
        return homogeneous(problem, forms).replace(initial=initial, boundary=boundary)


def without_data(problem: IBVP) -> bool:
    """Whether all initial and side data are 0, so that 0 solves the homogeneous problem."""
    conditions = [term.condition for term in problem.terms if term.kind == "boundary"]
    plain = all(isinstance(c, (Dirichlet, Neumann, Robin)) and c.value == 0 for c in conditions)
    return plain and all(data == 0 for data in problem.initial.values())


def undetermined(problem: IBVP, forms: list[LinearForm]) -> list[sp.Expr] | None:
    """A closed form, an expression per field, or None.

    Args:
        problem: A linear problem.
        forms: Its equations.

    Returns:
        Expressions that solve the equations exactly.

    Example:
        >>> from sciml.classification import linear_form
        >>> from sciml.problems import heat
        >>> problem = heat.decaying_source().problem
        >>> form = linear_form(problem.equations[0], problem.fields, problem.coordinates)
        >>> undetermined(problem, [form])
        [exp(-t)*sin(pi*x)]
    """
    sources = [sp.expand(problem.substitute(form.source)) for form in forms]
    basis = _closure(sources, problem.coordinates)
    if basis is None:
        return None
    for level in range(_LEVELS):
        raised = [sp.Mul(*c) for k in range(level + 1)
                  for c in itertools.combinations_with_replacement(problem.coordinates, k)]  # fmt: skip
        functions = list(dict.fromkeys(sp.expand(b * r) for r in raised for b in basis))
        if len(functions) > 2 * _MOST:
            break
        found = _solved(problem, forms, sources, functions)
        if found is not None:
            return found
    return None


def _closure(sources: list[sp.Expr], coordinates: tuple[sp.Symbol, ...]) -> list[sp.Expr] | None:
    """Functions that span the sources and all their derivatives, or None where they are too many."""
    if not all(_finite(source, coordinates) for source in sources):
        return None
    work = [part for source in sources for part in _parts(source, coordinates)]
    basis: list[sp.Expr] = []
    while work:
        function = work.pop()
        if function in basis:
            continue
        basis.append(function)
        if len(basis) > _MOST:
            return None
        for symbol in coordinates:
            work += _parts(sp.expand(function.diff(symbol)), coordinates)
    return basis


def _finite(source: sp.Expr, coordinates: tuple[sp.Symbol, ...]) -> bool:
    """A polynomial in the coordinates and in exponentials, sines, ... of arguments that are linear in them."""
    waves = {f: sp.Dummy() for f in source.atoms(sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh)}
    linear = all(
        f.args[0].is_polynomial(*coordinates) and sp.Poly(f.args[0], *coordinates).total_degree() <= 1 for f in waves
    )
    return linear and source.xreplace(waves).is_polynomial(*coordinates, *waves.values())


def _parts(expression: sp.Expr, coordinates: tuple[sp.Symbol, ...]) -> list[sp.Expr]:
    """The terms of a sum without their constant factors."""
    found = []
    for term in sp.Add.make_args(expression):
        _, function = term.as_independent(*coordinates, as_Add=False)
        if term != 0:
            found.append(function)
    return found


def _solved(
    problem: IBVP, forms: list[LinearForm], sources: list[sp.Expr], functions: list[sp.Expr]
) -> list[sp.Expr] | None:
    """Σ c_i b_i per field with Σ coefficients · jets = -source, coefficient by coefficient."""
    fields = len(problem.fields)
    numbers = [[sp.Dummy(f"c{k}_{i}") for i in range(len(functions))] for k in range(fields)]
    unknowns = [c for row in numbers for c in row]
    ansatz = [sp.Add(*[c * b for c, b in zip(row, functions, strict=True)]) for row in numbers]
    rows = []
    for form, source in zip(forms, sources, strict=True):
        total = source
        for (field, orders), coefficient in form.coefficients.items():
            pairs = [(s, k) for s, k in zip(problem.coordinates, orders, strict=True) if k]
            total += problem.substitute(sp.sympify(coefficient)) * (
                ansatz[field].diff(*pairs) if pairs else ansatz[field]
            )
        grouped: dict[sp.Expr, sp.Expr] = {}
        for term in sp.Add.make_args(sp.expand(total)):
            number, function = term.as_independent(*problem.coordinates, as_Add=False)
            grouped[function] = grouped.get(function, sp.S.Zero) + number
        rows += list(grouped.values())
    try:
        solutions = sp.linsolve([sp.expand(row) for row in rows], unknowns)
    except (ValueError, NotImplementedError):
        return None
    if not solutions:
        return None
    (values,) = solutions
    chosen = dict(zip(unknowns, values, strict=True))
    free = {c: sp.S.Zero for c in unknowns}
    return [sp.factor_terms(e.xreplace({c: sp.sympify(v).xreplace(free) for c, v in chosen.items()})) for e in ansatz]
