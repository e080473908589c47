"""The templates of some logs: one pass over the lines, with what each template was seen to hold."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from core.domain import LogTemplate, Quarantined
from core.errors import InputError
from core.template_ids import template_hex
from ingest.parsing.parser import Parser
from ingest.sources.files import open_sources
from ingest.templates.lines import LineMiner
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


class _Part(NamedTuple):
    """`lines`: position and template_id; `records` by template id; `looked_at`: some records, to sample."""

    lines: pl.DataFrame
    records: Mapping[int, int]
    looked_at: pl.DataFrame


def mine_logs(
    paths: Sequence[str],
    timezone: ZoneInfo,
    observed_at: datetime,
    miner: DrainMiner,
    assignments: Path | None = None,
    progress: Progress | None = None,
) -> TemplateRun:
    """Mines log files. Raises InputError where none can be read."""
    opened = open_sources(paths)
    if not opened.sources:
        reasons = "; ".join(f"{item.source}: {item.reason}" for item in opened.unreadable) or "no file matches"
        raise InputError(f"no log to read: {reasons}")
    unreadable = list(opened.unreadable)

    def parts() -> Iterator[_Part]:
        for source in opened.sources:
            parser = Parser(source.name, timezone=timezone, modified_at=source.modified_at, observed_at=observed_at)
            try:
                for mined in LineMiner(parser, miner).mine(source):
                    yield _Part(mined.lines, mined.records, mined.parsed)
            except InputError as exc:
                unreadable.append(Quarantined(source.name, 0, str(exc)))
            unreadable.extend(item for item in source.quarantined if item.position == 0)

    run = TemplateRun(tuple(source.name for source in opened.sources))
    _run(parts(), miner, run, assignments, progress)
    run.unreadable = tuple(unreadable)
    return run


def mine_column(
    path: str, column: str, miner: DrainMiner, assignments: Path | None = None, progress: Progress | None = None
) -> TemplateRun:
    """Mines one column of a CSV file; rows count as lines, from 1. Raises InputError where there is no such column."""

    def parts() -> Iterator[_Part]:
        first = 1
        for batch in column_batches(path, column):
            mined = miner.assign(batch)
            position = pl.int_range(first, first + mined.height, dtype=pl.UInt64, eager=True)
            first += mined.height
            counts = dict(mined["template_id"].value_counts().iter_rows())
            yield _Part(mined.select(position.alias("position"), "template_id"), counts, mined)

    run = TemplateRun((path,))
    _run(parts(), miner, run, assignments, progress)
    return run


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


def _run(
    parts: Iterable[_Part], miner: DrainMiner, run: TemplateRun, assignments: Path | None, progress: Progress | None
) -> None:
    """Adds parts up; writes the template of every line where `assignments` is given.

    Ids are spooled (16 bytes a line) and written at the end, so that every line has its final template and memory does
    not grow with the input.
    """
    counts: Counter[int] = Counter()
    samples: dict[int, list[str]] = {}
    full: set[int] = set()
    with tempfile.TemporaryFile() as spool:
        for part in parts:
            counts.update(part.records)
            run.lines += part.lines.height
            if part.looked_at.height:
                _sample(part.looked_at, samples, full)
            if assignments is not None:
                pairs = part.lines.select(pl.col("position").cast(pl.Int64), "template_id")
                spool.write(pairs.to_numpy().astype(np.int64, order="C").tobytes())
            if progress is not None:
                progress(run.lines, "")
        for template_id, count in counts.items():
            run.counts[miner.resolve(template_id)] += count
            run.records += count
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
    for template_id, bodies in (
        wanted.group_by("template_id", maintain_order=True).agg(pl.col("body").head(SAMPLES)).iter_rows()
    ):
        kept = samples.setdefault(template_id, [])
        kept.extend(bodies[: SAMPLES - len(kept)])
        if len(kept) >= SAMPLES:
            full.add(template_id)


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
