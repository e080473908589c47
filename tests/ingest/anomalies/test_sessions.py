"""Sessions whose templates are unlike the others': rare ones, missing ones, and none by accident."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.anomalies.sessions import SUPPORT, anomalous_sessions

BEGIN, WRITE, END, LOST, EXTRA = range(5)


def normal(count: int) -> dict[str, set[int]]:
    return {f"n{i}": {BEGIN, WRITE, END} | ({EXTRA} if i % 3 == 0 else set()) for i in range(count)}


def test_a_rare_template() -> None:
    found = anomalous_sessions(normal(99) | {"odd": {BEGIN, WRITE, END, LOST}})
    assert list(found) == ["odd"]
    assert (found["odd"].template_id, found["odd"].given) == (LOST, None)
    assert found["odd"].score == 0.99
    assert found["odd"].why == "has a template that 1 of 100 sessions have"


def test_a_missing_template() -> None:
    found = anomalous_sessions(normal(98) | {"cut": {BEGIN, WRITE}, "cut2": {BEGIN, WRITE}})
    assert list(found) == ["cut", "cut2"]
    assert found["cut"].template_id == END and found["cut"].given in (BEGIN, WRITE)
    assert found["cut"].why == "lacks a template that 98 of 100 such sessions have"


def test_a_template_that_a_third_has_is_normal() -> None:
    assert anomalous_sessions(normal(100)) == {}


def test_few_sessions_prove_nothing() -> None:
    assert anomalous_sessions(normal(SUPPORT - 2) | {"odd": {LOST}}) == {}
    assert anomalous_sessions({}) == {}


def test_where_everyone_is_odd_nobody_is() -> None:
    assert anomalous_sessions({f"s{i}": {BEGIN, END, 100 + i} for i in range(200)}) == {}


def test_order_of_sessions_does_not_matter() -> None:
    sessions = normal(99) | {"odd": {BEGIN, WRITE, END, LOST}, "cut": {BEGIN}}
    backwards = dict(reversed(sessions.items()))
    assert anomalous_sessions(sessions) == anomalous_sessions(backwards)


@given(st.dictionaries(st.integers(0, 60).map(str), st.sets(st.integers(0, 8)), max_size=60))
@settings(deadline=None)
def test_scores_are_shares_and_the_odd_are_few(sessions: dict[str, set[int]]) -> None:
    found = anomalous_sessions(sessions)
    assert len(found) <= len(sessions) / 3
    assert all(0.95 <= each.score < 1 for each in found.values())
    assert set(found) <= set(sessions)
