"""How well a viscosity can be known from noisy velocities, whatever the method: `python -m benchmarks.viscosity_bound`.

Cramér-Rao bounds for `flow_identification.viscosity`, relative to ν. With the flow known but for ν, the standard
deviation of an unbiased estimate is at least σ/|∂u/∂ν|, the norm over all samples. Nothing is given at the boundary,
so that every solution w of the linearised equations (U·∇)w + (w·∇)U + ∇q = νΔw may be added to the flow: the
bound is then σ over the norm of what is left of ∂u/∂ν when all w are projected out. Here w = (∂ψ/∂y, -∂ψ/∂x) and q
run through polynomials of some degree, and the equations are met to `EPSILON` at Chebyshev points. The higher the
degree the more flows are allowed, and the less is known: what of the boundary is smooth is an assumption.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import sympy as sp
from numpy.polynomial import chebyshev

from sciml.errors import ProblemWarning
from sciml.problems import flow_identification

EPSILON = 1e-3  # equations, of size 1, against velocities of size 1
x, y, nu = sp.symbols("x y nu", positive=True)


def kovasznay() -> tuple[sp.Expr, sp.Expr]:
    """u, v in terms of ν (Kovasznay 1948)."""
    decay = 1 / (2 * nu) - sp.sqrt(1 / (4 * nu**2) + 4 * sp.pi**2)
    return (1 - sp.exp(decay * x) * sp.cos(2 * sp.pi * y),
            decay / (2 * sp.pi) * sp.exp(decay * x) * sp.sin(2 * sp.pi * y))  # fmt: skip


class Polynomials:
    """Products of Chebyshev polynomials of a total degree on a rectangle."""

    def __init__(self, bounds: tuple[tuple[float, float], ...], degree: int) -> None:
        self.bounds, self.unit = bounds, np.eye(degree + 1)
        self.pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]

    def __call__(self, points: np.ndarray, *orders: int) -> np.ndarray:
        """Derivatives of all of them, (n, count)."""
        factors = []
        for column, (low, high), order in zip(points.T, self.bounds, orders, strict=True):
            series = chebyshev.chebder(self.unit, order, 2 / (high - low)) if order else self.unit
            factors.append(chebyshev.chebval(2 * (column - low) / (high - low) - 1, series))
        return np.stack([factors[0][i] * factors[1][j] for i, j in self.pairs], axis=1)


def bound(points: np.ndarray, sigma: float, viscosity: float, bounds: tuple, degree: int | None) -> float:
    """Smallest relative standard deviation; with a degree, where such flows may be added."""
    u, v = kovasznay()

    def at(expression: sp.Expr, places: np.ndarray) -> np.ndarray:
        values = sp.lambdify((x, y), expression.subs(nu, viscosity), "numpy")(*places.T)
        return np.broadcast_to(values, len(places))

    wanted = np.concatenate([at(part.diff(nu), points) for part in (u, v)]) / sigma
    if degree is None:
        return float(1 / np.linalg.norm(wanted) / viscosity)
    basis, angle = Polynomials(bounds, degree), np.pi * (np.arange(2 * degree) + 0.5) / (2 * degree)
    low, high = np.array(bounds).T
    unit = np.stack(np.meshgrid(np.cos(angle), np.cos(angle)), axis=-1).reshape(-1, 2)
    grid = low + (high - low) * (unit + 1) / 2
    U, V, Ux, Uy, Vx, Vy = (at(e, grid)[:, None] for e in (u, v, u.diff(x), u.diff(y), v.diff(x), v.diff(y)))
    D = {(a, b): basis(grid, a, b) for a in range(4) for b in range(4 - a)}
    first = U * D[1, 1] + V * D[0, 2] + D[0, 1] * Ux - D[1, 0] * Uy - viscosity * (D[2, 1] + D[0, 3])
    second = -U * D[2, 0] - V * D[1, 1] + D[0, 1] * Vx - D[1, 0] * Vy + viscosity * (D[3, 0] + D[1, 2])
    equations = np.block([[first, D[1, 0]], [second, D[0, 1]]]) / EPSILON
    seen = [np.hstack([part, np.zeros_like(part)]) for part in (basis(points, 0, 1), -basis(points, 1, 0))]
    matrix = np.vstack([equations, np.concatenate(seen) / sigma])
    size = np.linalg.norm(matrix, axis=0)
    matrix = matrix / np.where(size > 0, size, 1.0)
    target = np.concatenate([np.zeros(len(equations)), wanted])
    fitted, *_ = np.linalg.lstsq(matrix, target, rcond=1e-14)
    return float(1 / np.linalg.norm(target - matrix @ fitted) / viscosity)


def main() -> None:
    """Print the bounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--degrees", type=int, nargs="*", default=[12, 16, 20, 24])
    options = parser.parse_args()
    warnings.simplefilter("ignore", ProblemWarning)
    for seed in range(options.seeds):
        case = flow_identification.viscosity(seed=seed)
        seen = case.problem.observations[0]
        given = np.asarray(seen.points), float(seen.sigma), case.numbers["nu"], case.problem.domain.bounds
        print(f"places {seed}: {bound(*given, None):.2%} with the flow known but for the viscosity", flush=True)
        for degree in options.degrees:
            print(f"   {bound(*given, degree):.2%} with any flow of degree {degree} added", flush=True)


if __name__ == "__main__":
    main()
