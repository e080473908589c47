"""Incident -> Analysis, with or without a model. The same typed object either way, clearly marked.

With a model: the masked evidence goes out, the reply comes back as JSON, code verifies it, and what holds is shown with
its masks restored. Without one, or where the model fails, meets a cap or says nothing usable: suspects and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from pydantic import BaseModel

from core.chat import ChatReply, ChatRequest, Usage
from core.domain import (
    Analysis,
    Evidence,
    Hypothesis,
    Incident,
    RuledOut,
    SimilarIncident,
    Suspect,
    Verdict,
)
from core.errors import CaliError
from core.findings import Detection
from core.ports import ChatModel
from core.severity import LEVELS
from core.wording import times
from rag.budget import Budget, OverCapError
from rag.evidence import EvidencePack, collect
from rag.inert import inert
from rag.material import Added, Masker, Material, Passage, assemble
from rag.prompts import Prompt, load
from rag.replies import AnalysisReply, SecondOpinionReply, json_schema, parse
from rag.verification import Verified, verify

T = TypeVar("T", bound=BaseModel)

CERTAIN: Final = 0.5
"""Score from which a suspect alone is called a cause; below it, the analysis abstains."""
LIKELY_SAME: Final = 0.7
"""Probability of the same cause from which a past incident with a known cause makes this a known cause. Of the matches
of simulated cases that pass it, .87 have the cause."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One incident with all that code and memory know of it, and what someone asked about it."""

    incident: Incident
    detection: Detection
    suspects: Sequence[Suspect]
    ruled_out: Sequence[RuledOut] = ()
    similar: Sequence[SimilarIncident] = ()
    passages: Sequence[Passage] = ()
    next_steps: Sequence[str] = ()
    question: str | None = None


@dataclass(frozen=True, slots=True)
class AnalystOptions:
    """Sizes in tokens; `second_opinion` asks the model to refute its own hypotheses."""

    evidence_tokens: int = 4000
    max_output_tokens: int = 1500
    second_opinion: bool = False


