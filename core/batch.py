"""The columnar batch: the Polars schema that every stage of ingest reads and adds to.

The hot path makes no Python object per line. A source yields *line frames* (`LINES`); parsing turns them into *log
batches* (`BATCH`), where a record may fold several lines; templates add `template_id` (`MINED`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

TIMESTAMP: Final[pl.DataType] = pl.Datetime("us", "UTC")

LINES: Final = pl.Schema(
    {
        "position": pl.UInt64(),  # 1-based physical line number (or record number)
        "line": pl.String(),  # the line without its \n (and without a \r before it), decoded, never null
    }
)
"""What a source yields, one frame per batch and source: physical lines, in order. Only `\\n` ends a line."""

BATCH: Final = pl.Schema(
    {
        "source": pl.Categorical(),  # path as given, `stdin`, `kinesis:stream/shard`, ...
        "position": pl.UInt64(),  # of the first physical line; `source:position` is the citation
        "timestamp": TIMESTAMP,  # event time, null where the record has none
        "observed_timestamp": TIMESTAMP,  # when it was read
        "severity": pl.UInt8(),  # OTel severity number, 0 = unspecified
        "service": pl.Categorical(),  # OTel service.name, null where unknown
        "body": pl.String(),  # the message without its header; a folded trace is one body, joined by \n
        "trace_id": pl.String(),
        "span_id": pl.String(),
        "attributes": pl.String(),  # JSON object of everything else the line carried, null where nothing
        "line_count": pl.UInt32(),  # physical lines folded into the record
    }
)
"""A parsed batch."""

MINED: Final = pl.Schema({**BATCH, "template_id": pl.Int64()})
"""A batch whose templates are assigned; `template_id` >= 0, 63 bits."""
