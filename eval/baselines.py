"""Simple systems to be better than. Each is a few lines of common sense; none sees a label.

- keyword: every line that matches an error word; services by how many such lines they have;
- most_errors: lines of level ERROR or worse; services by their number;
- first_error: the same lines; services by who logged the first one;
- rarest_template: lines whose masked form is not in the baseline log (or, without one, the rarest forms of the log),
  sessions with a form that at most 2 % of sessions have; services by their rarest line;
- tfidf, bm25: flag nothing; nearest neighbours of the distinct lines of the log (`eval.memory`);
- masked: templates are the messages with numbers masked (Loghub CSVs only).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from core.memory import MemoryDocument, MemoryKind
from eval.baseline_logs import ERRORS, Line, in_window, mask, read_case
from eval.system import CaseInput, PredictedEvidence, PredictedIncident, PredictedSuspect, Prediction

_KEYWORD: Final = re.compile(
    r"error|exception|fatal|fail|panic|critical|traceback|denied|refused|timed? ?out|unable|cannot|killed|oom",
    re.IGNORECASE,
)
_GAP: Final = timedelta(minutes=10)
_RARE_SHARE: Final = 0.02
_DOCUMENT_BYTES: Final = 200_000
_SUSPECTS: Final = 5

Ranking = Callable[[Sequence[Line], Counter[str]], list[tuple[Line, float]]]


class Baseline:
    """A baseline as a system: `flag` picks lines, `rank` orders one line per suspected service, best first."""

    def __init__(self, flag: Callable[[Sequence[Line], Sequence[Line]], list[Line]], rank: Ranking) -> None:
        self._flag = flag
        self._rank = rank

    def predict(self, case: CaseInput) -> Prediction:
        """Flags lines of the window, groups them into incidents at gaps of ten minutes, ranks their services."""
        everything = read_case(case.logs, case.timezone)
        window = in_window(everything, case.window_start, case.window_end)
        reference: Sequence[Line] = read_case(case.baseline_logs, case.timezone)
        if not reference and case.window_start:
            start = case.window_start
            reference = [line for line in everything if line.time is not None and line.time < start]
        flagged = self._flag(window, reference)
        forms = Counter(line.form for line in window)
        first = str(case.logs[0]) if case.logs else ""
        numbers = tuple(line.number for line in flagged if line.source == first)
        incidents = tuple(self._incident(group, forms) for group in _groups(flagged))
        return Prediction(
            verdict="inconclusive" if incidents else "no_incident",
            incidents=incidents,
            anomalous_lines=numbers,
            line_scores=dict.fromkeys(numbers, 1.0),
            anomalous_sessions=self._sessions(case, everything, set(numbers)),
        )

    def _sessions(self, case: CaseInput, lines: Sequence[Line], flagged: set[int]) -> tuple[str, ...]:
        return tuple(key for key, numbers in case.sessions.items() if not flagged.isdisjoint(numbers))

    def _incident(self, lines: Sequence[Line], forms: Counter[str]) -> PredictedIncident:
        times = [line.time for line in lines if line.time]
        ranked = self._rank(lines, forms)[:_SUSPECTS]
        return PredictedIncident(
            starts_at=min(times, default=None),
            ends_at=max(times, default=None),
            level="high",
            services=tuple(sorted({line.service for line in lines if line.service})),
            suspects=tuple(
                PredictedSuspect(
                    rank=rank,
                    score=score,
                    service=line.service,
                    cause=line.message,
                    evidence=(PredictedEvidence(line.source, line.number, line.text),),
                )
                for rank, (line, score) in enumerate(ranked, 1)
            ),
        )


class RarestTemplate(Baseline):
    """Sessions are judged by the share of sessions that have a form, not by the lines of the whole log."""

    def _sessions(self, case: CaseInput, lines: Sequence[Line], flagged: set[int]) -> tuple[str, ...]:
        forms = {line.number: line.form for line in lines if line.source == str(case.logs[0])}
        held = {key: {forms[number] for number in numbers if number in forms} for key, numbers in case.sessions.items()}
        frequency = Counter(form for each in held.values() for form in each)
        limit = _RARE_SHARE * len(held)
        return tuple(key for key, each in held.items() if any(frequency[form] <= limit for form in each))


class Neighbour:
    """Flags nothing; its document is the log itself."""

    def predict(self, case: CaseInput) -> Prediction:
        """An empty prediction with the distinct lines of the window as its document."""
        lines = read_case(case.logs, case.timezone)
        return Prediction(document=document_of(case, in_window(lines, case.window_start, case.window_end)))


class Masked(Neighbour):
    """Mines templates: one per message with its numbers masked."""

    def templates(self, messages: Sequence[str]) -> Sequence[tuple[str, str]]:
        """The masked message, as id and as text."""
        forms = [re.sub(r"0x[0-9A-Fa-f]+|\d+", "<*>", message) for message in messages]
        return [(form, form) for form in forms]


def document_of(case: CaseInput, lines: Iterable[Line]) -> MemoryDocument:
    """The first line of each masked form, in order, up to 200 kB."""
    distinct: dict[str, str] = {}
    size = 0
    for line in lines:
        form = mask(line.text)
        if form not in distinct and size < _DOCUMENT_BYTES:
            distinct[form] = line.text
            size += len(line.text)
    return MemoryDocument(case.case_id, MemoryKind.INCIDENT, case.case_id, "\n".join(distinct.values()))


def _keywords(window: Sequence[Line], reference: Sequence[Line]) -> list[Line]:
    return [line for line in window if _KEYWORD.search(line.message)]


def _errors(window: Sequence[Line], reference: Sequence[Line]) -> list[Line]:
    return [line for line in window if line.level in ERRORS]


def _unseen(window: Sequence[Line], reference: Sequence[Line]) -> list[Line]:
    if reference:
        known = {line.form for line in reference}
        return [line for line in window if line.form not in known]
    forms = Counter(line.form for line in window)
    rarest = min(forms.values(), default=0)
    return [line for line in window if forms[line.form] == rarest]


def _by_count(lines: Sequence[Line], forms: Counter[str]) -> list[tuple[Line, float]]:
    """The service with the most lines first, each shown by its most frequent line."""
    services = Counter(line.service for line in lines)
    best = []
    for service, count in services.most_common():
        own = [line for line in lines if line.service == service]
        common = Counter(line.form for line in own).most_common(1)[0][0]
        best.append((next(line for line in own if line.form == common), count / len(lines)))
    return best


def _by_time(lines: Sequence[Line], forms: Counter[str]) -> list[tuple[Line, float]]:
    """The service with the first line first."""
    first: dict[str | None, Line] = {}
    for line in sorted(lines, key=lambda line: (line.time is None, line.time.timestamp() if line.time else 0.0)):
        first.setdefault(line.service, line)
    return [(line, 1 / rank) for rank, line in enumerate(first.values(), 1)]


def _by_rarity(lines: Sequence[Line], forms: Counter[str]) -> list[tuple[Line, float]]:
    """The service with the rarest line first; the earliest of equals."""
    rarest: dict[str | None, Line] = {}
    for line in sorted(lines, key=lambda line: forms[line.form]):
        rarest.setdefault(line.service, line)
    return [(line, 1 / forms[line.form]) for line in rarest.values()]


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    timed = sorted((line for line in lines if line.time), key=lambda line: line.time.timestamp() if line.time else 0.0)
    if not timed:
        return [list(lines)] if lines else []
    groups = [[timed[0]]]
    for before, line in pairwise(timed):
        if before.time and line.time and line.time - before.time > _GAP:
            groups.append([])
        groups[-1].append(line)
    return groups


BASELINES: Final[Mapping[str, Callable[[], Baseline | Neighbour]]] = {
    "keyword": partial(Baseline, _keywords, _by_count),
    "rarest_template": partial(RarestTemplate, _unseen, _by_rarity),
    "most_errors": partial(Baseline, _errors, _by_count),
    "first_error": partial(Baseline, _errors, _by_time),
    "tfidf": Neighbour,
    "bm25": Neighbour,
    "masked": Masked,
}
"""Factories by the name after `baseline:`."""

RETRIEVAL_BASELINES: Final = frozenset({"tfidf", "bm25"})
"""Those that find similar cases, and judge none."""

TEMPLATE_BASELINES: Final = frozenset({"masked"})
"""Those that mine templates, and do nothing else."""
