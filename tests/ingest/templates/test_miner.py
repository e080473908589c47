"""The miner: its port, its limits, and bad input."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.batch import MINED
from core.ports import TemplateMiner
from ingest.templates.miner import DrainMiner, MinerConfig

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def words(count: int, seed: int = 1) -> list[str]:
    drawn = LETTERS[np.random.default_rng(seed).integers(0, 26, size=(count, 10))]
    return ["".join(row) for row in drawn]


def test_it_is_a_template_miner_and_keeps_rows_in_order() -> None:
    miner: TemplateMiner = DrainMiner()
    bodies = ["job 1 done", "disk full", "job 2 done", ""]
    mined = miner.assign(pl.DataFrame({"body": bodies}))
    assert mined["body"].to_list() == bodies
    assert mined["template_id"].dtype == MINED["template_id"]
    texts = miner.templates()
    assert [texts[each].text for each in mined["template_id"]] == ["job <NUM> done", "disk full", "job <NUM> done", ""]
    assert {each.count for each in texts.values()} == {1, 2}


def test_nulls_empty_batches_and_folded_records() -> None:
    miner = DrainMiner()
    assert miner.assign(pl.DataFrame(schema={"body": pl.String})).columns == ["body", "template_id"]
    trace = "boom at 5\n  File x.py, line 3\nValueError: no"
    ids = miner.assign(pl.DataFrame({"body": [None, "", trace, "boom at 6"]}))["template_id"].to_list()
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]


def test_classify_learns_nothing() -> None:
    miner = DrainMiner()
    (known,) = miner.assign(pl.DataFrame({"body": ["job 1 done"]}))["template_id"]
    before = dict(miner.templates())
    found = miner.classify(pl.DataFrame({"body": ["job 9 done", "never seen"]}))["template_id"].to_list()
    assert found == [known, None]
    assert dict(miner.templates()) == before


def test_a_value_seen_later_joins_its_template() -> None:
    miner = DrainMiner()
    lines = [f"Invalid user {word} from 10.0.0.1" for word in words(30)]
    first = {miner.resolve(each) for each in miner.assign(pl.DataFrame({"body": lines[:20]}))["template_id"]}
    later = miner.assign(pl.DataFrame({"body": lines[20:]}))["template_id"]
    assert set(later) == first
    assert len(first) == 1


def test_beyond_the_budget_lines_are_counted_as_overflow_per_service_and_shape() -> None:
    miner = DrainMiner(MinerConfig(min_budget=50, budget=0.0))
    lines = [f"{a} {b}" for a, b in zip(words(200), words(200, 2), strict=True)] + ["common 1"] * 100
    services = pl.Series(["a", "b"] * 150)
    mined = miner.assign(pl.DataFrame({"body": lines, "service": services}))
    assert mined["template_id"].null_count() == 0
    assert sum(miner.overflow.values()) == 151  # 201 keys, the frequent one among the 50 that are learnt
    texts = miner.templates()
    assert {(texts[each].text, texts[each].service) for each in miner.overflow} == {("<*> <*>", "a"), ("<*> <*>", "b")}
    assert sum(each.count for each in texts.values()) == len(lines)


def test_templates_stay_within_the_cap_of_their_service() -> None:
    miner = DrainMiner(MinerConfig(max_templates=100))
    steady = "steady heartbeat ok"
    for start in range(0, 1000, 100):
        lines = [f"{word} {word[::-1]} {word[2:]}" for word in words(100, start)] + [steady]
        mined = miner.assign(pl.DataFrame({"body": lines}))
        assert len(miner.store.templates) <= 100
        assert miner.templates()[miner.resolve(mined["template_id"][-1])].text == steady


def test_a_line_shaped_adversary_costs_bounded_time_per_line() -> None:
    def seconds(batches: int) -> float:
        miner = DrainMiner(MinerConfig(max_templates=500, min_budget=200, budget=0.02))
        started = time.process_time()
        for seed in range(batches):
            drawn = words(4000, seed)
            miner.assign(pl.DataFrame({"body": [f"{a} x {b}" for a, b in zip(drawn, drawn[::-1], strict=True)]}))
        return time.process_time() - started

    seconds(1)
    few, many = seconds(4), seconds(16)
    assert many < 4 * few * 3


def test_a_token_of_a_megabyte() -> None:
    miner = DrainMiner()
    started = time.process_time()
    mined = miner.assign(pl.DataFrame({"body": ["a" * 1_000_000, "x=" * 500_000, "{" * 100_000, "1." * 500_000]}))
    assert mined["template_id"].null_count() == 0
    assert time.process_time() - started < 10


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=20))
def test_no_input_raises(messages: list[str]) -> None:
    miner = DrainMiner()
    mined = miner.assign(pl.DataFrame({"body": messages}, schema={"body": pl.String}))
    assert mined["template_id"].null_count() == 0
    assert {miner.resolve(each) for each in mined["template_id"]} <= set(miner.templates())


def test_without_masks_every_number_is_a_word_and_time_stays_bounded() -> None:
    miner = DrainMiner(MinerConfig(masks=(), min_budget=100, budget=0.01))
    mined = miner.assign(pl.DataFrame({"body": [f"job {number} took {number % 7} ms" for number in range(3000)]}))
    texts = {miner.text_of(each) for each in mined["template_id"]}
    assert "job <*> took <*> ms" in texts
    assert len(texts) < 10
