from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.templates import keys, masking
from ingest.templates.keys import CoarseKeys
from ingest.templates.masker import Masker

_WORDS = st.sampled_from(["eth0", "eth7", "ssh2", "10.0.0.1", "blk_-38", "user", "a1b2", "7", "x-", "é9", "_", ""])
_MASKER = Masker()
_TEXTS = st.lists(st.lists(_WORDS, max_size=5).map(" ".join), min_size=1, max_size=6)


def one_by_one(texts: pl.Series, masks: tuple[masking.Mask, ...] = masking.DEFAULT_MASKS) -> pl.Series:
    return texts.to_frame("t").select(masking.coarse_key(pl.col("t"), masks).hash(seed=7)).to_series()


@given(_TEXTS)
@settings(deadline=None)
def test_keys_of_many_messages_are_those_of_each(texts: list[str]) -> None:
    column = pl.Series(texts * 400, dtype=pl.String)
    finder = CoarseKeys()
    assert finder.of(column).to_list() == one_by_one(column).to_list()
    assert finder.of(column).to_list() == one_by_one(column).to_list()  # the shapes are known now


def test_messages_that_differ_in_more_than_digits_are_keyed_one_by_one() -> None:
    column = pl.Series([f"request {number:x} of {number * 7919:x}" for number in range(3000)])
    assert CoarseKeys().of(column).to_list() == one_by_one(column).to_list()


def test_shapes_are_forgotten_when_there_are_many() -> None:
    finder = CoarseKeys()
    for start in range(0, 90_000, 30_000):
        alike = pl.Series(["block 17 of 5"] * 2000)
        own = pl.Series([f"word{'a' * (number % 300)}{number // 300} eth{number % 9}" for number in range(30_000)])
        column = pl.concat([alike, own.str.replace("word", f"w{chr(97 + start // 30_000)}")])
        assert finder.of(column).to_list() == one_by_one(column).to_list()


def test_without_masks_of_numbers_each_number_is_a_key_of_its_own() -> None:
    column = pl.Series(["took 7 s", "took 8 s"] * 1000)
    assert CoarseKeys(()).of(column).n_unique() == 2


def test_shapes_keep_the_number_of_messages() -> None:
    assert keys.shapes(pl.Series(["", "a9", ""])).to_list() == ["", "a0", ""]


@given(_TEXTS)
@settings(deadline=None)
def test_threads_mask_as_one_expression_does(texts: list[str]) -> None:
    column = pl.Series("text", texts, dtype=pl.String)
    expected = column.to_frame("text").select(masking.mask(pl.col("text"))).to_series()
    assert _MASKER.mask(column).to_list() == expected.to_list()
