"""Which templates an equation has: seeds that its derived symmetries move."""

from __future__ import annotations

import itertools

import numpy as np
import sympy as sp

from sciml.errors import ScimlError
from sciml.expressions.data import evaluate_data
from solvers.lie.atoms import exact_number
from solvers.lie.interval_dictionary import IntervalDictionary, read_evolution
from solvers.lie.polynomials import apply, simple_solutions
from solvers.lie.sparse.templates import Range, Template
from solvers.lie.statement import Statement
from solvers.symmetry.linearisation import linearising_map

_REACH = 9.6  # images beyond this many √(Dt) are below 1e-10
_NARROWEST = 1e-7  # smallest squared width of a kernel, relative to the interval
_MOST_FLOWS = 4


def templates_of(statement: Statement) -> list[Template]:
    """Seeds moved by flows, for a single equation.

    Parabolic equations with constant coefficients on an interval have the fundamental solution and its integral, moved
    in place and time; equations with constant coefficients, oscillations of any wave number; every other one, what the
    flows of its derived generators make of its simplest solutions.

    Args:
        statement: A problem.

    Returns:
        Templates; none where the equation is a system or has no such symmetry.
    """
    if statement.count != 1:
        return []
    evolution = read_evolution(statement) if statement.constant else None
    if evolution is None:
        return [*_carried_kernels(statement), *_flows(statement)]
    dictionary = IntervalDictionary(statement, evolution)
    found: list[Template] = []
    if dictionary.parabolic and dictionary.diffusivity > 0:
        found += [_kernel(statement, dictionary, order) for order in (0, -1)]
    return [*found, *_oscillation(statement, dictionary)]


def _kernel(statement: Statement, dictionary: IntervalDictionary, order: int) -> Template:
    """e^{α(x-a)+βt} Σ images of erfc((x - s)/√(4D(t + τ))), or of the Gaussian: scaling-invariant, moved in x and t."""
    x, t = statement.coordinates
    place, age = sp.Symbol("s", real=True), sp.Symbol("tau", positive=True)
    diffusivity, a, b = dictionary.diffusivity, dictionary.a, dictionary.b
    constants = (dictionary.evolution.alpha, dictionary.growth(), dictionary.start, diffusivity)
    alpha, beta, start, spread = (exact_number(c) for c in constants)
    left, right = dictionary.parity()
    squared = 4 * spread * (t - start + age)
    images = [(place, 1, 1)]
    reach = _REACH * np.sqrt(diffusivity * (dictionary.end - dictionary.start))
    if left and right:
        low, length = (exact_number(v) for v in (a, b - a))
        for n in range(-int(reach / (2 * (b - a))) - 1, int(reach / (2 * (b - a))) + 2):
            flip = (left * right) ** abs(n)
            inward = 1 if n <= 0 else -1  # so that they decay into the interval
            if n and (2 * abs(n) - 1) * (b - a) < reach:
                images.append((place + 2 * n * length, inward, flip if inward == 1 or order < 0 else -flip))
            if (2 * n - 2 if n > 0 else -2 * n) * (b - a) < reach:
                sign = flip * left
                images.append((2 * low - place + 2 * n * length, inward, sign if inward == -1 or order < 0 else -sign))
    total = sp.S.Zero
    for centre, way, sign in images:
        distance = x - centre
        total += sign * (sp.exp(-(distance**2) / squared) if order < 0 else sp.erfc(way * distance / sp.sqrt(squared)))
    if order < 0:
        total = total * sp.sqrt(age / (t - start + age))
    expression = sp.exp(alpha * (x - exact_number(a)) + beta * t) * total
    largest = (b - a) ** 2 / diffusivity
    ranges = [Range(place, a, b), Range(age, _NARROWEST * largest, 0.1 * largest, logarithmic=True)]
    names = statement.generators("scaling", "homogeneity", f"translation {x}", f"translation {t}")
    return Template((x, t), expression, ranges, "moved similarity" if order == 0 else "moved kernel", names)


def _carried_kernels(statement: Statement) -> list[Template]:
    """The fundamental solution and its integral where a derived map leads to the heat equation w_s = w_yy."""
    problem = statement.problem
    if problem.time is None or statement.space != 1:
        return []
    try:
        found = linearising_map(problem)
    except ScimlError:
        return []
    if not found or found.kind != "heat" or found.graph:
        return []
    y, s = (problem.substitute(sp.sympify(found.forward[v])) for v in found.new_coordinates)
    grid = np.array(list(itertools.product(*(np.linspace(low, high, 9) for low, high in statement.bounds))))
    places, times = (evaluate_data(e, problem.coordinates, grid) for e in (y, s))
    if not (np.isfinite(places).all() and np.isfinite(times).all()):
        return []
    place, age = sp.Symbol("s", real=True), sp.Symbol("tau", positive=True)
    clock = s - exact_number(times.min()) + age
    largest = float(np.ptp(places)) ** 2
    ranges = [Range(place, places.min(), places.max()),
              Range(age, _NARROWEST * largest, 0.1 * largest, logarithmic=True)]  # fmt: skip
    shapes = {"moved kernel": sp.sqrt(age / clock) * sp.exp(-((y - place) ** 2) / (4 * clock)),
              "moved similarity": sp.erfc((y - place) / sp.sqrt(4 * clock))}  # fmt: skip
    formula, pulled = problem.substitute(found.formula), found.pulled.func
    names = tuple(map(str, statement.algebra or ()))
    return [Template(problem.coordinates, formula.replace(pulled, sp.Lambda(problem.coordinates, shape)).doit(), ranges,
                     name, names) for name, shape in shapes.items()]  # fmt: skip


