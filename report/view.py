"""What each form shows of a report, decided once: the leading cause, the other thoughts, what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from core.domain import Verdict
from core.severity import LEVELS, Level
from report.models import (
    AnalysisModel,
    EvidenceModel,
    HypothesisModel,
    IncidentModel,
    QuarantinedModel,
    Report,
    RuledOutModel,
    SimilarModel,
    SuspectModel,
)
from report.text import clip_start, compact, count, percent

_T = TypeVar("_T")

LEVEL_MEANING: Final[dict[Level, str]] = {"warning": "degraded", "high": "partly failing", "disaster": "down"}

_VERDICT_HEADING: Final = {
    Verdict.KNOWN_CAUSE: "Most likely cause (seen before)",
    Verdict.NEW_CAUSE: "Most likely cause (not seen before)",
    Verdict.INCONCLUSIVE: "Strongest lead (the evidence settles nothing)",
    Verdict.NO_INCIDENT: "Strongest lead (the analysis sees no incident)",
}


@dataclass(frozen=True, slots=True)
class Lead:
    """The cause that a form puts first. It is inferred; only `evidence` is fact."""

    heading: str
    cause: str
    why: str
    certainty: str
    mechanism: str
    place: str
    evidence: tuple[EvidenceModel, ...]
    ids: str = ""
    confirm_by: str = ""


def lead(incident: IncidentModel) -> Lead | None:
    """The leading hypothesis of the analysis where it names a cause, else the first suspect, else nothing."""
    analysis = incident.analysis
    if analysis and _names_a_cause(analysis):
        first = analysis.hypotheses[0]
        return Lead(
            heading=_VERDICT_HEADING[analysis.verdict],
            cause=first.cause,
            why=first.why,
            certainty=certainty(first),
            mechanism=mechanism(first, author="model" if analysis.model is not None else None),
            place=place(first),
            evidence=first.evidence,
            ids=ids(analysis, first),
            confirm_by=first.confirm_by,
        )
    if not incident.suspects:
        return None
    suspect = incident.suspects[0]
    return Lead(
        heading=_VERDICT_HEADING[analysis.verdict] if analysis else "Most likely cause",
        cause=suspect.cause,
        why=suspect.why,
        certainty=certainty(suspect),
        mechanism=mechanism(suspect),
        place=place(suspect),
        evidence=suspect.evidence,
    )


def _names_a_cause(analysis: AnalysisModel) -> bool:
    return bool(analysis.hypotheses) and analysis.verdict in (Verdict.KNOWN_CAUSE, Verdict.NEW_CAUSE)


def other_hypotheses(incident: IncidentModel) -> Sequence[HypothesisModel]:
    """The hypotheses of the analysis that the lead leaves."""
    analysis = incident.analysis
    if analysis is None:
        return ()
    return analysis.hypotheses[1:] if _names_a_cause(analysis) else analysis.hypotheses


def ids(analysis: AnalysisModel, hypothesis: HypothesisModel) -> str:
    """What a model cited, as the ids of its prompt (`--explain-prompt` shows it): `for E1, E2; against E7`.

    Empty without a model: the lines themselves say more than ids of a prompt that nobody sent.
    """
    if analysis.model is None:
        return ""
    cited = (("for", hypothesis.supporting), ("against", hypothesis.contradicting))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in cited if names)


def other_suspects(incident: IncidentModel) -> Sequence[SuspectModel]:
    """The suspects that neither the lead nor a hypothesis of the analysis names."""
    first = lead(incident)
    named = {item.cause for item in other_hypotheses(incident)} | ({first.cause} if first else set())
    return [suspect for suspect in incident.suspects if suspect.cause not in named]


def certainty(suspect: SuspectModel) -> str:
    """`confidence 62 %` of a hypothesis, `score 0.91` of a suspect."""
    if isinstance(suspect, HypothesisModel):
        return f"confidence {percent(suspect.confidence)}"
    return f"score {suspect.score:.2f}"


def mechanism(suspect: SuspectModel, author: str | None = None) -> str:
    """What named it (a mechanism of the code, or an `author`) and what it is: `first_new · resource/memory_leak`."""
    parts = [part for part in (suspect.category, suspect.fault_type) if part]
    return " · ".join(part for part in (author or str(suspect.kind), "/".join(parts)) if part)


def place(suspect: SuspectModel) -> str:
    """Where it is: `payments, db/pool.py in acquire()`; empty where unknown."""
    code = suspect.component or ""
    if suspect.function:
        code = f"{code} in {suspect.function}" if code else suspect.function
    return ", ".join(part for part in (suspect.service or "", code) if part)


def ruled_out(incident: IncidentModel) -> Sequence[RuledOutModel]:
    """What was ruled out, by the ranking and by the analysis, each once."""
    return _unique(
        [*incident.ruled_out, *(incident.analysis.ruled_out if incident.analysis else ())], key=lambda item: item.what
    )


def next_steps(incident: IncidentModel) -> Sequence[str]:
    """What to do next, the analysis first, each once."""
    return _unique([*(incident.analysis.next_steps if incident.analysis else ()), *incident.next_steps], key=str)


def similar(incident: IncidentModel) -> Sequence[SimilarModel]:
    """Similar past incidents, each once."""
    return _unique([*incident.similar, *(incident.analysis.similar if incident.analysis else ())], key=lambda s: s.id)


def dropped(analysis: AnalysisModel) -> str:
    """What the list of dropped claims is: claims that were refused, or why there is no analysis of a model."""
    if analysis.model is None:
        return "A model was to explain this, and did not"
    return f"{count(len(analysis.dropped), 'claim')} of the model dropped by the checks"


def author(analysis: AnalysisModel) -> str:
    """Who says so and at what price: `model gpt-x, prompt v3, 3,200 tokens in, 410 out, $0.0123`."""
    if analysis.model is None:
        return "no model: from suspects and memory"
    parts = [f"model {analysis.model}"]
    if analysis.prompt_version:
        parts.append(f"prompt {analysis.prompt_version}")
    parts.append(f"{count(analysis.input_tokens)} tokens in, {count(analysis.output_tokens)} out")
    if analysis.cost_usd is not None:
        parts.append(f"${analysis.cost_usd:.4f}")
    return ", ".join(parts)


def summary(report: Report) -> str:
    """`2 incidents: 1 disaster, 1 warning`, or `no incident found`."""
    if not report.incidents:
        return "no incident found"
    levels = Counter(incident.level for incident in report.incidents)
    parts = [f"{levels[level]} {level}" for level in reversed(LEVELS) if levels[level]]
    return f"{count(len(report.incidents), 'incident')}: {', '.join(parts)}"


def lines_read(report: Report) -> str:
    """`12,345 lines, 12,300 parsed, 45 kept as plain text`."""
    stats = report.stats
    text = f"{count(stats.lines, 'line')}, {count(stats.parsed)} parsed"
    return f"{text}, {count(stats.unparsed)} kept without a header" if stats.unparsed else text


def formats(report: Report) -> str:
    """`json 12k, klog 300`; the six most frequent."""
    items = list(report.stats.formats.items())
    shown = ", ".join(f"{name} {compact(number)}" for name, number in items[:6])
    return f"{shown}, {len(items) - 6} more" if len(items) > 6 else shown or "none"


def sources(names: Sequence[str], limit: int = 3) -> str:
    """`3 sources: a.log, b.log, c.log`, `40 sources: a.log, b.log, c.log and 37 more`."""
    shown = ", ".join(clip_start(name, 40) for name in names[:limit])
    more = f" and {count(len(names) - limit)} more" if len(names) > limit else ""
    return f"{count(len(names), 'source')}: {shown}{more}" if names else "no source"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What was quarantined for one reason: how often, and the first place."""

    reason: str
    number: int
    first: str


