"""Time marching: slab after slab, each trained from the final values of the one before."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from sciml.errors import SolverWarning
from sciml.ibvp import IBVP
from sciml.solution import Callback
from solvers.pinn.faults import Trouble, unsolved
from solvers.pinn.fitting import UNSOLVED, Attempt, Fit
from solvers.pinn.marched import MarchedSolution, pack_slabs, unpack_slabs
from solvers.pinn.monitor import Budget, History
from solvers.pinn.packing import Restored, belonging
from solvers.pinn.settings import Settings
from solvers.pinn.slabs import slab_edges, slab_problem
from solvers.pinn.solution import PINNSolution


def march(
    settings: Settings,
    problem: IBVP,
    slabs: int,
    budget: Budget,
    callbacks: Sequence[Callback],
    described: Mapping[str, Any],
    restored: Restored | None = None,
) -> MarchedSolution:
    """Solve a problem slab by slab; every slab gets an equal share of the time that is left.

    Where the training is interrupted or fails, the solution covers the time up to the end of that slab.

    Args:
        settings: How each slab is fitted.
        problem: The problem.
        slabs: Number of slabs.
        budget: CPU time for all.
        callbacks: Called in every slab, whose steps are counted from 0.
        described: Settings that a checkpoint stores.
        restored: Where to go on.

    Returns:
        The solution.
    """
    edges = slab_edges(problem, slabs)
    solved = [] if restored is None else unpack_slabs(problem, edges, restored.content, restored.arrays)
    with belonging():
        history, reason = History(restored.content["steps"] if restored else None), ""
        worst = 0.0 if restored is None else float(restored.content["worst"])
    first = len(solved)
    judged = settings.steps is None and not settings.weights  # slabs from before a resume, by the rule of `unsolved`
    left = worst**0.5 if judged and worst**0.5 > max(UNSOLVED, settings.tolerance) else 0.0
    for number in range(first, slabs):
        piece = slab_problem(problem, edges, number, solved[-1] if solved else None)
        outer = partial(_outside, tuple(solved), described, history, worst)
        share = budget.share(slabs - number)
        fit = Fit(settings, piece, share, callbacks, outer, f"PINN slab {number + 1} of {slabs}")
        best = fit.run(restored if number == first else None)
        solved.append(best.solution(piece, best.status(share)))
        worst = max(worst, best.state.best_held_out)
        left = max(left, best.unsolved(settings))
        _extend(history, best, number + 1)
        reason = best.reason
        if isinstance(reason, Trouble) or "interrupted" in reason or "callback" in reason:
            break
    if left:
        warnings.warn(f"in the worst slab {unsolved(left)}", SolverWarning, stacklevel=3)
    status = f"{reason}; held-out residual {worst**0.5:.1e} in the worst slab"
    return _joined(problem, edges, solved, history, status, budget)


def _outside(
    solved: Sequence[PINNSolution], described: Mapping[str, Any], history: History, worst: float
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a checkpoint of a slab holds of the slabs before."""
    content, arrays = pack_slabs(solved)
    return {**content, "settings": dict(described), "steps": history.series, "worst": worst}, arrays


def _extend(history: History, best: Attempt, slab: int) -> None:
    series = best.state.history.series
    for record in zip(*series.values(), strict=True):
        history.append({"slab": slab, **dict(zip(series, record, strict=True))})


def _joined(
    problem: IBVP, edges: Sequence[Any], solved: Sequence[PINNSolution], history: History, status: str, budget: Budget
) -> MarchedSolution:
    """One solution; of a shorter problem where not all slabs were reached."""
    slabs = len(edges) - 1
    status = f"slab {len(solved)} of {slabs}: {status}, {budget.used:.1f} s CPU"
    if len(solved) < slabs:
        problem = slab_problem(problem, [edges[0], edges[len(solved)]], 0, None)
        text = f"{status}; the solution covers times up to {float(edges[len(solved)]):g} only"
        warnings.warn(text, SolverWarning, stacklevel=4)
    return MarchedSolution(problem, solved, status, history.series)