def _oscillation(statement: Statement, dictionary: IntervalDictionary) -> list[Template]:
    """Re exp(i(wx - p) + λ(iw) t), or with sin and cos of a real frequency for two orders in time."""
    x, t = statement.coordinates
    wave, phase = sp.Symbol("w", positive=True), sp.Symbol("p", real=True)
    e = dictionary.evolution
    numbers = [exact_number(c) for c in (e.a, e.b, e.c, *e.in_time[1:], dictionary.start)]
    lead, drift, constant, *in_time, start = numbers
    lowest = np.pi / (4 * dictionary.length)
    ranges = [Range(wave, lowest, 400 * lowest, logarithmic=True), Range(phase, -np.pi, np.pi)]
    clock = t - start
    if len(in_time) == 1:
        rate = (lead * wave**2 - constant) / in_time[0]
        expression = sp.exp(rate * clock) * sp.cos(wave * (x - drift / in_time[0] * clock) - phase)
    elif len(in_time) == 2 and drift == 0:
        first, second = in_time
        squared = (constant - lead * wave**2) / second - (first / (2 * second)) ** 2
        lag = sp.Symbol("q", real=True)
        ranges.append(Range(lag, -np.pi, np.pi))
        floor = float(sp.solve(sp.Eq(squared, 0), wave)[0]) if squared.subs(wave, lowest) <= 0 else lowest
        ranges[0] = Range(wave, max(lowest, 1.01 * floor), 400 * lowest, logarithmic=True)
        decay = sp.exp(-first / (2 * second) * clock)
        expression = decay * sp.cos(wave * x - phase) * sp.cos(sp.sqrt(squared) * clock - lag)
    else:
        return []
    names = statement.generators("scaling", "homogeneity", f"translation {x}", f"translation {t}")
    return [Template((x, t), expression, ranges, "moved oscillation", names)]


def _flows(statement: Statement) -> list[Template]:
    """Simple solutions under the flow of a derived generator, then translated along every coordinate that allows it."""
    coordinates, eps = statement.coordinates, sp.Symbol("epsilon", real=True)
    symbol = sp.Symbol("epsilon", positive=True)
    free = [axis for axis in range(len(coordinates)) if statement.invariant_along(axis)]
    shifts = {coordinates[axis]: sp.Symbol(f"s_{coordinates[axis]}", real=True) for axis in free}
    found: list[Template] = []
    for seed in simple_solutions(statement)[:2]:
        for generator in statement.algebra or ():
            if len(found) >= _MOST_FLOWS:
                return found
            try:
                made = generator.transform(seed, eps)
            except ScimlError:
                continue  # its flow has no closed form
            plain = isinstance(made, sp.Expr) and not made.has(sp.Integral, sp.Derivative)
            if not plain or not made.has(eps) or not sp.simplify(made / seed).free_symbols & set(coordinates):
                continue
            moved = made.subs(eps, symbol).subs({c: c - s for c, s in shifts.items()}, simultaneous=True)
            template = _bounded(statement, moved, symbol, shifts, str(generator))
            if template is not None:
                found.append(template)
    return found


def _bounded(
    statement: Statement, expression: sp.Expr, symbol: sp.Symbol, shifts: dict, generator: str
) -> Template | None:
    """The template where it is a finite solution at most places; its residual is verified."""
    coordinates, bounds = statement.coordinates, statement.bounds
    used = {c: s for c, s in shifts.items() if expression.has(s)}
    ranges = [Range(symbol, 1e-2, 1e4, logarithmic=True)]
    for axis, c in enumerate(coordinates):
        if c in used:
            low, high = bounds[axis]
            last = axis == len(coordinates) - 1 and statement.problem.time is not None
            ranges.append(Range(used[c], low - (high - low) if last else low, low if last else high))
    names = (generator, *statement.generators(*(f"translation {c}" for c in used)))
    template = Template(coordinates, expression, ranges, "moved by a flow", names)
    numbers = np.random.default_rng(0)
    residual = apply(statement, [expression])[0]
    values = {
        r.symbol: float(np.exp(numbers.uniform(-1, 1)) if r.logarithmic else 0.5 * (r.low + r.high)) for r in ranges
    }
    for _ in range(3):
        place = {c: float(numbers.uniform(*b)) for c, b in zip(coordinates, bounds, strict=True)}
        size = abs(complex(expression.subs(values | place)))
        if not size < 1e100 or not abs(complex(residual.subs(values | place))) < 1e-7 * max(size, 1e-3):
            return None
    return template
