"""Training points that move to the Burgers shock while the network learns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.page import Section
from influence import InfluenceSampler
from sciml import MLP, PointSet
from sciml.plotting.figure import Figure
from sciml.problems import burgers
from solvers import PINN

_STEPS = (5, 30, 60)


@dataclass
class Watch:
    """Callback that keeps the points of some steps."""

    seen: dict[int, PointSet] = field(default_factory=dict)
    _run: Any = None

    def begin(self, run: Any) -> None:
        """Remember the training."""
        self._run = run

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Keep the points of the best state so far."""
        if step in _STEPS:
            self.seen[step] = self._run.solution().record.points


def shock() -> Section:
    """Train on the shock of width 0.01/π with points chosen by `InfluenceSampler`.

    Returns:
        The section.
    """
    case, watch, start = burgers.shock(), Watch(), time.process_time()
    solver = PINN(MLP(width=16, depth=3), seed=0, steps=90, resampler=InfluenceSampler(), progress=False)
    solution = solver.solve(case.problem, [watch])
    seconds, error = time.process_time() - start, solution.error(case.reference).relative_l2["u"]
    watch.seen[int(solution.history["step"][-1])] = solution.record.points
    share = 100 * solution.history["resampling"][-1]
    said = f"relative L2 error {error:.1e}, {seconds:.1f} s CPU, of which {share:.0f} % for choosing points"
    print(f"\nPoints that move to the Burgers shock\n{'-' * 37}\n{said}")
    section = Section("Points that move to the Burgers shock")
    section.text(
        "The viscosity is 0.01/π: from t = 0.32 on, u falls from 1 to -1 within a hundredth of the domain. New points "
        f"are drawn when the residual between the points exceeds that on them; {said}."
    )
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    for axis, (step, points) in zip(figure.subplots(1, len(watch.seen), sharey=True), watch.seen.items(), strict=True):
        places = points.of("pde").coordinates
        near = 100 * (abs(places[:, 0]) < 0.05).mean()
        axis.plot(places[:, 1], places[:, 0], ".", markersize=2)
        axis.set_title(f"step {step}: {near:.0f} % within 0.05 of the shock", fontsize=9)
        axis.set_xlabel("t")
    figure.axes[0].set_ylabel("x")
    section.figure(figure, "training points in time and space; evenly drawn, 5 % would lie within 0.05 of x = 0")
    return section
