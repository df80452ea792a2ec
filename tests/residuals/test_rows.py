"""Rows and their Jacobian: hard constraints, periodic partners, observations, unknown coefficients, grouping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from sciml import (
    IBVP,
    Condition,
    Dirichlet,
    Interval,
    Neumann,
    Observations,
    Periodic,
    PointSet,
    Rectangle,
    coordinates,
    field,
    sample,
)
from sciml.jets import Jet, jet_atoms
from sciml.networks import MLP, flat_parameters, parameter_views
from sciml.residuals import (
    AutogradEngine,
    ResidualSystem,
    RowProducts,
    StreamEngine,
    choose_engine,
    hard_constraint,
    row_jacobian,
)
from sciml.residuals.merging import merged_second_derivatives
from sciml.residuals.taylor import is_merged

x, y, t = coordinates("x y t")


def flow() -> IBVP:
    u, v, p = (field(name, x, y) for name in "uvp")
    momentum = [
        u * w.diff(x) + v * w.diff(y) + p.diff(s) - (w.diff(x, 2) + w.diff(y, 2)) / 20 for w, s in ((u, x), (v, y))
    ]
    gauge = Condition(sp.Eq(p, 1), on={x: 0, y: sp.Rational(1, 2)})
    return IBVP([*momentum, u.diff(x) + v.diff(y)], Rectangle((x, 0, 1), (y, 0, 1)),
                boundary=[Dirichlet(u, x), Dirichlet(v, -y), gauge])  # fmt: skip


def periodic_dispersion() -> IBVP:
    u = field("u", x, t)
    return IBVP(u.diff(t) + u * u.diff(x) + u.diff(x, 3), Interval(x, -1, 1), time=(t, 0, 1),
                initial={u: sp.cos(sp.pi * x)}, boundary=[Periodic(u)])  # fmt: skip


def inverse_wave() -> IBVP:
    u, c, k = field("u", x, t), *sp.symbols("c k")
    generator = np.random.default_rng(0)
    places = generator.uniform(0.1, 0.9, size=(7, 2))
    seen = Observations(u.diff(x) * u, places, generator.normal(size=7))
    return IBVP(u.diff(t, 2) - c**2 * u.diff(x, 2) + k * u**3, Interval(x, 0, 1), time=(t, 0, 1),
                initial={u: sp.sin(sp.pi * x), u.diff(t): 0},
                boundary=[Dirichlet(u, 0, on="left"), Neumann(u, t, on="right")],
                unknowns={c: 0.7, k: 0.2}, observations=[seen])  # fmt: skip


def plate() -> IBVP:
    u = field("u", x, y)
    bending = u.diff(x, 4) + 2 * u.diff(x, 2, y, 2) + u.diff(y, 4)
    conditions = [Dirichlet(u, 0), Condition(u.diff(x, 2) + u.diff(y, 2))]
    return IBVP(sp.Eq(bending, sp.exp(x) * y), Rectangle((x, 0, 1), (y, 0, 1)), boundary=conditions)


def waves() -> IBVP:
    w = field("w", x, y, t)
    operator = w.diff(t, 2) - 4 * (w.diff(x, 2) + w.diff(y, 2)) + w.diff(x, y) * w
    return IBVP(sp.Eq(operator, sp.exp(x) * t), Rectangle((x, 0, 1), (y, 0, 1)), time=(t, 0, 1),
                initial={w: x * (1 - x) * y * (1 - y), w.diff(t): 0},
                boundary=[Dirichlet(w, 0)])  # fmt: skip


PROBLEMS = [flow, periodic_dispersion, inverse_wave, plate, waves]


class RowModule(nn.Module):
    """Rows of a system as a module over the network."""

    def __init__(self, system: ResidualSystem, model: nn.Module, batch: object) -> None:
        super().__init__()
        self.model, self.system, self.batch = model, system, batch

    def forward(self, unknowns: Sequence[Tensor]) -> Tensor:
        return self.system.rows(self.model, self.batch, unknowns).flat()


def assert_close(given: Tensor, wanted: Tensor) -> None:
    assert given.shape == wanted.shape
    assert float((given - wanted).abs().max()) <= 1e-12 * max(float(wanted.abs().max()), 1.0)


def made(problem: IBVP, seed: int = 3) -> MLP:
    model = MLP(5, 2).bind(problem.bounds, len(problem.fields), seed=seed)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(
            parameter.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
        )
    return model


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("build", PROBLEMS)
def test_engines_and_jacobians_agree(build, hard: bool) -> None:
    problem = build()
    constraint = hard_constraint(problem) if hard else None
    if hard and constraint is None:
        pytest.skip("nothing to make exact")
    model, points = made(problem), sample(problem, interior=12, boundary=8, initial=6)
    values = [torch.tensor(0.5 + k, dtype=torch.float64) for k in range(len(problem.unknowns))]
    found = []
    for engine in (StreamEngine(), AutogradEngine()):
        system = ResidualSystem(problem, constraint, engine=engine)
        batch = system.prepare(points)
        residual, jacobian = row_jacobian(system, model, batch, values)
        rows = system.rows(model, batch, values)
        assert_close(residual, rows.flat().detach())
        assert_close(system.rows(model, batch, values, parameters=False).flat(), residual)
        assert len(rows.ids) == len(rows.labels) == len(rows.weights()) == len(residual)
        found.append((residual, jacobian))
        products = RowProducts(system, model, batch, values)
        generator = torch.Generator().manual_seed(1)
        v = torch.randn(jacobian.shape[1], dtype=torch.float64, generator=generator)
        u = torch.randn(jacobian.shape[0], dtype=torch.float64, generator=generator)
        assert_close(products.residual, residual)
        assert_close(products.push(v), jacobian @ v)
        assert_close(products.pull(u), jacobian.T @ u)
    for streams, nested in zip(*found, strict=True):
        assert_close(streams, nested)
    module = RowModule(ResidualSystem(problem, constraint), model, batch)
    theta, size = torch.cat([flat_parameters(model), *(v[None] for v in values)]), len(flat_parameters(model))

    def rows_of(theta: Tensor) -> Tensor:
        named = {f"model.{name}": piece for name, piece in parameter_views(model, theta[:size]).items()}
        return functional_call(module, named, (list(theta[size:].unbind()),))

    assert_close(found[0][1], jacrev(rows_of)(theta))


class Watching(StreamEngine):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, set[int]]] = []

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        self.asked.append((len(points), {2 if is_merged(orders) else sum(orders) for _, orders in needed}))
        return super().jets(model, points, needed, parameters)


def test_conditions_never_meet_the_derivatives_of_the_equations() -> None:
    problem, engine = flow(), Watching()
    points = sample(problem, interior=50, boundary=20)
    ResidualSystem(problem, engine=engine).rows(made(problem), points)
    # both velocities share the boundary points, which are evaluated once; the gauge adds one
    assert sorted(engine.asked, key=lambda item: item[0]) == [(21, {0}), (50, {0, 1, 2})]


def only(points: PointSet, name: str) -> PointSet:
    piece = points.of(name)
    return PointSet(piece.coordinates, piece.ids, None, (name,), piece.weight, piece.value, points.next_id)


def test_grouped_terms_keep_their_own_points() -> None:
    problem = flow()
    model, points = made(problem), sample(problem, interior=9, boundary=8)
    system = ResidualSystem(problem)
    together = system.rows(model, points)
    for term in together.terms:
        alone = ResidualSystem(problem, terms=[one for one in problem.terms if one.name == term.name])
        rows = alone.rows(model, only(points, term.name))
        assert_close(rows.terms[0].values.detach(), term.values.detach())


def test_frozen_parameters_have_no_columns() -> None:
    problem = flow()
    model, points = made(problem), sample(problem, interior=6, boundary=4)
    system = ResidualSystem(problem)
    batch = system.prepare(points)
    _, whole = row_jacobian(system, model, batch)
    first = model.layers[0].weight.numel()
    model.layers[0].weight.requires_grad_(False)
    _, fewer = row_jacobian(system, model, batch)
    assert_close(fewer, whole[:, first:])


def test_engine_of_a_module_is_used() -> None:
    model = made(flow())
    assert isinstance(choose_engine(model), StreamEngine)
    model.derivative_engine = AutogradEngine()
    assert choose_engine(model) is model.derivative_engine


u, c = field("u", x, y), sp.Symbol("c")
MERGED = [
    (u.diff(x, 2) + u.diff(y, 2), ((1.0, (0, 2)), (1.0, (2, 0)))),
    (u.diff(x, 2) - u.diff(y, 2) / 4 + u.diff(x, y) * u**2, ((1.0, (0, 2)), (-4.0, (2, 0)))),
    (sp.exp(u) * (1 + x**2) * (u.diff(x, 2) + sp.pi * u.diff(y, 2)), ((1.0, (0, 2)), (1 / np.pi, (2, 0)))),
    (u.diff(x, 2) + x * u.diff(y, 2), None),
    (u.diff(x, 2) + c * u.diff(y, 2), None),
    (u.diff(x, 2) * u.diff(y, 2), None),
    ((u.diff(x, 2) + u.diff(y, 2)) ** 2, None),
    (u.diff(x, 2) + u.diff(y), None),
    (u.diff(x, 2) + u.diff(y, 2) + u.diff(x, 3), None),
    (u.diff(x, 2) + u.diff(y, 2) + u.diff(x, 2, y, 1), None),
]


@pytest.mark.parametrize(("expression", "wanted"), MERGED)
def test_which_second_derivatives_merge(expression: sp.Expr, wanted: object) -> None:
    atoms = {jet: atom for atom, jet in jet_atoms(expression, [u], (x, y)).items()}
    found = merged_second_derivatives([sp.expand(expression)], atoms)
    assert _same(found, wanted)


def _same(found: object, wanted: object) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return all(a[1] == b[1] and abs(a[0] - b[0]) < 1e-15 for a, b in zip(found, wanted, strict=True))


def test_components_must_agree_on_the_sum() -> None:
    v = field("v", x, y)
    atoms = {(i, o): w.diff(x if o[0] else y, 2) for i, w in enumerate((u, v)) for o in ((2, 0), (0, 2))}
    laplace = [w.diff(x, 2) + w.diff(y, 2) for w in (u, v)]
    assert merged_second_derivatives(laplace, atoms) is not None
    assert merged_second_derivatives([laplace[0], v.diff(x, 2) - v.diff(y, 2)], atoms) is None
    assert merged_second_derivatives([*laplace, u.diff(x, 2)], atoms) is None


def test_jacobian_in_chunks_is_the_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk size gives the same rows: periodic partners, hard constraints and unknown coefficients included."""
    x, t = coordinates("x t")
    u, kappa = field("u", x, t), sp.Symbol("kappa", real=True)
    pde = sp.Eq(u.diff(t), kappa * u.diff(x, 2))
    start = {u: sp.sin(2 * sp.pi * x)}
    for conditions in ([Periodic(u)], [Dirichlet(u, 0)]):
        seen = [Observations(u, [[0.5, 0.5]], [0.1])]
        unknowns = {kappa: (0.5, 0.1, 2.0)}
        problem = IBVP(pde, Interval(x, 0, 1), (t, 0, 1), start, conditions, observations=seen, unknowns=unknowns)
        system = ResidualSystem(problem, hard_constraint(problem))
        model = MLP(width=5, depth=2).bind(problem.bounds, 1, seed=0)
        batch = system.prepare(sample(problem, interior=11, boundary=4, initial=5))
        value = [torch.tensor(0.7, dtype=torch.float64)]
        whole = row_jacobian(system, model, batch, value)[1]
        for size in (1, 3000):
            monkeypatch.setattr("sciml.residuals.jacobian._CHUNK_BYTES", size)
            assert torch.allclose(row_jacobian(system, model, batch, value)[1], whole, rtol=1e-13, atol=1e-13)
        monkeypatch.undo()
