"""A matrix on two processes against the same matrix in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sciml.distributed import present_crew
from sciml.distributed.sharding import Sharding
from sciml.least_squares import DampedFactor, NormalMatrix, orthogonal_solution
from sciml.least_squares.sharded import RowShard, ShardedMatrix
from sciml.points import PointSet
from tests.distributed.crews import on_processes

CONDITIONED = torch.randn(37, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
NEARLY_DEPENDENT = CONDITIONED @ torch.diag(torch.logspace(0, -13, 8, dtype=torch.float64)) @ CONDITIONED[:8]
RIGHT = torch.randn(37, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
VECTORS = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def spread(matrix: Tensor) -> ShardedMatrix:
    """Rows of three terms, one with a single point, on all processes."""
    term = np.array([0] * 12 + [1] * 12 + [2])
    points = PointSet(np.arange(25.0)[:, None], term=term, terms=("a", "b", "c"))
    crew = present_crew()
    assert crew is not None
    sharding = Sharding.of(points, {"a": 1, "b": 2, "c": 1}, crew.size)
    shares = [(matrix[place], place, rank) for rank, place in enumerate(sharding.places)]
    return ShardedMatrix(crew.create(RowShard, shares), sharding, matrix.shape[1], torch.device("cpu"))


def products(matrix: Any) -> dict[str, Tensor]:
    normal = NormalMatrix(matrix)
    primal, svd = normal.factor(0.1), NormalMatrix(matrix, "svd").factor(0.1)
    assert isinstance(primal, DampedFactor)
    assert primal.kind == "primal"
    found = {"push": matrix @ VECTORS, "push one": matrix @ VECTORS[:, 0], "pull": matrix.T @ RIGHT,
             "pull several": matrix.T @ torch.stack([RIGHT, 2 * RIGHT], dim=1)}  # fmt: skip
    for name, factor in (("primal", primal), ("svd", svd)):
        found |= {f"{name} solve": factor.solve(VECTORS), f"{name} rows": factor.solve_rows(RIGHT),
                  f"{name} products": factor.row_products(VECTORS)}  # fmt: skip
    undamped = NormalMatrix(matrix, "svd").factor(0).lower.abs()  # singular vectors have no sign
    return {**found, "gram": normal.matrix("primal").tril(), "undamped": undamped}


def test_products_and_factors_agree_to_rounding() -> None:
    dense, sharded = products(CONDITIONED), on_processes(lambda: products(spread(CONDITIONED)))
    assert dense.keys() == sharded.keys()
    for name, value in dense.items():
        assert torch.allclose(sharded[name], value, rtol=1e-12, atol=1e-12 * float(value.abs().max())), name


@pytest.mark.parametrize("size", [2, 3])
def test_orthogonal_solution_keeps_the_digits_of_nearly_dependent_columns(size: int) -> None:
    """The residual is what is determined; normal equations would leave 1e-8 of it."""
    right = NEARLY_DEPENDENT @ torch.ones(8, dtype=torch.float64)
    found = on_processes(lambda: orthogonal_solution(spread(NEARLY_DEPENDENT), right), size)
    assert float((NEARLY_DEPENDENT @ found - right).norm()) < 1e-13 * float(right.norm())


def test_a_matrix_with_an_entry_that_is_not_finite_is_refused() -> None:
    bad = CONDITIONED.clone()
    bad[20, 3] = torch.nan

    def main() -> str:
        with pytest.raises(ValueError, match="not finite") as caught:
            NormalMatrix(spread(bad))
        return str(caught.value)

    assert "1 entries not finite" in on_processes(main)


def test_shares_are_disjoint_cover_everything_and_keep_the_weights() -> None:
    points = PointSet(np.arange(11.0)[:, None], term=[0] * 7 + [1] * 3 + [2], terms=("a", "b", "c"))
    sharding = Sharding.of(points, {"a": 2, "b": 1, "c": 1}, 3)
    assert sorted(torch.cat(sharding.places).tolist()) == list(range(18))
    assert sum(share.weight.sum() for share in sharding.shares()) == pytest.approx(3)
    rows = torch.arange(18)
    assert torch.equal(sharding.joined([rows[place] for place in sharding.places]), rows)
    assert max(map(len, sharding.pieces)) - min(map(len, sharding.pieces)) <= 1
