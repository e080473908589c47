"""Words known to be values: a word that varies in one message is a value in others, too.

`Connected to atlas`, `Connected to orion` and three more show that the place varies; of `Lost atlas` and `Lost orion`
alone nobody could tell. Names of hosts, users, jobs and states come back in many messages of a system, and mostly
there are too few of them in each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ingest.templates.opposites import EVENTS
from ingest.templates.words import WILDCARD

LEAST_VALUES: Final = 5
"""Distinct words from which a place shows that they are values."""

_MOST_WORDS: Final = 50_000
_MOSTLY: Final = 0.6
"""Share of the words of a place that must be known values."""


class Vocabulary:
    """The words that were seen to be values. Those that name events (`EVENTS`) never are; the first word of a message
    teaches nothing, because it says what happens as often as who speaks."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words = set(words)

    def learn(self, template: Sequence[Sequence[str]]) -> set[str]:
        """Notes the values in the messages (words, of one length) of one template; those that are new."""
        if len(template) < LEAST_VALUES or len(self.words) >= _MOST_WORDS:
            return set()
        news: set[str] = set()
        for at, column in enumerate(zip(*template, strict=True)):
            values = {word for word in column if at and not WILDCARD.search(word)}
            if len(values) >= LEAST_VALUES:
                news.update(word for word in values if word not in self.words and word.casefold() not in EVENTS)
        self.words |= news
        return news

    def knows(self, words: Collection[str]) -> bool:
        """Whether words at one place are values: most of them are known."""
        return bool(words) and sum(word in self.words for word in words) >= _MOSTLY * len(words)
