"""Many queries: parts put together are the whole, totals are those of the matrix, what does not fit is refused."""

import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

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


def test_a_bar_counts_the_queries(influence: Influence, capsys: pytest.CaptureFixture[str]) -> None:
    total_scores(influence, prediction, AT, part=100, progress=True)
    shown = capsys.readouterr().err
    assert "influence" in shown
    assert "237/237" in shown


def test_an_interrupted_total_leaves_everything_as_it_was(influence: Influence) -> None:
    before, calls = influence.scores(prediction, at=AT).values, []

    def interrupted(theta, z):
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return prediction(theta, z)

    with pytest.raises(KeyboardInterrupt):
        total_scores(influence, interrupted, AT, part=10)
    np.testing.assert_array_equal(influence.scores(prediction, at=AT).values, before)


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int) -> None:
    """Memory before and after scores of so many queries on a trained network, and after a Ctrl-C in the middle."""
    from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
    from solvers import PINN

    x, t = coordinates("x t")
    u = field("u", x, t)
    heat = IBVP(u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 1), {u: x * (1 - x)}, [Dirichlet(u, 0)])
    made = Influence(PINN(MLP(width=10, depth=2), steps=30, progress=False).solve(heat), damping=1e-6)
    points = np.random.default_rng(0).random((count, 2))
    total_scores(made, u, points[:1000])
    print(peak())
    whole = total_scores(made, u, points)
    print(peak(), whole.queries, len(made.ids))
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        total_scores(made, u, points)
    except KeyboardInterrupt:
        print("left")
    one = total_scores(made, u, points[:1000])
    print(bool(np.array_equal(one.mean, total_scores(made, u, points[:1000]).mean)))


@pytest.mark.slow
def test_a_million_queries_take_bounded_memory_and_can_be_left() -> None:
    script = f"""
        import sys, warnings
        warnings.simplefilter("ignore")
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_streaming import measure
        measure(10**6)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    few, many, left, same = run.stdout.splitlines()
    after, queries, points = many.split()
    assert int(queries) == 10**6
    assert float(after) - float(few) < 1024  # MiB; the matrix would take 8 bytes for each query and point
    assert 8 * int(queries) * int(points) > 2 * 2**30
    assert left == "left"
    assert same == "True"
