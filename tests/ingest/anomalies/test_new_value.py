"""`new_value`: unseen values of parameters that have few."""

from __future__ import annotations

from dataclasses import replace

from detection_parts import column

from ingest.anomalies import new_value
from ingest.anomalies.values import Column


def words(values: list[str], name: str = "state") -> Column:
    return replace(column([0.0] * len(values), name=name, unit=""), numbers=None, words=values)


def test_an_unseen_state_after_many_of_the_same_is_news_and_says_so() -> None:
    each = words(["ready"] * 60 + ["degraded"] * 10)
    (found,) = new_value.unseen([each], 0, 0.01)
    assert (found.value, found.first, found.count, found.known) == ("degraded", 60, 10, ("ready",))
    why = new_value.why(each, found)
    assert "'degraded'" in why and "10 samples" in why and "60 before" in why and "p=" in why


def test_a_value_known_before_the_window_is_no_news() -> None:
    assert new_value.unseen([words(["ready"] * 30 + ["degraded"] + ["ready"] * 20 + ["degraded"] * 10)], 40, 0.01) == []


def test_names_and_numbers_are_no_categories_and_status_codes_are() -> None:
    hosts = words([f"host-{i}" for i in range(40)])
    status = replace(words(["200"] * 60 + ["503"] * 10, name="status"))
    assert new_value.unseen([hosts], 0, 0.01) == []
    assert [each.value for each in new_value.unseen([status], 0, 0.01)] == ["503"]


def test_little_history_proves_nothing() -> None:
    assert new_value.unseen([words(["ready"] * 5 + ["degraded"] * 3)], 0, 0.01) == []
