"""What a question wants to know, out of its words. No model takes part."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Wish(StrEnum):
    """What is asked for; several can be in one question."""

    CAUSE = "cause"
    CHANGES = "changes"
    """What was deployed, configured or restarted."""
    LEAD_UP = "lead_up"
    """What came before it, in order."""
    HEALTH = "health"
    """Whether something is well."""
    SEEN_BEFORE = "seen_before"
    """Whether it happened before, and what helped."""
    WHEN = "when"
    """When it began and ended."""
    NEXT = "next"
    """What to check or do."""


_PATTERNS: Final = {
    Wish.CHANGES: (
        r"\bwhat (?:has |have |had |was |were |got |did (?:we|you|they|anyone|somebody) )?(?:been )?"
        r"(?:change[ds]?|deploy(?:ed)?|roll(?:ed)? out|released?|reconfigured?|restarted|migrated)\b",
        r"\b(?:any|which|what|list|show|recent) (?:the )?(?:recent )?"
        r"(?:changes?|deploy(?:s|ments?)?|rollouts?|releases?|config\w*|restarts?|migrations?)\b",
        r"\bwho (?:changed|deployed|restarted)\b",
    ),
    Wish.LEAD_UP: (
        r"\b(?:what|which|anything)\b.*\b(?:before|first|led up|lead up|beforehand|preceded)\b",
        r"\btimeline\b|\bhow did (?:it|this|that) (?:start|begin)\b|\border of events\b",
    ),
    Wish.HEALTH: (
        r"\b(?:is|are|was|were) .{1,60}\b(?:healthy|ok|okay|fine|well|up|down|alive|working|affected|broken|degraded"
        r"|failing|involved)\b",
        r"\b(?:did|has|have|is|are) .{1,60}\b(?:recover(?:ed|ing)?|resolved|back|over|still (?:failing|broken|down))\b",
        r"\banything (?:wrong|broken|unusual|odd)\b|\bhealth\b|\bhow (?:is|are|was|were) ",
    ),
    Wish.WHEN: (r"\bwhen (?:did|has|was|is)\b|\bsince when\b|\bhow long\b|언제",),
    Wish.SEEN_BEFORE: (
        r"(?<!what )\b(?:has|have|had|did|was|ever|been|seen)\b.{0,40}\b(?:seen|happen(?:ed)?|occur(?:red)?|had|known"
        r"|this|it|that)\b.{0,30}\b(?:before|previously|earlier|in the past)\b",
        r"\b(?:similar|same|past|previous) (?:incidents?|problems?|failures?|outages?)\b|\bhow did we (?:fix|solve)\b",
        r"\bfirst time\b|\bagain\?",
    ),
    Wish.NEXT: (
        r"\bwhat (?:should|can|do|could|must) (?:i|we|one)\b|\bnext steps?\b|\bwhat to (?:do|check)\b",
        r"\bhow (?:do|can|should) (?:i|we) (?:fix|check|confirm|verify|debug|investigate)\b",
        r"\bwhere (?:do|should) (?:i|we) look\b",
    ),
}
_WORDS: Final = {wish: re.compile("|".join(parts), re.IGNORECASE) for wish, parts in _PATTERNS.items()}
_WHY: Final = re.compile(r"\b(?:why|cause[ds]?|reason|root|explain|what happened)\b", re.IGNORECASE)


def wishes_of(question: str) -> frozenset[Wish]:
    """What a question wants; its cause where its words say nothing else."""
    found = {wish for wish, words in _WORDS.items() if words.search(question)}
    if Wish.SEEN_BEFORE in found or Wish.CHANGES in found:
        found.discard(Wish.LEAD_UP)  # "has this happened before?", "what changed before it?"
    if Wish.WHEN in found:
        found.discard(Wish.HEALTH)  # "how long was it down?"
    if _WHY.search(question):
        found.discard(Wish.HEALTH)
        found = found or {Wish.CAUSE}
    return frozenset(found or {Wish.CAUSE})
