"""A network made ready for a problem: sizes, input and output scaling, checks of a user's own module."""

from __future__ import annotations

import copy

import sympy as sp
import torch
from torch import nn

from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.jets import Jet, jet_atoms
from sciml.networks.checking import check_module
from sciml.residuals import AutogradEngine, HardConstraint
from solvers.pinn.placement import Counts, draw
from solvers.pinn.scaling import balance, field_statistics


def bound(network: nn.Module, problem: IBVP, constraint: HardConstraint | None, seed: int) -> nn.Module:
    """A fresh copy of a network for a problem; the user's object is left alone.

    Args:
        network: A network with `bind`, or any module from (n, d) to (n, m).
        problem: The problem.
        constraint: Hard constraint, whose fields get no offset.
        seed: Seed of fresh weights.

    Returns:
        The network.

    Raises:
        SolverError: If the module's sizes or number type do not fit.
    """
    bind = getattr(network, "bind", None)
    if bind is None:
        return _checked(copy.deepcopy(network), problem)
    points = draw(problem, (), Counts(128, 256, 256), seed)
    offset, scale = field_statistics(problem, points)
    if constraint is not None:
        offset = [o if factor == 1 else 0.0 for o, factor in zip(offset, constraint.factor, strict=True)]
    known = [size or 1.0 for size in scale]
    model = bind(problem.bounds, len(problem.fields), scale=known, offset=offset, seed=seed)
    unknown = [number for number, size in enumerate(scale) if not size]
    if unknown and isinstance(getattr(model, "scale", None), torch.Tensor):
        balance(problem, constraint, model, points, unknown)
    return model


def _checked(model: nn.Module, problem: IBVP) -> nn.Module:
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise SolverError("a network with trainable parameters", type(model).__name__, "see requires_grad")
    kinds = {p.dtype for p in trainable}
    if kinds != {torch.float64}:
        raise SolverError("a network in float64", ", ".join(map(str, kinds)), "network.double()")
    places = problem.domain.sample(3, "sobol", 0, None if problem.time is None else problem.bounds[-1])
    check_module(model, torch.tensor(places, device=trainable[0].device), problem.coordinates, len(problem.fields))
    _check_smoothness(model, problem)
    return model


def _check_smoothness(model: nn.Module, problem: IBVP) -> None:
    """Refuse a module some of whose derivatives vanish everywhere, as the second ones of ReLU: training would not tell.

    Looked at with other parameters, as some modules begin as linear maps on purpose.

    Args:
        model: The module.
        problem: The problem.

    Raises:
        SolverError: If a derivative that the problem needs vanishes everywhere.
    """
    atoms: dict[sp.Expr, Jet] = {}
    for term in problem.terms:
        for expression in term.expressions:
            atoms |= jet_atoms(problem.substitute(expression), problem.fields, problem.coordinates)
    lower = {tuple(int(i == axis) for i in range(len(problem.coordinates))) for axis in range(len(problem.coordinates))}
    needed = list(dict.fromkeys([*atoms.values(), *((0, orders) for orders in sorted(lower))]))
    other, generator = copy.deepcopy(model), torch.Generator().manual_seed(0)
    places = draw(problem, (), Counts(32, 1, 1), 0).of(problem.terms[0].name).coordinates
    points = torch.tensor(places, device=next(other.parameters()).device)
    with torch.no_grad():
        for parameter in other.parameters():
            change = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype, device="cpu")
            parameter.add_(change.to(parameter.device), alpha=0.1)
    largest = AutogradEngine().jets(other, points, needed, parameters=False).abs().amax(dim=0)
    size = {jet: float(value) for jet, value in zip(needed, largest, strict=True)}
    dead = [atom for atom, jet in atoms.items() if sum(jet[1]) > 1 and size[jet] <= 0]
    if dead and max(size.values()) > 0:
        raise SolverError(
            f"a network with derivatives of the order that the problem needs: {', '.join(map(str, dead))}",
            f"{type(model).__name__}, for which they vanish everywhere",
            "a smooth activation such as tanh in place of ReLU",
        )
