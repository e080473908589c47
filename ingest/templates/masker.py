"""Masks applied to columns of messages again and again, by threads that keep the expressions compiled.

Polars remembers 32 compiled expressions per thread and forgets the one used longest ago. There are more masks than
that, and they are used in turn: one thread would compile each of them anew for every batch, which takes eight
milliseconds where the masking of a hundred messages takes one. So each thread applies a part of the masks, one part
after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl

from ingest.templates import masking

_PER_THREAD: Final = 24


class Masker:
    """Applies the same masks to many columns. Its threads start with the first and end with it."""

    def __init__(self, masks: Sequence[masking.Mask] = masking.DEFAULT_MASKS) -> None:
        parts = [masks[start : start + _PER_THREAD] for start in range(0, len(masks), _PER_THREAD)]
        self._parts = [(part, ThreadPoolExecutor(1, "cali-mask")) for part in parts]

    def mask(self, texts: pl.Series) -> pl.Series:
        """`masking.mask` of a column of messages."""
        for part, thread in self._parts:
            texts = thread.submit(_masked, texts, part).result()
        return texts.to_frame("text").select(masking.single_blanks(pl.col("text"))).to_series()


def _masked(texts: pl.Series, masks: Sequence[masking.Mask]) -> pl.Series:
    return texts.to_frame("text").select_seq(masking.replaced(pl.col("text"), masks)).to_series()
