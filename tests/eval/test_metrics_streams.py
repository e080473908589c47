"""Matching of incidents in streams: each way to go wrong, by hand, and properties by brute force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics_streams import Span, match_stream, overlap, touches

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def span(start: float, end: float, *services: str) -> Span:
    return Span(START + timedelta(minutes=start), START + timedelta(minutes=end), frozenset(services))


def test_found_and_in_time() -> None:
    match = match_stream([span(10, 20)], [span(12, 25)])
    assert (match.found, match.missed, match.split, match.merged, match.false) == (1, 0, 0, 0, 0)
    assert match.delays == (120.0,)
    assert match.clean


def test_detected_before_the_label_is_no_negative_delay() -> None:
    assert match_stream([span(10, 20)], [span(9.5, 12)]).delays == (0.0,)


def test_missed_and_false() -> None:
    match = match_stream([span(10, 20)], [span(40, 41), span(50, 51)])
    assert (match.found, match.missed, match.false) == (0, 1, 2)


def test_split_counts_the_extra_pieces() -> None:
    match = match_stream([span(10, 30)], [span(10, 12), span(15, 28), span(29, 30)])
    assert (match.found, match.split, match.merged, match.false) == (1, 2, 0, 0)
    assert match.pairs == {0: 1}
    assert not match.clean


def test_merged_counts_the_swallowed_incidents() -> None:
    match = match_stream([span(10, 20), span(40, 50)], [span(10, 50)])
    assert (match.found, match.split, match.merged) == (2, 0, 1)


def test_two_faults_at_once_are_neither_split_nor_merged() -> None:
    match = match_stream(
        [span(10, 20, "payment"), span(11, 21, "users")], [span(10, 21, "users"), span(10, 21, "payment")]
    )
    assert match.pairs == {0: 1, 1: 0}
    assert match.clean and match.found == 2


def test_grey_is_neither_right_nor_wrong() -> None:
    match = match_stream([span(10, 20)], [span(11, 19), span(30, 31), span(60, 61)], grey=[span(29, 35)])
    assert (match.found, match.false, match.ignored, match.split) == (1, 1, 1, 0)


def test_a_minute_of_slack() -> None:
    assert match_stream([span(10, 20)], [span(20.9, 22)]).found == 1
    assert match_stream([span(10, 20)], [span(21.1, 22)]).found == 0


def test_nothing_at_all() -> None:
    match = match_stream([], [])
    assert match.clean and match.false == 0 and match.delays == ()
    assert match_stream([], [span(1, 2)]).false == 1


def test_overlap_of_instants() -> None:
    assert overlap(span(1, 1), span(1, 1)) == 1.0
    assert overlap(span(0, 10), span(5, 15)) == 1 / 3


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 15)).map(lambda each: span(each[0], each[0] + each[1])), max_size=4
)


@given(spans, spans)
@settings(max_examples=150, deadline=None)
def test_the_pairing_is_the_largest_possible(labelled: list[Span], predicted: list[Span]) -> None:
    match = match_stream(labelled, predicted)
    padded = list(range(len(predicted))) + [None] * len(labelled)
    best = max(
        (
            sum(p is not None and touches(labelled[t], predicted[p]) for t, p in enumerate(order))
            for order in permutations(padded, len(labelled))
        ),
        default=0,
    )
    assert len(match.pairs) == best
    assert all(touches(labelled[t], predicted[p]) for t, p in match.pairs.items())
    assert len(set(match.pairs.values())) == len(match.pairs)
    # Every prediction is paired, split, false or ignored; every label is paired, merged or missed.
    assert len(match.pairs) + match.split + match.false + match.ignored == len(predicted)
    assert len(match.pairs) + match.merged + match.missed == len(labelled)
