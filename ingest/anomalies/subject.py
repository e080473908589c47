"""What is looked at for anomalies, and facts about it that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from core import severity
from core.domain import Citation, LogTemplate
from ingest.anomalies.panel import Panel, Series
from ingest.anomalies.statistics import Floats
from ingest.anomalies.symptoms import alarm, words
from ingest.counts import HistoryRow
from ingest.templates import masking

MOST_TEXTS: Final = 5000
"""Different messages that are asked what they say."""

SPOKEN: Final = 0.6
"""What the words of a message must amount to for it to count as a warning."""

_FREE_TEXT: Final = ("<STR>", "<*>")

EXAMPLES: Final = 3
"""Places of records that a symptom carries."""


@dataclass(frozen=True)
class Subject:
    """What is looked at: the run's table of one axis, its panel, the templates, and the reference in words.

    `known` is the table of the baseline, where there is one; `learned` are the rows of earlier runs.
    """

    table: pl.DataFrame
    panel: Panel
    templates: Mapping[int, LogTemplate]
    services: frozenset[str]
    reference: str
    rate: float
    known: pl.DataFrame | None = None
    learned: Sequence[HistoryRow] = ()


def spoken(table: pl.DataFrame, templates: Mapping[int, LogTemplate]) -> pl.DataFrame:
    """The table with the severity that messages speak of where their template does not fix it.

    One template may stand for good and bad news alike (`Event occurred reason=<STR>`). Where it holds free text and a
    sampled message tells of a failure that its severity hides, the row counts as a warning, and so as its own series.
    """
    free = [t for t, template in templates.items() if any(w in template.text for w in _FREE_TEXT)]
    mixed = (
        table.filter((pl.col("severity") < severity.WARN) & pl.col("template_id").is_in(free))
        .select("sample", key=masking.coarse_key(pl.col("sample")))
        .unique("key", maintain_order=True)
        .head(MOST_TEXTS)
    )
    bad = [key for text, key in mixed.iter_rows() if text and words(text) >= SPOKEN]
    if not bad:
        return table
    speaks = (
        (pl.col("severity") < severity.WARN)
        & pl.col("template_id").is_in(free)
        & masking.coarse_key(pl.col("sample")).is_in(bad)
    )
    return table.with_columns(
        severity=pl.when(speaks).then(pl.lit(severity.WARN, dtype=pl.UInt8)).otherwise("severity")
    )


class Facts:
    """Rows of the table by series, and what its messages say; read once, for all kinds of anomaly."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        panel = subject.panel
        grouped = (
            subject.table.lazy()
            .with_row_index("row")
            .group_by("template_id", pl.col("service").cast(pl.String), "severity")
            .agg(pl.col("sample").drop_nulls().first(), pl.col("row").sort_by("bucket", maintain_order=True))
            .collect()
        )
        # The rows of a series stand together, in order of their buckets: what is asked of them is a slice.
        self._rows = subject.table[grouped["row"].explode()]
        self._buckets = self._rows["bucket"].to_numpy()
        samples: dict[Series, str] = {}
        self._spans: dict[Series, tuple[int, int]] = {}
        start = 0
        for t, s, v, text, length in grouped.with_columns(pl.col("row").list.len()).iter_rows():
            samples[t, s, v] = text or ""
            self._spans[t, s, v] = start, start + length
            start += length
        self.messages = [samples.get(key, "") for key in panel.series]
        self.alarms: Floats = np.array(
            [alarm(m or self.text(k[0]), k[2]) for m, k in zip(self.messages, panel.series, strict=True)]
        )

    @property
    def records(self) -> float:
        """Records in the judged window."""
        return float(self.subject.panel.counts[:, self.subject.panel.start :].sum())

    def text(self, template_id: int) -> str:
        template = self.subject.templates.get(template_id)
        return template.text if template else ""

    def rows(self, row: int, low: int, high: int) -> pl.DataFrame:
        """The table's rows of a series whose bucket starts in [low, high)."""
        first, end = self._spans.get(self.subject.panel.series[row], (0, 0))
        start, stop = np.searchsorted(self._buckets[first:end], (low, high)).tolist()
        return self._rows.slice(first + start, stop - start)


def places(rows: pl.DataFrame, limit: int = EXAMPLES) -> tuple[Citation, ...]:
    """Some places of records in rows of the table: the first, and others spread over the rest."""
    if rows.is_empty():
        return ()
    picked = sorted({round(i * (len(rows) - 1) / max(1, limit - 1)) for i in range(limit)})
    chosen = zip(rows["first_source"].gather(picked), rows["first_position"].gather(picked), strict=True)
    found = [Citation(source, position) for source, position in chosen]
    if len(found) < limit:
        found.append(Citation(rows["last_source"][-1], rows["last_position"][-1]))
    return tuple(dict.fromkeys(found))[:limit]


def mentions(message: str, services: frozenset[str], own: str | None) -> frozenset[str]:
    """Services that a message names, other than its own."""
    lower = message.lower()
    return frozenset(s for s in services if s != own and len(s) >= 3 and s.lower() in lower)


def duration(span: timedelta) -> str:
    """A span in words: `45 s`, `12 min`, `3.5 h`, `2 d`."""
    seconds = span.total_seconds()
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            value = seconds / unit
            return f"{value:.0f} {name}" if value >= 10 or value == round(value) else f"{value:.1f} {name}"
    return f"{seconds:g} s"
