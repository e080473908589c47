"""Documents from files: Markdown runbooks and postmortems, and incidents as JSON lines.

Markdown is split by heading, so that a search finds the passage and not the book. Front matter (YAML between `---`)
is kept: known keys fill fields, the rest become labels.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from core.domain import Quarantined
from core.errors import InputError
from core.memory import MemoryDocument, MemoryKind, Outcome
from core.severity import LEVELS
from rag.memory import codec

MAX_PASSAGE_CHARS: Final = 1500
MIN_PASSAGE_CHARS: Final = 80
MAX_FILE_BYTES: Final = 8 * 1024 * 1024

_HEADING: Final = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_DATE: Final = re.compile(r"\b(20\d\d-[01]\d-[0-3]\d)(?:[T ]([0-2]\d:[0-5]\d))?")
_POSTMORTEM: Final = re.compile(
    r"post[- ]?mortem|incident (?:report|review|on)|root cause|time to (?:resolve|repair)", re.I
)
_CAUSE: Final = re.compile(r"(?:root |proximate )?causes?(?: analysis)?|trigger|what went wrong", re.I)
_FIX: Final = re.compile(
    r"resolution|fix(?:es)?|mitigation|remediation|solution|how (?:it was|to) (?:fix|resolve)\w*", re.I
)
_LABELLED: Final = re.compile(
    r"^\s*(?:[-*+]\s+)?(?:\*\*|__)?([A-Za-z][A-Za-z ]{2,30}?)\s*:?\s*(?:\*\*|__)\s*:?\s*(.*)$"
)
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "incident_id", "case_id", "key", "number"),
    "title": ("title", "summary", "name", "headline"),
    "text": ("text", "description", "symptoms", "symptom", "body", "details"),
    "cause": ("cause", "root_cause", "rootCause"),
    "fix": ("fix", "resolution", "remediation", "mitigation"),
    "services": ("services", "service", "component"),
    "starts_at": ("starts_at", "started_at", "start", "date", "created_at", "time", "timestamp"),
    "ends_at": ("ends_at", "ended_at", "end", "resolved_at", "closed_at"),
    "level": ("level", "severity", "priority"),
    "outcome": ("outcome", "status"),
}
_LEVEL_WORDS: Final[Mapping[str, str]] = {
    "sev1": "disaster", "p1": "disaster", "critical": "disaster", "disaster": "disaster", "sev2": "high", "p2": "high",
    "high": "high", "major": "high", "error": "high", "sev3": "warning", "p3": "warning", "warning": "warning",
    "minor": "warning", "medium": "warning", "low": "warning",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file gave: documents, and what could not be used with the reason."""

    documents: tuple[MemoryDocument, ...]
    quarantined: tuple[Quarantined, ...] = ()


