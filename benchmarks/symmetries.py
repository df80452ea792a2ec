"""Point symmetries: every reference system derived, certified and verified, beside delierium.

    python -m benchmarks.symmetries [--quick]

Seconds are processor time of one process. delierium needs Python 3.12 or newer: the running interpreter is used where
it has it, else the one named by the environment variable DELIERIUM_PYTHON, else `python3.12`, `python3.13`, ... on the
path; where none has it, stored figures with their date are shown and marked.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import sympy as sp

from benchmarks.symmetry_systems import ReferenceSystem, reference_systems
from sciml.symbols import coordinates, field
from solvers import point_symmetries
from solvers.symmetry.algebra import SymmetryAlgebra

BARS = {"heat_1d": 1.0, "burgers": 1.0, "kdv": 1.0, "sine_gordon": 1.0, "nls_1d_cubic": 1.0}
BARS |= {"Euler 3D": 30.0, "Navier-Stokes 3D": 30.0}
QUICK = ("heat_1d", "burgers", "kdv", "sine_gordon", "nls_1d_cubic", "black_scholes", "liouville")
PEER = ("burgers", "kdv", "sine_gordon", "boussinesq", "nl_wave_2d_cubic", "heat_1d")
STORED_VERSION = "delierium 2.6.0 on Python 3.12.1, x86-64 at 2.6 GHz, measured by this script on 2026-11-25"
STORED = {"burgers": 1.3, "kdv": 0.8, "sine_gordon": 0.6, "boussinesq": 1.4, "nl_wave_2d_cubic": 1.3, "heat_1d": 8.3}
PEER_LIMIT = 90
PEER_CODE = """
import json, sys, time
from sympy import *
from delierium import lie_symmetries
data = json.loads(sys.stdin.read())
names = {n: Symbol(n) for n in data["coordinates"]}
u = Function(data["field"])
start = time.process_time()
equation = sympify(data["equation"], locals={**names, data["field"]: u})
s = lie_symmetries(equation, u(*names.values()), list(names.values()))
dimension = str(s.dimension)
try:
    found = len(s.generators())
except Exception:
    found = None
print(json.dumps([dimension, found, time.process_time() - start]))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    algebra: SymmetryAlgebra
    seconds: float
    expected: int | None
    infinite: bool
    peer: str = ""

    @property
    def agrees(self) -> bool:
        """Is it what the reference says?"""
        same = self.algebra.dimension == self.expected and self.algebra.infinite == self.infinite
        return same and (self.algebra.certified or self.expected is None)


def three_dimensional_flows() -> list[tuple[str, list[sp.Expr], int]]:
    """Euler and Navier-Stokes in 3D, not in the reference file."""
    x, y, z, t = coordinates("x y z t")
    velocity, p = [field(name, x, y, z, t) for name in "uvw"], field("p", x, y, z, t)
    nu = sp.Symbol("nu", positive=True)
    axes = (x, y, z)

    def momentum(i: int, viscosity: sp.Expr) -> sp.Expr:
        v = velocity[i]
        drift = sum(a * v.diff(s) for a, s in zip(velocity, axes, strict=True))
        return v.diff(t) + drift + p.diff(axes[i]) - viscosity * sum(v.diff(s, 2) for s in axes)

    divergence = sum(a.diff(s) for a, s in zip(velocity, axes, strict=True))
    return [
        ("Euler 3D", [*(momentum(i, sp.S.Zero) for i in range(3)), divergence], 6),
        ("Navier-Stokes 3D", [*(momentum(i, nu) for i in range(3)), divergence], 5),
    ]


def measure(name: str, equations, fields, expected: int | None, infinite: bool, peer: str = "") -> Row:
    """Derive one system."""
    start = time.process_time()
    algebra = point_symmetries(equations, fields)
    return Row(name, algebra, time.process_time() - start, expected, infinite, peer)


def peer_interpreter() -> str | None:
    """An interpreter that can import delierium."""
    candidates = [sys.executable, os.environ.get("DELIERIUM_PYTHON"), *map(shutil.which, ("python3.12", "python3.13"))]
    for candidate in filter(None, candidates):
        try:
            done = subprocess.run([candidate, "-c", "import delierium"], capture_output=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return candidate
    return None


def peer_cell(interpreter: str | None, system: ReferenceSystem) -> str:
    """The peer's dimension and seconds on the same equation."""
    if system.name not in PEER:
        return ""
    if interpreter is None:
        return f"{STORED[system.name]:.1f} s (stored)"
    equation = system.equations[0]
    data = {
        "coordinates": [str(x) for x in system.coordinates],
        "field": system.fields[0].func.__name__,
        "equation": str(equation.lhs - equation.rhs),
    }
    try:
        done = subprocess.run(
            [interpreter, "-c", PEER_CODE], input=json.dumps(data), capture_output=True, text=True,
            timeout=PEER_LIMIT, check=True,
        )  # fmt: skip
        dimension, found, seconds = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return f"> {PEER_LIMIT} s"
    except (subprocess.CalledProcessError, ValueError, IndexError):
        return "failed"
    return f"{seconds:.1f} s, dimension {dimension}, {'no' if found is None else found} generators"


def table(rows: list[Row]) -> str:
    """The rows as text."""
    titles = f"{'system':30} {'dimension':>9} {'infinite':>8} {'certified':>9} {'agrees':>6} {'CPU s':>7} {'bar':>5}"
    lines = [f"{titles}  delierium"]
    for row in rows:
        bar = f"{BARS[row.name]:.0f}" if row.name in BARS else ""
        dimension = "-" if row.algebra.dimension is None else str(row.algebra.dimension)
        lines.append(
            f"{row.name:30} {dimension:>9} {'yes' if row.algebra.infinite else 'no':>8} "
            f"{'yes' if row.algebra.certified else 'no':>9} {'yes' if row.agrees else 'NO':>6} {row.seconds:7.2f} "
            f"{bar:>5}  {row.peer}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit status is 1 if a system disagrees or misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="seven systems, no peer runs")
    quick = parser.parse_args(arguments).quick
    interpreter = None if quick else peer_interpreter()
    systems = [s for s in reference_systems() if not quick or s.name in QUICK]
    rows = [measure(s.name, s.equations, s.fields, s.dimension, s.infinite, peer_cell(interpreter, s)) for s in systems]
    total = sum(row.seconds for row in rows)
    if not quick:
        rows += [measure(name, equations, None, size, True) for name, equations, size in three_dimensional_flows()]
    print(table(rows))
    print(f"{len(systems)} reference systems derived, certified and verified: {total:.2f} CPU s (bar: 120)")
    if interpreter is None:
        print(f"delierium: {'not run with --quick' if quick else 'not installed'}; stored figures: {STORED_VERSION}")
    missed = [row.name for row in rows if not row.agrees or row.seconds > BARS.get(row.name, float("inf"))]
    if missed:
        print(f"disagree or miss the bar: {', '.join(missed)}")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
