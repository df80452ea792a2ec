"""Linear rows: every prediction is exact, so it is compared with the closed-form fit."""

import numpy as np
import pytest
import torch

from influence import Influence, MeanSquare, Residual, RowBlock, SmoothMax
from sciml.errors import PointsError, SolverError

P = 4


def basis(t: torch.Tensor) -> torch.Tensor:
    return torch.stack([t**k for k in range(P)], dim=-1)


class Problem:
    """Polynomial least squares in two blocks, three points of which own a row in both."""

    def __init__(self, regularisation=0.0) -> None:
        generator = torch.Generator().manual_seed(3)
        self.x = torch.rand(14, generator=generator, dtype=torch.float64)
        y = torch.sin(4 * self.x) + 0.1 * torch.randn(14, generator=generator, dtype=torch.float64)
        self.data = torch.stack([self.x, y], dim=1)
        slope = torch.stack([self.x[:5], 4 * torch.cos(4 * self.x[:5])], dim=1)
        self.ids = [np.arange(14), np.array([0, 1, 2, 20, 21])]
        slope[3:, 0] += 0.05
        self.slope = slope
        self.w = [
            0.5 + torch.rand(14, generator=generator, dtype=torch.float64),
            torch.tensor([0.1, 0.2, 0.3, 0.1, 0.2], dtype=torch.float64),
        ]
        self.decay = torch.as_tensor(regularisation, dtype=torch.float64).expand(P)
        self.functions = [
            lambda p, z: basis(z[0]) @ p - z[1],
            lambda p, z: torch.stack([k * z[0] ** max(k - 1, 0) for k in range(P)]) @ p - z[1],
        ]
        self.theta = self.solve(*self.w)

    def rows(self, data=None, slope=None):
        data = self.data if data is None else data
        slope = self.slope if slope is None else slope
        A = torch.cat([basis(data[:, 0]), torch.stack([k * slope[:, 0] ** max(k - 1, 0) for k in range(P)], dim=1)])
        return A, torch.cat([data[:, 1], slope[:, 1]])

    def solve(self, w0, w1, data=None, slope=None, extra=None):
        A, y = self.rows(data, slope)
        w = torch.cat([w0, w1])
        if extra is not None:
            A, y, w = (torch.cat([a, b]) for a, b in zip((A, y, w), extra, strict=True))
        return torch.linalg.solve(2 * A.T @ (w[:, None] * A) + torch.diag(self.decay), 2 * A.T @ (w * y))

    def blocks(self):
        return [
            RowBlock("value", self.data, self.functions[0], self.w[0], self.ids[0]),
            RowBlock("slope", self.slope, self.functions[1], self.w[1], self.ids[1]),
        ]

    def influence(self, **options) -> Influence:
        return Influence.from_rows(self.theta, self.blocks(), regularisation=self.decay, **options)

    def weights(self, ids, factor=0.0):
        keep = [torch.tensor(np.where(np.isin(own, ids), factor, 1.0)) for own in self.ids]
        return self.w[0] * keep[0], self.w[1] * keep[1]


def value(p, z):
    return basis(z[0]) @ p


AT = torch.linspace(0, 1.2, 7, dtype=torch.float64)[:, None]


def at(theta):
    return (basis(AT[:, 0]) @ theta).numpy()


@pytest.fixture(params=[0.0, 0.3, [0.0, 0.1, 0.0, 2.0]], ids=["plain", "decay", "diagonal"])
def problem(request) -> Problem:
    return Problem(request.param)


def truths(problem: Problem, influence: Influence, weights) -> np.ndarray:
    columns = [at(problem.solve(*weights(i))) - at(problem.theta) for i in influence.ids]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("curvature", ["ggn", "hessian"])
@pytest.mark.parametrize("solver", ["auto", "svd"])
def test_leave_one_out_is_exact(problem: Problem, curvature: str, solver: str) -> None:
    influence = problem.influence(curvature=curvature, solver=solver)
    scores = influence.scores(value, AT)
    assert scores.values == pytest.approx(truths(problem, influence, problem.weights), rel=1e-9, abs=1e-11)
    assert list(scores.ids) == [*range(14), 20, 21]
    assert scores.by_row.shape == (7, 19)
    rows_of_zero = scores.by_row[:, scores.row_ids == 0]
    assert rows_of_zero.shape[1] == 2
    assert rows_of_zero.sum(axis=1) == pytest.approx(scores.of([0])[:, 0])


def test_first_order_misses_the_leverage(problem: Problem) -> None:
    influence = problem.influence()
    exact = truths(problem, influence, problem.weights)
    assert np.abs(influence.scores(value, AT, leverage=False).values - exact).max() > 0.05 * np.abs(exact).max()


