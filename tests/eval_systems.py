"""Systems for the tests of the harness: in a module that worker processes can import."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from core.memory import MemoryDocument, MemoryKind
from eval.system import CaseInput, PredictedEvidence, PredictedIncident, PredictedSuspect, Prediction


class Scripted:
    """Does what the first line of the case's log says: `ok`, `quiet`, `raise`, `die`, `hang`, `nonsense`, `lie`."""

    def predict(self, case: CaseInput) -> Prediction:
        """An incident at 10:30 that blames `users`, unless told otherwise."""
        with case.logs[0].open() as source:
            first = source.readline().rstrip("\n")
        if first == "raise":
            raise RuntimeError("told to raise")
        if first == "die":
            os._exit(17)
        if first == "hang":
            time.sleep(60)
        if first == "nonsense":
            return "a string"  # type: ignore[return-value]
        if first == "quiet":
            return Prediction(document=document("all is well"))
        at = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
        text = "not what the line says" if first == "lie" else first
        cited = PredictedEvidence(str(case.logs[0]), 1, text)
        suspect = PredictedSuspect(1, 0.9, service="users", fault_type="slow_query", cause="slow", evidence=(cited,))
        return Prediction(
            verdict="new_cause",
            incidents=(PredictedIncident(at, at, "high", ("users",), (suspect,)),),
            anomalous_lines=(1,),
            line_scores={1: 0.9},
            anomalous_sessions=("s1",) if "s1" in case.sessions else (),
            document=document(first),
            report=f"<!doctype html><title>{case.case_id}</title>",
        )

    def templates(self, messages: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Each message is its own template."""
        return [(message, message) for message in messages]


def document(text: str) -> MemoryDocument:
    """A document of some text."""
    return MemoryDocument("to be replaced", MemoryKind.INCIDENT, "a title", text)


def make_scripted() -> Scripted:
    """The factory that workers call."""
    return Scripted()


def make_broken() -> Scripted:
    """A factory that fails."""
    raise OSError("no such model")