@dataclass(frozen=True, slots=True)
class Analyst:
    """Explains incidents. `masker` makes one masking session per incident: masks of one never resolve in another."""

    model: ChatModel | None
    masker: Callable[[], Masker]
    options: AnalystOptions = AnalystOptions()

    def explain(
        self, subject: Subject, budget: Budget | None = None, on_text: Callable[[str], None] | None = None
    ) -> Analysis:
        """The analysis of one incident. Never raises for what a model or its endpoint does: `dropped` says it."""
        if self.model is None or budget is None:
            return without_model(subject, self._pack(subject, None))
        masker = self.masker()
        pack = self._pack(subject, masker)
        fallback = without_model(subject, pack)
        prompt = load("analysis")
        material = self._material(subject, pack, masker)
        session = _Session(self.model, budget, on_text)
        request = self._request(subject, prompt, material, masker)
        try:
            reply = session.ask(request, AnalysisReply)
        except CaliError as exc:
            return session.accounted(replace(fallback, dropped=(f"no model's analysis: {exc}",)))
        if reply is None:
            reasons = tuple(f"no model's analysis: {problem}" for problem in dict.fromkeys(session.problems))
            return session.accounted(replace(fallback, dropped=reasons))
        verified = verify(reply, material, subject.incident)
        if self.options.second_opinion and verified.hypotheses:
            verified = self._reviewed(verified, material, session)
        return _analysis(verified, subject, pack, masker, self.model.name, prompt, session)

    def prompt(self, subject: Subject) -> ChatRequest:
        """Exactly what would be sent for an incident."""
        masker = self.masker()
        material = self._material(subject, self._pack(subject, masker), masker)
        return self._request(subject, load("analysis"), material, masker)

    def _pack(self, subject: Subject, masker: Masker | None) -> EvidencePack:
        """The evidence; through `masker` where it is to leave the process."""
        mask = masker.mask if masker is not None else None
        budget = self.options.evidence_tokens - _added(subject).share(self.options.evidence_tokens)
        return collect(subject.incident, subject.detection, subject.suspects, budget, mask)

    def _request(self, subject: Subject, prompt: Prompt, material: Material, masker: Masker) -> ChatRequest:
        user = material.rendered()
        if subject.question:
            question = inert({"question": masker.mask(subject.question)})
            user = f"{user}\n\nThe engineer asks (answer it in `summary`): {question}"
        schema = json_schema(AnalysisReply)
        return ChatRequest(prompt.text, user, "analysis", schema, self.options.max_output_tokens)

    def _material(self, subject: Subject, pack: EvidencePack, masker: Masker) -> Material:
        return assemble(pack, masker, _added(subject), token_budget=self.options.evidence_tokens)

    def _reviewed(self, verified: Verified, material: Material, session: _Session) -> Verified:
        """A second pass, which may only lower confidence."""
        listed = [{"number": n, "cause": h.cause, "quotes": h.why} for n, h in enumerate(verified.hypotheses, 1)]
        hypotheses = "\n".join(("<hypotheses>", *(inert(h) for h in listed), "</hypotheses>"))
        request = ChatRequest(
            load("second_opinion").text,
            f"{material.rendered()}\n{hypotheses}",
            "second_opinion",
            json_schema(SecondOpinionReply),
            self.options.max_output_tokens,
        )
        try:
            reply = session.ask(request, SecondOpinionReply)
        except CaliError as exc:
            return replace(verified, dropped=(*verified.dropped, f"no second opinion: {exc}"))
        if reply is None:
            return replace(verified, dropped=(*verified.dropped, "no second opinion: the reply was not usable"))
        lowered = list(verified.hypotheses)
        objections: list[str] = []
        for review in reply.reviews:
            index = review.hypothesis - 1
            if 0 <= index < len(lowered) and 0.0 <= review.confidence < lowered[index].confidence:
                lowered[index] = replace(lowered[index], confidence=review.confidence, score=review.confidence)
                objections.append(
                    f"hypothesis {review.hypothesis}: second opinion lowers it to {review.confidence:.2f}"
                )
        lowered.sort(key=lambda h: -h.confidence)
        return replace(verified, hypotheses=tuple(lowered), dropped=(*verified.dropped, *objections))


def _added(subject: Subject) -> Added:
    return Added(subject.suspects, subject.ruled_out, subject.similar, subject.passages)


class _Session:
    """The requests of one analysis: each inside the caps, each counted; one repair of a reply that does not fit."""

    def __init__(self, model: ChatModel, budget: Budget, on_text: Callable[[str], None] | None) -> None:
        self._model = model
        self._budget = budget
        self._on_text = on_text
        self.problems: list[str] = []

    def ask(self, request: ChatRequest, form: type[T]) -> T | None:
        """The typed reply; None where there is none, with the reason in `problems`. Raises what the model raises."""
        for attempt in (request, None):
            if attempt is None:
                attempt = replace(request, user=f"{request.user}\n\nYour last reply was refused: {self.problems[-1]}.")
            try:
                reply = self._reply(attempt)
            except OverCapError as exc:
                self.problems.append(str(exc))
                return None
            if reply.finish == "refusal":
                self.problems.append("the model refused to answer")
                return None
            if reply.finish == "length":
                self.problems.append(f"the reply was cut at {attempt.max_output_tokens} tokens")
                return None
            try:
                return parse(reply.text, form)
            except ValueError as exc:
                self.problems.append(str(exc))
        return None

    def _reply(self, request: ChatRequest) -> ChatReply:
        """One reply, each try of it charged before it is sent: also one that broke off may cost."""
        charged = self._budget.charge(request, self._model.name)

        def tried(costs: bool) -> None:
            nonlocal charged
            if costs:
                charged = self._budget.charge(request, self._model.name)

        reply = self._model.reply(request, self._on_text, tried)
        self._budget.settle(charged, reply)
        return reply

    def accounted(self, analysis: Analysis) -> Analysis:
        """The analysis with what was spent on it."""
        used: Usage = self._budget.used
        return replace(
            analysis, input_tokens=used.input_tokens, output_tokens=used.output_tokens, cost_usd=used.cost_usd
        )