def quarantine(items: Sequence[QuarantinedModel]) -> Sequence[Quarantine]:
    """Quarantined input by reason, the most frequent first."""
    counts = Counter(item.reason for item in items)
    first: dict[str, str] = {}
    for item in items:
        first.setdefault(item.reason, citation(item))
    return [Quarantine(reason, number, first[reason]) for reason, number in counts.most_common()]


def code_parts(step: str) -> Sequence[tuple[bool, str]]:
    """A step cut at its back-ticks: (is it code?, text). Where they do not pair, it is all text."""
    parts = step.split("`", maxsplit=40)
    if len(parts) % 2 == 0 or "`" in parts[-1] or not all(part.strip() for part in parts[1::2]):
        return [(False, step)]
    return [(bool(index % 2), part) for index, part in enumerate(parts)]


def place_of(item: EvidenceModel | QuarantinedModel, cells: int = 44) -> str:
    """The citation; of a long path only its end."""
    return clip_start(citation(item), cells)


def citation(item: EvidenceModel | QuarantinedModel) -> str:
    """`app.log:1234`."""
    return f"{item.source}:{item.position}"


def _unique(items: Iterable[_T], key: Callable[[_T], str]) -> list[_T]:
    seen: dict[str, _T] = {}
    for item in items:
        seen.setdefault(key(item), item)
    return list(seen.values())