def read_file(path: Path, *, tenant: str, kind: MemoryKind | None = None, name: str | None = None) -> Imported:
    """The documents of a Markdown file (`.md`, `.markdown`, `.txt`) or of JSON lines (`.jsonl`, `.ndjson`, `.json`).

    `name` is the source that documents carry (default: the path as given); `kind` None: seen from the text.
    Raises InputError where the file cannot be read or is of no known type.
    """
    source = name or str(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES and path.suffix.lower() not in (".jsonl", ".ndjson"):
            raise InputError(f"{path}: larger than {MAX_FILE_BYTES // 1024 // 1024} MiB: split it")
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            with path.open("rb") as lines:
                return read_jsonl(lines, source, tenant=tenant)
        content = path.read_bytes()
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    if path.suffix.lower() == ".json":
        return read_jsonl([content.replace(b"\n", b" ")], source, tenant=tenant)
    if path.suffix.lower() not in (".md", ".markdown", ".txt"):
        raise InputError(
            f"{path}: type {path.suffix or 'none'} is unknown; expected .md, .markdown, .txt, .jsonl, .json"
        )
    return read_markdown(_decoded(content, path), source, tenant=tenant, kind=kind)


def _decoded(content: bytes, path: Path) -> str:
    """The text of a file: UTF-8, or what its byte order mark says. Raises InputError where it is neither.

    What is wrong here and there is replaced; a file of which a tenth is wrong has another encoding or is no text.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    text = content.decode("utf-8-sig", errors="replace")
    if text.count("\0") + text.count("\ufffd") > len(text) / 10:
        raise InputError(f"{path}: no UTF-8 text; convert it first, such as with `iconv -f cp949 -t utf-8`")
    return text


def read_markdown(text: str, source: str, *, tenant: str, kind: MemoryKind | None = None) -> Imported:
    """The passages of a Markdown text, one document each.

    Their ids are made from the source and the heading, so that importing again replaces them. A postmortem's cause
    and fix are taken from the sections (or bold labels) so named and kept with each of its passages.
    """
    quarantined: list[Quarantined] = []
    try:
        head, body = _front_matter(text)
    except InputError as exc:
        head, body = {}, text
        quarantined.append(Quarantined(source, 1, f"front matter: {exc}"))
    sections = _merged(_sections(body))
    if not sections:
        return Imported((), (*quarantined, Quarantined(source, 1, "no text")))
    kind = kind or _kind(head, body)
    title = _text(head, "title") or _first_heading(sections) or Path(source).stem.replace("-", " ").replace("_", " ")
    starts_at = _moment(_first(head, "starts_at")) or (_date_in(title, body) if kind is MemoryKind.POSTMORTEM else None)
    cause, fix = _text(head, "cause"), _text(head, "fix")
    if kind is MemoryKind.POSTMORTEM:
        cause, fix = cause or _named(sections, _CAUSE), fix or _named(sections, _FIX)
    known = {name for names in _NAMES.values() for name in names} | {"type", "kind", "tenant"}
    labels = {key: value for key, item in head.items() if key not in known and (value := _scalar(item))}
    documents: list[MemoryDocument] = []
    taken: dict[str, int] = {}
    for trail, passage in ((trail, part) for trail, content in sections for part in _passages(content)):
        heading = " > ".join(step for step in trail if step != title)
        key = hashlib.sha256(f"{source}\0{heading}".encode()).hexdigest()[:12]
        taken[key] = taken.get(key, 0) + 1
        documents.append(
            MemoryDocument(
                id=f"{kind.value}-{key}-{taken[key]}",
                kind=kind,
                title=f"{title}: {heading}" if heading else title,
                text=passage,
                services=_services(head),
                level=_level(_text(head, "level")),
                starts_at=starts_at,
                tenant=tenant,
                outcome=Outcome.RESOLVED if fix else Outcome.OPEN,
                cause=cause,
                fix=fix,
                source=source,
                labels=labels,
            )
        )
    return Imported(tuple(documents), tuple(quarantined))


def read_jsonl(lines: Iterator[bytes] | Sequence[bytes] | Any, source: str, *, tenant: str) -> Imported:
    """The incidents of JSON lines: `cali.memory/1` as `export` writes it, or objects with the usual field names.

    A line that cannot be used is quarantined. Objects of other tools need a title or a text; a missing id is made from
    the content.
    """
    documents: list[MemoryDocument] = []
    quarantined: list[Quarantined] = []
    for number, line in enumerate(lines, 1):
        line = line.removeprefix(codecs.BOM_UTF8)
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
            items = value if isinstance(value, list) else [value]
            documents.extend(_incident(item, source, tenant) for item in items)
        except (orjson.JSONDecodeError, InputError) as exc:
            quarantined.append(Quarantined(source, number, str(exc)))
    return Imported(tuple(documents), tuple(quarantined))


def _incident(value: Any, source: str, tenant: str) -> MemoryDocument:
    if isinstance(value, dict) and "schema" in value:
        return codec.from_json(value)
    if not isinstance(value, dict):
        raise InputError(f"an object expected, not {type(value).__name__}")
    title, text = _text(value, "title"), _text(value, "text")
    if not (title or text):
        raise InputError(f"no title and no text; expected one of {', '.join(_NAMES['title'] + _NAMES['text'])}")
    digest = hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    fix = _text(value, "fix")
    known = {name for names in _NAMES.values() for name in names}
    return MemoryDocument(
        id=_text(value, "id") or f"incident-{digest}",
        kind=MemoryKind.INCIDENT,
        title=(title or text or "")[:200],
        text=text or title or "",
        services=_services(value),
        level=_level(_text(value, "level")),
        starts_at=_moment(_first(value, "starts_at")),
        ends_at=_moment(_first(value, "ends_at")),
        tenant=tenant,
        outcome=_outcome(_text(value, "outcome"), fix),
        cause=_text(value, "cause"),
        fix=fix,
        source=source,
        labels={key: text for key, item in value.items() if key not in known and (text := _scalar(item))},
    )


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and the rest. Raises InputError where it is no mapping in YAML."""
    text = text.lstrip("\ufeff")
    if not text.startswith("---"):
        return {}, text
    head, found, body = text[3:].partition("\n---")
    if not found or "\n" not in head or len(head) > 20_000:
        return {}, text
    import yaml  # type: ignore[import-untyped]

    try:
        value = yaml.safe_load(head)
    except yaml.YAMLError as exc:
        raise InputError(str(exc).replace("\n", " ")) from exc
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise InputError("a mapping expected")
    return {str(key): item for key, item in value.items()}, body.partition("\n")[2]


def _sections(body: str) -> list[tuple[tuple[str, ...], str]]:
    """Headings from the top down to each text, and the text. Headings inside code fences are text."""
    found: list[tuple[tuple[str, ...], str]] = []
    trail: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False

    def close() -> None:
        if content := "\n".join(lines).strip():
            found.append((tuple(heading for _, heading in trail), content))
        lines.clear()

    for line in body.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line.rstrip())
            continue
        close()
        depth = len(heading[1])
        trail[:] = [step for step in trail if step[0] < depth]
        trail.append((depth, heading[2]))
    close()
    return found


