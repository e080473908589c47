"""Evidence: what varies, and what names different events."""

from __future__ import annotations

import itertools

import pytest

from ingest.templates.evidence import Thresholds, generalise, partition
from ingest.templates.words import separators_before, split

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank"]


def templates(messages: list[str], thresholds: Thresholds | None = None) -> set[str]:
    found = [split(each) for each in messages]
    (layout,) = {layout for _, layout in found}
    chosen = thresholds or Thresholds()
    parts = partition([words for words, _ in found], separators_before(layout), chosen)
    return {" ".join(generalise(part, chosen)) for part in parts}


def test_few_plain_words_are_events_and_many_are_values() -> None:
    assert templates(["session opened now", "session closed now"]) == {"session opened now", "session closed now"}
    assert templates([f"login of {name} failed" for name in NAMES]) == {"login of <*> failed"}


def test_values_after_equals_vary_from_two_on() -> None:
    assert templates(["state=up now", "state=down now"]) == {"state <*> now"}


def test_identifiers_after_a_colon_vary_from_two_on() -> None:
    assert templates(["action: a.b.ON", "action: a.b.OFF"]) == {"action <*>"}


def test_words_with_digits_vary_from_two_on() -> None:
    assert templates(["link eth0 up", "link eth1 up"]) == {"link <*> up"}


def test_units_vary_with_their_number() -> None:
    assert templates(["free <NUM> KB now", "free <NUM> MB now"]) == {"free <NUM> <UNIT> now"}


def test_words_in_step_are_phrases() -> None:
    phrases = ["data address", "wait state", "machine check", "byte order", "debug event", "fraction rounded"]
    assert len(templates([f"interrupt on {phrase} seen" for phrase in phrases])) == len(phrases)


def test_the_first_word_varies_late() -> None:
    assert len(templates([f"{name} startup succeeded" for name in NAMES])) == len(NAMES)
    many = ["".join(letters) for letters in itertools.product("abcde", repeat=2)]
    assert templates([f"{word} startup succeeded" for word in many]) == {"<*> startup succeeded"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[:8])
def test_the_order_of_messages_is_nothing(order: tuple[int, ...]) -> None:
    messages = ["job a.b opened x", "job a.c opened x", "job a.b closed x", "job a.d closed x"]
    assert templates([messages[at] for at in order]) == templates(messages)
