"""Who speaks: names before several messages."""

from __future__ import annotations

from ingest.templates.actors import groups

PROGRAMS = ("firefox.exe", "svchost.exe", "Update Helper")


def test_names_that_several_messages_share() -> None:
    texts = [f"{name} {does}" for name in PROGRAMS for does in ("opened <HOST> through proxy", "closed <HOST> direct")]
    found = groups(dict(enumerate(texts)))
    assert sorted(found) == [[0, 2, 4], [1, 3, 5]]


def test_first_words_of_one_message_are_events() -> None:
    texts = [f"{word} the message queue" for word in ("Starting", "Draining", "Closing")]
    assert groups(dict(enumerate(texts))) == []


def test_two_names_are_not_enough_unless_the_place_is_known_to_vary() -> None:
    texts = [f"{name} {does}" for name in PROGRAMS[:2] for does in ("opened a socket", "closed a socket")]
    assert groups(dict(enumerate(texts))) == []
    known = groups({0: "<*> port <NUM> link down", 1: "Spine <NUM> port <NUM> link down"})
    assert known == [[0, 1]]


def test_what_is_done_is_told_in_two_words() -> None:
    texts = [f"{name} {does}" for name in PROGRAMS for does in ("started", "stopped")]
    assert groups(dict(enumerate(texts))) == []


def test_in_free_text_nothing_is_looked_for() -> None:
    texts = [f"{name} opened a socket {n:b} times" for n in range(2000) for name in PROGRAMS]
    assert groups(dict(enumerate(texts))) == []
    assert groups(dict(enumerate(texts[:60]))) != []
