"""Identity of templates: over restart, order, merge and cap."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.templates import snapshots
from ingest.templates.identity import Aliases, founding_id
from ingest.templates.merging import fingerprint, merge
from ingest.templates.miner import DrainMiner, MinerConfig

USERS = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]
_WORDS = st.sampled_from(
    ["open", "close", "read", "file", "disk", "failed", "ok", "user", "root", "node", "to", "from"]
)
_VALUES = st.one_of(
    st.integers(0, 10**9).map(str),
    st.sampled_from([f"user={name}" for name in USERS]),
    st.sampled_from(["10.0.0.1", "/var/log/app.log", "0x1f", "eth0", "[x]", "12:30:01", "a=b", "(empty)"]),
)
MESSAGES = st.lists(st.lists(st.one_of(_WORDS, _VALUES), max_size=7).map(" ".join), min_size=1, max_size=60)


def frame(messages: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"body": messages}, schema={"body": pl.String})


def final_ids(miner: DrainMiner, messages: list[str]) -> list[int]:
    return [miner.resolve(each) for each in miner.assign(frame(messages))["template_id"]]


def corpus() -> list[str]:
    lines = [f"Failed password for {user} from 10.0.0.{n} port {n}" for n, user in enumerate(USERS)]
    lines += [f"session {verb} for job {n}" for n in range(20) for verb in ("opened", "closed")]
    lines += [f"cache size {n}.5 {unit}" for n in range(5) for unit in ("KB", "MB")]
    lines += [f"delete {' '.join(f'blk_{k}1' for k in range(n))}" for n in range(1, 5)]
    return lines


def test_ids_are_the_same_in_any_process_and_fit_63_bits() -> None:
    assert founding_id("Invalid user <*> from <IP>") == 5422987504326672723
    assert founding_id("a") == founding_id("a") != founding_id("a", attempt=1)
    assert all(0 <= founding_id(str(n)) < 2**63 for n in range(1000))


def test_an_id_survives_the_generalisation_of_its_text() -> None:
    miner = DrainMiner()
    (before,) = set(final_ids(miner, ["Failed password for alice from 10.0.0.1 port 22"]))
    after = set(final_ids(miner, corpus()[: len(USERS)]))
    assert after == {before}
    assert miner.templates()[before].text == "Failed password for <*> from <IP> port <NUM>"
    assert miner.templates()[before].version == 2
    assert miner.store.templates[before].texts[0] == "Failed password for alice from <IP> port <NUM>"


def test_order_of_lines_does_not_matter() -> None:
    lines = corpus()
    expected = fingerprint(_mined(lines))
    for seed in range(10):
        shuffled = lines[:]
        random.Random(seed).shuffle(shuffled)
        assert fingerprint(_mined(shuffled)) == expected


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, seed=st.integers(0, 1000))
def test_any_lines_in_another_order_give_the_same_templates(messages: list[str], seed: int) -> None:
    shuffled = messages[:]
    random.Random(seed).shuffle(shuffled)
    assert fingerprint(_mined(messages)) == fingerprint(_mined(shuffled))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=MESSAGES, second=MESSAGES)
def test_a_restart_changes_no_id(tmp_path: Path, first: list[str], second: list[str]) -> None:
    going, path = DrainMiner(), tmp_path / "templates.json.zst"
    final_ids(going, first)
    snapshots.save(going, path)
    restarted = snapshots.load(path)
    assert fingerprint(restarted) == fingerprint(going)
    assert final_ids(restarted, first) == final_ids(going, first)
    assert final_ids(restarted, second) == final_ids(going, second)


@settings(max_examples=60, deadline=None)
@given(first=MESSAGES, second=MESSAGES)
def test_merging_is_commutative_and_every_id_still_resolves(first: list[str], second: list[str]) -> None:
    a, b = _mined(first), _mined(second)
    known = {*a.store.templates, *b.store.templates, *a.store.aliases.pairs(), *b.store.aliases.pairs()}
    both, other = merge(a, b), merge(b, a)
    assert fingerprint(both) == fingerprint(other)
    assert {both.resolve(each) for each in known} <= set(both.store.templates)
    assert sum(each.count for each in both.templates().values()) == len(first) + len(second)
    assert both.classify(frame(first + second))["template_id"].null_count() == 0


def test_merging_leaves_both_as_they_were() -> None:
    a, b = _mined(corpus()[:30]), _mined(corpus()[20:])
    before = fingerprint(a), fingerprint(b)
    merge(a, b)
    assert (fingerprint(a), fingerprint(b)) == before


def test_shards_know_together_what_one_miner_knows() -> None:
    lines = corpus()
    together = merge(_mined(lines[::2]), _mined(lines[1::2]))
    assert {text for _, text, _ in fingerprint(together)} == {text for _, text, _ in fingerprint(_mined(lines))}


def test_a_forgotten_template_returns_under_its_id() -> None:
    miner = DrainMiner(MinerConfig(max_templates=20))
    first = final_ids(miner, corpus()[: len(USERS)])
    words = ["".join(random.Random(n).choices("abcdefgh", k=9)) for n in range(400)]
    for start in range(0, 400, 40):
        final_ids(miner, [f"{word} {word[::-1]} {word[1:]}!" for word in words[start : start + 40]])
    assert len(miner.store.templates) <= 20
    assert first[0] not in miner.store.templates
    assert final_ids(miner, ["Failed password for zoe from 10.1.1.1 port 9"]) == [first[0]]
    assert miner.templates()[first[0]].text == "Failed password for <*> from <IP> port <NUM>"


def test_aliases_resolve_through_chains_and_stay_bounded() -> None:
    aliases = Aliases(limit=3)
    aliases.join([1], 2)
    aliases.join([2], 3)
    assert [aliases.resolve(each) for each in (1, 2, 3, 9)] == [3, 3, 3, 9]
    aliases.join([4, 5, 6], 7)
    assert len(aliases) == 3


def _mined(messages: list[str]) -> DrainMiner:
    miner = DrainMiner()
    miner.assign(frame(messages))
    return miner


def test_another_order_across_batches_gives_nearly_the_same_templates() -> None:
    lines = [line.replace("10.0.0.", f"10.{n}.0.") for n in range(20) for line in corpus()]
    expected = {text for _, text, _ in fingerprint(_mined(lines))}
    for seed in range(3):
        shuffled = lines[:]
        random.Random(seed).shuffle(shuffled)
        miner = DrainMiner()
        for start in range(0, len(shuffled), 100):
            miner.assign(frame(shuffled[start : start + 100]))
        texts = {text for _, text, _ in fingerprint(miner)}
        assert len(texts & expected) >= 0.9 * len(texts | expected)


def test_forgotten_aliases_do_not_lead_to_templates_that_are_gone() -> None:
    miner = DrainMiner()
    miner.store.aliases = Aliases(limit=2)
    for seed in range(4):
        names = ["".join(random.Random(f"{seed}{n}").choices("abcdefgh", k=8)) for n in range(8)]
        final_ids(miner, [f"step {seed} of {name} failed with code {'abcd'[seed]}" for name in names])
        ids = final_ids(miner, [f"step {seed} of {name} failed with code {'abcd'[seed]}" for name in names])
        assert set(ids) <= set(miner.store.templates)