def test_add_reweight_and_value_are_exact(problem: Problem) -> None:
    influence = problem.influence()
    for action, factor in (("add", 2.0), ("reweight", 0.3), ("reweight", 5.0)):
        scores = influence.scores(value, AT, action=action, factor=factor)
        exact = truths(problem, influence, lambda i, f=factor: problem.weights([i], f))
        assert scores.values == pytest.approx(exact, rel=1e-9, abs=1e-11)
    scores = influence.scores(value, AT, action="value")
    columns = []
    for i in influence.ids:
        data, slope = problem.data.clone(), problem.slope.clone()
        data[problem.ids[0] == i, 1] += 1
        slope[problem.ids[1] == i, 1] += 1
        columns.append(at(problem.solve(*problem.w, data, slope)) - at(problem.theta))
    assert scores.values == pytest.approx(np.stack(columns, axis=1), rel=1e-9, abs=1e-11)


def test_move_is_exact_and_its_rate_is_the_derivative(problem: Problem) -> None:
    influence = problem.influence()
    place = influence.record.points.locate(influence.ids)
    assert place.shape == (16, 1)  # the second column is data, in which the blocks differ
    to = place + 0.07
    moved = influence.scores(value, AT, action="move", to=to).values

    def shifted(i, step):
        data, slope = problem.data.clone(), problem.slope.clone()
        data[np.isin(problem.ids[0], i)] += step
        slope[np.isin(problem.ids[1], i)] += step
        return at(problem.solve(*problem.w, data, slope)) - at(problem.theta)

    for column, i in enumerate(influence.ids):
        exact = shifted(i, torch.tensor([0.07, 0.0], dtype=torch.float64))
        assert moved[:, column] == pytest.approx(exact, rel=1e-8, abs=1e-11)
    for ids in ([5], [0, 1, 5, 20]):  # points moved together feel each other
        together = shifted(ids, torch.tensor([0.07, 0.0], dtype=torch.float64))
        where = influence.record.points.locate(ids) + 0.07
        got = influence.group(ids, value, AT, action="move", to=where).values[:, 0]
        assert got == pytest.approx(together, rel=1e-8, abs=1e-11)
    rates = influence.scores(value, AT, action="move").rates
    tiny = 1e-5
    for column, i in ((5, 5), (14, 20)):
        step = torch.tensor([tiny, 0.0], dtype=torch.float64)
        exact = (shifted(i, step) - shifted(i, -step)) / (2 * tiny)
        assert rates[:, column, 0] == pytest.approx(exact, rel=1e-5, abs=1e-7)


def test_new_points_are_exact(problem: Problem) -> None:
    blocks = problem.blocks()
    blocks[1] = RowBlock(
        "slope", problem.slope, problem.functions[1], problem.w[1]
    )  # no shared points: all coordinates
    influence = Influence.from_rows(problem.theta, blocks, regularisation=problem.decay)
    candidates = np.array([[0.2, 1.0], [0.9, -2.0]])
    scores = influence.scores(value, AT, action="add", points=candidates, term="value", weight=0.7)
    for column, (x, y) in enumerate(candidates):
        extra = (
            basis(torch.tensor([x], dtype=torch.float64)),
            torch.tensor([y], dtype=torch.float64),
            torch.tensor([0.7], dtype=torch.float64),
        )
        exact = at(problem.solve(*problem.w, extra=extra)) - at(problem.theta)
        assert scores.values[:, column] == pytest.approx(exact, rel=1e-9)
    with pytest.raises(SolverError, match="data column"):
        problem.influence().scores(value, AT, action="add", points=candidates[:, :1], term="value")


@pytest.mark.parametrize("ids", [[0, 1, 4], [5], [0, 2, 20, 21, 7]])
def test_groups_are_exact(problem: Problem, ids: list[int]) -> None:
    influence = problem.influence()
    for action, factor in (("remove", 0.0), ("add", 2.0), ("reweight", 0.5)):
        exact = at(problem.solve(*problem.weights(ids, factor))) - at(problem.theta)
        got = influence.group(ids, value, AT, action=action, factor=factor).values
        assert got.shape == (7, 1)
        assert got[:, 0] == pytest.approx(exact, rel=1e-8, abs=1e-11)


def test_whole_term_removes_only_its_rows(problem: Problem) -> None:
    influence = problem.influence()
    exact = at(problem.solve(problem.w[0], 0 * problem.w[1])) - at(problem.theta)
    assert influence.group("slope", value, AT).values[:, 0] == pytest.approx(exact, rel=1e-8, abs=1e-11)
    assert not np.allclose(influence.group([0, 1, 2, 20, 21], value, AT).values[:, 0], exact)


