"""Greedy design: updates equal refactorisation, scores equal true refits of linear models."""

import numpy as np
import pytest
import torch
from torch import Tensor

from influence.design import Candidates, greedy


def setting(seed: int, rows: int = 40, size: int = 6, count: int = 12, each: int = 2) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {"held": normal(rows, size), "right": normal(rows), "new": normal(count, each, size),
            "values": normal(count, each), "wanted": normal(3, size)}  # fmt: skip


def made(held: Tensor, right: Tensor, new: Tensor, values: Tensor, wanted: Tensor, sign: int) -> Candidates:
    """Candidates of the linear model whose residual is A θ - right, at the minimum over the held rows."""
    gram = held.T @ held
    theta = torch.linalg.solve(gram, held.T @ right)
    solved = torch.linalg.solve(gram, new.reshape(-1, new.shape[2]).T).T.reshape(new.shape)
    residual = new @ theta - values
    return Candidates(new, solved, residual, solved @ wanted.T, 0.3, sign)


@pytest.mark.parametrize("seed", range(3))
def test_score_is_the_change_and_the_variance_of_a_refit(seed: int) -> None:
    case = setting(seed)
    scores = made(**case, sign=1).scores()
    gram = case["held"].T @ case["held"]
    theta = torch.linalg.solve(gram, case["held"].T @ case["right"])
    for k, (block, values) in enumerate(zip(case["new"], case["values"], strict=True)):
        larger = gram + block.T @ block
        refit = torch.linalg.solve(larger, case["held"].T @ case["right"] + block.T @ values)
        change = case["wanted"] @ (refit - theta)
        variance = torch.trace(case["wanted"] @ (torch.linalg.inv(gram) - torch.linalg.inv(larger)) @ case["wanted"].T)
        assert float(scores[k]) == pytest.approx(float(change @ change + 0.3 * variance), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_score_of_dropping_is_that_of_a_refit_without(seed: int) -> None:
    case = setting(seed)
    held = torch.cat([case["held"], case["new"].reshape(-1, 6)])
    right = torch.cat([case["right"], case["values"].reshape(-1)])
    scores = made(held, right, case["new"], case["values"], case["wanted"], -1).scores()
    gram, full = held.T @ held, torch.linalg.lstsq(held, right[:, None]).solution[:, 0]
    for k, block in enumerate(case["new"]):
        keep = torch.ones(len(held), dtype=torch.bool)
        keep[40 + 2 * k : 42 + 2 * k] = False
        refit = torch.linalg.lstsq(held[keep], right[keep][:, None]).solution[:, 0]
        change = case["wanted"] @ (refit - full)
        smaller = torch.linalg.inv(gram - block.T @ block)
        variance = torch.trace(case["wanted"] @ (smaller - torch.linalg.inv(gram)) @ case["wanted"].T)
        assert float(scores[k]) == pytest.approx(float(change @ change + 0.3 * variance), rel=1e-8)


@pytest.mark.parametrize("sign", [1, -1])
def test_updates_equal_refactorisation(sign: int) -> None:
    case = setting(7)
    blocks, values = case["new"], case["values"]
    held, right = case["held"], case["right"]
    if sign < 0:
        held, right = torch.cat([held, blocks.reshape(-1, 6)]), torch.cat([right, values.reshape(-1)])
    candidates = made(held, right, blocks, values, case["wanted"], sign)
    for number, index in enumerate([3, 8, 0, 5]):
        candidates.choose(index)
        if sign > 0:
            held, right = torch.cat([held, blocks[index]]), torch.cat([right, values[index]])
        else:
            keep = (held[:, None] != blocks[index][None]).any(dim=2).all(dim=1)
            held, right = held[keep], right[keep]
        rest = [k for k in range(12) if k not in [3, 8, 0, 5][: number + 1]]
        fresh = made(held, right, blocks, values, case["wanted"], sign)
        assert torch.allclose(candidates.scores()[rest], fresh.scores()[rest], rtol=1e-8)


def test_equal_candidates_are_not_taken_twice_before_others() -> None:
    case = setting(1, each=1)
    case["new"][1] = case["new"][0]
    case["values"][1] = case["values"][0]
    case["new"][0] *= 3
    case["values"][0] *= 3
    case["new"][1] = case["new"][0]
    case["values"][1] = case["values"][0]
    alone = made(**case, sign=1).scores()
    assert sorted(np.argsort(-alone.numpy())[:2].tolist()) == [0, 1]
    chosen = greedy(made(**case, sign=1), 4)
    assert 0 in chosen[:1] or 1 in chosen[:1]
    assert len({0, 1} & set(chosen[:2])) == 1


def test_floors_are_respected() -> None:
    case = setting(2)
    held = torch.cat([case["held"], case["new"].reshape(-1, 6)])
    right = torch.cat([case["right"], case["values"].reshape(-1)])
    kinds = torch.tensor([0] * 6 + [1] * 6)
    candidates = made(held, right, case["new"], case["values"], case["wanted"], -1)
    chosen = greedy(candidates, 9, kinds, torch.tensor([2, 4]))
    assert [int((kinds[chosen] == k).sum()) for k in (0, 1)] == [2, 4]
