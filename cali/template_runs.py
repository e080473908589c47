"""The templates of some logs: one pass over the lines, with what each template was seen to hold."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from core.batch import template_hex
from core.domain import LogTemplate, Quarantined
from core.errors import InputError
from ingest.parsing.stream import BatchStream
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

Progress = Callable[[int, str], None]
SAMPLES: Final = 12
"""Messages kept per template, to show what its parameters hold."""
_CHUNK: Final = 200_000
_CSV_ROWS: Final = 50_000


@dataclass
class TemplateRun:
    """What one pass found. `counts` and `samples` are by final template id."""

    sources: tuple[str, ...]
    lines: int = 0
    records: int = 0
    counts: Counter[int] = field(default_factory=Counter)
    samples: dict[int, list[str]] = field(default_factory=dict)
    unreadable: tuple[Quarantined, ...] = ()


def log_batches(
    paths: Sequence[str], timezone: ZoneInfo, observed_at: datetime, run: TemplateRun, threads: int
) -> Iterator[pl.DataFrame]:
    """The records of log files, parsed. Raises InputError where none can be read."""
    opened = open_sources(paths)
    if not opened.sources:
        reasons = "; ".join(f"{item.source}: {item.reason}" for item in opened.unreadable) or "no file matches"
        raise InputError(f"no log to read: {reasons}")
    run.sources = tuple(source.name for source in opened.sources)
    stream = BatchStream(opened.sources, timezone=timezone, observed_at=observed_at, threads=min(1, threads - 1))
    yield from stream
    run.unreadable = (*opened.unreadable, *(item for item in stream.quarantined if item.position == 0))


def column_batches(path: str, column: str) -> Iterator[pl.DataFrame]:
    """The values of one column of a CSV file as messages. Raises InputError where there is no such file or column."""
    try:
        table = pl.scan_csv(path, infer_schema=False, encoding="utf8-lossy")
        names = table.collect_schema().names()
        if column not in names:
            raise InputError(f"{path} has no column {column!r}; it has {', '.join(names)}")
        messages = table.select(body=pl.col(column).fill_null(""))
        yield from messages.collect_batches(chunk_size=_CSV_ROWS, maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as exc:
        raise InputError(f"{path} cannot be read as CSV: {exc}") from exc


def mine(
    batches: Iterator[pl.DataFrame],
    miner: DrainMiner,
    run: TemplateRun,
    assignments: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Mines batches; fills `run`, and writes the template of every line where `assignments` is given.

    Ids are spooled (8 bytes a line) and written at the end, so that every line has its final template and memory does
    not grow with the input.
    """
    counts: Counter[int] = Counter()
    samples: dict[int, list[str]] = {}
    full: set[int] = set()
    with tempfile.TemporaryFile() as spool:
        for batch in batches:
            mined = miner.assign(batch)
            ids = mined["template_id"]
            for template_id, count in ids.value_counts().iter_rows():
                counts[template_id] += count
            _sample(mined, samples, full)
            run.records += mined.height
            run.lines += int(mined["line_count"].sum()) if "line_count" in mined.columns else mined.height
            if assignments is not None:
                _spool(mined, spool)
            if progress is not None:
                progress(run.lines, "")
        for template_id, count in counts.items():
            run.counts[miner.resolve(template_id)] += count
        for template_id, bodies in samples.items():
            kept = run.samples.setdefault(miner.resolve(template_id), [])
            kept.extend(bodies[: SAMPLES - len(kept)])
        if assignments is not None:
            _write_assignments(spool, miner, assignments)


def _sample(mined: pl.DataFrame, samples: dict[int, list[str]], full: set[int]) -> None:
    wanted = mined.select("template_id", "body")
    if full:
        wanted = wanted.filter(~pl.col("template_id").is_in(list(full)))
    if wanted.is_empty():
        return
    for template_id, bodies in wanted.group_by("template_id").agg(pl.col("body").head(SAMPLES)).iter_rows():
        kept = samples.setdefault(template_id, [])
        kept.extend(bodies[: SAMPLES - len(kept)])
        if len(kept) >= SAMPLES:
            full.add(template_id)


def _spool(mined: pl.DataFrame, spool: IO[bytes]) -> None:
    ids = mined["template_id"].to_numpy()
    if "line_count" in mined.columns:
        first = mined["position"].to_numpy().astype(np.int64)
        repeats = mined["line_count"].to_numpy()
        ids = np.repeat(ids, repeats)
        starts = np.repeat(first, repeats)
        within = np.arange(len(ids)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        positions = starts + within
    else:
        done = spool.tell() // 16
        positions = np.arange(done + 1, done + len(ids) + 1, dtype=np.int64)
    spool.write(np.column_stack((positions, ids)).astype(np.int64).tobytes())


def _write_assignments(spool: IO[bytes], miner: DrainMiner, path: Path) -> None:
    spool.seek(0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.write(b"line,template_id,template\n")
            names: dict[int, tuple[str, str]] = {}
            while data := spool.read(_CHUNK * 16):
                pairs = np.frombuffer(data, dtype=np.int64).reshape(-1, 2)
                frame = pl.DataFrame({"line": pairs[:, 0], "id": pairs[:, 1]})
                for each in frame["id"].unique():
                    if each not in names:
                        root = miner.resolve(each)
                        names[each] = (template_hex(root), miner.text_of(root))
                known = pl.DataFrame(
                    [(each, *names[each]) for each in frame["id"].unique()],
                    schema={"id": pl.Int64, "template_id": pl.String, "template": pl.String},
                    orient="row",
                )
                joined = frame.join(known, on="id", how="left", maintain_order="left")
                joined.select("line", "template_id", "template").write_csv(out, include_header=False)
    except OSError as exc:
        raise InputError(f"{path} cannot be written: {exc.strerror}") from exc


def found(run: TemplateRun, miner: DrainMiner) -> list[LogTemplate]:
    """The templates of a run with its counts, the most frequent first."""
    known = miner.templates()
    result = []
    for template_id, count in run.counts.items():
        template = known.get(template_id)
        result.append(
            LogTemplate(
                template_id,
                miner.text_of(template_id),
                template.version if template else 1,
                count,
                0,
                template.service if template else None,
            )
        )
    return sorted(result, key=lambda each: (-each.count, each.template_id))