def _analysis(
    verified: Verified,
    subject: Subject,
    pack: EvidencePack,
    masker: Masker,
    model: str,
    prompt: Prompt,
    session: _Session,
) -> Analysis:
    own = masker.restore
    lines = _Lines(subject, pack)
    analysis = Analysis(
        verdict=verified.verdict,
        summary=own(verified.summary),
        hypotheses=tuple(_local(h, own, lines) for h in verified.hypotheses),
        ruled_out=tuple(RuledOut(own(r.what), own(r.why)) for r in verified.ruled_out),
        next_steps=tuple(own(step) for step in verified.next_steps) or tuple(subject.next_steps),
        similar=verified.similar,
        dropped=tuple(own(text) for text in (*session.problems, *verified.dropped)),
        model=model,
        prompt_version=prompt.version,
    )
    return session.accounted(analysis)


def _local(hypothesis: Hypothesis, own: Callable[[str], str], lines: _Lines) -> Hypothesis:
    return replace(
        hypothesis,
        cause=own(hypothesis.cause),
        why=own(hypothesis.why),
        service=hypothesis.service and own(hypothesis.service),
        component=hypothesis.component and own(hypothesis.component),
        function=hypothesis.function and own(hypothesis.function),
        confirm_by=own(hypothesis.confirm_by),
        evidence=lines.of(hypothesis.supporting),
    )


class _Lines:
    """Items of a pack as evidence for people: the cited lines, verbatim from the log."""

    def __init__(self, subject: Subject, pack: EvidencePack) -> None:
        self._reader = subject.detection.reader
        self._items = {item.id: item for item in pack.items}

    def of(self, ids: Sequence[str], limit: int = 6) -> tuple[Evidence, ...]:
        citations = [c for i in ids if i in self._items for c in self._items[i].citations[:2]][:limit]
        records = self._reader.read(citations)
        return tuple(
            Evidence(r.source, r.position, r.timestamp, r.line, service=r.service, template_id=r.template_id)
            for r in (records[c] for c in dict.fromkeys(citations) if c in records)
        )


def without_model(subject: Subject, pack: EvidencePack) -> Analysis:
    """The analysis that suspects and memory give. It abstains where the best suspect is weak."""
    known = next(
        (past for past in subject.similar if past.cause and past.confirmed and past.same_cause >= LIKELY_SAME), None
    )
    hypotheses = tuple(_from_suspect(suspect, pack) for suspect in subject.suspects[:3])
    best = hypotheses[0] if hypotheses else None
    if known is not None:
        verdict = Verdict.KNOWN_CAUSE
        summary = f"Looks like {known.id} (seen {times(known.times_seen)}), whose cause was: {known.cause}"
        if known.fix:
            summary += f"; what was done: {known.fix}"
    elif best is not None and best.confidence >= CERTAIN:
        verdict = Verdict.NEW_CAUSE
        summary = f"Most likely: {best.cause}"
    elif best is None and LEVELS.index(subject.incident.level) == 0:
        verdict = Verdict.INCONCLUSIVE
        summary = "Something changed, but nothing in the logs says why."
    else:
        verdict = Verdict.INCONCLUSIVE
        summary = "Not enough evidence for a cause." + (f" A possibility: {best.cause}" if best else "")
    return Analysis(
        verdict=verdict,
        summary=summary,
        hypotheses=hypotheses,
        ruled_out=tuple(subject.ruled_out),
        next_steps=tuple(subject.next_steps),
        similar=tuple(subject.similar),
    )


def _from_suspect(suspect: Suspect, pack: EvidencePack) -> Hypothesis:
    cited = {evidence.citation for evidence in suspect.evidence}
    supporting = tuple(item.id for item in pack.items if cited.intersection(item.citations))
    return Hypothesis(
        kind=suspect.kind,
        score=suspect.score,
        cause=suspect.cause,
        why=suspect.why,
        category=suspect.category,
        fault_type=suspect.fault_type,
        service=suspect.service,
        component=suspect.component,
        function=suspect.function,
        evidence=suspect.evidence,
        confidence=suspect.score,
        supporting=supporting,
    )
