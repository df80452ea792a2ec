"""Curvature: forms of the factor agree, negative curvature is found, and what is lost is said."""

import numpy as np
import pytest
import torch

from influence import Influence, RowBlock
from influence.hessian import hessian_operator, hessian_products, lowest_curvature
from influence.rows import record_of_blocks
from sciml.errors import SolverError, SolverWarning
from sciml.least_squares import NormalMatrix, scale_rows


def test_dual_agrees_with_primal() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(6, 2, dtype=torch.float64, generator=generator)
    theta = torch.randn(11, dtype=torch.float64, generator=generator)
    centres = torch.rand(11, dtype=torch.float64, generator=generator)

    def residual(p, z):
        return torch.exp(-((z[0] - centres) ** 2)) @ p - z[1]

    block = [RowBlock("fit", x, residual, 0.3)]
    with pytest.warns(match="not at a minimum"):
        made = {s: Influence.from_rows(theta, block, damping=1e-4, solver=s) for s in ("primal", "dual", "svd")}

    def q(p):
        return p[3]

    for solver in ("dual", "svd"):
        for action in ("remove", "add", "value"):
            assert made[solver].scores(q, action=action).values == pytest.approx(
                made["primal"].scores(q, action=action).values, rel=1e-6
            )
        assert made[solver].leverage == pytest.approx(made["primal"].leverage, rel=1e-7)
        assert made[solver].group([0, 3], q).values == pytest.approx(made["primal"].group([0, 3], q).values, rel=1e-6)


def test_lowest_curvature_is_found_where_rows_are_stiff() -> None:
    # the negative curvature of one badly fitted row lies where G is far from its smallest eigenvalues
    size = 260
    matrix = np.diag(np.logspace(2, -3, size))
    blocks = [
        RowBlock("linear", matrix, lambda p, z: z @ p, 0.5),
        RowBlock("curved", np.array([60.0]), lambda p, z: z[0] * (p[3] * p[4] - 200.0), 0.5),
    ]
    record = record_of_blocks(torch.zeros(size, dtype=torch.float64), blocks, 0.0, 0.0)
    rows = scale_rows(*record.rows.jacobian(record.parameters), record.weights)
    full = hessian_products(record, record.parameters, torch.eye(size, dtype=torch.float64))
    exact = float(torch.linalg.eigvalsh(full)[0])
    assert exact < -100
    normal = NormalMatrix(rows.matrix)
    found = lowest_curvature(record, record.parameters, lambda shift: normal.factor(shift).solve, 0.0, 1e4)
    assert found == pytest.approx(exact, rel=0.1)


def test_a_group_that_holds_a_direction_alone_is_warned_of() -> None:
    places = np.linspace(0, 1, 6)
    blocks = [
        RowBlock("both", places, lambda p, z: p[0] + 1e-2 * z[0] * p[1] - z[0], 0.5),
        RowBlock("second", places + 2, lambda p, z: p[1] * z[0] - 3.0, 0.5),
    ]
    a = torch.tensor([[1.0, 1e-2 * z] for z in places] + [[0.0, z + 2] for z in places], dtype=torch.float64)
    y = torch.cat([torch.tensor(places), torch.full((6,), 3.0, dtype=torch.float64)])
    influence = Influence.from_rows(torch.linalg.lstsq(a, y).solution, blocks, curvature="hessian")
    with pytest.warns(SolverWarning, match="of the curvature along some direction is left"):
        got = influence.group("second", lambda p: p[1])
    left = torch.linalg.lstsq(a[:6], y[:6]).solution[1] - influence.curvature.theta[1]
    assert got.values[0, 0] == pytest.approx(float(left), rel=1e-6)  # linear rows: exact all the same


def test_indefinite_hessian_is_refused_with_the_damping_that_helps() -> None:
    block = [RowBlock("fit", np.array([0.0]), lambda p, z: p[0] * p[1] - 3.0, 0.5)]
    theta = torch.tensor([0.1, 0.1], dtype=torch.float64)
    with pytest.raises(SolverError, match="smallest eigenvalue"):
        Influence.from_rows(theta, block, curvature="hessian", damping=1e-3)
    with pytest.warns(match="not at a minimum"):
        made = Influence.from_rows(theta, block, curvature="hessian", damping=None)
    assert made.curvature.proximal >= 4 * 2.9


def test_both_ways_to_hessian_products_agree_with_differences_of_the_gradient() -> None:
    generator = torch.Generator().manual_seed(1)
    places = torch.rand(5, 2, dtype=torch.float64, generator=generator)
    block = RowBlock("fit", places, lambda p, z: torch.sin(p[0] * z[0]) * p[1] + p[2] ** 3 - z[1], 0.7)
    theta = torch.tensor([0.4, -1.2, 0.8], dtype=torch.float64)
    record = record_of_blocks(theta, [block], 0.3, 0.0)
    eye, step = torch.eye(3, dtype=torch.float64), 1e-5
    slope = torch.func.grad(record.loss)
    columns = [(slope(theta + step * e) - slope(theta - step * e)) / (2 * step) for e in eye]
    differences = torch.stack(columns, dim=1)
    for made in (hessian_products(record, theta, eye), hessian_operator(record, theta)(eye)):
        assert made.numpy() == pytest.approx(differences.numpy(), rel=1e-7, abs=1e-8)
    assert hessian_operator(record, theta)(eye[1]).shape == (3,)
