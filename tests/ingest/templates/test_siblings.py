"""Siblings: templates of different layouts that are one."""

from __future__ import annotations

import itertools

from ingest.templates.siblings import SiblingRules, keys, together, unify

RULES = SiblingRules()


def joined(texts: list[str]) -> bool:
    """Whether some rule makes one template of texts."""
    shared = set.intersection(*(set(keys(text, RULES)) for text in texts))
    numbered = dict(enumerate(texts))
    return any(together(rule, at, numbered, RULES) == sorted(numbered) for rule, at, _ in shared)


def test_pairs_runs_and_fans() -> None:
    assert joined(["acquire name=<ID>, ws=null", "acquire name=<ID>, ws={a b}"])
    assert joined(["ask <IP> to delete <ID> <ID>", "ask <IP> to delete <ID>"])
    assert joined(["synchronized to <IP>, stratum <NUM>", "synchronized to LOCAL(<NUM>), stratum <NUM>"])
    assert not joined(["session opened now", "session closed now"])
    assert not joined(["state wait.<NUM>", "state check.<NUM>"])


def test_unify_keeps_shared_punctuation_and_knows_no_order() -> None:
    texts = ["to <IP>, stratum <NUM>", "to LOCAL(<NUM>), stratum <NUM>", "to #<NUM>#, stratum <NUM>"]
    assert {unify(list(order)) for order in itertools.permutations(texts)} == {"to <*>, stratum <NUM>"}
    assert unify(["connection from (<HOST>) at", "connection from () at"]) == "connection from (<*>) at"
    assert unify(["delete <ID>", "delete <ID> <ID> <ID>"]) == "delete <ID>"
    assert unify(["a b c d", "a d"]) == "a <*> d"
