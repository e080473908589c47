"""The incident memory at work: what resembles an incident, and remembering it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.domain import SimilarIncident
from core.errors import CaliError
from core.memory import MemoryFilter, MemoryKind, MemoryMatch
from rag.memory import is_initialised

if TYPE_CHECKING:
    from core.config import Settings
    from core.domain import Incident, Suspect
    from core.findings import Detection, Findings
    from core.ports import Embedder, IncidentMemory
    from rag.material import Passage
    from rag.memory.hybrid import Reranker

MATCHES = 5
"""How many past incidents a report shows."""
PASSAGE_CHARACTERS = 1200
"""How much of a runbook passage goes into the evidence."""


def cache_folder() -> Path:
    """Where exported models are kept: once per user, not per state folder."""
    import os

    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cali"


def embedder_of(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    from rag.memory.embedding import open_embedder

    key = settings.memory_embedding_api_key
    return open_embedder(
        settings.memory_model,
        cache=cache_folder(),
        base_url=settings.memory_embedding_base_url,
        api_key=key.get_secret_value() if key else None,
    )


def reranker_of(settings: Settings) -> Reranker | None:
    """The cross-encoder that the settings name; None where none is: then nothing of it is imported either."""
    if settings.memory_reranker is None:
        return None
    from rag.memory.reranking import CrossEncoderReranker

    return CrossEncoderReranker(settings.memory_reranker)


@dataclass(frozen=True, slots=True)
class Initialised:
    """What making a memory did: whether one was made, the embedder's model, and the lowest cosine of its export against
    the original (None where the export was there already)."""

    made: bool
    model: str
    cosine: float | None


def prepare_model(settings: Settings) -> float | None:
    """Exports the default model where it is used and was not exported yet; the lowest cosine of the check."""
    from cali.progress import progress
    from rag.memory.embedding import DEFAULT_MODEL, model_folder, prepare_default_model
    from rag.memory.onnx_model import is_exported

    if settings.memory_model != DEFAULT_MODEL or settings.memory_embedding_base_url is not None:
        return None
    if is_exported(model_folder(cache_folder())):
        return None
    with progress() as display:
        if display is not None:
            display.preparing(DEFAULT_MODEL)
        return prepare_default_model(cache_folder())


def initialise(settings: Settings) -> Initialised:
    """Makes the memory of the settings where there is none, and prepares the default model (once per user)."""
    from rag.memory.open import initialise as make

    cosine = prepare_model(settings)
    embedder = embedder_of(settings)
    token = settings.memory_token
    secret = token.get_secret_value() if token else None
    made = make(settings.state, embedder, uri=settings.memory_uri, token=secret)
    return Initialised(made, embedder.model, cosine)


@contextmanager
def opened(settings: Settings) -> Iterator[IncidentMemory | None]:
    """The memory of the settings; None where none was initialised: then nothing of it is imported either."""
    if settings.memory_uri is None and not is_initialised(settings.state):
        yield None
        return
    from cali.wiring import redactor
    from rag.memory.open import open_memory

    token = settings.memory_token
    memory = open_memory(
        settings.state,
        embedder=embedder_of(settings),
        uri=settings.memory_uri,
        token=token.get_secret_value() if token else None,
        redact=redactor(settings),
        reranker=reranker_of(settings),
    )
    try:
        yield memory
    finally:
        memory.close()


@contextmanager
def consulted(settings: Settings) -> Iterator[Recollection]:
    """The memory of the settings as an analysis uses it: one that cannot be had (held by another process, out of reach,
    of another model) is told and left out."""
    with ExitStack() as stack:
        recollection = Recollection(None, settings.memory_tenant)
        try:
            recollection.memory = stack.enter_context(opened(settings))
        except CaliError as exc:
            recollection.lose(exc)
        yield recollection


@dataclass(slots=True)
class Recollection:
    """What an analysis asks of memory, which is a hint: what fails there never costs the report. `memory` None: there
    is none, or it failed."""

    memory: IncidentMemory | None = None
    tenant: str = "default"

    def of(self, incident: Incident, suspects: Sequence[Suspect]) -> Recalled:
        """What memory has on an incident."""
        try:
            return recall(self.memory, incident, suspects, self.tenant)
        except CaliError as exc:
            self.lose(exc)
            return Recalled()

    def keep(self, findings: Findings, detection: Detection) -> None:
        """Remembers what was found."""
        try:
            remember(self.memory, findings, detection, self.tenant)
        except CaliError as exc:
            self.lose(exc)

    def lose(self, reason: CaliError) -> None:
        """Goes on without memory, and says so."""
        self.memory = None
        click.echo(f"without memory, nothing is recalled or remembered: {reason}", err=True)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What memory has on an incident."""

    similar: tuple[SimilarIncident, ...] = ()
    passages: tuple[Passage, ...] = ()


def recall(memory: IncidentMemory | None, incident: Incident, suspects: Sequence[Suspect], tenant: str) -> Recalled:
    """Past incidents and passages that resemble an incident, the most alike first."""
    if memory is None:
        return Recalled()
    from rag.material import Passage
    from rag.memory.documents import document_of
    from rag.memory.likeness import same_cause

    query = document_of(incident, suspects, tenant=tenant)
    past = memory.search(query, MATCHES, MemoryFilter(kinds=(MemoryKind.INCIDENT,), tenant=tenant))
    written = (MemoryKind.RUNBOOK, MemoryKind.POSTMORTEM)
    prose = memory.search(query, 3, MemoryFilter(kinds=written, tenant=tenant))
    return Recalled(
        tuple(_similar(*each) for each in zip(past, same_cause(past, incident.fingerprint, suspects), strict=True)),
        tuple(
            Passage(match.document.id, match.document.title, match.document.text[:PASSAGE_CHARACTERS])
            for match in prose
        ),
    )


def _similar(match: MemoryMatch, likely: float) -> SimilarIncident:
    document = match.document
    told = document.source != "analyze" or document.confirmed > document.rejected
    return SimilarIncident(
        id=document.id,
        title=document.title,
        score=match.score,
        signals=tuple(signal.name for signal in match.signals),
        times_seen=match.times_seen,
        last_seen=match.last_seen,
        cause=document.cause,
        fix=document.fix,
        outcome=document.outcome.value,
        confirmed=told and document.cause is not None,
        same_cause=likely,
    )


def remember(memory: IncidentMemory | None, findings: Findings, detection: Detection, tenant: str) -> None:
    """Stores what was found, so that the next incident of its kind finds it. Storing it again changes nothing."""
    if memory is None or not findings.findings:
        return
    from rag.memory.documents import document_of

    memory.add([document_of(f.incident, f.suspects, tenant=tenant) for f in findings.findings])
    ids = {anomaly.template_id for finding in findings.findings for anomaly in finding.incident.anomalies}
    memory.add_templates([detection.templates[i] for i in sorted(ids) if i in detection.templates])