def test_renormalised_removal(problem: Problem) -> None:
    influence = problem.influence()

    def weights(ids):
        kept = problem.weights(ids)
        return [own * (before.sum() / own.sum()) for own, before in zip(kept, problem.w, strict=True)]

    for ids in ([3], [0, 5, 20]):
        exact = at(problem.solve(*weights(ids))) - at(problem.theta)
        got = influence.group(ids, value, AT, renormalise=True).values[:, 0]
        assert got == pytest.approx(exact, rel=1e-8, abs=1e-11)
    for solver in ("auto", "svd"):
        got = problem.influence(solver=solver).scores(value, AT, renormalise=True).values
        exact = truths(problem, influence, lambda i: weights([i]))
        # weights differ from row to row here, but there are few enough of them to be exact
        assert got == pytest.approx(exact, rel=1e-8, abs=1e-10)


def test_renormalised_to_first_order_is_the_formula_of_the_mean() -> None:
    problem = Problem()
    problem.w = [torch.full((14,), 1 / 14, dtype=torch.float64), torch.full((5,), 0.2, dtype=torch.float64)]
    problem.theta = problem.solve(*problem.w)
    influence = problem.influence()
    A, y = problem.rows()
    root = torch.sqrt(2 * torch.cat(problem.w))
    a, rho = root[:, None] * A, root * (A @ problem.theta - y)
    solved = basis(AT[:, 0]) @ torch.linalg.inv(a.T @ a)
    n, i = 14, 6
    exact = solved @ (n / (n - 1) * rho[i] * a[i] - (rho[:n, None] * a[:n]).sum(dim=0) / (n - 1))
    got = influence.scores(value, AT, renormalise=True, leverage=False).of([i])[:, 0]
    assert got == pytest.approx(exact.numpy(), rel=1e-9)


def test_quadratic_quantities_are_propagated(problem: Problem) -> None:
    influence = problem.influence()
    A, y = problem.rows()

    def loss(theta):
        return float((problem.w[0] * (A[:14] @ theta - y[:14]) ** 2).sum())

    exact = [loss(problem.solve(*problem.weights(i))) - loss(problem.theta) for i in influence.ids]
    for target in ("value", MeanSquare("value")):
        scores = influence.scores(target)
        assert scores.values.shape == (1, 16)
        assert scores.values[0] == pytest.approx(exact, rel=1e-8, abs=1e-12)
    error = MeanSquare(lambda p, z: basis(z[0]) @ p - torch.sin(4 * z[0]), at=AT)

    def norm(theta):
        return float(((at(theta) - np.sin(4 * AT[:, 0].numpy())) ** 2).mean())

    group = influence.group([1, 8, 20], error).values[0, 0]
    assert group == pytest.approx(norm(problem.solve(*problem.weights([1, 8, 20]))) - norm(problem.theta), rel=1e-8)


def test_rows_and_smooth_maximum_as_targets(problem: Problem) -> None:
    influence = problem.influence()
    A, _ = problem.rows()
    scores = influence.scores(Residual("value", [3, 4]))
    exact = A[3:5] @ (problem.solve(*problem.weights([6])) - problem.theta)
    assert scores.of([6])[:, 0] == pytest.approx(exact.numpy(), rel=1e-8)
    top = influence.query(SmoothMax(value, AT, sharpness=200.0))
    assert at(problem.theta).max() - np.log(7) / 200 - 1e-12 <= float(top.value[0]) <= at(problem.theta).max() + 1e-12
    step = 1e-5 * torch.eye(P, dtype=torch.float64)
    for blunt in (SmoothMax(value, AT, sharpness=3.0), SmoothMax(value, AT)):  # β of its own stays that of the model
        asked = influence.query(blunt).gradient[0].numpy()
        around = [[float(influence.value(blunt, None, problem.theta + s * row)[0]) for row in step] for s in (1, -1)]
        assert asked == pytest.approx(np.subtract(*around) / 2e-5, rel=1e-5, abs=1e-7)
    assert influence.scores(SmoothMax(value, AT, sharpness=500.0)).values.shape == (1, 16)


def test_conservation(problem: Problem) -> None:
    shifted = problem.theta + 0.05 * torch.arange(P)
    with pytest.warns(match="not at a minimum"):
        influence = Influence.from_rows(shifted, problem.blocks(), problem.decay, damping=0.2)
    total = influence.scores(value, AT, leverage=False).by_row.sum(axis=1)
    query = influence.query(value, AT)
    curvature = influence.curvature
    right = query.gradient @ curvature.factor.solve(curvature.gradient - problem.decay * shifted)
    assert total == pytest.approx(right.numpy(), rel=1e-10)


