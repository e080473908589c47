"""Metrics of template mining, on cases small enough to count by hand."""

from __future__ import annotations

import pytest

from eval.metrics_templates import fga, fta, grouping_accuracy, normalise, parsing_accuracy, untyped

TRUE = ["a", "a", "b", "b", "c"]


def test_grouping() -> None:
    assert grouping_accuracy([1, 1, 2, 2, 3], TRUE) == 1
    assert fga([1, 1, 2, 2, 3], TRUE) == 1
    # a is whole; b and c are one group: 2 of 5 messages, 1 right group of 2 predicted and 3 true
    assert grouping_accuracy([1, 1, 2, 2, 2], TRUE) == pytest.approx(2 / 5)
    assert fga([1, 1, 2, 2, 2], TRUE) == pytest.approx(2 * 1 / (2 + 3))


def test_templates() -> None:
    true = ["x <*>", "x <*>", "y"]
    assert parsing_accuracy(["x <NUM>", "x <NUM>", "y <*>"], true) == pytest.approx(2 / 3)
    assert fta(["x <NUM>", "x <NUM>", "y <*>"], true) == pytest.approx(2 * 1 / (2 + 2))
    # the right text on a message of another template spoils it
    assert fta(["x <NUM>", "x <NUM>", "x <NUM>"], true) == 0


def test_forms() -> None:
    assert untyped("from <IP> in <SIZE>, <memory:1>") == "from <*> in <*>, <memory:1>"
    assert normalise("  at <IP>:<NUM>  blk_<NUM> 12 <*>.<*>") == "at <*> <*> <*> <*>"
    assert parsing_accuracy(["at <IP>"], ["at <*>:<*>"]) == 0
    assert parsing_accuracy(["at <IP>"], ["at <*>:<*>"], form=normalise) == 1


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 predictions for 5 rows"):
        grouping_accuracy([1], TRUE)
