"""What may be verified: solutions, also of a problem stated otherwise, modules and formulas."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from sciml.errors import ProblemError
from sciml.exact import ExactSolution
from sciml.ibvp import IBVP, require_ibvp
from sciml.jets import Jet
from sciml.residuals.engines import choose_engine
from sciml.solution import Solution

_CHUNK = 4096


class ModuleSolution(Solution):
    """A module (n, d) -> (n, m) of the user's own as a solution.

    Args:
        problem: The problem.
        module: The module, inputs in coordinate order, time last.

    Raises:
        ProblemError: If it does not give one column per field.
    """

    kind = "module"

    def __init__(self, problem: IBVP, module: nn.Module) -> None:
        super().__init__(problem, status="a module")
        self.module = module
        one = torch.tensor(problem.domain.sample(2, "sobol", 0, None if problem.time is None else problem.bounds[-1]))
        dtype = next((p.dtype for p in module.parameters()), torch.float64)
        wanted = f"a module from (n, {one.shape[1]}) to (n, {len(problem.fields)})"
        try:
            found = module(one.to(dtype))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise ProblemError(wanted, f"{type(error).__name__}: {str(error)[:120]}", "inputs: time last") from error
        if not isinstance(found, Tensor) or found.shape != (2, len(problem.fields)):
            raise ProblemError(wanted, f"for two points {getattr(found, 'shape', type(found).__name__)}", "")

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Values and derivatives by the engine of the module.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        engine, blocks = choose_engine(self.module), [np.zeros((0, len(needed)))]
        for start in range(0, len(points), _CHUNK):
            found = engine.jets(self.module, torch.tensor(points[start : start + _CHUNK]), list(needed), False)
            blocks.append(found.detach().numpy().astype(np.float64))
        return np.concatenate(blocks)


def as_solution(problem: Any, candidate: Any) -> Solution:
    """A solution of the given problem, whatever stands for it.

    Args:
        problem: The problem.
        candidate: A solution (also one of another problem with the same coordinates and fields), a module from
            (n, d) to (n, m), an expression, or {field: expression}.

    Returns:
        The solution; the same object where it is one of this problem.

    Raises:
        ProblemError: If it is none of these or does not fit.
    """
    require_ibvp(problem)
    if isinstance(candidate, Solution):
        return candidate if candidate.problem is problem else _restated(problem, candidate)
    if isinstance(candidate, nn.Module):
        return ModuleSolution(problem, candidate)
    if isinstance(candidate, (sp.Expr, int, float, Mapping)) and not isinstance(candidate, bool):
        return ExactSolution(problem, candidate)
    raise ProblemError("a solution, a module from (n, d) to (n, m), an expression, or {field: expression}",
                       f"{type(candidate).__name__}: {str(candidate)[:60]}", "verify(problem, solution)")  # fmt: skip


def _restated(problem: IBVP, candidate: Solution) -> Solution:
    own = candidate.problem
    for what, mine, theirs in (
        ("coordinates", tuple(map(str, problem.coordinates)), tuple(map(str, own.coordinates))),
        ("fields", problem.field_names, own.field_names),
    ):
        if mine != theirs:
            raise ProblemError(f"a solution with the {what} {mine}", str(theirs), "in the same order")
    other = copy.copy(candidate)
    other.problem = problem
    return other
