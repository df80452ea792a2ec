"""`make demo`: solve, compare, draw, and write demo-output/index.html."""

from __future__ import annotations

import time
from pathlib import Path

from demo import flow, health, influence, lie, quantum, resampling, symmetries
from demo.cases import CASES, Case
from demo.page import Section, page

OUTPUT = Path("demo-output")
HEAD = ("solver", "relative L2 error", "max error", "CPU seconds", "status")


def solve_case(case: Case) -> Section:
    """Solve one case with each of its solvers; print the table and write the figures.

    Args:
        case: The case.

    Returns:
        Its section of the page.
    """
    print(f"\n{case.title}\n{'-' * len(case.title)}")
    section, rows, solutions = Section(case.title), [], {}
    section.text(case.remark)
    section.code(case.problem.summary())
    for name, solver in case.solvers.items():
        start = time.process_time()
        solutions[name] = solver.solve(case.problem)
        seconds = time.process_time() - start
        report = solutions[name].error(case.exact)
        for known, value in report.relative_l2.items():
            rows.append((
                name,
                f"{value:.1e}",
                f"{report.maximum[known]:.1e}",
                f"{seconds:.1f}",
                solutions[name].status,
            ))
            print(f"{name:15s} {known}: relative L2 {value:.1e}  max {report.maximum[known]:.1e}  {seconds:.1f} s CPU")
    section.table(HEAD, rows, "errors on 4096 points against the exact solution")
    for name, solution in solutions.items():
        figure = solution.plot(compare=case.exact)
        figure.savefig(OUTPUT / f"{case.problem.name.replace(' ', '-')}-{name}.png", dpi=120)
        section.figure(figure, f"{name} beside the exact solution")
    return section


def main() -> None:
    """Run everything and say where the page is."""
    OUTPUT.mkdir(exist_ok=True)
    start = time.perf_counter()
    sections = [solve_case(make()) for make in CASES]
    sections += [lie.four(), flow.kovasznay(), flow.cavity(), symmetries.heat(), symmetries.burgers()]
    sections += [*influence.maps(), resampling.shock(), *health.cards(), quantum.decay(), quantum.heat()]
    lead = "Each problem is stated once in SymPy and handed to different solvers."
    (OUTPUT / "index.html").write_text(page("State once, solve, compare", lead, sections), encoding="utf-8")
    print(f"\nopen {OUTPUT / 'index.html'}  ({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
