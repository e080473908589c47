"""Templates of raw lines: equal lines are parsed once.

`cali templates` needs no times and no fields, only which template each line has. Lines that are equal but for their
numbers (times, ids: the coarse key) have one format, one message and one template, so only the first of them is parsed
and mined. Lines that may belong to records of several lines (stack traces) are parsed in their place, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from core.ports import LogSource
from ingest.parsing import folding
from ingest.parsing.parser import Parser
from ingest.templates import masking
from ingest.templates.keys import CoarseKeys
from ingest.templates.miner import DrainMiner

_MARGIN: Final = 2 + folding.MESSAGE_LINES  # lines beside one that may fold which are parsed with it
_MAX_HELD: Final = 4000  # lines at the end of a frame that may fold with the next frame's
_FRAMES: Final = 4
_MAX_KEYS: Final = 500_000
_MAX_LINE: Final = 4 * masking.MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class MinedLines:
    """Templates of some lines. `lines`: `position` (UInt64) and `template_id` (Int64) of each physical line; `records`
    counts records by template id; `parsed` are the records that were looked at (BATCH and `template_id`)."""

    lines: pl.DataFrame
    records: dict[int, int]
    parsed: pl.DataFrame


class LineMiner:
    """Mines the raw lines of one source, frame by frame in order."""

    def __init__(self, parser: Parser, miner: DrainMiner) -> None:
        self._parser = parser
        self._miner = miner
        self._coarse = CoarseKeys(miner.config.masks, seed=11)
        self._known = _no_keys()
        self._generation = miner.generation
        self._held: pl.DataFrame | None = None

    def mine(self, source: LogSource) -> Iterator[MinedLines]:
        """Every line of a source with its template. Raises InputError where the source cannot be read."""
        for frame in _grouped(source.lines()):
            yield self._frame(frame, final=False)
        if self._held is not None:
            yield self._frame(self._held.clear(), final=True)

    def _frame(self, frame: pl.DataFrame, final: bool) -> MinedLines:
        if self._held is not None:
            frame = pl.concat([self._held, frame])
            self._held = None
        self._parser.learn(frame)
        if self._generation != self._miner.generation:  # templates were forgotten: ask again
            self._known, self._generation = _no_keys(), self._miner.generation
        rows = frame.select(
            "position",
            key=self._coarse.of(frame.select(_cut(pl.col("line"))).to_series()),
            row=pl.int_range(pl.len(), dtype=pl.UInt32),
        )
        keys = rows.group_by("key").agg(pl.len(), pl.col("row").first())
        parsed, fresh = self._learn(keys, frame)
        table = pl.concat([self._known.join(keys.select("key"), on="key", how="semi"), fresh])
        rows = rows.join(table, on="key", how="left", maintain_order="left")
        together = self._together(rows["folds"])
        if together is not None and not final and together[-1]:
            rows, together = self._hold(frame, rows, together)
        return self._mined(frame, rows, together, parsed)

    def _learn(self, keys: pl.DataFrame, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Parses and mines one line of each key never seen: the records, and the keys that will not be remembered."""
        news = keys.join(self._known, on="key", how="anti")
        if news.is_empty():
            return pl.DataFrame(), _no_keys()
        budget = self._miner.novelty.of(frame.height)
        self._miner.novelty.brought(news.height, frame.height)
        over = news.clear()
        if news.height > budget:
            news = news.sort(["len", "key"], descending=[True, False])
            news, over = news[:budget], news[budget:]
        news = news.sort("row")
        records, folds = self._parser.parse_single(frame[news["row"]])
        mined = records.with_columns(self._miner.learn(records, budget))
        table = news.select("key", template_id=mined["template_id"], folds=folds)
        self._known = pl.concat([self._known, table]).tail(_MAX_KEYS)
        return mined.filter(~folds), self._beyond(over, frame)

    def _beyond(self, over: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
        """The keys beyond the budget under overflow templates; of their lines only the service is looked for."""
        if over.is_empty():
            return _no_keys()
        lines = frame["line"].gather(over["row"])
        ids = self._miner.overflowing(lines, self._parser.services_of(lines), over["len"])
        return over.select("key", template_id=ids, folds=pl.lit(False))

    @staticmethod
    def _together(folds: pl.Series) -> pl.Series | None:
        """Which rows are parsed in their place: those that may fold, and their neighbours."""
        if not folds.any():
            return None
        near = folds
        for distance in range(1, _MARGIN + 1):
            near = near | folds.shift(distance).fill_null(False) | folds.shift(-distance).fill_null(False)
        return near

    def _hold(
        self, frame: pl.DataFrame, rows: pl.DataFrame, together: pl.Series
    ) -> tuple[pl.DataFrame, pl.Series | None]:
        """Keeps the rows at the end that may fold with what follows for the next frame."""
        apart = (~together).arg_true()
        first = apart[-1] + 1 if len(apart) else 0
        if frame.height - first > _MAX_HELD:
            return rows, together
        self._held = frame[first:]
        together = together[:first]
        return rows[:first], together if together.any() else None

    def _mined(
        self, frame: pl.DataFrame, rows: pl.DataFrame, together: pl.Series | None, parsed: pl.DataFrame
    ) -> MinedLines:
        single = rows if together is None else rows.filter(~together)
        ids = self._resolved(single["template_id"])
        records = {int(each): int(count) for each, count in ids.value_counts().iter_rows()}
        lines = pl.DataFrame({"position": single["position"], "template_id": ids})
        if together is not None:
            folded = self._parser.parse_alone(frame[: rows.height].filter(together))
            folded = folded.with_columns(self._miner.learn(folded, self._miner.novelty.of(frame.height)))
            for each, count in folded["template_id"].value_counts().iter_rows():
                records[each] = records.get(each, 0) + count
            spread = folded.select(
                position=pl.int_ranges(pl.col("position"), pl.col("position") + pl.col("line_count"), dtype=pl.UInt64),
                template_id="template_id",
            ).explode("position")
            lines = pl.concat([lines, spread]).sort("position")
            folded = folded.filter(folded["line_count"] > 1)
            parsed = folded if parsed.is_empty() else pl.concat([parsed, folded])
        self._miner.count(records)
        return MinedLines(lines, records, parsed)

    def _resolved(self, ids: pl.Series) -> pl.Series:
        distinct = ids.unique()
        roots: Callable[[int], int] = self._miner.resolve
        return ids.replace_strict(distinct, [roots(each) for each in distinct], return_dtype=pl.Int64)


def _grouped(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The first frame, then several together: what a frame costs whatever its size is then paid less often."""
    held: list[pl.DataFrame] = []
    wanted = 1
    for frame in frames:
        held.append(frame)
        if len(held) == wanted:
            yield pl.concat(held)
            held, wanted = [], _FRAMES
    if held:
        yield pl.concat(held)


def _cut(line: pl.Expr) -> pl.Expr:
    return pl.when(line.str.len_bytes() > _MAX_LINE).then(line.str.slice(0, _MAX_LINE)).otherwise(line)


def _no_keys() -> pl.DataFrame:
    return pl.DataFrame(schema={"key": pl.UInt64, "template_id": pl.Int64, "folds": pl.Boolean})
