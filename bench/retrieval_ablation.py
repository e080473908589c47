"""Which search finds the related incident: `python bench/retrieval_ablation.py RESULTS DATASET`.

RESULTS is the folder of a finished `cali eval run DATASET --output RESULTS`. The documents that CALI made of the cases
are taken from there; each memory is filled and asked anew, so that all see the same cases. Prints a Markdown table.

`+ feedback`: for every other case, someone has looked at the cause on record. Where fault type and service of the first
suspect are the labelled ones, it is confirmed; else it is rejected, and the labelled cause is given, as a person would
write it. The case that asks has no feedback, and its labels are used for scoring alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean

from cali.evaluation import NOW, open_case_memory
from core.memory import Feedback, MemoryDocument, MemoryFilter, MemoryMatch
from eval.datasets import Dataset, load_dataset
from eval.labels import Labels, read_labels
from eval.memory import TextMemory
from eval.metrics_retrieval import hit_at_k, reciprocal_rank
from eval.scoring import ranked_suspects
from eval.similar import with_similar
from eval.storage import RunFolder
from eval.system import CaseMemory, Outcome


class FeedbackMemory:
    """A memory in which people said of every case whether the cause on record is right."""

    def __init__(self, inner: CaseMemory, judged: Callable[[str], Feedback | None]) -> None:
        self._inner = inner
        self._judged = judged

    def add(self, documents: Sequence[MemoryDocument]) -> object:
        return self._inner.add([self._told(document) for document in documents])

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        return self._inner.search(query, k, where)

    def close(self) -> None:
        self._inner.close()

    def _told(self, document: MemoryDocument) -> MemoryDocument:
        entry = self._judged(document.id)
        return document if entry is None else replace(document, feedback=(entry,))


def feedback_of(case_id: str, labels: Labels, outcome: Outcome) -> Feedback | None:
    """What a person who knows the labelled cause says of the cause on record; None where no cause is labelled."""
    truth = labels.root_cause
    if truth is None:
        return None
    suspects = ranked_suspects(outcome.prediction.incidents)
    first = suspects[0] if suspects else None
    right = first is not None and all(
        getattr(first, name) in truth.values[name] for name in ("service", "fault_type") if name in truth.values
    )
    if right:
        return Feedback(case_id, "confirm", NOW, "engineer")
    return Feedback(case_id, "reject", NOW, "engineer", cause=truth.text)


def measured(dataset: Dataset, outcomes: dict[str, Outcome], memory: Callable[[], CaseMemory]) -> tuple[float, ...]:
    """hit@1, hit@5 and MRR over the cases that have a related one, and how many these are."""
    found = with_similar(dataset, outcomes, memory)
    rows = []
    for case in dataset.cases:
        labels = read_labels(case, dataset.root)
        ranked = [one.case_id for one in found[case.case_id].similar]
        if labels.related:
            rows.append(
                (
                    hit_at_k(ranked, labels.related, 1),
                    hit_at_k(ranked, labels.related, 5),
                    reciprocal_rank(ranked, labels.related),
                )
            )
    return (*(mean(column) for column in zip(*rows, strict=True)), len(rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("dataset", type=Path)
    options = parser.parse_args()
    dataset = load_dataset(options.dataset)
    folder = RunFolder(options.results)
    outcomes = {
        case.case_id: kept.outcome
        for case in dataset.cases
        if (kept := folder.load("cali", dataset.name, case.case_id)) is not None
    }
    if missing := len(dataset.cases) - len(outcomes):
        sys.stderr.write(f"{missing} of {len(dataset.cases)} cases have no answer in {options.results}\n")
        return 2
    judged = {case.case_id: feedback_of(case.case_id, read_labels(case, dataset.root), outcomes[case.case_id])
              for case in dataset.cases}  # fmt: skip
    memories: dict[str, Callable[[], CaseMemory]] = {
        "TF-IDF (no memory)": partial(TextMemory, "tfidf"),
        "BM25 (no memory)": partial(TextMemory, "bm25"),
        **{name: partial(open_case_memory, name) for name in ("dense", "words", "templates", "signature", "faults")},
        "fused": partial(open_case_memory, "hybrid"),
        "fused + feedback": lambda: FeedbackMemory(open_case_memory("hybrid"), judged.get),
    }
    sys.stdout.write("| search | hit@1 | hit@5 | MRR |\n| --- | --- | --- | --- |\n")
    for name, memory in memories.items():
        *values, count = measured(dataset, outcomes, memory)
        sys.stdout.write(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{count} queries among {len(dataset.cases)} cases\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
