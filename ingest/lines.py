"""Which physical lines of a log tell of the trouble: a score in [0, 1] for each line.

People mark the stretch of a log that explains a failure: it begins with a line that says so, and goes on with its
details. So a line counts by three things: whether it is news (its masked form is unknown to the reference), whether it
or a line just above it is alarming, and whether it says anything: a bare "BUILD FAILED" tells that the job failed, not
why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core import severity
from core.domain import AnomalyKind
from core.findings import Detection
from core.ports import LogSource, TemplateMiner
from ingest.anomalies.symptoms import words
from ingest.parsing.parser import UTC_ZONE
from ingest.parsing.stream import BatchStream
from ingest.templates import masking

ANOMALOUS: Final = 0.5
"""Score from which a line is anomalous."""

GAP: Final = 2
"""Lines that are no news inside a stretch that is."""

LINE_SCORES: Final = pl.Schema({"position": pl.UInt64(), "score": pl.Float64(), "anomalous": pl.Boolean()})

_ESCAPES: Final = r"\x1b\[[0-9;?]*[A-Za-z]"
_MOST_CHARACTERS: Final = 1000
_PLACEHOLDER: Final = re.compile(r"<[A-Z]+>")
_LEVEL: Final = re.compile(r"(?i)^\W*(?:error|warn(?:ing)?|info|debug|fatal|severe)\b\W*")
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_STATUS_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        """
        abort aborted after and at be been build builds code command compilation complete completed did error errors
        exception execute exit exited fail failed failing failure failures fatal finished following for has have in
        info is it job log marked of on process returned run running script shell stage status step success task test
        tests the there to unsuccessful was were with warn warning warnings
        """,
    )
)
"""Words that state an outcome and no more."""

_OF_RECORDS: Final = frozenset({AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE, AnomalyKind.NEW_VALUE})
"""Kinds whose records are anomalous themselves; a changed rate says so of the rate, unless the records are alarming."""


def score_lines(
    source: LogSource,
    *,
    detection: Detection,
    miner: TemplateMiner,
    baseline: Sequence[LogSource] = (),
    timezone: ZoneInfo = UTC_ZONE,
    observed_at: datetime,
) -> pl.DataFrame:
    """`LINE_SCORES` of every physical line of one source, in order; the source is read again.

    With a `baseline`, news is what its lines do not contain. Without one, news are the records that the anomalies of
    `detection`'s incidents speak of (`miner` is the one that `detect` used). Nothing is anomalous without an incident.
    """
    known = known_forms(baseline) if baseline else None
    level, news = _records(source, detection, miner if known is None else None, timezone, observed_at)
    scored = []
    for frame in source.lines():
        lines = masked_lines(frame)
        at = lines["position"].to_numpy()
        fresh = news[at] if known is None else (~lines["form"].is_in(known)).to_numpy().astype(np.float64)
        form = lines["form"].to_list()
        if known is not None:
            fresh[[i for i, each in enumerate(form) if not each]] = 0.0
        if fresh.any():
            scored.append(score(Lines(at, lines["text"].to_list(), form, fresh, level[at])))
        else:
            scored.append(lines.select("position", score=pl.lit(0.0), anomalous=pl.lit(False)))
    found = pl.concat(scored) if scored else LINE_SCORES.to_frame()
    return found if detection.incidents else found.with_columns(anomalous=pl.lit(False))


def _records(
    source: LogSource, detection: Detection, miner: TemplateMiner | None, timezone: ZoneInfo, observed_at: datetime
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """By line number: severity of the record that starts there, and the score of the anomaly that it belongs to."""
    stream = BatchStream([source], timezone=timezone, observed_at=observed_at, threads=0)
    frames = [
        (miner.assign(batch) if miner else batch.with_columns(template_id=pl.lit(-1, dtype=pl.Int64))).select(
            "position", "line_count", "severity", "template_id", pl.col("service").cast(pl.String), "timestamp"
        )
        for batch in stream
    ]
    level = np.zeros(stream.lines + 1, dtype=np.uint8)
    news = np.zeros(stream.lines + 1)
    if not frames:
        return level, news
    records = pl.concat(frames)
    level[records["position"].to_numpy()] = records["severity"].to_numpy()
    for anomaly in (a for incident in detection.incidents for a in incident.anomalies):
        telling = anomaly.kind in _OF_RECORDS or anomaly.kind is AnomalyKind.RATE_SPIKE
        if miner is None or not telling:
            continue
        same = pl.col("template_id") == anomaly.template_id
        if anomaly.service is not None:
            same &= pl.col("service") == anomaly.service
        if anomaly.first_seen is not None and anomaly.last_seen is not None:
            same &= pl.col("timestamp").is_between(anomaly.first_seen, anomaly.last_seen).fill_null(True)
        for position, count in records.filter(same).select("position", "line_count").iter_rows():
            part = slice(position, position + count)
            news[part] = np.maximum(news[part], max(anomaly.score, 0.1))
    return level, news


def masked_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """`core.batch.LINES` with `text` (no terminal escapes) and `form` (masked, no leading or trailing blanks)."""
    text = pl.col("line").str.replace_all(_ESCAPES, "").str.slice(0, _MOST_CHARACTERS)
    return lines.select("position", text=text).with_columns(form=masking.mask(pl.col("text")).str.strip_chars())


def known_forms(sources: Sequence[LogSource]) -> frozenset[str]:
    """The masked forms of all lines of some known-good logs."""
    forms: set[str] = set()
    for source in sources:
        for frame in source.lines():
            forms.update(masked_lines(frame)["form"].unique().to_list())
    return frozenset(forms)


def own_words(form: str) -> tuple[int, int]:
    """Words of a masked line, and how many of them do more than state an outcome."""
    found = [word.lower() for word in _WORD.findall(_PLACEHOLDER.sub(" ", _LEVEL.sub("", form)))]
    return len(found), sum(word not in _STATUS_WORDS for word in found)


def stretches(member: NDArray[np.bool_], gap: int = GAP) -> list[tuple[int, int]]:
    """Runs of members with at most `gap` others between two, as half-open intervals."""
    at = np.flatnonzero(member)
    if at.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(at) > gap + 1)
    firsts = np.concatenate([[0], breaks + 1])
    lasts = np.concatenate([breaks, [at.size - 1]])
    return [(int(at[a]), int(at[b]) + 1) for a, b in zip(firsts, lasts, strict=True)]


@dataclass(frozen=True)
class Lines:
    """Columns of the lines of one log, all of one length.

    `news` in [0, 1]: how new or unusual a line is; `level`: severity of the record that the line starts, 0 where it has
    none or continues a record.
    """

    position: NDArray[np.uint64]
    text: Sequence[str]
    form: Sequence[str]
    news: NDArray[np.float64]
    level: NDArray[np.uint8]


def score(lines: Lines) -> pl.DataFrame:
    """`LINE_SCORES` of the lines, in order."""
    size = len(lines.position)
    alarms = np.zeros(size)
    mute = np.zeros(size, dtype=np.bool_)
    blank = np.zeros(size, dtype=np.bool_)
    facts: dict[tuple[str, int], tuple[float, bool, bool]] = {}
    for i, form in enumerate(lines.form):
        key = (form, int(lines.level[i]))
        if key not in facts:
            facts[key] = _facts(lines.text[i], form, key[1])
        alarms[i], mute[i], blank[i] = facts[key]
    news = lines.news > 0
    quiet = (lines.level > 0) & (lines.level < severity.WARN)
    anchors = news & (alarms >= ANOMALOUS) & ~mute & ~blank & ~quiet
    result = np.where(news, 0.2, 0.0)
    # Lines that go with an alarming one even if they are known: its blanks, and more lines at error level.
    loyal = blank | (lines.level >= severity.ERROR)
    for start, end in stretches(news | loyal):
        inside = np.flatnonzero(anchors[start:end]) + start
        if inside.size == 0:
            continue
        first = int(inside[0])
        for i in range(first, end):
            if quiet[i] or mute[i]:
                result[i] = max(result[i], 0.3 + 0.15 * alarms[i])
            elif news[i] or loyal[i]:
                result[i] = 0.6 + 0.4 * alarms[i] * max(0.5, lines.news[i])
        _trim(result, start, end, blank)
    return pl.DataFrame(
        {"position": lines.position, "score": np.round(result, 4), "anomalous": result >= ANOMALOUS}, schema=LINE_SCORES
    )


def _trim(result: NDArray[np.float64], start: int, end: int, blank: NDArray[np.bool_]) -> None:
    """Blanks at the end of a stretch explain nothing."""
    i = end - 1
    while i >= start and (blank[i] or result[i] < ANOMALOUS):
        if blank[i]:
            result[i] = min(result[i], 0.2)
        i -= 1


def _facts(text: str, form: str, level: int) -> tuple[float, bool, bool]:
    """How alarming a line is; whether it only states an outcome; whether it is a blank or a rule."""
    said = words(text)
    if level >= severity.ERROR:
        said = max(said, 0.8)
    total, own = own_words(form)
    return said, total > 0 and own == 0, total == 0
