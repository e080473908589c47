"""Coarse keys of columns of messages, found once for messages that are alike but for their digits.

`masking.coarse_key` looks for words with digits, and the expression takes most of the time of mining messages that were
seen before. It asks whether a character is a digit, never which: so messages that are equal once each digit is a zero
(their *shape*) have their words with digits in the same places, and their keys differ only in digits outside of such
words (`eth0`, `eth1`). Shapes are few, are made by one pass over bytes, and tell which of them have such digits; only
those messages are keyed one by one. Where nearly every message has a shape of its own (ids in hexadecimal), all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from ingest.templates import masking

_SAMPLE: Final = 1000
"""Messages that show whether shapes are few; fewer are keyed one by one."""

_MOST_SHAPES: Final = 0.5
"""Share of different shapes in the sample up to which shapes are worth their making."""

_MOST_KNOWN: Final = 20_000
"""Shapes whose keys are remembered."""

_ROWS: Final = 32_768
"""Messages whose shapes are made at once: they take several times the memory of the messages."""

_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)


class CoarseKeys:
    """Finds the keys of columns of messages; remembers those of shapes. Use it from one thread."""

    def __init__(self, masks: Sequence[masking.Mask] = masking.DEFAULT_MASKS, seed: int = 7) -> None:
        self._masks = masks
        self._seed = seed
        self._shaped = masking.hide_numbers(masks)
        self._known = _no_shapes()

    def of(self, texts: pl.Series) -> pl.Series:
        """The hash (UInt64) of each message's coarse key. Messages have no line ends and are not null."""
        if len(texts) > _ROWS:
            starts = range(0, len(texts), _ROWS)
            return pl.concat([self.of(texts.slice(start, _ROWS)) for start in starts], rechunk=True)
        if not self._shaped or len(texts) <= _SAMPLE or _varied(texts.head(_SAMPLE)):
            return self._hashes(texts)
        rows = pl.DataFrame({"text": shapes(texts)}).with_columns(shape=pl.col("text").hash())
        news = rows.unique("shape", keep="any").join(self._known, on="shape", how="anti")
        if news.height:
            if self._known.height + news.height > _MOST_KNOWN:
                self._known = _no_shapes()
                news = rows.unique("shape", keep="any")
            others = pl.col("text").str.replace_all(masking.COARSE_PATTERN, "").str.contains("0", literal=True)
            keyed = news.select("shape", key=self._hashes(news["text"]), alone=others)
            self._known = pl.concat([self._known, keyed], rechunk=True)
        found = rows.select("shape").join(self._known, on="shape", how="left", maintain_order="left")
        alone = found["alone"].arg_true()
        return found["key"].scatter(alone, self._hashes(texts.gather(alone))) if len(alone) else found["key"]

    def _hashes(self, texts: pl.Series) -> pl.Series:
        key = masking.coarse_key(pl.col("text"), self._masks)
        return texts.to_frame("text").select(key.hash(seed=self._seed)).to_series()


def keyed(batch: pl.DataFrame, coarse: CoarseKeys) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each row's mined text and key hash, and the distinct keys with their number of rows."""
    body = batch["body"]
    if body.null_count():
        body = body.fill_null("")
    if body.str.contains("\n", literal=True).any() or (body.str.len_bytes() > masking.MAX_CHARACTERS).any():
        body = pl.DataFrame({"body": body}).select(masking.head(pl.col("body")))["body"]
    rows = pl.DataFrame({"text": body, "key": coarse.of(body)}).with_row_index("row")
    return rows, rows.group_by("key").len()


def of_rows(rows: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """The template id (`table`: `key`, `template_id`) of each row, by its key; null where there is none."""
    joined = rows.select("key").join(table, on="key", how="left", maintain_order="left")
    return joined["template_id"].alias("template_id")


def services_of(batch: pl.DataFrame) -> pl.Series:
    """The service of each row; null where the batch does not tell."""
    if "service" not in batch.columns:
        return pl.Series([None], dtype=pl.String).new_from_index(0, batch.height)
    return batch["service"].cast(pl.String)


def shapes(texts: pl.Series) -> pl.Series:
    """Texts without line ends, each digit as a zero."""
    joined: bytes = texts.str.join("\n").cast(pl.Binary)[0]
    joined = joined.translate(_ZEROS)  # each is as large as the texts: none is kept longer than needed
    column = pl.Series([joined], dtype=pl.Binary).cast(pl.String)
    del joined
    return column.str.split("\n").explode()


def _varied(sample: pl.Series) -> bool:
    return shapes(sample).n_unique() > _MOST_SHAPES * len(sample)


def _no_shapes() -> pl.DataFrame:
    return pl.DataFrame(schema={"shape": pl.UInt64, "key": pl.UInt64, "alone": pl.Boolean})
