"""Points with stable ids: what they are after adding, dropping, reordering, moving and merging."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sciml.errors import PointsError
from sciml.points import PointSet

TERMS = ("pde", "left", "measured")
KINDS = ("interior", "boundary", "observation")


def sums(points: PointSet) -> np.ndarray:
    return np.bincount(points.term, weights=points.weight, minlength=len(points.terms))


def two_terms() -> PointSet:
    """Points 0 to 3 of the equation; 0 and 1 serve the initial condition too, and 4 it alone."""
    coordinates = np.array([[0.0], [1.0], [2.0], [3.0], [0.0], [1.0], [4.0]])
    return PointSet(coordinates, [0, 1, 2, 3, 0, 1, 4], [0, 0, 0, 0, 1, 1, 1], ("pde", "initial u"))


def test_weights_of_each_term_sum_to_one() -> None:
    points = two_terms()
    assert points.weight.tolist() == [0.25] * 4 + [1 / 3] * 3
    assert repr(points) == "PointSet(5 points; pde: 4, initial u: 3)"


def test_a_point_goes_with_all_its_entries() -> None:
    points = two_terms().remove([0])
    assert points.ids.tolist() == [1, 2, 3, 1, 4]
    assert points.ids_of("initial u").tolist() == [1, 4]
    assert sums(points) == pytest.approx([1.0, 1.0])
    raw = two_terms().remove([0], renormalise=False)
    assert raw.weight.tolist() == [0.25] * 3 + [1 / 3] * 2


def test_removed_ids_are_never_used_again() -> None:
    points = two_terms().remove([4, 3]).add([[7.0], [8.0]], "pde")
    assert points.ids_of("pde").tolist() == [0, 1, 2, 5, 6]
    assert points.next_id == 7
    everything_gone = points.remove(np.unique(points.ids))
    assert len(everything_gone) == 0
    assert everything_gone.add([[1.0]], "initial u").ids.tolist() == [7]


def test_add_keeps_ids_values_and_the_scale_of_weights() -> None:
    old = two_terms().with_weight([1, 1, 2, 4, 1, 1, 2])
    new = old.add([[9.0]], "pde")
    assert new.take(np.arange(7)).ids.tolist() == old.ids.tolist()
    assert new.weight[new.term == 0] == pytest.approx(np.array([1, 1, 2, 4, 2]) / 10)  # the new one has the mean
    assert new.weight[new.term == 1] == pytest.approx(old.weight[old.term == 1])
    heavy = old.add([[9.0]], "pde", weight=[3.0])
    assert heavy.weight[heavy.term == 0] == pytest.approx(np.array([0.125, 0.125, 0.25, 0.5, 3.0]) / 4)
    shared = old.add([[2.0]], "initial u", ids=[2])
    assert shared.ids_of("initial u").tolist() == [0, 1, 4, 2]
    assert shared.next_id == 5


def test_take_reorders_without_renaming() -> None:
    points, order = two_terms(), np.array([6, 2, 5, 0, 1, 3, 4])
    shuffled = points.take(order)
    assert shuffled.ids.tolist() == points.ids[order].tolist()
    assert np.array_equal(shuffled.locate([4, 0, 3]), points.locate([4, 0, 3]))
    assert shuffled.take(np.argsort(order)) == points
    assert points.take(points.mask("pde")) == points.of("pde")
    assert points.take([]).next_id == 5


def test_move_takes_every_entry_of_a_point_along() -> None:
    points = two_terms().move([4, 0], [[40.0], [-1.0]])
    assert points.coordinates.ravel().tolist() == [-1.0, 1.0, 2.0, 3.0, -1.0, 1.0, 40.0]
    assert points.ids.tolist() == two_terms().ids.tolist()
    assert points.locate([0, 4]).ravel().tolist() == [-1.0, 40.0]
    assert two_terms().move([], np.empty((0, 1))) == two_terms()


def test_merge_of_the_same_and_of_independent_sets() -> None:
    first, second = two_terms(), PointSet(np.array([[5.0], [6.0]]), terms=("pde",))
    assert first.merge(first) == first
    joined = first.merge(second, renumber=True)
    assert joined.ids_of("pde").tolist() == [0, 1, 2, 3, 5, 6]
    assert joined.next_id == 7
    assert sums(joined) == pytest.approx([1.0, 1.0])
    assert joined.weight[joined.term == 0] == pytest.approx(1 / 6)
    with pytest.raises(PointsError, match=r"id 0 at two places.*\n.*renumber"):
        first.merge(second)
    other = PointSet(np.array([[9.0]]), [9], terms=("measured",), value=[3.0], term_kinds=("observation",))
    assert first.merge(other).terms == ("pde", "initial u", "measured")
    assert first.merge(other).of("measured").value.tolist() == [3.0]


def test_merge_keeps_the_density_of_weights() -> None:
    """A weight times the number of entries is a density: 4·0.1 beside 2·(1/2)."""
    first = PointSet(np.arange(4.0)[:, None], weight=[0.1, 0.2, 0.3, 0.4])
    second = PointSet(np.array([[9.0], [8.0]]), [9, 8])
    joined = first.merge(second)
    assert joined.weight == pytest.approx(np.array([0.4, 0.8, 1.2, 1.6, 1.0, 1.0]) / 6)


def test_with_weight() -> None:
    points = two_terms()
    assert sums(points.with_weight(np.arange(1, 8))) == pytest.approx([1.0, 1.0])
    assert sums(points.with_weight(np.arange(1, 8), total=[2.0, 0.5])) == pytest.approx([2.0, 0.5])
    assert points.with_weight(np.arange(7.0), total=None).weight.tolist() == list(range(7))
    with pytest.raises(PointsError, match="only zeros in 'initial u'"):
        points.with_weight([1, 1, 1, 1, 0, 0, 0])


def test_arrays_are_copies_and_locked() -> None:
    given = np.array([[0.0], [1.0]])
    points = PointSet(given)
    given[0] = 5.0
    assert points.coordinates[0, 0] == pytest.approx(0.0)
    with pytest.raises(ValueError, match="read-only"):
        points.weight[0] = 3.0
    with pytest.raises(AttributeError):
        points.weight = np.ones(2)  # type: ignore[misc]
    assert two_terms() == two_terms()
    assert two_terms() != two_terms().with_weight(np.arange(1, 8))
    assert two_terms() != 3


def test_kinds() -> None:
    points = PointSet(np.zeros((2, 1)), [0, 1], [1, 0], ("a", "b"), term_kinds=("interior", "boundary"))
    assert points.kinds.tolist() == ["boundary", "interior"]


ONE = np.array([[0.0], [1.0]])
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "flat coordinates": (lambda: PointSet(np.zeros(3)), r"\(n, d\)"),
    "no columns": (lambda: PointSet(np.zeros((3, 0))), r"\(n, d\)"),
    "nan": (lambda: PointSet([[np.nan]]), "finite coordinates"),
    "text": (lambda: PointSet([["a"]]), "real numbers"),
    "complex": (lambda: PointSet([[1j]]), "real numbers"),
    "ragged": (lambda: PointSet([[1.0], [1.0, 2.0]]), "real numbers"),
    "float ids": (lambda: PointSet(ONE, [0.0, 1.0]), "ids: 2 whole numbers"),
    "negative id": (lambda: PointSet(ONE, [-1, 1]), "0 or more"),
    "too few ids": (lambda: PointSet(ONE, [1]), "ids: 2 whole"),
    "ids beyond int64": (lambda: PointSet(ONE, np.array([0, 2**63], dtype=np.uint64)), "ids: 2 whole"),
    "one id at two places": (lambda: PointSet(ONE, [0, 0], [0, 1], ("a", "b")), "id 0 at two places"),
    "twice in a term": (lambda: PointSet(np.zeros((2, 1)), [3, 3]), "once per term"),
    "term index": (lambda: PointSet(ONE, term=[0, 1]), "indices below 1"),
    "no term": (lambda: PointSet(ONE, terms=()), "different names"),
    "term name as text": (lambda: PointSet(ONE, terms="pde"), "different names"),
    "term twice": (lambda: PointSet(ONE, terms=("a", "a")), "different names"),
    "kinds": (lambda: PointSet(ONE, term_kinds=("a", "b")), "1 kinds"),
    "kinds as text": (lambda: PointSet(ONE, terms=("a", "b"), term_kinds="ab"), "2 kinds"),
    "negative weight": (lambda: PointSet(ONE, weight=[1.0, -1.0]), "1 negative"),
    "weights of another length": (lambda: PointSet(ONE, weight=[1.0]), "1 weights"),
    "infinite weight": (lambda: PointSet(ONE, weight=[1.0, np.inf]), "finite weight"),
    "values of another length": (lambda: PointSet(ONE, value=[1.0]), "1 values"),
    "infinite value": (lambda: PointSet(ONE, value=[1.0, np.inf]), "finite value"),
    "observation without value": (lambda: PointSet(ONE, term_kinds=("observation",)), "observed value for every"),
    "next_id too small": (lambda: PointSet(ONE, next_id=1), "at least 2"),
    "next_id no whole number": (lambda: PointSet(ONE, next_id=2.5), "at least 2"),  # type: ignore[arg-type]
    "remove unknown": (lambda: two_terms().remove([77]), "unknown: \\[77\\]"),
    "remove float": (lambda: two_terms().remove([0.0]), "whole numbers"),
    "remove mask": (lambda: two_terms().remove(np.ones(7, dtype=bool)), "whole numbers"),
    "locate unknown": (lambda: two_terms().locate([5]), "unknown"),
    "unknown term": (lambda: two_terms().of("lid"), "'pde', 'initial u'"),
    "add to unknown term": (lambda: two_terms().add([[0.0]], "lid"), "'pde', 'initial u'"),
    "add other columns": (lambda: two_terms().add([[0.0, 1.0]], "pde"), "1 columns"),
    "add removed id": (lambda: two_terms().remove([4]).add([[4.0]], "pde", ids=[4]), "removed earlier"),
    "add elsewhere": (lambda: two_terms().add([[9.0]], "pde", ids=[4]), "id 4 at two places"),
    "add twice": (lambda: two_terms().add([[0.0]], "pde", ids=[0]), "once per term"),
    "add wrong weights": (lambda: two_terms().add([[9.0]], "pde", weight=[1.0, 2.0]), "weights"),
    "add text value": (lambda: two_terms().add([[9.0]], "pde", value=["a"]), "real numbers"),
    "take out of range": (lambda: two_terms().take([7]), "below 7"),
    "take twice": (lambda: two_terms().take([0, 0]), "different indices"),
    "take short mask": (lambda: two_terms().take(np.ones(3, dtype=bool)), "rows"),
    "move unknown": (lambda: two_terms().move([9], [[0.0]]), "unknown"),
    "move twice": (lambda: two_terms().move([0, 0], [[0.0], [1.0]]), "different ids"),
    "move with other shape": (lambda: two_terms().move([0, 1], [[0.0]]), "2 ids"),
    "merge other columns": (lambda: two_terms().merge(PointSet(np.zeros((1, 2)))), "1 columns"),
    "merge no set": (lambda: two_terms().merge(ONE), "PointSet"),  # type: ignore[arg-type]
    "merge other kinds": (lambda: two_terms().merge(PointSet([[9.0]], [9], term_kinds=("boundary",))), "one kind"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(PointsError, match=message):
        build()


class Ledger(RuleBasedStateMachine):
    """Random histories of a set beside a dictionary {id: (place, {term: value})}."""

    @initialize()
    def start(self) -> None:
        self.points = PointSet(np.array([[0.5], [1.5]]), term=[0, 1], terms=TERMS, term_kinds=KINDS)
        self.book: dict[int, tuple[float, dict[int, float]]] = {0: (0.5, {0: np.nan}), 1: (1.5, {1: np.nan})}
        self.used = 2

    def some_ids(self, data: st.DataObject) -> list[int]:
        return data.draw(st.lists(st.sampled_from(sorted(self.book)), unique=True, max_size=3)) if self.book else []

    @rule(data=st.data(), count=st.integers(0, 3), term=st.integers(0, 2))
    def add(self, data: st.DataObject, count: int, term: int) -> None:
        places = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=count, max_size=count)))
        value = places + 0.5 if term == 2 else None
        self.points = self.points.add(places.reshape(-1, 1), TERMS[term], value=value)
        for place in places:
            self.book[self.used] = (float(place), {term: float(place) + 0.5 if term == 2 else np.nan})
            self.used += 1

    @rule(data=st.data(), term=st.integers(0, 1))
    def share(self, data: st.DataObject, term: int) -> None:
        ids = [i for i in self.some_ids(data) if term not in self.book[i][1]]
        self.points = self.points.add(np.array([self.book[i][0] for i in ids]).reshape(-1, 1), TERMS[term], ids=ids)
        for i in ids:
            self.book[i][1][term] = np.nan

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        ids = self.some_ids(data)
        self.points = self.points.remove(ids)
        for i in ids:
            del self.book[i]

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        ids = self.some_ids(data)
        self.points = self.points.move(ids, np.array([i + 0.25 for i in ids]).reshape(-1, 1))
        for i in ids:
            self.book[i] = (i + 0.25, self.book[i][1])

    @rule(seed=st.integers(0, 99))
    def shuffle(self, seed: int) -> None:
        self.points = self.points.take(np.random.default_rng(seed).permutation(len(self.points)))

    @rule(seed=st.integers(0, 99))
    def reweight(self, seed: int) -> None:
        self.points = self.points.with_weight(np.random.default_rng(seed).uniform(0.1, 1.0, len(self.points)))

    @invariant()
    def entries_are_those_of_the_book(self) -> None:
        p = self.points
        found = {
            (int(i), int(k)): (float(c[0]), v) for i, k, c, v in zip(p.ids, p.term, p.coordinates, p.value, strict=True)
        }
        expected = {(i, k): (place, v) for i, (place, terms) in self.book.items() for k, v in terms.items()}
        assert len(found) == len(p)
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[key], expected[key], equal_nan=True) for key in expected)
        assert p.next_id == self.used

    @invariant()
    def weights_sum_to_one(self) -> None:
        filled = np.bincount(self.points.term, minlength=3) > 0
        assert np.allclose(sums(self.points), filled)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=20, deadline=None, derandomize=True)
