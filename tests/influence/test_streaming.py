"""Many queries: parts put together are the whole, totals are those of the matrix, what does not fit is refused."""

import numpy as np
import pytest
import torch

from influence import Influence, RowBlock, stream_scores, total_scores
from influence import fitting_memory as memory
from sciml.errors import SolverError

X = np.linspace(0, 1, 15)[:, None]
AT = np.random.default_rng(0).random((237, 1))


def prediction(theta, z):
    return theta[0] + theta[1] * z[0] + theta[2] * torch.sin(z[0])


@pytest.fixture(scope="module")
def influence() -> Influence:
    block = RowBlock("data", X, lambda theta, z: prediction(theta, z) - z[0] ** 2, 1 / 15)
    columns = np.hstack([X**0, X, np.sin(X)])
    fitted = torch.linalg.lstsq(torch.tensor(columns), torch.tensor(X**2)).solution[:, 0]
    return Influence.from_rows(fitted, [block])


@pytest.mark.parametrize("part", [1, 50, 237, 1000, None])
def test_parts_are_the_whole(influence: Influence, part: int | None) -> None:
    whole = influence.scores(prediction, at=AT).values
    pieces = [scores.values for scores in stream_scores(influence, prediction, AT, part)]
    assert len(pieces) == (1 if part is None else -(-237 // part))
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-10, atol=1e-14 * np.abs(whole).max())


def test_totals_are_those_of_the_matrix(influence: Influence) -> None:
    whole = influence.scores(prediction, at=AT, action="add").values
    totals = total_scores(influence, prediction, AT, part=40, action="add")
    np.testing.assert_allclose(totals.mean, whole.mean(axis=0), rtol=1e-8, atol=1e-14 * np.abs(whole).max())
    np.testing.assert_allclose(totals.size, np.abs(whole).mean(axis=0), rtol=1e-8)
    np.testing.assert_allclose(totals.largest, np.abs(whole).max(axis=0), rtol=1e-8)
    np.testing.assert_allclose(np.abs(whole)[totals.where, np.arange(15)], totals.largest, rtol=1e-8)
    assert totals.queries == 237
    assert totals.top(1)[0] == totals.ids[np.abs(whole).mean(axis=0).argmax()]


def test_a_stream_can_be_left(influence: Influence) -> None:
    stream = stream_scores(influence, prediction, AT, 10, progress=False)
    assert len(next(stream).values) == 10
    stream.close()


def test_too_many_queries_are_refused_before_work(influence: Influence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free_bytes", lambda: 1e5)
    with pytest.raises(SolverError, match=r"237 queries[\s\S]*total_scores"):
        influence.scores(prediction, at=AT)
    assert total_scores(influence, prediction, AT, part=20).queries == 237


def test_bad_parts(influence: Influence) -> None:
    with pytest.raises(SolverError, match="part: a whole number >= 1"):
        next(stream_scores(influence, prediction, AT, 0))
    with pytest.raises(SolverError, match="query points"):
        total_scores(influence, prediction, np.zeros((0, 1)))
