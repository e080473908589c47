"""Similar cases: what a memory of the other cases would have found. Runs after all cases were judged, without labels.

For each case the memory holds the other cases of its `pool`, less those of its `group`. Documents are made from logs
by the system; labels enter only where the caller adds them (`--labelled-memory`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from eval.datasets import Case, Dataset
from eval.system import CaseMemory, Outcome, SimilarCase

BEST = 50
"""Neighbours kept per case."""

MemoryFactory = Callable[[], CaseMemory]


def with_similar(
    dataset: Dataset,
    outcomes: Mapping[str, Outcome],
    make_memory: MemoryFactory,
    known: Callable[[Case], str | None] | None = None,
) -> dict[str, Outcome]:
    """The outcomes with `similar` filled in (and `known_item_rank` for documents).

    `known` gives the cause to remember with a case (labelled memory); None remembers no cause.
    """
    filled = dict(outcomes)
    pools: dict[str | None, list[Case]] = defaultdict(list)
    for case in dataset.cases:
        if case.case_id in outcomes:
            pools[case.pool].append(case)
    for cases in pools.values():
        documents = {case.case_id: document_of(case, outcomes[case.case_id]) for case in cases}
        memory = make_memory()
        try:
            # A document without a word can neither be found nor ask for anything.
            told = [case for case in cases if documents[case.case_id].text.strip()]
            memory.add([_remembered(case, documents[case.case_id], known) for case in told])
            for case in told:
                outcome = outcomes[case.case_id]
                if outcome.error is None:
                    filled[case.case_id] = _search(case, cases, documents[case.case_id], memory, outcome)
        finally:
            memory.close()
    return filled


def document_of(case: Case, outcome: Outcome) -> MemoryDocument:
    """What the memory keeps of a case: what the system wrote, or the text of a document."""
    if case.text is not None:
        text = case.text.read_text(encoding="utf-8", errors="replace")
        return MemoryDocument(case.case_id, MemoryKind.POSTMORTEM, case.case_id, text)
    document = outcome.prediction.document
    if document is None:
        return MemoryDocument(case.case_id, MemoryKind.INCIDENT, case.case_id, "")
    # No fingerprint: memory shows incidents of one fingerprint as one, and each case is to be found by itself.
    return replace(document, id=case.case_id, fingerprint=None)


def _remembered(case: Case, document: MemoryDocument, known: Callable[[Case], str | None] | None) -> MemoryDocument:
    cause = known(case) if known else None
    return replace(document, cause=cause) if cause else document


def _search(case: Case, cases: list[Case], document: MemoryDocument, memory: CaseMemory, outcome: Outcome) -> Outcome:
    kin = {c.case_id for c in cases if c is case or (case.group is not None and c.group == case.group)}
    matches = memory.search(document, BEST, MemoryFilter(exclude_ids=tuple(sorted(kin))))
    similar = tuple(SimilarCase(match.document.id, match.score) for match in matches if match.document.id not in kin)
    rank = None
    if case.text is not None and case.input.symptom:
        found = [match.document.id for match in memory.search(case.input.symptom, BEST, MemoryFilter())]
        rank = found.index(case.case_id) + 1 if case.case_id in found else 0
    return replace(outcome, similar=similar, known_item_rank=rank)
