"""CPU limits of bounds: nested ones, what is put back, and the reason that is given."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import Any

import pytest
import sympy as sp

from sciml.problems import heat
from solvers.lie import LieSolver
from solvers.lie.bounds import entry
from solvers.lie.bounds.budget import OutOfTime, cpu_limit
from solvers.lie.bounds.result import Bound
from solvers.lie.certificate import certify

pytest.importorskip("flint")
needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no CPU timer on this system")


def spin() -> None:
    while True:
        sp.expand((sp.Symbol("a") + sp.Symbol("b")) ** 5)


@needs_timer
def test_the_limit_stops_symbolic_work_and_puts_the_handler_back() -> None:
    before, started = signal.getsignal(signal.SIGPROF), time.process_time()
    with pytest.raises(OutOfTime), cpu_limit(0.1):
        spin()
    assert time.process_time() - started >= 0.09
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@needs_timer
def test_nested_limits() -> None:
    def inner_first() -> float:
        with contextlib.suppress(OutOfTime), cpu_limit(0.1):
            spin()
        left = signal.getitimer(signal.ITIMER_PROF)[0]
        assert 0 < left < 0.25  # the one outside goes on
        spin()
        return left

    with pytest.raises(OutOfTime), cpu_limit(0.3):
        inner_first()
    with pytest.raises(OutOfTime), cpu_limit(0.1), cpu_limit(50.0):
        spin()


@needs_timer
@pytest.mark.parametrize("where", ["certificate", "entry"])
def test_a_bound_that_takes_too_long_is_none_with_the_reason(where: str, monkeypatch) -> None:
    lie: Any = LieSolver().solve(heat.sine().problem)
    monkeypatch.setattr(entry, "_stability", lambda mismatch: spin())
    if where == "entry":
        bound = entry.error_bound(lie.problem, lie.expr, seconds=0.2)
    else:
        bound = certify(lie.problem, lie.families, lie.amplitudes, seconds=0.2)
    assert bound.sup is None
    assert "CPU time" in bound.reason


def test_long_reasons_are_cut() -> None:
    assert len(Bound(None, None, "x" * 15000).reason) < 410
    assert Bound(None, None, "short").reason == "short"


def test_terms_of_rounding_are_dropped() -> None:
    """The particular solution meets all data: what the fit adds is rounding, and its terms cost the bound."""
    case = heat.decaying_source()
    lie: Any = LieSolver().solve(case.problem)
    assert len(lie.terms) == 1
    assert lie.error(case.reference).maximum["u"] < 1e-15
    assert lie.error_bound is not None
    assert lie.error_bound < 1e-12
