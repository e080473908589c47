"""How many messages never seen a batch may bring."""

from __future__ import annotations

import polars as pl

from ingest.templates.miner import DrainMiner, MinerConfig
from ingest.templates.novelty import NoveltyBudget


def test_a_share_of_the_rows_and_at_least_so_many() -> None:
    novelty = NoveltyBudget(0.1, 50)
    assert (novelty.of(100), novelty.of(10_000)) == (50, 1000)


def test_a_flood_that_lasts_leaves_a_quarter() -> None:
    novelty = NoveltyBudget(0.1, 50)
    granted = []
    for _ in range(4):
        granted.append(novelty.of(10_000))
        novelty.brought(10_000, 10_000)
    assert granted == [1000, 500, 250, 250]


def test_a_little_too_much_is_no_flood_and_a_batch_within_its_budget_ends_one() -> None:
    novelty = NoveltyBudget(0.1, 50)
    novelty.brought(1900, 10_000)
    assert novelty.of(10_000) == 1000
    novelty.brought(10_000, 10_000)
    novelty.brought(1900, 10_000)
    assert novelty.of(10_000) == 500, "between one share and two nothing changes"
    novelty.brought(1000, 10_000)
    assert novelty.of(10_000) == 1000


def test_small_batches_are_never_a_flood() -> None:
    novelty = NoveltyBudget(0.1, 5000)
    for _ in range(5):
        novelty.brought(4000, 4000)
    assert novelty.of(4000) == 5000


def test_what_is_frequent_is_learned_in_a_flood() -> None:
    miner = DrainMiner(MinerConfig(min_budget=10, budget=0.02))
    for batch in range(5):
        flood = [f"w{chr(97 + n % 26)}x{chr(97 + n // 26)} {'abcde'[batch]}q alone" for n in range(600)]
        mined = miner.assign(pl.DataFrame({"body": [*flood, *[f"pool {'vwxyz'[batch]} is empty"] * 5]}))
        assert miner.text_of(mined["template_id"][-1]).startswith("pool ")
    assert sum(miner.overflow.values()) > 2500