def test_proximal_damping_predicts_the_proximal_response(problem: Problem) -> None:
    shifted, delta = problem.theta + 0.05 * torch.arange(P), 0.4
    with pytest.warns(match="not at a minimum"):
        influence = Influence.from_rows(shifted, problem.blocks(), problem.decay, damping=delta)
    A, y = problem.rows()
    w = torch.cat(problem.w)
    pull = 2 * A.T @ (w * (A @ shifted - y)) + problem.decay * shifted
    for ids in ([2], [0, 9]):
        kept = torch.cat(problem.weights(ids))
        left = 2 * A.T @ (kept[:, None] * A) + torch.diag(problem.decay + delta)
        theta = torch.linalg.solve(left, 2 * A.T @ (kept * y) + pull + delta * shifted)
        exact = at(theta) - at(shifted)
        assert influence.group(ids, value, AT).values[:, 0] == pytest.approx(exact, rel=1e-9)
        refit = influence.refit(ids)
        assert refit.converged
        assert refit.theta.numpy() == pytest.approx(theta.numpy(), rel=1e-8, abs=1e-9)


def test_leverage_cook_and_effective_dimension(problem: Problem) -> None:
    influence = problem.influence()
    A, y = problem.rows()
    a = torch.sqrt(2 * torch.cat(problem.w))[:, None] * A
    hat = a @ torch.linalg.solve(a.T @ a + torch.diag(problem.decay), a.T)
    assert influence.leverage == pytest.approx(hat.diagonal().numpy(), rel=1e-9)
    assert influence.effective_dimension == pytest.approx(float(hat.trace()), rel=1e-9)
    rho = torch.sqrt(2 * torch.cat(problem.w)) * (A @ problem.theta - y)
    h = hat.diagonal()
    assert influence.self_influence == pytest.approx((rho**2 * h / (1 - h) ** 2).numpy(), rel=1e-8, abs=1e-14)


def test_sweep_agrees_with_single_dampings() -> None:
    problem = Problem(0.3)
    influence = problem.influence(damping=0.1)
    sweep = influence.sweep(value, AT, factors=[0.25, 1.0, 10.0])
    for k, factor in enumerate((0.25, 1.0, 10.0)):
        mu = 0.4 * factor
        assert sweep.damping[k] == pytest.approx(mu)
        other = problem.influence(damping=mu - 0.3) if mu > 0.3 else None
        if other is not None:
            assert sweep.values[k] == pytest.approx(other.scores(value, AT).values, rel=1e-7, abs=1e-10)
            assert sweep.effective_dimension[k] == pytest.approx(other.effective_dimension, rel=1e-8)
    assert sweep.overlap[1] == pytest.approx(1.0)
    assert (np.diff(sweep.effective_dimension) < 0).all()


def test_iterative_solver_agrees(problem: Problem) -> None:
    if bool((problem.decay != problem.decay[0]).any()):
        pytest.skip("one number as regularisation")
    dense = problem.influence(damping=1e-3)
    loose = problem.influence(damping=1e-3, solver="iterative")
    assert not loose.reliability.exact
    assert "approximate" in str(loose.reliability)
    assert loose.scores(value, AT).values == pytest.approx(dense.scores(value, AT).values, rel=1e-5, abs=1e-9)


def test_wrong_rows_are_refused() -> None:
    problem = Problem()
    with pytest.warns(match="converted to float64"), pytest.warns(match="not at a minimum"):
        Influence.from_rows(problem.theta.float() + 0.01, problem.blocks(), damping=1e-6)
    noisy = [RowBlock("fit", problem.data, lambda p, z: value(p, z) - z[1] + torch.rand((), dtype=torch.float64))]
    with pytest.raises((SolverError, RuntimeError), match=r"same at every evaluation|random"):
        Influence.from_rows(problem.theta, noisy)
    few = [RowBlock("fit", problem.data[:3], problem.functions[0])]
    with pytest.raises(SolverError, match="not singular"):
        Influence.from_rows(problem.theta, few)
    single = [RowBlock("fit", problem.data, lambda p, z: (value(p, z) - z[1]).float())]
    with pytest.raises(SolverError, match="float64"):
        Influence.from_rows(problem.theta, single)
    with pytest.raises(SolverError, match="0 or more"):
        Influence.from_rows(problem.theta, [RowBlock("fit", problem.data, problem.functions[0], -1.0)])
    with pytest.raises(PointsError, match="at two places"):
        Influence.from_rows(problem.theta, [
            RowBlock("a", problem.data, problem.functions[0], ids=np.arange(14)),
            RowBlock("b", problem.data + 1, problem.functions[0], ids=np.arange(14)),
        ])  # fmt: skip
