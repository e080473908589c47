"""Counts of two readings brought under the same keys, before they are compared."""

from __future__ import annotations

import polars as pl

from core.ports import TemplateMiner
from ingest.counts import TABLE, HistoryRow, LearnedHistory, merged


def under_final_ids(table: pl.DataFrame, miner: TemplateMiner) -> pl.DataFrame:
    """Counts (`ingest.counts.TABLE`) under the ids that templates have at the end of the run.

    A template that a later batch merged into another was counted under its own id until then: without this, its early
    records look like a rare template of their own.
    """
    ids = table["template_id"].unique().to_list()
    final = [miner.resolve(each) for each in ids]
    if ids == final:
        return table
    return merged(table.with_columns(pl.col("template_id").replace_strict(ids, final, return_dtype=pl.Int64)))


def learned_under_final_ids(learned: LearnedHistory | None, miner: TemplateMiner) -> LearnedHistory | None:
    """What earlier runs counted, under the ids that templates have now; rows that become one are added up."""
    if learned is None:
        return None
    moved = {id_: miner.resolve(id_) for id_ in {row.template_id for row in learned.rows()}}
    if all(old == new for old, new in moved.items()):
        return learned
    rows: dict[tuple[object, ...], HistoryRow] = {}
    for row in learned.rows():
        now = row._replace(template_id=moved[row.template_id])
        key = (now.source, now.template_id, now.service, now.bucket, now.width, now.severity)
        kept = rows.get(key)
        rows[key] = now if kept is None else kept._replace(records=kept.records + now.records)
    return LearnedHistory.from_rows(rows.values())


def under_same_service(known: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Known-good counts, with the one service that is in them alone renamed to the one that is judged alone.

    Where lines name no service, the file does: `today.log` judged against `good.log` is the same service under two
    names. With several services on either side that nothing tells apart, names stay.
    """
    of_known, of_judged = (set(table["service"].cast(pl.String).drop_nulls()) for table in (known, judged))
    left, right = of_known - of_judged, of_judged - of_known
    if len(left) != 1 or len(right) != 1:
        return known
    service = pl.col("service").cast(pl.String).replace({left.pop(): right.pop()})
    return merged(known.with_columns(service.cast(TABLE["service"])))