def _merged(sections: Sequence[tuple[tuple[str, ...], str]]) -> list[tuple[tuple[str, ...], str]]:
    """Sections, where one too short to say anything joins the next under the same parent."""
    merged: list[tuple[tuple[str, ...], str]] = []
    for trail, content in sections:
        if merged and len(merged[-1][1]) < MIN_PASSAGE_CHARS and merged[-1][0][:-1] == trail[:-1]:
            before, text = merged.pop()
            joined = f"{text}\n\n{trail[-1]}\n{content}" if trail and before != trail else f"{text}\n\n{content}"
            merged.append((before, joined))
        else:
            merged.append((trail, content))
    return merged


def _passages(content: str) -> list[str]:
    """A text in parts of at most 1,500 characters, cut between paragraphs where there are any."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", content):
        piece = paragraph.strip("\n")
        if parts and len(parts[-1]) + len(piece) + 2 <= MAX_PASSAGE_CHARS:
            parts[-1] += "\n\n" + piece
            continue
        while len(piece) > MAX_PASSAGE_CHARS:
            cut = max(piece.rfind("\n", 0, MAX_PASSAGE_CHARS), piece.rfind(" ", 0, MAX_PASSAGE_CHARS))
            cut = cut if cut > MAX_PASSAGE_CHARS // 2 else MAX_PASSAGE_CHARS
            parts.append(piece[:cut])
            piece = piece[cut:].lstrip()
        if piece.strip():
            parts.append(piece)
    return parts


def _named(sections: Sequence[tuple[tuple[str, ...], str]], name: re.Pattern[str]) -> str | None:
    """The text of the section, or after the bold label, that is called so; None where there is none."""
    for trail, content in sections:
        if trail and name.fullmatch(trail[-1].strip(" :*")):
            return content[:2000]
    for _, content in sections:
        lines = content.split("\n")
        for row, line in enumerate(lines):
            label = _LABELLED.match(line)
            if label is None or not name.fullmatch(label[1].strip()):
                continue
            text = [label[2].strip()]
            for following in lines[row + 1 :]:
                if _LABELLED.match(following):
                    break
                text.append(following.strip())
            if joined := " ".join(part for part in text if part):
                return joined[:2000]
    return None


def _kind(head: Mapping[str, Any], body: str) -> MemoryKind:
    named = str(head.get("type", head.get("kind", ""))).lower().replace("-", "")
    if named in ("postmortem", "incident", "retrospective"):
        return MemoryKind.POSTMORTEM
    if named in ("runbook", "playbook", "howto"):
        return MemoryKind.RUNBOOK
    return MemoryKind.POSTMORTEM if _POSTMORTEM.search(body[:4000]) else MemoryKind.RUNBOOK


def _first_heading(sections: Sequence[tuple[tuple[str, ...], str]]) -> str | None:
    return next((trail[0] for trail, _ in sections if trail), None)


def _date_in(title: str, body: str) -> datetime | None:
    found = _DATE.search(title) or _DATE.search(body[:4000])
    return _moment(found[1] + ("T" + found[2] if found[2] else "")) if found else None


def _first(value: Mapping[str, Any], field: str) -> Any:
    return next((value[name] for name in _NAMES[field] if value.get(name) not in (None, "")), None)


def _text(value: Mapping[str, Any], field: str) -> str | None:
    item = _first(value, field)
    if isinstance(item, Mapping):  # `root_cause` of a labelled case
        item = item.get("text") or item.get("description")
    if isinstance(item, list):
        item = "\n".join(str(part) for part in item)
    return str(item).strip() or None if item is not None else None


def _services(value: Mapping[str, Any]) -> tuple[str, ...]:
    item = _first(value, "services")
    items = item if isinstance(item, list) else str(item).split(",") if item is not None else []
    return tuple(dict.fromkeys(name for part in items if (name := str(part).strip())))[:50]


def _scalar(value: Any) -> str:
    """A label's text: scalars, and lists of them."""
    if isinstance(value, list):
        return ", ".join(str(part) for part in value[:50] if not isinstance(part, list | dict))[:500]
    return "" if value is None or isinstance(value, dict) else str(value)[:500]


def _level(text: str | None) -> Any:
    level = _LEVEL_WORDS.get((text or "").strip().lower().replace("-", ""))
    return level if level in LEVELS else None


def _outcome(text: str | None, fix: str | None) -> Outcome:
    word = (text or "").strip().lower().replace(" ", "_")
    if word in ("resolved", "closed", "fixed", "done"):
        return Outcome.RESOLVED
    if word in (Outcome.UNRESOLVED, Outcome.FALSE_ALARM):
        return Outcome(word)
    return Outcome.RESOLVED if fix else Outcome.OPEN


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
        return datetime.fromtimestamp(value, UTC)
    try:
        return codec.parse_time(str(value)) if value else None
    except ValueError:
        return None
